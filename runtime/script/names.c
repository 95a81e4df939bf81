/* Fills the table of field names of one state. */
#include "script/names_int.h"

#include <string.h>

void l_names_init(lua_State *L, hg_names *names) {
    static const char *const list[] = {
#define HG_NAME_TEXT(name) #name,
        HG_NAME_MAP(HG_NAME_TEXT)
#undef HG_NAME_TEXT
    };
    memset(names, 0, sizeof *names);
    lua_createtable(L, HG_NAME_COUNT, 0);
    for (unsigned i = 0; i < sizeof list / sizeof *list; i++) {
        const char *key = lua_pushstring(L, list[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        unsigned slot = hg_name_slot(key);
        while (names->slot[slot].key) {
            slot = (slot + 1) % HG_NAME_SLOTS;
        }
        names->slot[slot].key = key;
        names->slot[slot].code = i + 1;
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, names);
}
