/* What a task still means to send: the unsent rest of an execution. It counts as pending in every
 * exposure, beside the open orders, so that nobody hedges it a second time while it waits for its
 * turn. It is the task's: when the task ends, for whatever reason, so does it. */
#include "script/script_int.h"

#include <math.h>

static void put(hg_script *s, hg_task *t, hg_plan plan) {
    hg_plan old = t->plan;
    bool same = plan.instrument == old.instrument && plan.side == old.side;
    if (old.lots != 0 && !same) {
        hg_exec_plan(s->env->exec, s->index, old.instrument, (hg_side)old.side, -old.lots);
        old.lots = 0;
    }
    if (plan.lots != old.lots) {
        hg_exec_plan(s->env->exec, s->index, plan.instrument, (hg_side)plan.side,
                     plan.lots - old.lots);
    }
    t->plan = plan;
}

void hg_plan_drop(hg_script *s, uint32_t task) {
    hg_task *t = &s->tasks[task];
    if (t->plan.lots != 0) {
        put(s, t, (hg_plan){.instrument = t->plan.instrument, .side = t->plan.side});
    }
}

void hg_plan_drop_all(hg_script *s) {
    for (uint32_t i = 0; i < s->task_count; i++) {
        hg_plan_drop(s, i);
    }
}

/* orders.plan{instrument=, side=, size=} */
int l_plan(lua_State *L) {
    static const char *const names[] = {"instrument", "side", "size", NULL};
    hg_script *s = l_api_running(L, "orders.plan");
    luaL_checktype(L, 1, LUA_TTABLE);
    l_api_check_fields(L, 1, "orders.plan", names);
    if (!s->inside) {
        return luaL_error(L, "orders.plan: only a callback or a task has a plan");
    }
    hg_side side = l_side(L, l_api_text(L, 1, "side", NULL));
    double size = l_api_number(L, 1, "size", NAN);
    if (lua_getfield(L, 1, "instrument") == LUA_TNIL) {
        return luaL_error(L, "orders.plan: instrument is missing");
    }
    uint32_t id = l_api_instrument(L, -1);
    if (id == HG_ID_NONE) return l_api_no_instrument(L, lua_gettop(L), true);
    const hg_instrument *inst = hg_universe_get(s->env->universe, id);
    double lots = floor(size / hg_size_to_double(inst, 1) + 1e-6);
    if (!(lots >= 0 && lots < (double)(INT64_MAX / 1024))) {
        return luaL_error(L, "orders.plan: %f is no size of %s", size, inst->name);
    }
    put(s, &s->tasks[s->current],
        (hg_plan){.instrument = id, .side = (int8_t)side, .lots = (hg_lots)lots});
    lua_pushboolean(L, 1);
    return 1;
}
