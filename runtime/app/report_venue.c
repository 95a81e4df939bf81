/* What the paper venue did to us. */
#include "app/report_venue.h"

#include <stdio.h>

#define COUNTS_MAX 20

typedef struct {
    const char *key, *text;
    uint64_t count;
} counted;

static size_t counts_of(const hg_core *core, counted out[COUNTS_MAX]) {
    const hg_paper_stats *s = hg_paper_stats_get(core->venue);
    const counted all[] = {
        {"requests",       "requests matched",                     s->requests       },
        {"maker_fills",    "fills as maker",                       s->maker_fills    },
        {"taker_fills",    "fills as taker",                       s->taker_fills    },
        {"delayed",        "takers delayed",                       s->delayed        },
        {"slid",           "post-only orders moved",               s->slid           },
        {"banded",         "limits moved to the band",             s->banded         },
        {"banded_by_mark", "bands taken from the mark",            s->banded_by_mark },
        {"self_trades",    "self-trades prevented",                s->self_trades    },
        {"reduced",        "reduce-only orders cut",               s->reduced        },
        {"rejects",        "requests rejected",                    s->rejects        },
        {"rejects_down",   "  while the venue stood still",        s->rejects_down   },
        {"rejects_busy",   "  because it was busy",                s->rejects_busy   },
        {"rejects_rate",   "  above the rate limit",               s->rejects_rate   },
        {"windows",        "outages met",                          s->windows        },
        {"vanished",       "requests that never arrived",          s->vanished       },
        {"answers_late",   "answers withheld or lost, told later", s->answers_late   },
        {"answers_twice",  "answers told twice",                   s->answers_twice  },
        {"data_hurried",   "market data let in early",             core->late.hurried},
    };
    _Static_assert(sizeof all / sizeof *all <= COUNTS_MAX, "room for every count");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        out[i] = all[i];
    }
    return sizeof all / sizeof *all;
}

static void emulated_json(const hg_core *core, hg_json *j) {
    const hg_exec_stats *s = hg_exec_stats_get(core->exec);
    if (s->emulated == 0) {
        return;
    }
    hg_json_open(j, "emulated");
    hg_json_int(j, "orders", (int64_t)s->emulated);
    for (int what = 0; what < HG_EMULATIONS; what++) {
        hg_json_int(j, hg_emulation_name((hg_emulation)what), (int64_t)s->emulated_by[what]);
    }
    hg_json_close(j);
}

/* "emulated   3 orders: 2 trigger, 1 bracket" */
static void emulated_text(const hg_core *core) {
    const hg_exec_stats *s = hg_exec_stats_get(core->exec);
    if (s->emulated == 0) {
        return;
    }
    printf("  %-22s %llu orders", "emulated here", (unsigned long long)s->emulated);
    const char *before = ":";
    for (int what = 0; what < HG_EMULATIONS; what++) {
        if (s->emulated_by[what] > 0) {
            printf("%s %llu %s", before, (unsigned long long)s->emulated_by[what],
                   hg_emulation_name((hg_emulation)what));
            before = ",";
        }
    }
    printf("\n");
}

/* Instruments in which orders rested and of which the feed did not tell everything. */
static uint32_t unproven_next(const hg_core *core, uint32_t what, uint32_t from) {
    uint32_t count = hg_universe_count(core->universe);
    while (from < count && !(hg_paper_unproven(core->venue, from) & what)) {
        from++;
    }
    return from;
}

static const struct {
    uint32_t what;
    const char *key, *text;
} unproven[] = {
    {HG_PAPER_NO_TRADES, "resting_without_trades", "no public trades"},
    {HG_PAPER_NO_DEPTH,  "resting_without_depth",  "no depth"        },
};

/* The first instrument and how many there are; 0: none. */
static uint32_t unproven_count(const hg_core *core, uint32_t what, const char **first) {
    uint32_t count = hg_universe_count(core->universe);
    uint32_t names = 0;
    for (uint32_t id = unproven_next(core, what, 0); id < count;
         id = unproven_next(core, what, id + 1)) {
        *first = names++ == 0 ? hg_universe_get(core->universe, id)->name : *first;
    }
    return names;
}

static void unproven_json(const hg_core *core, hg_json *j) {
    for (size_t i = 0; i < sizeof unproven / sizeof *unproven; i++) {
        const char *first = NULL;
        uint32_t names = unproven_count(core, unproven[i].what, &first);
        if (names > 0) {
            hg_json_open(j, unproven[i].key);
            hg_json_int(j, "instruments", names);
            hg_json_string(j, "first", first);
            hg_json_close(j);
        }
    }
}

/* "resting orders   no public trades of X in the feed: filled only by what it proves" */
static void unproven_text(const hg_core *core) {
    for (size_t i = 0; i < sizeof unproven / sizeof *unproven; i++) {
        const char *first = NULL;
        uint32_t names = unproven_count(core, unproven[i].what, &first);
        if (names > 0) {
            printf("  %-22s %s of %s", "resting orders", unproven[i].text, first);
            if (names > 1) {
                printf(" and %u more", names - 1);
            }
            printf(" in the feed: filled only by what it proves\n");
        }
    }
}

void hg_report_venue_json(const hg_core *core, hg_json *j) {
    counted counts[COUNTS_MAX];
    emulated_json(core, j);
    unproven_json(core, j);
    if (!core->scenario) {
        return;
    }
    size_t n = counts_of(core, counts);
    hg_json_open(j, "venue");
    for (size_t i = 0; i < n; i++) {
        hg_json_int(j, counts[i].key, (int64_t)counts[i].count);
    }
    hg_json_close(j);
}

void hg_report_venue_text(const hg_core *core) {
    counted counts[COUNTS_MAX];
    emulated_text(core);
    unproven_text(core);
    if (!core->scenario) {
        return;
    }
    size_t n = counts_of(core, counts);
    printf("  venue\n");
    for (size_t i = 0; i < n; i++) {
        if (counts[i].count > 0) {
            printf("    %-36s %12llu\n", counts[i].text, (unsigned long long)counts[i].count);
        }
    }
}
