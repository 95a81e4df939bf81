/* Which events reach a script, in which order: subscriptions, batches, timers, waits, orders. */
#include "test_script_kit.h"

#define SAY_TICK "function S:on_tick(t) out('%s %s', t.instrument, t.bid) end"

TEST(hears_its_hedge_instrument_what_it_holds_and_the_index) {
    kit k;
    kit_open(&k);
    CHECK_EQ(hg_portfolio_open(k.portfolio, kit_id(&k, CALL), 10, 0), 0);
    CHECK_EQ(hg_portfolio_open(k.portfolio, kit_id(&k, "ETH-PERPETUAL"), 10, 0), 0);
    kit_load(&k, SAY_TICK);
    kit_quote(&k, PERP, 63990, 64010);
    kit_quote(&k, CALL, 0.05, 0.06);
    kit_quote(&k, PUT, 0.05, 0.06);
    kit_quote(&k, FUT, 64100, 64110);
    kit_quote(&k, "ETH-PERPETUAL", 3000, 3001);
    kit_index(&k, 64000);
    kit_running(&k);
    CHECK_STR(k.log, "BTC-PERPETUAL 63990.0\nBTC-25SEP26-70000-C 0.05\nBTC-PERPETUAL 63990.0\n");
    kit_close(&k);
}

TEST(patterns_replace_the_default) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local market = require 'hedged.market'\n"
                 "function S:on_start() market.subscribe('ETH*') end\n" SAY_TICK);
    kit_quote(&k, PERP, 63990, 64010);
    kit_quote(&k, "ETH-PERPETUAL", 3000, 3001);
    CHECK_STR(k.log, "ETH-PERPETUAL 3000.0\n");
    kit_close(&k);
}

TEST(a_new_position_joins_the_default) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "local orders = require 'hedged.orders'\n"
                 "function S:on_start() hedged.after(0.01, function()\n"
                 "  assert(orders.buy(\"" FUT "\", 1000)) end) end\n" SAY_TICK);
    kit_quote(&k, FUT, 64100, 64110);
    kit_settle(&k, k.now_ns + HG_NS_PER_S);
    kit_quote(&k, FUT, 64105, 64110);
    kit_running(&k);
    CHECK_STR(k.log, "BTC-25SEP26 64105.0\n");
    kit_close(&k);
}

TEST(a_batch_is_seen_when_it_closes_once_per_instrument_by_id) {
    kit k;
    kit_open(&k);
    CHECK_EQ(hg_portfolio_open(k.portfolio, kit_id(&k, CALL), 10, 0), 0);
    kit_load(&k, SAY_TICK);
    const char *names[] = {CALL, PERP, CALL, PUT};
    for (int i = 0; i < 4; i++) {
        bool option = strcmp(names[i], PERP) != 0;
        hg_event e = kit_quote_event(&k, names[i], option ? 0.05 + 0.001 * i : 63990,
                                     option ? 0.07 : 64010);
        e.time_ns = KIT_START + HG_NS_PER_MS;
        e.flags = i < 3 ? HG_EVF_MORE : 0;
        kit_feed(&k, e);
        if (i < 3) CHECK_STR(k.log, "");
    }
    CHECK_STR(k.log, "BTC-PERPETUAL 63990.0\nBTC-25SEP26-70000-C 0.052\n");
    kit_close(&k);
}

TEST(nobody_looks_before_the_book_is_marked) {
    kit k;
    bool ready = false;
    kit_open(&k);
    k.env.ready = &ready;
    kit_load(&k, SAY_TICK);
    kit_quote(&k, PERP, 63990, 64010);
    kit_quote(&k, PERP, 63980, 64010);
    CHECK_STR(k.log, "");
    ready = true;
    kit_index(&k, 64000);
    kit_quote(&k, PERP, 63970, 64010);
    CHECK_STR(k.log, "BTC-PERPETUAL 63980.0\nBTC-PERPETUAL 63970.0\n");
    kit_close(&k);
}

