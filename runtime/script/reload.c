/*
 * One script takes the place of another. The new one lives in its own Lua state; what belongs to
 * the runtime (orders, parameters, subscriptions, timers with names, open batches, random numbers)
 * is handed over here, and nothing of the old state is referred to afterwards.
 *
 * Functions cannot cross: timers with functions and waiting tasks end with the code that made them.
 * A periodic timer that on_start sets again keeps its rhythm, so that saving a file ten times a
 * minute does not put off what runs every minute.
 */
#include "script/reload.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "script/reload_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- state ----------------------------------------------------------------------------------- */
#define TRIES 3 /* to copy it in pieces */

static void l_push_state(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    lua_pushliteral(L, "state");
    if (lua_rawget(L, -2) != LUA_TTABLE) {
        luaL_error(L, "state: self.state is a %s, not a table", luaL_typename(L, -1));
    }
}

static int l_carry(lua_State *L) {
    hg_carry *carry = lua_touserdata(L, 1);
    l_push_state(L);
    l_carry_write(L, -1, carry, "state");
    return 0;
}

typedef struct piece {
    hg_carrying *carrying;
    int64_t until_ns;
    bool done;
} piece;

static int l_piece(lua_State *L) {
    piece *p = lua_touserdata(L, 1);
    l_push_state(L);
    p->done = l_carry_piece(L, -1, p->carrying, p->until_ns);
    return 0;
}

/* hg_lua_protect frames a failure into s->error; a script that runs on has no error. */
static int protect_aside(hg_script *s, lua_CFunction function, void *argument, int64_t budget_ns) {
    char kept[HG_ERROR_MAX];
    memcpy(kept, s->error, sizeof kept);
    int rc = hg_lua_protect(s, function, argument, "state", budget_ns);
    memcpy(s->error, kept, sizeof kept);
    return rc;
}

/* False: the state is lost; the new code starts with none. */
static bool carry_begin(const hg_script *s, hg_carry *carry) {
    carry->versioned = s->versioned;
    carry->version = s->versioned ? s->version : 1;
    if (!s->lua) hg_carry_fini(carry);
    return s->lua != NULL;
}

int hg_script_carry(hg_script *s, hg_carry *carry) {
    return carry_begin(s, carry) ? protect_aside(s, l_carry, carry, hg_script_budget(s)) : 0;
}

enum { COPIED, DISTURBED }; /* how an attempt in pieces ends, if it does not fail */

/* Each piece is an entry of its own, so that the script may run between two; one budget is for all
 * of them. Time is measured around the pieces only. */
static int carry_in_pieces(hg_script *s, hg_carrying *carrying, hg_pace *pace) {
    int64_t budget = hg_script_budget(s);
    int64_t left = budget;
    piece p = {.carrying = carrying};
    for (;;) {
        p.until_ns = pace->until_ns;
        int64_t begin = hg_clock_thread_ns();
        int rc = protect_aside(s, l_piece, &p, budget <= 0 ? 0 : left > 1 ? left : 1);
        left -= hg_clock_thread_ns() - begin;
        if (rc < 0 || p.done) return rc;
        uint64_t entries = s->entries;
        if (!hg_pace_poll(pace)) return HG_ERR(HG_ESTATE, "abandoned");
        if (!s->lua || s->entries != entries) return DISTURBED;
    }
}

int hg_script_carry_paced(hg_script *s, hg_carry *carry, hg_pace *pace) {
    int rc = DISTURBED;
    for (int tries = 0; tries < TRIES && rc == DISTURBED && s->lua; tries++) {
        const lua_State *lua = s->lua;
        hg_carrying *carrying = hg_carrying_new(carry, "state");
        if (!carrying) break;
        if (carry_begin(s, carry)) rc = carry_in_pieces(s, carrying, pace);
        hg_carrying_free(carrying, s->lua == lua ? s->lua : NULL);
    }
    return rc == DISTURBED ? hg_script_carry(s, carry) : rc;
}

/* migrate(old_state, old_version); written with a colon it gets the strategy first. */
static bool l_wants_self(lua_State *L, int function) {
    lua_pushvalue(L, function);
    const char *first = lua_getlocal(L, NULL, 1);
    lua_pop(L, 1);
    return first && strcmp(first, "self") == 0;
}

