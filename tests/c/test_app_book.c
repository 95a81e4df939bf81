/* A book as `hedged book` marks it: legs add up to the exposure, grids to the market's own moves.
 */
#include "app/book_view.h"
#include "base/clock.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char mixed[] =
    "return {\n"
    "  { instrument = \"BTC-27FEB26-80000-P\", size = -10, entry = 0.01 },\n"
    "  { instrument = \"BTC-13FEB26-96000-C\", size = 4 },\n"
    "  { instrument = \"BTC-PERPETUAL\", size = 880000, entry = 87000 },\n"
    "  { instrument = \"BTC-27FEB26\", size = -100000 },\n"
    "  { instrument = \"BTC_USDC\", size = 1 },\n"
    "  { instrument = \"ETH-27FEB26-3000-C\", size = 20 },\n"
    "  { instrument = \"ETH-PERPETUAL\", size = 1000 },\n"
    "}\n";

static hg_session session;

/* Opened at `at_ns` after the start of a synthetic market. */
static hg_book_view view_open(const char *text, const char *market, int64_t at_ns) {
    const char *path = test_tmp("book.lua");
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    hg_session_options o = {.mode = HG_MODE_BACKTEST,
                            .feed = "sim",
                            .scenario = market,
                            .seed = 5,
                            .paper.fill = HG_FILL_DEPTH,
                            .book = path};
    hg_limits_default(&o.limits);
    CHECK_EQ(hg_session_open(&session, &o), 0);
    hg_book_view v = {.session = &session, .at_ns = at_ns};
    CHECK_EQ(hg_book_view_mark(&v), 0);
    return v;
}

TEST(legs_add_up_to_the_exposure) {
    static const int64_t times[] = {0, 1, 600, 9 * 3600}; /* seconds; 0: once all is marked */
    for (size_t n = 0; n < 4; n++) {
        hg_book_view v = view_open(mixed, "volspike", times[n] * HG_NS_PER_S);
        CHECK_EQ(v.held_count, 7);
        CHECK(n == 0 || v.now_ns == session.core.start_ns + times[n] * HG_NS_PER_S);
        for (uint32_t u = 0; u < 2; u++) {
            hg_exposure x = *hg_portfolio_exposure(session.core.portfolio, u, v.now_ns);
            CHECK(x.quality != HG_QUALITY_PARTIAL);
            hg_book_row_view sum = {0};
            for (uint32_t i = 0; i < v.held_count; i++) {
                hg_book_row_view r = hg_book_view_row(&v, v.held[i]);
                if (r.inst->underlying_id == u) {
                    sum.delta += r.delta;
                    sum.gamma += r.gamma;
                    sum.vega += r.vega;
                    sum.theta += r.theta;
                    sum.value += r.value;
                }
            }
            /* An exposure counts whole seconds to expiry, a leg nanoseconds. */
            CHECK_NEAR(sum.delta, x.delta, 1e-5);
            CHECK_NEAR(sum.gamma, x.gamma, 1e-8);
            CHECK_NEAR(sum.vega, x.vega, 1e-3);
            CHECK_NEAR(sum.theta, x.theta, 1e-2);
            CHECK_NEAR(sum.value, x.value, 1e-1);
        }
        CHECK_EQ(hg_session_close(&session), 0);
    }
}

