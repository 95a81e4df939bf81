/* From flags and a configuration file to the options of a session. */
#include "app/session.h"

#include "app/paper_options.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int speed_parse(const char *text, double *speed) {
    char *end = NULL;
    if (strcmp(text, "max") == 0) {
        *speed = 0;
        return HG_OK;
    }
    double value = strtod(text, &end);
    bool suffix = end != text && (*end == '\0' || strcmp(end, "x") == 0);
    if (!suffix || !isfinite(value) || value <= 0) {
        return HG_ERR(HG_EUSAGE, "--speed %s: want 1x, 10x, 0.5x or max", text);
    }
    *speed = value;
    return HG_OK;
}

static int set_add(hg_session_options *o, const char *text) {
    if (!strchr(text, '=') || text[0] == '=') {
        return HG_ERR(HG_EUSAGE, "--set %s: want NAME=VALUE", text);
    }
    if (o->set_count == HG_SETS_MAX) {
        return HG_ERR(HG_EUSAGE, "more than %d --set parameters", HG_SETS_MAX);
    }
    o->set[o->set_count++] = text;
    return HG_OK;
}

static int share_add(hg_session_options *o, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1]) {
        int rc = HG_ERR(HG_EUSAGE, "--share %s: want STRATEGY=WHAT", text);
        hg_error_hint("--share delta_band=BTC --share wings=label:wings,rest");
        return rc;
    }
    for (size_t i = 0; i < o->share_count; i++) {
        if (strncmp(o->share[i], text, (size_t)(equals - text) + 1) == 0) {
            int rc = HG_ERR(HG_EUSAGE, "--share %s: it has one already, %s", text, o->share[i]);
            hg_error_hint("join the parts with commas");
            return rc;
        }
    }
    if (o->share_count == HG_SCRIPTS_MAX) {
        return HG_ERR(HG_EUSAGE, "more than %d shares", HG_SCRIPTS_MAX);
    }
    o->share[o->share_count++] = text;
    return HG_OK;
}

/* Texts of configuration files: they live as long as the process, in a pool of fixed size. */
static char *config_keep(const char *prefix, const char *text) {
    static char pool[32768];
    static size_t used;
    size_t size = strlen(prefix) + strlen(text) + 1;
    if (size > sizeof pool - used) {
        return NULL;
    }
    char *kept = pool + used;
    snprintf(kept, size, "%s%s", prefix, text);
    used += size;
    return kept;
}

/* What a configuration file says, applied under the flags: a flag given by hand wins. */
typedef struct {
    hg_session_options *options;
    hg_args *args;
} config_read;

static int config_unknown(const hg_flag *flags, const char *key) {
    const char *names[HG_ARGS_MAX + 3];
    size_t n = 0;
    for (; flags->name && n < HG_ARGS_MAX; flags++) {
        names[n++] = flags->name;
    }
    names[n++] = "limits";
    names[n++] = "cash";
    names[n] = NULL;
    int rc = HG_ERR(HG_ECONFIG, "unknown key '%s'", key);
    const char *near = hg_text_nearest(key, names);
    if (near) {
        hg_error_hint("did you mean '%s'?", near);
    }
    return rc;
}

/* Keys of a Lua table are easier with "_" than with "-". */
static bool is_same_key(const char *flag, const char *key) {
    while (*flag && (*flag == *key || (*flag == '-' && *key == '_'))) {
        flag++;
        key++;
    }
    return *flag == *key;
}

static int config_flag(config_read *read, const char *key, const char *value) {
    for (const hg_flag *flag = read->args->flags; flag->name; flag++) {
        if (!is_same_key(flag->name, key) || strcmp(key, "config") == 0) {
            continue;
        }
        hg_args *args = read->args;
        if (hg_args_has(args, flag->name) || (!flag->value && strcmp(value, "true") != 0)) {
            return HG_OK;
        }
        if (args->given_count == HG_ARGS_MAX) {
            return HG_ERR(HG_ECONFIG, "too many keys");
        }
        char *kept = config_keep("", value);
        if (!kept) {
            return HG_ERR(HG_ECONFIG, "the configuration is too long");
        }
        args->given[args->given_count].name = flag->name;
        args->given[args->given_count++].value = kept;
        return HG_OK;
    }
    return config_unknown(read->args->flags, key);
}

