/* Surfaces: quotes to points, fitting, reading in time and strike, skew, and judging quotes. */
#include "greeks/black76.h"
#include "greeks/surface.h"
#include "test.h"
#include "test_greeks_kit.h"

#include <float.h>
#include <string.h>

/* --- quotes --- */

static const double forward = 60000, years = 0.1;

static hg_smile_quote quote_of(double strike, int cp, double sigma, double half_width) {
    double price;
    CHECK_EQ(hg_black76_price(forward, strike, years, sigma, cp, 0, &price), 0);
    return (hg_smile_quote){strike, cp, price - half_width, price + half_width, 1.0, 1};
}

TEST(points_carry_vol_and_error) {
    hg_smile_filter filter = hg_smile_filter_default();
    hg_smile_point points[HG_SMILE_POINTS_MAX];
    hg_smile_count count;
    hg_smile_quote q = quote_of(66000, 1, 0.6, 25);
    CHECK_EQ(hg_smile_points(&q, 1, forward, years, &filter, points, &count), 1);
    CHECK_EQ(count.used, 1);
    CHECK_NEAR(points[0].k, log(1.1), 1e-15);
    CHECK_NEAR(points[0].w, 0.36 * years, 1e-13);
    /* The price error of 25 through vega, as an error of w = sigma^2 T. */
    hg_greeks g;
    CHECK_EQ(hg_black76_all(forward, 66000, years, 0.6, 1, 0, &g), 0);
    CHECK_NEAR(points[0].error, 2 * 0.6 * years * 25 / g.vega, 1e-12);
    /* A very narrow quote is believed to 0.1 vol points, no closer. */
    q = quote_of(66000, 1, 0.6, 1e-9);
    CHECK_EQ(hg_smile_points(&q, 1, forward, years, &filter, points, &count), 1);
    CHECK_NEAR(points[0].error, 2 * 0.6 * years * 0.001, 1e-9);
}

TEST(bad_quotes_are_counted_out) {
    hg_smile_filter filter = hg_smile_filter_default();
    filter.age_s_max = 30;
    hg_smile_quote q[] = {
        quote_of(60000, 1, 0.6, 30),  quote_of(66000, 1, 0.6, 30), quote_of(66000, 1, 0.6, 30),
        quote_of(66000, 1, 0.6, 30),  quote_of(66000, 1, 0.6, 30), quote_of(66000, 1, 0.6, 30),
        quote_of(66000, -1, 0.6, 30), quote_of(54000, 1, 0.6, 30), quote_of(66000, 1, 0.6, 30),
    };
    q[1].bid = 0;               /* ask only */
    q[2].ask = NAN;             /* bid only */
    q[3].age_s = 31;            /* stale */
    q[4].bid = q[4].ask * 1.01; /* crossed */
    q[5].bid = q[5].ask = 0;    /* nothing */
    q[7].bid = 1, q[7].ask = 2; /* below intrinsic */
    q[8].strike = NAN;          /* no strike; q[6] is in the money */
    hg_smile_point points[HG_SMILE_POINTS_MAX];
    hg_smile_count c;
    CHECK_EQ(hg_smile_points(q, 9, forward, years, &filter, points, &c), 3);
    CHECK_EQ(c.used, 1);
    CHECK_EQ(c.one_sided, 2);
    CHECK_EQ(c.stale, 1);
    CHECK_EQ(c.crossed, 1);
    CHECK_EQ(c.unusable, 3);
    CHECK_EQ(c.in_the_money, 1);
    CHECK_EQ(points[1].side, HG_SMILE_ASK_ONLY);
    CHECK_EQ(points[2].side, HG_SMILE_BID_ONLY);
    q[0].age_s = NAN; /* an unknown age is not a young one */
    CHECK_EQ(hg_smile_points(q, 1, forward, years, &filter, points, &c), 0);
    CHECK_EQ(hg_smile_points(q, 1, NAN, years, &filter, points, &c), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_smile_points(q, 1, forward, 0, &filter, points, &c), HG_GREEKS_BAD_INPUT);
}

