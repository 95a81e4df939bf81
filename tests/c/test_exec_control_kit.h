/* What the matrix of controls is made of: a world with one instrument of each kind, rows of what is
 * just below, at and just above a limit, and how an outcome is read. */
#ifndef HG_TESTS_TEST_EXEC_CONTROL_KIT_H
#define HG_TESTS_TEST_EXEC_CONTROL_KIT_H

#include "base/log.h"
#include "exec/exec_int.h"
#include "test_exec_risk_kit.h"

#include <stdio.h>

enum { SPOT = ETH_CALL + 1, DATED, INSTRUMENTS };

/* What was answered: by the refusal of an order or by a change of state. */
typedef struct says {
    const char *code; /* "": it passed. "n/a: why": there is no such cell */
    double value, bound;
} says;

#define NOT_THERE(why)                                                                             \
    { "n/a: " why, 0, 0 }

typedef struct rig {
    world w;
    hg_limit_extra extra;
    hg_refusal heard; /* by the observer */
    int refusals;
    hg_risk_event change;
    int changes;
    uint64_t told; /* serial of the last one that was owed to the scripts */
    hg_margin_use margin;
    bool margin_known;
    const char *broken; /* what was not as it must be */
    /* Somebody who hears of every event of ours after it was applied; NULL: nobody. */
    void (*listen)(struct rig *g, const hg_event *e, const hg_order *of);
} rig;

static inline const hg_order *apply(rig *g, const hg_event *e) {
    const hg_order *of = hg_exec_apply(g->w.exec, e);
    if (g->listen) {
        g->listen(g, e, of);
    }
    return of;
}

typedef struct order_of {
    uint32_t id;
    hg_side side;
    double price, size; /* price 0: market; size 0: none */
} order_of;

typedef struct row {
    const char *control, *what;
    const char *limit; /* its name in the configuration, NULL: it has none */
    hg_reject code;
    hg_limits limits;
    const char *config[2][2]; /* path and text */
    order_of held[2];         /* positions: the side and the size */
    void (*arrange)(rig *g);  /* before the order */
    order_of order;
    void (*put)(rig *g, hg_order_request *r, double x); /* NULL: as its size */
    void (*happen)(rig *g, double x); /* in the place of an order: a state must change */
    double at, step;                  /* below: at - step; above: at + step */
    const char *edge; /* SWITCH: 0 passes and 1 refuses; else why there is no edge at all */
    bool at_refuses;
    double value, bound; /* told just above; NAN: no number */
    double slope;        /* of the value */
    says nan;
    says missing;
    void (*feed)(rig *g);        /* what is missing; NULL: all prices */
    void (*prices)(rig *g);      /* of the other cells; NULL: all */
    order_of lost;               /* sent, and no answer comes */
    double counts;               /* how much of x that takes away */
    double bound_lost;           /* the bound is then another one; 0: the same */
    const char *no_lost;         /* why there is no such cell */
    void (*tune)(struct row *r); /* numbers that follow from prices */
} row;

#define SWITCH "switch"
#define ANY (-987654321.0) /* not looked at */

/* --- the world -------------------------------------------------------------------------------- */

static inline void on_refusal(void *context, const hg_order_request *r, const hg_refusal *refusal) {
    rig *g = context;
    (void)r;
    g->heard = *refusal;
    g->refusals++;
}

static inline void on_change(void *context, const hg_risk_event *event) {
    rig *g = context;
    g->change = *event;
    g->changes++;
}

static inline bool margin_of(void *context, uint32_t id, hg_side side, hg_lots n, double price,
                             int64_t now_ns, hg_margin_use *use) {
    rig *g = context;
    (void)id, (void)side, (void)price, (void)now_ns;
    if (g->margin_known) {
        *use = g->margin;
        use->after += (double)n * 1e-4; /* one more USD for each coin of the linear perpetual */
    }
    return g->margin_known;
}

static inline void market_is_whole(rig *g) {
    world *w = &g->w;
    market_moves(w, 60000);
    value_event(w, HG_EV_FORWARD, inst_of(w, DATED)->expiry_id, 60000);
    quote(w, DATED, 59995, 100000, 60005, 100000);
    mark(w, DATED, 60000, 0);
    quote(w, SPOT, 59999, 100, 60001, 100);
    mark(w, SPOT, 60000, 0);
    quote(w, ETH_CALL, 0.0995, 100, 0.1005, 100);
    if (w->exec) {
        world_answers(w);
    }
}

/* As world_answers, and remembers which change of state the scripts hear of. */
static inline void answers(rig *g) {
    world *w = &g->w;
    for (;;) {
        int64_t venue = w->venue->ops->due_ns(w->venue);
        int64_t own = hg_exec_due_ns(w->exec);
        hg_event e;
        if (own <= venue && own <= w->now_ns && hg_exec_next(w->exec, &e)) {
            g->told = e.kind == HG_EV_RISK ? e.order.id : g->told;
            apply(g, &e);
        } else if (venue > w->now_ns) {
            return;
        } else if (w->venue->ops->next(w->venue, &e)) {
            apply(g, &e);
        }
    }
}

