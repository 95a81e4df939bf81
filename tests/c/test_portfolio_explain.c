/* The explanation of the P&L: it adds up exactly, its parts are what independent formulas say, and
 * nobody's questions change it. */
#include "base/rng.h"
#include "greeks/black76.h"
#include "portfolio/explain.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <string.h>

static hg_explanation explain_of(world *w, hg_explain_of of) {
    hg_explanation x;
    hg_portfolio_explain(w->portfolio, of, w->now_ns, &x);
    return x;
}

static hg_explanation explain_all(world *w) {
    return explain_of(w, HG_EXPLAIN_ALL);
}

static hg_explanation explain_one(world *w, uint32_t id) {
    return explain_of(w, (hg_explain_of){HG_OWNER_ANY, HG_ID_NONE, id});
}

static double parts_sum(const hg_explanation *x) {
    double sum = x->rest;
    for (size_t i = 0; i < HG_PARTS; i++) {
        sum += hg_part_get(&x->parts, i);
    }
    return sum;
}

static double coin_parts_sum(const hg_explanation *x) {
    double sum = x->coin_rest;
    for (size_t i = 0; i < HG_PARTS; i++) {
        sum += hg_part_get(&x->coin_parts, i);
    }
    return sum;
}

static double pnl_of(world *w) {
    hg_pnl pnl;
    hg_portfolio_pnl(w->portfolio, w->now_ns, &pnl);
    return pnl.hedged;
}

static void option_mark(world *w, uint32_t id, double iv) {
    hg_event e = {.id = id, .kind = HG_EV_MARK};
    e.mark.iv = nano(iv);
    world_event(w, e);
}

static void fill(world *w, uint32_t id, double size, double price, double fee, uint16_t strategy,
                 double mid) {
    hg_fill_origin origin = {.strategy = strategy, .mid = mid};
    CHECK_EQ(hg_portfolio_fill_of(w->portfolio, id, size > 0 ? HG_BUY : HG_SELL,
                                  lots(w, id, fabs(size)), ticks(w, id, price), nano(fee),
                                  w->now_ns, &origin),
             HG_OK);
}

static void open_leg(world *w, uint32_t id, double size, double entry) {
    CHECK_EQ(hg_portfolio_open(w->portfolio, id, lots(w, id, fabs(size)) * (size < 0 ? -1 : 1),
                               nano(entry)),
             HG_OK);
}

static double black(double f, double k, double t, double sigma, int cp) {
    double price = 0;
    CHECK_EQ(hg_black76_price(f, k, t, sigma, cp, 0, &price), 0);
    return price;
}

/* --- one step against finite differences of the price ------------------------------------------
 */