TEST(of_too_many_quotes_the_exact_are_kept) {
    static hg_smile_quote q[300];
    for (int i = 0; i < 300; i++) q[i] = quote_of(60000 + 10 * i, 1, 0.6, i % 3 ? 40 : 4);
    hg_smile_filter filter = hg_smile_filter_default();
    hg_smile_point points[HG_SMILE_POINTS_MAX];
    hg_smile_count c;
    CHECK_EQ(hg_smile_points(q, 300, forward, years, &filter, points, &c), HG_SMILE_POINTS_MAX);
    CHECK_EQ(c.used, HG_SMILE_POINTS_MAX);
    CHECK_EQ(c.unusable, 300 - HG_SMILE_POINTS_MAX);
    int exact = 0;
    for (int i = 0; i < HG_SMILE_POINTS_MAX; i++) {
        double vol_error = points[i].error / (2 * sqrt(points[i].w * years));
        exact += vol_error < 0.002;
    }
    CHECK_EQ(exact, 100);
}

/* --- a chain --- */

enum { EXPIRIES = 6, STRIKES = 21 };

typedef struct chain {
    hg_smile_quote quotes[EXPIRIES][2 * STRIKES];
    hg_surface_expiry expiries[EXPIRIES];
} chain;

static chain market;
static hg_surface_work work;
static const hg_ssvi truth = {-0.3, 1.0, 0.4};

static hg_svi truth_at(double t) {
    hg_essvi slice;
    hg_svi svi;
    CHECK_EQ(hg_ssvi_slice(&truth, 0.36 * t, &slice), 0);
    CHECK_EQ(hg_essvi_to_svi(&slice, &svi), 0);
    return svi;
}

/* Calls and puts around an SSVI surface of 60% vol, forwards rising by 5% a year. */
static void market_make(double width) {
    static const double times[EXPIRIES] = {0.003, 0.02, 0.08, 0.25, 0.5, 1.0};
    for (int i = 0; i < EXPIRIES; i++) {
        double t = times[i];
        double f = forward * exp(0.05 * t);
        hg_svi svi = truth_at(t);
        for (int j = 0; j < 2 * STRIKES; j++) {
            double k = 0.6 * sqrt(t) * 2.2 * (j / 2 - STRIKES / 2) / (STRIKES / 2);
            double strike = f * exp(k);
            int cp = j % 2 ? 1 : -1;
            double w, price;
            hg_greeks g;
            CHECK_EQ(hg_svi_variance(&svi, k, &w), 0);
            CHECK_EQ(hg_black76_price(f, strike, t, sqrt(w / t), cp, 0, &price), 0);
            CHECK_EQ(hg_black76_all(f, strike, t, sqrt(w / t), cp, 0, &g), 0);
            double half = fmin(width * g.vega, 0.5 * price);
            market.quotes[i][j] = (hg_smile_quote){strike, cp, price - half, price + half, 1, 1};
        }
        market.expiries[i] = (hg_surface_expiry){100 + i, t, f, market.quotes[i], 2 * STRIKES};
    }
}

static void surface_make(hg_surface_model model, hg_surface *s) {
    hg_surface_options o = hg_surface_options_default();
    o.model = model;
    s->n = 0;
    CHECK_EQ(hg_surface_fit(market.expiries, EXPIRIES, &o, &work, s), 0);
    CHECK_EQ(s->n, EXPIRIES);
}

static double iv_of(const hg_surface *s, double t, double strike) {
    double sigma;
    CHECK_EQ(hg_surface_iv(s, t, strike, &sigma), 0);
    return sigma;
}

static double w_of(const hg_surface *s, double k, double t) {
    double w;
    CHECK_EQ(hg_surface_total_variance(s, k, t, &w), 0);
    return w;
}

