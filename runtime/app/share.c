/* Dividing the book among the strategies of a session: who has what is decided once, at the start,
 * row by row; each share becomes a portfolio of its own beside the whole one. */
#include "app/share.h"

#include "base/log.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1, NAME_MAX_LENGTH = 64 };

/* "core:file.lua": a name is a word of letters, digits and "_" before the first colon. */
static size_t alias_length(const char *given) {
    size_t n = 0;
    while (isalnum((unsigned char)given[n]) || given[n] == '_') {
        n++;
    }
    return given[n] == ':' ? n : 0;
}

const char *hg_strategy_path(const char *given) {
    size_t alias = alias_length(given);
    return alias ? given + alias + 1 : given;
}

void hg_strategy_name(const char *given, char *name, size_t size) {
    size_t alias = alias_length(given);
    if (alias) {
        snprintf(name, size, "%.*s", (int)alias, given);
        return;
    }
    const char *slash = strrchr(given, '/');
    hg_text_copy(name, size, slash ? slash + 1 : given);
    char *dot = strrchr(name, '.');
    if (dot && dot != name) {
        *dot = '\0';
    }
}

const char *hg_set_for(const char *assignment, const char *strategy) {
    size_t key = strcspn(assignment, "=");
    const char *dot = memchr(assignment, '.', key);
    if (!dot) {
        return assignment;
    }
    size_t name = (size_t)(dot - assignment);
    bool mine = strlen(strategy) == name && strncmp(assignment, strategy, name) == 0;
    return mine ? dot + 1 : NULL;
}

/* ---- who is meant ---------------------------------------------------------------------------- */
typedef struct {
    hg_session *session;
    char names[HG_SCRIPTS_MAX][NAME_MAX_LENGTH];
    const char *known[HG_SCRIPTS_MAX + 1];
    int *owner;  /* of each row of the book, or NOBODY */
    int rest_of; /* the strategy that takes what is left, or NOBODY */
} division;

static int strategy_find(const division *d, const char *text, size_t length, size_t *index) {
    for (size_t i = 0; i < d->session->options.strategy_count; i++) {
        if (strlen(d->names[i]) == length && strncmp(d->names[i], text, length) == 0) {
            *index = i;
            return HG_OK;
        }
    }
    char name[NAME_MAX_LENGTH];
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    int rc = HG_ERR(HG_EUSAGE, "--share %s: no strategy has that name", text);
    const char *near = hg_text_nearest(name, d->known);
    hg_error_hint("the strategies are named by their files or NAME:FILE; did you mean %s?",
                  near ? near : d->names[0]);
    return rc;
}

static int names_read(division *d) {
    const hg_session_options *o = &d->session->options;
    for (size_t i = 0; i < o->strategy_count; i++) {
        hg_strategy_name(o->strategies[i], d->names[i], sizeof d->names[i]);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(d->names[i], d->names[k]) == 0) {
                int rc = HG_ERR(HG_EUSAGE, "two strategies are named %s", d->names[i]);
                hg_error_hint("name one of them: other:%s", hg_strategy_path(o->strategies[i]));
                return rc;
            }
        }
        d->known[i] = d->names[i];
    }
    return HG_OK;
}

/* ---- what is claimed ------------------------------------------------------------------------- */
static bool is_meant(const division *d, const hg_book_row *row, const char *item) {
    const hg_universe *u = d->session->core.universe;
    const hg_instrument *inst = hg_universe_get(u, row->instrument);
    if (strncmp(item, "label:", 6) == 0) {
        return strcmp(row->label, item + 6) == 0;
    }
    return strcmp(inst->name, item) == 0 ||
           strcmp(hg_universe_underlying(u, inst->underlying_id)->name, item) == 0;
}

static int row_claim(division *d, size_t row, size_t strategy) {
    int owner = d->owner[row];
    if (owner != NOBODY && owner != (int)strategy) {
        const hg_book_row *r = &d->session->book.rows[row];
        return HG_ERR(HG_EUSAGE, "%s is claimed by %s and by %s",
                      hg_universe_get(d->session->core.universe, r->instrument)->name,
                      d->names[owner], d->names[strategy]);
    }
    d->owner[row] = (int)strategy;
    return HG_OK;
}

/* An underlying that is traded but not held yet is a share too. */
static bool is_underlying(const division *d, const char *item) {
    return hg_universe_find_underlying(d->session->core.universe, item) != HG_ID_NONE;
}

