/*
 * The inside of a script: what its files share. One hg_script is one Lua state and everything that
 * state may own in C: tasks, timers, subscriptions, sources. All entries into Lua are in enter.c.
 *
 * Functions named l_* may raise (longjmp): they own no C resource at a raising call. All others
 * never raise and never run Lua unprotected.
 */
#ifndef HG_SCRIPT_SCRIPT_INT_H
#define HG_SCRIPT_SCRIPT_INT_H

#include "base/json.h"
#include "base/rng.h"
#include "script/memory_int.h"
#include "script/names_int.h"
#include "script/pace.h"
#include "script/script.h"
#include "script/watchdog_int.h"

#include <lauxlib.h>
#include <lua.h>

#define HG_PATH_MAX 512
#define HG_SOURCES_MAX 256
#define HG_PARAMS_MAX 64
#define HG_TASKS_MAX 1024  /* callbacks and spawned functions that wait at one time */
#define HG_TIMERS_MAX 2048 /* every, after, at, sleep and await deadlines together */
#define HG_PATTERNS_MAX 64
#define HG_ERROR_MAX 4096

#define HG_MEMORY_OVERDRAFT ((size_t)8 << 20)
#define HG_TEXT_MAX ((size_t)2 << 20) /* bytes of one text of a strategy */

/* ---- sources --------------------------------------------------------------------------------- */
typedef struct hg_source {
    char name[HG_PATH_MAX]; /* as shown in messages: "strategies/delta_band.lua" */
    char *text;
    size_t size;
} hg_source;

/* ---- parameters ------------------------------------------------------------------------------ */
typedef struct hg_param {
    char name[48];
    enum { HG_PARAM_NUMBER, HG_PARAM_BOOL, HG_PARAM_TEXT } type;
    bool integer; /* the default is one: whole values stay integers */
    bool outside; /* set by people: --set, configuration, a running session */
    double value, min, max;
    double declared; /* what the file says, whatever was set since */
    char text[96], declared_text[96];
    char unit[16];
    char choices[256]; /* '\n' between them, "" = any text */
} hg_param;

/* ---- errors ---------------------------------------------------------------------------------- */
#define HG_FAULTS_MAX 32 /* distinct errors; the last place counts all others */
typedef struct hg_fault {
    uint64_t hash, count;
    char text[256]; /* its first line */
} hg_fault;

/* ---- tasks and timers ------------------------------------------------------------------------ */
typedef enum { HG_WAIT_NONE, HG_WAIT_SLEEP, HG_WAIT_ORDER } hg_wait;

/* What a task still means to send (plan.c). */
typedef struct hg_plan {
    hg_lots lots; /* 0: nothing */
    uint32_t instrument;
    int8_t side;
} hg_plan;

typedef struct hg_task {
    lua_State *co;
    int ref; /* keeps the coroutine */
    hg_wait wait;
    uint64_t order;    /* HG_WAIT_ORDER: its id */
    uint64_t deadline; /* timer handle, 0 = none */
    const char *label; /* "on_tick": for messages */
    hg_plan plan;
} hg_task;

typedef struct hg_timer {
    int64_t time_ns;
    uint64_t serial; /* order of creation: equal times fire in this order */
    int64_t period_ns;
    uint32_t task;       /* the waiting task, or UINT32_MAX for a function */
    int ref;             /* the function */
    uint32_t place;      /* in the heap */
    uint32_t generation; /* of the slot: stale handles find nothing */
} hg_timer;

typedef enum {
    HG_CB_START,
    HG_CB_TICK,
    HG_CB_DEPTH,
    HG_CB_TRADE,
    HG_CB_FILL,
    HG_CB_ORDER,
    HG_CB_TIMER,
    HG_CB_RISK,
    HG_CB_STOP,
    HG_CALLBACKS
} hg_callback;

extern const char *const hg_callback_names[HG_CALLBACKS + 1];

