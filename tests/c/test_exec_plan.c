/* What executions still mean to send: it counts in the exposures of the book and of the share, and
 * in nothing the gate adds up over orders. */
#include "test_exec_kit.h"

enum { PERP };

static void expect(const world *w, hg_portfolio *book, double buy, double sell) {
    const hg_exposure *x = hg_portfolio_exposure(book, 0, w->now_ns);
    CHECK_NEAR(x->delta, buy - sell, 1e-9);
    CHECK_NEAR(x->pending_hi, buy, 1e-9);
    CHECK_NEAR(x->pending_lo, -sell, 1e-9);
}

TEST(plans_count_in_the_book_and_in_the_share_of_who_has_them) {
    world w;
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, NULL, &(hg_exec_options){.limits = {.extra = NULL}});
    hg_portfolio *share = hg_portfolio_new(w.market, &(hg_portfolio_options){0});
    CHECK_EQ(hg_exec_share(w.exec, 1, share), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    quote(&w, PERP, 59999, 10, 60001, 10);
    mark(&w, PERP, 60000, 0);
    hg_exec_plan(w.exec, 0, PERP, HG_BUY, lots(&w, PERP, 3));
    hg_exec_plan(w.exec, 1, PERP, HG_SELL, lots(&w, PERP, 2));
    expect(&w, w.portfolio, 3, 2);
    expect(&w, share, 0, 2);
    uint64_t id = send_limit(&w, PERP, HG_BUY, 59000, 1);
    hg_exec_plan(w.exec, 0, PERP, HG_BUY, -lots(&w, PERP, 1)); /* that order is a part of it */
    expect(&w, w.portfolio, 3, 2);
    hg_risk_totals totals;
    hg_risk_use_session(w.exec, 0, w.now_ns, &totals);
    CHECK_NEAR(totals.open_notional, 60000, 1); /* plans are no orders */
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_buy, lots(&w, PERP, 1));
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_sell, 0);
    hg_exec_cancel(w.exec, id, w.now_ns);
    world_answers(&w);
    expect(&w, w.portfolio, 2, 2);
    hg_exec_plan(w.exec, 0, PERP, HG_BUY, -lots(&w, PERP, 2));
    hg_exec_plan(w.exec, 1, PERP, HG_SELL, -lots(&w, PERP, 2));
    expect(&w, w.portfolio, 0, 0);
    expect(&w, share, 0, 0);
    hg_exec_free(w.exec);
    w.exec = NULL;
    hg_portfolio_free(share);
    world_close(&w);
}
