/* The Lua doors of the Greeks and of surfaces: any call with any arguments either answers without
 * NaN or raises a message; it never crashes. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include <lualib.h>

#include "script/script_int.h"

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint8_t take(input *in) {
    return in->at < in->end ? *in->at++ : 0;
}

static double take_number(input *in) {
    static const double odd[] = {0, -1,  NAN, INFINITY, -INFINITY, 1e-300,     1e300, 0.25,
                                 1, 0.5, 100, 88000,    1e-6,      1769644800, -1e-5, 5e-324};
    uint8_t byte = take(in);
    if (byte < 16) return odd[byte];
    if (byte < 32) { /* any bits */
        uint64_t bits = 0;
        double x;
        for (int i = 0; i < 8; i++) bits = bits << 8 | take(in);
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    return exp(((double)byte - 140.0) / 20.0);
}

static const char *const texts[] = {"C",     "P",    "27FEB26", "ssvi", "svi",   "sabr",
                                    "price", "soon", "",        "a",    "delta", "32FEB26"};

static void push_value(lua_State *L, input *in, int depth);

static void push_table(lua_State *L, input *in, int depth) {
    static const char *const fields[] = {
        "quotes", "model",  "now",  "forward", "inverse", "beta",  "max_age", "start",
        "expiry", "strike", "type", "bid",     "ask",     "iv",    "age",     "weight",
        "bid_iv", "ask_iv", "a",    "b",       "rho",     "m",     "sigma",   "F",
        "K",      "T",      "cp",   "out",     "price",   "delta", "name"};
    lua_newtable(L);
    int count = take(in) % 12;
    for (int i = 0; i < count; i++) {
        uint8_t byte = take(in);
        if (byte & 0x80) {
            push_value(L, in, depth + 1);
            lua_rawseti(L, -2, i + 1);
        } else {
            push_value(L, in, depth + 1);
            lua_setfield(L, -2, fields[byte % (sizeof fields / sizeof *fields)]);
        }
    }
}

static void push_value(lua_State *L, input *in, int depth) {
    uint8_t byte = take(in);
    if (byte < 150) {
        lua_pushnumber(L, take_number(in));
    } else if (byte < 200) {
        lua_pushstring(L, texts[take(in) % (sizeof texts / sizeof *texts)]);
    } else if (byte < 245 && depth < 4) {
        push_table(L, in, depth);
    } else if (byte < 250) {
        lua_pushboolean(L, byte & 1);
    } else {
        lua_pushnil(L);
    }
}

/* A chain that often can be fitted: the fuzzer would take long to come upon one. */
static void push_chain(lua_State *L, input *in) {
    lua_newtable(L);
    lua_newtable(L);
    int count = take(in) % 40;
    for (int i = 1; i <= count; i++) {
        uint8_t byte = take(in);
        lua_newtable(L);
        lua_pushnumber(L, byte & 0x40 ? take_number(in) : 0.1 * (1 + (byte & 3)));
        lua_setfield(L, -2, "expiry");
        lua_pushnumber(L, 60 + 5.0 * (take(in) % 20));
        lua_setfield(L, -2, "strike");
        lua_pushnumber(L, 100);
        lua_setfield(L, -2, byte & 0x20 ? "weight" : "forward");
        lua_pushnumber(L, byte & 0x10 ? take_number(in) : 0.3 + take(in) / 512.0);
        lua_setfield(L, -2, byte & 8 ? "iv" : byte & 4 ? "bid_iv" : "ask_iv");
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, "quotes");
    lua_pushnumber(L, 100);
    lua_setfield(L, -2, "forward");
    lua_pushstring(L, texts[3 + take(in) % 3]);
    lua_setfield(L, -2, "model");
}

/* Numbers anywhere in what was answered. */
static void check_value(lua_State *L, int index, int depth) {
    luaL_checkstack(L, 8, NULL);
    index = lua_absindex(L, index);
    if (lua_type(L, index) == LUA_TNUMBER) must(!isnan(lua_tonumber(L, index)), "no NaN comes out");
    if (lua_type(L, index) != LUA_TTABLE || depth > 3) return;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) check_value(L, -1, depth + 1);
}

/* Function on top and `count` arguments to come; the answers are checked and left on the stack. */
static int call(lua_State *L, int count) {
    int base = lua_gettop(L) - count - 1;
    if (lua_pcall(L, count, LUA_MULTRET, 0) != LUA_OK) {
        must(lua_type(L, -1) == LUA_TSTRING, "errors are texts");
        lua_settop(L, base);
        return 0;
    }
    for (int i = base + 1; i <= lua_gettop(L); i++) check_value(L, i, 0);
    return lua_gettop(L) - base;
}

static void call_any(lua_State *L, input *in, const char *const *names, size_t n) {
    int module = lua_gettop(L);
    lua_getfield(L, module, names[take(in) % n]);
    int count = take(in) % 8;
    for (int i = 0; i < count; i++) push_value(L, in, 0);
    call(L, count);
    lua_settop(L, module);
}

static void ask_surface(lua_State *L, input *in) {
    static const char *const methods[] = {
        "iv",   "total_variance",       "skew",   "forward", "slope", "term_structure",
        "rich", "is_free_of_arbitrage", "params", "report"};
    int surface = lua_gettop(L);
    for (int i = 0; i < 10; i++) {
        lua_getfield(L, surface, methods[i]);
        lua_pushvalue(L, surface);
        push_value(L, in, 0);
        push_value(L, in, 0);
        call(L, 3);
        lua_settop(L, surface);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const greeks[] = {"black76",  "all",       "implied_vol",   "inverse",
                                         "american", "bachelier", "bachelier_vol", "svi",
                                         "svi_g",    "array",     "batch"};
    static const char *const surface[] = {"fit"};
    static lua_State *L;
    input in = {data, data + size};
    if (!L) {
        L = luaL_newstate();
        must(L != NULL, "memory for a state");
        luaL_openlibs(L);
    }
    lua_settop(L, 0);
    if (take(&in) & 1) {
        luaopen_hedged_greeks(L);
        while (in.at < in.end) call_any(L, &in, greeks, sizeof greeks / sizeof *greeks);
    } else {
        luaopen_hedged_surface(L);
        if (take(&in) & 1) call_any(L, &in, surface, 1);
        lua_getfield(L, 1, "fit");
        push_chain(L, &in);
        if (call(L, 1) == 1 && lua_isuserdata(L, -1)) ask_surface(L, &in);
    }
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}
