#ifndef HG_APP_CORE_H
#define HG_APP_CORE_H

#include "app/datafile.h"
#include "app/late_data.h"
#include "exec/exec.h"
#include "exec/liquidation.h"
#include "exec/paper.h"
#include "script/script.h"

#define HG_SCRIPTS_MAX 16

typedef struct hg_command hg_command; /* app/command.h */

/* The one state of a session and the only door into it. Demo, paper, backtest and replay differ in
 * who calls hg_core_apply, never in what it does. */
typedef struct hg_core {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    hg_portfolio *shares[HG_SCRIPTS_MAX]; /* parts of the book beside the whole of it */
    size_t share_count;
    hg_portfolio *share_of[HG_SCRIPTS_MAX]; /* by script: one of these, NULL: the whole book */
    const char *share_text[HG_SCRIPTS_MAX]; /* as it was asked for, NULL: no script has a share */
    hg_portfolio_options share_options;
    hg_exec *exec;
    hg_venue *venue;
    hg_margin *margin;           /* what scripts and reports ask */
    hg_margin *venue_margin;     /* what the venue decides by; NULL without margin */
    hg_liquidation *liquidation; /* NULL without margin */
    hg_liquidation_observer liquidation_observer;
    bool fees;
    hg_script *scripts[HG_SCRIPTS_MAX];
    size_t script_count;
    int64_t start_ns;
    int64_t now_ns;         /* event time */
    bool ready;             /* the opening book is fully marked: scripts may see ticks */
    int64_t due_ns;         /* hg_core_due_ns after the last event */
    int64_t delivery_ns;    /* when the next expiry is delivered without the feed's word */
    hg_late_data late;      /* market data on its way to us */
    bool scenario;          /* the paper venue has rules, faults or latencies worth reporting */
    uint64_t events;        /* everything applied */
    uint64_t market_events; /* of these, from the feed */
    hg_command *command;    /* of the HG_EV_CONTROL being applied */
    int command_rc;
    /* Told of every market event and of every answer that changed an order, after the rooms have
     * applied it and before scripts see it. NULL: nobody listens. */
    void (*tap)(void *context, const hg_event *event, const hg_order *order);
    void *tap_context;
} hg_core;

typedef struct hg_deposit {
    uint32_t currency;
    hg_cash amount;
} hg_deposit;

typedef struct hg_core_options {
    hg_paper_options paper; /* fees: those of the portfolio too */
    hg_limits limits;
    uint32_t depth_books;
    hg_margin_model margin;
    const hg_deposit *deposits; /* starting money */
    size_t deposit_count;
    hg_liquidation_observer liquidation_observer;
    hg_exec_observer exec_observer;
    hg_portfolio_observer portfolio_observer;
} hg_core_options;

/* Builds the rooms over a complete universe and puts the opening book into the portfolio. On
 * failure hg_core_fini frees what was built. */
HG_MUST_CHECK int hg_core_open(hg_core *core, const hg_core_options *options, const hg_book *book,
                               int64_t start_ns);

/* The gate's limit of margin use, where the core has a margin account. hg_core_open does it. */
void hg_core_judge_margin(hg_core *core);

/* An empty portfolio of its own for the script of that index; the core keeps it. */
HG_MUST_CHECK int hg_core_share(hg_core *core, uint16_t script, hg_portfolio **out);
/* A script that works for the same book as another one. */
HG_MUST_CHECK int hg_core_share_with(hg_core *core, uint16_t script, uint16_t other);

/* The book a script works for. */
static inline hg_portfolio *hg_core_book_of(const hg_core *core, size_t script) {
    return core->share_of[script] ? core->share_of[script] : core->portfolio;
}

/* Applies one event: market, portfolio, execution, then the scripts. event->time_ns must not be
 * before now_ns. */
void hg_core_apply(hg_core *core, const hg_event *event);

/* Time of the next event the core owes itself (venue answers, refusals, timers); INT64_MAX: none.
 */
int64_t hg_core_due_ns(const hg_core *core);

/* Applies everything the core owes itself up to and including `until_ns`, in time order. Answers of
 * one moment come before timers of that moment. */
void hg_core_settle(hg_core *core, int64_t until_ns);

/* With latency of market data: the venue sees the event at once, the core when it has arrived. */
void hg_core_feed_late(hg_core *core, const hg_event *event);

/* After the last feed event: lets in what is still on its way. */
void hg_core_drain(hg_core *core);

/* Delivers what expired a minute ago or longer and has not been delivered by the feed. */
void hg_core_deliver(hg_core *core, int64_t until_ns);

/* A feed event with all that belongs to it: what is due before it, itself, and the answers it
 * causes at its own time. The usual event, which causes nothing, pays three comparisons. */
static inline void hg_core_feed(hg_core *core, const hg_event *event) {
    if (core->delivery_ns <= event->time_ns) {
        hg_core_deliver(core, event->time_ns);
    }
    if (core->late.market) {
        hg_core_feed_late(core, event);
        return;
    }
    if (core->due_ns <= event->time_ns) {
        hg_core_settle(core, event->time_ns);
    }
    hg_core_apply(core, event);
    if (core->due_ns <= event->time_ns) {
        hg_core_settle(core, event->time_ns);
    }
}

/* One bounded step of each script's collector; called between feed events. */
void hg_core_idle(hg_core *core);
/* While nobody waits for the session: a piece of a script's collection. True: there is more. */
bool hg_core_rest(hg_core *core, int64_t budget_ns);

/* Scripts still running. */
size_t hg_core_running(const hg_core *core);

/* Runs on_stop everywhere, then cancels what is still open. */
void hg_core_stop(hg_core *core, const char *reason);

void hg_core_fini(hg_core *core);

#endif
