/* American options: published values, a binomial tree, symmetry, bounds and the special cases. */
#include "greeks/american.h"
#include "greeks/american_int.h"
#include "greeks/black76.h"
#include "greeks/scalar_int.h"
#include "test_greeks_kit.h"

static double american(double s, double k, double t, double sigma, int cp, double r, double q) {
    double price;
    CHECK_EQ(hg_american_price(s, k, t, sigma, cp, r, q, &price), HG_OK);
    CHECK(isfinite(price));
    return price;
}

static double european(double s, double k, double t, double sigma, int cp, double r, double q) {
    double price;
    CHECK_EQ(hg_black76_price(s * exp((r - q) * t), k, t, sigma, cp, r, &price), HG_OK);
    return price;
}

/* Andersen, Lake, Offengenden (2016), table 2: the premium over the European put is 0.106952702747.
 * The second value is QuantLib's QdFp engine in its high precision scheme, 10.6085976. */
TEST(matches_published_values) {
    double premium = american(100, 100, 1, 0.25, -1, 0.05, 0.05) -
                     european(100, 100, 1, 0.25, -1, 0.05, 0.05);
    CHECK_NEAR(premium, 0.106952702747, 1e-6);
    CHECK_NEAR(american(100, 100, 1, 0.30, -1, 0.03, 0.0), 10.6085976, 1e-6);
}

typedef struct misses {
    double squares, worst;
    int rows;
} misses;

static void take_row(const double *v, void *ctx) {
    misses *m = ctx;
    double price = american(v[0], v[1], v[2], v[3], (int)v[4], v[5], v[6]);
    double miss = fabs(price - v[7]) / v[0];
    m->squares += miss * miss;
    m->worst = fmax(m->worst, miss);
    m->rows++;
}

/* What the header promises, in units of the spot: 1e-6. */
TEST(agrees_with_another_implementation) {
    misses m = {0};
    kit_each_row("tests/vectors/greeks_american.tsv", 8, take_row, &m);
    CHECK_EQ(m.rows, 300);
    printf("note: 300 American options, of spot: worst %.1e, rms %.1e\n", m.worst,
           sqrt(m.squares / m.rows));
    CHECK(m.worst <= 1e-6);
}

/* The boundary and the premium by both builds of the arithmetic. */
TEST(does_the_same_with_and_without_vectors) {
    if (!hg_has_fma()) SKIP("this CPU has no AVX2 to compare with");
    unsigned long long seed = 35;
    for (int i = 0; i < 500; i++) {
        hg_american_put a = {.k = 100, .x = 100};
        a.sigma = kit_log_uniform(&seed, 0.1, 1.2);
        a.r = kit_uniform(&seed, 0.001, 0.15);
        a.q = kit_uniform(&seed, 0, a.r);
        a.t_max = kit_log_uniform(&seed, 0.01, 2);
        a.root_max = sqrt(a.t_max);
        for (int n = 0; n < NODES; n++) a.ln_b[n] = -0.05 * (1.01 + hg_american_cos[n]);
        hg_american_put b = a;
        hg_american_boundary_portable(&a);
        hg_american_boundary_avx2(&b);
        CHECK_NEAR(hg_american_premium_avx2(&b, 100, 0), hg_american_premium_portable(&a, 100, 0),
                   2e-5);
    }
}

/* Cox, Ross, Rubinstein with the last step European (Broadie and Detemple's BBS). */
static double tree(double s, double k, double t, double sigma, int cp, double r, double q, int n) {
    static double value[1201];
    double dt = t / n;
    double u = exp(sigma * sqrt(dt));
    double p = (exp((r - q) * dt) - 1 / u) / (u - 1 / u);
    double discount = exp(-r * dt);
    for (int i = 0; i < n; i++) {
        double at = s * pow(u, 2 * i - (n - 1));
        value[i] = fmax(cp * (at - k), european(at, k, dt, sigma, cp, r, q));
    }
    for (int step = n - 2; step >= 0; step--) {
        for (int i = 0; i <= step; i++) {
            double wait = discount * (p * value[i + 1] + (1 - p) * value[i]);
            value[i] = fmax(wait, cp * (s * pow(u, 2 * i - step) - k));
        }
    }
    return value[0];
}

