/* Scenarios: full revaluation against Black-76 one option at a time, and the exact P&L of futures.
 */
#include "app/scenario.h"
#include "greeks/black76.h"
#include "test.h"

#include <math.h>

#define SPOT 88000.0

static hg_leg option(double amount, double strike, int cp, bool inverse) {
    return (hg_leg){.kind = HG_KIND_OPTION,
                    .inverse = inverse,
                    .cp = cp,
                    .amount = amount,
                    .spot = SPOT,
                    .price = 88400,
                    .years = 30 / 365.0,
                    .expires = true,
                    .strike = strike,
                    .sigma = 0.45};
}

static hg_leg future(hg_kind kind, double amount, double price, bool inverse) {
    return (hg_leg){.kind = kind,
                    .inverse = inverse,
                    .amount = amount,
                    .spot = SPOT,
                    .price = price,
                    .years = 30 / 365.0,
                    .expires = kind == HG_KIND_FUTURE};
}

/* The same in plain words: value in USD and delta of one option after a move. */
static hg_outcome by_hand(const hg_leg *leg, double x, double vol, double days) {
    double spot = leg->spot * (1 + x);
    double years = leg->years - days / 365;
    double f = spot * exp(log(leg->price / leg->spot) * years / leg->years);
    hg_greeks now, then;
    CHECK_EQ(hg_black76_all(leg->price, leg->strike, leg->years, leg->sigma, leg->cp, 0, &now), 0);
    CHECK_EQ(hg_black76_all(f, leg->strike, years, leg->sigma + vol, leg->cp, 0, &then), 0);
    double before = leg->inverse ? now.price / leg->price * leg->spot : now.price;
    double after = leg->inverse ? then.price / f * spot : then.price;
    return (hg_outcome){.pnl_usd = leg->amount * (after - before),
                        .delta = leg->amount * then.delta};
}

TEST(options_are_black76_after_the_move) {
    hg_leg legs[100];
    static const double spots[] = {-0.5, -0.2, -0.01, 0, 0.05, 0.8};
    static const double vols[] = {-0.1, 0, 0.25};
    static const double days[] = {0, 1, 29};
    for (int i = 0; i < 100; i++) { /* more than one chunk of columns */
        legs[i] = option(i % 7 - 3.5, 60000 + 600 * i, i % 2 ? 1 : -1, i % 3 != 0);
    }
    for (int n = 0; n < 6 * 3 * 3; n++) {
        double x = spots[n % 6], vol = vols[n / 6 % 3], day = days[n / 18];
        hg_outcome want = {0};
        for (int i = 0; i < 100; i++) {
            hg_outcome one = by_hand(&legs[i], x, vol, day);
            want.pnl_usd += one.pnl_usd;
            want.delta += one.delta;
        }
        hg_outcome got = hg_legs_shock(legs, 100, &(hg_shock){x, vol, day / 365});
        CHECK_NEAR(got.pnl_usd, want.pnl_usd, 1e-6);
        CHECK_NEAR(got.delta, want.delta, 1e-10);
    }
}

TEST(no_move_no_gain) {
    hg_leg legs[] = {option(-10, 80000, -1, true), option(3, 96000, 1, false),
                     future(HG_KIND_PERPETUAL, 88000, 88050, true),
                     future(HG_KIND_FUTURE, 2, 88400, false),
                     future(HG_KIND_SPOT, 1, 88010, false)};
    hg_outcome got = hg_legs_shock(legs, 5, &(hg_shock){0});
    CHECK_EQ(got.pnl_usd == 0, 1);
    hg_greeks put, call;
    CHECK_EQ(hg_black76_all(88400, 80000, 30 / 365.0, 0.45, -1, 0, &put), 0);
    CHECK_EQ(hg_black76_all(88400, 96000, 30 / 365.0, 0.45, 1, 0, &call), 0);
    CHECK_NEAR(got.delta, -10 * put.delta + 3 * call.delta + 88000 / 88050.0 + 2 + 1, 1e-12);
    CHECK_EQ(hg_legs_shock(legs, 0, &(hg_shock){.spot = 0.1}).pnl_usd == 0, 1);
}

