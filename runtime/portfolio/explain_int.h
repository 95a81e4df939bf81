#ifndef HG_PORTFOLIO_EXPLAIN_INT_H
#define HG_PORTFOLIO_EXPLAIN_INT_H

#include "portfolio/explain.h"
#include "portfolio/portfolio_int.h"

/* Private to the explanation: explain.c keeps rows and ends their steps, explain_row.c adds a step
 * to one row, explain_step.c does the maths of one instrument over one step, explain_answer.c
 * answers. */

/* What one lot was at the start of a step. Greeks are of the model, per coin of size. */
typedef struct hg_explain_mark {
    bool known;
    int64_t time_ns;
    double spot;  /* USD per coin */
    double usd;   /* per unit of the settlement currency */
    double price; /* of futures, perpetuals and spot: what they are valued at */
    double share; /* of the delivery price that is still open, 1 until the last half hour */
    double f, t, sigma;
    double weight; /* USD per unit of the model's value: spot / forward when coin-settled */
    double value, delta, gamma, theta, vega, vanna, volga, charm;
} hg_explain_mark;

/* One position: an owner's lots of one instrument. */
typedef struct hg_explain_row {
    hg_lots lots;
    /* Realised P&L less the cost of what is held (plus, for inverse futures) since the first mark:
     * with the worth of the lots it is the P&L in the settlement currency, exactly. */
    hg_cash flow;
    hg_cash fees;
    hg_cash base;    /* opened options and spot: their first worth in the settlement currency ... */
    double base_usd; /* ... and in USD of then */
    double funding;  /* assigned so far, in the settlement currency */
    double funding_seen; /* explained so far */
    double money;        /* in the settlement currency at the start of the step, without what the
                            options and spot held are worth */
    hg_parts parts;
    hg_parts coin_parts; /* of what is settled in coin, in coins */
    hg_drift drift;
} hg_explain_row;

/* A fill as the ledger booked it. */
typedef struct hg_explain_fill {
    uint32_t owner;
    int side;
    hg_lots lots;
    double price; /* quote unit */
    double mid;   /* when the order was sent, 0 unknown */
    hg_cash flow; /* what hg_explain_row.flow gains by it */
    hg_cash fee;
    int64_t time_ns;
} hg_explain_fill;

/* What one lot earned over a step, USD, and how its delta moved, coins. */
typedef struct hg_explain_unit {
    hg_parts parts;
    hg_drift drift;
} hg_explain_unit;

typedef struct hg_explain_past hg_explain_past;

struct hg_explain {
    hg_explain_past *past;
    hg_explain_row *rows; /* [instrument * HG_OWNERS + owner] */
    hg_explain_mark *marks;
    uint32_t *owners; /* per instrument, bit set: that row is in use */
    uint32_t *active; /* instruments with rows, in order of their first one */
    uint32_t count;
    uint32_t touched; /* underlying of the running update; HG_ID_NONE: none yet */
    bool several;     /* ... and of others as well */
    struct {
        int64_t time_ns;
        double spot;
        bool due; /* something of it became active */
    } * step;     /* per underlying: the start of the running step */
};

/* Told by the ledger and by funding. `before` and `after` stand around each fill, `delivering` and
 * `delivered` around each delivery; `flow` and `fee` of a delivery are those of the whole position.
 */
bool hg_explain_init(hg_portfolio *p);
void hg_explain_fini(hg_portfolio *p);
/* After every market event; underlying HG_ID_NONE: it belongs to none. */
void hg_explain_observe(hg_portfolio *p, uint32_t underlying, const hg_event *event);
void hg_explain_opened(hg_portfolio *p, uint32_t id, hg_cash worth); /* the first mark is known */
void hg_explain_before(hg_portfolio *p, uint32_t id, int64_t now_ns);
void hg_explain_after(hg_portfolio *p, uint32_t id, const hg_explain_fill *fill);
void hg_explain_funding(hg_portfolio *p, uint32_t id, hg_cash amount, int64_t now_ns);
void hg_explain_delivering(hg_portfolio *p, uint32_t id, hg_nano price, int64_t now_ns);
void hg_explain_delivered(hg_portfolio *p, uint32_t id, hg_nano price, hg_cash flow, hg_cash fee);

/* explain_row.c. */
hg_explain_row *hg_explain_row_at(const hg_explain *x, uint32_t id, uint32_t owner);
/* Funding of `lots` since the last assignment, in the settlement currency. */
double hg_explain_funding_running(const hg_portfolio *p, uint32_t id, hg_lots lots, int64_t now_ns);
void hg_parts_add(hg_parts *to, const hg_parts *from, double times);
void hg_drift_add(hg_drift *to, const hg_drift *from, double times);
void hg_explain_row_start(const hg_instrument *inst, hg_explain_row *r,
                          const hg_explain_mark *mark);
void hg_explain_row_step(const hg_portfolio *p, const hg_instrument *inst, hg_explain_row *r,
                         const hg_explain_mark *from, const hg_explain_mark *to,
                         const hg_explain_unit *unit);

/* explain_past.c; `look` after every update. */
hg_explain_past *hg_explain_past_new(void);
void hg_explain_past_free(hg_explain_past *past);
void hg_explain_past_look(hg_portfolio *p, int64_t now_ns);

/* Adds the explanation of one row to `out`. */
void hg_explain_row_answer(hg_portfolio *p, uint32_t id, uint32_t owner, int64_t now_ns,
                           hg_explanation *out);
/* Adds what belongs to no instrument; `explained` is the P&L of all rows. */
void hg_explain_account(hg_portfolio *p, int64_t now_ns, double explained, hg_explanation *out);
/* Adds the numbers of another one, `times` 1 or -1. */
void hg_explanation_add(hg_explanation *to, const hg_explanation *from, double times);

/* The mark of now; known is false while an input is missing. */
void hg_explain_mark_read(const hg_portfolio *p, const hg_instrument *inst, int64_t now_ns,
                          hg_explain_mark *out);
/* The mark of an instrument at its delivery. */
void hg_explain_mark_delivered(const hg_portfolio *p, const hg_instrument *inst, hg_nano price,
                               int64_t now_ns, hg_explain_mark *out);
void hg_explain_unit_of(const hg_instrument *inst, const hg_explain_mark *from,
                        const hg_explain_mark *to, hg_explain_unit *out);
/* Worth of lots at a price in the settlement currency, as it enters P&L: inverse futures lose what
 * they are worth (they were sold for USD). */
double hg_explain_worth(const hg_instrument *inst, double price, hg_lots lots);
/* Price in the quote unit at a mark. */
double hg_explain_price(const hg_instrument *inst, const hg_explain_mark *mark);
double hg_explain_delta(const hg_instrument *inst, const hg_explain_mark *mark, hg_lots lots);

#endif
