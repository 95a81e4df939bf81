/* Sessions: which feed, which clock, which venue. Everything that happens is pumped into the core
 * in one time order: answers, timers, observations of the report, then the feed. */
#include "app/session_int.h"

#include "app/console.h"
#include "app/control.h"
#include "app/deposits.h"
#include "app/share.h"
#include "base/clock.h"
#include "base/text.h"
#include "venue/sim.h"
#include "venue/tape.h"

#include <stdlib.h>
#include <string.h>

static int feed_open(hg_session *s) {
    const hg_session_options *o = &s->options;
    if (strcmp(o->feed, "sim") == 0) {
        hg_sim_options sim = {.seed = o->seed, .scenario = o->scenario};
        return hg_sim_open(&sim, s->core.universe, &s->feed);
    }
    if (strncmp(o->feed, "tape:", 5) == 0) {
        return hg_tape_open(o->feed + 5, s->core.universe, &s->feed);
    }
    int rc = HG_ERR(HG_EUSAGE, "unknown feed '%s'", o->feed);
    hg_error_hint("feeds are sim and tape:FILE");
    return rc;
}

static int book_open(hg_session *s) {
    if (!s->options.book) {
        return HG_OK;
    }
    uint32_t before = hg_universe_count(s->core.universe);
    int rc = hg_book_load(s->options.book, s->core.universe, &s->book);
    if (rc < 0) {
        return HG_ERR_CTX(rc, "book");
    }
    for (size_t i = 0; i < s->book.count; i++) {
        const hg_instrument *inst = hg_universe_get(s->core.universe, s->book.rows[i].instrument);
        if (inst->expiry_ns > 0 && inst->expiry_ns <= s->feed->start_ns) {
            return HG_ERR(HG_ECONFIG, "book %s: %s has expired before the feed begins",
                          s->options.book, inst->name);
        }
        if (inst->id >= before) {
            hg_log(HG_LOG_WARN, "book %s: %s is not in the feed; its exposure rests on neighbours",
                   s->options.book, inst->name);
        }
    }
    return HG_OK;
}

static hg_core_options core_options(hg_session *s) {
    return (hg_core_options){.paper = s->options.paper,
                             .limits = s->options.limits,
                             .depth_books = s->feed->depth_count,
                             .exec_observer = hg_events_exec_observer(&s->events),
                             .portfolio_observer = hg_events_portfolio_observer(&s->events)};
}

static int core_open(hg_session *s) {
    hg_deposit deposits[HG_DEPOSITS_MAX];
    size_t deposit_count = 0;
    int rc = hg_deposits_parse(s->core.universe, s->options.cash, deposits, &deposit_count);
    if (rc == HG_OK && s->options.margin != HG_MARGIN_NONE && deposit_count == 0) {
        rc = HG_ERR(HG_EUSAGE, "--margin %s: an account without money is liquidated at once",
                    hg_margin_model_name(s->options.margin));
        hg_error_hint("give it some, for example --cash BTC=5");
    }
    if (rc < 0) {
        return rc;
    }
    hg_core_options core = core_options(s);
    core.margin = s->options.margin;
    core.deposits = deposits;
    core.deposit_count = deposit_count;
    core.liquidation_observer = hg_events_liquidation_observer(&s->events);
    if (s->options.reload) {
        s->reload = hg_reload_new(&s->core);
        if (!s->reload) {
            return HG_ERR(HG_ENOMEM, "reload");
        }
        core.exec_observer = hg_reload_observer(s->reload, core.exec_observer);
    }
    return hg_core_open(&s->core, &core, &s->book, s->feed->start_ns);
}

static void on_script_log(void *context, const char *strategy, hg_log_level level,
                          const char *text) {
    (void)context;
    char line[1024]; /* what follows a newline cannot pass for a line of ours */
    size_t used = 0;
    for (; *text && used + 5 < sizeof line; text++) {
        line[used++] = *text;
        if (*text == '\n') {
            memset(line + used, ' ', 4);
            used += 4;
        }
    }
    line[used] = '\0';
    if (*text) {
        memcpy(line + used - 4, " ...", 4);
    }
    hg_log(level, "%s: %s", strategy, line);
}