/* Instruments touched by the open batch of events. */
typedef struct hg_batch {
    uint64_t *bits;
    uint32_t low, high; /* words in use */
    bool open;
} hg_batch;

/* The tick object: what it shows, and the table of numbers it is read from (api_tick.c). */
#define HG_TICK_FIELDS (HG_N_time - HG_N_bid + 1)
typedef struct hg_tick {
    const hg_instrument *inst; /* NULL before the first */
    const hg_market_state *market;
    int64_t time_ns;
    const hg_instrument *shown; /* by the table */
    uint64_t version;           /* of the market's state when the table was last compared */
    bool by_table;              /* else a function reads the market */
    uint8_t learned, holes;     /* bits of fields: in the table; of these, without a value */
    uint8_t reads[HG_TICK_FIELDS];
    int64_t seen[HG_TICK_FIELDS]; /* what the table has */
    uint64_t count;
    uint64_t since[HG_TICK_FIELDS]; /* the tick of the first of `reads` */
} hg_tick;

struct hg_script {
    /* What every event touches stands together: with many strategies on one feed the price of one
     * is the cache lines it needs. */
    lua_State *lua;
    const hg_script_env *env; /* NULL under `hedged lua` */
    hg_memory memory;
    bool sandbox;
    bool loading;
    bool declared; /* hedged.strategy has been called */
    bool inside;
    bool stopping;
    bool probation; /* somebody decides what a failure means: orders stay */
    bool forgotten; /* its Lua state is being taken apart */
    hg_script_state state;
    uint16_t index;
    uint32_t underlying_id;
    const char *underlying_key; /* the interned string, for a fast look-up */
    int ref_self, ref_values;   /* their addresses are the registry keys */
    int ref_tick, ref_instruments, ref_loaded;
    int ref_callback[HG_CALLBACKS]; /* LUA_NOREF when absent */
    uint32_t task_count;
    uint32_t free_count;
    uint32_t current; /* the running task */
    uint32_t order_waits;
    uint32_t heap_count, timer_slots, timer_free_count;
    bool explicit_patterns;
    bool default_set;    /* nothing explicit yet: held instruments join by themselves */
    uint8_t *subscribed; /* by instrument */
    uint32_t *proxy;     /* by underlying: the instrument that shows its index, or HG_ID_NONE */
    hg_batch ticks, depths;
    hg_tick tick;
    const hg_event *event; /* of the callback being built */
    const hg_order *order;
    const hg_risk_event *risk;              /* of on_risk: NULL for a refusal */
    const hg_liquidation_note *liquidation; /* of on_risk, else NULL */
    hg_callback callback;
    const char *why;
    uint32_t fault_row; /* callbacks that failed in a row */
    size_t gc_mark;     /* memory at the end of the last cycle */
    size_t gc_last;     /* at the last step */
    bool gc_cycle;
    bool gc_sweeps;   /* the cycle has marked everything */
    uint64_t entries; /* into its Lua, of any kind */
    hg_script_stats stats;
    hg_names names;

