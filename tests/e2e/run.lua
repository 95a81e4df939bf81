-- End-to-end tests: each folder tests/e2e/<name>/ holds
--   cmd      shell lines, run in an empty folder with $HEDGED, $REPO, $DATA and $CASE (the folder)
--   expect   their standard output byte for byte, closed by a line `[exit N]`
--   needs    optional: files under $DATA, one a line; without them the test is skipped aloud
-- Standard error is shown when a test fails; a test of messages says 2>&1 in its cmd.
-- UPDATE=1 rewrites expect from what was printed: read the difference before you commit it.
--     hedged lua tests/e2e/run.lua [PATTERN]        from the root of the repository
local sh = dofile("tests/sh.lua")
local pattern = ...
local quote = sh.quote

local repo = sh.capture("pwd"):gsub("\n", "")
local hedged = os.getenv("HEDGED") or repo .. "/build/hedged"
local data = os.getenv("HEDGED_DATA") or repo .. "/../shared"
local update = os.getenv("UPDATE") == "1"
local limit_s = tonumber(os.getenv("E2E_TIMEOUT") or "") or 120
local counts = sh.counter()

local function missing_input(case)
  for path in (sh.read(case .. "/needs") or ""):gmatch("[^%s]+") do
    if not sh.exists(data .. "/" .. path) then return data .. "/" .. path end
  end
end

-- Returns what the commands printed, closed by the exit code, and their standard error.
local function run(case, tmp)
  local vars = { HEDGED = hedged, REPO = repo, DATA = data, CASE = case, HOME = tmp .. "/work" }
  local env = {}
  for name, value in pairs(vars) do env[#env + 1] = name .. "=" .. quote(value) end
  table.sort(env)
  local code = sh.run(("mkdir %s/work && cd %s/work && env -u HEDGED_DATA LC_ALL=C TZ=UTC %s " ..
    "timeout -k 5 %d sh -u %s >../out 2>../err </dev/null"):format(
      quote(tmp), quote(tmp), table.concat(env, " "), limit_s, quote(case .. "/cmd")))
  local out = sh.read(tmp .. "/out") or ""
  if out ~= "" and out:sub(-1) ~= "\n" then out = out .. "\n" end
  return ("%s[exit %d]\n"):format(out, code), sh.read(tmp .. "/err") or ""
end

local function test(name)
  local case = repo .. "/tests/e2e/" .. name
  local missing = missing_input(case)
  if missing then return counts.skip("e2e/" .. name, "no " .. missing) end
  local tmp = sh.capture("mktemp -d"):gsub("\n", "")
  local got, err = run(case, tmp)
  local wanted = sh.read(case .. "/expect")
  if got == wanted then
    counts.pass()
  elseif update then
    sh.write(case .. "/expect", got)
    print("WROTE tests/e2e/" .. name .. "/expect")
    counts.pass()
  else
    sh.write(tmp .. "/got", got)
    local diff = "no expect file; it printed:\n" .. got
    if wanted then
      diff = sh.capture(("diff -u --label expect --label got %s %s | head -n 60")
        :format(quote(case .. "/expect"), quote(tmp .. "/got")))
    end
    if err ~= "" then diff = diff .. "--- standard error\n" .. sh.tail(err, 40) end
    counts.fail("e2e/" .. name, diff)
  end
  sh.run("rm -rf " .. quote(tmp))
end

for _, path in ipairs(sh.lines("ls -d tests/e2e/*/ 2>/dev/null")) do
  local name = path:match("([^/]+)/$")
  if not pattern or ("e2e/" .. name):find(pattern, 1, true) then
    if sh.read(path .. "cmd") then
      test(name)
    else
      counts.fail("e2e/" .. name, "it has no cmd file")
    end
  end
end
counts.finish()
