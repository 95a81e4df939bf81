/* What the files of hot reload share inside the script room. */
#ifndef HG_SCRIPT_RELOAD_INT_H
#define HG_SCRIPT_RELOAD_INT_H

#include "script/reload.h"
#include "script/script_int.h"

struct hg_code {
    uint32_t holders;
    uint64_t hash;
    uint32_t count;
    hg_source *sources;       /* with their texts */
    char absent[HG_PATH_MAX]; /* a file it looked for in vain, "" when there is none */
    char dir[HG_PATH_MAX];    /* where that has to be to be read; "" for its own file */
};

/* Writes the value at `index` into the carry, called `root` in messages. May raise. */
void l_carry_write(lua_State *L, int index, hg_carry *carry, const char *root);
void l_carry_read(lua_State *L, const hg_carry *carry); /* pushes */

#endif