TEST(timers_fire_by_time_then_by_creation) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local function say(x) return function()\n"
                 "  out('%s %.1f', x, hedged.now() - 1782000000) end end\n"
                 "local handle\n"
                 "function S:on_start()\n"
                 "  hedged.every(1, say 'a')\n"
                 "  handle = hedged.every(1, say 'b')\n"
                 "  hedged.after(0.5, say 'c')\n"
                 "  hedged.at(hedged.now() + 2, say 'd')\n"
                 "  hedged.after(1.5, function() out(handle:cancel()) out(handle:cancel()) end)\n"
                 "  hedged.every(2.5, 'named')\n"
                 "end\n"
                 "function S:on_timer(name) out('%s', name) end");
    CHECK_EQ(hg_script_due_ns(k.script), KIT_START + HG_NS_PER_S / 2);
    kit_settle(&k, KIT_START + 3 * HG_NS_PER_S);
    kit_running(&k);
    CHECK_STR(k.log, "c 0.5\na 1.0\nb 1.0\ntrue\nfalse\na 2.0\nd 2.0\nnamed\na 3.0\n");
    kit_close(&k);
}

TEST(many_timers_stay_in_order) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local last, n = 0, 0\n"
                 "function S:on_start()\n"
                 "  for i = 1, 900 do\n"
                 "    local h = hedged.after(math.random(1, 100) / 10, function()\n"
                 "      assert(hedged.now() >= last) last = hedged.now() n = n + 1 end)\n"
                 "    if i % 3 == 0 then assert(h:cancel()) end\n"
                 "  end\n"
                 "  hedged.after(11, function() out(n) end)\n"
                 "end");
    kit_settle(&k, KIT_START + 20 * HG_NS_PER_S);
    kit_running(&k);
    CHECK_STR(k.log, "600\n");
    CHECK_EQ(hg_script_due_ns(k.script), INT64_MAX);
    kit_close(&k);
}

TEST(a_callback_may_sleep_while_others_go_on) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local n = 0\n"
                 "function S:on_tick(t)\n"
                 "  n = n + 1 local me = n out('in %d', me)\n"
                 "  if me == 1 then hedged.sleep(1) end\n"
                 "  out('out %d', me)\n"
                 "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_quote(&k, PERP, 63991, 64010);
    kit_settle(&k, k.now_ns + 2 * HG_NS_PER_S);
    kit_running(&k);
    CHECK_STR(k.log, "in 1\nin 2\nout 2\nout 1\n");
    kit_close(&k);
}

TEST(sleeps_inside_coroutines_and_pcalls) {
    kit k;
    kit_open(&k);
    kit_load(&k, "function S:on_start()\n"
                 "  hedged.spawn(function()\n"
                 "    local co = coroutine.wrap(function(a)\n"
                 "      hedged.sleep(1) local b = coroutine.yield(a + 1)\n"
                 "      pcall(function() hedged.sleep(1) error('x') end) return b * 2 end)\n"
                 "    out(co(1)) out(co(10)) out(hedged.now() - 1782000000)\n"
                 "    local c = coroutine.create(function() hedged.sleep(0.5) return 'r' end)\n"
                 "    out(select(2, coroutine.resume(c)))\n"
                 "    local ok, why = pcall(coroutine.yield) out(ok)\n"
                 "    ok, why = pcall(table.sort, { 1, 2 }, function() hedged.sleep(1) end)\n"
                 "    out(why:match('cannot wait here'))\n"
                 "  end)\n"
                 "end");
    kit_settle(&k, KIT_START + 5 * HG_NS_PER_S);
    kit_running(&k);
    CHECK_STR(k.log, "2\n20\n2.0\nr\nfalse\ncannot wait here\n");
    kit_close(&k);
}

#define RESTING                                                                                    \
    "local orders = require 'hedged.orders'\n"                                                     \
    "local function rest() return assert(orders.buy { instrument = '" PERP "', size = 1000,\n"     \
    "  price = 63900, reason = 'rest' }) end\n"

