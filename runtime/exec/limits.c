/* The table of limits and how a configuration fills it. One table serves the gate, the files, the
 * scripts' view and the tests, so that no two of them can disagree about a name or a default. */
#include "exec/limits.h"

#include "base/assert.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9
#define SPAN_MAX_S 1e8
#define COUNT_MAX 1e9

const hg_limit_row hg_limit_rows[] = {
#define HG_ROW(kind, field, name, scope, standard, text)                                           \
    {name, text, offsetof(hg_limits, field), HG_LIMIT_##kind, HG_SCOPE_##scope, standard},
#define HG_ROW_NUMBER(field, name, scope, standard, text)                                          \
    HG_ROW(NUMBER, field, name, scope, standard, text)
#define HG_ROW_COUNT(field, name, scope, standard, text)                                           \
    HG_ROW(COUNT, field, name, scope, standard, text)
#define HG_ROW_SPAN(field, name, scope, standard, text)                                            \
    HG_ROW(SPAN, field, name, scope, standard, text)
    HG_LIMIT_MAP(HG_ROW_NUMBER, HG_ROW_COUNT, HG_ROW_SPAN)};

const uint32_t hg_limit_count = sizeof hg_limit_rows / sizeof *hg_limit_rows;

/* Where 0 is an answer of its own. */
static bool zero_allowed(const hg_limit_row *row) {
    return row->offset == offsetof(hg_limits, duplicate_window_ns) ||
           row->offset == offsetof(hg_limits, burst_freeze_ns);
}

static void put(hg_limits *limits, const hg_limit_row *row, double value) {
    unsigned char *at = (unsigned char *)limits + row->offset;
    if (row->kind == HG_LIMIT_NUMBER) {
        memcpy(at, &value, sizeof value);
    } else if (row->kind == HG_LIMIT_COUNT) {
        uint32_t count = (uint32_t)value;
        memcpy(at, &count, sizeof count);
    } else {
        int64_t span = value > 0 ? (int64_t)llround(value * NS_PER_S) : -1;
        memcpy(at, &span, sizeof span);
    }
}

/* In the unit of the configuration; -1 for "0 on purpose", 0 for "not given". */
static double look(const hg_limits *limits, const hg_limit_row *row) {
    const unsigned char *at = (const unsigned char *)limits + row->offset;
    double value = 0;
    uint32_t count = 0;
    int64_t span = 0;
    if (row->kind == HG_LIMIT_NUMBER) {
        memcpy(&value, at, sizeof value);
        return value;
    }
    if (row->kind == HG_LIMIT_COUNT) {
        memcpy(&count, at, sizeof count);
        return count;
    }
    memcpy(&span, at, sizeof span);
    return (double)span / NS_PER_S;
}

double hg_limit_get(const hg_limits *limits, uint32_t row) {
    hg_assert(row < hg_limit_count);
    return fmax(look(limits, &hg_limit_rows[row]), 0);
}

void hg_limits_default(hg_limits *limits) {
    *limits = (hg_limits){0};
    hg_limits_complete(limits);
}

void hg_limits_complete(hg_limits *limits) {
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        const hg_limit_row *row = &hg_limit_rows[i];
        double value = look(limits, row);
        bool on_purpose = value < 0 && zero_allowed(row);
        bool given = value > 0 && isfinite(value);
        if (!given && !on_purpose) {
            put(limits, row, row->standard);
        }
    }
    if (limits->strategy_orders_per_second == 0) {
        limits->strategy_orders_per_second = limits->orders_per_second;
    }
    if (limits->messages_per_second == 0) {
        bool high = limits->orders_per_second > UINT32_MAX / 4;
        limits->messages_per_second = high ? UINT32_MAX : 4 * limits->orders_per_second;
    }
}

/* --- from text -------------------------------------------------------------------------------- */

static int number_of(const hg_limit_row *row, const char *path, const char *text, double *out) {
    char *end = NULL;
    double value = strtod(text, &end);
    bool zero = value == 0 && zero_allowed(row);
    if (end == text || *end != '\0' || !isfinite(value) || !(value > 0 || zero)) {
        return HG_ERR(HG_ECONFIG, "limits.%s = %s: want a number above zero", path, text);
    }
    double most = row->kind == HG_LIMIT_SPAN    ? SPAN_MAX_S
                  : row->kind == HG_LIMIT_COUNT ? COUNT_MAX
                                                : 1e300;
    if (!(value <= most)) {
        return HG_ERR(HG_ECONFIG, "limits.%s = %s: at most %g", path, text, most);
    }
    if (row->kind == HG_LIMIT_COUNT && value != floor(value)) {
        return HG_ERR(HG_ECONFIG, "limits.%s = %s: want a whole number", path, text);
    }
    *out = value;
    return HG_OK;
}

