/*
 * From events to callbacks. Inside a batch (HG_EVF_MORE) nobody looks: what it touched is noted in
 * a bit set, and when it closes the script gets one tick per touched instrument, in order of id. An
 * event that is its own batch takes the short way.
 */
#include "script/script_int.h"

#include <math.h>
#include <string.h>

static int l_done(lua_State *L, int status, lua_KContext context) {
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static void l_set_number(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_text(lua_State *L, const char *field, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void l_set_time(lua_State *L, int64_t time_ns) {
    l_push_time(L, time_ns);
    lua_setfield(L, -2, "time");
}

static void l_push_trade(lua_State *L, const hg_script *s) {
    const hg_event *e = s->event;
    const hg_instrument *inst = hg_universe_get(s->env->universe, e->id);
    lua_createtable(L, 0, 5);
    l_set_text(L, "instrument", inst->name);
    l_set_number(L, "price", hg_price_to_double(inst, e->level.price));
    l_set_number(L, "size", hg_size_to_double(inst, e->level.size));
    l_set_text(L, "side", hg_side_name((hg_side)e->side));
    l_set_time(L, e->time_ns);
}

static void l_push_fill(lua_State *L, const hg_script *s) {
    const hg_event *e = s->event;
    const hg_order *o = s->order;
    const hg_instrument *inst = hg_universe_get(s->env->universe, o->instrument);
    lua_createtable(L, 0, 13);
    lua_pushinteger(L, (lua_Integer)o->id);
    lua_setfield(L, -2, "id");
    l_push_order(L, o->id);
    lua_setfield(L, -2, "order");
    lua_pushinteger(L, (lua_Integer)e->order.trade);
    lua_setfield(L, -2, "trade");
    l_set_text(L, "instrument", inst->name);
    l_set_text(L, "side", hg_side_name((hg_side)o->side));
    l_set_number(L, "size", hg_size_to_double(inst, e->order.size));
    l_set_number(L, "price", hg_price_to_double(inst, e->order.price));
    l_set_number(L, "fee", hg_nano_to_double(e->order.fee));
    l_set_text(L, "fee_currency", inst->settle);
    l_set_text(L, "liquidity", e->flags & HG_EVF_MAKER ? "maker" : "taker");
    if (o->mid > 0) l_set_number(L, "mid", o->mid);
    l_set_text(L, "reason", o->reason);
    l_set_time(L, e->time_ns);
}

static void l_push_why(lua_State *L, const hg_script *s) {
    lua_createtable(L, 0, 5);
    l_set_text(L, "kind", s->why);
    if (s->predecessor) l_push_left_behind(L, s);
    lua_newtable(L);
    lua_Integer n = 0;
    const hg_order *o = NULL;
    while ((o = hg_exec_open_next(s->env->exec, s->index, o ? o->id : 0)) != NULL) {
        l_push_order(L, o->id);
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "orders");
}

/* nil for what is not a number of its own. */
static void l_set_known(lua_State *L, const char *field, double value) {
    if (isfinite(value)) l_set_number(L, field, value);
}

static void l_push_refusal(lua_State *L, const hg_script *s) {
    const hg_order *o = s->order;
    const hg_refusal *refusal = hg_exec_refusal(s->env->exec, o->id);
    lua_createtable(L, 0, 8);
    l_set_text(L, "kind", "refusal");
    l_push_order(L, o->id);
    lua_setfield(L, -2, "order");
    l_set_text(L, "code", hg_reject_code((hg_reject)o->reject));
    l_set_text(L, "message", refusal ? refusal->text : hg_reject_text((hg_reject)o->reject));
    if (refusal) {
        l_set_known(L, "value", refusal->value);
        l_set_known(L, "limit", refusal->limit);
    }
    l_set_time(L, s->event->time_ns);
}

static void l_push_change(lua_State *L, const hg_script *s) {
    const hg_risk_event *r = s->risk;
    bool strategy = r->strategy != HG_STRATEGY_ANY;
    bool underlying = r->underlying != HG_ID_NONE;
    lua_createtable(L, 0, 10);
    l_set_text(L, "kind", "state");
    l_set_text(L, "scope", strategy ? "strategy" : underlying ? "underlying" : "session");
    if (underlying) {
        l_set_text(L, "underlying", hg_universe_underlying(s->env->universe, r->underlying)->name);
    }
    l_set_text(L, "from", hg_risk_state_name(r->from));
    l_set_text(L, "to", hg_risk_state_name(r->to));
    l_set_text(L, "code", hg_reject_code(r->code));
    l_set_text(L, "message", r->text);
    l_set_known(L, "value", r->value);
    l_set_known(L, "limit", r->limit);
    l_set_time(L, r->time_ns);
}

static void l_push_alarm(lua_State *L, const hg_script *s) {
    hg_alarm why = (hg_alarm)s->event->order.code;
    lua_createtable(L, 0, 5);
    l_set_text(L, "kind", "alarm");
    if (s->order) {
        l_push_order(L, s->order->id);
        lua_setfield(L, -2, "order");
    }
    l_set_text(L, "code", hg_alarm_code(why));
    l_set_text(L, "message", hg_alarm_text(why));
    l_set_time(L, s->event->time_ns);
}

static void l_push_risk(lua_State *L, const hg_script *s) {
    if (s->event->kind == HG_EV_ALARM) {
        l_push_alarm(L, s);
    } else if (s->risk) {
        l_push_change(L, s);
    } else {
        l_push_refusal(L, s);
    }
}

/* Runs in the task: builds the argument under protection, then calls the script's function. */
static int l_callback(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_callback[s->callback]);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    switch (s->callback) {
    case HG_CB_START:
        l_push_why(L, s);
        break;
    case HG_CB_DEPTH:
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_tick);
        break;
    case HG_CB_TRADE:
        l_push_trade(L, s);
        break;
    case HG_CB_FILL:
        l_push_fill(L, s);
        break;
    case HG_CB_ORDER:
        l_push_order(L, s->order->id);
        break;
    case HG_CB_RISK:
        (s->liquidation ? l_push_liquidation : l_push_risk)(L, s);
        break;
    case HG_CB_STOP:
        lua_pushstring(L, s->why);
        break;
    default:
        lua_pushnil(L);
        break;
    }
    lua_callk(L, 2, 0, 0, l_done);
    return 0;
}

void hg_script_call(hg_script *s, hg_callback callback, int64_t budget_ns) {
    if (s->ref_callback[callback] == LUA_NOREF || s->state == HG_SCRIPT_FAILED) return;
    uint32_t task = hg_task_take(s);
    if (task == HG_TASK_NONE) return;
    hg_task *t = &s->tasks[task];
    t->label = hg_callback_names[callback];
    s->callback = callback;
    hg_tick_check(s);
    lua_pushcfunction(t->co, l_callback);
    hg_lua_enter(s, task, 0, budget_ns);
}

static void call(hg_script *s, hg_callback callback) {
    if (s->state == HG_SCRIPT_RUNNING) hg_script_call(s, callback, hg_script_budget(s));
}

static void set_tick(hg_script *s, uint32_t id, int64_t time_ns) {
    s->tick.inst = hg_universe_get(s->env->universe, id);
    s->tick.market = hg_market_get(s->env->market, id);
    s->tick.time_ns = time_ns;
}

static void tick(hg_script *s, uint32_t id, int64_t time_ns) {
    uint32_t task = hg_task_take(s);
    if (task == HG_TASK_NONE) return;
    hg_task *t = &s->tasks[task];
    set_tick(s, id, time_ns);
    hg_tick_refresh(s);
    t->label = "on_tick";
    lua_pushvalue(t->co, HG_TASK_ON_TICK);
    lua_pushvalue(t->co, HG_TASK_SELF);
    lua_pushvalue(t->co, HG_TASK_TICK);
    hg_lua_enter(s, task, 2, hg_script_budget(s));
}

static void depth(hg_script *s, uint32_t id, int64_t time_ns) {
    set_tick(s, id, time_ns);
    call(s, HG_CB_DEPTH);
}

/* ---- batches --------------------------------------------------------------------------------- */
static void touch(hg_batch *b, uint32_t id) {
    b->bits[id / 64] |= UINT64_C(1) << (id % 64);
    if (id / 64 < b->low) b->low = id / 64;
    if (id / 64 > b->high) b->high = id / 64;
    b->open = true;
}

/* It failed on probation: what was touched in the update is kept for the code that comes back. */
static bool is_undone(const hg_script *s) {
    return s->state == HG_SCRIPT_FAILED && s->probation;
}

/* For a callback the code does not have. */
static void ignore(hg_script *s, uint32_t id, int64_t time_ns) {
    (void)s, (void)id, (void)time_ns;
}

static void flush(hg_script *s, hg_batch *b, int64_t time_ns,
                  void (*deliver)(hg_script *, uint32_t, int64_t)) {
    for (uint32_t word = b->low; word <= b->high; word++) {
        for (uint64_t bits = b->bits[word]; bits; bits &= bits - 1) {
            if (s->state != HG_SCRIPT_RUNNING) continue;
            deliver(s, word * 64 + (uint32_t)__builtin_ctzll(bits), time_ns);
        }
    }
    if (is_undone(s)) return;
    if (b->low <= b->high) {
        memset(&b->bits[b->low], 0, (b->high - b->low + 1) * sizeof *b->bits);
    }
    b->low = UINT32_MAX;
    b->high = 0;
    b->open = false;
}

/* The instrument a market event is shown as, HG_ID_NONE when the script did not subscribe. */
static uint32_t shown_as(const hg_script *s, const hg_event *e) {
    uint32_t id = e->id;
    if (e->kind == HG_EV_INDEX || e->kind == HG_EV_FORWARD) {
        uint32_t u = e->kind == HG_EV_INDEX ? id
                                            : hg_universe_expiry(s->env->universe, id)->underlying;
        id = s->proxy[u];
        if (id == HG_ID_NONE || s->default_set) return id;
    }
    return s->subscribed[id] ? id : HG_ID_NONE;
}

/* While a batch is open, or the opening book not yet marked, nobody looks. */
static bool is_open(const hg_script *s, const hg_event *e) {
    return (e->flags & HG_EVF_MORE) || (s->env->ready && !*s->env->ready);
}

static void market_event(hg_script *s, const hg_event *e, hg_batch *b, hg_callback callback,
                         void (*deliver)(hg_script *, uint32_t, int64_t)) {
    /* On probation also what only the code before it looks at, which may come back meanwhile. */
    bool heard = s->ref_callback[callback] != LUA_NOREF;
    uint32_t id = heard || s->probation ? shown_as(s, e) : HG_ID_NONE;
    if (is_open(s, e)) {
        if (id != HG_ID_NONE) touch(b, id);
    } else if (!b->open) {
        if (id != HG_ID_NONE && heard) deliver(s, id, e->time_ns);
        if (id != HG_ID_NONE && is_undone(s)) touch(b, id);
    } else if (id != HG_ID_NONE) {
        touch(b, id);
    }
}

static void close_batches(hg_script *s, const hg_event *e) {
    bool ticks = s->ref_callback[HG_CB_TICK] != LUA_NOREF;
    bool depths = s->ref_callback[HG_CB_DEPTH] != LUA_NOREF;
    if (s->ticks.open) flush(s, &s->ticks, e->time_ns, ticks ? tick : ignore);
    if (s->depths.open) flush(s, &s->depths, e->time_ns, depths ? depth : ignore);
}

/* ---- orders ---------------------------------------------------------------------------------- */
static void order_event(hg_script *s, const hg_event *e, const hg_order *order) {
    if (e->kind == HG_EV_FILL && order) hg_subscribe_held(s, order->instrument);
    if (!order && e->kind == HG_EV_ALARM) call(s, HG_CB_RISK); /* of nobody's order: all hear it */
    if (!order || order->strategy != s->index) return;
    uint64_t id = order->id;
    bool done = hg_order_state_done((hg_order_state)order->state);
    s->order = order;
    if (e->kind == HG_EV_FILL) call(s, HG_CB_FILL);
    if (e->kind != HG_EV_ALARM) call(s, HG_CB_ORDER);
    /* By the gate; what the venue rejects is everyday life of an order. */
    bool refused = order->state == HG_ORDER_REJECTED && hg_exec_refusal(s->env->exec, id) &&
                   (e->kind == HG_EV_REJECTED || e->kind == HG_EV_TRIGGERED);
    if (refused || e->kind == HG_EV_ALARM) call(s, HG_CB_RISK);
    s->order = NULL;
    if (done && s->order_waits > 0 && s->state == HG_SCRIPT_RUNNING) hg_task_order_done(s, id);
}

void hg_script_liquidation(hg_script *s, const hg_liquidation_note *note, int64_t now_ns) {
    hg_event event = {.kind = HG_EV_TIMER, .time_ns = now_ns};
    s->event = &event;
    s->liquidation = note;
    call(s, HG_CB_RISK);
    s->liquidation = NULL;
    s->event = NULL;
}

void hg_script_event(hg_script *s, const hg_event *e, const hg_order *order) {
    if (s->state != HG_SCRIPT_RUNNING) return;
    s->event = e;
    switch ((hg_event_kind)e->kind) {
    case HG_EV_QUOTE:
    case HG_EV_MARK:
    case HG_EV_INDEX:
    case HG_EV_FORWARD:
        market_event(s, e, &s->ticks, HG_CB_TICK, tick);
        break;
    case HG_EV_DEPTH:
        market_event(s, e, &s->depths, HG_CB_DEPTH, depth);
        break;
    case HG_EV_TRADE:
        if (s->subscribed[e->id]) call(s, HG_CB_TRADE);
        break;
    case HG_EV_ACK:
    case HG_EV_FILL:
    case HG_EV_CANCELLED:
    case HG_EV_REJECTED:
    case HG_EV_EXPIRED:
    case HG_EV_TRIGGERED:
    case HG_EV_ORDER_DUE:
    case HG_EV_ALARM:
        order_event(s, e, order);
        break;
    default:
        break;
    }
    if (!is_open(s, e)) close_batches(s, e);
    s->event = NULL;
}

/* With many strategies on one feed each has pushed the others out of the nearest cache. What every
 * event touches of the next one is asked for while one runs. */
static void come(const hg_script *s) {
    enum { LINE = 64 };
    const char *end = (const char *)&s->names;
    for (const char *at = (const char *)&s->sandbox; at < end; at += LINE) {
        __builtin_prefetch(at, 1);
    }
    __builtin_prefetch(s->tasks, 1);
    __builtin_prefetch(s->free_tasks, 1);
    __builtin_prefetch(s, 0);
}

void hg_scripts_event(hg_script *const *scripts, size_t count, const hg_event *event,
                      const hg_order *order) {
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count) come(scripts[i + 1]);
        hg_script_event(scripts[i], event, order);
    }
}

void hg_script_risk(hg_script *s, const hg_event *e, const hg_risk_event *risk) {
    s->event = e;
    s->risk = risk;
    call(s, HG_CB_RISK);
    s->risk = NULL;
    s->event = NULL;
}
