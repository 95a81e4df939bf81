/* Sessions from the inside: no allocation per event, and the seams between feed, core and report.
 */
#include "app/session.h"
#include "base/clock.h"
#include "test.h"

#include <math.h>
#include <string.h>

static hg_session_options quiet(void) {
    hg_session_options o = {.mode = HG_MODE_BACKTEST,
                            .feed = "sim",
                            .scenario = "crash",
                            .seed = 11,
                            .step_ns = 60 * HG_NS_PER_S,
                            .paper.fill = HG_FILL_DEPTH,
                            .paper.fees = true,
                            .json = true,
                            .book = "examples/books/short_strangle.lua"};
    hg_limits_default(&o.limits);
    return o;
}

/* Pumps `count` feed events; every `every`-th one a market order is sent by hand. */
static void pump(hg_session *s, int count, int every) {
    hg_event e;
    uint32_t perpetual = hg_universe_find(s->core.universe, "BTC-PERPETUAL");
    for (int i = 1; i <= count; i++) {
        CHECK_EQ(hg_feed_next(s->feed, &e), 1);
        hg_core_settle(&s->core, e.time_ns);
        hg_core_apply(&s->core, &e);
        if (every > 0 && i % every == 0 && s->core.ready && !(e.flags & HG_EVF_MORE)) {
            hg_order_request request = {.instrument = perpetual,
                                        .side = i / every % 2 ? HG_BUY : HG_SELL,
                                        .type = HG_TYPE_MARKET,
                                        .size = 1000,
                                        .reason = "by hand"};
            hg_refusal refusal;
            uint64_t id = 0;
            CHECK_EQ(hg_exec_submit(s->core.exec, &request, s->core.now_ns, &id, &refusal), 0);
        }
        hg_core_settle(&s->core, e.time_ns);
        hg_core_idle(&s->core);
    }
}

TEST(no_allocation_per_event_or_order) {
    hg_session_options o = quiet();
    hg_session s;
    CHECK_EQ(hg_session_open(&s, &o), 0);
    pump(&s, 20000, 7);
    long before = hg_test_alloc_count();
    pump(&s, 100000, 7);
    uint32_t btc = hg_universe_find_underlying(s.core.universe, "BTC");
    const hg_exposure *x = hg_portfolio_exposure(s.core.portfolio, btc, s.core.now_ns);
    hg_pnl pnl;
    hg_portfolio_pnl(s.core.portfolio, s.core.now_ns, &pnl);
    long after = hg_test_alloc_count();
    CHECK(x->quality == HG_QUALITY_GOOD);
    CHECK(hg_exec_stats_get(s.core.exec)->fills > 1000);
    CHECK_EQ(after - before, 0);
    CHECK_EQ(hg_session_close(&s), 0);
}

TEST(the_ledger_adds_up_over_a_session) {
    hg_session_options o = quiet();
    hg_session s;
    CHECK_EQ(hg_session_open(&s, &o), 0);
    pump(&s, 60000, 11);
    hg_pnl pnl;
    hg_portfolio_pnl(s.core.portfolio, s.core.now_ns, &pnl);
    CHECK(pnl.known);
    /* equity = cash + options + unrealised, all in USD at the spot of now */
    const hg_universe *u = s.core.universe;
    const uint32_t *held = NULL;
    double sum = 0;
    for (uint32_t c = 0; c < hg_universe_currency_count(u); c++) {
        sum += (double)hg_portfolio_cash(s.core.portfolio, c) / 1e9 *
               hg_market_usd(s.core.market, c);
    }
    for (uint32_t i = 0, n = hg_portfolio_held(s.core.portfolio, &held); i < n; i++) {
        const hg_instrument *inst = hg_universe_get(u, held[i]);
        const hg_position *p = hg_portfolio_get(s.core.portfolio, held[i]);
        double mark = hg_market_mark(s.core.market, held[i], s.core.now_ns);
        double usd = hg_market_usd(s.core.market, inst->settle_id);
        double amount = hg_size_to_double(inst, p->lots);
        double cost = (double)p->cost / 1e9;
        sum += inst->kind == HG_KIND_OPTION ? amount * mark * usd
                                            : (cost - amount / mark) * usd; /* inverse */
    }
    CHECK_NEAR(pnl.equity, sum, 0.02); /* accrued funding is not yet in cash */
    CHECK_EQ(hg_session_close(&s), 0);
}

