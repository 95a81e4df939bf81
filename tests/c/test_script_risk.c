/* What a strategy hears of the risk gate: every refusal and every change of state of the matrix of
 * controls with its code, value and limit; alarms, with an order or without one; and orders whose
 * fate became unknown when the connection went. */
#include "script/script.h"
#include "test_exec_control_rows.h"

#define HEARS                                                                                      \
    "local hedged = require 'hedged'\n"                                                            \
    "local S = hedged.strategy { api = 1, underlying = 'BTC' }\n"                                  \
    "local function n(x) return x and ('%.9g'):format(x) or 'nil' end\n"                           \
    "function S:on_order(o) hedged.log('order %d %s %s', o.id, o.state, o.code) end\n"             \
    "function S:on_risk(e)\n"                                                                      \
    "  hedged.log('risk %s %s %s %s %d %s', e.kind, e.code, n(e.value), n(e.limit),\n"             \
    "    e.order and e.order.id or 0, e.to or 'nil')\n"                                            \
    "end\n"                                                                                        \
    "return S\n"

static hg_script *script;
static char said_by_script[8192];

static void on_log(void *context, const char *strategy, hg_log_level level, const char *text) {
    (void)context, (void)strategy, (void)level;
    size_t used = strlen(said_by_script);
    snprintf(said_by_script + used, sizeof said_by_script - used, "%s\n", text);
}

/* What the core does after an event was applied. */
static void hear(rig *g, const hg_event *e, const hg_order *of) {
    (void)g;
    if (e->kind == HG_EV_RISK) {
        const hg_risk_event *change = hg_risk_event_get(g->w.exec, e->order.id);
        if (change && (change->strategy == HG_STRATEGY_ANY || change->strategy == 0)) {
            hg_script_risk(script, e, change);
        }
    } else if (of || e->kind == HG_EV_ALARM) {
        hg_script_event(script, e, of);
    }
}

static void open_heard(rig *g, const row *r, void (*feed)(rig *g)) {
    open_rig(g, r, feed ? feed : market_is_whole);
    static hg_script_env env; /* the script keeps its address */
    env = (hg_script_env){.universe = g->w.universe,
                          .market = g->w.market,
                          .portfolio = g->w.portfolio,
                          .exec = g->w.exec,
                          .now_ns = &g->w.now_ns,
                          .context = g,
                          .log = on_log};
    said_by_script[0] = '\0';
    CHECK_EQ(hg_script_open_text(&env, "alpha.lua", HEARS, 0, NULL, 0, &script), HG_OK);
    CHECK_EQ(hg_script_start(script, "start"), HG_OK);
    g->listen = hear;
}

static void close_heard(rig *g) {
    CHECK_EQ(hg_script_status(script), HG_SCRIPT_RUNNING);
    hg_script_close(script);
    world_close(&g->w);
}

static const char *number(double value, char *buf, size_t size) {
    snprintf(buf, size, "%.9g", value);
    return isfinite(value) ? buf : "nil";
}

static void heard(const row *r, const char *line) {
    if (!strstr(said_by_script, line)) {
        hg_test_fail(__FILE__, __LINE__, "%s, %s: no '%s' in:\n%s", r->control ? r->control : "",
                     r->what ? r->what : "", line, said_by_script);
    }
}

/* x where the row says no. */
static double beyond(const row *r) {
    return !r->edge ? r->at + r->step : strcmp(r->edge, SWITCH) == 0 ? 1 : r->at;
}

