/* The copy of a state in slices is the copy in one piece, byte for byte, whether or not the script
 * runs in between. */
#include "script/reload_int.h"
#include "test_script_kit.h"

typedef struct copy {
    hg_script *script;
    hg_pace pace;
    hg_carry carry;
} copy;

static int copy_in_slices(void *argument) {
    copy *c = argument;
    return hg_script_carry_paced(c->script, &c->carry, &c->pace);
}

/* Slices of a nanosecond: it is left as often as it can be. `runs`: how often the script runs
 * between two slices, from the first on. */
static int copy_while(kit *k, copy *c, unsigned runs, unsigned *slices) {
    int rc = 1;
    *slices = 0;
    c->script = k->script;
    CHECK_EQ(hg_pace_open(&c->pace), 0);
    hg_pace_begin(&c->pace, copy_in_slices, c);
    while ((rc = hg_pace_step(&c->pace, 1)) == 1) {
        if ((*slices)++ < runs) kit_quote(k, PERP, 63990 - *slices, 64010);
    }
    hg_pace_close(&c->pace);
    return rc;
}

#define VARIED                                                                                     \
    "local s = S.state\n"                                                                          \
    "s.n = (s.n or 0) + 1\n"                                                                       \
    "if s.rows then return end\n"                                                                  \
    "s.rows, s.deep, s.same = {}, {}, {}\n"                                                        \
    "for i = 1, 700 do\n"                                                                          \
    "  s.rows[i] = { id = i, name = 'row ' .. i, [true] = i / 7, [i + 0.5] = {}, s = s.same }\n"   \
    "end\n"                                                                                        \
    "local t = s.deep for i = 1, 60 do t[1], t.x = {}, s.rows t = t[1] end"

static void load_state(kit *k, const char *body) {
    char source[2048];
    kit_open(k);
    k->env.callback_budget_ns = 5 * HG_NS_PER_S; /* under sanitizers as well */
    snprintf(source, sizeof source, "function S:on_tick() %s\nend", body);
    kit_load(k, source);
    kit_quote(k, PERP, 63990, 64010);
    CHECK_EQ(hg_script_status(k->script), HG_SCRIPT_RUNNING);
}

TEST(carry_in_slices_is_the_carry_in_one_piece) {
    static const unsigned runs[] = {0, 1, 2, 3, 1000};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        kit k;
        copy c = {0};
        hg_carry whole = {0};
        unsigned slices;
        load_state(&k, VARIED);
        int top = lua_gettop(k.script->lua);
        CHECK_EQ(copy_while(&k, &c, runs[i], &slices), 0);
        CHECK(runs[i] >= 3 ? slices == 3 : slices > 30);
        CHECK_EQ(hg_script_carry(k.script, &whole), 0);
        CHECK(whole.size > 30000 && whole.tables > 1400);
        CHECK_EQ(c.carry.size, whole.size);
        CHECK_EQ(c.carry.tables, whole.tables);
        CHECK_EQ(c.carry.values, whole.values);
        CHECK(memcmp(c.carry.data, whole.data, whole.size) == 0);
        CHECK_EQ(lua_gettop(k.script->lua), top);
        hg_carry_fini(&c.carry);
        hg_carry_fini(&whole);
        kit_close(&k);
    }
}

TEST(carry_in_slices_refuses_with_the_same_words) {
    static const char *const bad[] = {
        VARIED " s.deep[1][1].f = print",
        VARIED " s.rows[650][s.same] = 1",
        VARIED " s.rows[600].g = setmetatable({}, {})",
        "local t = S.state for i = 1, 2000 do t[i] = i end for i = 1, 65 do t.t = {} t = t.t end",
        "for i = 1, 200001 do S.state[i] = i end",
        "S.state = 7",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kit k;
        copy c = {0};
        unsigned slices;
        char text[1024];
        load_state(&k, bad[i]);
        CHECK_EQ(hg_script_carry(k.script, &c.carry), HG_ESTRATEGY);
        snprintf(text, sizeof text, "%s", hg_error_text());
        hg_error_clear();
        CHECK_EQ(copy_while(&k, &c, 0, &slices), HG_ESTRATEGY);
        CHECK_STR(hg_error_text(), text);
        hg_carry_fini(&c.carry);
        kit_quote(&k, PERP, 63980, 64010);
        kit_close(&k);
    }
}

/* It is given up in the middle; the script keeps nothing of it. */
TEST(carry_in_slices_can_be_cancelled) {
    kit k;
    load_state(&k, VARIED);
    for (unsigned n = 0; n < 12; n++) {
        copy c = {.script = k.script};
        CHECK_EQ(hg_pace_open(&c.pace), 0);
        hg_pace_begin(&c.pace, copy_in_slices, &c);
        for (unsigned i = 0; i < n; i++) CHECK_EQ(hg_pace_step(&c.pace, 1), 1);
        hg_pace_close(&c.pace);
        hg_carry_fini(&c.carry);
        lua_State *L = k.script->lua;
        unsigned threads = 0;
        for (lua_pushnil(L); lua_next(L, LUA_REGISTRYINDEX); lua_pop(L, 1)) {
            threads += lua_islightuserdata(L, -2) && lua_isthread(L, -1);
        }
        CHECK_EQ(threads, 0);
    }
    kit_close(&k);
}
