/* The matcher: recursive descent over the pattern, one counted step per item tried. */
#include "script/pattern_int.h"
#include "script/script_int.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "script/watchdog_int.h"

#define OPEN (-1)
#define POSITION (-2)
#define DEPTH_MAX 200
#define STEPS_BASE INT64_C(1000000)
#define STEPS_PER_BYTE 64
#define POLL_MASK 1023

void hg_pattern_init(hg_pattern *m, lua_State *L, const char *src, size_t src_len, const char *pat,
                     size_t pat_len) {
    m->L = L;
    m->src = src;
    m->src_end = src + src_len;
    m->end = pat + pat_len;
    m->steps = STEPS_BASE + STEPS_PER_BYTE * (int64_t)src_len;
    m->depth = DEPTH_MAX;
    m->level = 0;
}

static void l_step(hg_pattern *m) {
    m->steps--;
    if (m->steps < 0) luaL_error(m->L, "pattern takes too many steps on this text");
    if ((m->steps & POLL_MASK) == 0) l_raise_if_over_budget(m->L);
}

static int byte_at(const char *s) {
    return (unsigned char)*s;
}

/* The first character after one item ("a", "%a", "[...]"). */
static const char *l_item_end(hg_pattern *m, const char *p) {
    char first = *p++;
    if (first == '%') {
        if (p == m->end) luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (first != '[') return p;
    if (p < m->end && *p == '^') p++;
    do {
        if (p == m->end) luaL_error(m->L, "malformed pattern (missing ']')");
        char c = *p++;
        if (c == '%' && p < m->end) p++;
    } while (p == m->end || *p != ']');
    return p + 1;
}

static bool class_matches(int c, int class) {
    bool in;
    switch (tolower(class)) {
    case 'a':
        in = isalpha(c) != 0;
        break;
    case 'c':
        in = iscntrl(c) != 0;
        break;
    case 'd':
        in = isdigit(c) != 0;
        break;
    case 'g':
        in = isgraph(c) != 0;
        break;
    case 'l':
        in = islower(c) != 0;
        break;
    case 'p':
        in = ispunct(c) != 0;
        break;
    case 's':
        in = isspace(c) != 0;
        break;
    case 'u':
        in = isupper(c) != 0;
        break;
    case 'w':
        in = isalnum(c) != 0;
        break;
    case 'x':
        in = isxdigit(c) != 0;
        break;
    case 'z':
        in = c == 0;
        break; /* of Lua 5.1, still accepted by 5.4 */
    default:
        return class == c;
    }
    return isupper(class) ? !in : in;
}

/* p at '[', last at the closing ']'. */
static bool set_matches(int c, const char *p, const char *last) {
    bool wanted = true;
    if (p[1] == '^') {
        wanted = false;
        p++;
    }
    while (++p < last) {
        if (*p == '%') {
            p++;
            if (class_matches(c, byte_at(p))) return wanted;
        } else if (p[1] == '-' && p + 2 < last) {
            p += 2;
            if (byte_at(p - 2) <= c && c <= byte_at(p)) return wanted;
        } else if (byte_at(p) == c) {
            return wanted;
        }
    }
    return !wanted;
}

static bool item_matches(const hg_pattern *m, const char *s, const char *p, const char *item_end) {
    if (s >= m->src_end) return false;
    int c = byte_at(s);
    switch (*p) {
    case '.':
        return true;
    case '%':
        return class_matches(c, byte_at(p + 1));
    case '[':
        return set_matches(c, p, item_end - 1);
    default:
        return byte_at(p) == c;
    }
}

static const char *l_match_balance(hg_pattern *m, const char *s, const char *p) {
    if (p >= m->end - 1) {
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    }
    if (s >= m->src_end || *s != *p) return NULL;
    int open = 1;
    while (++s < m->src_end) {
        l_step(m);
        if (*s == p[1]) {
            if (--open == 0) return s + 1;
        } else if (*s == *p) {
            open++;
        }
    }
    return NULL;
}

static const char *l_expand_most(hg_pattern *m, const char *s, const char *p,
                                 const char *item_end) {
    ptrdiff_t i = 0;
    while (item_matches(m, s + i, p, item_end)) {
        l_step(m);
        i++;
    }
    for (; i >= 0; i--) {
        const char *end = l_pattern_match(m, s + i, item_end + 1);
        if (end) return end;
    }
    return NULL;
}

static const char *l_expand_least(hg_pattern *m, const char *s, const char *p,
                                  const char *item_end) {
    for (;;) {
        const char *end = l_pattern_match(m, s, item_end + 1);
        if (end) return end;
        if (!item_matches(m, s, p, item_end)) return NULL;
        s++;
    }
}

static const char *l_open_capture(hg_pattern *m, const char *s, const char *p, ptrdiff_t kind) {
    if (m->level >= HG_PATTERN_CAPTURES) luaL_error(m->L, "too many captures");
    m->capture[m->level].at = s;
    m->capture[m->level].len = kind;
    m->level++;
    const char *end = l_pattern_match(m, s, p);
    if (!end) m->level--;
    return end;
}

static const char *l_close_capture(hg_pattern *m, const char *s, const char *p) {
    int i = m->level - 1;
    while (i >= 0 && m->capture[i].len != OPEN) i--;
    if (i < 0) luaL_error(m->L, "invalid pattern capture");
    m->capture[i].len = s - m->capture[i].at;
    const char *end = l_pattern_match(m, s, p);
    if (!end) m->capture[i].len = OPEN;
    return end;
}

static const char *l_match_back(hg_pattern *m, const char *s, int digit) {
    int i = digit - '1';
    if (i < 0 || i >= m->level || m->capture[i].len == OPEN) {
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    }
    if (m->capture[i].len == POSITION) return NULL;
    size_t len = (size_t)m->capture[i].len;
    if ((size_t)(m->src_end - s) < len || memcmp(m->capture[i].at, s, len) != 0) return NULL;
    return s + len;
}

static const char *l_frontier(hg_pattern *m, const char *s, const char *p, bool *matches) {
    if (p >= m->end || *p != '[') {
        luaL_error(m->L, "missing '[' after '%%f' in pattern");
    }
    const char *item_end = l_item_end(m, p);
    int before = s == m->src ? '\0' : byte_at(s - 1);
    int here = s < m->src_end ? byte_at(s) : '\0';
    *matches = !set_matches(before, p, item_end - 1) && set_matches(here, p, item_end - 1);
    return item_end;
}

/* One plain item with its suffix. Returns true when matching goes on at *s, *p. */
static bool l_match_item(hg_pattern *m, const char **s, const char **p, const char **result) {
    const char *item_end = l_item_end(m, *p);
    char suffix = item_end < m->end ? *item_end : '\0';
    switch (suffix) {
    case '?':
        if (item_matches(m, *s, *p, item_end)) {
            *result = l_pattern_match(m, *s + 1, item_end + 1);
            if (*result) return false;
        }
        *p = item_end + 1;
        return true;
    case '+':
        *result = item_matches(m, *s, *p, item_end) ? l_expand_most(m, *s + 1, *p, item_end) : NULL;
        return false;
    case '*':
        *result = l_expand_most(m, *s, *p, item_end);
        return false;
    case '-':
        *result = l_expand_least(m, *s, *p, item_end);
        return false;
    default:
        *result = NULL;
        if (!item_matches(m, *s, *p, item_end)) return false;
        (*s)++;
        *p = item_end;
        return true;
    }
}

/* An item that starts with '%': balance, frontier, back reference, or a class. */
static bool l_match_escape(hg_pattern *m, const char **s, const char **p, const char **result) {
    int kind = *p + 1 < m->end ? byte_at(*p + 1) : '\0';
    bool matches = true;
    *result = NULL;
    if (kind == 'b') {
        *s = l_match_balance(m, *s, *p + 2);
        *p += 4;
        return *s != NULL;
    }
    if (kind == 'f') {
        *p = l_frontier(m, *s, *p + 2, &matches);
        return matches;
    }
    if (isdigit(kind)) {
        *s = l_match_back(m, *s, kind);
        *p += 2;
        return *s != NULL;
    }
    return l_match_item(m, s, p, result);
}

const char *l_pattern_match(hg_pattern *m, const char *s, const char *p) {
    const char *result = NULL;
    if (m->depth-- == 0) luaL_error(m->L, "pattern too complex");
    bool on = true;
    while (on) {
        l_step(m);
        if (p == m->end) {
            result = s;
            break;
        }
        switch (*p) {
        case '(':
            result = p + 1 < m->end && p[1] == ')' ? l_open_capture(m, s, p + 2, POSITION)
                                                   : l_open_capture(m, s, p + 1, OPEN);
            on = false;
            break;
        case ')':
            result = l_close_capture(m, s, p + 1);
            on = false;
            break;
        case '%':
            on = l_match_escape(m, &s, &p, &result);
            break;
        case '$':
            if (p + 1 == m->end) {
                result = s == m->src_end ? s : NULL;
                on = false;
                break;
            }
            on = l_match_item(m, &s, &p, &result);
            break;
        default:
            on = l_match_item(m, &s, &p, &result);
            break;
        }
    }
    m->depth++;
    return result;
}

void l_pattern_push(hg_pattern *m, int i, const char *s, const char *e) {
    if (i >= m->level) {
        if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
        return;
    }
    ptrdiff_t len = m->capture[i].len;
    if (len == OPEN) luaL_error(m->L, "unfinished capture");
    if (len == POSITION) {
        lua_pushinteger(m->L, m->capture[i].at - m->src + 1);
    } else {
        lua_pushlstring(m->L, m->capture[i].at, (size_t)len);
    }
}

int l_pattern_push_all(hg_pattern *m, const char *s, const char *e) {
    int n = m->level == 0 && s ? 1 : m->level;
    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++) l_pattern_push(m, i, s, e);
    return n;
}
