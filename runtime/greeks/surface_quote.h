/*
 * From quotes to points of a smile: implied total variance with its error, the raw material of all
 * fits.
 *
 * A point's error comes from the width of the quote through vega, so that an option that says
 * little about its vol weighs little. A quote with one side only becomes a bound that counts when
 * the fit violates it. In the money options add nothing but the error of the forward and are left
 * out.
 *
 * Units: prices undiscounted in quote currency, T in years, vols as fractions, k = ln(K/F),
 * w = sigma^2 T.
 */
#ifndef HG_GREEKS_SURFACE_QUOTE_H
#define HG_GREEKS_SURFACE_QUOTE_H

#include "base/error.h"

/* Points of one expiry. Of more quotes the most exact are kept. */
#define HG_SMILE_POINTS_MAX 128

typedef struct hg_smile_quote {
    double strike;
    int cp;     /* +1 call, -1 put */
    double bid; /* 0, negative or NaN: no such side */
    double ask;
    double age_s;  /* since it was last confirmed */
    double weight; /* beside other quotes of the same width; 0 stands for 1 */
} hg_smile_quote;

typedef struct hg_smile_filter {
    double age_s_max;     /* older quotes are stale; 0: any age */
    double vol_error_min; /* no vol is believed closer than this, however narrow the quote */
    double delta_max;     /* |delta| from which an option counts as in the money */
} hg_smile_filter;

/* Any age, 0.1 vol points, delta 0.6 (at the money calls and puts both count). */
hg_smile_filter hg_smile_filter_default(void);

typedef enum hg_smile_side {
    HG_SMILE_BOTH,
    HG_SMILE_ASK_ONLY, /* w is an upper bound */
    HG_SMILE_BID_ONLY, /* w is a lower bound */
} hg_smile_side;

typedef struct hg_smile_point {
    double k;
    double w;
    double error; /* of w: half the quote's width; > 0 */
    hg_smile_side side;
} hg_smile_point;

/* What became of a quote. */
typedef enum hg_smile_verdict {
    HG_SMILE_USED,
    HG_SMILE_ONE_SIDED,    /* used as a bound */
    HG_SMILE_IN_THE_MONEY, /* left out, as the filter says */
    HG_SMILE_STALE,
    HG_SMILE_CROSSED,
    HG_SMILE_UNUSABLE, /* no side, bad numbers, below intrinsic or above the maximum */
} hg_smile_verdict;

/* "used" "one_sided" "in_the_money" "stale" "crossed" "unusable" */
const char *hg_smile_verdict_name(hg_smile_verdict verdict);

/* What became of the quotes; the fields add up to their number. */
typedef struct hg_smile_count {
    int used;         /* both sides */
    int one_sided;    /* used as bounds */
    int in_the_money; /* left out, as the filter says */
    int stale;
    int crossed;
    int unusable; /* no side, bad numbers, below intrinsic, above the maximum, or too many */
} hg_smile_count;

/* Of one quote, F and T > 0. A used one may still be left out where there are too many. */
hg_smile_verdict hg_smile_judge(const hg_smile_quote *quote, double f, double t,
                                const hg_smile_filter *filter);

/*
 * F, T > 0; `points` has room for HG_SMILE_POINTS_MAX; `count` may be NULL. The number of points,
 * in the order of the quotes, or HG_GREEKS_BAD_INPUT.
 */
HG_MUST_CHECK int hg_smile_points(const hg_smile_quote *quotes, int n, double f, double t,
                                  const hg_smile_filter *filter, hg_smile_point *points,
                                  hg_smile_count *count);

#endif