static hg_script_env script_env(hg_session *s) {
    hg_core *c = &s->core;
    hg_script_env env = {.others = c->scripts,
                         .other_count = &c->script_count,
                         .universe = c->universe,
                         .market = c->market,
                         .portfolio = c->portfolio,
                         .exec = c->exec,
                         .margin = c->margin,
                         .now_ns = &c->now_ns,
                         .ready = &c->ready,
                         .seed = s->options.seed,
                         .errors_max = s->options.errors_max,
                         .errors_window_ns = s->options.errors_window_ns,
                         .on_park = s->options.on_park,
                         .context = s,
                         .error = hg_session_tell_error,
                         .log = on_script_log};
    /* Nobody waits for a backtest: a slow callback there is a slow machine, not a danger. */
    if (s->options.mode == HG_MODE_BACKTEST) {
        env.callback_budget_ns = HG_NS_PER_S;
        env.load_budget_ns = 2 * HG_NS_PER_S;
    }
    return env;
}

/* The parameters meant for it: all without a strategy's name and those with its own. */
static int script_open(hg_session *s, size_t i) {
    const hg_session_options *o = &s->options;
    const char *set[HG_SETS_MAX];
    size_t count = 0;
    hg_strategy_name(o->strategies[i], s->names[i], sizeof s->names[i]);
    for (size_t k = 0; k < o->set_count; k++) {
        set[count] = hg_set_for(o->set[k], s->names[i]);
        count += set[count] != NULL;
    }
    s->envs[i] = s->env;
    s->envs[i].log_room = &s->log_rooms[i];
    s->envs[i].portfolio = hg_core_book_of(&s->core, i);
    const char *path = hg_strategy_path(o->strategies[i]);
    s->envs[i].name = path != o->strategies[i] ? s->names[i] : NULL;
    return hg_script_open(&s->envs[i], path, (uint16_t)i, set, count, &s->core.scripts[i]);
}

/* A parameter for a strategy that is not there would be lost without a word. */
static int sets_check(const hg_session *s) {
    const hg_session_options *o = &s->options;
    for (size_t k = 0; k < o->set_count; k++) {
        bool meant = false;
        for (size_t i = 0; i < o->strategy_count && !meant; i++) {
            char name[sizeof s->names[0]];
            hg_strategy_name(o->strategies[i], name, sizeof name);
            meant = hg_set_for(o->set[k], name) != NULL;
        }
        if (!meant && o->strategy_count > 0) {
            int rc = HG_ERR(HG_ECONFIG, "--set %s: no strategy has that name", o->set[k]);
            hg_error_hint("NAME=VALUE is for all, STRATEGY.NAME=VALUE for one of them");
            return rc;
        }
    }
    return HG_OK;
}

static int scripts_open(hg_session *s) {
    s->env = script_env(s);
    int rc = sets_check(s);
    if (rc == HG_OK) {
        rc = hg_shares_open(s);
    }
    for (size_t i = 0; i < s->options.strategy_count && rc == HG_OK; i++) {
        rc = script_open(s, i);
        if (rc == HG_OK) {
            hg_exec_strategy(s->core.exec, (uint16_t)i, hg_script_name(s->core.scripts[i]));
            s->core.script_count++;
        }
    }
    return rc;
}

static void on_reload(void *context, const hg_reload_news *news) {
    hg_session *s = context;
    hg_events_reload(&s->events, news);
    hg_console_reload(s, news);
}

static int reload_open(hg_session *s) {
    hg_core_options core = core_options(s);
    hg_reload_options options = {
        .probation_ns = s->options.probation_ns, .context = s, .tell = on_reload};
    return s->reload ? hg_reload_open(s->reload, &options, &core, &s->book) : HG_OK;
}

/* The underlying whose delta the report shows: the first strategy's, else the first one held. */
static uint32_t report_underlying(const hg_session *s) {
    const hg_core *c = &s->core;
    if (c->script_count > 0) {
        uint32_t id = hg_universe_find_underlying(c->universe, hg_script_underlying(c->scripts[0]));
        if (id != HG_ID_NONE) {
            return id;
        }
    }
    return s->book.count > 0
               ? hg_universe_get(c->universe, s->book.rows[0].instrument)->underlying_id
               : HG_ID_NONE;
}