TEST(every_model_returns_the_vols_of_the_quotes) {
    static const double allowed[3] = {1e-3, 1e-3, 0.02};
    market_make(0.005);
    for (int model = HG_SURFACE_ESSVI; model <= HG_SURFACE_SABR; model++) {
        hg_surface s;
        surface_make((hg_surface_model)model, &s);
        double worst = 0;
        for (int i = 0; i < EXPIRIES; i++) {
            hg_svi svi = truth_at(s.slices[i].t);
            double deviation = 0.6 * sqrt(s.slices[i].t);
            for (double k = -1.8 * deviation; k < 1.8 * deviation; k += 0.1 * deviation) {
                double w;
                CHECK_EQ(hg_svi_variance(&svi, k, &w), 0);
                double strike = s.slices[i].forward * exp(k);
                double off = iv_of(&s, s.slices[i].t, strike) - sqrt(w / s.slices[i].t);
                worst = fmax(worst, fabs(off));
            }
        }
        printf("model %d: worst vol error %.5f\n", model, worst);
        CHECK(worst < allowed[model]);
    }
}

TEST(time_is_linear_in_total_variance) {
    hg_surface s;
    market_make(0.005);
    surface_make(HG_SURFACE_ESSVI, &s);
    for (double k = -0.5; k <= 0.5; k += 0.05) {
        for (int i = 1; i < s.n; i++) {
            double near = s.slices[i - 1].t, far = s.slices[i].t;
            double middle = w_of(&s, k, 0.25 * near + 0.75 * far);
            CHECK_NEAR(middle, 0.25 * w_of(&s, k, near) + 0.75 * w_of(&s, k, far), 1e-14);
        }
        /* Flat vol before the first, at-the-money variance beyond the last. */
        double first = s.slices[0].t, last = s.slices[s.n - 1].t;
        CHECK_NEAR(w_of(&s, k, first / 3), w_of(&s, k, first) / 3, 1e-16);
        CHECK_NEAR(w_of(&s, k, 2 * last), w_of(&s, k, last) + w_of(&s, 0, last), 1e-14);
        /* Never falling in time: no calendar arbitrage between and beyond the slices either. */
        double before = 0;
        for (double t = 0.001; t < 3; t *= 1.07) {
            double w = w_of(&s, k, t);
            CHECK(w >= before);
            before = w;
        }
    }
    double f;
    CHECK_EQ(hg_surface_forward(&s, 0.04, &f), 0);
    CHECK_NEAR(f, forward * exp(0.05 * 0.04), 1e-6);
    CHECK_EQ(hg_surface_forward(&s, 5, &f), 0);
    CHECK_NEAR(f, s.slices[s.n - 1].forward, 1e-9);
}

/* Between two slices the smile still has a density: g >= 0 by differences. */
TEST(interpolated_smiles_have_a_density) {
    hg_surface s;
    market_make(0.005);
    surface_make(HG_SURFACE_ESSVI, &s);
    double least = 1;
    for (double t = 0.0015; t < 2; t *= 1.15) {
        double deviation = sqrt(w_of(&s, 0, t));
        double h = 0.02 * deviation;
        for (double k = -5 * deviation; k <= 5 * deviation; k += 0.1 * deviation) {
            double w = w_of(&s, k, t), up = w_of(&s, k + h, t), down = w_of(&s, k - h, t);
            double w1 = (up - down) / (2 * h), w2 = (up - 2 * w + down) / (h * h);
            double lean = 1 - k * w1 / (2 * w);
            least = fmin(least, lean * lean - w1 * w1 / 4 * (1 / w + 0.25) + w2 / 2);
        }
    }
    printf("least g %.4f\n", least);
    CHECK(least > 0);
}

TEST(arbitrage_is_found_where_it_is) {
    hg_surface s;
    hg_surface_check c;
    market_make(0.005);
    surface_make(HG_SURFACE_ESSVI, &s);
    CHECK_EQ(hg_surface_is_free_of_arbitrage(&s, &c), 0);
    CHECK(c.is_free && c.butterfly_at == -1 && c.calendar_at == -1 && c.g_min >= 0);
    hg_surface spoilt = s;
    spoilt.slices[3].svi = s.slices[2].svi;
    spoilt.slices[3].svi.a -= 1e-6;
    CHECK_EQ(hg_surface_is_free_of_arbitrage(&spoilt, &c), 0);
    CHECK(!c.is_free && c.calendar_at == 3 && c.gap_min < 0);
    spoilt = s;
    spoilt.slices[5].svi = (hg_svi){-0.0410, 0.1331, 0.3060, 0.3586, 0.4153}; /* Vogt's */
    CHECK_EQ(hg_surface_is_free_of_arbitrage(&spoilt, &c), 0);
    CHECK(!c.is_free && c.butterfly_at == 5);
    CHECK_NEAR(c.g_min, -0.03286, 5e-6);
}