static void one_step(const char *name, bool inverse) {
    const double size = -7, k = 60000, f0 = 60600, f1 = 60630, s0 = 60000, s1 = 60020;
    const double v0 = 0.5, v1 = 0.52;
    world w;
    world_init(&w);
    uint32_t id = world_add(&w, name);
    world_open(&w, NULL);
    open_leg(&w, id, size, 0);
    int64_t t_ns = inst_of(&w, id)->expiry_ns;
    value_event(&w, HG_EV_INDEX, 0, s0);
    value_event(&w, HG_EV_FORWARD, inst_of(&w, id)->expiry_id, f0);
    option_mark(&w, id, v0);
    double t0 = hg_market_years(t_ns, w.now_ns);
    w.now_ns += 30 * HG_NS_PER_S; /* before the next step is due */
    double t1 = hg_market_years(t_ns, w.now_ns);
    value_event(&w, HG_EV_INDEX, 0, s1);
    value_event(&w, HG_EV_FORWARD, inst_of(&w, id)->expiry_id, f1);
    option_mark(&w, id, v1);
    hg_explanation x = explain_all(&w);
    double w0 = inverse ? s0 / f0 : 1;
    double w1 = inverse ? s1 / f1 : 1;
    double h = 1;
    double delta = (black(f0 + h, k, t0, v0, -1) - black(f0 - h, k, t0, v0, -1)) / (2 * h);
    double gamma = (black(f0 + 30, k, t0, v0, -1) - 2 * black(f0, k, t0, v0, -1) +
                    black(f0 - 30, k, t0, v0, -1)) /
                   900;
    double theta = -(black(f0, k, t0 + 1e-6, v0, -1) - black(f0, k, t0 - 1e-6, v0, -1)) / 2e-6;
    double vega = (black(f0, k, t0, v0 + 1e-4, -1) - black(f0, k, t0, v0 - 1e-4, -1)) / 2e-4;
    double volga = (black(f0, k, t0, v0 + 1e-3, -1) - 2 * black(f0, k, t0, v0, -1) +
                    black(f0, k, t0, v0 - 1e-3, -1)) /
                   1e-6;
    double vanna = (black(f0 + 10, k, t0, v0 + 1e-3, -1) - black(f0 - 10, k, t0, v0 + 1e-3, -1) -
                    black(f0 + 10, k, t0, v0 - 1e-3, -1) + black(f0 - 10, k, t0, v0 - 1e-3, -1)) /
                   (4 * 10 * 1e-3);
    double df = f1 - f0;
    double dv = v1 - v0;
    CHECK_NEAR(x.parts.delta, size * delta * (s1 - s0), 1e-4);
    CHECK_NEAR(x.parts.gamma, size * w0 * gamma * df * df / 2, 1e-4);
    CHECK_NEAR(x.parts.theta, size * w0 * theta * (t0 - t1), 1e-4);
    CHECK_NEAR(x.parts.vega, size * w0 * vega * dv, 1e-3);
    CHECK_NEAR(x.parts.vanna, size * w0 * vanna * df * dv, 1e-3);
    CHECK_NEAR(x.parts.volga, size * w0 * volga * dv * dv / 2, 1e-2);
    double end = black(f1, k, t1, v1, -1);
    double basis = size * (w0 * delta * df - delta * (s1 - s0) + end * (w1 - w0));
    CHECK_NEAR(x.parts.basis, basis, 1e-4);
    CHECK_NEAR(x.parts.cash, 0, 1e-12);
    double pnl = size * (end * w1 - black(f0, k, t0, v0, -1) * w0);
    CHECK_NEAR(x.pnl, pnl, 1e-3); /* the first mark is rounded to 1e-9 coin */
    CHECK(fabs(x.rest) < 0.01 * fabs(pnl));
    CHECK_EQ(x.coin == HG_ID_NONE, !inverse);
    if (inverse) {
        CHECK_NEAR(x.coins, size * (end / f1 - black(f0, k, t0, v0, -1) / f0), 1e-7);
    }
    hg_drift d = x.drift;
    CHECK_NEAR(d.spot, size * gamma * df, 1e-6);
    CHECK_NEAR(d.vol, size * vanna * dv, 1e-6);
    CHECK(fabs(d.rest) < 1e-3);
    CHECK_NEAR(d.to, hg_portfolio_exposure(w.portfolio, 0, w.now_ns)->delta, 1e-6);
    CHECK_NEAR(d.from + d.spot + d.time + d.vol + d.trades + d.rest, d.to, 1e-12);
    world_close(&w);
}

TEST(one_step_of_a_coin_settled_option_is_its_greeks) {
    one_step("BTC-27MAR26-60000-P", true);
}

TEST(one_step_of_a_linear_option_is_its_greeks) {
    one_step("BTC_USDC-27MAR26-60000-P", false);
}

/* --- futures leave no rest ----------------------------------------------------------------------
 */

