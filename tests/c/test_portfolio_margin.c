/* Margin against the exchange's published examples, against formulas written down a second time,
 * and against its own promises: what_if is what happens, a liquidation price is one. */
#include "base/rng.h"
#include "portfolio/margin.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <string.h>

/* An instrument whose lot is fine enough for the odd sizes of the examples. */
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
    CHECK_EQ(hg_portfolio_open(w->portfolio, id, size, nano(entry)), HG_OK);
}

static const hg_margin_account *account_of(world *w, hg_margin *m, const char *currency) {
    return &hg_margin_accounts(m, w->now_ns)[hg_universe_find_currency(w->universe, currency)];
}

/* ---- published examples ---------------------------------------------------------------------- */

/* docs.deribit.com, private/pme/simulate: example of 2024-06-17, BTC. */
TEST(portfolio_margin_of_the_documented_btc_example) {
    world w;
    world_init(&w);
    w.now_ns = INT64_C(1718619740501) * HG_NS_PER_MS;
    uint32_t perp = add_fine(&w, "BTC-PERPETUAL");
    uint32_t june = add_fine(&w, "BTC-28JUN24");
    world_open(&w, NULL);
    hold(&w, perp, 0.314538364 * 65910.57, 65910.57);
    hold(&w, june, -0.001187534 * 67371.75, 67371.75);
    value_event(&w, HG_EV_INDEX, 0, 65666.19);
    mark(&w, perp, 65910.57, 0);
    mark(&w, june, 67371.75, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_PORTFOLIO);
    const hg_margin_account *a = account_of(&w, m, "BTC");
    CHECK(a->known);
    CHECK_NEAR(a->initial, 0.05968587238095239 + 0.00315725898, 1e-11); /* worst_case, roll_shock */
    CHECK_NEAR(a->initial, 0.06284313098, 1e-9); /* the total: worst_case rounded to 1e-9 */
    CHECK_NEAR(a->maintenance, 0.050274504784, 1e-9);
    hg_margin_free(m);
    world_close(&w);
}

/* The same method on the production account of a public capture of 2026-02-15, ETH. */
TEST(portfolio_margin_of_the_captured_eth_example) {
    world w;
    world_init(&w);
    w.now_ns = INT64_C(1771197609587) * HG_NS_PER_MS;
    uint32_t perp = add_fine(&w, "ETH-PERPETUAL");
    world_open(&w, NULL);
    hold(&w, perp, -0.999487053 * 1949.49, 1949.49);
    value_event(&w, HG_EV_INDEX, 0, 1949.34);
    mark(&w, perp, 1949.49, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_PORTFOLIO);
    const hg_margin_account *a = account_of(&w, m, "ETH");
    CHECK_NEAR(a->initial, 0.157461562265, 1e-9);
    CHECK_NEAR(a->maintenance, 0.125969249812, 1e-9);
    hg_margin_free(m);
    world_close(&w);
}

/* Deribit support, "Standard Margin": 25 BTC of BTC_USDC at 100,000 ask 53,125 and 28,125 USDC. */
TEST(standard_margin_of_the_documented_linear_example) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    hold(&w, perp, -25, 100000);
    value_event(&w, HG_EV_INDEX, 0, 100000);
    mark(&w, perp, 100000, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    const hg_margin_account *a = account_of(&w, m, "USDC");
    CHECK_NEAR(a->initial, 53125, 1e-6);
    CHECK_NEAR(a->maintenance, 28125, 1e-6);
    hg_margin_free(m);
    world_close(&w);
}