TEST(skew_is_what_the_smile_says) {
    market_make(0.005);
    for (int model = HG_SURFACE_ESSVI; model <= HG_SURFACE_SABR; model++) {
        hg_surface s;
        hg_surface_skew o;
        surface_make((hg_surface_model)model, &s);
        for (double t = 0.002; t < 2; t *= 1.7) {
            double f, delta_slope;
            hg_greeks g;
            CHECK_EQ(hg_surface_skew_at(&s, t, &o), 0);
            CHECK_EQ(hg_surface_forward(&s, t, &f), 0);
            CHECK_NEAR(o.atm_vol, iv_of(&s, t, f), 1e-12);
            double call = f * exp(o.k_call_25), put = f * exp(o.k_put_25);
            CHECK_NEAR(o.call_25, iv_of(&s, t, call), 1e-9);
            CHECK_EQ(hg_black76_all(f, call, t, o.call_25, 1, 0, &g), 0);
            CHECK_NEAR(g.delta, 0.25, 1e-8);
            CHECK_EQ(hg_black76_all(f, put, t, o.put_25, -1, 0, &g), 0);
            CHECK_NEAR(g.delta, -0.25, 1e-8);
            CHECK(o.risk_reversal < 0 && o.butterfly > 0 && o.slope < 0);
            CHECK_NEAR(o.butterfly + o.atm_vol, 0.5 * (o.call_25 + o.put_25), 1e-12);
            CHECK_EQ(hg_surface_iv_slope(&s, t, f, &delta_slope), 0);
            CHECK_NEAR(delta_slope, o.slope, 1e-6);
            CHECK_NEAR(o.forward_vol, 0.6, 0.03);
        }
    }
}

TEST(quotes_are_judged_against_the_fit) {
    hg_surface s;
    hg_surface_rich r;
    market_make(0.005);
    surface_make(HG_SURFACE_ESSVI, &s);
    hg_surface_slice *slice = &s.slices[3];
    double strike = slice->forward * 1.1;
    double fit = iv_of(&s, slice->t, strike);
    double price, rich_price;
    CHECK_EQ(hg_black76_price(slice->forward, strike, slice->t, fit, 1, 0, &price), 0);
    CHECK_EQ(hg_black76_price(slice->forward, strike, slice->t, fit + 0.02, 1, 0, &rich_price), 0);
    hg_smile_quote q = {strike, 1, rich_price - 10, rich_price + 10, 0, 1};
    CHECK_EQ(hg_surface_judge(&s, slice->t, slice->forward, &q, &r), 0);
    CHECK(r.has_bid && r.has_ask);
    CHECK_NEAR(r.fit_vol, fit, 1e-12);
    CHECK_NEAR(r.vol, 0.02, 1e-10);
    CHECK_NEAR(r.price, rich_price - price, 1e-8);
    CHECK_NEAR(r.widths, (rich_price - price) / 10, 1e-8);
    CHECK_NEAR(r.buy_edge, price - rich_price - 10, 1e-8);
    CHECK_NEAR(r.sell_edge, rich_price - 10 - price, 1e-8);
    q.bid = 0;
    CHECK_EQ(hg_surface_judge(&s, slice->t, slice->forward, &q, &r), 0);
    CHECK(!r.has_bid && r.has_ask && r.vol == 0 && r.sell_edge == 0);
    CHECK_NEAR(r.buy_edge, price - rich_price - 10, 1e-8);
}

TEST(warm_fit_is_as_good_and_shorter) {
    market_make(0.005);
    for (int model = HG_SURFACE_ESSVI; model <= HG_SURFACE_SABR; model++) {
        hg_surface s;
        hg_surface_options o = hg_surface_options_default();
        o.model = (hg_surface_model)model;
        surface_make(o.model, &s);
        hg_surface cold = s;
        CHECK_EQ(hg_surface_fit(market.expiries, EXPIRIES, &o, &work, &s), 0);
        int saved = 0;
        for (int i = 0; i < EXPIRIES; i++) {
            saved += cold.slices[i].quality.evals - s.slices[i].quality.evals;
            CHECK(s.slices[i].quality.rms <= cold.slices[i].quality.rms + 0.01);
        }
        CHECK(saved > 30 * EXPIRIES);
    }
}

