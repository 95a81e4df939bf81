/* hedged import: recorded market data of other forms to a tape. */
#include "app/console.h"
#include "app/datafile.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "venue/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const hg_flag flags[] = {
    {"out",            "TAPE",      "the tape to write (also -o)"                                 },
    {"instruments",    "FILE",      "terms of instruments the built-in names do not cover"        },
    {"bridge",         "STEP|none", "deribit-chain: fill the time between sweeps (default 10m)"   },
    {"remark",         "HOW",       "deribit-chain: sticky-strike (default), sticky-delta or none"},
    {"seed",           "N",         "deribit-chain: seed of the bridge (default 1)"               },
    {"no-perpetual",   NULL,        "deribit-chain: leave the synthetic perpetuals out"           },
    {"perp-spread-bp", "BP",        "chain, ohlc: whole spread of perpetuals (default 1.0)"       },
    {"perp-size",      "USD",       "chain, ohlc: size on each side of them (default 1000000)"    },
    {"quote-size",     "COINS",     "chain, ohlc: size of option quotes (default 10)"             },
    {"instrument",     "NAME",      "ohlc: whose bars they are (default BTC-PERPETUAL)"           },
    {"book",           "FILE",      "ohlc: quote what this book holds as well"                    },
    {"step",           "STEP|none", "ohlc: between points of the path in a bar (default 5s)"      },
    {"path",           "WHICH",     "ohlc: order of extremes: short (default), long, low, high"   },
    {"iv",             "VOL|FILE",  "ohlc: vol of options, or a vol index file (default 0.8)"     },
    {"iv-spread",      "VOL",       "ohlc: whole spread of option quotes in vol (default 0.04)"   },
    {"funding",        "FILE",      "ohlc: recorded rates, ts_ms,rate[,venue,symbol]"             },
    {"funding-of",     "SERIES",    "ohlc: which of them: VENUE,SYMBOL"                           },
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

enum { KINDS_MAX = 16 };

/* A bridge finer than this would make a tape of gigabytes without telling anything new. */
#define BRIDGE_STEP_MIN_NS HG_NS_PER_S
#define STEP_MIN_NS (HG_NS_PER_S / 10)

static bool progress_shown;

static void progress(uint64_t done, uint64_t total) {
    if (total > 0) {
        fprintf(stderr, "\rimporting %3llu %%", (unsigned long long)(done * 100 / total));
        progress_shown = true;
    }
}

static void progress_clear(void) {
    if (progress_shown) {
        fprintf(stderr, "\r%20s\r", "");
    }
}

static int positive(const hg_args *args, const char *name, double max, double *value) {
    int rc = hg_args_double(args, name, value);
    if (rc == HG_OK && !(*value >= 0 && *value <= max)) {
        rc = HG_ERR(HG_EUSAGE, "--%s %s: want a number from 0 to %g", name,
                    hg_args_get(args, name, ""), max);
    }
    return rc;
}

static int bridge(const hg_args *args, int64_t *step_ns) {
    if (strcmp(hg_args_get(args, "bridge", ""), "none") == 0) {
        *step_ns = 0;
        return HG_OK;
    }
    int rc = hg_args_duration(args, "bridge", step_ns);
    if (rc == HG_OK && *step_ns < BRIDGE_STEP_MIN_NS) {
        rc = HG_ERR(HG_EUSAGE, "--bridge %s: the step must be 1s or more",
                    hg_args_get(args, "bridge", ""));
    }
    return rc;
}

/* A number, or the file that tells it. */
static int vol_read(const hg_args *args, hg_import_options *o) {
    const char *text = hg_args_get(args, "iv", NULL);
    char *end = NULL;
    double value = text ? strtod(text, &end) : o->iv;
    if (text && (end == text || *end != '\0')) {
        o->iv_file = text;
    } else if (!(value > 0 && value <= 10)) {
        return HG_ERR(HG_EUSAGE, "--iv %s: want a fraction above 0, such as 0.8, or a file", text);
    } else {
        o->iv = value;
    }
    return HG_OK;
}

static int bars_read(const hg_args *args, hg_import_options *o) {
    static const char *const paths[] = {"short", "long", "low", "high", NULL};
    size_t path = 0;
    int rc = HG_OK;
    if (strcmp(hg_args_get(args, "step", ""), "none") == 0) {
        o->step_ns = 0;
    } else {
        rc = hg_args_duration(args, "step", &o->step_ns);
        if (rc == HG_OK && o->step_ns < STEP_MIN_NS) {
            rc = HG_ERR(HG_EUSAGE, "--step %s: the step must be 100ms or more",
                        hg_args_get(args, "step", ""));
        }
    }
    if (rc == HG_OK) rc = hg_args_choice(args, "path", paths, &path);
    if (rc == HG_OK) rc = vol_read(args, o);
    if (rc == HG_OK) rc = positive(args, "iv-spread", 2, &o->iv_spread);
    o->path = (hg_import_path)path;
    o->instrument = hg_args_get(args, "instrument", o->instrument);
    o->funding = hg_args_get(args, "funding", NULL);
    o->funding_of = hg_args_get(args, "funding-of", NULL);
    return rc;
}