TEST(futures_are_delta_basis_and_coins_without_rest) {
    world w;
    world_init(&w);
    uint32_t inverse = world_add(&w, "BTC-PERPETUAL");
    uint32_t linear = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    open_leg(&w, inverse, 60000, 50000);
    open_leg(&w, linear, -2, 0);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, inverse, 60060, 0);
    mark(&w, linear, 60000, 0);
    for (int i = 1; i <= 50; i++) {
        later(&w, 70 * HG_NS_PER_S);
        value_event(&w, HG_EV_INDEX, 0, 60000 + 300 * i);
        mark(&w, inverse, 60060 + 299 * i, 0);
        mark(&w, linear, 60000 + 301 * i, 0);
    }
    hg_explanation a = explain_one(&w, inverse);
    hg_explanation b = explain_one(&w, linear);
    CHECK_NEAR(a.rest, 0, 1e-5); /* a unit of coin is 7.5e-5 USD */
    CHECK_NEAR(b.rest, 0, 1e-8);
    CHECK_NEAR(b.parts.delta, -2 * 15000, 1e-8);
    CHECK_NEAR(b.parts.basis, -2 * 50, 1e-6);
    CHECK_NEAR(a.coins, 60000 * (1 / 60060.0 - 1 / 75010.0), 1e-8);
    CHECK(a.parts.cash > 100); /* coins earned on the way rose with the spot */
    CHECK(fabs(a.parts.basis) < 200);
    CHECK_NEAR(a.pnl + b.pnl, pnl_of(&w), 1e-9 * fabs(pnl_of(&w)) + 1e-7);
    world_close(&w);
}

/* The part `cash` is hg_exposure.delta_cash times the move. */
TEST(coins_held_as_money_are_delta_cash) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC-PERPETUAL");
    uint32_t call = world_add(&w, "BTC-27MAR26-60000-C");
    world_open(&w, NULL);
    open_leg(&w, perp, -30000, 40000);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, perp, 60000, 0);
    mark(&w, call, 0.05, 0.5);
    value_event(&w, HG_EV_FUNDING, perp, 0.003);
    fill(&w, call, -4, 0.05, 0.0012, 0, 0);
    fill(&w, perp, 50000, 60010, 0.0003, 0, 60005);
    later(&w, 3 * HG_NS_PER_HOUR);
    value_event(&w, HG_EV_INDEX, 0, 63000);
    mark(&w, perp, 63000, 0);
    double coins = hg_portfolio_exposure(w.portfolio, 0, w.now_ns)->delta_cash;
    double before = explain_all(&w).parts.cash;
    CHECK(fabs(coins) > 0.1);
    value_event(&w, HG_EV_INDEX, 0, 63031); /* not enough for a new step */
    CHECK_NEAR(explain_all(&w).parts.cash - before, coins * 31, 1e-6);
    world_close(&w);
}

/* --- a fill --------------------------------------------------------------------------------------
 */

TEST(a_fill_is_charged_spread_slippage_and_fee) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, perp, 60002, 0);
    quote(&w, perp, 60015, 100, 60025, 100); /* mid 60020 at the fill; it was 60010 at arrival */
    fill(&w, perp, 3, 60026, 1.5, 2, 60010);
    hg_explanation x = explain_of(&w, (hg_explain_of){HG_OWNER_STRATEGY + 2, HG_ID_NONE, perp});
    CHECK_EQ(x.rows, 1);
    CHECK_NEAR(x.parts.spread, -3 * 6, 1e-9);
    CHECK_NEAR(x.parts.slippage, -3 * 10, 1e-9);
    CHECK_NEAR(x.parts.delta, 3 * 10, 1e-9);
    CHECK_NEAR(x.parts.basis, 3 * (60002 - 60020), 1e-9);
    CHECK_NEAR(x.parts.fees, -1.5, 1e-12);
    CHECK_NEAR(x.pnl, 3 * (60002 - 60026) - 1.5, 1e-9);
    CHECK_NEAR(x.rest, 0, 1e-9);
    CHECK_NEAR(x.drift.trades, 3, 1e-12);
    CHECK_EQ(explain_of(&w, (hg_explain_of){HG_OWNER_STRATEGY, HG_ID_NONE, perp}).rows, 0);
    world_close(&w);
}