static void hears(const row *given) {
    row r = *given;
    bool edged = !r.edge || strcmp(r.edge, SWITCH) == 0;
    rig g;
    char line[256];
    char value[32];
    char bound[32];
    if (r.tune) {
        r.tune(&r);
    }
    open_heard(&g, &r, edged ? r.prices : r.feed);
    if (r.arrange) {
        r.arrange(&g);
    }
    says got = outcome(&g, &r, beyond(&r));
    const char *v = number(got.value, value, sizeof value);
    const char *b = number(got.bound, bound, sizeof bound);
    unsigned long long id = g.w.exec->last_id;
    CHECK(*got.code);
    if (r.happen) {
        snprintf(line, sizeof line, "risk state %s %s %s 0 %s\n", got.code, v, b,
                 hg_risk_state_name(g.change.to));
        heard(&r, line);
    } else {
        snprintf(line, sizeof line, "order %llu rejected %s\n", id, got.code);
        heard(&r, line);
        snprintf(line, sizeof line, "risk refusal %s %s %s %llu nil\n", got.code, v, b, id);
        heard(&r, line);
    }
    close_heard(&g);
}

/* Nobody is there to hear it: no such strategy; an instrument no script can name; one that is
 * paused is not called again; no order and no state at all. */
static bool deaf(const row *r) {
    return r->put == put_strategy || r->put == put_instrument || r->put == put_pause ||
           r->code == HG_REJECT_NONE || (r->edge && strcmp(r->edge, SWITCH) != 0 && !r->feed);
}

TEST_WITHIN(every_refusal_and_every_state_reaches_the_script, 120) {
    int n = 0;
    hg_log_level_set(HG_LOG_ERROR);
    for (size_t i = 0; i < ROWS; i++) {
        if (!deaf(&rows[i])) {
            hears(&rows[i]);
            n++;
        }
    }
    printf("note: %d of %zu rows heard by a strategy with code, value and limit\n", n, ROWS);
    CHECK(n > (int)ROWS - 8);
}

TEST(an_alarm_without_an_order_reaches_the_script) {
    rig g;
    hg_log_level_set(HG_LOG_ERROR);
    open_heard(&g, &(row){0}, NULL);
    hg_event stray = {.time_ns = g.w.now_ns, .id = LINEAR, .kind = HG_EV_ACK};
    stray.order.id = 999; /* nobody has sent it */
    apply(&g, &stray);
    answers(&g);
    heard(&(row){.what = "stray"}, "risk alarm no_order nil nil 0 nil\n");
    CHECK(!strstr(said_by_script, "order 999"));
    hg_event cut = {.time_ns = g.w.now_ns, .kind = HG_EV_CUT};
    apply(&g, &cut);
    answers(&g);
    heard(&(row){.what = "cut"}, "risk alarm disconnected nil nil 0 nil\n");
    CHECK_EQ(hg_exec_stats_get(g.w.exec)->alarms, 2);
    close_heard(&g);
}

TEST(an_order_lost_in_a_cut_reaches_the_script) {
    rig g;
    hg_log_level_set(HG_LOG_ERROR);
    open_heard(&g, &(row){0}, NULL);
    uint64_t mine = send_limit(&g.w, LINEAR, HG_BUY, 58000, 1);
    hg_order_request q = request(LINEAR, HG_BUY, 57000, 1);
    q.strategy = 1;
    uint64_t others = send_request(&g.w, q);
    uint64_t proven = send_limit(&g.w, LINEAR, HG_BUY, 58001, 1);
    answers(&g);
    said_by_script[0] = '\0';
    hg_event cut = {.time_ns = g.w.now_ns, .kind = HG_EV_CUT};
    apply(&g, &cut);
    CHECK_STR(state_of(&g.w, mine), "unknown"); /* at once, though the script hears of it later */
    hg_event ack = {.time_ns = g.w.now_ns, .id = LINEAR, .kind = HG_EV_ACK};
    ack.order.id = proven;
    apply(&g, &ack); /* the venue was quicker than our own word */
    answers(&g);
    char text[256];
    snprintf(text, sizeof text,
             "order %llu working \norder %llu unknown \nrisk alarm disconnected nil nil 0 nil\n",
             (unsigned long long)proven, (unsigned long long)mine);
    CHECK_STR(said_by_script, text);
    CHECK(others != 0 && strcmp(state_of(&g.w, others), "unknown") == 0);
    close_heard(&g);
}