static int options_read(const hg_args *args, hg_import_options *o) {
    static const char *const remarks[] = {"sticky-strike", "sticky-delta", "none", NULL};
    hg_import_options_init(o);
    size_t remark = 0;
    int rc = bridge(args, &o->bridge_ns);
    if (rc == HG_OK) rc = hg_args_choice(args, "remark", remarks, &remark);
    if (rc == HG_OK) rc = hg_args_u64(args, "seed", &o->seed);
    if (rc == HG_OK) rc = positive(args, "perp-spread-bp", 1000, &o->perp_spread_bp);
    if (rc == HG_OK) rc = positive(args, "perp-size", 1e9, &o->perp_size_usd);
    if (rc == HG_OK) rc = positive(args, "quote-size", 1e6, &o->quote_size);
    if (rc == HG_OK) rc = bars_read(args, o);
    o->remark = (hg_import_remark)remark;
    o->perpetual = !hg_args_has(args, "no-perpetual");
    o->progress = isatty(STDERR_FILENO) ? progress : NULL;
    return rc;
}

static int kind_unknown(const char *name) {
    const char *names[KINDS_MAX + 1] = {NULL};
    char list[256] = "";
    for (size_t i = 0; i < KINDS_MAX && hg_import_kinds[i].name; i++) {
        names[i] = hg_import_kinds[i].name;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    int rc = HG_ERR(HG_EUSAGE, "unknown kind '%s'; known: %s", name, list);
    const char *near = hg_text_nearest(name, names);
    if (near) {
        hg_error_hint("did you mean %s?", near);
    }
    return rc;
}

// --- the result ---------------------------------------------------------------------------------

static void counts_json(hg_json *j, const hg_import_report *r) {
    hg_json_int(j, "lines", (int64_t)r->lines);
    hg_json_int(j, "used", (int64_t)r->used);
    hg_json_int(j, "skipped", (int64_t)r->skipped);
    hg_json_int(j, "rejected", (int64_t)r->rejected);
    hg_json_open(j, "reasons");
    for (int i = 0; i < HG_IMPORT_REASONS; i++) {
        if (r->reasons[i].count > 0) {
            hg_json_open(j, hg_import_reason_code((hg_import_reason)i));
            hg_json_int(j, "count", (int64_t)r->reasons[i].count);
            hg_json_int(j, "first_line", (int64_t)r->reasons[i].first_line);
            hg_json_close(j);
        }
    }
    hg_json_close(j);
    hg_json_int(j, "sweeps", (int64_t)r->sweeps);
    hg_json_int(j, "bridge_steps", (int64_t)r->bridge_steps);
    hg_json_int(j, "settled", (int64_t)r->settled);
    hg_json_int(j, "snapshots", (int64_t)r->snapshots);
    hg_json_int(j, "gaps", (int64_t)r->gaps);
    hg_json_int(j, "stale", (int64_t)r->stale);
    hg_json_int(j, "crossed", (int64_t)r->crossed);
    hg_json_int(j, "unfunded", (int64_t)r->unfunded);
}

static void print_json(const char *kind, const char *file, const char *out,
                       const hg_import_report *r, const hg_tape_info *info) {
    char buf[8192];
    char time[32];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_string(&j, "kind", kind);
    hg_json_string(&j, "file", file);
    hg_json_string(&j, "tape", out);
    counts_json(&j, r);
    hg_json_int(&j, "events", (int64_t)r->events);
    hg_json_open(&j, "kinds");
    for (int k = 0; k < HG_EV_KINDS; k++) {
        if (r->kinds[k] > 0) {
            hg_json_int(&j, hg_event_kind_name((hg_event_kind)k), (int64_t)r->kinds[k]);
        }
    }
    hg_json_close(&j);
    hg_json_int(&j, "instruments", info->instruments);
    hg_json_string(&j, "start", hg_time_format(r->start_ns, time, sizeof time));
    hg_json_string(&j, "end", hg_time_format(r->end_ns, time, sizeof time));
    hg_json_int(&j, "bytes", (int64_t)info->bytes);
    hg_json_close(&j);
    printf("%s\n", hg_json_text(&j));
}

static const char *count(uint64_t value, char buf[32]) {
    return hg_console_number((double)value, 0, buf, 32);
}

static void print_pair(const char *name, uint64_t value, const char *what) {
    char number[32];
    if (value > 0) {
        printf("  %-12s %s %s\n", name, count(value, number), what);
    }
}

static void print_human(const char *file, const char *out, const hg_import_report *r,
                        const hg_tape_info *info) {
    char n[3][32];
    char time[2][32];
    printf("%s -> %s\n", file, out);
    printf("  %-12s %s (%s instruments, %.1f MB)\n", "events", count(r->events, n[0]),
           count(info->instruments, n[1]), (double)info->bytes / 1e6);
    printf("  %-12s %s .. %s\n", "time", hg_time_format(r->start_ns, time[0], sizeof time[0]),
           hg_time_format(r->end_ns, time[1], sizeof time[1]));
    printf("  %-12s %s used, %s skipped, %s rejected\n", "rows", count(r->used, n[0]),
           count(r->skipped, n[1]), count(r->rejected, n[2]));
    for (int i = 0; i < HG_IMPORT_REASONS; i++) {
        if (r->reasons[i].count > 0) {
            printf("    %-18s %s, first in line %llu: %s\n",
                   hg_import_reason_code((hg_import_reason)i), count(r->reasons[i].count, n[0]),
                   (unsigned long long)r->reasons[i].first_line,
                   hg_import_reason_text((hg_import_reason)i));
        }
    }
    print_pair("sweeps", r->sweeps, "of the whole chain");
    print_pair("bridge", r->bridge_steps, "steps made up between sweeps");
    print_pair("delivered", r->settled, "instruments");
    print_pair("books", r->snapshots, "snapshots");
    print_pair("gaps", r->gaps, "updates missing");
    print_pair("stale", r->stale, "updates not applied");
    print_pair("crossed", r->crossed, "books crossed after an update");
    print_pair("unfunded", r->unfunded, "points without a recorded funding rate: none is charged");
}

// --- running ------------------------------------------------------------------------------------

static int import_to(const hg_import_kind *kind, hg_text_input *input, const char *out,
                     const hg_import_options *options, hg_universe *universe,
                     hg_import_report *report) {
    hg_tape_writer *writer = NULL;
    int rc = hg_tape_create(out, universe, kind->name, &writer);
    if (rc < 0) {
        return rc;
    }
    hg_import_tape tape;
    hg_import_tape_init(&tape, writer);
    rc = hg_import_run(kind, input, options, universe, &tape.sink, report);
    progress_clear();
    if (rc < 0) {
        hg_tape_abandon(writer);
        return rc;
    }
    return hg_tape_finish(writer);
}

static int import_file(const hg_import_kind *kind, const hg_args *args,
                       const hg_import_options *options, hg_universe *universe) {
    const char *file = args->words[1];
    const char *out = hg_args_get(args, "out", "");
    const char *instruments = hg_args_get(args, "instruments", NULL);
    int rc = instruments ? hg_instruments_load(instruments, universe) : HG_OK;
    hg_book book = {0};
    if (rc == HG_OK && hg_args_has(args, "book")) {
        rc = hg_book_load(hg_args_get(args, "book", ""), universe, &book);
    }
    hg_book_free(&book); /* its instruments are in the universe */
    hg_text_input *input = NULL;
    if (rc == HG_OK) rc = hg_text_input_open(file, &input);
    hg_import_report report;
    if (rc == HG_OK) rc = import_to(kind, input, out, options, universe, &report);
    hg_tape_info info;
    if (rc == HG_OK) rc = hg_tape_inspect(out, &info);
    hg_text_input_close(input);
    if (rc == HG_OK && hg_args_has(args, "json")) {
        print_json(kind->name, file, out, &report, &info);
    } else if (rc == HG_OK) {
        print_human(file, out, &report, &info);
    }
    return rc;
}

static int import(hg_args *args) {
    if (args->word_count != 2) {
        return hg_verb_usage(&hg_verb_import, "want a kind and a file");
    }
    if (!hg_args_has(args, "out")) {
        return hg_verb_usage(&hg_verb_import, "want -o TAPE, the tape to write");
    }
    const hg_import_kind *kind = hg_import_kind_find(args->words[0]);
    hg_import_options options;
    int rc = kind ? options_read(args, &options) : kind_unknown(args->words[0]);
    if (rc == HG_OK && strcmp(args->words[1], hg_args_get(args, "out", "")) == 0) {
        rc = HG_ERR(HG_EUSAGE, "-o %s is the input itself", args->words[1]);
    }
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    hg_universe *universe = hg_universe_new();
    rc = universe ? import_file(kind, args, &options, universe) : HG_ERR(HG_ENOMEM, "universe");
    hg_universe_free(universe);
    return rc < 0 ? hg_verb_fail(rc) : HG_EXIT_OK;
}

const hg_verb hg_verb_import = {
    .name = "import",
    .synopsis = "KIND FILE -o OUT.tape [--instruments FILE] [flags]",
    .summary = "recorded market data to a tape (kinds: deribit-chain, deribit-ws, binance-l2, "
               "quotes-csv, ohlc)",
    .example = "hedged import deribit-chain chain.csv.gz -o chain.tape --bridge 10m",
    .flags = flags,
    .run = import,
};
