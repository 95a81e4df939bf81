/*
 * self.state from one Lua state to another: a byte stream in between, so that no pointer of the old
 * state can survive in the new one. Tables are written with their sizes, so that reading them back
 * never rehashes; a table met again is written as a reference to the first time.
 *
 * Bounded in bytes, values and depth; the budget of the callback is polled. Whatever is not plain
 * data is refused under the path it was found at.
 *
 * Writing can be left between two values and gone on with later, if the state was not touched
 * meanwhile: what is open is a list, not a recursion. While the writer is at work its values lie on
 * the stack of the script (from `base` on: the tables seen, then for each open table itself and the
 * key it has come to), between two pieces on that of a coroutine which never runs.
 */
#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "script/reload_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 256
#define POLL_MASK 127u
#define PIECE_MASK 31u

enum { TAG_FALSE = 'F', TAG_TRUE = 'T', TAG_INTEGER = 'i', TAG_NUMBER = 'd', TAG_TEXT = 's' };
enum { TAG_TABLE = '{', TAG_AGAIN = 'r', TAG_ORDER = 'o', TAG_INSTRUMENT = 'I' };

/* ---- writing --------------------------------------------------------------------------------- */
typedef struct writer {
    hg_carry *carry;
    const char *root; /* what the whole is called in messages */
    uint32_t tables;
    uint32_t levels; /* keys that lead to the present value */
    uint32_t open;   /* tables entered and not left */
    struct {
        size_t at; /* of its sizes in the carry */
        uint32_t pairs;
    } entered[HG_CARRY_DEPTH_MAX + 1];
    int base;         /* stack index of the table seen: table -> its number */
    int64_t until_ns; /* this piece ends, monotonic; INT64_MAX: all in one */
} writer;

static int table_at(const writer *w, uint32_t level) {
    return w->base + 1 + 2 * (int)level;
}

static int key_at(const writer *w, uint32_t level) {
    return w->base + 2 + 2 * (int)level;
}

/* ---- paths: worked out only when something is refused ------------------------------------------
 */
static bool is_word(const char *text, size_t len) {
    bool word = len > 0 && !(text[0] >= '0' && text[0] <= '9');
    for (size_t i = 0; i < len && word; i++) {
        word = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
               (text[i] >= '0' && text[i] <= '9') || text[i] == '_';
    }
    return word;
}

/* The key at `index` as a step of a path: .name, [3], ["two words"]. */
static int step_text(lua_State *L, int index, char *at, size_t room) {
    size_t len = 0;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    if (text) {
        return snprintf(at, room, is_word(text, len) ? ".%.*s" : "[\"%.*s\"]",
                        (int)(len > 60 ? 60 : len), text);
    }
    if (lua_isinteger(L, index)) {
        return snprintf(at, room, "[%lld]", (long long)lua_tointeger(L, index));
    }
    if (lua_type(L, index) == LUA_TNUMBER) {
        return snprintf(at, room, "[%.14g]", lua_tonumber(L, index));
    }
    return snprintf(at, room, "[%s]", lua_toboolean(L, index) ? "true" : "false");
}

/* "state.book[3].f" */
static void path_of(lua_State *L, const writer *w, char *buf, size_t size) {
    size_t used = (size_t)snprintf(buf, size, "%s", w->root);
    for (uint32_t i = 0; i < w->levels && used < size; i++) {
        int n = step_text(L, key_at(w, i), buf + used, size - used);
        used += n > 0 ? (size_t)n : 0;
    }
}

static int l_refuse(lua_State *L, const writer *w, const char *what) {
    char path[PATH_BYTES];
    path_of(L, w, path, sizeof path);
    hg_text_make_line(path); /* keys are texts of the script */
    return luaL_error(L, "%s: %s", path, what);
}

static void l_put(lua_State *L, writer *w, const void *bytes, size_t size) {
    hg_carry *c = w->carry;
    if (size > HG_CARRY_BYTES_MAX - c->size) {
        l_refuse(L, w, "the state is larger than 4 MiB");
    }
    if (c->size + size > c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 16384;
        while (capacity < c->size + size) capacity *= 2;
        unsigned char *grown = realloc(c->data, capacity);
        if (!grown) luaL_error(L, "no memory to copy the state");
        c->data = grown;
        c->capacity = capacity;
    }
    memcpy(c->data + c->size, bytes, size);
    c->size += size;
}

static void l_put_tag(lua_State *L, writer *w, char tag) {
    l_put(L, w, &tag, 1);
}

static void l_write_handle(lua_State *L, writer *w, int index) {
    const uint64_t *order = luaL_testudata(L, index, "order");
    const uint32_t *instrument = luaL_testudata(L, index, "instrument");
    if (order) {
        l_put_tag(L, w, TAG_ORDER);
        l_put(L, w, order, sizeof *order);
    } else if (instrument) {
        l_put_tag(L, w, TAG_INSTRUMENT);
        l_put(L, w, instrument, sizeof *instrument);
    } else {
        l_refuse(L, w,
                 "an object of the runtime cannot be carried over (orders and instruments "
                 "can; copy the numbers you need)");
    }
}

