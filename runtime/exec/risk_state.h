#ifndef HG_EXEC_RISK_STATE_H
#define HG_EXEC_RISK_STATE_H

#include "domain/order.h"

/* What the risk gate has decided about the session, a strategy or an underlying, and who may change
 * it. Everything but a freeze with a time and a lack of marks is latched: only the operator
 * re-arms, never a script. */
typedef struct hg_exec hg_exec;

#define HG_STRATEGY_ANY UINT16_MAX
#define HG_STRATEGIES_MAX 16 /* strategies of one session */

typedef enum {
    HG_RISK_ACTIVE,
    HG_RISK_REDUCING, /* session: only orders that lower the risk */
    HG_RISK_HALTED,   /* session: no orders; cancels pass */
    HG_RISK_PAUSED,   /* strategy: no orders of it */
    HG_RISK_FROZEN,   /* underlying: no orders on it */
    HG_RISK_STATES
} hg_risk_state;

const char *hg_risk_state_name(hg_risk_state state); /* "active" "reducing" ... */

/* A change of state. */
typedef struct hg_risk_event {
    int64_t time_ns;
    uint64_t serial;     /* from 1 */
    uint16_t strategy;   /* HG_STRATEGY_ANY: not one strategy */
    uint32_t underlying; /* UINT32_MAX: not one underlying */
    hg_risk_state from, to;
    hg_reject code; /* the control that decided; HG_REJECT_NONE: the operator re-armed */
    double value, limit;
    uint32_t cancelled; /* orders asked back */
    char text[160];
} hg_risk_event;

typedef enum {
    HG_KILL_PAUSE,  /* one strategy: no new orders of it, its open ones are cancelled */
    HG_KILL_HALT,   /* no new orders of anybody */
    HG_KILL_CANCEL, /* and all open orders are cancelled, again until the venue has confirmed */
    HG_KILL_FLATTEN /* and every position is closed with reduce-only market orders */
} hg_kill_level;

const char *hg_kill_name(hg_kill_level level); /* "pause" "halt" "cancel" "flatten" */
/* False when the word is none of these. */
bool hg_kill_parse(const char *word, hg_kill_level *out);

/* The operator's switches (signal, KILL file, control socket). A level below the one in force
 * changes nothing; `strategy` matters for HG_KILL_PAUSE only. Returns how many orders have been
 * asked back. */
uint32_t hg_risk_kill(hg_exec *exec, hg_kill_level level, uint16_t strategy, const char *reason,
                      int64_t now_ns);
/* Back to active: a strategy (all with HG_STRATEGY_ANY, and then the session and every underlying
 * too). Day loss and drawdown count from now. */
void hg_risk_arm(hg_exec *exec, uint16_t strategy, const char *who, int64_t now_ns);

hg_risk_state hg_risk_session(const hg_exec *exec, const char **why); /* `why` may be NULL */
/* How far the operator's switch or a loss has gone; HG_KILL_PAUSE: trading is not halted. */
hg_kill_level hg_risk_level(const hg_exec *exec);
hg_risk_state hg_risk_strategy(const hg_exec *exec, uint16_t strategy, const char **why);
hg_risk_state hg_risk_underlying(const hg_exec *exec, uint32_t underlying, int64_t now_ns,
                                 int64_t *thaw_ns);

/* A state change by serial; NULL when it is too old (the newest 256 are kept). */
const hg_risk_event *hg_risk_event_get(const hg_exec *exec, uint64_t serial);

#endif
