/* Prices after a common move, by every kernel, against Black-76 one by one; ranges without end. */
#include "base/rng.h"
#include "greeks/batch_int.h"
#include "greeks/black76.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 333, ROOM = (N + HG_MOVED_STEP - 1) / HG_MOVED_STEP * HG_MOVED_STEP };

static struct {
    double f[ROOM], k[ROOM], t[ROOM], sigma[ROOM], cp[ROOM], x[ROOM], root_t[ROOM], ratio[ROOM];
} in;

static void draw(hg_rng *rng, bool wild) {
    for (int i = 0; i < ROOM; i++) {
        in.f[i] = 60000 * exp(0.3 * hg_rng_normal(rng));
        in.k[i] = i % 7 == 0 ? in.f[i] : in.f[i] * exp(0.6 * hg_rng_normal(rng));
        in.t[i] = exp(-9 + 9 * hg_rng_uniform(rng));
        in.sigma[i] = 0.02 + 1.5 * hg_rng_uniform(rng);
        in.cp[i] = hg_rng_below(rng, 2) ? 1 : -1;
        in.ratio[i] = i % 3 ? 1 : 0.3 + hg_rng_uniform(rng);
        if (wild && hg_rng_below(rng, 4) == 0) {
            static const double odd[] = {0, 1e-300, 1e-20, 1e300, 5000, -1, INFINITY};
            double *const column[] = {in.f, in.k, in.t, in.sigma};
            column[hg_rng_below(rng, 4)][i] = odd[hg_rng_below(rng, 7)];
        }
        in.x[i] = log(in.f[i] / in.k[i]);
        in.root_t[i] = sqrt(in.t[i]);
    }
}

static void check_kernel(const char *name, const hg_move *move) {
    static double worth[ROOM];
    const hg_moved_in columns = {in.f, in.k, in.t, in.sigma, in.cp, in.x, in.root_t, in.ratio};
    if (!hg_moved_run_named(name, &columns, move, worth, N)) {
        return;
    }
    for (int i = 0; i < N; i++) {
        double sigma = fmax(in.sigma[i] + move->vol, fmin(in.sigma[i], move->vol_floor));
        double f = in.f[i] * move->up;
        double price = 0;
        if (hg_black76_price(f, in.k[i], in.t[i], sigma, (int)in.cp[i], 0, &price) < 0) {
            price = 0;
            hg_error_clear();
        }
        CHECK_NEAR(worth[i], in.ratio[i] * price, 1e-13 * fmax(f, in.k[i]));
    }
}

static void check_all(bool wild) {
    hg_rng rng;
    hg_rng_init(&rng, 27, 1000);
    for (int round = 0; round < 200; round++) {
        double up = round % 5 ? exp(0.4 * hg_rng_normal(&rng)) : 1;
        hg_move move = {.up = up,
                        .ln_up = log(up),
                        .vol = round % 3 ? 0.4 * hg_rng_normal(&rng) : 0,
                        .vol_floor = 0.01};
        draw(&rng, wild);
        check_kernel("avx512", &move);
        check_kernel("avx2", &move);
        check_kernel("portable", &move);
    }
}

TEST(moved_prices_are_those_of_black76) {
    check_all(false);
}

TEST(what_is_out_of_range_spoils_no_neighbour) {
    check_all(true);
}