/* What the grid says of a move of the spot is what the market then says of the book. */
TEST(the_grid_is_what_the_market_would_say) {
    hg_book_view v = view_open(mixed, "calm", 60 * HG_NS_PER_S);
    hg_scenario scenario;
    CHECK_EQ(hg_scenario_parse("spot=-10:10:10", &scenario), 0);
    v.scenario = &scenario;
    hg_outcome *grid = NULL;
    CHECK_EQ(hg_book_view_grid(&v, &grid), 0);
    CHECK_EQ(hg_book_view_cells(&v), 3);
    CHECK_EQ(grid[1].pnl_usd == 0 && grid[4].pnl_usd == 0, 1);
    for (uint32_t u = 0; u < 2; u++) {
        hg_exposure before = *hg_portfolio_exposure(session.core.portfolio, u, v.now_ns);
        CHECK_NEAR(grid[3 * u + 1].delta, before.delta, 1e-5);
        /* A moment later, so that marks of now are moved with the spot. */
        hg_event e = {.kind = HG_EV_INDEX, .id = u, .time_ns = v.now_ns + 1};
        double spot = before.spot * 1.1;
        e.price.value = (hg_nano)llround(spot * 1e9);
        CHECK(hg_market_apply(session.core.market, &e));
        hg_exposure after = *hg_portfolio_exposure(session.core.portfolio, u, v.now_ns);
        /* Coins gained before the move are worth more after it; the scenario starts from now. */
        double gained = 0;
        for (uint32_t i = 0; i < v.held_count; i++) {
            hg_book_row_view r = hg_book_view_row(&v, v.held[i]);
            const hg_position *p = hg_portfolio_get(session.core.portfolio, v.held[i]);
            if (r.inst->underlying_id == u && r.inst->inverse && r.inst->kind != HG_KIND_OPTION) {
                gained += (double)p->cost / 1e9 - 1.1 * r.delta; /* at the mark of before */
            }
        }
        double want = after.value - before.value - gained * (spot - before.spot);
        CHECK_NEAR(grid[3 * u + 2].pnl_usd, want, 0.5);
        CHECK_NEAR(grid[3 * u + 2].delta, after.delta, 1e-5);
    }
    CHECK_NEAR(grid[6 + 2].pnl_usd, grid[2].pnl_usd + grid[5].pnl_usd, 1e-9);
    free(grid);
    CHECK_EQ(hg_session_close(&session), 0);
}

TEST(a_delivered_leg_is_shown_and_counts_for_nothing) {
    hg_book_view v = view_open("return { { instrument = \"BTC-30JAN26-80000-C\", size = 1 } }",
                               "calm", 40 * HG_NS_PER_HOUR);
    CHECK_EQ(v.held_count, 1);
    hg_book_row_view r = hg_book_view_row(&v, v.held[0]);
    CHECK(r.settled && r.size == 0 && r.delta == 0 && r.value == 0);
    CHECK(r.mark > 0.05); /* its payoff in coins */
    hg_scenario scenario;
    CHECK_EQ(hg_scenario_parse("spot=-50", &scenario), 0);
    v.scenario = &scenario;
    hg_outcome *grid = NULL;
    CHECK_EQ(hg_book_view_grid(&v, &grid), 0);
    CHECK(grid[0].pnl_usd == 0 && grid[0].delta == 0);
    free(grid);
    CHECK_EQ(hg_session_close(&session), 0);
}

TEST(an_empty_book_is_all_marked) {
    hg_book_view v = view_open("return {}", "calm", 0);
    CHECK_EQ(v.held_count, 0);
    CHECK(!hg_book_view_holds(&v, 0));
    CHECK_EQ(hg_session_close(&session), 0);
}

/* No quote, no neighbour: shown as it is after two minutes, and no grid where nothing is known. */
TEST(what_nobody_prices_does_not_hold_up_the_rest) {
    hg_book_view v = view_open("return { { instrument = \"BTC-26FEB26-81000-P\", size = 1 },\n"
                               "         { instrument = \"SOL_USDC-PERPETUAL\", size = 10 } }",
                               "calm", 0);
    CHECK(v.now_ns > session.core.start_ns + 110 * HG_NS_PER_S);
    hg_book_row_view option = hg_book_view_row(&v, v.held[0]);
    hg_book_row_view sol = hg_book_view_row(&v, v.held[1]);
    CHECK(isnan(option.mark) && option.iv == HG_IV_ASSUMED && option.delta < 0);
    CHECK(isnan(sol.mark) && isnan(sol.delta) && isnan(sol.value));
    hg_scenario scenario;
    CHECK_EQ(hg_scenario_parse("spot=-50", &scenario), 0);
    v.scenario = &scenario;
    hg_outcome *grid = NULL;
    CHECK_EQ(hg_book_view_grid(&v, &grid), HG_EDATA);
    CHECK(!grid);
    CHECK_STR(hg_error_text(), "--scenario: the feed has no price for SOL_USDC-PERPETUAL");
    CHECK_EQ(hg_session_close(&session), 0);
}
