-- The checks no other tool makes: the room graph against runtime/DEPS, sizes, banned calls,
-- leftovers, headers that compile alone, stubs that match the API, docs that are fresh.
-- Each finding is `file:line: what is wrong; what to do`. Ends with 1 if there is any.
--     hedged lua tests/lint/tidy.lua     or     lua5.4 tests/lint/tidy.lua     from the root
-- CC and LINT_CFLAGS say how to compile a header; HEDGED is the binary (stubs and docs).
local sh = dofile("tests/sh.lua")

local LINE_MAX, FUNCTION_MAX, FILE_MAX = 100, 70, 1000
local TOP_LEVEL = "Makefile runtime strategies stdlib examples tests docs README.md LICENSE "
  .. "CHANGELOG.md"

local BANNED = {
  sprintf = "use snprintf or base/text.h",
  vsprintf = "use vsnprintf",
  strcpy = "use snprintf or memcpy with a known size",
  strcat = "use snprintf or base/text.h",
  strncpy = "it may leave no NUL; use snprintf",
  atoi = "it hides errors; use base/decimal.h or strtol",
  atol = "it hides errors; use strtol",
  atof = "it hides errors; use base/decimal.h or strtod",
  gets = "use fgets",
  alloca = "stacks are bounded here; use a fixed array",
  strtok = "it keeps hidden state; use strchr or strcspn",
  assert = "use hg_assert (base/assert.h), which stays on in release builds",
}

-- `lint.sh` says whether this runs inside the runtime, where every module can be loaded.
local hedged_runs_this = os.getenv("TIDY_IN_RUNTIME") == "1"

local findings = 0
local function finding(path, line, text)
  findings = findings + 1
  print(("%s:%d: %s"):format(path, line, text))
end

local function find_files(dirs, names)
  return sh.lines(("find %s -name build -prune -o \\( %s \\) -type f -print 2>/dev/null "
    .. "| LC_ALL=C sort"):format(dirs, names))
end

