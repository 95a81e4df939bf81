/* Latency laws: from text, from a recorded file, and the draws. Deterministic by seed. */
#include "exec/latency.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "domain/money.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGMA_MAX 5.0
#define STREAM_BASE 0x6c6174 /* apart from the streams of feeds and scripts */
#define FILE_MAX (64u << 20)

hg_latency hg_latency_constant(int64_t ns) {
    hg_latency latency = {0};
    for (int leg = HG_LEG_SUBMIT; leg <= HG_LEG_ACK; leg++) {
        latency.leg[leg].first_ns = ns;
    }
    return latency;
}

bool hg_law_is_zero(const hg_law *law) {
    return law->kind == HG_LAW_CONSTANT && law->first_ns == 0;
}

/* --- text ------------------------------------------------------------------------------------- */

static int duration_of(const char *text, int64_t *ns) {
    if (strcmp(text, "0") == 0 || strcmp(text, "none") == 0) {
        *ns = 0;
        return HG_OK;
    }
    if (!hg_duration_parse(text, ns) || *ns > HG_LATENCY_MAX_NS) {
        int rc = HG_ERR(HG_EUSAGE, "'%s': want a duration such as 500us, 5ms, 1s; at most 60s",
                        text);
        hg_duration_hint(text);
        return rc;
    }
    return HG_OK;
}

/* Cuts the text at colons; how many pieces, at most three. */
static size_t pieces_of(char *text, char *piece[3]) {
    size_t n = 0;
    piece[n++] = text;
    for (char *at = strchr(text, ':'); at && n < 3; at = strchr(at + 1, ':')) {
        *at = '\0';
        piece[n++] = at + 1;
    }
    return n;
}

static int lognormal_parse(char *piece[3], size_t n, hg_law *law) {
    char *end = NULL;
    if (n != 3) {
        return HG_ERR(HG_EUSAGE, "want lognormal:MEDIAN:SIGMA such as lognormal:5ms:0.5");
    }
    law->sigma = strtod(piece[2], &end);
    if (end == piece[2] || *end != '\0' || !(law->sigma > 0 && law->sigma <= SIGMA_MAX)) {
        return HG_ERR(HG_EUSAGE, "sigma '%s': want a number above 0, at most %g", piece[2],
                      SIGMA_MAX);
    }
    return duration_of(piece[1], &law->first_ns);
}

static int two_parse(char *piece[3], size_t n, hg_law *law) {
    int rc = n < 2 ? HG_ERR(HG_EUSAGE, "%s: want a duration", piece[0])
                   : duration_of(piece[1], &law->first_ns);
    if (rc == HG_OK && n == 3) {
        rc = duration_of(piece[2], &law->second_ns);
    }
    if (rc == HG_OK && law->kind == HG_LAW_UNIFORM && (n != 3 || law->second_ns < law->first_ns)) {
        rc = HG_ERR(HG_EUSAGE, "want uniform:LOWEST:HIGHEST such as uniform:1ms:9ms");
    }
    return rc;
}

static int law_parse(const char *text, hg_law *out) {
    char copy[HG_LATENCY_PATH_MAX + 8];
    hg_law law = {0};
    int rc = HG_OK;
    if (strncmp(text, "file:", 5) == 0) {
        law.kind = HG_LAW_RECORDED;
        if (text[5] == '\0' || !hg_text_copy(law.path, sizeof law.path, text + 5)) {
            return HG_ERR(HG_EUSAGE, "file: want a path of at most %d characters",
                          HG_LATENCY_PATH_MAX - 1);
        }
        *out = law;
        return HG_OK;
    }
    if (!hg_text_copy(copy, sizeof copy, text)) {
        return HG_ERR(HG_EUSAGE, "text too long");
    }
    char *piece[3];
    size_t n = pieces_of(copy, piece);
    if (strcmp(piece[0], "lognormal") == 0) {
        law.kind = HG_LAW_LOGNORMAL;
        rc = lognormal_parse(piece, n, &law);
    } else if (strcmp(piece[0], "uniform") == 0 || strcmp(piece[0], "exponential") == 0) {
        law.kind = piece[0][0] == 'u' ? HG_LAW_UNIFORM : HG_LAW_EXPONENTIAL;
        rc = two_parse(piece, n, &law);
    } else {
        rc = n == 1 ? duration_of(copy, &law.first_ns)
                    : HG_ERR(HG_EUSAGE,
                             "'%s': want lognormal:, uniform:, exponential: or file:", piece[0]);
    }
    if (rc == HG_OK) {
        *out = law;
    }
    return rc;
}