TEST(an_inverse_contract_gains_coins_at_the_shocked_spot) {
    hg_leg leg = future(HG_KIND_PERPETUAL, 880000, 88000, true);
    hg_outcome got = hg_legs_shock(&leg, 1, &(hg_shock){.spot = -0.2});
    CHECK_NEAR(got.pnl_usd, (10 - 880000 / 70400.0) * 70400, 1e-9); /* -2.5 coins of 70,400 */
    CHECK_NEAR(got.delta, 12.5, 1e-12);
    got = hg_legs_shock(&leg, 1, &(hg_shock){.spot = 0.25, .vol = 0.3, .years = 1});
    CHECK_NEAR(got.pnl_usd, 2 * 110000, 1e-9); /* a perpetual knows neither vol nor time */
    CHECK_NEAR(got.delta, 8, 1e-12);
}

TEST(a_linear_contract_and_spot_gain_dollars) {
    hg_leg legs[] = {future(HG_KIND_PERPETUAL, -3, 88088, false),
                     future(HG_KIND_SPOT, 2, SPOT, false)};
    hg_outcome got = hg_legs_shock(legs, 1, &(hg_shock){.spot = 0.1});
    CHECK_NEAR(got.pnl_usd, -3 * 8808.8, 1e-9);
    CHECK_NEAR(got.delta, -3, 1e-12);
    got = hg_legs_shock(legs, 2, &(hg_shock){.spot = 0.1});
    CHECK_NEAR(got.pnl_usd, -3 * 8808.8 + 2 * 8800, 1e-9);
    CHECK_NEAR(got.delta, -1, 1e-12);
}

TEST(a_dated_future_converges_to_the_spot) {
    hg_leg leg = future(HG_KIND_FUTURE, 1, SPOT * exp(0.06 * 30 / 365), false);
    hg_outcome got = hg_legs_shock(&leg, 1, &(hg_shock){.years = 10 / 365.0});
    CHECK_NEAR(got.pnl_usd, SPOT * (exp(0.06 * 20 / 365) - exp(0.06 * 30 / 365)), 1e-8);
    got = hg_legs_shock(&leg, 1, &(hg_shock){.spot = 0.1, .years = 40 / 365.0});
    CHECK_NEAR(got.pnl_usd, 1.1 * SPOT - leg.price, 1e-9);
    CHECK_EQ(got.delta == 0, 1);
}

TEST(expired_options_freeze_at_their_payoff) {
    for (int inverse = 0; inverse < 2; inverse++) {
        hg_leg leg = option(-2, 90000, 1, inverse);
        hg_greeks now;
        CHECK_EQ(hg_black76_price(88400, 90000, 30 / 365.0, 0.45, 1, 0, &now.price), 0);
        double before = inverse ? now.price / 88400 * SPOT : now.price;
        for (int vol = -1; vol <= 1; vol++) { /* vol and further days no longer matter */
            hg_shock shock = {
                .spot = 0.1, .vol = 0.2 * vol, .years = (30 + 50 * (vol + 1)) / 365.0};
            hg_outcome got = hg_legs_shock(&leg, 1, &shock);
            CHECK_NEAR(got.pnl_usd, -2 * (96800 - 90000 - before), 1e-8);
            CHECK_EQ(got.delta == 0, 1);
        }
        hg_outcome out_of_money = hg_legs_shock(&leg, 1, &(hg_shock){.years = 0.1});
        CHECK_NEAR(out_of_money.pnl_usd, 2 * before, 1e-8);
    }
}

TEST(vol_has_a_floor_of_a_point) {
    hg_leg leg = option(1, 88400, 1, false);
    hg_outcome deep = hg_legs_shock(&leg, 1, &(hg_shock){.vol = -0.6});
    hg_outcome floor = hg_legs_shock(&leg, 1, &(hg_shock){.vol = -0.44});
    CHECK_NEAR(deep.pnl_usd, floor.pnl_usd, 1e-9);
    leg.sigma = 0.004; /* lower from the start: not raised by a shock of nothing */
    CHECK_EQ(hg_legs_shock(&leg, 1, &(hg_shock){0}).pnl_usd == 0, 1);
    CHECK_EQ(hg_legs_shock(&leg, 1, &(hg_shock){.vol = -0.1}).pnl_usd == 0, 1);
}