/* Worked by hand from the formulas of the same page: forward 60,000; marks in BTC. */
TEST(standard_margin_of_options_by_hand) {
    static const struct {
        const char *name;
        double mark, amount, initial, maintenance;
    } rows[] = {
        {"BTC-27MAR26-60000-C",  0.05, -10, 2.0,    1.25  }, /* 0.15 + 0.05; 0.075 + 0.05 */
        {"BTC-27MAR26-63000-C",  0.03, -10, 1.3,    1.05  }, /* 0.15 - 0.05 */
        {"BTC-27MAR26-90000-C",  0.01, -10, 1.1,    0.85  }, /* floor 0.10 */
        {"BTC-27MAR26-57000-C",  0.07, -1,  0.22,   0.145 }, /* in the money: nothing off */
        {"BTC-27MAR26-57000-P",  0.04, -10, 1.4,    1.15  }, /* 3,000 out of the money */
        {"BTC-27MAR26-150000-P", 1.5,  -1,  1.65,   1.6125}, /* MM: 0.075 of the mark */
        {"BTC-27MAR26-210000-P", 2.5,  -1,  2.6875, 2.6875}, /* IM is never below MM */
        {"BTC-27MAR26-60000-P",  0.05, 10,  0,      0     }, /* long: paid */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world w;
        world_init(&w);
        uint32_t id = world_add(&w, rows[i].name);
        world_open(&w, NULL);
        hold(&w, id, rows[i].amount, rows[i].mark);
        value_event(&w, HG_EV_INDEX, 0, 59000);
        value_event(&w, HG_EV_FORWARD, inst_of(&w, id)->expiry_id, 60000);
        mark(&w, id, rows[i].mark, 0.6);
        hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
        const hg_margin_account *a = account_of(&w, m, "BTC");
        CHECK_NEAR(a->initial, rows[i].initial, 1e-12);
        CHECK_NEAR(a->maintenance, rows[i].maintenance, 1e-12);
        CHECK_NEAR(a->equity, rows[i].amount * rows[i].mark, 1e-12);
        CHECK_NEAR(a->margin_balance, 0, 1e-12);
        hg_margin_free(m);
        world_close(&w);
    }
}

TEST(a_future_asks_more_for_each_coin) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC-PERPETUAL");
    world_open(&w, NULL);
    hold(&w, perp, 5000000, 50000); /* 100 BTC: 2 % + 100 * 0.005 % */
    value_event(&w, HG_EV_INDEX, 0, 50000);
    mark(&w, perp, 50000, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    const hg_margin_account *a = account_of(&w, m, "BTC");
    CHECK_NEAR(a->initial, 2.5, 1e-12);
    CHECK_NEAR(a->maintenance, 1.5, 1e-12);
    hg_margin_total total;
    hg_margin_total_of(m, w.now_ns, &total);
    CHECK_NEAR(total.notional, 5000000, 1e-6);
    CHECK_NEAR(total.use, 1e6, 0); /* nothing to cover it */
    hg_margin_free(m);
    world_close(&w);
}

/* ---- a random book --------------------------------------------------------------------------- */

static const char *const names[] = {
    "BTC-PERPETUAL",       "BTC-27MAR26",         "BTC-27MAR26-50000-P", "BTC-27MAR26-70000-C",
    "BTC-30JAN26-60000-C", "BTC-30JAN26-55000-P", "BTC_USDC-PERPETUAL",  "BTC_USDC-27MAR26-60000-C",
    "ETH-PERPETUAL",       "ETH-27MAR26-3000-P"};
enum { NAMES = sizeof names / sizeof *names };

static double forward_of(const world *w, uint32_t id, const double spot[2]) {
    const hg_instrument *inst = inst_of(w, id);
    double s = spot[inst->underlying_id];
    return inst->expiry_ns ? s * (1 + 0.05 * hg_market_years(inst->expiry_ns, T0)) : s;
}

static double vol_of(uint32_t id) {
    return 0.45 + 0.03 * id;
}

/* Everything told at these spots; options by their own vols. */
static void tell(world *w, const double spot[2]) {
    for (uint32_t u = 0; u < 2; u++) {
        value_event(w, HG_EV_INDEX, u, spot[u]);
    }
    for (uint32_t id = 0; id < NAMES; id++) {
        const hg_instrument *inst = inst_of(w, id);
        double f = forward_of(w, id, spot);
        if (inst->kind == HG_KIND_OPTION) {
            value_event(w, HG_EV_FORWARD, inst->expiry_id, f);
            hg_event e = {.id = id, .kind = HG_EV_MARK}; /* valued by its vol */
            e.mark.iv = nano(vol_of(id));
            world_event(w, e);
        } else {
            mark(w, id, round(f * 2) / 2 == f ? f : f, 0);
        }
    }
}

static void book_world(world *w) {
    world_init(w);
    for (uint32_t i = 0; i < NAMES; i++) {
        CHECK_EQ(add_fine(w, names[i]), i);
    }
    world_open(w, NULL);
}

static double random_amount(hg_rng *rng, const world *w, uint32_t id, double size) {
    const hg_instrument *inst = inst_of(w, id);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    double amount = (hg_rng_uniform(rng) * 2 - 1) * size;
    double scale = usd_sized ? (inst->underlying_id == 0 ? 60000 : 3000) : 1;
    return nearbyint(amount * scale * 1e5) / 1e5;
}