TEST(awaits_the_end_of_an_order) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, RESTING
             "local sent\n"
             "function S:on_tick(t)\n"
             "  if sent then return end\n"
             "  sent = rest()\n"
             "  local r, message, code = sent:await(1) out('%s %s', r, code)\n"
             "  r = sent:await() out('%s %s %g @ %.1f', r.state, r == sent, r.filled, r.price)\n"
             "  r = sent:await(1) out(r.state)\n"
             "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_settle(&k, k.now_ns + 2 * HG_NS_PER_S);
    CHECK_STR(k.log, "nil timeout\n");
    kit_quote(&k, PERP, 63800, 63810);
    kit_running(&k);
    CHECK_STR(k.log, "nil timeout\nfilled true 1000 @ 63900.0\nfilled\n");
    kit_close(&k);
}

TEST(orders_have_fields_and_methods) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(
        &k, RESTING
        "local o\n"
        "function S:on_tick(t)\n"
        "  if o then return end\n"
        "  o = rest()\n"
        "  out('%s %s %s %g %g %s %s %s %s %s', o.state, o.instrument, o.side, o.size, o.filled,\n"
        "    o.price, o.reason, o.type, o.tif, o.line)\n"
        "  hedged.sleep(0.1)\n"
        "  out('%s %d %s', o.state, #orders.open(), orders.get(o.id) == o)\n"
        "  out(o:amend { price = 63800 }) hedged.sleep(0.1) out('%s', o.price)\n"
        "  out(o:cancel()) hedged.sleep(0.1) out('%s %s', o.state, o.code)\n"
        "  local _, _, code = o:cancel() out(code)\n"
        "  _, _, code = orders.cancel(999) out(code)\n"
        "  rest() rest() hedged.sleep(0.1) out(orders.cancel_all { instrument = '" PERP "' })\n"
        "end\n"
        "function S:on_order(x) out('- %s', x.state) end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_settle(&k, k.now_ns + 2 * HG_NS_PER_S);
    kit_running(&k);
    static const char *const wanted[] = {
        "sent BTC-PERPETUAL buy 1000 0 63900.0 rest limit gtc test.lua:5\n",
        "- working\n",
        "working 1 true\n",
        "true\n",
        "63800.0\n",
        "cancelled user\n",
        "not_open\n",
        "not_found\n",
        "\n2\n",
        "- cancelled\n"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!strstr(k.log, wanted[i])) {
            hg_test_fail(__FILE__, __LINE__, "no '%s' in:\n%s", wanted[i], k.log);
        }
    }
    kit_close(&k);
}

TEST(bad_orders_are_refused_with_a_code) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(
        &k,
        "local orders = require 'hedged.orders'\n"
        "local function code(...) local o, m, c = orders.buy(...) return c end\n"
        "function S:on_tick(t)\n"
        "  local P = '" PERP "'\n"
        "  out('%s %s %s %s %s %s', code(P, 0 / 0), code(P, 0), code(P, -10), code(P, 1e300),\n"
        "    code(P, 15), code { instrument = P, size = 10, price = 63999.123 })\n"
        "  out('%s %s', code('BTC-PERP', 10), code { instrument = P, size = 10, price = 90000 })\n"
        "  out(select(2, pcall(orders.buy, { instrument = P, size = 10, prise = 1 })))\n"
        "  out(select(2, pcall(orders.buy, { instrument = P, size = '10' })))\n"
        "  out(select(2, pcall(orders.send, { instrument = P, size = 10, side = 'bye' })))\n"
        "  out(select(2, pcall(orders.buy, { instrument = P, size = 10, type = 'limit' })))\n"
        "  out(select(2, pcall(orders.buy, { size = 10 })))\n"
        "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK_STR(k.log, "not_finite size_zero size_zero size_limit off_lot off_tick\n"
                     "unknown instrument 'BTC-PERP' (did you mean 'BTC-PERPETUAL'?)\n"
                     "instrument price_collar\n"
                     "orders.buy has no field 'prise' (did you mean 'price'?)\n"
                     "field 'size' must be a number, got string\n"
                     "side must be \"buy\" or \"sell\", got bye\n"
                     "a limit order needs a price\n"
                     "orders.buy: instrument is missing\n");
    kit_close(&k);
}

