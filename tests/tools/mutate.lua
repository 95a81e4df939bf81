-- Flips each comparison of the risk gate, of brackets and of the margin of an order, one at a time,
-- and runs the tests of that file: one of them must fail. What survives is a comparison nobody
-- tests. `make mutate` runs it; the tree is not touched: a mutant is compiled by itself and linked
-- before the library.
--
--   lua5.4 tests/tools/mutate.lua BUILD [PATTERN [JOBS]]   BUILD: a scratch folder; PATTERN: files
--                                                          to mutate
--
-- Lines of the form `for (...)` are left alone (their bounds are capacities), and so are assertions
-- (they decide nothing). A comparison whose flip changes nothing is excused where its line says so
-- in a comment, `either: why`; each excuse is printed.

local build, only, jobs, job = arg[1], arg[2] or "", tonumber(arg[3]) or 2, tonumber(arg[4])
local FLIPS = { ["<="] = "<", ["<"] = "<=", [">="] = ">", [">"] = ">=", ["=="] = "!=",
  ["!="] = "==", ["&&"] = "||", ["||"] = "&&" }
local ROOMS = "base greeks domain market portfolio exec"
-- What is mutated, the test files that are linked, and what is asked of them, the longest last.
local GROUPS = {
  { sources = "runtime/exec/risk*.c runtime/exec/kill.c runtime/exec/limits.c",
    tests = { "exec_gate", "exec_risk", "exec_limits", "exec_control" },
    ask = { "exec_gate exec_limits exec_risk: exec_risk_states", "exec_control",
      "exec_risk_oracle" } },
  { sources = "runtime/exec/linked.c runtime/exec/by_hand.c",
    tests = { "exec_by_hand", "exec_conditional", "exec_reduce", "exec_brackets" },
    ask = { "exec_by_hand exec_conditional", "exec_reduce", "exec_brackets" } },
  -- Survivors are left here: taken when F names it.
  { sources = "runtime/portfolio/margin_order.c", unfinished = true,
    tests = { "portfolio_margin", "exec_gate_margin" },
    ask = { "portfolio_margin exec_gate_margin" } },
}

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
  text = text:gsub("/%*.-%*/", function(s) return s:find "either:" and s or blank(s) end)
  text = text:gsub('"[^"\n]*"', blank):gsub("'[^'\n]*'", blank)
  text = text:gsub("hg_assert%b()", blank):gsub("%->", "  "):gsub("<<", "  "):gsub(">>", "  ")
  return (text:gsub("#[^\n]*", blank))
end

local function mutants(text)
  local list, seen, excuses = {}, bare(text), {}
  local at, line = 1, 1
  for row in (seen .. "\n"):gmatch "(.-)\n" do
    local why = row:match "either: (.-) *%*/"
    local loop = row:find "^%s*for %(" or why
    if why then excuses[#excuses + 1] = { line = line, why = why } end
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
  return list, excuses
end

-- What make would run to compile one file, and the flags it links with.
local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  return text, pipe:close()
end

local room = ("LTO= CFLAGS=-O1 ROOMS='%s' BUILD=%s"):format(ROOMS, build)
local tests = build .. "/tests/c"

local function test_objects(names)
  local list = { tests .. "/runner.o", tests .. "/alloc.o" }
  for _, name in ipairs(names) do
    for path in output(("ls tests/c/test_%s*.c"):format(name)):gmatch "%S+" do
      list[#list + 1] = tests .. "/" .. path:match "([^/]+)%.c$" .. ".o"
    end
  end
  return table.concat(list, " ")
end

local libraries = output("pkg-config --libs libuv libcjson zlib libzstd"):gsub("%s+$", "") ..
  " -l:liblua5.4.a -ldl -lm -pthread"

local function quiet(command)
  return os.execute(command .. " >/dev/null 2>&1") == true
end

local function passes(group, object, program)
  local link = ("%s -o %s %s %s %s/libhedged.a %s"):format(os.getenv "CC" or "gcc", program, object,
    test_objects(group.tests), build, libraries)
  if not quiet(link) then error("cannot link: " .. link) end
  for _, names in ipairs(group.ask) do
    if not quiet(("timeout 120 %s -x %s"):format(program, names)) then return false end
  end
  return true
end

local function compile_line(path)
  local object = path:gsub("^runtime", build .. "/obj"):gsub("%.c$", ".o")
  local text = output(("make -n V=1 %s -W %s %s"):format(room, path, object))
  local line = text:match("\n([^\n]* %-c %-o [^\n]*)\n")
  return assert(line, "no line to compile " .. path):gsub("%-MMD %-MP %-c %-o.*", "")
end

local files = {}
for _, group in ipairs(GROUPS) do
  for path in output("ls " .. group.sources):gmatch "%S+" do
    if path:find(only) and not (group.unfinished and only == "") then
      files[#files + 1] = { path = path, group = group }
    end
  end
end

if job then -- every jobs-th mutant
  local total = 0
  local name = ("%s/mutant%d"):format(build, job)
  for _, file in ipairs(files) do
    local path = file.path
    local text, compile = read(path), compile_line(path)
    for _, m in ipairs(mutants(text)) do
      total = total + 1
      if total % jobs == job then
        write(name .. ".c", text:sub(1, m.from - 1) .. m.to .. text:sub(m.from + #m.op))
        assert(quiet(("%s -w -c -o %s.o %s.c"):format(compile, name, name)), path .. ":" .. m.line)
        if passes(file.group, name .. ".o", name) then
          print(("%s:%d: %s may be %s and no test fails"):format(path, m.line, m.op, m.to))
          io.stdout:flush()
        end
      end
    end
  end
  os.exit(0)
end

assert(os.execute(("mkdir -p '%s'"):format(build)))
local sound = true
for _, group in ipairs(GROUPS) do
  sound = sound and os.execute(("make %s %s/libhedged.a %s >%s.log 2>&1"):format(room, build,
    test_objects(group.tests), build)) and passes(group, "", build .. "/unchanged")
end
if not sound then
  io.stderr:write(read(build .. ".log"), "\nthe tests fail without any change\n")
  os.exit(1)
end
local total, excused, survivors, pipes, broken = 0, 0, 0, {}, false
for _, file in ipairs(files) do
  local path = file.path
  local list, excuses = mutants(read(path))
  total = total + #list
  for _, e in ipairs(excuses) do
    excused = excused + 1
    print(("%s:%d: excused: %s"):format(path, e.line, e.why))
  end
end
for k = 1, jobs do
  pipes[k] = assert(io.popen(("lua5.4 tests/tools/mutate.lua %s '%s' %d %d"):format(build, only,
    jobs, k - 1)))
end
for _, pipe in ipairs(pipes) do
  for line in pipe:lines() do
    survivors = survivors + 1
    print(line)
  end
  broken = not pipe:close() or broken
end
print(("%d mutants, %d survived%s; %d lines excused"):format(total, survivors,
  broken and ", some not run" or "", excused))
os.exit(survivors == 0 and not broken and 0 or 1)