static double equity_at(hg_session *s, uint32_t btc, double spot) {
    /* A moment later, so that marks of now are moved with the spot. */
    hg_event e = {.kind = HG_EV_INDEX, .id = btc, .time_ns = s->core.now_ns + 1};
    e.price.value = (hg_nano)llround(spot * 1e9);
    CHECK(hg_market_apply(s->core.market, &e));
    hg_pnl pnl;
    hg_portfolio_pnl(s->core.portfolio, s->core.now_ns, &pnl);
    CHECK(pnl.known);
    return pnl.equity;
}

/* The USD value moves with delta + delta_cash, the coin value with delta_net: by differences, after
 * a crash in which the account has made coins. */
TEST(both_deltas_are_slopes_of_the_money) {
    hg_session_options o = quiet();
    hg_session s;
    hg_event e;
    CHECK_EQ(hg_session_open(&s, &o), 0);
    pump(&s, 400000, 4001); /* thousand USD each way, then a standing short */
    uint32_t btc = hg_universe_find_underlying(s.core.universe, "BTC");
    hg_order_request request = {.instrument = hg_universe_find(s.core.universe, "BTC-PERPETUAL"),
                                .side = HG_SELL,
                                .type = HG_TYPE_MARKET,
                                .size = 200000};
    hg_refusal refusal;
    uint64_t id = 0;
    CHECK_EQ(hg_exec_submit(s.core.exec, &request, s.core.now_ns, &id, &refusal), 0);
    pump(&s, 300000, 0);
    do { /* to the end of an update, so that nothing is half told */
        CHECK_EQ(hg_feed_next(s.feed, &e), 1);
        hg_core_feed(&s.core, &e);
    } while (e.flags & HG_EVF_MORE);
    double spot = hg_market_underlying(s.core.market, btc)->spot;
    double base = equity_at(&s, btc, spot);
    hg_exposure x = *hg_portfolio_exposure(s.core.portfolio, btc, s.core.now_ns);
    double step = spot * 1e-5;
    double up = equity_at(&s, btc, spot + step);
    double down = equity_at(&s, btc, spot - step);
    CHECK(fabs(x.delta_cash) > 0.05);
    CHECK_NEAR((up - down) / (2 * step), x.delta + x.delta_cash, 2e-3);
    double coin_slope = spot * (up / (spot + step) - down / (spot - step)) / (2 * step);
    CHECK_NEAR(coin_slope, x.delta_net, 2e-3);
    CHECK(fabs(base) > 1);
    CHECK_EQ(hg_session_close(&s), 0);
}

TEST(feeds_and_books_that_do_not_exist) {
    hg_session_options o = quiet();
    hg_session s;
    o.feed = "tape:/nonexistent.tape";
    CHECK_EQ(hg_session_open(&s, &o), HG_ENOTFOUND);
    CHECK(strstr(hg_error_text(), "/nonexistent.tape") != NULL);
    o = quiet();
    o.book = "/nonexistent.lua";
    CHECK_EQ(hg_session_open(&s, &o), HG_ECONFIG);
    o = quiet();
    o.scenario = "crsh";
    CHECK_EQ(hg_session_open(&s, &o), HG_EUSAGE);
    CHECK(strstr(hg_error_advice(), "crash") != NULL);
}

TEST(moments_are_those_of_the_textbook) {
    hg_moments m = {0};
    CHECK(isnan(hg_moments_variance(&m)));
    double sum = 0;
    double square = 0;
    for (int i = 0; i < 1000; i++) {
        double x = sin(i) * 100 + 1e6;
        hg_moments_add(&m, x);
        sum += x;
        square += (x - 1e6) * (x - 1e6);
    }
    double mean = sum / 1000;
    CHECK_NEAR(m.mean, mean, 1e-6);
    CHECK_NEAR(hg_moments_variance(&m), (square - 1000 * (mean - 1e6) * (mean - 1e6)) / 999, 1e-4);
}