const char *hg_limit_word(const char *words, uint8_t k, char *buf, size_t size) {
    const char *at = words;
    for (; k > 0 && at; k--) {
        at = strchr(at, '|');
        at = at ? at + 1 : NULL;
    }
    snprintf(buf, size, "%.*s", at ? (int)strcspn(at, "|") : 0, at ? at : "");
    return buf;
}

static int word_set(const char *path, const char *text, const char *words, uint8_t *out) {
    char word[24];
    for (uint8_t k = 0; *hg_limit_word(words, k, word, sizeof word); k++) {
        if (strcmp(word, text) == 0) {
            *out = k;
            return HG_OK;
        }
    }
    return HG_ERR(HG_ECONFIG, "limits.%s = %s: want one of %s", path, text, words);
}

static int truth_set(const char *path, const char *text, bool *out) {
    uint8_t k = 0;
    int rc = word_set(path, text, "false|true", &k);
    *out = rc == HG_OK ? k == 1 : *out;
    return rc;
}

static int copy_set(const char *path, const char *text, char *out, size_t size) {
    return hg_text_copy(out, size, text)
               ? HG_OK
               : HG_ERR(HG_ECONFIG, "limits.%s is longer than %zu bytes", path, size - 1);
}

static hg_permit *permit_of(hg_limit_extra *extra, const char *strategy) {
    for (uint32_t i = 0; i < extra->permit_count; i++) {
        if (strcmp(extra->permits[i].strategy, strategy) == 0) {
            return &extra->permits[i];
        }
    }
    if (extra->permit_count == HG_PERMITS_MAX) {
        return NULL;
    }
    hg_permit *permit = &extra->permits[extra->permit_count++];
    *permit = (hg_permit){0};
    hg_text_copy(permit->strategy, sizeof permit->strategy, strategy);
    return permit;
}

static const char *const permit_words[] = {"instruments", "sides", NULL};

static int permit_set(hg_limit_extra *extra, const char *strategy, const char *path,
                      const char *key, const char *text) {
    hg_permit *permit = permit_of(extra, strategy);
    if (!permit) {
        return HG_ERR(HG_ECONFIG, "limits.%s: more than %d strategies", path, HG_PERMITS_MAX - 1);
    }
    if (strcmp(key, "sides") == 0) {
        return word_set(path, text, HG_SIDES, &permit->sides);
    }
    return copy_set(path, text, permit->instruments, sizeof permit->instruments);
}

static const char *const extra_words[] = {
    "venue",        "account",     "reduce_mode", "self_trade", "duplicates", "stale_reduce_only",
    "allow_no_cod", "instruments", "sides",       NULL};

/* HG_ENOTFOUND when the name is none of these. */
static int extra_set(hg_limit_extra *extra, const char *name, const char *text) {
    uint32_t k = 0;
    while (extra_words[k] && strcmp(extra_words[k], name) != 0) {
        k++;
    }
    switch (k) {
    case 0:
        return copy_set(name, text, extra->venue, sizeof extra->venue);
    case 1:
        return copy_set(name, text, extra->account, sizeof extra->account);
    case 2:
        return word_set(name, text, HG_REDUCE_MODES, &extra->reduce_mode);
    case 3:
        return word_set(name, text, HG_SELF_TRADES, &extra->self_trade);
    case 4:
        return word_set(name, text, HG_DUPLICATES, &extra->duplicates);
    case 5:
        return truth_set(name, text, &extra->stale_reduce_only);
    case 6:
        return truth_set(name, text, &extra->allow_no_cod);
    case 7:
    case 8:
        return permit_set(extra, "", name, name, text);
    default:
        return HG_ENOTFOUND;
    }
}

static const hg_limit_row *row_find(const char *name) {
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        if (strcmp(hg_limit_rows[i].name, name) == 0) {
            return &hg_limit_rows[i];
        }
    }
    return NULL;
}

