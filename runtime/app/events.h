#ifndef HG_APP_EVENTS_H
#define HG_APP_EVENTS_H

#include "app/core.h"
#include "app/reload.h"

#include <stdio.h>

/* The events file: one JSON object per line for everything that happened to orders, money and
 * scripts. The schema is in docs/operating.md. */
typedef struct hg_events {
    FILE *file; /* NULL: nothing is written */
    hg_core *core;
    /* Called with each finished line (without newline); NULL when nobody listens. */
    void (*listener)(void *context, const char *line);
    /* Called with each order state change, for people who watch. */
    void (*watcher)(void *context, const hg_order *order);
    void *context;
    bool *told; /* by instrument: its terms stand in the file; NULL when they are not told */
    int64_t sampled_ns; /* of the last sample: what is told after it is not older */
    bool failed;        /* a write failed: reported once, at close */
} hg_events;

/* Opens PATH for writing ("-" is stdout); NULL path writes nothing. */
HG_MUST_CHECK int hg_events_open(hg_events *events, const char *path);
/* The money in the account at the start, so that the amounts of `cash` lines are the balance, and
 * the positions of the book. */
void hg_events_opening(hg_events *events);
/* HG_EIO when anything could not be written. */
HG_MUST_CHECK int hg_events_close(hg_events *events);

/* Observers for the rooms below. */
hg_exec_observer hg_events_exec_observer(hg_events *events);
hg_liquidation_observer hg_events_liquidation_observer(hg_events *events);
hg_portfolio_observer hg_events_portfolio_observer(hg_events *events);

void hg_events_sample(hg_events *events, uint32_t underlying, int64_t now_ns);
/* `position` lines of what is held and an `account` line for each currency. */
void hg_events_book(hg_events *events, const char *cause, int64_t now_ns);
/* `explain` lines: by session, strategy, underlying and, at the end, instrument. */
void hg_events_explain(hg_events *events, int64_t now_ns, bool end);
void hg_events_strategy(hg_events *events, const hg_script *script, const char *state,
                        const char *reason);
void hg_events_reload(hg_events *events, const hg_reload_news *news);

/* A parameter changed while the session runs; a person's command, `error` "" when it was done. */
void hg_events_param(hg_events *events, const hg_script *script, const hg_param_view *param,
                     const char *from, const char *to);
void hg_events_control(hg_events *events, const char *command, const char *strategy,
                       const char *text, const char *error);

#endif
