/* Margins against tests/vectors/margin_*.tsv: an independent computation at 50 digits, and the
 * examples the exchange publishes. */
#include "portfolio/margin.h"
#include "test_exec_kit.h"
#include "test_greeks_kit.h"

/* Lots so fine that every amount of the files is a whole number of them. */
static uint32_t add_fine(world *w, const char *name) {
    hg_instrument inst;
    uint32_t id = HG_ID_NONE;
    CHECK_EQ(hg_instrument_from_name(name, &inst), HG_OK);
    inst.lot = 1000;
    CHECK_EQ(hg_universe_add(w->universe, &inst, &id), HG_OK);
    return id;
}

static void hold(world *w, uint32_t id, double amount, double entry) {
    hg_lots size = (hg_lots)llround(amount / ((double)inst_of(w, id)->lot / 1e9));
    if (size != 0) {
        CHECK_EQ(hg_portfolio_open(w->portfolio, id, size, nano(entry)), HG_OK);
    }
}

static void check(world *w, hg_margin_model model, const char *currency, double initial,
                  double maintenance, double tolerance) {
    hg_margin *m = hg_margin_new(w->portfolio, model);
    CHECK(m != NULL);
    const hg_margin_account *a = &hg_margin_accounts(
        m, w->now_ns)[hg_universe_find_currency(w->universe, currency)];
    CHECK_NEAR(a->initial, initial, tolerance + 1e-11 * fabs(initial));
    CHECK_NEAR(a->maintenance, maintenance, tolerance + 1e-11 * fabs(maintenance));
    hg_margin_free(m);
}

static void vol_mark(world *w, uint32_t id, double price, double iv) {
    hg_event e = {.id = id, .kind = HG_EV_MARK};
    e.mark.price = nano(price);
    e.mark.iv = nano(iv);
    world_event(w, e);
}

/* kind coin index price amount strike cp mark initial maintenance */
static void standard_row(const double *v, void *ctx) {
    (void)ctx;
    const char *coin = v[1] == 0 ? "BTC" : "ETH";
    bool linear = (int)v[0] % 2 == 1;
    bool option = v[0] >= 2;
    char name[64];
    if (option) {
        snprintf(name, sizeof name, "%s%s-27MAR26-%.0f-%c", coin, linear ? "_USDC" : "", v[5],
                 v[6] > 0 ? 'C' : 'P');
    } else {
        snprintf(name, sizeof name, "%s%s-PERPETUAL", coin, linear ? "_USDC" : "");
    }
    world w;
    world_init(&w);
    uint32_t id = add_fine(&w, name);
    world_open(&w, NULL);
    hold(&w, id, v[4], v[7]);
    value_event(&w, HG_EV_INDEX, 0, v[2]);
    if (option) {
        value_event(&w, HG_EV_FORWARD, inst_of(&w, id)->expiry_id, v[3]);
        vol_mark(&w, id, v[7], 0.6);
    } else {
        mark(&w, id, v[3], 0);
    }
    check(&w, HG_MARGIN_STANDARD, linear ? "USDC" : coin, v[8], v[9], 1e-12);
    world_close(&w);
}

TEST(standard_margins_are_those_of_the_vectors) {
    CHECK(kit_each_row("tests/vectors/margin_standard.tsv", 10, standard_row, NULL) > 200);
}

static uint32_t add_option(world *w, const char *coin, const char *expiry, const double *leg) {
    char name[64];
    snprintf(name, sizeof name, "%s-%s-%.0f-%c", coin, expiry, leg[1], leg[2] > 0 ? 'C' : 'P');
    return add_fine(w, name);
}

/* set coin spot perp perp_usd future future_usd, forward strike cp vol amount twice, initial
 * maintenance tolerance */
static void portfolio_row(const double *v, void *ctx) {
    (void)ctx;
    static const char *const futures[] = {"27MAR26", "28JUN24", "27MAR26"};
    static const int64_t now_ms[] = {1767607200000, 1718619740501, 1771197609587};
    const char *coin = v[1] == 0 ? "BTC" : "ETH";
    int set = (int)v[0];
    char name[64];
    world w;
    world_init(&w);
    w.now_ns = now_ms[set] * HG_NS_PER_MS;
    snprintf(name, sizeof name, "%s-PERPETUAL", coin);
    uint32_t perp = add_fine(&w, name);
    snprintf(name, sizeof name, "%s-%s", coin, futures[set]);
    uint32_t future = add_fine(&w, name);
    uint32_t option[2] = {HG_ID_NONE, HG_ID_NONE};
    for (int i = 0; set == 0 && i < 2; i++) {
        option[i] = add_option(&w, coin, i == 0 ? "30JAN26" : "27MAR26", v + 7 + 5 * i);
    }
    world_open(&w, NULL);
    hold(&w, perp, v[4], v[3]);
    hold(&w, future, v[6], v[5]);
    value_event(&w, HG_EV_INDEX, 0, v[2]);
    mark(&w, perp, v[3], 0);
    mark(&w, future, v[5], 0);
    for (int i = 0; set == 0 && i < 2; i++) {
        const double *leg = v + 7 + 5 * i;
        hold(&w, option[i], leg[4], 0.05);
        value_event(&w, HG_EV_FORWARD, inst_of(&w, option[i])->expiry_id, leg[0]);
        vol_mark(&w, option[i], 0, leg[3]);
    }
    check(&w, HG_MARGIN_PORTFOLIO, coin, v[17], v[18], v[19] + 1e-11);
    world_close(&w);
}

TEST(portfolio_margins_are_those_of_the_vectors) {
    CHECK(kit_each_row("tests/vectors/margin_portfolio.tsv", 20, portfolio_row, NULL) > 50);
}
