/* The gate's limit of margin use over real accounts: what it projects for an order is what the
 * accounts say once that order is pending, and it refuses just above its part of what covers it. */
#include "test_exec_risk_kit.h"

#include <stdio.h>

static bool by_accounts(void *context, uint32_t id, hg_side side, hg_lots n, double price,
                        int64_t now_ns, hg_margin_use *use) {
    return hg_margin_project(context, id, side, n, price, now_ns, use);
}

/* A short strangle with money in both currencies. */
static hg_margin *margin_world(world *w, hg_margin_model model, hg_limits limits) {
    risk_world(w, limits);
    CHECK_EQ(hg_portfolio_open(w->portfolio, CALL, lots(w, CALL, -5), 0), HG_OK);
    CHECK_EQ(hg_portfolio_open(w->portfolio, PERP, lots(w, PERP, 60000), 0), HG_OK);
    uint32_t btc = hg_universe_find_currency(w->universe, "BTC");
    uint32_t usdc = hg_universe_find_currency(w->universe, "USDC");
    CHECK_EQ(hg_portfolio_deposit(w->portfolio, btc, (hg_cash)10 * 1000000000), HG_OK);
    CHECK_EQ(hg_portfolio_deposit(w->portfolio, usdc, (hg_cash)20000 * 1000000000), HG_OK);
    market_moves(w, 60000);
    value_event(w, HG_EV_INDEX, hg_universe_get(w->universe, LINEAR)->underlying_id, 60000);
    hg_margin *m = hg_margin_new(w->portfolio, model);
    CHECK(m != NULL);
    hg_exec_margin(w->exec, &(hg_margin_hook){m, by_accounts});
    return m;
}

static double initial_usd(world *w, hg_margin_model model, uint32_t id) {
    hg_margin *fresh = hg_margin_new(w->portfolio, model);
    const hg_margin_account *a = &hg_margin_accounts(fresh, w->now_ns)[inst_of(w, id)->settle_id];
    CHECK(a->known && a->usd > 0);
    double usd = a->initial * a->usd;
    hg_margin_free(fresh);
    return usd;
}

TEST(what_is_projected_is_what_an_order_asks_for) {
    static const struct {
        uint32_t id;
        hg_side side;
        double price, size;
    } rows[] = {
        {LINEAR, HG_BUY,  58000, 1     },
        {PERP,   HG_SELL, 61000, 300000},
        {PERP,   HG_BUY,  58000, 30000 },
        {CALL,   HG_SELL, 0.12,  2     },
        {PUT,    HG_SELL, 0.12,  3     }, /* a leg the account has not had */
        {PUT,    HG_BUY,  0.09,  1     },
        {ETH,    HG_SELL, 3010,  4     },
    };
    for (hg_margin_model model = HG_MARGIN_STANDARD; model <= HG_MARGIN_PORTFOLIO; model++) {
        world w;
        hg_margin *m = margin_world(&w, model, (hg_limits){0});
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            hg_margin_use use;
            hg_lots n = lots(&w, rows[i].id, rows[i].size);
            CHECK(hg_margin_project(m, rows[i].id, rows[i].side, n, rows[i].price, w.now_ns, &use));
            CHECK_NEAR(use.before, initial_usd(&w, model, rows[i].id), 1e-6);
            uint64_t id = rest(&w, rows[i].id, rows[i].side, rows[i].price, rows[i].size);
            CHECK_NEAR(use.after, initial_usd(&w, model, rows[i].id), 1e-6);
            /* and an amendment that takes all of it back leads back */
            hg_margin_use back;
            CHECK(hg_margin_project(m, rows[i].id, rows[i].side, -n, 0, w.now_ns, &back));
            CHECK_NEAR(back.before, use.after, 1e-6);
            CHECK_NEAR(back.after, use.before, 1e-6);
            CHECK(use.balance > 0 && id != 0);
        }
        hg_margin_free(m);
        world_close(&w);
    }
}

TEST(margin_use_of_an_account_is_limited) {
    for (hg_margin_model model = HG_MARGIN_STANDARD; model <= HG_MARGIN_PORTFOLIO; model++) {
        world w;
        hg_margin_use use;
        hg_margin *m = margin_world(&w, model, (hg_limits){.margin_fraction = 0.5});
        double most = 0; /* of a short perpetual */
        for (double usd = 10000; usd < 2e7 && most == 0; usd += 10000) {
            CHECK(hg_margin_project(m, PERP, HG_SELL, lots(&w, PERP, usd), 61000, w.now_ns, &use));
            most = use.after > 0.5 * use.balance ? usd : 0;
        }
        CHECK(most > 100000);
        CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, most - 10000), "");
        CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, most), "margin_limit");
        CHECK_NEAR(w.refusal.value, use.after, 1e-6);
        CHECK_NEAR(w.refusal.limit, 0.5 * use.balance, 1e-6);
        CHECK(w.refusal.value > w.refusal.limit);
        uint64_t id = rest(&w, PERP, HG_SELL, 61000, most - 10000); /* pending orders count */
        CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 10000), "margin_limit");
        hg_exec_lost(w.exec, id, w.now_ns); /* and so do those without an answer */
        CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 10000), "margin_limit");
        CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 5), "");    /* it only closes */
        CHECK_STR(verdict(&w, ETH, HG_SELL, 3010, 1), ""); /* another account */
        hg_margin_free(m);
        world_close(&w);
    }
}

TEST(margin_that_is_not_known_refuses) {
    world w;
    hg_margin *m = margin_world(&w, HG_MARGIN_STANDARD, (hg_limits){0});
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 1000), "");
    hg_margin_free(m);
    world_close(&w);
    risk_world(&w, (hg_limits){0}); /* a put whose vol nobody has seen */
    CHECK_EQ(hg_portfolio_open(w.portfolio, ETH_CALL, lots(&w, ETH_CALL, -5), 0), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    value_event(&w, HG_EV_INDEX, 1, 3000);
    quote(&w, ETH, 2999, 1000, 3001, 1000);
    mark(&w, ETH, 3000, 0);
    m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    hg_margin_use use = {1, 2, 3};
    CHECK(!hg_margin_project(m, ETH_CALL, HG_SELL, 1, 0.1, w.now_ns, &use));
    CHECK_NEAR(use.before + use.after + use.balance, 6, 0);
    hg_margin_free(m);
    world_close(&w);
}
