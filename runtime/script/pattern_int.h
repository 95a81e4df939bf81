/*
 * Lua patterns with a bound on the work. The stock matcher backtracks without end ("aaa...a"
 * against
 * ".-.-.-b" takes seconds) and no hook can stop it; this one counts its steps and raises.
 * Semantics and messages are those of the Lua 5.4 manual, section 6.4.1.
 */
#ifndef HG_SCRIPT_PATTERN_INT_H
#define HG_SCRIPT_PATTERN_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#define HG_PATTERN_CAPTURES 32

typedef struct hg_pattern {
    lua_State *L;
    const char *src, *src_end;
    const char *end; /* of the pattern */
    int64_t steps;   /* left */
    int depth;       /* left */
    int level;       /* captures so far */
    struct {
        const char *at;
        ptrdiff_t len;
    } capture[HG_PATTERN_CAPTURES];
} hg_pattern;

void hg_pattern_init(hg_pattern *m, lua_State *L, const char *src, size_t src_len, const char *pat,
                     size_t pat_len);
/* Tries to match at exactly `s`; the end of the match or NULL. Raises on malformed patterns and
 * when the work is too much. */
const char *l_pattern_match(hg_pattern *m, const char *s, const char *pattern);
/* Pushes capture i (0-based), or the whole match [s, e) when there is none. */
void l_pattern_push(hg_pattern *m, int i, const char *s, const char *e);
/* Pushes all captures (the whole match when there is none and s is given); how many. */
int l_pattern_push_all(hg_pattern *m, const char *s, const char *e);

#endif
