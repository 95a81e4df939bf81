/* Faults of the paper venue: from text to windows, and the windows in time. */
#include "exec/faults.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "domain/money.h"

#include <stdlib.h>
#include <string.h>

#define STREAM_BASE 0x66617500 /* one stream of random numbers a window */

/* --- text ------------------------------------------------------------------------------------- */

/* "10:05" or "10:05:30" as time of day; the character after it in `end`. */
static bool clock_parse(const char *text, const char **end, int64_t *ns) {
    int64_t part[3] = {0};
    static const int64_t most[3] = {23, 59, 59};
    int n = 0;
    for (; n < 3; n++) {
        if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
            return false;
        }
        part[n] = (text[0] - '0') * 10 + (text[1] - '0');
        text += 2;
        if (part[n] > most[n]) {
            return false;
        }
        if (*text != ':') {
            n++;
            break;
        }
        text++;
    }
    *end = text;
    *ns = ((part[0] * 60 + part[1]) * 60 + part[2]) * HG_NS_PER_S;
    return n >= 2;
}

static bool daily_parse(const char *text, hg_fault_window *w) {
    const char *at = NULL;
    int64_t to_ns = 0;
    if (!clock_parse(text, &at, &w->first_ns) || *at != '-' || !clock_parse(at + 1, &at, &to_ns) ||
        *at != '\0' || to_ns == w->first_ns) {
        return false;
    }
    w->kind = HG_WINDOW_DAILY;
    w->length_ns = to_ns - w->first_ns + (to_ns < w->first_ns ? HG_NS_PER_DAY : 0);
    return true;
}

static bool pair_parse(char *text, char between, hg_fault_window *w) {
    char *at = strchr(text, between);
    if (!at) {
        return false;
    }
    *at = '\0';
    bool zero = strcmp(text, "0") == 0;
    return (zero || hg_duration_parse(text, &w->first_ns)) &&
           hg_duration_parse(at + 1, &w->length_ns);
}

static int window_parse(hg_faults *f, const char *name, const char *value) {
    char copy[96];
    hg_fault_window w = {.cut = strcmp(name, "cut") == 0};
    bool good = hg_text_copy(copy, sizeof copy, value);
    if (good && strncmp(copy, "random:", 7) == 0) {
        good = pair_parse(copy + 7, ':', &w) && w.first_ns > 0;
        w.kind = HG_WINDOW_RANDOM;
    } else if (good && strchr(copy, '+')) {
        good = pair_parse(copy, '+', &w);
        w.kind = HG_WINDOW_ONCE;
    } else {
        good = good && daily_parse(copy, &w);
    }
    if (!good) {
        return HG_ERR(HG_EUSAGE,
                      "%s=%s: want 10:00-10:05 (each day, UTC), 1h+5m (after the start) "
                      "or random:30m:10s (mean gap and length)",
                      name, value);
    }
    if (f->windows == HG_FAULT_WINDOWS) {
        return HG_ERR(HG_EUSAGE, "more than %d windows", HG_FAULT_WINDOWS);
    }
    f->window[f->windows++] = w;
    return HG_OK;
}

static int proof_parse(hg_faults *f, const char *value) {
    int rc = HG_OK;
    if (!hg_duration_parse(value, &f->proof_ns)) {
        rc = HG_ERR(HG_EUSAGE, "proof=%s: want a duration such as 5s", value);
        hg_duration_hint(value);
    }
    return rc;
}

static int share_parse(const char *name, const char *value, double *share) {
    size_t len = strlen(value);
    bool percent = len > 1 && value[len - 1] == '%';
    hg_nano nano = 0;
    bool good = hg_nano_parse(value, percent ? len - 1 : len, &nano) && nano >= 0;
    double number = good ? (double)nano / 1e9 / (percent ? 100 : 1) : 2;
    if (number > 1) {
        return HG_ERR(HG_EUSAGE, "%s=%s: want a share such as 1%% or 0.01", name, value);
    }
    *share = number;
    return HG_OK;
}

static void flaky(hg_faults *f) {
    *f = (hg_faults){.windows = 1, .lose = 0.005, .busy = 0.005, .repeat = 0.005};
    f->window[0] = (hg_fault_window){HG_WINDOW_RANDOM, true, 1800 * HG_NS_PER_S, 10 * HG_NS_PER_S};
}

static void outage(hg_faults *f) {
    *f = (hg_faults){.windows = 1};
    f->window[0] = (hg_fault_window){HG_WINDOW_ONCE, false, 600 * HG_NS_PER_S, 300 * HG_NS_PER_S};
}

/* One that wants a value and has none: lose, down. */
static int value_missing(const char *name, const char *example) {
    int rc = HG_ERR(HG_EUSAGE, "%s: how much or when?", name);
    hg_error_hint("%s=%s", name, example);
    return rc;
}

