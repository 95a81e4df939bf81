/* Sessions for tests: the same core, fed by hand. Everything goes through hg_core_apply, so what a
 * test proves holds for paper and backtest. */
#include "app/harness.h"

#include "app/core.h"
#include "app/deposits.h"
#include "app/events.h"
#include "app/paper_options.h"
#include "base/clock.h"
#include "base/text.h"
#include "script/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct hg_harness {
    hg_core core;
    hg_book book;
    hg_events events;
    hg_script_env env;
    char **lines;
    size_t line_count;
    hg_limit_extra limit_extra; /* what the limits of the core may point to */
};

static void keep_line(void *context, const char *line) {
    hg_harness *h = context;
    char **lines = realloc(h->lines, (h->line_count + 1) * sizeof *lines);
    if (!lines) {
        return;
    }
    h->lines = lines;
    h->lines[h->line_count] = strdup(line);
    h->line_count += h->lines[h->line_count] != NULL;
}

static void harness_close(hg_harness *h) {
    if (!h) {
        return;
    }
    hg_core_fini(&h->core);
    hg_book_free(&h->book);
    for (size_t i = 0; i < h->line_count; i++) {
        free(h->lines[i]);
    }
    free(h->lines);
    free(h);
}

static int names_add(hg_harness *h, const hg_harness_options *o) {
    int rc = HG_OK;
    for (size_t i = 0; i < o->instrument_count && rc == HG_OK; i++) {
        uint32_t id = 0;
        rc = hg_universe_add_name(h->core.universe, o->instruments[i], &id);
    }
    for (size_t i = 0; i < o->book_count && rc == HG_OK; i++) {
        hg_nano size = 0;
        hg_nano entry = 0;
        if (!hg_nano_from_double(o->book[i].size, &size) ||
            !hg_nano_from_double(o->book[i].entry, &entry)) {
            return HG_ERR(HG_ECONFIG, "book row %zu: size and entry must be finite", i + 1);
        }
        rc = hg_book_add(&h->book, h->core.universe, o->book[i].instrument, size, entry);
    }
    return rc;
}

/* As the flags of a session are read. */
static int venue_read(hg_paper_options *paper, const hg_harness_options *o) {
    static const hg_flag flags[] = {
        {.name = "fill",    .value = "MODEL"},
        {.name = "queue",                 .value = "MODEL"},
        {.name = "refill",.value = "LIFE"},
        {.name = "latency",  .value = "LAWS"},
        {.name = "rules",                 .value = "RULES"},
        {.name = "faults", .value = "FAULTS"},
        {.name = "fees",   .value = "FEES"},
        {0                }
    };
    hg_args args = {.flags = flags};
    for (size_t i = 0; i < o->venue_count; i++) {
        args.given[args.given_count].name = o->venue[i].flag;
        args.given[args.given_count++].value = o->venue[i].value;
    }
    return hg_paper_options_read(paper, o->seed, &args);
}

static int limits_read(hg_harness *h, hg_limits *limits, const hg_harness_options *o) {
    int rc = HG_OK;
    for (size_t i = 0; i < o->limit_count && rc == HG_OK; i++) {
        char path[160];
        const char *equals = strchr(o->limits[i], '=');
        size_t length = equals ? (size_t)(equals - o->limits[i]) : sizeof path;
        if (length >= sizeof path) {
            return HG_ERR(HG_ECONFIG, "limit %.40s: name too long", o->limits[i]);
        }
        memcpy(path, o->limits[i], length);
        path[length] = '\0';
        rc = hg_limits_set(limits, &h->limit_extra, path, equals + 1);
    }
    return rc;
}

static int margin_read(const hg_harness_options *o, hg_margin_model *margin) {
    for (int model = HG_MARGIN_NONE; o->margin && model <= HG_MARGIN_PORTFOLIO; model++) {
        if (strcmp(hg_margin_model_name((hg_margin_model)model), o->margin) == 0) {
            *margin = (hg_margin_model)model;
            return HG_OK;
        }
    }
    return o->margin
               ? HG_ERR(HG_ECONFIG, "margin = %s: want none, standard or portfolio", o->margin)
               : HG_OK;
}