static int item_claim(division *d, size_t strategy, const char *item) {
    const hg_book *book = &d->session->book;
    if (strcmp(item, "rest") == 0) {
        if (d->rest_of != NOBODY && d->rest_of != (int)strategy) {
            return HG_ERR(HG_EUSAGE, "the rest is claimed by %s and by %s", d->names[d->rest_of],
                          d->names[strategy]);
        }
        d->rest_of = (int)strategy;
        return HG_OK;
    }
    int rc = HG_OK;
    bool any = is_underlying(d, item);
    for (size_t i = 0; i < book->count && rc == HG_OK; i++) {
        if (is_meant(d, &book->rows[i], item)) {
            any = true;
            rc = row_claim(d, i, strategy);
        }
    }
    if (rc == HG_OK && !any) {
        rc = HG_ERR(HG_EUSAGE, "--share %s=%s: the book has nothing of that", d->names[strategy],
                    item);
        hg_error_hint("a share is an underlying, label:NAME, a position, rest or all");
    }
    return rc;
}

static int items_claim(division *d, size_t strategy, const char *list) {
    while (*list) {
        size_t length = strcspn(list, ",");
        char item[96];
        snprintf(item, sizeof item, "%.*s", (int)length, list);
        int rc = item_claim(d, strategy, item);
        if (rc < 0) {
            return rc;
        }
        list += length + (list[length] == ',');
    }
    return HG_OK;
}

const char *hg_share_text(const hg_session_options *o, size_t i) {
    if (o->share_count == 0 || i >= o->strategy_count) {
        return NULL;
    }
    char name[NAME_MAX_LENGTH];
    hg_strategy_name(o->strategies[i], name, sizeof name);
    for (size_t k = 0; k < o->share_count; k++) {
        size_t length = strcspn(o->share[k], "=");
        if (strlen(name) == length && strncmp(o->share[k], name, length) == 0) {
            return o->share[k] + length + 1;
        }
    }
    return NULL;
}

static int claims_read(division *d) {
    const hg_session_options *o = &d->session->options;
    for (size_t k = 0; k < o->share_count; k++) {
        size_t strategy = 0;
        const char *equals = strchr(o->share[k], '=');
        int rc = strategy_find(d, o->share[k], (size_t)(equals - o->share[k]), &strategy);
        if (rc == HG_OK && strcmp(equals + 1, "all") != 0) {
            rc = items_claim(d, strategy, equals + 1);
        }
        if (rc < 0) {
            return rc;
        }
    }
    for (size_t i = 0; i < o->strategy_count; i++) {
        if (!hg_share_text(o, i)) {
            int rc = HG_ERR(HG_EUSAGE, "%s has no share of the book, others have", d->names[i]);
            hg_error_hint("two strategies must not hedge one position: --share %s=rest, or =all to "
                          "let it see everything",
                          d->names[i]);
            return rc;
        }
    }
    return HG_OK;
}

/* ---- the portfolios -------------------------------------------------------------------------- */
static int share_open(division *d, size_t strategy) {
    hg_session *s = d->session;
    hg_core *core = &s->core;
    hg_portfolio *share = NULL;
    int rc = hg_core_share(core, (uint16_t)strategy, &share);
    for (size_t i = 0; i < s->book.count && rc == HG_OK; i++) {
        const hg_book_row *row = &s->book.rows[i];
        if (d->owner[i] == (int)strategy) {
            rc = hg_portfolio_open(share, row->instrument, row->lots, row->entry);
        }
    }
    return rc;
}

static void rest_give(division *d) {
    size_t left = 0;
    const char *first = "";
    for (size_t i = 0; i < d->session->book.count; i++) {
        if (d->owner[i] != NOBODY) {
            continue;
        }
        d->owner[i] = d->rest_of;
        const hg_book_row *row = &d->session->book.rows[i];
        first = left ? first : hg_universe_get(d->session->core.universe, row->instrument)->name;
        left += d->rest_of == NOBODY;
    }
    if (left > 0) {
        hg_log(HG_LOG_WARN, "%zu positions belong to no strategy, %s first; --share NAME=rest",
               left, first);
    }
}

static int divide(division *d) {
    const hg_session_options *o = &d->session->options;
    int rc = names_read(d);
    if (rc == HG_OK) {
        rc = claims_read(d);
    }
    if (rc < 0) {
        return rc;
    }
    rest_give(d);
    for (size_t i = 0; i < o->strategy_count && rc == HG_OK; i++) {
        d->session->core.share_text[i] = hg_share_text(o, i);
        if (strcmp(hg_share_text(o, i), "all") != 0) {
            rc = share_open(d, i);
        }
    }
    return rc;
}

int hg_shares_open(hg_session *s) {
    if (s->options.share_count == 0) {
        return HG_OK;
    }
    division d = {.session = s, .rest_of = NOBODY};
    d.owner = malloc((s->book.count + 1) * sizeof *d.owner);
    if (!d.owner) {
        return HG_ERR(HG_ENOMEM, "shares of %zu positions", s->book.count);
    }
    for (size_t i = 0; i < s->book.count; i++) {
        d.owner[i] = NOBODY;
    }
    int rc = divide(&d);
    free(d.owner);
    return rc;
}