static int part_unknown(const char *name) {
    static const char *const examples[][2] = {
        {"lose",   "1%"         },
        {"busy",   "1%"         },
        {"repeat", "1%"         },
        {"proof",  "5s"         },
        {"down",   "10:00-10:05"},
        {"cut",    "10:00-10:05"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        if (strcmp(examples[i][0], name) == 0) {
            return value_missing(name, examples[i][1]);
        }
    }
    static const char *const names[] = {"none", "outage", "flaky",  "down",  "cut",
                                        "lose", "busy",   "repeat", "proof", NULL};
    const char *near = hg_text_nearest(name, names);
    int rc = HG_ERR(HG_EUSAGE, "unknown fault '%s'", name);
    hg_error_hint(near ? "did you mean %s?"
                       : "faults are none, outage, flaky, down=, cut=, lose=, "
                         "busy=, repeat= and proof=",
                  near);
    return rc;
}

static int scenario_parse(hg_faults *f, const char *name) {
    if (strcmp(name, "none") == 0) {
        *f = (hg_faults){0};
    } else if (strcmp(name, "outage") == 0) {
        outage(f);
    } else if (strcmp(name, "flaky") == 0) {
        flaky(f);
    } else {
        return part_unknown(name);
    }
    return HG_OK;
}

static int part_parse(void *faults, char *part) {
    hg_faults *f = faults;
    char *value = strchr(part, '=');
    if (!value) {
        return scenario_parse(f, part);
    }
    *value++ = '\0';
    if (strcmp(part, "down") == 0 || strcmp(part, "cut") == 0) {
        return window_parse(f, part, value);
    }
    if (strcmp(part, "proof") == 0) {
        return proof_parse(f, value);
    }
    double *share = strcmp(part, "lose") == 0     ? &f->lose
                    : strcmp(part, "busy") == 0   ? &f->busy
                    : strcmp(part, "repeat") == 0 ? &f->repeat
                                                  : NULL;
    return share ? share_parse(part, value, share) : part_unknown(part);
}

int hg_faults_parse(const char *text, hg_faults *out) {
    hg_assert(text && out);
    hg_faults parsed = {0};
    int rc = hg_text_parts(text, part_parse, &parsed);
    if (rc >= 0) {
        *out = parsed;
    }
    return rc;
}

/* --- windows in time -------------------------------------------------------------------------- */

void hg_fault_clock_init(hg_fault_clock *clock, const hg_faults *faults, uint64_t seed) {
    *clock = (hg_fault_clock){.faults = faults,
                              .change_ns = faults->windows > 0 ? INT64_MIN : INT64_MAX,
                              .down_to_ns = INT64_MIN,
                              .cut_to_ns = INT64_MIN,
                              .extra_cut_ns = INT64_MIN};
    for (uint32_t i = 0; i < faults->windows; i++) {
        hg_rng_init(&clock->rng[i], seed, STREAM_BASE + i);
    }
}

static int64_t drawn(hg_rng *rng, int64_t mean_ns) {
    double ns = (double)mean_ns * hg_rng_exponential(rng);
    return ns < 1 ? 1 : ns < 9e18 / 4 ? (int64_t)ns : INT64_MAX / 4;
}

/* The window that ends after `now_ns`, from the one before. */
static void window_next(hg_fault_clock *clock, uint32_t i, int64_t now_ns) {
    const hg_fault_window *w = &clock->faults->window[i];
    switch (w->kind) {
    case HG_WINDOW_ONCE:
        clock->from_ns[i] = clock->start_ns + w->first_ns;
        clock->to_ns[i] = clock->from_ns[i] + w->length_ns;
        break;
    case HG_WINDOW_DAILY: {
        int64_t day = now_ns - now_ns % HG_NS_PER_DAY - HG_NS_PER_DAY;
        while (day + w->first_ns + w->length_ns <= now_ns) {
            day += HG_NS_PER_DAY;
        }
        clock->from_ns[i] = day + w->first_ns;
        clock->to_ns[i] = clock->from_ns[i] + w->length_ns;
        break;
    }
    case HG_WINDOW_RANDOM: {
        int64_t to_ns = clock->to_ns[i] ? clock->to_ns[i] : clock->start_ns;
        while (to_ns <= now_ns) {
            clock->from_ns[i] = to_ns + drawn(&clock->rng[i], w->first_ns);
            to_ns = clock->from_ns[i] + drawn(&clock->rng[i], w->length_ns);
        }
        clock->to_ns[i] = to_ns;
        break;
    }
    }
}

void hg_fault_clock_move(hg_fault_clock *clock, int64_t now_ns) {
    if (!clock->started) {
        clock->started = true;
        clock->start_ns = now_ns;
    }
    if (now_ns < clock->change_ns) {
        return;
    }
    int64_t change_ns = INT64_MAX;
    clock->down_to_ns = INT64_MIN;
    clock->cut_to_ns = now_ns < clock->extra_cut_ns ? clock->extra_cut_ns : INT64_MIN;
    for (uint32_t i = 0; i < clock->faults->windows; i++) {
        if (now_ns >= clock->to_ns[i]) {
            window_next(clock, i, now_ns);
        }
        bool on = now_ns >= clock->from_ns[i] && now_ns < clock->to_ns[i];
        clock->begun += on && !clock->on[i];
        clock->on[i] = on;
        int64_t *end_ns = clock->faults->window[i].cut ? &clock->cut_to_ns : &clock->down_to_ns;
        if (on && *end_ns < clock->to_ns[i]) {
            *end_ns = clock->to_ns[i];
        }
        int64_t next_ns = on || now_ns < clock->from_ns[i]
                              ? (on ? clock->to_ns[i] : clock->from_ns[i])
                              : INT64_MAX; /* a single window that is over */
        change_ns = next_ns < change_ns ? next_ns : change_ns;
    }
    clock->change_ns = change_ns;
}

void hg_fault_clock_cut(hg_fault_clock *clock, int64_t until_ns) {
    clock->begun += until_ns > clock->extra_cut_ns;
    clock->extra_cut_ns = until_ns;
    clock->cut_to_ns = until_ns > clock->cut_to_ns ? until_ns : clock->cut_to_ns;
    clock->change_ns = until_ns < clock->change_ns ? until_ns : clock->change_ns;
}