/* Small moves are what the Greeks say. */
TEST(small_moves_are_delta_gamma_and_theta) {
    hg_leg leg = option(5, 86000, -1, true);
    leg.price = SPOT;
    hg_greeks g;
    CHECK_EQ(hg_black76_all(SPOT, 86000, leg.years, leg.sigma, -1, 0, &g), 0);
    double h = 1e-4;
    double dx = h * SPOT;
    hg_outcome up = hg_legs_shock(&leg, 1, &(hg_shock){.spot = h});
    CHECK_NEAR(up.pnl_usd, 5 * (g.delta * dx + g.gamma * dx * dx / 2), 1e-3);
    CHECK_NEAR(up.delta, 5 * (g.delta + g.gamma * dx), 1e-5);
    hg_outcome later = hg_legs_shock(&leg, 1, &(hg_shock){.years = 1e-5});
    CHECK_NEAR(later.pnl_usd, 5 * g.theta * 1e-5, 1e-3);
    hg_outcome vol = hg_legs_shock(&leg, 1, &(hg_shock){.vol = 1e-4});
    CHECK_NEAR(vol.pnl_usd, 5 * (g.vega * 1e-4 + g.volga * 1e-8 / 2), 1e-5);
}

TEST(a_grid_is_read) {
    hg_scenario s;
    CHECK_EQ(hg_scenario_parse("spot=-20:20:5,vol=-10:10:5,days=7", &s), 0);
    CHECK_EQ(s.spot_pct.count, 9);
    CHECK_EQ(s.vol_points.count, 5);
    CHECK_EQ(hg_axis_at(&s.spot_pct, 8) == 20, 1);
    hg_shock shock = hg_scenario_shock(&s, 0, 4);
    CHECK_EQ(shock.spot == -0.2 && shock.vol == 0.1, 1);
    CHECK_NEAR(shock.years, 7 / 365.0, 1e-15);
    CHECK_EQ(hg_scenario_parse("vol=0:1:0.1", &s), 0);
    CHECK_EQ(s.spot_pct.count, 1);
    CHECK_EQ(s.vol_points.count, 11);
    CHECK_EQ(hg_axis_at(&s.vol_points, 3) == 0.3, 1); /* not 0.30000000000000004 */
    CHECK_EQ(hg_scenario_parse("spot=-10", &s), 0);
    CHECK_EQ(hg_scenario_shock(&s, 0, 0).spot == -0.1, 1);
    CHECK_EQ(hg_scenario_parse("spot=0:1:0.3", &s), 0); /* the end is not on the grid */
    CHECK_EQ(s.spot_pct.count, 4);
}

TEST(a_wrong_grid_is_named) {
    static const char *const wrong[] = {
        "",           "spot",      "spot=",         "spot=a:b:c", "spot=1:2",      "spot=1:2:3:4",
        "spot=2:1:1", "vol=0:1:0", "vol=0:1:-1",    "spot=-100",  "spot=-120:0:5", "days=-1",
        "days=1:2:1", "days=nan",  "vol=inf",       "spt=1",      "spot=0:1:1e-9", "spot=1,,vol=1",
        "spot=1,",    "=1",        "vol=1 ,days=1", "spot=1e9"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hg_scenario s = {.days = 99};
        CHECK_EQ(hg_scenario_parse(wrong[i], &s), HG_EUSAGE);
        CHECK_EQ(s.days == 99, 1);
    }
    hg_scenario s;
    CHECK_EQ(hg_scenario_parse("spt=1", &s), HG_EUSAGE);
    CHECK_STR(hg_error_text(), "--scenario: unknown part 'spt'");
    CHECK_STR(hg_error_advice(), "did you mean spot=?");
}