static const double spots0[2] = {60000, 3000};

static void random_book(hg_rng *rng, world *w, double size) {
    book_world(w);
    tell(w, spots0);
    for (uint32_t id = 0; id < NAMES; id++) {
        double amount = hg_rng_uniform(rng) < 0.7 ? random_amount(rng, w, id, size) : 0;
        if (amount != 0) {
            hold(w, id, amount, 0);
        }
    }
    tell(w, spots0);
}

static void deposit(world *w, const char *currency, double amount) {
    CHECK_EQ(hg_portfolio_deposit(w->portfolio, hg_universe_find_currency(w->universe, currency),
                                  nano(amount)),
             HG_OK);
}

/* ---- a second opinion ------------------------------------------------------------------------ */

static double black(double f, double k, double t, double sigma, int cp) {
    double s = sigma * sqrt(t);
    double d1 = log(f / k) / s + s / 2;
    double n1 = 0.5 * erfc(-cp * d1 / sqrt(2));
    double n2 = 0.5 * erfc(-cp * (d1 - s) / sqrt(2));
    return cp * (f * n1 - k * n2);
}

/* Standard margin of a currency from positions alone. */
static void naive_standard(world *w, const double spot[2], const char *currency, double *initial,
                           double *maintenance) {
    *initial = *maintenance = 0;
    for (uint32_t id = 0; id < NAMES; id++) {
        const hg_instrument *inst = inst_of(w, id);
        double a = position_of(w, id);
        if (strcmp(inst->settle, currency) != 0 || a == 0) {
            continue;
        }
        double f = forward_of(w, id, spot);
        double k = (double)inst->strike / 1e9;
        if (inst->kind != HG_KIND_OPTION) {
            double coins = inst->inverse ? fabs(a) / f : fabs(a);
            double slope = inst->underlying_id == 0 ? 0.00005 : 0.000004;
            double value = inst->inverse ? coins : coins * spot[inst->underlying_id];
            *initial += (0.02 + slope * coins) * value;
            *maintenance += (0.01 + slope * coins) * value;
        } else if (a < 0) {
            double t = (double)(inst->expiry_ns - w->now_ns) / 1e9 / 86400 / 365;
            double price = black(f, k, t, vol_of(id), inst->cp) / (inst->inverse ? f : 1);
            double unit = inst->inverse ? 1 : f;
            double otm = fmax(inst->cp * (k - f), 0) / f;
            double im = fmax(0.15 - otm, 0.10) * unit + price;
            double mm = 0.075 * unit + price;
            if (inst->cp < 0) {
                mm = fmax(0.075 * unit, 0.075 * price) + price;
                im = fmax(im, mm);
            }
            *initial += -a * im;
            *maintenance += -a * mm;
        }
    }
}

TEST(standard_margin_is_the_naive_sum) {
    hg_rng rng;
    hg_rng_init(&rng, 11, 0);
    for (int n = 0; n < 60; n++) {
        world w;
        random_book(&rng, &w, 20);
        hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
        static const char *const currencies[] = {"BTC", "ETH", "USDC"};
        for (int c = 0; c < 3; c++) {
            double initial = 0;
            double maintenance = 0;
            naive_standard(&w, spots0, currencies[c], &initial, &maintenance);
            const hg_margin_account *a = account_of(&w, m, currencies[c]);
            CHECK_NEAR(a->initial, initial, 1e-7 * (1 + initial));
            CHECK_NEAR(a->maintenance, maintenance, 1e-7 * (1 + maintenance));
        }
        hg_margin_free(m);
        world_close(&w);
    }
}

