/*
 * Surfaces of every model fitted to every sweep of a recorded crash: how close they come to the
 * quotes, and that eSSVI stays free of arbitrage whatever the market did.
 */
#include "base/clock.h"
#include "domain/instrument.h"
#include "greeks/surface.h"
#include "test.h"
#include "venue/text_input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "market/deribit_chain/chain_stress_20260129_20260208.csv.gz"

/* Columns of the file, in its order. */
enum { TS, NAME, INDEX, UNDERLYING, BID, ASK, MARK, IV, COLUMNS };
enum { QUOTES_MAX = 4096 };

typedef struct row {
    int64_t expiry_ns;
    double mark_iv; /* 0: none */
    hg_smile_quote quote;
} row;

/* One sweep of one currency. Forwards differ by row, so everything is in units of the row's. */
static row rows[QUOTES_MAX];
static int rows_count;
static hg_smile_quote quotes[QUOTES_MAX];
static hg_surface_expiry chain[HG_SURFACE_SLICES_MAX];
static hg_surface_work work;

typedef struct tally {
    int surfaces, slices, points, inside, butterfly, calendar, fallback, repaired;
    double widths, vol, vol_count; /* sums: |error| in half widths; |fit - mark| in vol */
    long evals;
} tally;

static double number(const char *text) {
    return text[0] ? strtod(text, NULL) : 0;
}

static int by_expiry(const void *a, const void *b) {
    const row *x = a;
    const row *y = b;
    if (x->expiry_ns != y->expiry_ns) return x->expiry_ns < y->expiry_ns ? -1 : 1;
    if (x->quote.strike != y->quote.strike) return x->quote.strike < y->quote.strike ? -1 : 1;
    return x->quote.cp - y->quote.cp;
}

static int chain_make(double now_ms) {
    int n = 0;
    qsort(rows, (size_t)rows_count, sizeof *rows, by_expiry);
    for (int i = 0; i < rows_count; i++) {
        quotes[i] = rows[i].quote;
        if (i == 0 || rows[i].expiry_ns != rows[i - 1].expiry_ns) {
            double t = ((double)rows[i].expiry_ns - now_ms * 1e6) / (double)HG_NS_PER_YEAR;
            CHECK(n < HG_SURFACE_SLICES_MAX);
            chain[n++] = (hg_surface_expiry){rows[i].expiry_ns, t, 1.0, &quotes[i], 0};
        }
        chain[n - 1].n++;
    }
    return n;
}

static void surface_tally(const hg_surface *s, tally *sum) {
    hg_surface_check check;
    CHECK_EQ(hg_surface_is_free_of_arbitrage(s, &check), 0);
    sum->surfaces++;
    sum->butterfly += check.butterfly_at >= 0;
    sum->calendar += check.calendar_at >= 0;
    CHECK_EQ(check.is_free, check.butterfly_at < 0 && check.calendar_at < 0);
    for (int i = 0; i < s->n; i++) {
        const hg_smile_quality *q = &s->slices[i].quality;
        sum->slices++;
        sum->points += q->points;
        sum->inside += q->inside;
        sum->fallback += q->fallback;
        sum->repaired += q->repaired;
        sum->evals += q->evals;
    }
    for (int i = 0; i < rows_count; i++) {
        hg_surface_rich rich;
        double t = 0;
        for (int j = 0; j < s->n; j++) {
            if (s->slices[j].key == rows[i].expiry_ns) t = s->slices[j].t;
        }
        double k = log(rows[i].quote.strike);
        if (t <= 0 || rows[i].quote.cp * k < 0) continue;
        if (hg_surface_judge(s, t, 1.0, &rows[i].quote, &rich) != 0) continue;
        if (!rich.has_bid || !rich.has_ask) continue;
        sum->widths += fabs(rich.widths);
        sum->vol += fabs(rich.fit_vol - rows[i].mark_iv);
        sum->vol_count++;
    }
}

static void tally_print(const char *name, const tally *s) {
    printf("note: %-10s %d surfaces (arbitrage: butterfly %d, calendar %d), %d slices (%d few "
           "strikes, %d mended), %.0f evaluations each\n",
           name, s->surfaces, s->butterfly, s->calendar, s->slices, s->fallback, s->repaired,
           (double)s->evals / s->slices);
    printf("note: %-10s inside bid/ask %.1f%% of %d; out of the money: error %.2f half widths, "
           "from the mark %.2f vol points\n",
           name, 100.0 * s->inside / s->points, s->points, s->widths / s->vol_count,
           100 * s->vol / s->vol_count);
}

