/* Any six doubles through every entry point of the Greeks: never NaN, never infinite, bounds kept,
 * and the batch kernels agree with the one-option functions on what is bad. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "greeks/american.h"
#include "greeks/bachelier.h"
#include "greeks/batch_int.h"
#include "greeks/batch_vol.h"
#include "greeks/black76.h"
#include "greeks/inverse.h"

enum { NUMBERS = 6, LANES = 9 };

static void all_finite(const double *value, size_t count) {
    for (size_t i = 0; i < count; i++) must(isfinite(value[i]), "outputs are finite");
}

static void one_option(const double *v, int cp) {
    hg_greeks g;
    if (hg_black76_all(v[0], v[1], v[2], v[3], cp, v[4], &g) == HG_OK) {
        all_finite(&g.price, sizeof g / sizeof(double));
        must(g.price >= 0.0 && g.gamma >= 0.0 && g.vega >= 0.0, "prices are not negative");
    }
    hg_inverse_greeks c;
    if (hg_inverse_all(v[0], v[1], v[2], v[3], cp, &c) == HG_OK) {
        all_finite(&c.price, sizeof c / sizeof(double));
        must(c.price >= 0.0, "coin prices are not negative");
    }
    double sigma;
    if (hg_implied_vol(v[5], v[0], v[1], v[2], cp, v[4], &sigma) == HG_OK) {
        must(isfinite(sigma) && sigma >= 0.0, "vols are finite");
    }
    if (hg_bachelier_all(v[0], v[1], v[2], v[3], cp, v[4], &g) == HG_OK) {
        all_finite(&g.price, sizeof g / sizeof(double));
    }
    double price;
    if (hg_american_price(v[0], v[1], v[2], v[3], cp, v[4], v[5], &price) == HG_OK) {
        must(isfinite(price) && price >= 0.0, "American prices are finite");
    }
}

/* The option in one lane, ordinary ones in the others. */
static void one_lane(const double *v, double cp, size_t lane) {
    double in[5][LANES];
    double out[12][LANES];
    const double ordinary[5] = {100.0, 110.0, 0.5, 0.6, -1.0};
    for (int c = 0; c < 5; c++) {
        for (size_t i = 0; i < LANES; i++) in[c][i] = ordinary[c];
        in[c][lane] = c == 4 ? cp : v[c];
    }
    hg_batch_in columns = {in[0], in[1], in[2], in[3], in[4]};
    hg_batch_out results = {out[0], out[1], out[2], out[3], out[4],  out[5],
                            out[6], out[7], out[8], out[9], out[10], out[11]};
    size_t bad = hg_greeks_batch(&columns, &results, LANES);
    for (int c = 0; c < 12; c++) all_finite(out[c], LANES);
    hg_greeks g;
    int sign = cp == 1.0 ? 1 : cp == -1.0 ? -1 : 0;
    int code = hg_black76_all(v[0], v[1], v[2], v[3], sign, 0.0, &g);
    must(bad == (code == HG_OK ? 0 : 1), "the batch refuses what one option refuses");
    if (code != HG_OK) return;
    must(fabs(out[0][lane] - g.price) <= 1e-9 * fmin(v[0], v[1]) + 1e-12 * g.price,
         "the batch agrees with one option");
}

/* Random bits are mostly absurd numbers; this takes them to where options live. */
static void make_plausible(double *v) {
    const double lo[NUMBERS] = {1e-3, 1e-3, 1e-6, 1e-3, 1e-3, 1e-12};
    const double hi[NUMBERS] = {1e6, 1e6, 10.0, 20.0, 0.2, 1e6};
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        v[i] = lo[i] * pow(hi[i] / lo[i], (double)(bits >> 11) * 0x1p-53);
    }
}

/* A vol in a batch, from a good and from a mad start: as that of one option. */
static void one_vol(const double *v, int cp) {
    double sign = cp;
    double starts[2] = {0.5, v[3]};
    for (int i = 0; i < 3; i++) {
        double alone = HG_VOL_BAD;
        double got;
        hg_vol_in in = {&v[5], &v[0], &v[1], &v[2], &sign, i < 2 ? &starts[i] : NULL};
        int code = hg_implied_vol(v[5], v[0], v[1], v[2], cp, 0.0, &alone);
        size_t bad = hg_implied_vol_batch(&in, &got, 1);
        must(bad == (code == HG_OK ? 0 : 1), "the batch has a vol where one option has");
        must(bad ? got == HG_VOL_BAD : isfinite(got) && got >= 0.0, "vols are finite or marked");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    double v[NUMBERS];
    if (size < 1 + sizeof v) return 0;
    memcpy(v, data + 1, sizeof v);
    if (data[0] & 0x80) make_plausible(v);
    one_option(v, data[0] & 1 ? 1 : -1);
    one_vol(v, data[0] & 1 ? 1 : -1);
    double cp = data[0] & 2 ? v[5] : data[0] & 1 ? 1.0 : -1.0;
    one_lane(v, cp, (data[0] >> 2) % LANES);
    return 0;
}
