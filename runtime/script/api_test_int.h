#ifndef HG_SCRIPT_API_TEST_INT_H
#define HG_SCRIPT_API_TEST_INT_H

#include "script/harness.h"
#include "script/script_int.h"

/* Private to hedged.test. Of the session that is the first argument; one that is closed raises. */
hg_harness *l_test_harness(lua_State *L);
const hg_script_env *l_test_env(lua_State *L);
uint32_t l_test_underlying(lua_State *L, const char *name); /* raises when it is not known */

/* Raises the error that the session left. */
_Noreturn void l_test_raise(lua_State *L);

/* Methods of api_test_feed.c. */
extern const luaL_Reg l_test_feeding[];

#endif