/* Worst loss of the options and futures of BTC, scenario by scenario, one option at a time. */
static double naive_grid(world *w, const hg_pm_terms *t) {
    static const double far[] = {-0.66, -0.33, 0.5, 1, 2, 3, 4, 5};
    double worst = 0;
    for (int s = 0; s < 9 * 3 + 8; s++) {
        bool extended = s >= 27;
        double x = extended ? far[s - 27] : t->price_range * (s / 3 - 4) / 4;
        int vol = extended ? 1 : s % 3 - 1;
        double pnl = 0;
        for (uint32_t id = 0; id < NAMES; id++) {
            const hg_instrument *inst = inst_of(w, id);
            double a = position_of(w, id);
            if (strcmp(inst->settle, "BTC") != 0 || a == 0) {
                continue;
            }
            double f = forward_of(w, id, spots0);
            double to = f * (1 + x);
            if (inst->kind != HG_KIND_OPTION) {
                pnl += a * (1 / f - 1 / to);
                continue;
            }
            double years = (double)(inst->expiry_ns - w->now_ns) / 1e9 / 86400 / 365;
            double days = years * 365;
            double power = days < 30 ? t->short_term_vega_power : t->long_term_vega_power;
            double scale = pow(30 / days, power);
            double iv = vol_of(id);
            double moved = vol > 0   ? fmax(iv * (1 + t->volatility_range_up * scale),
                                            t->min_volatility_for_shock_up)
                           : vol < 0 ? iv * (1 - t->volatility_range_down * scale)
                                     : iv;
            double k = (double)inst->strike / 1e9;
            pnl += a * (black(to, k, years, moved, inst->cp) / to -
                        black(f, k, years, iv, inst->cp) / f);
        }
        if (extended) {
            double edge = x > 0 ? 1 + t->price_range : 1 - t->price_range;
            double usd = pnl * (1 + x) * spots0[0] * t->price_range / fabs(x);
            double off = fmin((fabs(x) / t->price_range - 1) * t->extended_dampener_usd, fabs(usd));
            usd += usd < 0 ? off : 0;
            pnl = usd / (edge * spots0[0]);
        }
        worst = fmax(worst, -pnl);
    }
    return worst;
}

TEST(portfolio_margin_is_the_naive_grid) {
    hg_rng rng;
    hg_rng_init(&rng, 12, 0);
    int extended = 0;
    for (int n = 0; n < 60; n++) {
        world w;
        random_book(&rng, &w, n % 2 ? 20 : 200);
        hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_PORTFOLIO);
        uint32_t btc = hg_universe_find_currency(w.universe, "BTC");
        hg_pm_terms t = hg_pm_terms_default("BTC", false);
        t.min_annualised_move = t.annualised_move_risk = 0; /* the grid alone */
        t.delta_shock_threshold_usd = 1e12;
        t.extended_dampener_usd = n % 3 ? 0 : t.extended_dampener_usd;
        hg_margin_set_terms(m, btc, 0, &t);
        double want = naive_grid(&w, &t);
        hg_pm_terms near = t;
        near.extended_table_factor = 0;
        CHECK_NEAR(account_of(&w, m, "BTC")->initial, want, 1e-6 * (1 + want));
        hg_margin_set_terms(m, btc, 0, &near);
        extended += account_of(&w, m, "BTC")->initial < want * 0.999;
        hg_margin_free(m);
        world_close(&w);
    }
    CHECK(extended > 5); /* the far table decides some of them */
}

/* ---- promises -------------------------------------------------------------------------------- */

TEST(a_hedged_book_asks_no_more_than_its_parts) {
    hg_rng rng;
    hg_rng_init(&rng, 13, 0);
    for (int n = 0; n < 40; n++) {
        double parts = 0;
        double whole = 0;
        double twice = 0;
        double amount[NAMES];
        for (uint32_t id = 0; id < NAMES; id++) {
            amount[id] = hg_rng_uniform(&rng) * 20 - 10;
        }
        for (int part = 0; part < 4; part++) { /* even legs, odd legs, all, twice all */
            world w;
            book_world(&w);
            tell(&w, spots0);
            for (uint32_t id = 0; id < 6; id++) {
                double size = id < 2 ? amount[id] * 60000 : amount[id];
                if (part >= 2 || id % 2 == (uint32_t)part) {
                    hold(&w, id, nearbyint(size * (part == 3 ? 2 : 1) * 1e4) / 1e4, 0);
                }
            }
            tell(&w, spots0);
            hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_PORTFOLIO);
            hg_pm_terms t = hg_pm_terms_default("BTC", false);
            t.extended_dampener_usd = 0; /* a free allowance for each account is not sub-additive */
            hg_margin_set_terms(m, hg_universe_find_currency(w.universe, "BTC"), 0, &t);
            double initial = account_of(&w, m, "BTC")->initial;
            *(part < 2 ? &parts : part == 2 ? &whole : &twice) += initial;
            CHECK(initial >= 0);
            hg_margin_free(m);
            world_close(&w);
        }
        CHECK(whole <= parts * (1 + 1e-9));
        CHECK(twice >= whole * (2 - 1e-4));
    }
}