static const char *const leg_names[] = {"submit", "cancel", "amend", "ack",
                                        "data",   "orders", "all",   NULL};

/* First and last leg a name stands for. */
static int legs_of(const char *name, int *first, int *last) {
    for (int i = 0; leg_names[i]; i++) {
        if (strcmp(name, leg_names[i]) == 0) {
            *first = i < HG_LEGS ? i : HG_LEG_SUBMIT;
            *last = i < HG_LEGS ? i : i == HG_LEGS ? HG_LEG_ACK : HG_LEG_DATA;
            return HG_OK;
        }
    }
    int rc = HG_ERR(HG_EUSAGE,
                    "unknown leg '%s': want submit, cancel, amend, ack, data, orders "
                    "or all",
                    name);
    const char *near = hg_text_nearest(name, leg_names);
    if (near) {
        hg_error_hint("did you mean %s=?", near);
    }
    return rc;
}

static int part_parse(void *out, char *part) {
    hg_latency *latency = out;
    int first = HG_LEG_SUBMIT;
    int last = HG_LEG_ACK;
    char *equals = strchr(part, '=');
    const char *colon = strchr(part, ':');
    if (equals && (!colon || equals < colon)) {
        *equals = '\0';
        int rc = legs_of(part, &first, &last);
        if (rc < 0) {
            return rc;
        }
        part = equals + 1;
    }
    hg_law law;
    int rc = law_parse(part, &law);
    for (int leg = first; rc == HG_OK && leg <= last; leg++) {
        latency->leg[leg] = law;
    }
    return rc;
}

int hg_latency_parse(const char *text, hg_latency *out) {
    hg_assert(text && out);
    hg_latency parsed = {0};
    int rc = hg_text_parts(text, part_parse, &parsed);
    if (rc >= 0) {
        *out = parsed;
    }
    return rc;
}

/* --- recorded --------------------------------------------------------------------------------- */

typedef struct {
    int value_column, time_column; /* -1: none */
    int64_t unit_ns;               /* of the values */
} columns;

static int header_read(const char *path, char *line, columns *c) {
    static const struct {
        const char *name;
        int64_t unit_ns;
    } values[] = {
        {"latency_ns", 1           },
        {"latency_us", HG_NS_PER_US},
        {"latency_ms", HG_NS_PER_MS},
        {"latency_s",  HG_NS_PER_S }
    };
    *c = (columns){-1, -1, 0};
    int column = 0;
    for (char *name = line; name; column++) {
        char *tab = strchr(name, '\t');
        if (tab) {
            *tab++ = '\0';
        }
        if (strcmp(name, "time_s") == 0) {
            c->time_column = column;
        }
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            if (strcmp(name, values[i].name) == 0) {
                c->value_column = column;
                c->unit_ns = values[i].unit_ns;
            }
        }
        name = tab;
    }
    if (c->value_column < 0) {
        return HG_ERR(HG_EDATA,
                      "%s:1: want a header with a column latency_ns, latency_us, latency_ms or "
                      "latency_s, and perhaps time_s",
                      path);
    }
    return HG_OK;
}

/* A non-negative decimal of a column, times the unit. */
static bool field_read(const char *line, int column, int64_t unit_ns, int64_t *out) {
    for (; column > 0 && line; column--) {
        line = strchr(line, '\t');
        line = line ? line + 1 : NULL;
    }
    hg_nano value = 0;
    size_t len = line ? strcspn(line, "\t\r") : 0;
    return len > 0 && hg_nano_parse(line, len, &value) && value >= 0 &&
           hg_muldiv(value, unit_ns, HG_NANO, out);
}

static int row_read(hg_delay *s, const char *line, const columns *c, unsigned number) {
    const char *path = s->law.path;
    int64_t ns = 0;
    if (!field_read(line, c->value_column, c->unit_ns, &ns) || ns > HG_LATENCY_MAX_NS) {
        return HG_ERR(HG_EDATA, "%s:%u: want a latency of 0 to 60 s", path, number);
    }
    s->row_ns[s->rows] = ns;
    if (c->time_column >= 0) {
        int64_t *time_ns = &s->time_ns[s->rows];
        if (!field_read(line, c->time_column, HG_NS_PER_S, time_ns) ||
            (s->rows > 0 && *time_ns < time_ns[-1])) {
            return HG_ERR(HG_EDATA, "%s:%u: times must be seconds that never decrease", path,
                          number);
        }
    }
    s->rows++;
    return HG_OK;
}