/* cash = { BTC = 5, USDC = 1000 }: the same text as --cash takes, which wins. */
static int cash_add(hg_session_options *o, const char *currency, const char *amount) {
    char text[512];
    int size = snprintf(text, sizeof text, "%s%s%s=%s", o->cash ? o->cash : "", o->cash ? "," : "",
                        currency, amount);
    char *kept = size > 0 && (size_t)size < sizeof text ? config_keep("", text) : NULL;
    if (!kept) {
        return HG_ERR(HG_ECONFIG, "the configuration is too long");
    }
    o->cash = kept;
    return HG_OK;
}

static int config_assign(config_read *read, const char *name, const char *value,
                         int (*add)(hg_session_options *, const char *)) {
    char prefix[96];
    snprintf(prefix, sizeof prefix, "%s=", name);
    char *text = config_keep(prefix, value);
    return text ? add(read->options, text) : HG_ERR(HG_ECONFIG, "the configuration is too long");
}

static int config_row(void *context, int row, const hg_row_field *fields, size_t count) {
    config_read *read = context;
    int rc = row == 1 ? HG_OK : HG_ERR(HG_ECONFIG, "a configuration is one table");
    for (size_t i = 0; i < count && rc == HG_OK; i++) {
        const char *key = fields[i].key;
        const char *value = fields[i].value;
        if (strncmp(key, "limits.", 7) == 0) {
            rc = hg_limits_set(&read->options->limits, &read->options->limit_extra, key + 7, value);
        } else if (strncmp(key, "cash.", 5) == 0) {
            rc = cash_add(read->options, key + 5, value);
        } else if (strncmp(key, "set.", 4) == 0) {
            rc = config_assign(read, key + 4, value, set_add);
        } else if (strncmp(key, "share.", 6) == 0) {
            rc = config_assign(read, key + 6, value, share_add);
        } else {
            rc = config_flag(read, key, value);
        }
    }
    return rc;
}

static int config_load(hg_session_options *o, hg_args *args) {
    const char *path = hg_args_get(args, "config", NULL);
    if (!path) {
        return HG_OK;
    }
    config_read read = {o, args};
    int rc = hg_rows_load(path, config_row, &read);
    return rc < 0 ? HG_ECONFIG : HG_OK;
}

static void defaults(hg_session_options *o, hg_mode mode) {
    *o = (hg_session_options){.mode = mode, .feed = "sim", .scenario = "calm", .seed = 1};
    o->step_ns = HG_NS_PER_HOUR;
    o->speed = mode == HG_MODE_BACKTEST ? 0 : 1;
    o->paper.fill = HG_FILL_QUEUE;
    o->paper.fees = true;
    /* A backtest with errors proves nothing; in real time a strategy may stumble. */
    o->errors_max = mode == HG_MODE_BACKTEST ? 0 : 10;
    o->errors_window_ns = 60 * HG_NS_PER_S;
    o->reload = mode != HG_MODE_BACKTEST;
    if (mode == HG_MODE_DEMO) {
        o->scenario = "crash";
        o->strategies[0] = "strategies/delta_band.lua";
        o->strategy_count = 1;
        o->book = "examples/books/short_strangle.lua";
        o->seed = 42;
        o->step_ns = 10 * 60 * HG_NS_PER_S;
    }
}

static int reload_read(hg_session_options *o, const hg_args *args) {
    static const char *const switches[] = {"off", "on", NULL};
    size_t on = o->reload;
    int rc = hg_args_choice(args, "reload", switches, &on);
    o->reload = on == 1 && o->mode != HG_MODE_BACKTEST;
    return rc;
}

static int park_read(hg_session_options *o, const hg_args *args) {
    static const char *const parks[] = {"cancel", "keep", "band", NULL};
    size_t park = o->on_park;
    int rc = hg_args_choice(args, "on-park", parks, &park);
    o->on_park = (hg_park_policy)park;
    return rc;
}

static int margin_read(hg_session_options *o, const hg_args *args) {
    static const char *const margins[] = {"none", "standard", "portfolio", NULL};
    size_t margin = o->margin;
    int rc = hg_args_choice(args, "margin", margins, &margin);
    o->margin = (hg_margin_model)margin;
    return rc;
}

