-- What the test runners written in Lua share: running commands and reading files. Plain Lua 5.4 and
-- a POSIX shell, so that they run under `hedged lua` and `lua5.4` alike.
local sh = {}

function sh.quote(text)
  return "'" .. tostring(text):gsub("'", [['\'']]) .. "'"
end

-- Runs a command; returns its exit code (128 + n for signal n).
function sh.run(command)
  local _, how, code = os.execute(command)
  return how == "signal" and 128 + code or code
end

-- The standard output of a command, and its exit code.
function sh.capture(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("a")
  local _, how, code = pipe:close()
  return text, how == "signal" and 128 + code or code
end

function sh.lines(command)
  local list = {}
  for line in sh.capture(command):gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

-- The whole file, or nil.
function sh.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

function sh.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

-- Reads `tail` lines of a text, for showing what a failed command said.
function sh.tail(text, count)
  local all = {}
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then all[#all + 1] = line end
  end
  return table.concat(all, "", math.max(1, #all - count + 1))
end

function sh.exists(path)
  return sh.run("test -e " .. sh.quote(path)) == 0
end

-- Counts of one runner; `finish` prints the closing line and ends the process.
function sh.counter()
  local counts = { passed = 0, failed = 0, skipped = 0 }
  function counts.pass() counts.passed = counts.passed + 1 end
  function counts.fail(name, why)
    counts.failed = counts.failed + 1
    print("FAIL " .. name)
    print("  " .. why:gsub("\n+$", ""):gsub("\n", "\n  "))
  end
  function counts.skip(name, why)
    counts.skipped = counts.skipped + 1
    print("SKIP " .. name .. ": " .. why)
  end
  function counts.finish()
    print(("%d passed, %d failed, %d skipped"):format(
      counts.passed, counts.failed, counts.skipped))
    os.exit(counts.failed == 0 and 0 or 1)
  end
  return counts
end

return sh