/* True when the table at `index` was written before: a reference does. */
static bool l_write_again(lua_State *L, writer *w, int index) {
    lua_pushvalue(L, index);
    if (lua_rawget(L, w->base) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, index);
        lua_pushinteger(L, (lua_Integer)w->tables++);
        lua_rawset(L, w->base);
        return false;
    }
    uint32_t number = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    l_put_tag(L, w, TAG_AGAIN);
    l_put(L, w, &number, sizeof number);
    return true;
}

/* Enters the table on top of the stack, which stays there with the first key; false: it was written
 * before. */
static bool l_enter_table(lua_State *L, writer *w) {
    int index = lua_gettop(L);
    if (l_write_again(L, w, index)) return false;
    if (lua_getmetatable(L, index)) {
        l_refuse(L, w, "a table with a metatable cannot be carried over");
    }
    if (w->levels == HG_CARRY_DEPTH_MAX) l_refuse(L, w, "nested deeper than 64 tables");
    luaL_checkstack(L, 6, "state");
    hg_assert(index == table_at(w, w->open));
    l_put_tag(L, w, TAG_TABLE);
    uint32_t count[2] = {(uint32_t)lua_rawlen(L, index), 0};
    w->entered[w->open].at = w->carry->size;
    w->entered[w->open++].pairs = 0;
    l_put(L, w, count, sizeof count);
    lua_pushnil(L);
    return true;
}

static void leave_table(lua_State *L, writer *w) {
    uint32_t pairs = w->entered[--w->open].pairs;
    memcpy(w->carry->data + w->entered[w->open].at + sizeof pairs, &pairs, sizeof pairs);
    lua_pop(L, 1);
}

/* The value at `index`, when it is a table on top of the stack. True: that was entered. */
static bool l_write(lua_State *L, writer *w, int index) {
    if (++w->carry->values > HG_CARRY_VALUES_MAX) {
        l_refuse(L, w, "the state has more than 200,000 values");
    }
    if ((w->carry->values & POLL_MASK) == 0) l_raise_if_over_budget(L);
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        l_put_tag(L, w, lua_toboolean(L, index) ? TAG_TRUE : TAG_FALSE);
        break;
    case LUA_TNUMBER: {
        bool integer = lua_isinteger(L, index) != 0;
        lua_Integer whole = integer ? lua_tointeger(L, index) : 0;
        lua_Number number = integer ? 0 : lua_tonumber(L, index);
        l_put_tag(L, w, integer ? TAG_INTEGER : TAG_NUMBER);
        l_put(L, w, integer ? (void *)&whole : (void *)&number, 8);
        break;
    }
    case LUA_TSTRING: {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        uint32_t size = (uint32_t)len;
        if (len > HG_CARRY_BYTES_MAX) l_refuse(L, w, "a text this long cannot be carried over");
        l_put_tag(L, w, TAG_TEXT);
        l_put(L, w, &size, sizeof size);
        l_put(L, w, text, len);
        break;
    }
    case LUA_TTABLE:
        return l_enter_table(L, w);
    case LUA_TUSERDATA:
        l_write_handle(L, w, index);
        break;
    default:
        lua_pushfstring(L, "a %s cannot be carried over; state is plain data",
                        luaL_typename(L, index));
        l_refuse(L, w, lua_tostring(L, -1));
    }
    return false;
}

/* The next pair of the innermost table. */
static void l_write_pair(lua_State *L, writer *w) {
    uint32_t level = w->open - 1;
    w->levels = level;
    if (!lua_next(L, table_at(w, level))) {
        leave_table(L, w);
        return;
    }
    int key = lua_type(L, -2);
    if (key != LUA_TSTRING && key != LUA_TNUMBER && key != LUA_TBOOLEAN) {
        l_refuse(L, w, "only texts, numbers and booleans can be keys of what is carried over");
    }
    w->levels = w->open;
    w->entered[level].pairs++;
    l_write(L, w, key_at(w, level));
    if (!l_write(L, w, lua_gettop(L))) lua_pop(L, 1);
}

/* Pushes what it works on and writes the value at `index` as far as that is no table. */
static void l_write_begin(lua_State *L, writer *w, int index) {
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, "state");
    w->carry->size = 0;
    w->carry->values = 0;
    lua_createtable(L, 0, (int)w->carry->tables);
    w->base = lua_gettop(L);
    lua_pushvalue(L, index);
    if (!l_write(L, w, lua_gettop(L))) lua_pop(L, 1);
}