int hg_session_open(hg_session *s, const hg_session_options *options) {
    *s = (hg_session){.options = *options};
    s->options.limits.extra = options->limits.extra ? &s->options.limit_extra : NULL;
    s->events.core = &s->core;
    s->core.universe = hg_universe_new();
    int rc = s->core.universe ? HG_OK : HG_ERR(HG_ENOMEM, "universe");
    if (rc == HG_OK && options->instruments) {
        rc = hg_instruments_load(options->instruments, s->core.universe);
    }
    if (rc == HG_OK) {
        rc = feed_open(s);
    }
    if (rc == HG_OK) {
        rc = book_open(s);
    }
    if (rc == HG_OK) {
        rc = core_open(s);
    }
    if (rc == HG_OK) {
        rc = scripts_open(s);
    }
    if (rc == HG_OK) {
        rc = reload_open(s);
    }
    if (rc == HG_OK) {
        rc = hg_events_open(&s->events, options->events);
    }
    if (rc == HG_OK) {
        hg_events_opening(&s->events);
    }
    if (rc < 0) {
        int ignored = hg_session_close(s);
        (void)ignored;
    }
    return rc;
}

static int scripts_start(hg_session *s) {
    for (size_t i = 0; i < s->core.script_count; i++) {
        int rc = hg_script_start(s->core.scripts[i], "start");
        if (rc < 0) {
            return rc;
        }
        hg_events_strategy(&s->events, s->core.scripts[i], "started", "");
        s->seen[i] = HG_SCRIPT_RUNNING;
    }
    return HG_OK;
}

/* Observations on the report's grid that are due before `until_ns`, each with the core settled. */
static void observe(hg_session *s, int64_t until_ns) {
    while (hg_report_due_ns(&s->report) <= until_ns) {
        int64_t due = hg_report_due_ns(&s->report);
        hg_core_settle(&s->core, due);
        if (hg_report_observe(&s->report, &s->core)) {
            for (uint32_t u = 0; u < hg_universe_underlying_count(s->core.universe); u++) {
                if (u == s->report.underlying || s->report.underlying == HG_ID_NONE) {
                    hg_events_sample(&s->events, u, due);
                }
            }
            hg_events_book(&s->events, "sample", due);
            hg_events_explain(&s->events, due, false);
        }
    }
}

/* Everything due before a feed event of this time. */
static void catch_up(hg_session *s, int64_t until_ns) {
    observe(s, until_ns);
    hg_core_settle(&s->core, until_ns);
}

typedef struct {
    int64_t wall_start, event_start;
    double speed;
} pace;

/* Answers people, at the event time the wall clock has reached. True when the session shall end. */
static bool answer_requests(hg_session *s, const pace *p, int64_t until_ns) {
    int64_t now = s->core.now_ns;
    if (p) {
        double passed = (double)(hg_clock_monotonic_ns() - p->wall_start) * p->speed;
        int64_t reached = p->event_start + (int64_t)passed;
        reached = reached < until_ns ? reached : until_ns;
        now = reached > now ? reached : now;
    }
    if (!s->mid_update) {
        observe(s, now); /* what is due before the request takes its place before it */
        hg_control_drain(s->control, now);
        hg_session_poll_kill(s, now);
    }
    return s->stop_asked;
}

/* With so much time until the next event a reload or a collector may do what takes a few
 * milliseconds in one piece. */
#define IDLE_NS (8 * HG_NS_PER_MS)
#define REST_NS (HG_NS_PER_MS / 5)

/* Waits until the wall clock has reached an event's place; timers of scripts fire on the way. */
static void wait_for(hg_session *s, const pace *p, int64_t time_ns) {
    while (!hg_loop_stopped(s->loop)) {
        int64_t due = hg_core_due_ns(&s->core);
        due = due < time_ns ? due : time_ns;
        double ahead = (double)(due - p->event_start) / p->speed;
        int64_t wall = p->wall_start + (int64_t)ahead;
        bool idle = wall - hg_clock_monotonic_ns() > IDLE_NS;
        bool working = s->reload && hg_reload_poll(s->reload, idle);
        working = (idle && !working && hg_core_rest(&s->core, REST_NS)) || working;
        if (working || wall > hg_clock_monotonic_ns()) {
            int64_t look = hg_clock_monotonic_ns() + HG_KILL_POLL_NS;
            hg_loop_wait(s->loop, working ? 0 : wall < look ? wall : look);
            if (answer_requests(s, p, due)) {
                return;
            }
            if (wall > hg_clock_monotonic_ns()) {
                continue; /* a request, a file, a piece of work, or time for a look */
            }
        }
        hg_console_tick(s, due);
        if (due >= time_ns) {
            return;
        }
        catch_up(s, due);
    }
}

