-- The stubs in stdlib/meta, the one source of the API's documentation: read, and shown as text by
-- `hedged docs`. `make docs` shows them as a page (tests/tools/gen_lua_api.lua).
--
-- It reads a small part of LuaCATS: doc lines, @class, @field, @param, @return and the function
-- below them. A class whose name ends in `_args` is shown where a function takes it.
--
-- With arguments it prints: TOPIC ("" lists them), "text" or "json", then path and text of every
-- stub.
local WIDTH = 92

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

local function fail(path, number, what) error(("%s:%d: %s"):format(path, number, what), 0) end

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

-- Words of a paragraph joined and broken again; code and lists stay as they are.
local function wrap(lines, out, width)
  local buffer = {}
  local function flush()
    local current = ""
    for word in table.concat(buffer, " "):gmatch("%S+") do
      if current ~= "" and #current + #word + 1 > width then
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


-- { stub }, and its classes by name, of { { path =, text = } }.
local function read(files)
  local stubs, classes = {}, {}
  for _, file in ipairs(files) do
    local stub = parse(file.path, file.text)
    stubs[#stubs + 1] = stub
    for _, item in ipairs(stub.items) do
      if item.class then classes[item.class] = item end
    end
  end
  return stubs, classes
end

-- What a function takes: the fields of its one table, or its arguments.
local function arguments(item, classes)
  local only = item.params[1]
  if #item.params == 1 and only.type:find("_args$") and classes[only.type] then
    return all_fields(classes, only.type), "fields"
  end
  return item.params, "arguments"
end

-- ---- text -----------------------------------------------------------------------------------

local function indented(out, indent, lines)
  local wrapped = {}
  wrap(lines, wrapped, WIDTH - #indent)
  for _, line in ipairs(wrapped) do
    if line:find("^```") then line = "" end
    out[#out + 1] = (indent .. line):gsub("%s+$", "")
  end
end

-- name, type and meaning in columns; what does not fit goes below.
local function columns(out, indent, title, list)
  if #list == 0 then return end
  local name_width, type_width = 1, 1
  for _, item in ipairs(list) do
    name_width = math.max(name_width, #(item.name or "") + (item.optional and 1 or 0))
    if #item.type <= 30 then type_width = math.max(type_width, #item.type) end
  end
  out[#out + 1] = indent .. title
  for _, item in ipairs(list) do
    local name = (item.name or "") .. (item.optional and "?" or "")
    local head = ("%s  %-" .. name_width .. "s  %-" .. type_width .. "s  "):format(
      indent, name, item.type)
    local doc = {}
    if item.doc ~= "" then wrap({ item.doc }, doc, math.max(WIDTH - #head, 30)) end
    if #item.type > type_width and #doc > 0 then
      out[#out + 1] = (head:gsub("%s+$", ""))
      head = (" "):rep(#indent + name_width + type_width + 6)
    end
    out[#out + 1] = ((head .. (doc[1] or "")):gsub("%s+$", ""))
    for i = 2, #doc do out[#out + 1] = (" "):rep(#head) .. doc[i] end
  end
end

local function show_item(out, stub, item, classes)
  if item.class and item.class:find("_args$") then return end
  out[#out + 1] = ""
  out[#out + 1] = item.class and heading(stub, item) .. " (a table)"
    or signature(stub, item, classes)
  indented(out, "    ", item.doc)
  if item.class then
    columns(out, "    ", "fields", item.fields)
    return
  end
  local list, title = arguments(item, classes)
  columns(out, "    ", title, list)
  for _, overload in ipairs(item.overloads or {}) do
    out[#out + 1] = "    also: " .. overload
  end
  columns(out, "    ", "returns", item.returns)
end

local function show_module(out, stub, classes)
  out[#out + 1] = stub.module
  out[#out + 1] = ""
  indented(out, "", stub.doc)
  columns(out, "", "fields", stub.fields)
  for _, item in ipairs(stub.items) do show_item(out, stub, item, classes) end
end

-- The first sentence of a module's text.
local function summary(stub)
  local first = table.concat(stub.doc, " "):match("^(.-[%.:])%s") or table.concat(stub.doc, " ")
  return (first:gsub(":$", "."))
end

local function is_topic(stub, item, topic)
  local name = heading(stub, item)
  return name == topic or "hedged." .. name == topic or item.short == topic
    or stub.module .. "." .. (item.short or "") == topic
end

-- The text of a topic: a module, a function or a class; nil when there is none.
local function text(stubs, classes, topic)
  local out = {}
  for _, stub in ipairs(stubs) do
    if stub.module == topic or stub.module == "hedged." .. topic then
      show_module(out, stub, classes)
    end
  end
  for _, stub in ipairs(#out == 0 and stubs or {}) do
    for _, item in ipairs(stub.items) do
      if is_topic(stub, item, topic) then show_item(out, stub, item, classes) end
    end
  end
  if #out == 0 then return nil end
  while out[1] == "" do table.remove(out, 1) end
  return (table.concat(out, "\n"):gsub("\n\n\n+", "\n\n")) .. "\n"
end

-- ---- JSON: the same for editors and scripts ---------------------------------------------------

local function quoted(raw)
  return '"' .. raw:gsub('[%c"\\]', function(c)
    return c == "\n" and "\\n" or c:find("%c") and ("\\u%04x"):format(c:byte()) or "\\" .. c
  end) .. '"'
end

-- Texts, booleans, lists, and objects as lists of { key, value } with `object = true`.
local function json(value)
  if type(value) == "string" then return quoted(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = value.object and quoted(item[1]) .. ":" .. json(item[2]) or json(item)
  end
  return value.object and "{" .. table.concat(parts, ",") .. "}"
    or "[" .. table.concat(parts, ",") .. "]"
end

local function json_list(list)
  local out = {}
  for i, item in ipairs(list or {}) do
    out[i] = { object = true, { "name", item.name or "" }, { "type", item.type },
               { "optional", item.optional or false }, { "doc", item.doc } }
  end
  return out
end

local function json_item(stub, item, classes)
  local out = { object = true, { "name", heading(stub, item) }, { "module", stub.module },
                { "kind", item.class and "table" or "function" },
                { "doc", table.concat(item.doc, "\n") } }
  if item.class then
    out[#out + 1] = { "fields", json_list(item.fields) }
  else
    local list, title = arguments(item, classes)
    out[#out + 1] = { "signature", signature(stub, item, classes) }
    out[#out + 1] = { title, json_list(list) }
    out[#out + 1] = { "returns", json_list(item.returns) }
  end
  return out
end

-- { topic =, entries = { ... } } of a topic, { topics = { ... } } of "", nil when there is none.
local function as_json(stubs, classes, topic)
  local entries, names = {}, {}
  for _, stub in ipairs(stubs) do
    local whole = stub.module == topic or stub.module == "hedged." .. topic
    names[#names + 1] = { object = true, { "name", short_name(stub.module) },
                          { "summary", summary(stub) } }
    for _, item in ipairs(stub.items) do
      local hidden = item.class and item.class:find("_args$")
      if not hidden and (whole or is_topic(stub, item, topic)) then
        entries[#entries + 1] = json_item(stub, item, classes)
      end
    end
  end
  if topic == "" then return json { object = true, { "topics", names } } .. "\n" end
  if #entries == 0 then return nil end
  return json { object = true, { "topic", topic }, { "entries", entries } } .. "\n"
end

local function topics(stubs)
  local out = { "topics (hedged docs TOPIC; also a function, such as policy.band):" }
  for _, stub in ipairs(stubs) do
    out[#out + 1] = ("  %-10s %s"):format(short_name(stub.module), summary(stub))
  end
  return table.concat(out, "\n") .. "\n"
end

-- Names that hold the words of an unknown topic.
local function similar(stubs, topic)
  local out, word = {}, topic:lower():match("[%w_]+$") or topic
  for _, stub in ipairs(stubs) do
    for _, item in ipairs(stub.items) do
      local name = heading(stub, item)
      local hidden = item.class and item.class:find("_args$")
      if not hidden and name:lower():find(word, 1, true) then out[#out + 1] = name end
    end
  end
  return #out > 0 and #out <= 12 and table.concat(out, ", ") or nil
end

if ... then
  local given = { ... }
  local files = {}
  for i = 3, #given, 2 do files[#files + 1] = { path = given[i], text = given[i + 1] } end
  local stubs, classes = read(files)
  local shown
  if given[2] == "json" then
    shown = as_json(stubs, classes, given[1])
  else
    shown = given[1] == "" and topics(stubs) or text(stubs, classes, given[1])
  end
  if not shown then
    local near = similar(stubs, given[1])
    io.stderr:write(("error: no topic '%s'\n  = help: %s\n"):format(given[1],
      near and "did you mean " .. near .. "?" or "hedged docs lists the topics"))
    os.exit(2)
  end
  io.write(shown)
end

return { read = read, wrap = wrap, heading = heading, signature = signature, summary = summary,
         short_name = short_name, arguments = arguments, is_topic = is_topic }