    /* The rest. */
    char name[64];
    char file[HG_PATH_MAX]; /* as given */
    char dir[HG_PATH_MAX];  /* where its modules are searched: canonical, or embedded */
    bool embedded;
    const struct hg_code *from; /* while it loads: kept texts instead of files; else NULL */
    hg_pace *pace;              /* a candidate: it works in slices; else NULL */
    bool over;                  /* beyond its memory, and that before its time ran out */
    bool starved;               /* it is being stopped for want of memory, not of time */
    struct {
        uint64_t hash;
        const char *near;
    } unknown[8]; /* names of instruments that do not exist, and what they may have meant */
    uint32_t unknown_count;
    volatile sig_atomic_t given_up; /* stopped in the middle of a step: its state is lost */
    char absent[HG_PATH_MAX];       /* the last file looked for in vain: a module, or its own */
    bool versioned;                 /* of its state */
    lua_Integer version;
    uint64_t hash;
    hg_rng rng;
    hg_source sources[HG_SOURCES_MAX];
    uint32_t source_count;
    hg_param params[HG_PARAMS_MAX];
    uint32_t param_count;
    char underlying[HG_CODE_MAX];
    char hedge_with[8][HG_NAME_MAX];
    uint32_t hedge_count;
    hg_task tasks[HG_TASKS_MAX];
    uint32_t free_tasks[HG_TASKS_MAX];
    hg_timer timers[HG_TIMERS_MAX];
    uint32_t heap[HG_TIMERS_MAX];
    uint32_t timer_free[HG_TIMERS_MAX];
    uint64_t timer_serial;
    int64_t moment_ns; /* of the last timers */
    uint32_t moment_fired;
    const hg_script *predecessor; /* while on_start of a reload runs: whose timers may be adopted */
    uint64_t adopted[HG_TIMERS_MAX / 64];
    char patterns[HG_PATTERNS_MAX][HG_NAME_MAX];
    uint32_t pattern_count;
    uint32_t declared_patterns; /* of these, from the file; the rest came while it ran */
    hg_fault faults[HG_FAULTS_MAX];
    uint32_t fault_count;
    uint64_t fault_total;            /* since the start or the last resume */
    int64_t fault_ns[HG_ERRORS_MAX]; /* times of the last ones, by fault_total */
    hg_log_room log_room;            /* of its own, where the session keeps none for it */
    char error[HG_ERROR_MAX];
};

static inline hg_script *hg_script_of(lua_State *L) {
    return *(hg_script **)lua_getextraspace(L);
}

static inline int64_t hg_script_now(const hg_script *s) {
    return *s->env->now_ns;
}

/* ---- script.c, run_file.c -------------------------------------------------------------------- */
hg_script *hg_script_new(const hg_script_env *env, const char *path, uint16_t index);
/* Loads a script; on failure *out is what there is of it, or NULL. `from` replaces the files of the
 * strategy; `follow(script, context)` sets parameters from another script instead of `set`. */
int hg_script_load(const hg_script_env *env, const char *path, uint16_t index,
                   const struct hg_code *from, const hg_script *context,
                   int (*follow)(hg_script *, const hg_script *), hg_pace *pace, hg_script **out);
hg_script *hg_script_stock(const char *path); /* the stock interpreter; NULL with the record set */

/* ---- enter.c: the only place that runs Lua --------------------------------------------------- */
/* Resumes a task with `nargs` values on its stack; a failure parks the script. */
void hg_lua_enter(hg_script *s, uint32_t task, int nargs, int64_t budget_ns);
/* Runs a C function on the main coroutine. 0, or HG_ESTRATEGY with the framed text in s->error. */
HG_MUST_CHECK int hg_lua_protect(hg_script *s, lua_CFunction function, void *argument,
                                 const char *label, int64_t budget_ns);
int64_t hg_script_budget(const hg_script *s);
int64_t hg_script_load_budget(const hg_script *s);
size_t hg_script_memory_max(const hg_script *s);
/* ---- park.c ---------------------------------------------------------------------------------- */
/* Stops this strategy only: its timers are dropped, its orders cancelled (or kept, see on_park). */
void hg_script_park(hg_script *s);
/* The error in s->error happened in a callback: counts it, tells it, parks when it is too much. */
void hg_script_failed(hg_script *s, uint32_t task, bool fatal);
/* Polled by C functions that work long: raises when the budget is used up, and gives way to the
 * session where the script is a candidate. */
void l_raise_if_over_budget(lua_State *L);
/* Raises on every instruction from here on when the entry has expired. */
void l_stop_if_expired(lua_State *L);

/* ---- collect.c ------------------------------------------------------------------------------- */
/* From here on the collector runs when the host says so; everything is collected once. */
void l_collect_begin(lua_State *L);
void l_collect_all(lua_State *L);

/* ---- pace.c ---------------------------------------------------------------------------------- */
void l_pace(lua_State *L);
void hg_pace_hook(lua_State *L);