static void same_total(const hg_margin_total *a, const hg_margin_total *b) {
    double scale = 1e-6 + 1e-9 * (fabs(a->equity) + a->initial + a->notional);
    CHECK_NEAR(a->equity, b->equity, scale);
    CHECK_NEAR(a->margin_balance, b->margin_balance, scale);
    CHECK_NEAR(a->initial, b->initial, scale);
    CHECK_NEAR(a->maintenance, b->maintenance, scale);
    CHECK_NEAR(a->available, b->available, scale);
    CHECK_NEAR(a->notional, b->notional, scale);
    CHECK_NEAR(a->leverage, b->leverage, 1e-7 * (1 + a->leverage));
}

TEST(what_if_is_what_happens) {
    hg_rng rng;
    hg_rng_init(&rng, 14, 0);
    for (int n = 0; n < 80; n++) {
        world w;
        random_book(&rng, &w, 10);
        deposit(&w, "BTC", 30);
        deposit(&w, "ETH", 200);
        deposit(&w, "USDC", 500000);
        hg_margin *m = hg_margin_new(w.portfolio, n % 2 ? HG_MARGIN_PORTFOLIO : HG_MARGIN_STANDARD);
        hg_trade_idea ideas[4];
        for (int i = 0; i < 4; i++) {
            uint32_t id = (uint32_t)(hg_rng_uniform(&rng) * NAMES);
            double amount = random_amount(&rng, &w, id, 5);
            double at = hg_market_mark(w.market, id, w.now_ns) * (0.9 + 0.2 * hg_rng_uniform(&rng));
            hg_ticks price = hg_price_round(inst_of(&w, id), at, 1);
            ideas[i] = (hg_trade_idea){.instrument = id,
                                       .side = amount > 0 ? HG_BUY : HG_SELL,
                                       .lots = 1 + (hg_lots)(fabs(amount) * 1e6),
                                       .price = hg_price_to_double(inst_of(&w, id), price),
                                       .fee = nearbyint(hg_rng_uniform(&rng) * 1e7) / 1e9};
        }
        hg_margin_total before, again, after;
        hg_margin_change change;
        hg_margin_total_of(m, w.now_ns, &before);
        CHECK_EQ(hg_margin_what_if(m, ideas, 4, w.now_ns, &change), HG_OK);
        same_total(&change.before, &before);
        hg_margin_total_of(m, w.now_ns, &again);
        CHECK_MEM(&again, &before, sizeof again); /* nothing has happened */
        for (int i = 0; i < 4; i++) {
            hg_ticks price = ticks(&w, ideas[i].instrument, ideas[i].price);
            CHECK_EQ(hg_portfolio_fill(w.portfolio, ideas[i].instrument, ideas[i].side,
                                       ideas[i].lots, price, nano(ideas[i].fee), w.now_ns),
                     HG_OK);
        }
        hg_margin_total_of(m, w.now_ns, &after);
        same_total(&change.after, &after);
        hg_margin_free(m);
        world_close(&w);
    }
}

/* Least room of the accounts after the market has really moved there. */
static double room_at(world *w, hg_margin *m, double factor) {
    double spot[2] = {spots0[0] * factor, spots0[1]};
    tell(w, spot);
    double least = INFINITY;
    for (uint32_t c = 0; c < hg_universe_currency_count(w->universe); c++) {
        const hg_margin_account *a = &hg_margin_accounts(m, w->now_ns)[c];
        bool touched = c != hg_universe_find_currency(w->universe, "ETH");
        if (a->used && a->maintenance > 0 && touched) {
            least = fmin(least, (a->margin_balance - a->maintenance) * (a->usd > 0 ? 1 : 1));
        }
    }
    return least;
}