TEST(deposits_are_the_accounts_own) {
    world w;
    world_init(&w);
    world_add(&w, "BTC-PERPETUAL");
    world_open(&w, NULL);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    uint32_t btc = hg_universe_find_currency(w.universe, "BTC");
    CHECK_EQ(hg_portfolio_deposit(w.portfolio, btc, nano(2)), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 61000);
    hg_explanation x = explain_all(&w);
    CHECK_NEAR(x.pnl, 2000, 1e-6);
    CHECK_NEAR(x.parts.cash, 2000, 1e-6);
    CHECK_NEAR(x.rest, 0, 1e-6);
    x = explain_of(&w, (hg_explain_of){HG_OWNER_ACCOUNT, HG_ID_NONE, HG_ID_NONE});
    CHECK_NEAR(x.pnl, 2000, 1e-6);
    world_close(&w);
}

/* --- random sessions -----------------------------------------------------------------------------
 */

static const char *const legs[] = {
    "BTC-9JAN26-60000-P", "BTC-27MAR26-70000-C", "BTC_USDC-27MAR26-60000-C",
    "BTC-PERPETUAL",      "BTC_USDC-PERPETUAL",  "BTC-9JAN26",
    "BTC_USDC",           "ETH-PERPETUAL"};
enum { LEGS = sizeof legs / sizeof *legs, OPTIONS = 3 };

typedef struct {
    double spot, iv, eth;
} prices;

static void move_market(world *w, hg_rng *rng, prices *m) {
    m->spot *= exp(0.0008 * hg_rng_normal(rng));
    m->eth *= exp(0.0008 * hg_rng_normal(rng));
    m->iv = fmin(0.9, fmax(0.3, m->iv + 0.0005 * hg_rng_normal(rng)));
    value_event(w, HG_EV_INDEX, 0, m->spot);
    value_event(w, HG_EV_INDEX, 1, m->eth);
    for (uint32_t id = 0; id < OPTIONS; id++) {
        if (!hg_market_get(w->market, id)->settled) {
            value_event(w, HG_EV_FORWARD, inst_of(w, id)->expiry_id, m->spot * 1.004);
            option_mark(w, id, m->iv);
        }
    }
    for (uint32_t id = OPTIONS; id < LEGS; id++) {
        if (!hg_market_get(w->market, id)->settled) {
            mark(w, id, (id == LEGS - 1 ? m->eth : m->spot) * (1 + 1e-4 * hg_rng_normal(rng)), 0);
        }
    }
}

static void random_fill(world *w, hg_rng *rng) {
    uint32_t id = (uint32_t)hg_rng_below(rng, LEGS);
    const hg_instrument *inst = inst_of(w, id);
    if (hg_market_get(w->market, id)->settled) {
        return;
    }
    double price = hg_market_mark(w->market, id, w->now_ns);
    hg_ticks at = hg_price_round(inst, price * (1 + 1e-4 * hg_rng_normal(rng)), 1);
    if (at <= 0) {
        return;
    }
    hg_fill_origin origin = {.strategy = (uint16_t)hg_rng_below(rng, 3), .mid = price};
    CHECK_EQ(hg_portfolio_fill_of(w->portfolio, id, hg_rng_below(rng, 2) ? HG_BUY : HG_SELL,
                                  1 + (hg_lots)hg_rng_below(rng, 200), at,
                                  (hg_cash)hg_rng_below(rng, 20000), w->now_ns, &origin),
             HG_OK);
}

static void deliver_all(world *w, double price) {
    int64_t expiry_ns = inst_of(w, 0)->expiry_ns;
    for (uint32_t id = 0; id < LEGS; id++) {
        if (inst_of(w, id)->expiry_ns == expiry_ns) {
            value_event(w, HG_EV_SETTLE, id, price);
        }
    }
}