/* ---- frame.c --------------------------------------------------------------------------------- */
/* Writes `message` (with its "file:line: " and traceback) as a framed text into s->error. */
void hg_frame_write(hg_script *s, const char *label, const char *message, const char *traceback);
/* ---- mark.c ---------------------------------------------------------------------------------- */
typedef struct hg_mark {
    int column; /* from 1, in bytes */
    int width;
    const char *note; /* "this is nil" or "" */
} hg_mark;

/* Where in the line (`text`, `len` bytes of the source) the error of `message` is. */
bool hg_mark_find(const hg_source *source, const char *text, int len, const char *message,
                  hg_mark *mark);
/* "       ^^^^ this is nil", to stand under the line. */
void hg_mark_caret(const char *text, const hg_mark *mark, char *out, size_t size);
/* A line of a source, at most 160 bytes of it; NULL when it has fewer. */
const char *hg_source_line(const hg_source *source, int line, int *len);
/* "did you mean 'x'?" for a nil field. */
bool hg_mark_suggest(const hg_script *s, const hg_source *source, const char *message, char *out,
                     size_t size);

/* Text of any error value, without running its metamethods. */
const char *hg_error_value(lua_State *L, int index, char *buf, size_t size);

/* ---- state.c, require.c ---------------------------------------------------------------------- */
HG_MUST_CHECK int hg_state_open(hg_script *s);
void hg_state_close(hg_script *s);
/* After an error from the middle of a step of Lua: the script has no state (`lua` is NULL). */
void hg_state_give_up(hg_script *s);
int l_state_sandbox(lua_State *L); /* builds the globals */
int l_state_stock(lua_State *L);   /* `hedged lua`: everything */
int l_require(lua_State *L);
/* Reads a strategy or module into s->sources (hashing it); NULL with the record set. */
const hg_source *hg_source_load(hg_script *s, const char *path);
/* The text of module `shown` at `path`, when that is a .lua file below `dir`; the caller frees. */
HG_MUST_CHECK int hg_module_read(const char *dir, const char *path, const char *shown, char **data,
                                 size_t *size);
void hg_source_tidy(char *text, size_t size); /* in place: lines and columns stay */
const hg_source *hg_source_text(hg_script *s, const char *name, const char *text, size_t size);

/* ---- lib_*.c: bounded, deterministic replacements -------------------------------------------- */
void l_lib_base(lua_State *L); /* expects the globals on top */
void l_lib_string(lua_State *L);
void l_lib_table(lua_State *L);
void l_lib_math(lua_State *L);
void l_lib_coroutine(lua_State *L);
/* As luaL_loadbufferx of a text, in pieces with polls between. */
int l_compile_text(lua_State *L, const char *text, size_t size, const char *name);
int l_pairs(lua_State *L);
int l_next(lua_State *L);
int l_safe_tostring(lua_State *L, int index); /* pushes; no addresses */
int l_string_match_functions(lua_State *L);   /* find match gmatch gsub into the table on top */

/* ---- strategy.c, param.c --------------------------------------------------------------------- */
int l_strategy(lua_State *L); /* hedged.strategy */
int l_param(lua_State *L);    /* hedged.param */
bool l_param_is(lua_State *L, int index);
bool l_param_declare(lua_State *L, hg_script *s, const char *name); /* value on top */
HG_MUST_CHECK int hg_param_set(hg_script *s, const char *assignment);
void l_param_push(lua_State *L, const hg_param *param);
int l_param_publish(lua_State *L);

