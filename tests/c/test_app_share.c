/* Shares of the book: each strategy has what it was given and what it traded, nothing is lost
 * between them, and the whole is their sum. */
#include "app/share.h"
#include "base/clock.h"
#include "base/rng.h"
#include "test.h"

#include <math.h>
#include <string.h>

static const char *const strategies[] = {"puts:strategies/delta_band.lua",
                                         "calls:strategies/delta_clock.lua"};

static hg_session_options shared(void) {
    hg_session_options o = {
        .mode = HG_MODE_BACKTEST,
        .feed = "sim",
        .scenario = "crash",
        .seed = 5,
        .step_ns = 60 * HG_NS_PER_S,
        .paper.fill = HG_FILL_DEPTH,
        .paper.fees = true,
        .json = true,
        .book = "examples/books/short_strangle.lua",
        .strategy_count = 2,
        .share = {"puts=BTC-27FEB26-80000-P", "calls=rest"},
        .share_count = 2
    };
    o.strategies[0] = strategies[0];
    o.strategies[1] = strategies[1];
    hg_limits_default(&o.limits);
    return o;
}

static void open_session(hg_session *s, const hg_session_options *o) {
    CHECK_EQ(hg_session_open(s, o), 0);
    for (size_t i = 0; i < s->core.script_count; i++) {
        CHECK_EQ(hg_script_start(s->core.scripts[i], "start"), 0);
    }
}

static void pump(hg_session *s, int count) {
    hg_event e;
    for (int i = 0; i < count; i++) {
        CHECK_EQ(hg_feed_next(s->feed, &e), 1);
        hg_core_feed(&s->core, &e);
        hg_core_idle(&s->core);
    }
}

static void check_sums(const hg_session *s) {
    const hg_core *c = &s->core;
    for (uint32_t id = 0; id < hg_universe_count(c->universe); id++) {
        const hg_position *whole = hg_portfolio_get(c->portfolio, id);
        hg_position sum = {0};
        for (size_t k = 0; k < c->share_count; k++) {
            const hg_position *part = hg_portfolio_get(c->shares[k], id);
            sum.lots += part->lots;
            sum.opened += part->opened;
            sum.pending_buy += part->pending_buy;
            sum.pending_sell += part->pending_sell;
            sum.fees += part->fees;
        }
        CHECK_EQ(sum.lots, whole->lots);
        CHECK_EQ(sum.opened, whole->opened);
        CHECK_EQ(sum.pending_buy, whole->pending_buy);
        CHECK_EQ(sum.pending_sell, whole->pending_sell);
        CHECK_EQ(sum.fees, whole->fees);
    }
}

TEST(parts_add_up_to_the_whole_at_all_times) {
    hg_session_options o = shared();
    hg_session s;
    open_session(&s, &o);
    CHECK_EQ(s.core.share_count, 2);
    for (int round = 0; round < 400; round++) {
        pump(&s, 250);
        check_sums(&s);
    }
    CHECK(hg_exec_stats_get(s.core.exec)->fills > 20);
    hg_pnl whole, part;
    hg_portfolio_pnl(s.core.portfolio, s.core.now_ns, &whole);
    double hedged = 0, unhedged = 0, traded = 0;
    for (size_t k = 0; k < s.core.share_count; k++) {
        hg_portfolio_pnl(s.core.shares[k], s.core.now_ns, &part);
        CHECK(part.known && part.fees > 0);
        hedged += part.hedged;
        unhedged += part.unhedged;
        traded += fabs(part.hedged - part.unhedged);
    }
    CHECK(traded > 0);
    CHECK_NEAR(hedged, whole.hedged, 1e-3);
    CHECK_NEAR(unhedged, whole.unhedged, 1e-6);
    CHECK_EQ(hg_session_close(&s), 0);
}

/* Each hedges its own: the delta of a share stays near its band while the whole would be nearly
 * neutral without any hedge. */
TEST(a_strategy_sees_and_hedges_its_share_alone) {
    hg_session_options o = shared();
    o.set[o.set_count++] = "puts.band=0.1";
    o.set[o.set_count++] = "puts.numeraire=position";
    o.strategy_count = 2;
    hg_session s;
    open_session(&s, &o);
    uint32_t btc = hg_universe_find_underlying(s.core.universe, "BTC");
    double worst = 0, of_calls = 0;
    for (int round = 0; round < 200; round++) {
        pump(&s, 250);
        if (round < 20) {
            continue;
        }
        double puts = hg_portfolio_exposure(s.core.share_of[0], btc, s.core.now_ns)->delta;
        double calls = hg_portfolio_exposure(s.core.share_of[1], btc, s.core.now_ns)->delta;
        double all = hg_portfolio_exposure(s.core.portfolio, btc, s.core.now_ns)->delta;
        CHECK_NEAR(puts + calls, all, 1e-9);
        worst = fmax(worst, fabs(puts));
        of_calls = fmax(of_calls, fabs(calls));
    }
    CHECK(worst < 0.3);
    CHECK(of_calls > worst);
    CHECK_EQ(hg_session_close(&s), 0);
}

static void check_refused(const char *const *share, size_t count, const char *says) {
    hg_session_options o = shared();
    memset(o.share, 0, sizeof o.share);
    o.share_count = count;
    for (size_t i = 0; i < count; i++) {
        o.share[i] = share[i];
    }
    hg_session s;
    CHECK_EQ(hg_session_open(&s, &o), HG_EUSAGE);
    CHECK(strstr(hg_error_text(), says) != NULL);
}

TEST(refuses_a_division_that_is_none) {
    check_refused((const char *[]){"puts=BTC", "calls=BTC-27FEB26-96000-C"}, 2,
                  "claimed by puts and by calls");
    check_refused((const char *[]){"puts=rest", "calls=rest"}, 2, "rest is claimed");
    check_refused((const char *[]){"puts=BTC"}, 1, "calls has no share");
    check_refused((const char *[]){"put=BTC", "calls=rest"}, 2, "no strategy has that name");
    check_refused((const char *[]){"puts=label:none", "calls=rest"}, 2, "nothing of that");
}

TEST(a_parameter_may_be_meant_for_one_strategy) {
    CHECK_STR(hg_set_for("band=0.5", "core"), "band=0.5");
    CHECK_STR(hg_set_for("core.band=0.5", "core"), "band=0.5");
    CHECK_STR(hg_set_for("name=a.b", "core"), "name=a.b");
    CHECK(hg_set_for("wings.band=0.5", "core") == NULL);
    CHECK(hg_set_for("cor.band=0.5", "core") == NULL);
}

TEST(a_name_may_stand_before_the_file) {
    char name[16];
    hg_strategy_name("core:a/delta_band.lua", name, sizeof name);
    CHECK_STR(name, "core");
    CHECK_STR(hg_strategy_path("core:a/delta_band.lua"), "a/delta_band.lua");
    hg_strategy_name("a/delta_band.lua", name, sizeof name);
    CHECK_STR(name, "delta_band");
    CHECK_STR(hg_strategy_path("./a:b.lua"), "./a:b.lua");
}
