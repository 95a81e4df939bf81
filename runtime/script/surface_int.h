/*
 * A fitted surface as Lua holds it: the fit, what it was fitted to, and how it is dated. Made by
 * api_surface_fit.c from a table of quotes and by api_live_surface.c from the market; read by
 * api_surface.c. Needs no session.
 */
#ifndef HG_SCRIPT_SURFACE_INT_H
#define HG_SCRIPT_SURFACE_INT_H

#include <lauxlib.h>
#include <lua.h>

#include "greeks/surface.h"
#include "market/live_surface.h"

/* An expiry that was given, whether it was fitted or not. */
typedef struct l_surface_expiry {
    int64_t key; /* dated: its time in ns; else years in ns of a year, for matching alone */
    double t;    /* years */
    double forward;
    const char *forward_from; /* "quotes", "given", "parity", "market" or NULL: unknown */
    size_t first, n;          /* its quotes: [first, first + n) of the object's */
} l_surface_expiry;

typedef struct l_surface {
    hg_surface fit;
    hg_smile_filter filter;
    double time_s; /* of the fit; NaN: expiries are years from it */
    int expiries;
    l_surface_expiry expiry[HG_SURFACE_SLICES_MAX];
    const struct l_live *live; /* NULL: fitted to a table, the user value of the object */
    uint32_t underlying;
    hg_surface_model model;
    uint64_t version; /* of the market's fit */
    hg_live_state state;
    bool inverse; /* edges and prices are told in coins */
    size_t quotes;
    double *strikes;        /* as they are; those of `quote` are moved with the forward */
    uint32_t *ids;          /* quote -> its number in the table given, or its instrument */
    hg_smile_quote quote[]; /* in USD, strikes and prices as if the forward were the expiry's */
} l_surface;

/* What the live one asks its session. */
typedef struct l_live {
    /* Pushes a field ("age", "quality" ...); false: there is no such. */
    bool (*field)(lua_State *L, const l_surface *o, const char *name);
    const char *(*name_of)(lua_State *L, uint32_t id); /* of a quote */
} l_live;

/* Pushes an empty object with room for so many quotes. */
l_surface *l_surface_push(lua_State *L, size_t quotes);
/* nil, message, code. */
int l_surface_fail(lua_State *L, const char *code, const char *format, ...) HG_PRINTF(3, 4);
/* An argument that names an expiry, as years; `key` (or NULL) as in l_surface_expiry. NaN and
 * infinite times pass: what they are used for refuses them. Raises for other things, and for dates
 * without a time to count from. */
double l_surface_years(lua_State *L, int index, double time_s, int64_t *key);
/* Fits; HG_GREEKS_*. Expiries whose time or forward cannot be used are left out. */
int l_surface_run(l_surface *o, const hg_surface_options *options, hg_surface_work *work);

int l_surface_fit(
    lua_State *L); /* surface.fit; upvalue 1: a function that tells the time, or nil */
hg_surface_model l_surface_model(lua_State *L, const char *name);

/* Pushes the module table; the metatable of its objects is made once per state. */
void l_surface_type(lua_State *L);

#endif
