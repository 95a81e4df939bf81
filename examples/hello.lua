-- The smallest useful strategy: says what the book's delta is, at most once a minute, and trades
-- nothing.
--
--     hedged demo --strategy examples/hello.lua
--     hedged paper examples/hello.lua --book examples/books/short_strangle.lua
local hedged = require "hedged"

local S = hedged.strategy { api = 1, underlying = "BTC" }

local next_line = 0

function S:on_tick(tick)
  if tick.time < next_line then return end
  next_line = tick.time + 60
  local x = hedged.exposure(self.underlying)
  hedged.log(("delta %+.3f BTC, gamma %+.6f, vega %+.0f USD, data %s")
    :format(x.delta, x.gamma, x.vega, x.quality))
end

return S