enum { ESSVI, ESSVI_WARM, SVI, SVI_WARM, SABR, MODELS };
static const char *const names[MODELS] = {"eSSVI", "eSSVI warm", "SVI", "SVI warm", "SABR"};
static tally sums[MODELS];
static hg_surface warm[2][2]; /* by model and currency */

static void sweep_fit(double now_ms, int currency) {
    int n = chain_make(now_ms);
    for (int m = 0; m < MODELS && n > 0; m++) {
        hg_surface fresh = {.n = 0};
        bool is_warm = m == ESSVI_WARM || m == SVI_WARM;
        hg_surface *s = is_warm ? &warm[m == SVI_WARM][currency] : &fresh;
        hg_surface_options o = hg_surface_options_default();
        o.model = m == SABR ? HG_SURFACE_SABR : m <= ESSVI_WARM ? HG_SURFACE_ESSVI : HG_SURFACE_SVI;
        CHECK_EQ(hg_surface_fit(chain, n, &o, &work, s), 0);
        surface_tally(s, &sums[m]);
    }
    rows_count = 0;
}

static bool row_take(char *line, double *ts, int *currency) {
    char *cell[COLUMNS];
    hg_instrument inst;
    for (int i = 0; i < COLUMNS; i++) {
        cell[i] = line;
        line = strchr(line, ',');
        CHECK(line != NULL);
        *line++ = '\0';
    }
    *ts = number(cell[TS]);
    *currency = strncmp(cell[NAME], "ETH", 3) == 0;
    if (hg_instrument_from_name(cell[NAME], &inst) < 0) return false;
    double f = number(cell[UNDERLYING]);
    if (!(f > 0) || (double)inst.expiry_ns <= *ts * 1e6) return false;
    rows[rows_count] = (row){
        inst.expiry_ns,
        number(cell[IV]),
        {.strike = (double)inst.strike / 1e9 / f,
                    .cp = inst.cp,
                    .bid = number(cell[BID]),
                    .ask = number(cell[ASK])}
    };
    return true;
}

TEST_WITHIN(every_sweep_of_a_recorded_crash, 120) {
    TEST_NEEDS(FILE_NAME);
    hg_text_input *input = NULL;
    char *line = NULL;
    size_t len = 0;
    double last_ts = 0;
    int last_currency = 0;
    CHECK_EQ(hg_text_input_open(test_data(FILE_NAME), &input), 0);
    CHECK_EQ(hg_text_input_line(input, &line, &len), 1);
    while (hg_text_input_line(input, &line, &len) > 0) {
        double ts;
        int currency;
        row parsed = rows[rows_count];
        if (!row_take(line, &ts, &currency)) continue;
        parsed = rows[rows_count];
        if (rows_count > 0 && (ts != last_ts || currency != last_currency)) {
            sweep_fit(last_ts, last_currency);
        }
        CHECK(rows_count < QUOTES_MAX - 1);
        rows[rows_count++] = parsed;
        last_ts = ts;
        last_currency = currency;
    }
    hg_text_input_close(input);
    sweep_fit(last_ts, last_currency);
    for (int m = 0; m < MODELS; m++) tally_print(names[m], &sums[m]);
    CHECK(sums[ESSVI].surfaces == 2 * 43);
    for (int m = ESSVI; m <= ESSVI_WARM; m++) {
        CHECK_EQ(sums[m].butterfly, 0);
        CHECK_EQ(sums[m].calendar, 0);
        CHECK((double)sums[m].inside / sums[m].points > 0.66);
        CHECK(sums[m].widths / sums[m].vol_count < 1.0);
    }
    for (int m = SVI; m <= SVI_WARM; m++) {
        CHECK_EQ(sums[m].butterfly, 0);
        CHECK((double)sums[m].inside / sums[m].points > 0.95);
        CHECK(sums[m].widths / sums[m].vol_count < 0.45);
    }
    CHECK((double)sums[SABR].inside / sums[SABR].points > 0.80);
    CHECK(sums[ESSVI_WARM].evals < sums[ESSVI].evals / 2);
}
