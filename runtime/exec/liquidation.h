/* The risk engine of the paper venue: it closes positions of an account whose maintenance margin
 * has reached its margin balance.
 *
 * As Deribit does it (support, "Liquidations"; docs, "Auto Liquidation"): without a margin call,
 * one round a second, a part of the position each, until the maintenance margin is below the
 * margin balance again; meanwhile the account takes no orders of its owner. Open orders are
 * cancelled first. The trades pay the instrument's liquidation fee instead of the taker's.
 *
 * Accounts are judged at whole seconds of event time, after all events before them: what was told
 * within one second counts together. */
#ifndef HG_EXEC_LIQUIDATION_H
#define HG_EXEC_LIQUIDATION_H

#include "exec/exec.h"
#include "portfolio/margin.h"

typedef struct hg_liquidation hg_liquidation;

typedef enum {
    HG_LIQUIDATION_START,   /* orders are cancelled */
    HG_LIQUIDATION_ORDER,   /* a slice was sent */
    HG_LIQUIDATION_END,     /* the margin balance covers the maintenance margin again */
    HG_LIQUIDATION_BANKRUPT /* nothing is left to close and the equity is below zero */
} hg_liquidation_phase;

const char *hg_liquidation_phase_name(hg_liquidation_phase phase);

typedef struct hg_liquidation_note {
    hg_liquidation_phase phase;
    uint32_t currency;
    double equity, margin_balance, maintenance; /* in that currency */
    uint32_t instrument;                        /* of an order, else HG_ID_NONE */
    hg_side side;
    hg_lots lots;
    uint64_t order;
    uint32_t cancelled; /* orders, at the start */
} hg_liquidation_note;

typedef struct hg_liquidation_observer {
    void *context;
    void (*note)(void *context, const hg_liquidation_note *note);
} hg_liquidation_observer;

/* References all; NULL without memory. */
hg_liquidation *hg_liquidation_new(hg_exec *exec, hg_margin *margin,
                                   const hg_liquidation_observer *observer);
void hg_liquidation_free(hg_liquidation *liquidation);

/* Something happened: the accounts will be judged at the next whole second. */
void hg_liquidation_touch(hg_liquidation *liquidation, int64_t now_ns);
int64_t hg_liquidation_due_ns(const hg_liquidation *liquidation);
/* Judges and acts; to be called at hg_liquidation_due_ns. */
void hg_liquidation_step(hg_liquidation *liquidation, int64_t now_ns);

/* Whether the venue takes an order that is already counted as pending. One of its own always, an
 * owner's never while the account is liquidated, else what the margin carries. */
bool hg_liquidation_admits(void *liquidation, uint64_t order, uint32_t instrument, hg_side side,
                           hg_ticks price, hg_lots lots, int64_t now_ns);

/* The whole fee of a liquidation trade; 0 when it does not fit. */
hg_cash hg_liquidation_fee(const hg_market *market, const hg_instrument *inst, hg_ticks price,
                           hg_lots lots);

bool hg_liquidation_active(const hg_liquidation *liquidation, uint32_t currency);

#endif
