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
/* The same in pieces, while nothing else enters the script: false when `until_ns` (monotonic) came
 * before the end. `index` counts for the first piece. */
typedef struct hg_carrying hg_carrying;
hg_carrying *hg_carrying_new(hg_carry *carry, const char *root);
bool l_carry_piece(lua_State *L, int index, hg_carrying *carrying, int64_t until_ns);
void hg_carrying_free(hg_carrying *carrying, lua_State *L); /* NULL: that state is gone */

void l_carry_read(lua_State *L, const hg_carry *carry); /* pushes */

#endif
