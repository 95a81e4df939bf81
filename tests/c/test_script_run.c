/* A strategy from load to stop: ticks, trades, orders, fills. */
#include "test_script_kit.h"

TEST(sees_ticks_and_their_fields) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "function S:on_tick(t)\n"
                 "  out('%s %s %s %.1f %.1f %.0f %s', t.instrument, t.underlying, t.kind, t.bid,\n"
                 "      t.ask, t.index, t.mark)\n"
                 "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_quote(&k, "ETH-PERPETUAL", 3000, 3001);
    kit_running(&k);
    CHECK_STR(k.log, "BTC-PERPETUAL BTC perpetual 63990.0 64010.0 64000 nil\n");
    kit_close(&k);
}

TEST(hedges_the_delta_of_a_book) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    CHECK_EQ(hg_portfolio_open(k.portfolio, kit_id(&k, PERP), 3200, 0), 0);
    kit_load(&k, "function S:on_tick(t)\n"
                 "  local x = hedged.exposure(self.underlying)\n"
                 "  if math.abs(x.delta) > 0.1 then\n"
                 "    local order, why = hedged.trade{instrument = self.hedge_with,\n"
                 "      delta = -x.delta, reason = 'delta outside band'}\n"
                 "    out('%s %s', order and order.state, why)\n"
                 "  end\n"
                 "end\n"
                 "function S:on_fill(f)\n"
                 "  out('%s %s %.0f @ %.1f %s %s %s', f.instrument, f.side, f.size, f.price,\n"
                 "      f.liquidity, f.reason, f.order.line)\n"
                 "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    printf("%s", k.log);
    CHECK(strstr(k.log, "BTC-PERPETUAL sell"));
    CHECK(strstr(k.log, "taker delta outside band test.lua:"));
    CHECK_NEAR(hg_portfolio_exposure(k.portfolio, 0, k.now_ns)->delta, 0, 0.001);
    kit_close(&k);
}
