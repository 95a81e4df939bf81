/* hedged.greeks: pure mathematics. No session, no state; failures are nil, message, code. The same
 * file is a C module for plain Lua (lua/hedged/greeks.so): it calls nothing outside the rooms
 * greeks, base and api_table.c. */
#include "greeks/american.h"
#include "greeks/bachelier.h"
#include "greeks/batch.h"
#include "greeks/black76.h"
#include "greeks/inverse.h"
#include "greeks/svi.h"
#include "script/script_int.h"

#include <math.h>
#include <string.h>

#define ARRAY_TYPE "hedged.array"
#define ARRAY_MAX 10000000

static int l_bad(lua_State *L, int rc) {
    lua_pushnil(L);
    lua_pushstring(L, hg_greeks_strerror(rc));
    lua_pushstring(L, hg_greeks_code(rc));
    return 3;
}

static int l_cp(lua_State *L, int index) {
    const char *cp = luaL_checkstring(L, index);
    if (strcmp(cp, "C") == 0) return 1;
    if (strcmp(cp, "P") == 0) return -1;
    return luaL_argerror(L, index, "\"C\" or \"P\" expected");
}

static void l_set(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

/* The contract of Lua is stricter than that of C: F, K, T and sigma of zero are bad input here,
 * since in a script they are always a mistake. True when the first `count` arguments are above
 * zero. */
static bool l_positive(lua_State *L, int count) {
    bool positive = true;
    for (int i = 1; i <= count; i++) positive = positive && luaL_checknumber(L, i) > 0;
    return positive;
}

static int l_black76(lua_State *L) {
    double price;
    if (!l_positive(L, 4)) return l_bad(L, HG_GREEKS_BAD_INPUT);
    int rc = hg_black76_price(luaL_checknumber(L, 1), luaL_checknumber(L, 2),
                              luaL_checknumber(L, 3), luaL_checknumber(L, 4), l_cp(L, 5),
                              luaL_optnumber(L, 6, 0), &price);
    if (rc < 0) return l_bad(L, rc);
    lua_pushnumber(L, price);
    return 1;
}

static void l_push_greeks(lua_State *L, const hg_greeks *g) {
    lua_createtable(L, 0, 13);
    l_set(L, "price", g->price);
    l_set(L, "delta", g->delta);
    l_set(L, "gamma", g->gamma);
    l_set(L, "vega", g->vega);
    l_set(L, "theta", g->theta);
    l_set(L, "rho", g->rho);
    l_set(L, "vanna", g->vanna);
    l_set(L, "volga", g->volga);
    l_set(L, "charm", g->charm);
    l_set(L, "speed", g->speed);
    l_set(L, "color", g->color);
    l_set(L, "zomma", g->zomma);
    l_set(L, "ultima", g->ultima);
}

static int l_all(lua_State *L) {
    hg_greeks g;
    if (!l_positive(L, 4)) return l_bad(L, HG_GREEKS_BAD_INPUT);
    int rc = hg_black76_all(luaL_checknumber(L, 1), luaL_checknumber(L, 2), luaL_checknumber(L, 3),
                            luaL_checknumber(L, 4), l_cp(L, 5), luaL_optnumber(L, 6, 0), &g);
    if (rc < 0) return l_bad(L, rc);
    l_push_greeks(L, &g);
    return 1;
}

/* Forward and strike of any sign. */
static int l_bachelier(lua_State *L) {
    hg_greeks g;
    double t = luaL_checknumber(L, 3);
    double sigma = luaL_checknumber(L, 4);
    if (!(t > 0 && sigma > 0)) return l_bad(L, HG_GREEKS_BAD_INPUT);
    int rc = hg_bachelier_all(luaL_checknumber(L, 1), luaL_checknumber(L, 2), t, sigma, l_cp(L, 5),
                              luaL_optnumber(L, 6, 0), &g);
    if (rc < 0) return l_bad(L, rc);
    l_push_greeks(L, &g);
    return 1;
}

static int l_bachelier_vol(lua_State *L) {
    double sigma;
    int rc = hg_bachelier_implied_vol(luaL_checknumber(L, 1), luaL_checknumber(L, 2),
                                      luaL_checknumber(L, 3), luaL_checknumber(L, 4), l_cp(L, 5),
                                      luaL_optnumber(L, 6, 0), &sigma);
    if (rc < 0) return l_bad(L, rc);
    lua_pushnumber(L, sigma);
    return 1;
}

static int l_implied_vol(lua_State *L) {
    double sigma;
    int rc = hg_implied_vol(luaL_checknumber(L, 1), luaL_checknumber(L, 2), luaL_checknumber(L, 3),
                            luaL_checknumber(L, 4), l_cp(L, 5), luaL_optnumber(L, 6, 0), &sigma);
    if (rc < 0) return l_bad(L, rc);
    lua_pushnumber(L, sigma);
    return 1;
}

static int l_inverse(lua_State *L) {
    hg_inverse_greeks g;
    if (!l_positive(L, 4)) return l_bad(L, HG_GREEKS_BAD_INPUT);
    int rc = hg_inverse_all(luaL_checknumber(L, 1), luaL_checknumber(L, 2), luaL_checknumber(L, 3),
                            luaL_checknumber(L, 4), l_cp(L, 5), &g);
    if (rc < 0) return l_bad(L, rc);
    lua_createtable(L, 0, 6);
    l_set(L, "price", g.price);
    l_set(L, "delta", g.delta);
    l_set(L, "delta_net", g.delta_net);
    l_set(L, "gamma", g.gamma);
    l_set(L, "vega", g.vega);
    l_set(L, "theta", g.theta);
    return 1;
}

static int l_american(lua_State *L) {
    double price;
    if (!l_positive(L, 4)) return l_bad(L, HG_GREEKS_BAD_INPUT);
    int rc = hg_american_price(luaL_checknumber(L, 1), luaL_checknumber(L, 2),
                               luaL_checknumber(L, 3), luaL_checknumber(L, 4), l_cp(L, 5),
                               luaL_checknumber(L, 6), luaL_checknumber(L, 7), &price);
    if (rc < 0) return l_bad(L, rc);
    lua_pushnumber(L, price);
    return 1;
}

static hg_svi l_svi_params(lua_State *L, int table) {
    static const char *const names[] = {"a", "b", "rho", "m", "sigma"};
    double values[5];
    luaL_checktype(L, table, LUA_TTABLE);
    for (int i = 0; i < 5; i++) {
        if (lua_getfield(L, table, names[i]) != LUA_TNUMBER) {
            luaL_error(L, "svi: %s is missing or not a number", names[i]);
        }
        values[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return (hg_svi){values[0], values[1], values[2], values[3], values[4]};
}

static int l_svi_value(lua_State *L, int (*function)(const hg_svi *, double, double *)) {
    double value;
    hg_svi svi = l_svi_params(L, 2);
    int rc = function(&svi, luaL_checknumber(L, 1), &value);
    if (rc < 0) return l_bad(L, rc);
    lua_pushnumber(L, value);
    return 1;
}

static int l_svi(lua_State *L) {
    return l_svi_value(L, hg_svi_variance);
}

static int l_svi_g(lua_State *L) {
    return l_svi_value(L, hg_svi_g);
}

/* ---- arrays and batches ---------------------------------------------------------------------- */
typedef struct array {
    size_t count;
    double values[];
} array;

/* greeks.array(n) of zeros, or greeks.array{1.5, 2, ...} */
static int l_array(lua_State *L) {
    bool list = lua_istable(L, 1);
    lua_Integer n = list ? (lua_Integer)lua_rawlen(L, 1) : luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 0 && n <= ARRAY_MAX, 1, "between 0 and 10 million elements");
    array *a = lua_newuserdatauv(L, sizeof *a + (size_t)n * sizeof(double), 0);
    a->count = (size_t)n;
    memset(a->values, 0, (size_t)n * sizeof(double));
    luaL_setmetatable(L, ARRAY_TYPE);
    for (lua_Integer i = 1; list && i <= n; i++) {
        lua_rawgeti(L, 1, i);
        if (!lua_isnumber(L, -1)) {
            luaL_error(L, "greeks.array: element %I is no number but %s", (LUAI_UACINT)i,
                       luaL_typename(L, -1));
        }
        a->values[i - 1] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return 1;
}

static double *l_element(lua_State *L, array *a) {
    lua_Integer i = luaL_checkinteger(L, 2);
    if (i < 1 || (size_t)i > a->count) luaL_error(L, "array index %I out of range", (LUAI_UACINT)i);
    return &a->values[i - 1];
}

/* The place after the last answers nil, so that ipairs ends there. */
static int l_array_get(lua_State *L) {
    const array *a = lua_touserdata(L, 1);
    if (lua_isinteger(L, 2) && lua_tointeger(L, 2) == (lua_Integer)a->count + 1) return 0;
    lua_pushnumber(L, *l_element(L, lua_touserdata(L, 1)));
    return 1;
}

static int l_array_set(lua_State *L) {
    *l_element(L, lua_touserdata(L, 1)) = luaL_checknumber(L, 3);
    return 0;
}

static int l_array_count(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)((array *)lua_touserdata(L, 1))->count);
    return 1;
}

/* A column of the batch, NULL when absent. All columns have the length of the first. */
static array *l_column(lua_State *L, int table, const char *name, size_t *n) {
    lua_getfield(L, table, name);
    array *a = lua_isnil(L, -1) ? NULL : luaL_testudata(L, -1, ARRAY_TYPE);
    if (!a && !lua_isnil(L, -1)) luaL_error(L, "batch: %s must be a greeks.array", name);
    if (a && *n == SIZE_MAX) *n = a->count;
    if (a && a->count != *n) luaL_error(L, "batch: %s has another length than F", name);
    lua_pop(L, 1);
    return a;
}

static const double *l_input(lua_State *L, const char *name, size_t *n) {
    array *a = l_column(L, 1, name, n);
    if (!a) luaL_error(L, "batch: %s is missing", name);
    return a->values;
}

static double *l_output(lua_State *L, const char *name, size_t *n) {
    array *a = l_column(L, 2, name, n);
    return a ? a->values : NULL;
}

/* greeks.batch{F=, K=, T=, sigma=, cp=, out={price=, delta=, ...}}: cp is +1 or -1. Fills the
 * arrays in `out` and returns how many options were bad (their outputs are 0). */
static int l_batch(lua_State *L) {
    static const char *const names[] = {"F", "K", "T", "sigma", "cp", "out", NULL};
    static const char *const outs[] = {"price", "delta",  "gamma", "vega",  "theta",
                                       "vanna", "volga",  "charm", "speed", "color",
                                       "zomma", "ultima", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    l_api_check_fields(L, 1, "greeks.batch", names);
    luaL_argcheck(L, lua_getfield(L, 1, "out") == LUA_TTABLE, 1, "out = {delta = array, ...}");
    l_api_check_fields(L, 2, "greeks.batch out", outs);
    size_t n = SIZE_MAX;
    hg_batch_in in;
    in.f = l_input(L, "F", &n);
    in.k = l_input(L, "K", &n);
    in.t = l_input(L, "T", &n);
    in.sigma = l_input(L, "sigma", &n);
    in.cp = l_input(L, "cp", &n);
    hg_batch_out out = {
        .price = l_output(L, "price", &n),
        .delta = l_output(L, "delta", &n),
        .gamma = l_output(L, "gamma", &n),
        .vega = l_output(L, "vega", &n),
        .theta = l_output(L, "theta", &n),
        .vanna = l_output(L, "vanna", &n),
        .volga = l_output(L, "volga", &n),
        .charm = l_output(L, "charm", &n),
        .speed = l_output(L, "speed", &n),
        .color = l_output(L, "color", &n),
        .zomma = l_output(L, "zomma", &n),
        .ultima = l_output(L, "ultima", &n),
    };
    lua_pushinteger(L, (lua_Integer)hg_greeks_batch(&in, &out, n));
    return 1;
}

int luaopen_hedged_greeks(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"black76",       l_black76      },
        {"all",           l_all          },
        {"implied_vol",   l_implied_vol  },
        {"bachelier",     l_bachelier    },
        {"bachelier_vol", l_bachelier_vol},
        {"inverse",       l_inverse      },
        {"american",      l_american     },
        {"svi",           l_svi          },
        {"svi_g",         l_svi_g        },
        {"array",         l_array        },
        {"batch",         l_batch        },
        {NULL,            NULL           },
    };
    static const luaL_Reg meta[] = {
        {"__index", l_array_get  },
        {"__len",   l_array_count},
        {NULL,      NULL         },
    };
    l_api_metatable(L, ARRAY_TYPE, meta);
    lua_pushcfunction(L, l_array_set);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
    return l_api_module(L, functions);
}