/* Whole and groups; returns the largest error of a sum relative to the gross of what was summed. */
static double sums_error(world *w) {
    hg_explanation all = explain_all(w);
    double pnl = pnl_of(w);
    double by[3] = {0};
    for (uint32_t id = 0; id < LEGS; id++) {
        hg_explanation x = explain_one(w, id);
        by[0] += x.pnl;
        CHECK_NEAR(parts_sum(&x), x.pnl, 1e-9 * fabs(x.pnl) + 1e-6);
        CHECK_NEAR(coin_parts_sum(&x), x.coins, 1e-9);
        CHECK_EQ(x.coin_parts.cash, 0);
        if (x.coin != HG_ID_NONE && inst_of(w, id)->kind != HG_KIND_OPTION) {
            CHECK_NEAR(x.coin_rest, 0, 1e-7); /* futures leave none but rounding */
        }
    }
    for (uint32_t u = 0; u < 2; u++) {
        by[1] += explain_of(w, (hg_explain_of){HG_OWNER_ANY, u, HG_ID_NONE}).pnl;
    }
    for (uint32_t o = 0; o < HG_OWNERS; o++) {
        by[2] += explain_of(w, (hg_explain_of){(uint8_t)o, HG_ID_NONE, HG_ID_NONE}).pnl;
    }
    double worst = fabs(parts_sum(&all) - pnl);
    for (int i = 0; i < 3; i++) {
        worst = fmax(worst, fabs(by[i] - pnl));
    }
    double gross = fmax(fabs(pnl), 1e4);
    return worst / gross;
}

/* What the ledger has earned in bitcoin but funding: realised, and held at the prices of now. */
static double ledger_coins(world *w) {
    double coins = 0;
    for (uint32_t id = 0; id < LEGS; id++) {
        const hg_instrument *inst = inst_of(w, id);
        const hg_position *pos = hg_portfolio_get(w->portfolio, id);
        double price = hg_market_mark(w->market, id, w->now_ns);
        double amount = hg_size_to_double(inst, pos->lots);
        double cost = hg_nano_to_double(pos->cost);
        bool option = inst->kind == HG_KIND_OPTION;
        if (inst->inverse && inst->underlying_id == 0) {
            coins += hg_nano_to_double(pos->realised - pos->fees);
            coins += pos->lots == 0 ? 0 : option ? amount * price - cost : cost - amount / price;
        }
    }
    return coins;
}

/* Coins earned are the ledger's, and in coin the rest is as small as in USD. */
static void check_coins(world *w, double ledger_before, double coins_before) {
    hg_explanation x = explain_of(w, (hg_explain_of){HG_OWNER_ANY, 0, HG_ID_NONE});
    double gross = 0;
    for (size_t i = 0; i < HG_PARTS; i++) {
        gross += fabs(hg_part_get(&x.coin_parts, i));
    }
    CHECK(gross > 0.1);
    CHECK(fabs(x.coin_rest) < 0.005 * gross);
    CHECK_NEAR(x.coins - x.coin_parts.funding - coins_before, ledger_coins(w) - ledger_before,
               1e-7);
}

static void session(world *w, uint64_t seed, bool ask, hg_explanation *out) {
    hg_rng rng;
    prices m = {60000, 0.5, 3000};
    hg_rng_init(&rng, seed, 11);
    world_init(w);
    for (uint32_t i = 0; i < LEGS; i++) {
        world_add(w, legs[i]);
    }
    world_open(w, &(hg_portfolio_options){.fees = true});
    open_leg(w, 0, -10, 0.02);
    open_leg(w, 1, -5, 0);
    open_leg(w, 3, 120000, 55000);
    open_leg(w, 5, -30000, 0);
    bool delivered = false;
    double worst = 0;
    double ledger_before = 0;
    double coins_before = 0;
    for (int i = 0; i < 6000; i++) {
        later(w, 40 * HG_NS_PER_S + (int64_t)hg_rng_below(&rng, 60) * HG_NS_PER_S);
        if (!delivered && w->now_ns >= inst_of(w, 0)->expiry_ns) {
            w->now_ns = inst_of(w, 0)->expiry_ns;
            delivered = true;
            deliver_all(w, m.spot * 1.001);
        }
        move_market(w, &rng, &m);
        if (hg_rng_below(&rng, 20) == 0) {
            value_event(w, HG_EV_FUNDING, 3, 1e-4 * hg_rng_normal(&rng));
            value_event(w, HG_EV_FUNDING, 7, 1e-4 * hg_rng_normal(&rng));
        }
        if (hg_rng_below(&rng, 10) == 0) {
            random_fill(w, &rng);
        }
        if (ask && i == 0) { /* everything is marked by now */
            hg_explanation x = explain_of(w, (hg_explain_of){HG_OWNER_ANY, 0, HG_ID_NONE});
            ledger_before = ledger_coins(w);
            coins_before = x.coins - x.coin_parts.funding;
        }
        if (ask && i % 7 == 0) {
            worst = fmax(worst, sums_error(w));
        }
    }
    CHECK(delivered);
    *out = explain_all(w);
    if (ask) {
        printf("note: seed %llu, 6000 moves with trades, funding and a delivery: P&L %.2f USD, "
               "rest %.2f, sums off by %.1e at most\n",
               (unsigned long long)seed, out->pnl, out->rest, worst);
        CHECK(worst < 1e-9);
        double gross = 0;
        for (size_t i = 0; i < HG_PARTS; i++) {
            gross += fabs(hg_part_get(&out->parts, i));
        }
        CHECK(fabs(out->rest) < 0.005 * gross);
        check_coins(w, ledger_before, coins_before);
    }
}