TEST(agrees_with_a_binomial_tree) {
    unsigned long long seed = 31;
    for (int i = 0; i < 60; i++) {
        double k = 100 * exp(kit_uniform(&seed, -0.4, 0.4));
        double t = kit_log_uniform(&seed, 0.02, 2);
        double sigma = kit_uniform(&seed, 0.15, 1.0);
        double r = kit_uniform(&seed, 0, 0.1);
        double q = kit_uniform(&seed, 0, 0.1);
        int cp = i % 2 ? 1 : -1;
        double rough = tree(100, k, t, sigma, cp, r, q, 200);
        double fine = tree(100, k, t, sigma, cp, r, q, 400);
        double got = american(100, k, t, sigma, cp, r, q);
        CHECK_NEAR(got, 2 * fine - rough, 3e-3 + 2e-4 * got);
    }
}

TEST(keeps_bounds_and_order) {
    unsigned long long seed = 32;
    for (int i = 0; i < 3000; i++) {
        double k = 100 * exp(kit_uniform(&seed, -0.6, 0.6));
        double t = kit_log_uniform(&seed, 1e-3, 3);
        double sigma = kit_log_uniform(&seed, 0.05, 2.0);
        double r = kit_uniform(&seed, 0, 0.15);
        double q = kit_uniform(&seed, 0, 0.15);
        int cp = i % 2 ? 1 : -1;
        double price = american(100, k, t, sigma, cp, r, q);
        CHECK(price >= fmax(cp * (100 - k), 0));
        CHECK(price >= european(100, k, t, sigma, cp, r, q) - 1e-11);
        CHECK(price <= (cp > 0 ? 100 : k));
        /* More time is worth more, to the accuracy of the method. */
        CHECK(american(100, k, 1.1 * t, sigma, cp, r, q) >= price - 1e-3);
    }
}

TEST(call_is_the_put_with_asset_and_money_exchanged) {
    unsigned long long seed = 33;
    for (int i = 0; i < 300; i++) {
        double k = kit_uniform(&seed, 60, 160);
        double r = kit_uniform(&seed, 0, 0.1);
        double q = kit_uniform(&seed, 0, 0.1);
        CHECK(american(100, k, 0.5, 0.4, 1, r, q) == american(k, 100, 0.5, 0.4, -1, q, r));
    }
}

TEST(is_european_where_waiting_is_free) {
    CHECK(american(100, 110, 1, 0.4, 1, 0.05, 0.0) == european(110, 100, 1, 0.4, -1, 0.0, 0.05));
    CHECK_NEAR(american(100, 110, 1, 0.4, 1, 0.05, 0.0), european(100, 110, 1, 0.4, 1, 0.05, 0.0),
               1e-12);
    CHECK_NEAR(american(100, 110, 1, 0.4, -1, 0.0, 0.02), european(100, 110, 1, 0.4, -1, 0.0, 0.02),
               1e-12);
    CHECK_NEAR(american(100, 110, 1, 0.4, -1, -0.02, 0.0),
               european(100, 110, 1, 0.4, -1, -0.02, 0.0), 1e-12);
}

TEST(has_limits_and_refuses_bad_input) {
    double price = 42;
    CHECK(american(100, 110, 0, 0.4, -1, 0.05, 0) == 10);
    CHECK(american(100, 110, 1, 0, -1, 0.05, 0) == 10);
    CHECK_NEAR(american(20, 100, 1, 0.3, -1, 0.05, 0), 80, 1e-12); /* below the boundary */
    CHECK_EQ(hg_american_price(NAN, 100, 1, 0.3, -1, 0, 0, &price), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_american_price(100, 100, 1, 0.3, -1, INFINITY, 0, &price), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_american_price(100, 100, 1, 0.3, -1, 0, NAN, &price), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_american_price(100, 0, 1, 0.3, -1, 0, 0, &price), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_american_price(100, 100, 1, 0.3, 0, 0, 0, &price), HG_GREEKS_BAD_INPUT);
    /* Two boundaries: not covered. */
    CHECK_EQ(hg_american_price(100, 100, 1, 0.3, -1, -0.02, -0.05, &price), HG_GREEKS_BAD_INPUT);
    CHECK(price == 42);
}

/* Odd but legal corners: finite, within bounds. */
TEST(survives_extremes) {
    const double spots[] = {1e-6, 1.0, 100.0, 1e8};
    const double times[] = {1e-8, 1e-3, 1.0, 50.0};
    const double vols[] = {1e-4, 0.01, 0.5, 10.0};
    const double rates[] = {0.0, 1e-12, 0.05, 1.0};
    for (int i = 0; i < 4 * 4 * 4 * 4 * 4; i++) {
        double s = spots[i & 3];
        double t = times[i >> 2 & 3];
        double sigma = vols[i >> 4 & 3];
        double r = rates[i >> 6 & 3];
        double q = rates[i >> 8 & 3];
        double put = american(s, 100, t, sigma, -1, r, q);
        CHECK(put >= fmax(100 - s, 0) && put <= 100);
    }
}
