-- Writes docs/lua-api.md from the stubs in stdlib/meta, the one source of the API's documentation.
--     lua5.4 tests/tools/gen_lua_api.lua > docs/lua-api.md      the whole page
--     lua5.4 tests/tools/gen_lua_api.lua hedged.policy          one module
--     lua5.4 tests/tools/gen_lua_api.lua policy.band            one function or class
-- Run from the root of the repository. Plain Lua 5.4; equal stubs give equal bytes.
--
-- It reads a small part of LuaCATS: doc lines, @class, @field, @param, @return and the function
-- below them. A class whose name ends in `_args` is shown where a function takes it.
local FILES = {
  "hedged", "market", "portfolio", "orders", "greeks", "policy", "select", "stats", "solve",
  "execution", "surface", "test",
}
local ROOT = "stdlib/meta/"

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

-- One type expression at the start of `text`: balanced brackets, fun(...): type, a|b, quotes.
local function take_type(text)
  local i, depth = 1, 0
  while i <= #text do
    local c = text:sub(i, i)
    if c == '"' then
      i = (text:find('"', i + 1, true) or #text) + 1
    elseif c:find("[%(%[{<]") then
      depth, i = depth + 1, i + 1
    elseif c:find("[%)%]}>]") then
      depth, i = depth - 1, i + 1
    elseif c == " " and depth == 0 then
      local before = text:sub(i - 1, i - 1)
      local rest = text:match("^%s+(.*)", i) or ""
      if before == ":" or before == "," or before == "|" or rest:sub(1, 1) == "|" then
        i = i + 1
      else
        break
      end
    else
      i = i + 1
    end
  end
  return text:sub(1, i - 1), (text:sub(i):gsub("^%s+", ""))
end

local function fail(path, number, what)
  io.stderr:write(("%s:%d: %s\n"):format(path, number, what))
  os.exit(1)
end

local function new_block()
  return { doc = {}, params = {}, returns = {}, fields = {} }
end

local function tag(block, name, text, path, number)
  if name == "class" then
    block.class, block.parent = text:match("^([%w_%.]+)%s*:?%s*([%w_%.]*)")
    if block.parent == "" then block.parent = nil end
  elseif name == "field" or name == "param" then
    local key, rest = text:match("^(%S+)%s+(.*)$")
    if not key then fail(path, number, "@" .. name .. " needs a name and a type") end
    local kind, doc = take_type(rest)
    local list = name == "field" and block.fields or block.params
    list[#list + 1] = { name = key:gsub("%?$", ""), optional = key:find("%?$") ~= nil, type = kind,
                        doc = doc }
  elseif name == "return" then
    local kind, rest = take_type(text)
    local key, doc = rest:match("^([%a_][%w_]*)%s*(.*)$")
    block.returns[#block.returns + 1] = { type = kind, name = key, doc = doc or rest }
  elseif name == "overload" then
    block.overloads = block.overloads or {}
    table.insert(block.overloads, text)
  elseif name ~= "meta" and name ~= "alias" and name ~= "type" then
    fail(path, number, "unknown tag @" .. name)
  end
end

-- A stub as { module =, doc =, items = { functions and classes in their order } }.
local function parse(path, text)
  local stub, block, number = { items = {} }, new_block(), 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local name, rest = line:match("^%-%-%-@(%a+)%s*(.*)$")
    local doc = line:match("^%-%-%- ?(.*)$")
    if name == "meta" then
      stub.module = rest
    elseif name then
      tag(block, name, rest, path, number)
    elseif doc then
      block.doc[#block.doc + 1] = doc
    else
      local owner, separator, short, args = line:match("^function ([%w_]+)([.:])([%w_]+)%((.-)%)")
      if owner then
        block.owner, block.separator, block.short, block.args = owner, separator, short, args
        stub.items[#stub.items + 1] = block
      elseif block.class == stub.module and block.class then
        stub.doc, stub.fields = block.doc, block.fields
      elseif block.class then
        stub.items[#stub.items + 1] = block
      elseif #block.doc > 0 then
        fail(path, number, "a comment with three dashes belongs to a class or a function")
      end
      block = new_block()
    end
  end
  if not stub.module or not stub.doc then
    fail(path, 1, "no ---@meta NAME with a ---@class NAME")
  end
  return stub
end

-- Words of a paragraph joined and broken again at 100 columns; code and lists stay as they are.
local function wrap(lines, out)
  local buffer = {}
  local function flush()
    local current = ""
    for word in table.concat(buffer, " "):gmatch("%S+") do
      if current ~= "" and #current + #word + 1 > 100 then
        out[#out + 1], current = current, word
      else
        current = current == "" and word or current .. " " .. word
      end
    end
    if current ~= "" then out[#out + 1] = current end
    buffer = {}
  end
  local fence = false
  for _, line in ipairs(lines) do
    if line:find("^```") then
      flush()
      fence = not fence
      out[#out + 1] = line
    elseif fence or line:find("^%s*[-*|] ") or line:find("^  ") then
      flush()
      out[#out + 1] = line
    elseif line == "" then
      flush()
      out[#out + 1] = ""
    else
      buffer[#buffer + 1] = line
    end
  end
  flush()
end

local function code(text) return "`" .. text:gsub("|", "\\|") .. "`" end

local function table_rows(out, list, head)
  if #list == 0 then return end
  out[#out + 1] = ""
  out[#out + 1] = "| " .. head .. " | type | |"
  out[#out + 1] = "|---|---|---|"
  for _, item in ipairs(list) do
    out[#out + 1] = ("| %s | %s | %s |"):format(
      item.name and "`" .. item.name .. "`" .. (item.optional and " (optional)" or "") or "",
      code(item.type), (item.doc:gsub("|", "\\|")))
  end
end

local function short_name(name) return (name:gsub("^hedged%.", "")) end

-- Fields of an `_args` class, its parents' first.
local function all_fields(classes, name)
  local class, list = classes[name], {}
  if not class then return list end
  if class.parent then
    for _, field in ipairs(all_fields(classes, class.parent)) do list[#list + 1] = field end
  end
  for _, field in ipairs(class.fields) do list[#list + 1] = field end
  return list
end

local function heading(stub, item)
  if item.class then return short_name(item.class) end
  if item.separator == ":" then return item.owner .. ":" .. item.short end
  return (stub.module == "hedged" and "hedged" or short_name(stub.module)) .. "." .. item.short
end

local function signature(stub, item, classes)
  local only = item.params[1]
  local braces = #item.params == 1 and classes[only.type] and only.type:find("_args$")
  if braces then return heading(stub, item) .. " { ... }" end
  local parts, open = {}, 0
  for i, param in ipairs(item.params) do
    local comma = i > 1 and ", " or ""
    if param.optional then
      parts[#parts + 1] = (i > 1 and " [" or "[") .. comma .. param.name
      open = open + 1
    else
      parts[#parts + 1] = comma .. param.name
    end
  end
  return heading(stub, item) .. "(" .. table.concat(parts) .. ("]"):rep(open) .. ")"
end

local function write_function(out, stub, item, classes)
  out[#out + 1] = "### " .. signature(stub, item, classes)
  out[#out + 1] = ""
  wrap(item.doc, out)
  local only = item.params[1]
  if #item.params == 1 and only.type:find("_args$") and classes[only.type] then
    table_rows(out, all_fields(classes, only.type), "field")
  else
    table_rows(out, item.params, "argument")
  end
  for _, overload in ipairs(item.overloads or {}) do
    out[#out + 1] = ""
    out[#out + 1] = "Also: " .. "`" .. overload .. "`"
  end
  table_rows(out, item.returns, "returns")
  out[#out + 1] = ""
end

local function write_class(out, stub, item)
  out[#out + 1] = "### " .. heading(stub, item)
  out[#out + 1] = ""
  wrap(item.doc, out)
  table_rows(out, item.fields, "field")
  out[#out + 1] = ""
end

local function write_item(out, stub, item, classes)
  if item.class then
    if not item.class:find("_args$") then write_class(out, stub, item) end
  else
    write_function(out, stub, item, classes)
  end
end

local function write_module(out, stub, classes)
  out[#out + 1] = "## " .. stub.module
  out[#out + 1] = ""
  wrap(stub.doc, out)
  table_rows(out, stub.fields, "field")
  out[#out + 1] = ""
  for _, item in ipairs(stub.items) do write_item(out, stub, item, classes) end
end

local stubs, classes = {}, {}
for _, name in ipairs(FILES) do
  local text = read(ROOT .. name .. ".lua")
  if text then
    local stub = parse(ROOT .. name .. ".lua", text)
    stubs[#stubs + 1] = stub
    for _, item in ipairs(stub.items) do
      if item.class then classes[item.class] = item end
    end
  end
end

local topic = ...
local out = {}
if topic then
  for _, stub in ipairs(stubs) do
    if stub.module == topic or stub.module == "hedged." .. topic then
      write_module(out, stub, classes)
    end
    for _, item in ipairs(stub.items) do
      local name = heading(stub, item)
      if name == topic or "hedged." .. name == topic or item.short == topic then
        write_item(out, stub, item, classes)
      end
    end
  end
  if #out == 0 then
    io.stderr:write("no module, function or class is called " .. topic .. "\n")
    os.exit(1)
  end
else
  out[#out + 1] = "# The Lua API"
  out[#out + 1] = ""
  out[#out + 1] = "Written by `make docs` from `stdlib/meta/*.lua`; change it there."
  out[#out + 1] = "How to write a strategy: [strategies.md](strategies.md)."
  out[#out + 1] = ""
  for _, stub in ipairs(stubs) do
    local anchor = stub.module:gsub("%.", "")
    local first = table.concat(stub.doc, " "):match("^(.-[%.:])%s") or ""
    out[#out + 1] = ("- [%s](#%s): %s"):format(stub.module, anchor, (first:gsub(":$", ".")))
  end
  out[#out + 1] = ""
  for _, stub in ipairs(stubs) do write_module(out, stub, classes) end
end
while out[#out] == "" do out[#out] = nil end
local text = table.concat(out, "\n"):gsub("\n\n\n+", "\n\n")
io.write(text, "\n")