static int rows_read(hg_delay *s, char *text) {
    columns c;
    char *next = strchr(text, '\n');
    if (next) {
        *next++ = '\0';
    }
    text[strcspn(text, "\r")] = '\0';
    int rc = header_read(s->law.path, text, &c);
    size_t lines = 1;
    for (const char *at = next; at && *at; at++) {
        lines += *at == '\n';
    }
    if (rc == HG_OK && lines > HG_LATENCY_ROWS_MAX) {
        rc = HG_ERR(HG_EDATA, "%s: more than %d rows", s->law.path, HG_LATENCY_ROWS_MAX);
    }
    if (rc < 0) {
        return rc;
    }
    s->row_ns = calloc(lines, sizeof *s->row_ns);
    s->time_ns = c.time_column >= 0 ? calloc(lines, sizeof *s->time_ns) : NULL;
    if (!s->row_ns || (c.time_column >= 0 && !s->time_ns)) {
        return HG_ERR(HG_ENOMEM, "%s", s->law.path);
    }
    unsigned number = 2;
    for (char *line = next; line && *line && rc == HG_OK; number++) {
        char *end = strchr(line, '\n');
        if (end) {
            *end++ = '\0';
        }
        if (line[0] != '\0' && line[0] != '#') {
            rc = row_read(s, line, &c, number);
        }
        line = end;
    }
    return rc == HG_OK && s->rows == 0 ? HG_ERR(HG_EDATA, "%s: no rows", s->law.path) : rc;
}

int hg_delay_open(hg_delay *s, const hg_law *law, uint64_t seed, hg_latency_leg leg) {
    hg_assert(s && law);
    *s = (hg_delay){.law = *law, .last_ns = INT64_MIN};
    hg_rng_init(&s->rng, seed, STREAM_BASE + (uint64_t)leg);
    if (law->kind != HG_LAW_RECORDED) {
        return HG_OK;
    }
    char *text = NULL;
    size_t size = 0;
    int rc = hg_file_read(law->path, FILE_MAX, &text, &size);
    if (rc == HG_OK) {
        rc = rows_read(s, text);
    }
    free(text);
    if (rc < 0) {
        hg_delay_close(s);
        return HG_ERR_CTX(rc, "latency file");
    }
    return HG_OK;
}

void hg_delay_close(hg_delay *s) {
    free(s->row_ns);
    free(s->time_ns);
    s->row_ns = NULL;
    s->time_ns = NULL;
}

/* --- drawing ---------------------------------------------------------------------------------- */

/* By time: the last row that is not later than now, the first one before all. Time rises from
 * question to question, so that the row is looked for from where it was. */
static int64_t recorded(hg_delay *s, int64_t now_ns) {
    if (!s->time_ns) {
        int64_t ns = s->row_ns[s->next];
        s->next = s->next + 1 < s->rows ? s->next + 1 : 0;
        return ns;
    }
    while (s->next + 1 < s->rows && s->time_ns[s->next + 1] <= now_ns) {
        s->next++;
    }
    return s->row_ns[s->next];
}

static double random_ns(hg_delay *s) {
    const hg_law *law = &s->law;
    double first = (double)law->first_ns;
    double second = (double)law->second_ns;
    switch (law->kind) {
    case HG_LAW_UNIFORM:
        return first + (second - first) * hg_rng_uniform(&s->rng);
    case HG_LAW_EXPONENTIAL:
        return fmax(first * hg_rng_exponential(&s->rng), second);
    case HG_LAW_LOGNORMAL:
        return first * exp(law->sigma * hg_rng_normal(&s->rng));
    default:
        return first;
    }
}

int64_t hg_delay_draw(hg_delay *s, int64_t now_ns) {
    if (s->law.kind == HG_LAW_CONSTANT) {
        return s->law.first_ns;
    }
    if (s->law.kind == HG_LAW_RECORDED) {
        return recorded(s, now_ns);
    }
    double ns = random_ns(s);
    return ns < (double)HG_LATENCY_MAX_NS ? (int64_t)ns : HG_LATENCY_MAX_NS;
}

int64_t hg_delay_arrival(hg_delay *s, int64_t now_ns) {
    int64_t due_ns = now_ns + hg_delay_draw(s, now_ns);
    s->last_ns = due_ns > s->last_ns ? due_ns : s->last_ns;
    return s->last_ns;
}