TEST(everything_adds_up_and_questions_change_nothing) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        hg_explanation asked;
        hg_explanation silent;
        world w;
        session(&w, seed, true, &asked);
        world_close(&w);
        session(&w, seed, false, &silent);
        world_close(&w);
        CHECK_EQ(memcmp(&asked.parts, &silent.parts, sizeof asked.parts), 0);
        CHECK_EQ(memcmp(&asked.drift, &silent.drift, sizeof asked.drift), 0);
        CHECK(asked.pnl == silent.pnl && asked.rest == silent.rest);
    }
}

/* --- since ------------------------------------------------------------------------------------ */

typedef struct {
    int64_t time_ns;
    hg_explanation all, strategy, perp;
} told;

static void told_now(world *w, told *t) {
    t->time_ns = w->now_ns;
    t->all = explain_all(w);
    t->strategy = explain_of(w, (hg_explain_of){HG_OWNER_STRATEGY + 1, HG_ID_NONE, HG_ID_NONE});
    t->perp = explain_one(w, 1);
}

static void check_since(world *w, hg_explain_of of, const hg_explanation *now,
                        const hg_explanation *then, int64_t since_ns, int64_t told_ns) {
    hg_explanation x;
    int64_t from_ns = 0;
    CHECK_EQ(hg_portfolio_explain_since(w->portfolio, of, since_ns, w->now_ns, &x, &from_ns),
             HG_OK);
    CHECK_EQ(from_ns, told_ns);
    CHECK_NEAR(x.pnl, now->pnl - then->pnl, 1e-7);
    CHECK_NEAR(x.coins, now->coins - then->coins, 1e-11);
    for (size_t i = 0; i < HG_PARTS; i++) {
        double part = hg_part_get(&now->parts, i) - hg_part_get(&then->parts, i);
        CHECK_NEAR(hg_part_get(&x.parts, i), part, 1e-7);
    }
    CHECK_NEAR(parts_sum(&x), x.pnl, 1e-9 * fabs(x.pnl) + 1e-7);
    CHECK_NEAR(coin_parts_sum(&x), x.coins, 1e-10);
    CHECK_NEAR(x.drift.from, then->drift.to, 1e-10);
    CHECK_NEAR(x.drift.to, now->drift.to, 1e-10);
    const hg_drift *d = &x.drift;
    CHECK_NEAR(d->from + d->spot + d->time + d->vol + d->trades + d->rest, d->to, 1e-9);
}

/* One update: the index, the option's vol, the perpetual's mark. */
static void update_all(world *w, double spot, double iv) {
    hg_event e = {.id = 0, .kind = HG_EV_INDEX, .flags = HG_EVF_MORE};
    e.price.value = nano(spot);
    world_event(w, e);
    e = (hg_event){.id = 0, .kind = HG_EV_MARK, .flags = HG_EVF_MORE};
    e.mark.iv = nano(iv);
    world_event(w, e);
    mark(w, 1, spot, 0); /* ends the update */
}

