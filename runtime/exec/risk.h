#ifndef HG_EXEC_RISK_H
#define HG_EXEC_RISK_H

#include "exec/exec.h"

/* The gate: one judgement over raw numbers. It changes nothing; what it costs (tokens, memory of
 * duplicates) is taken when the order is sent. Every comparison is written so that NaN refuses. */

/* Orders per second in event time; a token is 10^9 units so that rates stay exact. */
typedef struct hg_bucket {
    int64_t level; /* tokens * 10^9 */
    int64_t time_ns;
    uint32_t rate; /* tokens per second; burst = 4 x */
} hg_bucket;

void hg_bucket_init(hg_bucket *bucket, uint32_t rate);
/* Takes a token unless that would leave less than `keep` of the full bucket, in percent. */
bool hg_bucket_take(hg_bucket *bucket, int64_t now_ns, int keep);
bool hg_bucket_has(hg_bucket *bucket, int64_t now_ns, int keep);

/* What is judged. For an amendment `amended` is the order, the request carries its new total size
 * and price, and the counts are those without it. */
typedef struct hg_risk_view {
    hg_exec *exec;
    const hg_order *amended;           /* NULL: a new order */
    hg_lots counted;                   /* what the amended order adds to the pending size */
    hg_lots pending_buy, pending_sell; /* of the instrument, without the amended order */
    uint32_t open_orders;              /* of the instrument, likewise */
    hg_lots filled;                    /* of the amended order */
    bool operator_order;               /* of the kill switch: closes positions while halted */
} hg_risk_view;

/* The order in exact units, as it may be sent. */
typedef struct hg_risk_order {
    hg_ticks price; /* market orders: the collar, a limit they will never trade through */
    hg_lots size;
    double reference; /* price it was judged against */
} hg_risk_order;

/* HG_REJECT_NONE and `out`, or the reason, with `refusal` filled. */
hg_reject hg_risk_judge(const hg_risk_view *view, const hg_order_request *request, int64_t now_ns,
                        hg_risk_order *out, hg_refusal *refusal);

/* Fills a refusal; the text is made from the format. */
hg_reject hg_refuse(hg_refusal *refusal, hg_reject code, double value, double limit,
                    const char *fmt, ...) HG_PRINTF(5, 6);

#endif
