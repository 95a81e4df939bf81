-- Flips each comparison of the risk gate, one at a time, and runs the tests of the gate: one of
-- them must fail. What survives is a comparison nobody tests. `make mutate` runs it in a copy of
-- the tree.
--
--   lua5.4 tests/tools/mutate.lua COPY [PATTERN]   COPY: a scratch folder; PATTERN: files to mutate
--
-- Lines of the form `for (...)` are left alone (their bounds are capacities), and so is a
-- comparison whose flip changes nothing: its line says `either` in a comment.

local copy, only = arg[1], arg[2] or ""
local FLIPS = { ["<="] = "<", ["<"] = "<=", [">="] = ">", [">"] = ">=", ["=="] = "!=",
  ["!="] = "==", ["&&"] = "||", ["||"] = "&&" }
local ROOMS = "base greeks domain market portfolio exec"

local function run(command)
  local ok = os.execute(command .. " >" .. copy .. "/log 2>&1")
  return ok == true
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Blanks out comments, texts, characters and what only looks like a comparison; lengths stay.
local function bare(text)
  local function blank(s) return (s:gsub("[^\n]", " ")) end
  text = text:gsub("/%*.-%*/", function(s) return s:find "either" and s or blank(s) end)
  text = text:gsub('"[^"\n]*"', blank):gsub("'[^'\n]*'", blank)
  text = text:gsub("%->", "  "):gsub("<<", "  "):gsub(">>", "  ")
  return (text:gsub("#[^\n]*", blank))
end

local function mutants(text)
  local list, seen = {}, bare(text)
  local at, line = 1, 1
  for row in (seen .. "\n"):gmatch "(.-)\n" do
    local loop = row:find "^%s*for %(" or row:find "either"
    local i = 1
    while i <= #row and not loop do
      local op = row:sub(i, i + 1)
      op = FLIPS[op] and op or row:sub(i, i)
      op = FLIPS[op] and op
      if op then
        list[#list + 1] = { from = at + i - 1, op = op, to = FLIPS[op], line = line }
        i = i + #op
      else
        i = i + 1
      end
    end
    at, line = at + #row + 1, line + 1
  end
  return list
end

os.execute(("mkdir -p %s && cp -r Makefile runtime tests stdlib strategies examples %s/ && " ..
  "rm -f %s/tests/c/test_[!e]*.c"):format(copy, copy, copy))
local make = ("make -C %s ROOMS='%s' LTO= CFLAGS=-O1 BUILD=build build/tests/ctest")
  :format(copy, ROOMS)
local test = ("cd %s && timeout 120 build/tests/ctest exec_risk && " ..
  "timeout 60 build/tests/ctest exec_gate"):format(copy)
test = "(" .. test .. ")"
if not (run(make) and run(test)) then
  io.stderr:write(read(copy .. "/log"), "\nthe tests fail without any change\n")
  os.exit(1)
end

local total, survivors = 0, 0
local files = io.popen "ls runtime/exec/risk*.c runtime/exec/kill.c"
for path in files:lines() do
  if path:find(only) then
    local text = read(path)
    for _, m in ipairs(mutants(text)) do
      write(copy .. "/" .. path, text:sub(1, m.from - 1) .. m.to .. text:sub(m.from + #m.op))
      total = total + 1
      if run(make) and run(test) then
        survivors = survivors + 1
        print(("%s:%d: %s may be %s and no test fails"):format(path, m.line, m.op, m.to))
        io.stdout:flush()
      end
    end
    write(copy .. "/" .. path, text)
    run(make)
  end
end
files:close()
print(("%d mutants, %d survive"):format(total, survivors))
os.exit(survivors == 0 and 0 or 1)