local function each_line(text)
  local number = 0
  return function(next_line)
    local line = next_line()
    if line then
      number = number + 1
      return line, number
    end
  end, (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("([^\n]*)\n")
end

-- Every text file: what a hurried commit leaves behind.
local function check_leftovers(path, text)
  local in_place = path:find("^tests/vectors/") or path:find("^docs/.*%.svg$")
  local tabs_ok = path == "Makefile" or path:find("%.sh$") or path:find("^%.ci/") or in_place
    or path:find("%.tsv$") or path:find("%.csv$") or path:find("/expect$") or path:find("/cmd$")
  if text ~= "" and text:sub(-1) ~= "\n" then
    finding(path, 1, "no newline at the end of the file; add one")
  end
  for line, n in each_line(text) do
    if line:find("^<<<<<<<") or line:find("^>>>>>>>") or line:find("^=======$") then
      finding(path, n, "merge marker; finish the merge")
    end
    if line:find("%s$") and not in_place and not path:find("/expect$") then
      finding(path, n, "trailing blank; remove it")
    end
    if line:find("\t") and not tabs_ok then finding(path, n, "tab; use spaces") end
    -- Written so that this file does not find itself.
    if line:find("/wor[k]/") or line:find("/roo[t]%f[/%s\"']") or line:find("/hom[e]/%w") then
      finding(path, n, "path of one machine; use a relative path or a variable")
    end
    if line:find("%f[%w]TOD[O]%f[%W]") or line:find("%f[%w]FIXM[E]%f[%W]")
      or line:find("%f[%w]XX[X]%f[%W]") then
      finding(path, n, "note to self; do it, or write an issue")
    end
  end
end

local function check_size(path, text)
  local lines = 0
  for line, n in each_line(text) do
    lines = n
    local width = utf8.len(line) or #line
    if width > LINE_MAX then
      finding(path, n, ("%d columns; break the line at %d"):format(width, LINE_MAX))
    end
  end
  if lines > FILE_MAX then
    finding(path, lines, ("%d lines; a second file is hidden in it (limit %d)")
      :format(lines, FILE_MAX))
  end
end

-- The text with comments and the insides of strings blanked, line numbers unchanged.
local function strip_c(text)
  local function blank(s) return (s:gsub("[^\n]", " ")) end
  local out, i = {}, 1
  while i <= #text do
    local j = text:find("[/\"']", i)
    if not j then break end
    out[#out + 1] = text:sub(i, j - 1)
    local two = text:sub(j, j + 1)
    local stop = j
    if two == "/*" then
      stop = select(2, text:find("*/", j + 2, true)) or #text
      out[#out + 1] = blank(text:sub(j, stop))
    elseif two == "//" then
      stop = (text:find("\n", j, true) or #text + 1) - 1
      out[#out + 1] = blank(text:sub(j, stop))
    elseif two:sub(1, 1) == "/" then
      out[#out + 1] = "/"
    else
      local quote = two:sub(1, 1)
      stop = j + 1
      while stop <= #text and text:sub(stop, stop) ~= quote do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
      end
      out[#out + 1] = quote .. blank(text:sub(j + 1, stop - 1)) .. quote
    end
    i = stop + 1
  end
  out[#out + 1] = text:sub(i)
  return table.concat(out)
end

local function check_banned(path, code)
  for line, n in each_line(code) do
    for name in line:gmatch("%f[%w_]([%a_][%w_]*)%s*%(") do
      if BANNED[name] then finding(path, n, name .. " is banned; " .. BANNED[name]) end
    end
  end
end

-- A function starts at a line without indent that ends in `) {` (or `{` after a broken parameter
-- list) and ends at a `}` without indent: clang-format makes sure of both.
local function check_functions(path, text, code)
  local raw = {}
  for line, n in each_line(text) do raw[n] = line end
  local start
  for line, n in each_line(code) do
    if not start and line:find("%)%s*{%s*$") and not line:find("^%s*}") and
      not line:find("^%s+%f[%w](for|while|if|switch|do|else)") then
      local head = n
      while head > 1 and raw[head]:find("^%s") do head = head - 1 end
      if not raw[head]:find("^#") then start = head end
    elseif start and line:find("^}") then
      local length = n - start + 1
      local marked = table.concat(raw, "\n", math.max(1, start - 1), n)
        :find("/* tidy: long */", 1, true)
      if length > FUNCTION_MAX and not marked then
        finding(path, start, ("function of %d lines (limit %d); split it, or mark a table-driven "
          .. "switch /* tidy: long */"):format(length, FUNCTION_MAX))
      end
      start = nil
    end
  end
end

local function check_guard(path, text)
  local dir, noun = path:match("^runtime/([^/]+)/(.+)%.h$")
  local wanted = dir and ("HG_%s_%s_H"):format(dir, noun):upper():gsub("[^%w]", "_")
  local guard, line
  for l, n in each_line(text) do
    guard, line = l:match("^#ifndef%s+([%w_]+)"), n
    if guard then break end
  end
  if text:find("/* tidy: template */", 1, true) then return end
  if wanted and guard ~= wanted then
    finding(path, line, "include guard is not " .. wanted .. "; rename it")
  elseif not wanted and not (guard or ""):find("^HG_[%w_]+_H$") then
    finding(path, line, "include guard is not of the form HG_TEST_NOUN_H; rename it")
  end
end

-- runtime/DEPS as { room = { level, rooms = set or nil for all, headers = set } }, and all headers
-- of outside libraries it names.
local function read_deps()
  local rooms, outside = {}, {}
  for line, n in each_line(sh.read("runtime/DEPS")) do
    line = line:gsub("#.*", "")
    local room, level, may, headers = line:match("^(%S+)%s+(%d+):%s*([^;]*);?%s*(.-)%s*$")
    if room then
      local entry = { level = tonumber(level), line = n, rooms = {}, headers = {} }
      for other in may:gmatch("%S+") do entry.rooms[other] = true end
      for header in headers:gmatch("%S+") do
        entry.headers[header] = true
        outside[header] = true
      end
      rooms[room] = entry
    elseif line:find("%S") then
      finding("runtime/DEPS", n, "not of the form `room level: rooms ; headers`")
    end
  end
  for room, entry in pairs(rooms) do
    for other in pairs(entry.rooms) do
      if other ~= "*" and not rooms[other] then
        finding("runtime/DEPS", entry.line, room .. " names " .. other .. ", which has no line")
      elseif other ~= "*" and rooms[other].level >= entry.level then
        finding("runtime/DEPS", entry.line, ("%s may not include %s: only lower levels")
          :format(room, other))
      end
    end
  end
  return rooms, outside
end

-- Headers of the C library and POSIX need no entry; anything else in <> must be in DEPS.
local SYSTEM = "^[%w_]+%.h$ ^sys/[%w_]+%.h$ ^netinet/[%w_]+%.h$ ^arpa/[%w_]+%.h$ ^linux/"
local LIBRARIES = "lua.h lauxlib.h lualib.h uv.h cJSON.h cjson/cJSON.h zlib.h zstd.h "
  .. "libwebsockets.h"

local function is_system(header, outside)
  if outside[header] or (" " .. LIBRARIES .. " "):find(" " .. header .. " ", 1, true) then
    return false
  end
  for pattern in SYSTEM:gmatch("%S+") do
    if header:find(pattern) then return true end
  end
  return false
end

local function check_include_room(path, n, room, entry, target, rooms)
  local other, file = target:match("^([^/]+)/(.+)$")
  if not other then
    return finding(path, n, ('include "%s" names no room; write "%s/%s"')
      :format(target, room, target))
  end
  if other == room then return end
  if not rooms[other] then
    return finding(path, n, "includes room " .. other .. ", which runtime/DEPS does not know")
  end
  if not (entry.rooms[other] or entry.rooms["*"] and rooms[other].level < entry.level) then
    finding(path, n, ("new edge %s -> %s; runtime/DEPS does not allow it, go through a room that "
      .. "may, or move the wall"):format(room, other))
  end
  if file:find("_int%.h$") then
    finding(path, n, ("%s is private to %s; use its public header"):format(target, other))
  end
end

local function check_includes(path, text, rooms, outside)
  local room = path:match("^runtime/([^/]+)/")
  local entry = rooms[room]
  if not entry then
    return finding(path, 1, "room " .. room .. " is not in runtime/DEPS; add its line")
  end
  for line, n in each_line(text) do
    local open, target = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
    local base = target and target:match("([^/]+)$")
    if open == '"' and not outside[base] then
      check_include_room(path, n, room, entry, target, rooms)
    elseif target and not is_system(target, outside) and not entry.headers[base] then
      finding(path, n, ("%s is not for %s; runtime/DEPS says which room may see it")
        :format(target, room))
    end
  end
end

-- All headers in one run of the compiler, each as a translation unit of its own.
local function check_headers_compile(headers)
  if #headers == 0 then return end
  local list = {}
  for i, path in ipairs(headers) do list[i] = sh.quote(path) end
  local out, code = sh.capture(("%s %s -fsyntax-only -x c %s 2>&1"):format(os.getenv("CC") or "gcc",
    os.getenv("LINT_CFLAGS") or "-std=c11 -D_GNU_SOURCE -Iruntime -Itests/c -Itests/bench " ..
    "$(pkg-config --cflags lua5.4 libuv libcjson zlib libzstd)", table.concat(list, " ")))
  if code ~= 0 then
    for line in out:gmatch("[^\n]+") do
      local path, n, what = line:match("^([^:]+):(%d+):%d+: [%a ]*error: (.*)$")
      if path then
        finding(path, tonumber(n), ("header does not compile alone: %s; include what it uses")
          :format(what))
      end
    end
  end
end

local function check_top_level()
  local allowed = {}
  for name in TOP_LEVEL:gmatch("%S+") do allowed[name] = true end
  local _, no_git = sh.capture("git rev-parse --git-dir 2>/dev/null")
  if no_git ~= 0 then return end
  for _, name in ipairs(sh.lines("git ls-files | cut -d/ -f1 | sort -u")) do
    if not allowed[name] and name:sub(1, 1) ~= "." then
      finding(name, 1, "not in the top level of the design; put it into a folder")
    end
  end
end

local GENERATOR = "tests/tools/gen_lua_api.lua"
local function check_docs_fresh(lua)
  if not sh.exists(GENERATOR) then return end
  local out, code = sh.capture(("%s %s 2>/dev/null"):format(lua, GENERATOR))
  if code ~= 0 then
    finding(GENERATOR, 1, "ended with exit code " .. code)
  elseif out ~= sh.read("docs/lua-api.md") then
    finding("docs/lua-api.md", 1, "not what stdlib/meta says; run `make docs`")
  end
end

-- The functions a stub declares on the table it returns, as name -> line; and the module's name.
local function read_stub(text)
  local module = text:match("^%-%-%-@meta%s+([%w_.]+)")
  local var = text:match("\nreturn ([%w_]+)%s*$")
  local declared = {}
  for line, n in each_line(text) do
    local owner, name = line:match("^function ([%w_]+)[.:]([%w_]+)%(")
    if owner == var then declared[name] = n end
  end
  return module, declared
end

-- Every function a module has is described in its stub, and the other way round. Under plain Lua
-- only the modules written in Lua can be loaded; the rest is left to a run inside the runtime.
local function check_stub(path)
  local name, declared = read_stub(sh.read(path))
  if not name then return finding(path, 1, "does not start with ---@meta NAME; add it") end
  local ok, module = pcall(require, name)
  if not ok then
    if not hedged_runs_this then return end
    return finding(path, 1, ("no module %s: %s"):format(name, tostring(module):match("[^\n]*")))
  end
  for key, line in pairs(declared) do
    if type(module[key]) ~= "function" then
      finding(path, line, ("%s has no function %s; remove it here or write it"):format(name, key))
    end
  end
  for key, value in pairs(module) do
    if type(value) == "function" and key:sub(1, 1) ~= "_" and not declared[key] then
      finding(path, 1, ("%s.%s is not described; add it"):format(name, key))
    end
  end
end

local rooms, outside = read_deps()
local headers = {}
for _, path in ipairs(find_files("runtime tests", "-name '*.[ch]'")) do
  local text = sh.read(path)
  local code = strip_c(text)
  check_size(path, text)
  check_banned(path, code)
  check_functions(path, text, code)
  if path:find("^runtime/") then check_includes(path, text, rooms, outside) end
  if path:find("%.h$") then
    check_guard(path, text)
    if not text:find("/* tidy: template */", 1, true) then headers[#headers + 1] = path end
  end
end
for _, path in ipairs(find_files("stdlib strategies examples tests", "-name '*.lua'")) do
  check_size(path, sh.read(path))
end
local TEXT = "-name '*.[ch]' -o -name '*.lua' -o -name '*.md' -o -name '*.sh' -o -name Makefile " ..
  "-o -name '*.tsv' -o -name '*.json' -o -name cmd -o -name DEPS -o -path '*/.ci/*'"
for _, path in ipairs(find_files(".", TEXT)) do
  path = path:gsub("^%./", "")
  if not path:find("^%.git/") then check_leftovers(path, sh.read(path)) end
end
check_headers_compile(headers)
check_top_level()
package.path = "stdlib/?.lua;stdlib/?/init.lua;" .. package.path
for _, path in ipairs(find_files("stdlib/meta", "-name '*.lua'")) do check_stub(path) end
local hedged = os.getenv("HEDGED") or "build/hedged"
check_docs_fresh(sh.exists(hedged) and sh.quote(hedged) .. " lua" or "lua5.4")

print(findings == 0 and "tidy: clean" or ("tidy: %d findings"):format(findings))
os.exit(findings == 0 and 0 or 1)