static int numbers_read(hg_session_options *o, const hg_args *args) {
    int rc = hg_args_u64(args, "seed", &o->seed);
    if (rc == HG_OK) {
        rc = hg_args_duration(args, "for", &o->for_ns);
    }
    if (rc == HG_OK) {
        rc = hg_args_duration(args, "step", &o->step_ns);
    }
    if (rc == HG_OK) {
        rc = hg_args_duration(args, "probation", &o->probation_ns);
    }
    const char *speed = hg_args_get(args, "speed", NULL);
    return rc == HG_OK && speed ? speed_parse(speed, &o->speed) : rc;
}

/* "10/60s" */
static int errors_read(hg_session_options *o, const hg_args *args) {
    const char *text = hg_args_get(args, "errors", NULL);
    if (!text) {
        return HG_OK;
    }
    char *end = NULL;
    unsigned long max = strtoul(text, &end, 10);
    bool number = end != text && text[0] != '-' && max <= HG_ERRORS_MAX;
    bool window = *end == '\0' || (*end == '/' && hg_duration_parse(end + 1, &o->errors_window_ns));
    if (!number || !window) {
        int rc = HG_ERR(HG_EUSAGE, "--errors %s: want N or N/DURATION, N at most %d", text,
                        HG_ERRORS_MAX);
        hg_error_hint("--errors 10/60s; --errors 0 parks at the first error");
        return rc;
    }
    o->errors_max = (uint32_t)max;
    return HG_OK;
}

static int sets_read(hg_session_options *o, const hg_args *args) {
    const char *text = NULL;
    for (size_t k = 0; (text = hg_args_get_nth(args, "set", k)) != NULL; k++) {
        int rc = set_add(o, text);
        if (rc < 0) {
            return rc;
        }
    }
    for (size_t k = 0; (text = hg_args_get_nth(args, "share", k)) != NULL; k++) {
        int rc = share_add(o, text);
        if (rc < 0) {
            return rc;
        }
    }
    return HG_OK;
}

int hg_session_options_read(hg_session_options *o, hg_mode mode, const hg_args *given) {
    hg_args args = *given;
    defaults(o, mode);
    if (mode == HG_MODE_DEMO && args.word_count == 0) {
        o->set[o->set_count++] = "min_trade=0.05"; /* fewer, larger hedges read better */
    }
    int rc = config_load(o, &args);
    if (rc == HG_OK) {
        rc = numbers_read(o, &args);
    }
    if (rc == HG_OK) {
        rc = hg_paper_options_read(&o->paper, o->seed, &args);
    }
    if (rc == HG_OK) {
        rc = park_read(o, &args);
    }
    if (rc == HG_OK) {
        rc = reload_read(o, &args);
    }
    if (rc == HG_OK) {
        rc = margin_read(o, &args);
    }
    if (rc == HG_OK) {
        rc = errors_read(o, &args);
    }
    if (rc == HG_OK) {
        rc = sets_read(o, &args);
    }
    if (args.word_count > HG_SCRIPTS_MAX) {
        rc = HG_ERR(HG_EUSAGE, "more than %d strategies", HG_SCRIPTS_MAX);
    }
    if (rc < 0) {
        return rc;
    }
    o->feed = hg_args_get(&args, "feed", o->feed);
    o->book = hg_args_get(&args, "book", o->book);
    o->scenario = hg_args_get(&args, "scenario", o->scenario);
    o->events = hg_args_get(&args, "events", o->events);
    o->control = hg_args_get(&args, "control", o->control);
    o->kill_file = hg_args_get(&args, "kill-file", mode == HG_MODE_BACKTEST ? NULL : "KILL");
    o->kill_keep = hg_args_has(&args, "kill-file");
    if (o->kill_file && strcmp(o->kill_file, "none") == 0) {
        o->kill_file = NULL;
    }
    o->name = hg_args_get(&args, "name", o->name);
    o->instruments = hg_args_get(&args, "instruments", o->instruments);
    o->cash = hg_args_get(&args, "cash", o->cash);
    o->json = hg_args_has(&args, "json");
    for (size_t i = 0; i < args.word_count; i++) {
        o->strategies[i] = args.words[i];
    }
    if (args.word_count > 0) {
        o->strategy_count = args.word_count;
    }
    return HG_OK;
}
