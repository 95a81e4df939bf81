-- Writes docs/lua-api.md from the stubs in stdlib/meta, the one source of the API's documentation.
--     lua5.4 tests/tools/gen_lua_api.lua > docs/lua-api.md      the whole page
--     lua5.4 tests/tools/gen_lua_api.lua hedged.policy          one module
--     lua5.4 tests/tools/gen_lua_api.lua policy.band            one function or class
-- Run from the root of the repository. Plain Lua 5.4; equal stubs give equal bytes. What a stub may
-- hold is said in stdlib/docs.lua, which reads them.
local docs = dofile("stdlib/docs.lua")
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

local function write_function(out, stub, item, classes)
  out[#out + 1] = "### " .. docs.signature(stub, item, classes)
  out[#out + 1] = ""
  docs.wrap(item.doc, out, 100)
  local list, title = docs.arguments(item, classes)
  table_rows(out, list, title == "fields" and "field" or "argument")
  for _, overload in ipairs(item.overloads or {}) do
    out[#out + 1] = ""
    out[#out + 1] = "Also: " .. "`" .. overload .. "`"
  end
  table_rows(out, item.returns, "returns")
  out[#out + 1] = ""
end

local function write_class(out, stub, item)
  out[#out + 1] = "### " .. docs.heading(stub, item)
  out[#out + 1] = ""
  docs.wrap(item.doc, out, 100)
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
  docs.wrap(stub.doc, out, 100)
  table_rows(out, stub.fields, "field")
  out[#out + 1] = ""
  for _, item in ipairs(stub.items) do write_item(out, stub, item, classes) end
end

local files = {}
for _, name in ipairs(FILES) do
  local text = read(ROOT .. name .. ".lua")
  if text then files[#files + 1] = { path = ROOT .. name .. ".lua", text = text } end
end
local stubs, classes = docs.read(files)

local topic = ...
local out = {}
if topic then
  for _, stub in ipairs(stubs) do
    if stub.module == topic or stub.module == "hedged." .. topic then
      write_module(out, stub, classes)
    end
    for _, item in ipairs(stub.items) do
      if docs.is_topic(stub, item, topic) then write_item(out, stub, item, classes) end
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
    out[#out + 1] = ("- [%s](#%s): %s"):format(stub.module, anchor, docs.summary(stub))
  end
  out[#out + 1] = ""
  for _, stub in ipairs(stubs) do write_module(out, stub, classes) end
end
while out[#out] == "" do out[#out] = nil end
local text = table.concat(out, "\n"):gsub("\n\n\n+", "\n\n")
io.write(text, "\n")