TEST(a_liquidation_price_is_where_maintenance_meets_the_margin_balance) {
    hg_rng rng;
    hg_rng_init(&rng, 15, 0);
    int found = 0;
    for (int n = 0; n < 40; n++) {
        world w;
        random_book(&rng, &w, 10);
        deposit(&w, "BTC", 10 + 30 * hg_rng_uniform(&rng));
        deposit(&w, "ETH", 10000);
        deposit(&w, "USDC", 200000 + 500000 * hg_rng_uniform(&rng));
        hg_margin *m = hg_margin_new(w.portfolio, n % 2 ? HG_MARGIN_PORTFOLIO : HG_MARGIN_STANDARD);
        hg_margin_distance d;
        hg_margin_distance_of(m, 0, w.now_ns, &d);
        CHECK_NEAR(d.spot, 60000, 1e-9);
        double sides[] = {d.below, d.above};
        for (int side = 0; side < 2; side++) {
            double edge = sides[side] / d.spot;
            if (edge == 1) {
                CHECK(room_at(&w, m, 1) <= 0); /* there already */
                continue;
            }
            if (sides[side] > 0) {
                found++;
                double out = side ? 1 + 1e-6 : 1 - 1e-6;
                CHECK(room_at(&w, m, edge * out) <= 1e-7);
                CHECK(room_at(&w, m, edge / out) > -1e-7);
            }
            /* Nothing nearer: a walk of its own. */
            double last = sides[side] > 0 ? edge : side ? 5 : 0.2;
            for (int k = 0; k < 40; k++) {
                double at = 1 + (last - 1) * k / 40.0;
                CHECK(room_at(&w, m, at) > 0);
            }
        }
        hg_margin_free(m);
        world_close(&w);
    }
    CHECK(found > 20);
}