/* ---- task.c, timer.c ------------------------------------------------------------------------- */
#define HG_TASK_SELF 1
#define HG_TASK_TICK 2
#define HG_TASK_ON_TICK 3
#define HG_TASK_SLOTS 3
#define HG_TASK_NONE UINT32_MAX
uint32_t hg_task_take(hg_script *s); /* HG_TASK_NONE when none is left: the script is parked */
void hg_task_release(hg_script *s, uint32_t task);
void hg_plan_drop(hg_script *s, uint32_t task);
void hg_plan_drop_all(hg_script *s); /* the script is not running: nobody will send it */
int l_plan(lua_State *L);
/* Gives a task whose coroutine failed or was left waiting a fresh one. */
HG_MUST_CHECK int hg_task_renew(hg_script *s, uint32_t task);
void hg_task_wake(hg_script *s, uint32_t task, bool timed_out);
void hg_task_order_done(hg_script *s, uint64_t order);
int l_sleep(lua_State *L);
int l_spawn(lua_State *L);
/* Yields until the order is done; `resumed` finds whether it timed out on top of the stack. */
int l_await(lua_State *L, uint64_t order, double timeout_s, lua_KFunction resumed);
void hg_task_run_timer(hg_script *s, int ref, bool once);
void l_push_timer(lua_State *L, uint64_t handle);
uint64_t hg_timer_add(hg_script *s, int64_t time_ns, int64_t period_ns, uint32_t task, int ref);
bool hg_timer_cancel(hg_script *s, uint64_t handle);
void hg_timer_clear(hg_script *s);
void hg_timer_order(hg_script *s); /* after times were changed */

/* ---- reload.c, code.c ------------------------------------------------------------------------ */
/* When a timer set in on_start of a reload is due: at `time_ns`, or in the rhythm of the one of the
 * old code that it continues (same period and name). */
int64_t hg_timer_adopt(hg_script *s, const char *name, int64_t time_ns, int64_t period_ns);
/* Adds to the table on top what ended with the old code. */
void l_push_left_behind(lua_State *L, const hg_script *s);
const hg_source *hg_code_find(const struct hg_code *code, const char *name);

/* ---- dispatch.c ------------------------------------------------------------------------------ */
void hg_script_call(hg_script *s, hg_callback callback, int64_t budget_ns);

/* ---- subscribe.c ----------------------------------------------------------------------------- */
HG_MUST_CHECK int hg_subscribe_start(hg_script *s);
/* Nothing new for a pattern already known. */
HG_MUST_CHECK int hg_subscribe_pattern(hg_script *s, const char *pattern);
void l_subscribe_pattern(lua_State *L, hg_script *s, const char *pattern); /* raises then */
void hg_subscribe_held(hg_script *s, uint32_t id);

/* ---- check_source.c -------------------------------------------------------------------------- */
/* Appends findings to `report`; returns how many. */
int hg_check_source(hg_script *s, const hg_source *source, char *report, size_t size);

/* Marks the lines that have code (`active` holds `count` + 1 bytes). */
void hg_check_lines(const hg_source *source, uint8_t *active, uint32_t count);

/* ---- allow.c --------------------------------------------------------------------------------- */
/* What is reachable in this state against the list; HG_EINTERNAL names what is too much. */
HG_MUST_CHECK int hg_allow_walk(hg_script *s, char *found, size_t size);
HG_MUST_CHECK int hg_allow_check(void);

/* ---- coverage.c ------------------------------------------------------------------------------ */
bool hg_coverage_on(void);
/* No hook, or the one that counts lines. */
void hg_hook_clear(lua_State *L);
/* On stdout, or as the field "coverage"; and the lcov file. Ends the counting. */
void hg_coverage_report(hg_json *json);

/* ---- api_*.c --------------------------------------------------------------------------------- */
typedef struct hg_module {
    const char *name; /* "hedged.market" */
    lua_CFunction open;
} hg_module;
extern const hg_module hg_modules[]; /* ends with a NULL name */

int l_open_hedged(lua_State *L);
void l_add_risk(lua_State *L); /* hedged.risk into the table on top */
int l_open_market(lua_State *L);
int l_open_portfolio(lua_State *L);
int l_open_orders(lua_State *L);
int l_open_greeks(lua_State *L);
int l_open_surface(lua_State *L);
/* The entry points of the module for plain Lua, under the names `require` looks for. */
__attribute__((visibility("default"))) int luaopen_hedged_greeks(lua_State *L);
__attribute__((visibility("default"))) int luaopen_hedged_surface(lua_State *L);
/* `now` (or NULL) tells the time that `fit` counts from when it is given none. */
int l_surface_module(lua_State *L, lua_CFunction now);
int l_open_test(lua_State *L);