static int unknown(const char *name, const char *prefix, hg_limit_scope scope) {
    const char *names[80];
    size_t n = 0;
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        if (scope == HG_SCOPE_SESSION || hg_limit_rows[i].scope == scope) {
            names[n++] = hg_limit_rows[i].name;
        }
    }
    const char *const *words = scope == HG_SCOPE_SESSION    ? extra_words
                               : scope == HG_SCOPE_STRATEGY ? permit_words
                                                            : permit_words + 2;
    for (; *words; words++) {
        names[n++] = *words;
    }
    names[n++] = scope == HG_SCOPE_SESSION ? "underlying" : NULL;
    names[n++] = scope == HG_SCOPE_SESSION ? "strategy" : NULL;
    names[n] = NULL;
    hg_assert(n < sizeof names / sizeof *names);
    int rc = HG_ERR(HG_ECONFIG, "unknown limit '%s%s'", prefix, name);
    const char *near = hg_text_nearest(name, names);
    if (near) {
        hg_error_hint("did you mean limits.%s%s?", prefix, near);
    }
    return rc;
}

/* "BTC.delta_coins" of limits.underlying, "delta_band.hedge_tries" of limits.strategy. */
static int override_set(hg_limit_extra *extra, hg_limit_scope scope, const char *path,
                        const char *rest, const char *text) {
    const char *dot = strrchr(rest, '.');
    hg_limit_override override = {.scope = scope};
    if (!dot || dot == rest || (size_t)(dot - rest) >= sizeof override.name) {
        return HG_ERR(HG_ECONFIG, "limits.%s: want a table of limits by name", path);
    }
    memcpy(override.name, rest, (size_t)(dot - rest));
    const char *key = dot + 1;
    if (scope == HG_SCOPE_STRATEGY &&
        (strcmp(key, permit_words[0]) == 0 || strcmp(key, permit_words[1]) == 0)) {
        return permit_set(extra, override.name, path, key, text);
    }
    const hg_limit_row *row = row_find(key);
    if (!row) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%.*s", (int)(key - path), path);
        return unknown(key, prefix, scope);
    }
    if (row->scope != scope) {
        static const char *const whose[] = {"the session", "an underlying", "a strategy"};
        return HG_ERR(HG_ECONFIG, "limits.%s: %s is a limit of %s", path, key, whose[row->scope]);
    }
    int rc = number_of(row, path, text, &override.value);
    if (rc == HG_OK && extra->override_count == HG_OVERRIDES_MAX) {
        rc = HG_ERR(HG_ECONFIG, "more than %d limits of underlyings and strategies",
                    HG_OVERRIDES_MAX);
    }
    if (rc == HG_OK) {
        override.row = (uint32_t)(row - hg_limit_rows);
        extra->overrides[extra->override_count++] = override;
    }
    return rc;
}

int hg_limits_set(hg_limits *limits, hg_limit_extra *extra, const char *path, const char *text) {
    hg_assert(limits && extra && path && text);
    static const char underlying[] = "underlying.";
    static const char strategy[] = "strategy.";
    limits->extra = extra;
    if (strncmp(path, underlying, sizeof underlying - 1) == 0) {
        return override_set(extra, HG_SCOPE_UNDERLYING, path, path + sizeof underlying - 1, text);
    }
    if (strncmp(path, strategy, sizeof strategy - 1) == 0) {
        return override_set(extra, HG_SCOPE_STRATEGY, path, path + sizeof strategy - 1, text);
    }
    int rc = extra_set(extra, path, text);
    if (rc != HG_ENOTFOUND) {
        return rc;
    }
    const hg_limit_row *row = row_find(path);
    double value = 0;
    if (!row) {
        return unknown(path, "", HG_SCOPE_SESSION);
    }
    rc = number_of(row, path, text, &value);
    if (rc == HG_OK) {
        put(limits, row, value);
    }
    return rc;
}

void hg_limits_of(const hg_limits *session, hg_limit_scope scope, const char *name,
                  hg_limits *out) {
    *out = *session;
    for (uint32_t i = 0; session->extra && i < session->extra->override_count; i++) {
        const hg_limit_override *o = &session->extra->overrides[i];
        if (o->scope == scope && strcmp(o->name, name) == 0) {
            put(out, &hg_limit_rows[o->row], o->value);
        }
    }
}