static int script_open(hg_harness *h, const hg_harness_options *o) {
    h->env = (hg_script_env){.universe = h->core.universe,
                             .market = h->core.market,
                             .portfolio = h->core.portfolio,
                             .exec = h->core.exec,
                             .margin = h->core.margin,
                             .now_ns = &h->core.now_ns,
                             .ready = &h->core.ready,
                             .seed = o->seed,
                             .callback_budget_ns = HG_NS_PER_S / 4};
    if (!o->strategy && !o->text) {
        return HG_OK;
    }
    hg_script *script = NULL;
    int rc = o->text ? hg_script_open_text(&h->env, o->strategy ? o->strategy : "test", o->text, 0,
                                           o->set, o->set_count, &script)
                     : hg_script_open(&h->env, o->strategy, 0, o->set, o->set_count, &script);
    if (rc < 0) {
        return rc;
    }
    h->core.scripts[h->core.script_count++] = script;
    hg_exec_strategy(h->core.exec, 0, hg_script_name(script));
    return hg_script_start(script, "start");
}

static int harness_build(hg_harness *h, const hg_harness_options *o) {
    hg_core_options core = {
        .paper = {.fees = o->fees, .fill = HG_FILL_TOUCH, .seed = o->seed},
        .depth_books = o->instrument_count > 64 ? 64 : 8,
        .exec_observer = hg_events_exec_observer(&h->events),
        .portfolio_observer = hg_events_portfolio_observer(&h->events),
        .liquidation_observer = hg_events_liquidation_observer(&h->events)
    };
    hg_deposit deposits[HG_DEPOSITS_MAX];
    int64_t start_ns = 0;
    hg_limits_default(&core.limits);
    if (!hg_nano_from_double(o->start_s, &start_ns) || start_ns < 0) {
        return HG_ERR(HG_ECONFIG, "start must be Unix seconds");
    }
    h->core.universe = hg_universe_new();
    int rc = h->core.universe ? names_add(h, o) : HG_ERR(HG_ENOMEM, "universe");
    if (rc == HG_OK) {
        rc = venue_read(&core.paper, o);
    }
    if (rc == HG_OK) {
        rc = limits_read(h, &core.limits, o);
    }
    if (rc == HG_OK) {
        rc = margin_read(o, &core.margin);
    }
    if (rc == HG_OK) {
        rc = hg_deposits_parse(h->core.universe, o->cash, deposits, &core.deposit_count);
        core.deposits = deposits;
    }
    if (rc == HG_OK) {
        rc = hg_core_open(&h->core, &core, &h->book, start_ns);
    }
    return rc == HG_OK ? script_open(h, o) : rc;
}

static int harness_open(const hg_harness_options *options, hg_harness **out) {
    hg_harness *h = calloc(1, sizeof *h);
    if (!h) {
        return HG_ERR(HG_ENOMEM, "test session");
    }
    h->events = (hg_events){.core = &h->core, .listener = keep_line, .context = h};
    int rc = harness_build(h, options);
    if (rc < 0) {
        harness_close(h);
        return rc;
    }
    *out = h;
    return HG_OK;
}

static int harness_apply(hg_harness *h, const hg_event *event) {
    if (event->time_ns < h->core.now_ns) {
        return HG_ERR(HG_EINVALID, "event time goes backwards");
    }
    hg_core_settle(&h->core, event->time_ns);
    hg_core_feed(&h->core, event);
    hg_core_idle(&h->core);
    return HG_OK;
}

static int harness_advance(hg_harness *h, int64_t to_ns) {
    if (to_ns < h->core.now_ns) {
        return HG_ERR(HG_EINVALID, "time goes backwards");
    }
    hg_core_settle(&h->core, to_ns);
    hg_event event = {.kind = HG_EV_TIMER, .time_ns = to_ns};
    hg_core_apply(&h->core, &event);
    return HG_OK;
}

static const hg_script_env *harness_env(const hg_harness *h) {
    return &h->env;
}

static hg_script *harness_script(const hg_harness *h) {
    return h->core.script_count > 0 ? h->core.scripts[0] : NULL;
}

static const char *harness_line(const hg_harness *h, size_t k) {
    return k < h->line_count ? h->lines[k] : NULL;
}

static const hg_harness_ops ops = {harness_open, harness_close,  harness_apply, harness_advance,
                                   harness_env,  harness_script, harness_line};

void hg_harness_register(void) {
    hg_harness_provider = &ops;
}