/* 40 hours in steps of 20 to 40 s: what was told then against what is told of then now, to the
 * last update for the last hours, to the minute before; beyond that an error says how far. */
TEST(since_seconds_is_now_less_what_was_told_then) {
    enum { STEPS = 4800 };
    static told all[STEPS];
    world w;
    hg_rng rng;
    world_init(&w);
    world_add(&w, "BTC-27MAR26-60000-P");
    world_add(&w, "BTC-PERPETUAL");
    world_open(&w, &(hg_portfolio_options){.fees = true});
    open_leg(&w, 0, -10, 0);
    uint32_t btc = hg_universe_find_currency(w.universe, "BTC");
    CHECK_EQ(hg_portfolio_deposit(w.portfolio, btc, nano(1.5)), HG_OK);
    hg_rng_init(&rng, 7, 7);
    double spot = 60000;
    uint64_t asked = 0;
    int64_t start_ns = w.now_ns + 30 * HG_NS_PER_S;
    w.now_ns = start_ns;
    for (int i = 0; i < STEPS; i++) {
        spot *= exp(0.0006 * hg_rng_normal(&rng));
        update_all(&w, spot, 0.5 + 0.01 * sin(i / 50.0));
        told_now(&w, &all[i]);
        for (int64_t back = 1; i > 0 && i % 60 == 0 && back < i; back = back * 3 + 1) {
            int64_t since_ns = all[i - back].time_ns + (int64_t)hg_rng_below(&rng, 1000);
            bool coarse = w.now_ns - since_ns > 2 * HG_NS_PER_HOUR;
            int k = (int)(i - back);
            while (coarse && k > 0 &&
                   all[k].time_ns / 60000000000 == all[k - 1].time_ns / 60000000000) {
                k--; /* the first update of its minute */
            }
            hg_explanation x;
            int64_t from_ns = 0;
            int rc = hg_portfolio_explain_since(w.portfolio, HG_EXPLAIN_ALL, since_ns, w.now_ns, &x,
                                                &from_ns);
            if (rc < 0) {
                CHECK(w.now_ns - since_ns > 24 * HG_NS_PER_HOUR);
                hg_error_clear();
                continue;
            }
            while (all[k].time_ns != from_ns) { /* fine ones may be older than two hours */
                k++;
                CHECK(k < i && coarse);
            }
            CHECK(since_ns - from_ns < (coarse ? 60 : 1) * HG_NS_PER_S);
            check_since(&w, HG_EXPLAIN_ALL, &all[i].all, &all[k].all, since_ns, from_ns);
            check_since(&w, (hg_explain_of){HG_OWNER_STRATEGY + 1, HG_ID_NONE, HG_ID_NONE},
                        &all[i].strategy, &all[k].strategy, since_ns, from_ns);
            check_since(&w, (hg_explain_of){HG_OWNER_ANY, HG_ID_NONE, 1}, &all[i].perp,
                        &all[k].perp, since_ns, from_ns);
            asked++;
        }
        if (i % 5 == 3) {
            fill(&w, 1, hg_rng_below(&rng, 2) ? 1000 : -1000, nearbyint(spot), 1e-6,
                 (uint16_t)hg_rng_below(&rng, 12), spot);
        }
        later(&w, 20 * HG_NS_PER_S + (int64_t)hg_rng_below(&rng, 20) * HG_NS_PER_S);
    }
    CHECK(asked > 300);
    hg_explanation x;
    int64_t from_ns = 0;
    CHECK_EQ(hg_portfolio_explain_since(w.portfolio, HG_EXPLAIN_ALL, start_ns - 1, w.now_ns, &x,
                                        &from_ns),
             HG_ENOTFOUND);
    CHECK(strstr(hg_error_text(), "the earliest is ") != NULL);
    world_close(&w);
}
