/* Our Greeks against the exchange's own, on every row of a recorded crash that has a mark and a
 * vol. Rows are not quite simultaneous with their forward, so a correct formula reaches these
 * shares and no more; a wrong convention (index for forward, premium-adjusted delta, vega per 1.00)
 * fails. */
#include "base/clock.h"
#include "domain/instrument.h"
#include "greeks/black76.h"
#include "greeks/inverse.h"
#include "test.h"
#include "venue/text_input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "market/deribit_chain/chain_stress_20260129_20260208.csv.gz"
#define ROWS_MAX 100000

/* Columns of the file, in its order. */
enum { TS, NAME, INDEX, UNDERLYING, BID, ASK, MARK, IV, DELTA, VEGA, COLUMNS };

static double mark_error[ROWS_MAX], delta_error[ROWS_MAX], vega_ratio[ROWS_MAX];
static size_t rows, vegas;

static double number(const char *text) {
    char *end = NULL;
    double value = strtod(text, &end);
    CHECK(end != text && *end == '\0');
    return value;
}

static bool cut(char *line, char **cell) {
    for (int i = 0; i < COLUMNS; i++) {
        cell[i] = line;
        line = strchr(line, ',');
        if (!line) {
            return false;
        }
        *line++ = '\0';
    }
    return true;
}

static void row_take(char *line) {
    char *cell[COLUMNS];
    hg_instrument inst;
    if (!cut(line, cell) || !cell[MARK][0] || !cell[IV][0] || !cell[UNDERLYING][0] ||
        hg_instrument_from_name(cell[NAME], &inst) < 0) {
        return;
    }
    double forward = number(cell[UNDERLYING]);
    double sigma = number(cell[IV]);
    int64_t now_ns = (int64_t)(number(cell[TS]) * 1e6);
    double years = (double)(inst.expiry_ns - now_ns) / (double)HG_NS_PER_YEAR;
    if (years <= 0 || sigma <= 0 || rows == ROWS_MAX) {
        return;
    }
    double strike = (double)inst.strike / 1e9;
    hg_inverse_greeks coin;
    hg_greeks usd;
    CHECK_EQ(hg_inverse_all(forward, strike, years, sigma, inst.cp, &coin), 0);
    CHECK_EQ(hg_black76_all(forward, strike, years, sigma, inst.cp, 0, &usd), 0);
    mark_error[rows] = fabs(coin.price - number(cell[MARK]));
    delta_error[rows] = fabs(coin.delta - number(cell[DELTA]));
    double vega = number(cell[VEGA]);
    if (vega > 1) { /* two decimals in the file: smaller ones say nothing */
        vega_ratio[vegas++] = usd.vega / 100 / vega;
    }
    rows++;
}

static double share_within(const double *values, size_t count, double limit) {
    size_t within = 0;
    for (size_t i = 0; i < count; i++) {
        within += values[i] <= limit;
    }
    return count ? (double)within / (double)count : 0;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

TEST(agrees_with_the_exchange_on_a_recorded_crash) {
    TEST_NEEDS(FILE_NAME);
    hg_text_input *input = NULL;
    char *line = NULL;
    size_t len = 0;
    CHECK_EQ(hg_text_input_open(test_data(FILE_NAME), &input), 0);
    CHECK_EQ(hg_text_input_line(input, &line, &len), 1);
    CHECK(strncmp(line, "ts_ms,instrument,index,underlying,bid,ask,mark,mark_iv,delta,vega", 65) ==
          0);
    while (hg_text_input_line(input, &line, &len) > 0) {
        row_take(line);
    }
    hg_text_input_close(input);
    qsort(vega_ratio, vegas, sizeof *vega_ratio, compare);
    printf("note: rows %zu: mark within 1e-4 %.4f, 1e-3 %.4f; delta within 5e-3 %.4f, 1e-2 %.4f; "
           "vega ratio median %.4f of %zu\n",
           rows, share_within(mark_error, rows, 1e-4), share_within(mark_error, rows, 1e-3),
           share_within(delta_error, rows, 5e-3), share_within(delta_error, rows, 1e-2),
           vega_ratio[vegas / 2], vegas);
    CHECK(rows > 60000);
    CHECK(share_within(mark_error, rows, 1e-4) >= 0.85);
    CHECK(share_within(mark_error, rows, 1e-3) >= 0.99);
    CHECK(share_within(delta_error, rows, 5e-3) >= 0.94);
    CHECK(share_within(delta_error, rows, 1e-2) >= 0.98);
    CHECK_NEAR(vega_ratio[vegas / 2], 1, 5e-4);
}