TEST(trade_turns_coins_into_whole_lots) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "local function try(t) local o, m, c = hedged.trade(t)\n"
                 "  out('%s', o and ('%s %g %s'):format(o.side, o.size, o.type) or c) end\n"
                 "function S:on_tick(t)\n"
                 "  local P = '" PERP "'\n"
                 "  try { instrument = P, delta = 0.5 } try { instrument = P, delta = -0.5 }\n"
                 "  try { instrument = P, delta = 0.0001 } try { instrument = P, delta = 0 }\n"
                 "  try { instrument = P, delta = 0 / 0 } try { instrument = 'X', delta = 1 }\n"
                 "  try { instrument = P, delta = 1, type = 'limit', post_only = true }\n"
                 "  try { instrument = P, delta = 1, price = 63950 }\n"
                 "end");
    kit_quote(&k, PERP, 64000, 64000);
    kit_running(&k);
    CHECK_STR(k.log, "buy 32000 market\nsell 32000 market\nbelow_lot\nbelow_lot\nnot_finite\n"
                     "unknown instrument 'X'\ninstrument\nbuy 64000 limit\nbuy 64000 limit\n");
    kit_close(&k);
}

/* One object serves until a number changes; what was read earlier stays as it was. */
TEST(exposure_is_a_snapshot) {
    kit k;
    kit_open(&k);
    CHECK_EQ(hg_portfolio_open(k.portfolio, kit_id(&k, PERP), 6400, 0), 0);
    kit_load(&k, "local kept, ages, bid = {}, {}\n"
                 "function S:on_tick(t)\n"
                 "  local x = hedged.exposure(self.underlying)\n"
                 "  assert(rawequal(x, hedged.exposure(self.underlying)))\n"
                 "  for i, old in ipairs(kept) do\n"
                 "    assert(not rawequal(old, x) and old.spot .. ' ' .. old.age == ages[i])\n"
                 "  end\n"
                 "  kept[#kept + 1], ages[#ages + 1] = x, x.spot .. ' ' .. x.age\n"
                 "  if t.bid ~= bid then out('%g', x.spot) end bid = t.bid end");
    for (int i = 0; i < 3; i++) {
        kit_index(&k, 64000 + 100 * i);
        kit_quote(&k, PERP, 63990 + 100 * i, 64010 + 100 * i);
    }
    kit_running(&k);
    CHECK_STR(k.log, "64000\n64100\n64200\n");
    kit_close(&k);
}

TEST(exposure_looks_like_a_table) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    CHECK_EQ(hg_portfolio_open(k.portfolio, kit_id(&k, PERP), 6400, 0), 0);
    kit_load(&k,
             "function S:on_tick(t)\n"
             "  local x = hedged.exposure('BTC') local y = hedged.exposure { underlying = 'BTC' }\n"
             "  out('%.3f %.3f %g %g', x.delta, y.delta_usd, x.gamma, x.pending.lo - x.delta)\n"
             "  local n = 0 for k, v in pairs(x) do n = n + 1 assert(x[k] ~= nil) end\n"
             "  out(n >= 18)\n"
             "  out(pcall(function() return x.dleta end))\n"
             "  out(pcall(function() x.delta = 1 end))\n"
             "  out('%.3f', hedged.exposure { by = 'kind' }.perpetual.delta)\n"
             "end");
    kit_quote(&k, PERP, 64000, 64000);
    kit_running(&k);
    CHECK_STR(k.log, "1.000 64000.000 0 0\ntrue\n"
                     "false test.lua:9: exposure has no field 'dleta' (did you mean 'delta'?)\n"
                     "false test.lua:10: exposure is read-only\n1.000\n");
    kit_close(&k);
}

/* Fields are learned when they are read; they must stay true when they change, vanish, return, or
 * belong to another instrument. */