/* An expiry without quotes is left out; the others and the surface are as good as before. */
TEST(empty_expiries_are_left_out) {
    hg_surface s = {.n = 0}, before;
    hg_surface_options o = hg_surface_options_default();
    market_make(0.005);
    market.expiries[2].n = 0;
    for (int j = 0; j < 2 * STRIKES; j++) market.quotes[4][j].bid = 0;
    CHECK_EQ(hg_surface_fit(market.expiries, EXPIRIES, &o, &work, &s), 0);
    CHECK_EQ(s.n, EXPIRIES - 2);
    CHECK_EQ(s.slices[2].key, 103);
    memcpy(&before, &s, sizeof s);
    for (int i = 0; i < EXPIRIES; i++) market.expiries[i].n = 0;
    CHECK_EQ(hg_surface_fit(market.expiries, EXPIRIES, &o, &work, &s), HG_GREEKS_BAD_INPUT);
    market.expiries[1].t = NAN;
    CHECK_EQ(hg_surface_fit(market.expiries, EXPIRIES, &o, &work, &s), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_fit(market.expiries, 0, &o, &work, &s), HG_GREEKS_BAD_INPUT);
    CHECK_MEM(&before, &s, sizeof s);
}

TEST(an_empty_surface_answers_nothing) {
    hg_surface s = {.n = 0};
    hg_surface_skew skew;
    hg_surface_check check;
    double x = 7;
    CHECK_EQ(hg_surface_iv(&s, 1, 60000, &x), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_total_variance(&s, 0, 1, &x), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_skew_at(&s, 1, &skew), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_is_free_of_arbitrage(&s, &check), HG_GREEKS_BAD_INPUT);
    market_make(0.005);
    surface_make(HG_SURFACE_ESSVI, &s);
    CHECK_EQ(hg_surface_iv(&s, 0, 60000, &x), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_iv(&s, NAN, 60000, &x), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_iv(&s, 1, NAN, &x), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_surface_iv(&s, 1, -1, &x), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(x, 7);
}

/* Hostile quotes: whatever they are, a number in range or an error comes out. */
TEST(random_quotes_never_break_the_fit) {
    unsigned long long seed = 9;
    static hg_smile_quote q[3][24];
    for (int round = 0; round < 400; round++) {
        hg_surface_expiry e[3];
        double t = kit_log_uniform(&seed, 1e-6, 0.1);
        for (int i = 0; i < 3; i++, t *= kit_log_uniform(&seed, 1.0001, 30)) {
            for (int j = 0; j < 24; j++) {
                double price = kit_log_uniform(&seed, 1e-9, 10);
                q[i][j] = (hg_smile_quote){kit_log_uniform(&seed, 0.05, 20),
                                           kit_uniform(&seed, -1, 1) > 0 ? 1 : -1,
                                           price * kit_uniform(&seed, -0.2, 1),
                                           price * kit_uniform(&seed, 0.8, 3),
                                           0,
                                           1};
            }
            e[i] = (hg_surface_expiry){i, t, 1, q[i], (int)kit_uniform(&seed, 0, 25)};
        }
        hg_surface s = {.n = 0};
        hg_surface_options o = hg_surface_options_default();
        o.model = (hg_surface_model)(round % 3);
        if (hg_surface_fit(e, 3, &o, &work, &s) != 0) continue;
        hg_surface_check check;
        CHECK_EQ(hg_surface_is_free_of_arbitrage(&s, &check), 0);
        if (o.model == HG_SURFACE_ESSVI) CHECK(check.is_free);
        if (o.model == HG_SURFACE_SVI) CHECK_EQ(check.butterfly_at, -1);
        for (double strike = 0.01; strike < 100; strike *= 1.5) {
            double sigma;
            if (hg_surface_iv(&s, t / 7, strike, &sigma) == 0) CHECK(isfinite(sigma) && sigma >= 0);
        }
    }
}