static inline void open_rig(rig *g, const row *r, void (*feed)(rig *g)) {
    static const char *const names[INSTRUMENTS] = {"BTC_USDC-PERPETUAL",
                                                   "BTC-PERPETUAL",
                                                   "BTC-27MAR26-60000-C",
                                                   "BTC-27MAR26-60000-P",
                                                   "ETH_USDC-PERPETUAL",
                                                   "ETH-27MAR26-3000-C",
                                                   "BTC_USDC",
                                                   "BTC-27MAR26"};
    *g = (rig){
        .margin = {0, 0, 100000},
          .margin_known = true
    };
    hg_limits limits = r->limits;
    for (int i = 0; i < 2 && r->config[i][0]; i++) {
        CHECK_EQ(hg_limits_set(&limits, &g->extra, r->config[i][0], r->config[i][1]), HG_OK);
    }
    world *w = &g->w;
    world_init(w);
    for (int i = 0; i < INSTRUMENTS; i++) {
        world_add(w, names[i]);
    }
    world_open(w, NULL);
    hg_exec_options options = {.limits = limits, .order_capacity = 1024, .account = "one"};
    options.observer = (hg_exec_observer){.context = g, .refusal = on_refusal, .risk = on_change};
    world_trade(w, NULL, &options);
    hg_exec_strategy(w->exec, 0, "alpha");
    hg_exec_strategy(w->exec, 1, "beta");
    for (int i = 0; i < 2 && r->held[i].size > 0; i++) {
        const order_of *h = &r->held[i];
        CHECK_EQ(hg_portfolio_open(w->portfolio, h->id, h->side * lots(w, h->id, h->size), 0),
                 HG_OK);
    }
    feed(g);
}

static inline void lose(rig *g, const order_of *o) {
    uint64_t id = rest(&g->w, o->id, o->side, o->price, o->size);
    hg_exec_lost(g->w.exec, id, g->w.now_ns);
    world_answers(&g->w);
    CHECK_STR(state_of(&g->w, id), "unknown");
}

/* --- what came of it -------------------------------------------------------------------------- */

static inline bool same(double a, double b) {
    return b == -987654321.0 || (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-6 * fmax(1e-3, fabs(b));
}

/* A refused order: the observer, the counters, the order and the answer owed to its script say the
 * same. */
static inline void check_told(rig *g, uint64_t id, const hg_refusal *said,
                              const hg_exec_stats *before) {
    const hg_exec_stats *now = hg_exec_stats_get(g->w.exec);
    const hg_refusal *kept = hg_exec_refusal(g->w.exec, id);
    const hg_order *order = hg_exec_get(g->w.exec, id);
    bool counted = now->refused == before->refused + 1 && now->orders == before->orders &&
                   now->refused_by[said->code] == before->refused_by[said->code] + 1;
    bool heard = g->refusals == 1 && g->heard.code == said->code && said->text[0] &&
                 strcmp(g->heard.text, said->text) == 0 && same(g->heard.value, said->value) &&
                 same(g->heard.limit, said->limit);
    bool remembered = kept && kept->code == said->code && same(kept->value, said->value) &&
                      same(kept->limit, said->limit) && strcmp(kept->text, said->text) == 0;
    bool ended = order && order->state == HG_ORDER_REJECTED && order->reject == said->code;
    hg_event answer = {0};
    bool owed = false;
    while (hg_exec_due_ns(g->w.exec) <= g->w.now_ns && hg_exec_next(g->w.exec, &answer)) {
        const hg_order *of = apply(g, &answer);
        owed = owed ||
               (of == order && answer.kind == HG_EV_REJECTED && answer.order.code == said->code);
    }
    g->broken = !counted      ? "it was not counted once"
                : !heard      ? "the observer did not hear it"
                : !remembered ? "it is not remembered"
                : !ended      ? "the order does not say so"
                : !owed && said->code != HG_REJECT_PAUSED /* who is paused is not called again */
                    ? "the script is not told"
                    : NULL;
}

/* A change of state: the observer heard it, and the scripts will. */
static inline void check_changed(rig *g, uint64_t serial) {
    const hg_risk_event *kept = hg_risk_event_get(g->w.exec, serial);
    answers(g);
    g->broken = !kept || kept->code != g->change.code ? "the change is not remembered"
                : !kept->text[0]                      ? "the change has no text"
                : g->told != serial                   ? "the scripts are not told"
                                                      : NULL;
}

static inline says outcome(rig *g, const row *r, double x) {
    if (r->happen) {
        g->changes = 0;
        r->happen(g, x);
        if (g->changes == 0) {
            return (says){"", NAN, NAN};
        }
        check_changed(g, g->change.serial);
        return (says){hg_reject_code(g->change.code), g->change.value, g->change.limit};
    }
    hg_order_request q = request(r->order.id, r->order.side, r->order.price, r->order.size);
    if (r->put) {
        r->put(g, &q, x);
    } else {
        q.size = x;
    }
    hg_exec_stats before = *hg_exec_stats_get(g->w.exec);
    hg_refusal said;
    uint64_t id = 0;
    g->refusals = 0;
    int rc = hg_exec_submit(g->w.exec, &q, g->w.now_ns, &id, &said);
    if (rc == HG_OK) {
        g->broken = said.code == HG_REJECT_NONE && g->refusals == 0 ? NULL : "sent and refused";
        return (says){"", NAN, NAN};
    }
    check_told(g, id, &said, &before);
    return (says){hg_reject_code(said.code), said.value, said.limit};
}

static inline void expect(rig *g, const row *r, const char *cell, double x, says want) {
    says got = outcome(g, r, x);
    bool right = strcmp(got.code, want.code) == 0 &&
                 (!*want.code || (same(got.value, want.value) && same(got.bound, want.bound)));
    if (!right || g->broken) {
        hg_test_fail(__FILE__, __LINE__,
                     "%s, %s, %s (%.12g): '%s' %.12g (limit %.12g), wanted '%s' %.12g (limit "
                     "%.12g); %s; %s",
                     r->control, r->what, cell, x, got.code, got.value, got.bound, want.code,
                     want.value, want.bound, g->broken ? g->broken : "", g->heard.text);
    }
}

#endif