TEST(tick_fields_are_always_those_of_the_market) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local market = require 'hedged.market'\n"
                 "local n = 0\n"
                 "function S:on_start() market.subscribe('*') end\n"
                 "function S:on_tick(t)\n"
                 "  n = n + 1\n"
                 "  local q = market.get(t.instrument):quote() or {}\n"
                 "  for round = 1, 2 do\n"
                 "    if (n + round) % 3 ~= 0 then\n"
                 "      assert(t.bid == q.bid, 'bid') assert(t.bid_size == q.bid_size)\n"
                 "    end\n"
                 "    assert(t.ask == q.ask, 'ask') assert(t.ask_size == q.ask_size)\n"
                 "    assert(t.time == hedged.now() and t.iv == nil and t.index == nil)\n"
                 "  end\n"
                 "  if n == 20000 then out('done') end\n"
                 "  assert(not pcall(function() t.bid = 1 end))\n"
                 "end");
    const char *names[] = {PERP, FUT, "ETH-PERPETUAL"};
    for (int i = 0; i < 20000; i++) {
        hg_event e = kit_quote_event(&k, names[i % 3], 1000 + i % 7, 2000 + i % 11);
        if (i % 5 == 0) e.quote.bid_size = 0;
        if (i % 13 == 0) e.quote.ask_size = 0;
        kit_apply(&k, &e);
        hg_script_idle(k.script);
    }
    kit_running(&k);
    CHECK_STR(k.log, "done\n");
    kit_close(&k);
}

/* Outside on_tick a kept tick shows the market of now, also inside an open batch, where no tick has
 * been told yet, and in a callback that waited; and its own time, until the next tick. */
TEST(a_kept_tick_shows_the_market_of_now) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local market = require 'hedged.market'\n"
                 "local kept, ticks, looks, time, last = nil, 0, 0, 0, nil\n"
                 "local function look()\n"
                 "  if not kept then return end\n"
                 "  looks = looks + 1\n"
                 "  local q = market.get(kept.instrument):quote() or {}\n"
                 "  assert(kept.bid == q.bid and kept.ask == q.ask, 'quote')\n"
                 "  assert(kept.bid_size == q.bid_size and kept.time == time)\n"
                 "  assert(kept.index == market.get(kept.instrument):index(), 'index')\n"
                 "  last = kept.bid\n"
                 "end\n"
                 "function S:on_start() hedged.every(0.001, look) end\n"
                 "function S:on_tick(t)\n"
                 "  kept, ticks, time = t, ticks + 1, t.time\n"
                 "  look()\n"
                 "  if ticks % 7 == 0 then hedged.sleep(0.0005) look() end\n"
                 "  if ticks == 3000 then out('%s', looks > 6000) end\n"
                 "end");
    for (int i = 0; i < 20000; i++) {
        if (i % 3 == 0) kit_index(&k, 64000 + i % 17);
        hg_event e = kit_quote_event(&k, PERP, 63000 + i % 7, 65000 + i % 11);
        if (i % 50 == 0) e.quote.bid_size = 0;
        if (i % 4) e.flags = HG_EVF_MORE;
        e.time_ns = k.now_ns + 300000;
        kit_settle(&k, e.time_ns);
        kit_apply(&k, &e);
        if (i % 4 != 3) continue;
        kit_settle(&k, k.now_ns + 700000);
    }
    kit_running(&k);
    CHECK_STR(k.log, "true\n");
    kit_close(&k);
}

TEST(stops_once_and_then_is_silent) {
    kit k;
    kit_open(&k);
    kit_load(&k, SAY_TICK "\nfunction S:on_stop(why) out('stop %s', why)\n"
                          "  out(select(2, pcall(hedged.sleep, 1)):match('being stopped')) end");
    hg_script_stop(k.script, "end");
    hg_script_stop(k.script, "end");
    CHECK_EQ(hg_script_status(k.script), HG_SCRIPT_STOPPED);
    kit_quote(&k, PERP, 63990, 64010);
    CHECK_STR(k.log, "stop end\nbeing stopped\n");
    kit_close(&k);
}

TEST(ticks_make_no_host_allocations) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local n = 0 function S:on_tick(t) n = n + (t.bid and 1 or 0) end");
    hg_event e = kit_quote_event(&k, PERP, 63990, 64010);
    kit_apply(&k, &e);
    /* All threads are counted, and the watchdog's own start may fall into the first round. */
    long made = -1;
    for (int round = 0; round < 3 && made != 0; round++) {
        long before = hg_test_alloc_count();
        for (int i = 0; i < 10000; i++) {
            hg_script_event(k.script, &e, NULL);
            hg_script_idle(k.script);
        }
        made = hg_test_alloc_count() - before;
    }
    CHECK_EQ(made, 0);
    kit_running(&k);
    kit_close(&k);
}