static bool should_stop(hg_session *s, uint64_t count) {
    if ((count & (s->options.speed > 0 ? 255 : 4095)) == 0) {
        hg_loop_poll(s->loop);
        answer_requests(s, NULL, 0);
    }
    if (hg_loop_stopped(s->loop) || s->stop_asked) {
        s->interrupted = true;
        return true;
    }
    return hg_session_look(s) == 0 && s->core.script_count > 0;
}

static int pump(hg_session *s) {
    const hg_session_options *o = &s->options;
    int64_t end = o->for_ns > 0 ? s->core.start_ns + o->for_ns : INT64_MAX;
    pace p = {hg_clock_monotonic_ns(), s->core.start_ns, o->speed};
    hg_event event;
    int rc = 0;
    for (uint64_t n = 1; !should_stop(s, n); n++) {
        rc = hg_feed_next(s->feed, &event);
        if (rc <= 0 || event.time_ns > end) {
            break;
        }
        if (o->speed > 0) {
            wait_for(s, &p, event.time_ns);
        }
        if (hg_report_due_ns(&s->report) <= event.time_ns) {
            observe(s, event.time_ns);
        }
        hg_core_feed(&s->core, &event);
        s->mid_update = (event.flags & HG_EVF_MORE) != 0;
        hg_core_idle(&s->core);
        if (s->reload) {
            hg_reload_poll(s->reload, o->speed <= 0); /* at full speed nobody waits */
        }
    }
    bool finished = rc >= 0 && !s->interrupted &&
                    (s->core.script_count == 0 || hg_session_look(s) > 0);
    if (finished && rc == 0) {
        hg_core_drain(&s->core);
    }
    if (finished && end != INT64_MAX && rc > 0) {
        catch_up(s, end);
    }
    return rc < 0 ? rc : HG_OK;
}

int hg_session_run(hg_session *s) {
    int64_t begin = hg_clock_monotonic_ns();
    hg_report_init(&s->report, report_underlying(s), s->core.start_ns, s->options.step_ns);
    int rc = hg_loop_open(&s->loop);
    if (rc < 0) {
        return rc;
    }
    rc = hg_control_open(s, &s->control);
    if (rc == HG_OK && s->reload) {
        rc = hg_reload_watch(s->reload, s->loop);
    }
    if (rc < 0) {
        return rc;
    }
    hg_console_start(s);
    hg_session_poll_kill(s, s->core.now_ns);
    rc = scripts_start(s);
    if (rc == HG_OK) {
        rc = pump(s);
    }
    hg_session_keep_kill(s);
    /* The end is not before the last sample, which may be later than the last event: what is told
     * of it (values, margins, accrued funding) is of the time that its lines bear. */
    if (s->core.now_ns < hg_report_stepped_ns(&s->report)) {
        s->core.now_ns = hg_report_stepped_ns(&s->report);
    }
    hg_core_stop(&s->core, s->interrupted ? "interrupted" : HG_END_OF_SESSION);
    hg_session_look(s);
    hg_session_tell_faults(s);
    hg_events_book(&s->events, "end", s->core.now_ns);
    hg_events_explain(&s->events, s->core.now_ns, true);
    hg_report_finish(&s->report, &s->core, (double)(hg_clock_monotonic_ns() - begin) / 1e9);
    hg_console_end(s);
    return rc < 0 ? rc : hg_session_failure(s);
}

static int cannot_reload(void) {
    return HG_ERR(HG_ESTATE, "this session cannot reload (--reload off, or a backtest)");
}

int hg_session_reload(hg_session *s, const char *strategy) {
    return s->reload ? hg_reload_request(s->reload, strategy, "request") : cannot_reload();
}

int hg_session_rollback(hg_session *s, const char *strategy, const char *version) {
    return s->reload ? hg_reload_rollback(s->reload, strategy, version) : cannot_reload();
}

int hg_session_versions(const hg_session *s, hg_json *json) {
    if (!s->reload) {
        return cannot_reload();
    }
    hg_reload_versions(s->reload, json);
    return HG_OK;
}

int hg_session_close(hg_session *s) {
    int rc = hg_events_close(&s->events);
    hg_reload_free(s->reload);
    s->reload = NULL;
    hg_feed_close(s->feed);
    hg_core_fini(&s->core);
    hg_book_free(&s->book);
    hg_control_close(s->control);
    hg_inspector_free(s->inspector);
    s->inspector = NULL;
    s->control = NULL;
    hg_loop_close(s->loop);
    s->feed = NULL;
    s->loop = NULL;
    return rc;
}
