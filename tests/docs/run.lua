-- Runs the samples of README.md and docs/*.md. The fence says how:
--   ```lua            must compile
--   ```lua run        runs under `hedged lua`
--   ```lua strategy   passes `hedged check`
--   ```sh run         runs in a copy of the repository's root where build/hedged is the binary
--                     under test (on the PATH as `hedged` too) and ../shared the data folder
-- Further words: needs=PATH (skip without that file of the data folder), exit=N (wanted exit code).
-- Other blocks are not run.
--     hedged lua tests/docs/run.lua [PATTERN]        from the root of the repository
local sh = dofile("tests/sh.lua")
local pattern = ...
local quote = sh.quote

local repo = sh.capture("pwd"):gsub("\n", "")
local hedged = os.getenv("HEDGED") or repo .. "/build/hedged"
local data = os.getenv("HEDGED_DATA") or repo .. "/../shared"
local counts = sh.counter()

-- A folder that looks like the repository's root; what a sample writes stays in it.
local function sandbox()
  local tmp = sh.capture("mktemp -d"):gsub("\n", "")
  sh.run(("mkdir -p %s/repo/build && cd %s/repo && for f in %s/*; do " ..
    "[ \"${f##*/}\" = build ] || ln -s \"$f\" .; done; ln -s %s build/hedged; ln -s %s ../shared")
    :format(quote(tmp), quote(tmp), quote(repo), quote(hedged), quote(data)))
  return tmp
end

local function run_in_sandbox(block, file, command)
  local tmp = sandbox()
  sh.write(tmp .. "/repo/build/" .. file, block.text)
  local code = sh.run(("cd %s/repo && HOME=%s PATH=%s/repo/build:$PATH timeout -k 5 180 %s " ..
    ">../out 2>&1 </dev/null"):format(quote(tmp), quote(tmp), quote(tmp), command))
  local out = sh.read(tmp .. "/out") or ""
  sh.run("rm -rf " .. quote(tmp))
  if code == block.exit then return true end
  return false, ("exit %d, wanted %d\n%s"):format(code, block.exit, sh.tail(out, 30))
end

local how = {
  ["lua run"] = function(b)
    return run_in_sandbox(b, "sample.lua", "build/hedged lua build/sample.lua")
  end,
  ["lua strategy"] = function(b)
    return run_in_sandbox(b, "sample.lua", "build/hedged check build/sample.lua")
  end,
  ["sh run"] = function(b)
    return run_in_sandbox(b, "sample.sh", "sh -eu build/sample.sh")
  end,
  ["lua"] = function(b)
    local chunk, why = load(b.text, "=sample")
    return chunk ~= nil, why
  end,
}

-- The fenced blocks of a text: info words, text, first line number.
local function blocks(path)
  local list, open, number = {}, nil, 0
  for line in (sh.read(path) .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local info = line:match("^%s*```%s*(.*)$")
    if info and open then
      open.text = table.concat(open, "\n") .. "\n"
      list[#list + 1], open = open, nil
    elseif info then
      open = { words = {}, line = number, exit = 0, name = path .. ":" .. number }
      for word in info:gmatch("%S+") do
        local key, value = word:match("^(%w+)=(.*)$")
        if key == "exit" then
          open.exit = tonumber(value)
        elseif key then
          open[key] = value
        else
          open.words[#open.words + 1] = word
        end
      end
    elseif open then
      open[#open + 1] = line
    end
  end
  return list
end

for _, path in ipairs(sh.lines("ls README.md docs/*.md 2>/dev/null")) do
  for _, block in ipairs(blocks(path)) do
    local check = how[table.concat(block.words, " ")]
    if check and (not pattern or block.name:find(pattern, 1, true)) then
      if block.needs and not sh.exists(data .. "/" .. block.needs) then
        counts.skip(block.name, "no " .. data .. "/" .. block.needs)
      else
        local ok, why = check(block)
        if ok then counts.pass() else counts.fail(block.name, why) end
      end
    end
  end
end
counts.finish()
