#ifndef HG_EXEC_RISK_H
#define HG_EXEC_RISK_H

#include "exec/exec.h"

/* The gate: one pure judgement over raw numbers. It changes nothing but the token bucket, and that
 * only when everything else has passed. Every comparison is written so that NaN refuses. */

/* Orders per second in event time; a token is 10^9 units so that rates stay exact. */
typedef struct hg_bucket {
    int64_t level; /* tokens * 10^9 */
    int64_t time_ns;
    uint32_t rate; /* tokens per second; burst = 4 x */
} hg_bucket;

void hg_bucket_init(hg_bucket *bucket, uint32_t rate);
bool hg_bucket_take(hg_bucket *bucket, int64_t now_ns); /* false: empty */

/* What the gate knows besides market and position. For an amendment the counts are those without
 * the order, `filled` is what it has filled already and `request->size` the new total. */
typedef struct hg_risk_view {
    const hg_market *market;
    const hg_portfolio *portfolio;
    const hg_limits *limits;           /* completed by hg_limits_complete */
    const char *halted;                /* why, NULL when trading */
    hg_lots pending_buy, pending_sell; /* of the instrument: remaining of open and unknown orders */
    uint32_t open_orders;
    hg_lots filled;
} hg_risk_view;

/* The order in exact units, as it may be sent. */
typedef struct hg_risk_order {
    hg_ticks price; /* market orders: the collar, a limit they will never trade through */
    hg_lots size;
    double reference; /* price it was judged against */
} hg_risk_order;

/* Replaces zero, negative and not finite limits by the defaults: a limit is never off. */
void hg_limits_complete(hg_limits *limits);

/* HG_REJECT_NONE and `out`, or the reason, with `refusal` filled. */
hg_reject hg_risk_judge(const hg_risk_view *view, const hg_order_request *request, int64_t now_ns,
                        hg_risk_order *out, hg_refusal *refusal);

/* Fills a refusal; the text is made from code, side, instrument and the format. */
hg_reject hg_refuse(hg_refusal *refusal, hg_reject code, double value, double limit,
                    const char *fmt, ...) HG_PRINTF(5, 6);

#endif
