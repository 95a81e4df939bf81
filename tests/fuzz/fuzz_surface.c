/* Any chain of quotes through the fits: never NaN, eSSVI always free of arbitrage, a start never
 * breaks the next fit, and every quote is told what became of it. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "greeks/surface.h"

enum { QUOTE_BYTES = 8, EXPIRIES = 4, QUOTES = 160 };

static hg_surface_work work;
static hg_smile_quote quotes[EXPIRIES][QUOTES];

/* One byte: mostly a number near `typical`, sometimes what no quote should hold. */
static double number(uint8_t byte, double typical) {
    static const double odd[] = {0,     -1.0, NAN, INFINITY, -INFINITY, 1e-300,
                                 1e300, 1e-9, 1e9, 5e-324,   -0.0,      1e15};
    if (byte < sizeof odd / sizeof *odd) return odd[byte];
    return typical * exp(((double)byte - 128.0) / 64.0);
}

static hg_smile_quote quote_read(const uint8_t *b, double f) {
    double strike = number(b[0], f * (0.5 + b[1] / 256.0));
    double bid = number(b[2], 0.05 * f);
    return (hg_smile_quote){.strike = strike,
                            .cp = b[3] & 1      ? 1
                                  : b[3] & 0x40 ? 0
                                                : -1,
                            .bid = b[3] & 2 ? 0 : bid,
                            .ask = b[3] & 4 ? NAN : bid * (1 + b[4] / 64.0) - (b[3] & 8 ? bid : 0),
                            .age_s = number(b[5], 10),
                            .weight = b[6] & 1 ? number(b[7], 1) : 0};
}

static int chain_read(const uint8_t *data, size_t size, hg_surface_expiry *chain) {
    int n = 0;
    double t = 0;
    while (n < EXPIRIES && size > 4) {
        size_t count = data[0] % QUOTES;
        double f = number(data[2], 100);
        t += data[1] < 4 ? 1e-9 * data[1] : pow(2, data[1] / 16.0 - 16);
        data += 3;
        size -= 3;
        chain[n] = (hg_surface_expiry){n + 1, t, f, quotes[n], 0};
        while ((size_t)chain[n].n < count && size >= QUOTE_BYTES) {
            quotes[n][chain[n].n++] = quote_read(data, f);
            data += QUOTE_BYTES;
            size -= QUOTE_BYTES;
        }
        n++;
    }
    return n;
}

static void read_everywhere(const hg_surface *s) {
    hg_surface_check check;
    hg_surface_skew skew;
    double t_end = s->slices[s->n - 1].t;
    for (int i = 0; i <= 8; i++) {
        double t = t_end * (0.1 + i * 0.2);
        for (double k = -3; k <= 3; k += 0.75) {
            double w;
            if (hg_surface_total_variance(s, k, t, &w) != HG_OK) continue;
            must(isfinite(w) && w >= 0, "variances are finite");
        }
        if (hg_surface_skew_at(s, t, &skew) == HG_OK) {
            must(isfinite(skew.atm_vol) && isfinite(skew.slope) && isfinite(skew.butterfly) &&
                     isfinite(skew.forward_vol) && isfinite(skew.term_slope),
                 "skews are finite");
        }
    }
    if (hg_surface_is_free_of_arbitrage(s, &check) == HG_OK) {
        must(!isnan(check.g_min), "g is a number");
        must(s->model != HG_SURFACE_ESSVI || check.is_free, "eSSVI is free of arbitrage");
        must(s->model != HG_SURFACE_SVI || check.butterfly_at < 0, "SVI is mended");
    }
}

static void judge_all(const hg_surface *s, const hg_surface_expiry *e,
                      const hg_surface_options *options) {
    for (int i = 0; i < e->n; i++) {
        hg_surface_rich rich;
        must(hg_smile_judge(&e->quotes[i], e->forward, e->t, &options->filter) <= HG_SMILE_UNUSABLE,
             "every quote has a verdict");
        if (hg_surface_judge(s, e->t, e->forward, &e->quotes[i], &rich) != HG_OK) continue;
        must(isfinite(rich.fit_vol) && isfinite(rich.fit_price) && isfinite(rich.widths) &&
                 isfinite(rich.vol),
             "judgements are finite");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    hg_surface_expiry chain[EXPIRIES];
    if (size < 2) return 0;
    hg_surface_options options = hg_surface_options_default();
    options.model = (hg_surface_model)(data[0] % 3);
    options.filter.age_s_max = data[0] & 0x10 ? 60 : 0;
    options.sabr_beta = (data[0] >> 5) / 7.0;
    hg_surface surface = {.n = 0};
    int n = chain_read(data + 1, size - 1, chain);
    for (int round = 0; n > 0 && round < 2; round++) { /* the second starts from the first */
        if (hg_surface_fit(chain, n, &options, &work, &surface) != HG_OK) break;
        must(surface.n > 0 && surface.n <= n, "slices of the expiries given");
        read_everywhere(&surface);
    }
    for (int i = 0; surface.n > 0 && i < n; i++) judge_all(&surface, &chain[i], &options);
    return 0;
}
