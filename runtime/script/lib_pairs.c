/*
 * pairs and next in sorted order: numbers ascending, then strings by their bytes, then false and
 * true. Lua's own order depends on addresses and differs from run to run. Keys that are tables,
 * functions or objects have no order that a replay could repeat; they come last, in Lua's order.
 *
 * pairs visits the keys present when it is called; a value removed on the way is skipped.
 */
#include "script/script_int.h"

#include <string.h>

#define OTHER 3
#define SMALL 32 /* keys sorted without allocating */
#define POLL_MASK 4095

typedef struct entry {
    int rank; /* 0 number, 1 string, 2 boolean, 3 other */
    bool is_integer;
    union {
        lua_Integer integer;
        lua_Number number;
        const char *text;
    } key;
    size_t len; /* of the text */
} entry;

static int compare_numbers(const entry *a, const entry *b) {
    if (a->is_integer && b->is_integer) {
        return (a->key.integer > b->key.integer) - (a->key.integer < b->key.integer);
    }
    long double x = a->is_integer ? (long double)a->key.integer : (long double)a->key.number;
    long double y = b->is_integer ? (long double)b->key.integer : (long double)b->key.number;
    return (x > y) - (x < y);
}

static int compare(const void *left, const void *right) {
    const entry *a = left;
    const entry *b = right;
    if (a->rank != b->rank) return a->rank - b->rank;
    if (a->rank == 0) return compare_numbers(a, b);
    if (a->rank == 1) {
        int order = memcmp(a->key.text, b->key.text, a->len < b->len ? a->len : b->len);
        return order ? order : (a->len > b->len) - (a->len < b->len);
    }
    if (a->rank == 2) return (int)a->key.integer - (int)b->key.integer;
    return 0;
}

static entry read_key(lua_State *L, int index) {
    entry e = {.rank = OTHER};
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        e.rank = 0;
        e.is_integer = lua_isinteger(L, index) != 0;
        if (e.is_integer) {
            e.key.integer = lua_tointeger(L, index);
        } else {
            e.key.number = lua_tonumber(L, index);
        }
        break;
    case LUA_TSTRING:
        e.rank = 1;
        e.key.text = lua_tolstring(L, index, &e.len);
        break;
    case LUA_TBOOLEAN:
        e.rank = 2;
        e.key.integer = lua_toboolean(L, index);
        break;
    default:
        break;
    }
    return e;
}

/* Number of keys of the table at 1; whether they are exactly 1..n. */
static lua_Integer l_count_keys(lua_State *L, bool *is_list) {
    lua_Integer n = 0;
    lua_Integer highest = 0;
    *is_list = true;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        n++;
        if ((n & POLL_MASK) == 0) l_raise_if_over_budget(L);
        if (!*is_list) continue;
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (key > highest) highest = key;
        *is_list = key > 0;
    }
    *is_list = *is_list && highest == n;
    return n;
}

/* upvalues: keys (or nil for 1..n), n, place */
static int l_pairs_next(lua_State *L) {
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(2));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
    bool is_list = lua_isnil(L, lua_upvalueindex(1));
    int type = LUA_TNIL;
    lua_settop(L, 1);
    while (type == LUA_TNIL && i < n) {
        lua_settop(L, 1);
        i++;
        if (is_list) {
            lua_pushinteger(L, i);
            type = lua_rawgeti(L, 1, i);
        } else {
            lua_rawgeti(L, lua_upvalueindex(1), i);
            lua_pushvalue(L, -1);
            type = lua_rawget(L, 1);
        }
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    if (type != LUA_TNIL) return 2;
    lua_pushnil(L);
    return 1;
}

/* Merges sorted runs of `width` from `from` into `to`. Polls the budget: a table may be huge. */
static void l_merge_runs(lua_State *L, const entry *from, entry *to, size_t n, size_t width) {
    for (size_t start = 0; start < n; start += 2 * width) {
        size_t middle = start + width < n ? start + width : n;
        size_t end = middle + width < n ? middle + width : n;
        size_t i = start;
        size_t k = middle;
        for (size_t out = start; out < end; out++) {
            if ((out & POLL_MASK) == POLL_MASK) l_raise_if_over_budget(L);
            bool left = i < middle && (k >= end || compare(&from[i], &from[k]) <= 0);
            to[out] = left ? from[i++] : from[k++];
        }
    }
}

/* Sorts in place; `spare` has room for n. */
static void l_sort(lua_State *L, entry *entries, entry *spare, size_t n) {
    entry *from = entries;
    entry *to = spare;
    for (size_t width = 1; width < n; width *= 2) {
        l_merge_runs(L, from, to, n, width);
        entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries) memcpy(entries, from, n * sizeof *entries);
}

static void l_push_key(lua_State *L, const entry *e) {
    switch (e->rank) {
    case 0:
        if (e->is_integer) {
            lua_pushinteger(L, e->key.integer);
        } else {
            lua_pushnumber(L, e->key.number);
        }
        break;
    case 1:
        lua_pushlstring(L, e->key.text, e->len);
        break;
    default:
        lua_pushboolean(L, (int)e->key.integer);
    }
}

/* Appends the keys without an order of ours (they come last), in Lua's order. */
static void l_append_others(lua_State *L, int sorted, lua_Integer n) {
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        if (read_key(L, -2).rank < OTHER) continue;
        lua_pushvalue(L, -2);
        lua_rawseti(L, sorted, ++n);
    }
}

/* Pushes a table of the n keys of the table at 1 in order. No Lua code runs in between, so the
 * table keeps the texts that the entries point to. */
static void l_push_sorted_keys(lua_State *L, lua_Integer n) {
    entry small[2 * SMALL];
    entry *entries = small;
    lua_createtable(L, (int)n, 0);
    int sorted = lua_gettop(L);
    if (n > SMALL) entries = lua_newuserdatauv(L, 2 * (size_t)n * sizeof *entries, 0);
    lua_Integer i = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        entries[i] = read_key(L, -2);
        i++;
        if ((i & POLL_MASK) == 0) l_raise_if_over_budget(L);
    }
    l_sort(L, entries, entries + n, (size_t)n);
    for (i = 0; i < n && entries[i].rank < OTHER; i++) {
        l_push_key(L, &entries[i]);
        lua_rawseti(L, sorted, i + 1);
    }
    if (i < n) l_append_others(L, sorted, i);
    lua_settop(L, sorted);
}

int l_pairs(lua_State *L) {
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    bool is_list;
    lua_Integer n = l_count_keys(L, &is_list);
    if (is_list) {
        lua_pushnil(L);
    } else {
        l_push_sorted_keys(L, n);
    }
    lua_pushinteger(L, n);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, l_pairs_next, 3);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* The next key without an order of ours, in Lua's order. Stack: table, key. */
static int l_next_other(lua_State *L) {
    while (lua_next(L, 1)) {
        if (read_key(L, -2).rank == OTHER) return 2;
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    return 1;
}

/* The least key above the given one. One pass per call: for whole tables use pairs. */
int l_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool first = lua_isnil(L, 2);
    entry after = first ? (entry){.rank = -1} : read_key(L, 2);
    if (after.rank == OTHER) return l_next_other(L);
    entry best = {.rank = OTHER + 1};
    lua_pushnil(L); /* 3: the best key */
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        entry e = read_key(L, -2);
        if (compare(&e, &after) <= 0 || (best.rank <= OTHER && compare(&e, &best) >= 0)) continue;
        best = e;
        lua_pushvalue(L, -2);
        lua_replace(L, 3);
    }
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) return 1;
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}