/* Stack: self, migrate, the carried state. Leaves what migrate made of it. */
static void l_migrate(lua_State *L, const hg_carry *carry) {
    bool with_self = l_wants_self(L, 2);
    lua_pushvalue(L, 2);
    if (with_self) lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_pushinteger(L, carry->version);
    lua_call(L, with_self ? 3 : 2, 1);
    if (!lua_istable(L, -1)) {
        luaL_error(L, "migrate must return the new state, a table; it returned %s",
                   luaL_typename(L, -1));
    }
}

/* Fields the declaration gives and the carried state (on top) lacks. */
static void l_add_declared(lua_State *L) {
    int carried = lua_gettop(L);
    lua_pushliteral(L, "state");
    if (lua_rawget(L, 1) == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2);) {
            lua_pushvalue(L, -2);
            bool missing = lua_rawget(L, carried) == LUA_TNIL;
            lua_pop(L, 1);
            if (missing) {
                lua_pushvalue(L, -2);
                lua_pushvalue(L, -2);
                lua_rawset(L, carried);
            }
            lua_pop(L, 1);
        }
    }
    lua_settop(L, carried);
}

typedef struct taking {
    const hg_carry *carry;
    bool check;
    hg_carry scratch;
} taking;

static int l_take(lua_State *L) {
    taking *t = lua_touserdata(L, 1);
    const hg_carry *carry = t->carry;
    hg_script *s = hg_script_of(L);
    lua_settop(L, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    lua_pushliteral(L, "migrate");
    int type = lua_rawget(L, 1);
    bool declared = carry->versioned || s->versioned;
    bool same = carry->version == (s->versioned ? s->version : 1);
    l_carry_read(L, carry);
    if (type == LUA_TFUNCTION && (!same || !declared)) {
        l_migrate(L, carry);
        if (t->check) l_carry_write(L, -1, &t->scratch, "what migrate returned");
    } else if (!same) {
        return luaL_error(L,
                          "state has version %I and the new code declares version %I without a "
                          "migrate(old_state, old_version)",
                          (LUAI_UACINT)carry->version,
                          (LUAI_UACINT)(s->versioned ? s->version : 1));
    } else {
        l_add_declared(L);
    }
    lua_pushliteral(L, "state");
    lua_insert(L, -2);
    lua_rawset(L, 1);
    return 0;
}

int hg_script_take(hg_script *s, const hg_carry *carry, bool check) {
    hg_assert(s->state == HG_SCRIPT_LOADED);
    if (!carry->data) return 0;
    taking t = {.carry = carry, .check = check};
    s->loading = true; /* migrate declares: nothing can be asked for or sent */
    int rc = hg_lua_protect(s, l_take, &t, "migrate", hg_script_budget(s));
    s->loading = false;
    hg_carry_fini(&t.scratch);
    return rc;
}

/* Read once and thrown away: the blocks stay in the free lists of the state. */
static int l_warm(lua_State *L) {
    const hg_carry *carry = lua_touserdata(L, 1);
    lua_settop(L, 0);
    l_carry_read(L, carry);
    lua_settop(L, 0);
    l_collect_all(L);
    return 0;
}

void hg_script_warm(hg_script *s, const hg_carry *carry) {
    if (!carry->data) return;
    if (hg_lua_protect(s, l_warm, (void *)(uintptr_t)carry, "state", hg_script_budget(s)) < 0) {
        s->error[0] = '\0'; /* taking it will say the same */
        hg_error_clear();
    }
}

/* ---- parameters ------------------------------------------------------------------------------ */
/* Values that people have set on `from` hold for `to` as well. */
static int params_follow(hg_script *to, const hg_script *from) {
    for (uint32_t i = 0; i < from->param_count; i++) {
        const hg_param *p = &from->params[i];
        char text[sizeof p->name + sizeof p->text + 2];
        if (!p->outside) continue;
        if (p->type == HG_PARAM_TEXT) {
            snprintf(text, sizeof text, "%s=%s", p->name, p->text);
        } else if (p->type == HG_PARAM_BOOL) {
            snprintf(text, sizeof text, "%s=%s", p->name, p->value != 0 ? "true" : "false");
        } else {
            snprintf(text, sizeof text, "%s=%.17g", p->name, p->value);
        }
        int rc = hg_param_set(to, text);
        if (rc < 0) return HG_ERR_CTX(rc, "a value set from outside does not fit the new code");
    }
    return 0;
}

/* ---- candidates ------------------------------------------------------------------------------ */
static int check_globals(hg_script *s) {
    char report[1024] = "";
    int found = 0;
    for (uint32_t i = 0; i < s->source_count; i++) {
        if (strncmp(s->sources[i].name, "stdlib/", 7) == 0) continue;
        found += hg_check_source(s, &s->sources[i], report, sizeof report);
    }
    if (found == 0) return 0;
    report[strcspn(report, "\n")] = '\0';
    hg_frame_write(s, "check", report, NULL);
    return HG_ERR(HG_ESTRATEGY, "%s", s->error);
}

static int check_callbacks(hg_script *s) {
    for (int i = 0; i < HG_CALLBACKS; i++) {
        if (s->ref_callback[i] != LUA_NOREF) return 0;
    }
    return HG_ERR(HG_ESTRATEGY, "%s: no callback (on_tick, on_timer, ...): it would never run",
                  s->file);
}

static int l_check_migrate(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    lua_pushliteral(L, "migrate");
    int type = lua_rawget(L, -2);
    if (type == LUA_TNIL || type == LUA_TFUNCTION) return 0;
    return luaL_error(L, "%s: migrate must be a function", s->file);
}

int hg_script_candidate(const hg_script_env *env, const hg_script *running, const hg_code *code,
                        hg_pace *pace, hg_script **out) {
    hg_script *s = NULL;
    int rc = hg_script_load(env, running->file, running->index, code, running, params_follow, pace,
                            &s);
    (void)hg_pace_poll(pace);
    if (rc == 0) rc = check_globals(s);
    (void)hg_pace_poll(pace);
    if (rc == 0) rc = check_callbacks(s);
    if (rc == 0) rc = hg_lua_protect(s, l_check_migrate, NULL, "load", 0);
    if (rc == 0) rc = hg_subscribe_start(s);
    *out = s;
    return rc;
}

/* ---- timers ---------------------------------------------------------------------------------- */
/* Name of a pending timer of `s`, NULL for one with a function. Valid while the timer is. */
static const char *timer_name(const hg_script *s, const hg_timer *t) {
    if (t->ref == LUA_NOREF) return NULL;
    bool text = lua_rawgeti(s->lua, LUA_REGISTRYINDEX, t->ref) == LUA_TSTRING;
    const char *name = text ? lua_tostring(s->lua, -1) : NULL;
    lua_pop(s->lua, 1);
    return name;
}

/* The next moment of a timer that would not have stopped: its rhythm seen from `now`. */
static int64_t next_beat(const hg_timer *t, int64_t now_ns) {
    if (t->period_ns == 0) return t->time_ns > now_ns ? t->time_ns : now_ns;
    int64_t ahead = (t->time_ns - now_ns) % t->period_ns;
    return now_ns + (ahead > 0 ? ahead : ahead + t->period_ns);
}

static bool is_adopted(const hg_script *s, uint32_t slot) {
    return s->adopted[slot / 64] >> (slot % 64) & 1;
}

/* The oldest timer of the predecessor that satisfies the rest and nobody has adopted. */
static uint32_t find_timer(const hg_script *s, const char *name, bool any_name, int64_t period_ns) {
    const hg_script *old = s->predecessor;
    uint32_t best = HG_TASK_NONE;
    for (uint32_t i = 0; i < old->heap_count; i++) {
        uint32_t slot = old->heap[i];
        const hg_timer *t = &old->timers[slot];
        if (t->task != HG_TASK_NONE || is_adopted(s, slot)) continue;
        const char *has = timer_name(old, t);
        bool fits = any_name ? has != NULL
                             : t->period_ns == period_ns && (name ? has && strcmp(has, name) == 0
                                                                  : !has && t->period_ns > 0);
        if (!fits) continue;
        if (best == HG_TASK_NONE || t->serial < old->timers[best].serial) best = slot;
    }
    return best;
}

int64_t hg_timer_adopt(hg_script *s, const char *name, int64_t time_ns, int64_t period_ns) {
    uint32_t slot = s->predecessor ? find_timer(s, name, false, period_ns) : HG_TASK_NONE;
    if (slot == HG_TASK_NONE) return time_ns;
    s->adopted[slot / 64] |= UINT64_C(1) << (slot % 64);
    return next_beat(&s->predecessor->timers[slot], hg_script_now(s));
}

/* Timers with names that on_start did not set again go on by themselves. */
static int l_carry_timers(lua_State *L) {
    hg_script *s = hg_script_of(L);
    const hg_script *old = s->predecessor;
    uint32_t slot;
    while (s->ref_callback[HG_CB_TIMER] != LUA_NOREF &&
           (slot = find_timer(s, NULL, true, 0)) != HG_TASK_NONE) {
        const hg_timer *t = &old->timers[slot];
        s->adopted[slot / 64] |= UINT64_C(1) << (slot % 64);
        lua_pushstring(L, timer_name(old, t));
        int ref = luaL_ref(L, LUA_REGISTRYINDEX);
        if (!hg_timer_add(s, next_beat(t, hg_script_now(s)), t->period_ns, HG_TASK_NONE, ref)) {
            return luaL_error(L, "more than %d timers", HG_TIMERS_MAX);
        }
    }
    return 0;
}

void hg_script_pending_get(const hg_script *s, hg_script_pending *out) {
    *out = (hg_script_pending){0};
    for (uint32_t i = 0; i < s->task_count; i++) {
        out->awaits += s->tasks[i].wait == HG_WAIT_ORDER;
        out->sleeps += s->tasks[i].wait == HG_WAIT_SLEEP;
    }
    for (uint32_t i = 0; i < s->heap_count; i++) {
        const hg_timer *t = &s->timers[s->heap[i]];
        out->timers += t->task == HG_TASK_NONE && !timer_name(s, t);
    }
}

/* why.awaits: what the old code was waiting for and why it does not any more. Fields of the table
 * on top. */
void l_push_left_behind(lua_State *L, const hg_script *s) {
    const hg_script *old = s->predecessor;
    lua_newtable(L);
    lua_Integer n = 0;
    for (uint32_t i = 0; i < old->task_count; i++) {
        const hg_task *t = &old->tasks[i];
        if (t->wait != HG_WAIT_ORDER) continue;
        lua_createtable(L, 0, 3);
        l_push_order(L, t->order);
        lua_setfield(L, -2, "order");
        lua_pushstring(L, t->label);
        lua_setfield(L, -2, "callback");
        lua_pushliteral(L, "reload");
        lua_setfield(L, -2, "code");
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "awaits");
    hg_script_pending left;
    hg_script_pending_get(old, &left);
    lua_pushinteger(L, left.sleeps);
    lua_setfield(L, -2, "sleeps");
    lua_pushinteger(L, left.timers);
    lua_setfield(L, -2, "timers");
}

/* ---- the exchange ---------------------------------------------------------------------------- */
/* Instruments touched in a batch that is still open: the new one will look at them. */
static void merge_batch(const hg_script *to, hg_batch *batch, const hg_batch *from, size_t words) {
    if (!from->bits || !batch->bits || !from->open) return;
    for (size_t w = 0; w < words; w++) {
        uint64_t wanted = 0;
        for (uint64_t bits = from->bits[w]; bits; bits &= bits - 1) {
            size_t id = w * 64 + (size_t)__builtin_ctzll(bits);
            if (to->subscribed[id]) wanted |= bits & -bits;
        }
        if (!wanted) continue;
        batch->bits[w] |= wanted;
        batch->low = w < batch->low ? (uint32_t)w : batch->low;
        batch->high = w > batch->high ? (uint32_t)w : batch->high;
        batch->open = true;
    }
}

/* A callback the code does not have is not called for what another one was waiting to see. */
static void merge_batches(hg_script *to, const hg_script *from) {
    size_t words = hg_universe_count(to->env->universe) / 64 + 1;
    bool ticks = to->ref_callback[HG_CB_TICK] != LUA_NOREF;
    bool depths = to->ref_callback[HG_CB_DEPTH] != LUA_NOREF;
    if (ticks) merge_batch(to, &to->ticks, &from->ticks, words);
    if (depths) merge_batch(to, &to->depths, &from->depths, words);
}

/* What was bought since the subscriptions were worked out. */
static void follow_held(hg_script *s) {
    const uint32_t *held;
    uint32_t count = hg_portfolio_held(s->env->portfolio, &held);
    for (uint32_t i = 0; i < count; i++) hg_subscribe_held(s, held[i]);
}

/* Patterns the old code added while it ran hold on, unless the new code adds its own. */
static int follow_patterns(hg_script *next, const hg_script *old) {
    if (next->pattern_count > next->declared_patterns) return 0;
    int rc = 0;
    for (uint32_t i = old->declared_patterns; rc == 0 && i < old->pattern_count; i++) {
        rc = hg_subscribe_pattern(next, old->patterns[i]);
    }
    return rc;
}

int hg_script_succeed(hg_script *next, const hg_script *running, bool start) {
    hg_assert(next->state == HG_SCRIPT_LOADED && next->subscribed);
    int rc = params_follow(next, running);
    if (rc == 0) rc = hg_lua_protect(next, l_param_publish, NULL, "parameters", 0);
    if (rc < 0) return rc;
    next->rng = running->rng;
    follow_held(next);
    if (!start) {
        next->state = HG_SCRIPT_PAUSED;
        return 0;
    }
    memset(next->adopted, 0, sizeof next->adopted);
    next->predecessor = running;
    rc = hg_script_start(next, "reload");
    if (rc == 0 && (rc = follow_patterns(next, running)) < 0) hg_script_park(next);
    if (rc == 0) merge_batches(next, running); /* now that it is known what it subscribes to */
    if (rc == 0 && hg_lua_protect(next, l_carry_timers, NULL, "timers", 0) < 0) {
        hg_script_park(next);
        rc = HG_ESTRATEGY;
    }
    next->predecessor = NULL;
    return rc;
}

void hg_script_suspend(hg_script *s) {
    if (s->state == HG_SCRIPT_RUNNING) s->state = HG_SCRIPT_SUSPENDED;
    hg_plan_drop_all(s);
}

/* A rhythm that went on without it: one beat is owed, not all of them. */
static void resume_timers(hg_script *s, int64_t now_ns) {
    for (uint32_t slot = 0; slot < s->timer_slots; slot++) {
        hg_timer *t = &s->timers[slot];
        bool pending = t->place < s->heap_count && s->heap[t->place] == slot;
        if (!pending || t->period_ns == 0 || t->time_ns >= now_ns) continue;
        t->time_ns = now_ns - (now_ns - t->time_ns) % t->period_ns;
    }
    hg_timer_order(s);
}

void hg_script_reinstate(hg_script *s, const hg_script *after) {
    if (s->state != HG_SCRIPT_SUSPENDED) return;
    s->state = HG_SCRIPT_RUNNING;
    follow_held(s);
    if (after) {
        merge_batches(s, after);
        int rc = params_follow(s, after);
        if (rc == 0) rc = hg_lua_protect(s, l_param_publish, NULL, "parameters", 0);
        if (rc < 0) hg_error_clear(); /* a value only the other code knows */
    }
    resume_timers(s, hg_script_now(s));
}

void hg_script_probation(hg_script *s, bool on) {
    s->probation = on;
}

#define TRIM_RUNS 4u

/* ---- the end of an old state ----------------------------------------------------------------- */
/* Cuts everything loose; the collector then frees it in steps. */
static int l_forget(lua_State *L) {
    lua_settop(L, 0);
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        bool keep = lua_isinteger(L, -2) && lua_tointeger(L, -2) <= LUA_RIDX_LAST;
        if (keep) continue;
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, 1);
    }
    return 0;
}

bool hg_script_dismantle(hg_script *s, int64_t budget_ns) {
    if (!s) return true;
    int64_t end = hg_clock_monotonic_ns() + budget_ns;
    if (!s->forgotten && s->lua) {
        s->forgotten = true;
        hg_timer_clear(s);
        int rc = hg_lua_protect(s, l_forget, NULL, "end", 0);
        if (rc < 0) hg_error_clear(); /* then all at once */
        s->gc_cycle = rc == 0;
        return false;
    }
    if (s->lua && s->gc_cycle) {
        do {
            s->gc_cycle = !lua_gc(s->lua, LUA_GCSTEP, 0);
        } while (s->gc_cycle && hg_clock_monotonic_ns() < end);
        return false;
    }
    if (s->lua) { /* little is left; its memory goes back in pieces */
        lua_close(s->lua);
        s->lua = NULL;
        return false;
    }
    while (hg_memory_trim(&s->memory, TRIM_RUNS)) {
        if (hg_clock_monotonic_ns() >= end) return false;
    }
    hg_script_close(s);
    return true;
}