void l_api_types(lua_State *L); /* metatables of every userdata; once per state */
/* A module table: read-only in the sandbox. Pushes. */
int l_api_module(lua_State *L, const luaL_Reg *functions);
int l_api_refuse_write(lua_State *L); /* __newindex; the name of the table is its upvalue */
void l_api_read_only(lua_State *L, const char *what);     /* replaces the table on top by a proxy */
hg_script *l_api_session(lua_State *L, const char *what); /* raises outside a session */
hg_script *l_api_running(lua_State *L, const char *what); /* and while the file loads */
int l_api_fail(lua_State *L, const char *code, const char *format, ...) HG_PRINTF(3, 4);
_Noreturn void l_api_unknown(lua_State *L, const char *what, int key, const char *const *names);
void l_api_check_fields(lua_State *L, int table, const char *what, const char *const *names);
double l_api_number(lua_State *L, int table, const char *field, double fallback);
const char *l_api_text(lua_State *L, int table, const char *field, const char *fallback);
bool l_api_bool(lua_State *L, int table, const char *field);
void l_api_metatable(lua_State *L, const char *name, const luaL_Reg *functions);
/* Instrument of an object or a name: HG_ID_NONE when the name is unknown, which is then told by
 * l_api_no_instrument (nil, message, "instrument"), `tell`: to people as well. Raises for other
 * types. */
uint32_t l_api_instrument(lua_State *L, int index);
int l_api_no_instrument(lua_State *L, int index, bool tell);
uint32_t l_api_underlying(lua_State *L, int index);
int l_explain(lua_State *L); /* portfolio.explain, api_explain.c */
void l_push_instrument(lua_State *L, uint32_t id);
void l_push_order(lua_State *L, uint64_t id);
void l_push_time(lua_State *L, int64_t time_ns);
void l_push_nano(lua_State *L, int64_t nano); /* nil when 0 */
void l_new_tick(lua_State *L);
void hg_tick_bind(hg_script *s);    /* once, when it has been made */
void hg_tick_refresh(hg_script *s); /* before on_tick */
void hg_tick_check(hg_script *s);   /* before anything else: an old table is not read */
void l_type_tick(lua_State *L);
void l_type_instrument(lua_State *L);
void l_type_order(lua_State *L);
void l_type_exposure(lua_State *L);
void l_type_timer(lua_State *L);
bool l_order_options(lua_State *L, int table, hg_order_request *request);
void l_order_conditions(lua_State *L, int table, hg_order_request *request, hg_bracket *bracket);
void l_order_amendment(lua_State *L, int table, hg_amendment *amendment);
uint64_t l_order_id(lua_State *L, int index);
bool l_push_condition(lua_State *L, const hg_order *order, unsigned name);
hg_side l_side(lua_State *L, const char *name); /* raises */
int l_choice(lua_State *L, const char *field, const char *name, const char *const *names);
extern const char *const hg_order_types[];
int l_order_submit(lua_State *L, hg_script *s, hg_order_request *request);
int l_exposure_by(lua_State *L, hg_delta_rule rule);
void l_push_market_surface(lua_State *L); /* the function */
int l_margin(lua_State *L);               /* api_margin.c: functions of hedged.portfolio */
int l_what_if(lua_State *L);
int l_scenario(lua_State *L);
void l_push_liquidation(lua_State *L, const hg_script *s);
void l_push_json_line(lua_State *L, const char *line);
void l_push_exposure_function(lua_State *L);
void l_push_exposure(lua_State *L, const hg_script_env *env, uint32_t underlying);
int l_trade(lua_State *L);
const char *l_caller_line(lua_State *L, char *buf, size_t size);
void hg_script_log(hg_script *s, hg_log_level level, const char *text);

#endif