/* False: the piece is over, and there is more. Else it has popped everything. */
static bool l_write_on(lua_State *L, writer *w) {
    while (w->open > 0) {
        l_write_pair(L, w);
        bool look = (w->carry->values & PIECE_MASK) < 2; /* a pair is two values */
        if (look && w->open > 0 && hg_clock_monotonic_ns() >= w->until_ns) return false;
    }
    w->carry->tables = w->tables;
    lua_pop(L, 1);
    return true;
}

void l_carry_write(lua_State *L, int index, hg_carry *carry, const char *root) {
    writer w = {.carry = carry, .root = root, .until_ns = INT64_MAX};
    l_write_begin(L, &w, index);
    l_write_on(L, &w);
}

/* ---- writing in pieces ----------------------------------------------------------------------- */
struct hg_carrying {
    writer w;
    lua_State *keep; /* anchored in the registry under this very struct; NULL: not begun */
};

hg_carrying *hg_carrying_new(hg_carry *carry, const char *root) {
    hg_carrying *c = calloc(1, sizeof *c);
    if (c) c->w = (writer){.carry = carry, .root = root};
    return c;
}

static void l_stow(lua_State *L, hg_carrying *c) {
    int count = lua_gettop(L) - c->w.base + 1;
    if (!lua_checkstack(c->keep, count)) luaL_error(L, "no memory to copy the state");
    lua_xmove(L, c->keep, count);
}

bool l_carry_piece(lua_State *L, int index, hg_carrying *c, int64_t until_ns) {
    c->w.until_ns = until_ns;
    if (!c->keep) {
        lua_State *keep = lua_newthread(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, c);
        c->keep = keep;
        l_write_begin(L, &c->w, index);
    } else {
        int count = lua_gettop(c->keep);
        luaL_checkstack(L, count + 8, "state");
        c->w.base = lua_gettop(L) + 1;
        lua_xmove(c->keep, L, count);
    }
    if (l_write_on(L, &c->w)) return true;
    l_stow(L, c);
    return false;
}

/* Assigning nil to a key that is there asks for no memory and raises nothing. */
void hg_carrying_free(hg_carrying *c, lua_State *L) {
    if (c && c->keep && L) {
        hg_assert(lua_checkstack(L, 1));
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, c);
    }
    free(c);
}

/* ---- reading --------------------------------------------------------------------------------- */
typedef struct reader {
    const unsigned char *at;
    uint32_t tables;
    uint32_t values;
    int seen;
} reader;

static void take(reader *r, void *out, size_t size) {
    memcpy(out, r->at, size);
    r->at += size;
}

static void l_read(lua_State *L, reader *r);

static void l_read_table(lua_State *L, reader *r) {
    uint32_t count[2];
    take(r, count, sizeof count);
    uint32_t hashed = count[1] > count[0] ? count[1] - count[0] : 0;
    luaL_checkstack(L, 4, "state");
    lua_createtable(L, (int)count[0], (int)hashed);
    lua_pushvalue(L, -1);
    lua_rawseti(L, r->seen, (lua_Integer)++r->tables);
    for (uint32_t i = 0; i < count[1]; i++) {
        l_read(L, r);
        l_read(L, r);
        lua_rawset(L, -3);
    }
}

static void l_read(lua_State *L, reader *r) {
    if ((++r->values & POLL_MASK) == 0) l_raise_if_over_budget(L);
    char tag;
    uint32_t small;
    union {
        lua_Integer integer;
        lua_Number number;
        uint64_t id;
    } big;
    take(r, &tag, 1);
    switch (tag) {
    case TAG_TRUE:
    case TAG_FALSE:
        lua_pushboolean(L, tag == TAG_TRUE);
        break;
    case TAG_INTEGER:
        take(r, &big, 8);
        lua_pushinteger(L, big.integer);
        break;
    case TAG_NUMBER:
        take(r, &big, 8);
        lua_pushnumber(L, big.number);
        break;
    case TAG_TEXT:
        take(r, &small, sizeof small);
        lua_pushlstring(L, (const char *)r->at, small);
        r->at += small;
        break;
    case TAG_TABLE:
        l_read_table(L, r);
        break;
    case TAG_AGAIN:
        take(r, &small, sizeof small);
        lua_rawgeti(L, r->seen, (lua_Integer)small + 1);
        break;
    case TAG_ORDER:
        take(r, &big, 8);
        l_push_order(L, big.id);
        break;
    default:
        take(r, &small, sizeof small);
        l_push_instrument(L, small);
    }
}

void l_carry_read(lua_State *L, const hg_carry *carry) {
    reader r = {.at = carry->data};
    lua_createtable(L, (int)carry->tables, 0);
    r.seen = lua_gettop(L);
    l_read(L, &r);
    lua_remove(L, r.seen);
}

void hg_carry_fini(hg_carry *carry) {
    free(carry->data);
    *carry = (hg_carry){0};
}