TEST(an_unknown_price_is_never_no_margin) {
    world w;
    book_world(&w);
    deposit(&w, "BTC", 1);
    hold(&w, 2, -10, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    const hg_margin_account *a = account_of(&w, m, "BTC");
    CHECK(a->used && !a->known);
    CHECK(!hg_margin_breached(a));
    hg_margin_total total;
    hg_margin_total_of(m, w.now_ns, &total);
    CHECK(!total.known);
    hg_portfolio_pending(w.portfolio, 0, 10, 0);
    CHECK(!hg_margin_admits(m, 0, HG_BUY, 10, 0, w.now_ns));
    hg_margin_free(m);
    world_close(&w);
}

/* ---- admission ------------------------------------------------------------------------------- */

TEST(orders_are_admitted_up_to_the_last_unit_of_margin) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC-PERPETUAL");
    world_open(&w, NULL);
    deposit(&w, "BTC", 0.5);
    value_event(&w, HG_EV_INDEX, 0, 50000);
    mark(&w, perp, 50000, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    /* (2 % + 0.005 % q) q = 0.5: q = 23.6068 BTC = 118,033.9 lots of 10 USD */
    hg_lots most = (hg_lots)floor((-0.02 + sqrt(0.0004 + 4 * 0.00005 * 0.5)) / 0.0001 * 5000);
    for (int side = -1; side <= 1; side += 2) {
        for (hg_lots size = most - 1; size <= most + 2; size++) {
            hg_portfolio_pending(w.portfolio, perp, side > 0 ? size : 0, side < 0 ? size : 0);
            CHECK_EQ(hg_margin_admits(m, perp, (hg_side)side, size, 50000, w.now_ns), size <= most);
        }
    }
    hg_portfolio_pending(w.portfolio, perp, most, 0);
    CHECK(hg_margin_admits(m, perp, HG_BUY, most, 51000, w.now_ns)); /* no premium to pay */
    /* Both sides resting: only the worse one counts. */
    hg_portfolio_pending(w.portfolio, perp, most, most);
    CHECK(hg_margin_admits(m, perp, HG_SELL, most, 50000, w.now_ns));
    hg_portfolio_pending(w.portfolio, perp, most + 1, most);
    CHECK(!hg_margin_admits(m, perp, HG_BUY, 1, 50000, w.now_ns));
    CHECK(hg_margin_admits(m, perp, HG_SELL, most, 50000, w.now_ns)); /* it raises nothing */
    hg_margin_free(m);
    world_close(&w);
}

TEST(an_order_that_reduces_is_admitted_without_margin) {
    for (int model = HG_MARGIN_STANDARD; model <= HG_MARGIN_PORTFOLIO; model++) {
        world w;
        world_init(&w);
        uint32_t perp = world_add(&w, "BTC-PERPETUAL");
        world_open(&w, NULL);
        hold(&w, perp, 100000, 50000);
        value_event(&w, HG_EV_INDEX, 0, 50000);
        mark(&w, perp, 50000, 0);
        hg_margin *m = hg_margin_new(w.portfolio, (hg_margin_model)model);
        hg_portfolio_pending(w.portfolio, perp, 0, 10000);
        CHECK(hg_margin_admits(m, perp, HG_SELL, 10000, 50000, w.now_ns));
        hg_portfolio_pending(w.portfolio, perp, 0, 30000); /* beyond the other side */
        CHECK(!hg_margin_admits(m, perp, HG_SELL, 30000, 50000, w.now_ns));
        hg_portfolio_pending(w.portfolio, perp, 1, 0);
        CHECK(!hg_margin_admits(m, perp, HG_BUY, 1, 50000, w.now_ns));
        hg_margin_free(m);
        hg_margin *none = hg_margin_new(w.portfolio, HG_MARGIN_NONE);
        CHECK(hg_margin_admits(none, perp, HG_BUY, 1, 50000, w.now_ns));
        hg_margin_free(none);
        world_close(&w);
    }
}

TEST(a_bought_option_is_paid_from_the_margin_balance) {
    world w;
    world_init(&w);
    uint32_t id = world_add(&w, "BTC-27MAR26-60000-C");
    world_open(&w, NULL);
    deposit(&w, "BTC", 1);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    value_event(&w, HG_EV_FORWARD, inst_of(&w, id)->expiry_id, 60000);
    mark(&w, id, 0.05, 0.6);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    hg_portfolio_pending(w.portfolio, id, lots(&w, id, 20), 0);
    CHECK(hg_margin_admits(m, id, HG_BUY, lots(&w, id, 20), 0.05, w.now_ns));
    CHECK(!hg_margin_admits(m, id, HG_BUY, lots(&w, id, 20), 0.051, w.now_ns));
    hg_portfolio_pending(w.portfolio, id, lots(&w, id, 20.1), 0);
    CHECK(!hg_margin_admits(m, id, HG_BUY, lots(&w, id, 20.1), 0.05, w.now_ns));
    hg_lots most = 0; /* that can be sold: above the mark or not is the same */
    hg_portfolio_pending(w.portfolio, id, 0, 1);
    while (hg_margin_admits(m, id, HG_SELL, most + 1, 0.05, w.now_ns)) {
        hg_portfolio_pending(w.portfolio, id, 0, ++most + 1);
    }
    CHECK(most > 10);
    hg_portfolio_pending(w.portfolio, id, 0, most);
    CHECK(hg_margin_admits(m, id, HG_SELL, most, 0.2, w.now_ns));
    hg_margin_free(m);
    world_close(&w);
}

TEST(spot_is_paid_in_full_from_the_side_that_is_given) {
    world w;
    world_init(&w);
    uint32_t id = world_add(&w, "BTC_USDC");
    world_open(&w, NULL);
    deposit(&w, "USDC", 60000);
    deposit(&w, "BTC", 2);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, id, 60000, 0);
    hg_margin *m = hg_margin_new(w.portfolio, HG_MARGIN_STANDARD);
    hg_lots one = lots(&w, id, 1);
    hg_margin_use use;
    CHECK(hg_margin_project(m, id, HG_BUY, one, 61000, w.now_ns, &use)); /* dearer than the mark */
    CHECK_NEAR(use.after, 61000, 1e-6);
    CHECK_NEAR(use.balance, 60000, 1e-6);
    CHECK(hg_margin_project(m, id, HG_BUY, one, 59000, w.now_ns, &use));
    CHECK_NEAR(use.after, 60000, 1e-6);
    CHECK(hg_margin_project(m, id, HG_SELL, one, 60000, w.now_ns, &use));
    CHECK_NEAR(use.after, 60000, 1e-6); /* one coin */
    CHECK_NEAR(use.balance, 120000, 1e-6);
    hg_portfolio_pending(w.portfolio, id, one, 2 * one);
    CHECK(hg_margin_admits(m, id, HG_BUY, one, 60000, w.now_ns));
    CHECK(hg_margin_admits(m, id, HG_SELL, 2 * one, 60000, w.now_ns));
    hg_portfolio_pending(w.portfolio, id, one + 1, 2 * one);
    CHECK(!hg_margin_admits(m, id, HG_BUY, one + 1, 60000, w.now_ns));
    CHECK(hg_margin_admits(m, id, HG_SELL, 2 * one, 60000, w.now_ns));
    hg_portfolio_pending(w.portfolio, id, one, 2 * one + 1);
    CHECK(hg_margin_admits(m, id, HG_BUY, one, 60000, w.now_ns));
    CHECK(!hg_margin_admits(m, id, HG_SELL, 2 * one + 1, 60000, w.now_ns));
    hg_margin_free(m);
    world_close(&w);
}
