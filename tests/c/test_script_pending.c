/* A strategy that asks for its hedge at every tick must never hedge twice, whatever the venue does.
 *
 * Each scenario gives the book a need (a future bought or sold by somebody else) and lets the
 * strategy trade against it at every tick through the chaos venue: slow, partial, refused,
 * cancelled, amended and lost orders. The oracle is naive and knows the truth: what the venue has
 * really filled and may still fill must never exceed the need by more than one lot. */
#include "base/log.h"
#include "test_chaos_kit.h"
#include "test_script_kit.h"

#include <math.h>
#include <stdlib.h>

static const char strategy[] =
    "local orders = require 'hedged.orders'\n"
    "local H = '%s'\n"
    "function S:on_tick()\n"
    "  local x = hedged.exposure('BTC')\n"
    "  local limit = math.random(3) > 1\n"
    "  hedged.trade { instrument = H, delta = -x.delta, reason = 'every tick',\n"
    "                 type = limit and 'limit' or 'market' }\n"
    "  local open = orders.open()\n"
    "  local order = open[math.random(math.max(#open, 1))]\n"
    "  local what = math.random(12)\n"
    "  if not order then return end\n"
    "  if what == 1 then order:cancel() end\n"
    "  if what == 2 and order.remaining > 2 * %g then\n"
    "    order:amend { size = order.filled + %g }\n"
    "  end\n"
    "end\n";

typedef struct {
    kit k;
    chaos venue;
    hg_rng rng;
    uint32_t hedge, future;
    hg_lots future_lots;
    double future_price;
    uint64_t checks, sent;
    bool turned; /* the need has changed since: both sides may be at work */
    uint64_t seed, scenario;
} rig;

/* Coins that one lot of an inverse future of 10 USD is worth. */
static double coins_of_future(const rig *r) {
    return (double)r->future_lots * 10 / r->future_price;
}

static double per_lot(rig *r) {
    return r->hedge == kit_id(&r->k, PERP)
               ? 10.0 / 64000
               : hg_portfolio_delta_of(r->k.portfolio, r->hedge, 1, r->k.now_ns);
}

/* Whole position that leaves no delta, in lots of the hedge. */
static double target_lots(rig *r) {
    return -coins_of_future(r) / per_lot(r);
}

static void judge(rig *r, int8_t side, const char *when) {
    double target = target_lots(r);
    int8_t other = side == HG_BUY ? HG_SELL : HG_BUY;
    int64_t same = chaos_live(&r->venue, r->hedge, side);
    /* Once the need has turned, orders of the other side count at what they were sent for, until
     * their end has been told: nobody can know more. */
    int64_t against = r->turned ? chaos_expected(&r->venue, r->hedge, other) : 0;
    double worst = (double)(r->venue.net[r->hedge] + side * (same - against));
    double over = side == HG_BUY ? worst - target : target - worst;
    r->checks++;
    if (over > 1 + 1e-6) {
        hg_test_fail(__FILE__, __LINE__,
                     "seed %llu scenario %llu: %s: %g lots held or at work, target %g: %g too many",
                     (unsigned long long)r->seed, (unsigned long long)r->scenario, when, worst,
                     target, over);
    }
}

static void on_sent(void *context, const hg_order *order) {
    rig *r = context;
    r->sent++;
    judge(r, order->side, "sending");
}

static void price_all(rig *r) {
    kit *k = &r->k;
    static const struct {
        const char *name;
        double mark, iv;
    } marks[] = {
        {FUT,  65000, 0  },
        {CALL, 0.08,  0.6}
    };
    for (size_t i = 0; i < 2; i++) {
        hg_event e = {.kind = HG_EV_MARK,
                      .id = kit_id(k, marks[i].name),
                      .time_ns = k->now_ns + HG_NS_PER_MS};
        CHECK(hg_nano_from_double(marks[i].mark, &e.mark.price));
        CHECK(hg_nano_from_double(marks[i].iv, &e.mark.iv));
        kit_feed(k, e);
    }
    kit_feed(k, kit_quote_event(k, CALL, 0.0795, 0.0805));
}

static void rig_open(rig *r, const char *hedge, uint64_t seed, uint64_t stream) {
    static char text[4096];
    memset(r, 0, sizeof *r);
    kit_open(&r->k);
    hg_exec_free(r->k.exec);
    r->k.venue->ops->close(r->k.venue);
    chaos_init(&r->venue, seed, stream);
    hg_rng_init(&r->rng, seed, stream + 1000);
    r->venue.sent = on_sent;
    r->venue.context = r;
    r->k.venue = &r->venue.venue;
    hg_limits limits;
    hg_limits_default(&limits);
    limits.orders_per_second = 100000;
    r->k.exec = hg_exec_new(r->k.market, r->k.portfolio, r->k.venue,
                            &(hg_exec_options){.limits = limits, .order_capacity = 256});
    r->k.env.exec = r->k.exec;
    r->k.env.seed = seed + stream;
    r->hedge = kit_id(&r->k, hedge);
    r->future = kit_id(&r->k, FUT);
    r->future_price = 65000;
    r->seed = seed;
    kit_index(&r->k, 64000);
    kit_quote(&r->k, PERP, 63999.5, 64000.5);
    price_all(r);
    double lot = hg_size_to_double(hg_universe_get(r->k.universe, r->hedge), 1);
    snprintf(text, sizeof text, strategy, hedge, lot, lot);
    kit_load(&r->k, text);
}

/* Somebody else's trade in the future: the need. */
static void shift(rig *r, hg_lots lots) {
    hg_side side = lots > 0 ? HG_BUY : HG_SELL;
    const hg_instrument *inst = hg_universe_get(r->k.universe, r->future);
    hg_ticks price = 0;
    CHECK(hg_price_from_double(inst, r->future_price, &price));
    if (lots != 0) {
        CHECK_EQ(
            hg_portfolio_fill(r->k.portfolio, r->future, side, llabs(lots), price, 0, r->k.now_ns),
            HG_OK);
        r->future_lots += lots;
    }
}

static void ticks(rig *r, int count) {
    for (int i = 0; i < count; i++) {
        int64_t gap = 1 + (int64_t)hg_rng_below(&r->rng, hg_rng_below(&r->rng, 5) ? 30 : 600);
        kit_settle(&r->k, r->k.now_ns + gap * HG_NS_PER_MS);
        kit_quote(&r->k, PERP, 63999.5, 64000.5);
        if (i % 8 == 0) {
            price_all(r);
        }
        /* After a turn, orders of the other side that end unfilled leave what was sent against
         * them: that is seen at sending only. */
        if (!r->turned) {
            judge(r, target_lots(r) > (double)r->venue.net[r->hedge] ? HG_BUY : HG_SELL, "later");
        }
    }
    kit_running(&r->k);
}

/* Until nothing is at work: the next scenario begins with what is really held. */
static void rest(rig *r) {
    for (int i = 0; i < 400 && hg_exec_open_next(r->k.exec, 0, 0); i++) {
        hg_exec_cancel_all(r->k.exec, HG_STRATEGY_ANY, HG_ID_NONE, r->k.now_ns);
        kit_settle(&r->k, r->k.now_ns + HG_NS_PER_S);
    }
    CHECK(hg_exec_open_next(r->k.exec, 0, 0) == NULL);
    kit_settle(&r->k, r->k.now_ns + 20 * HG_NS_PER_S); /* and late duplicates */
    CHECK_EQ(r->venue.net[r->hedge], hg_portfolio_get(r->k.portfolio, r->hedge)->lots);
}

/* The need is the whole distance from what is held: its side does not change within a scenario. */
static hg_lots random_need(rig *r) {
    hg_lots most = r->hedge == kit_id(&r->k, PERP) ? 400 : 20000;
    return (hg_lots)hg_rng_below(&r->rng, (uint64_t)most * 2) - most - r->future_lots;
}

static void run(const char *hedge, uint64_t seed, int worlds, int scenarios) {
    static rig r;
    uint64_t checks = 0, sent = 0, unknown = 0, total = 0;
    hg_log_level_set(HG_LOG_ERROR);
    for (int world = 0; world < worlds; world++) {
        rig_open(&r, hedge, seed, (uint64_t)world);
        for (int i = 0; i < scenarios; i++) {
            r.scenario = total++;
            r.turned = false;
            shift(&r, random_need(&r));
            ticks(&r, 12 + (int)hg_rng_below(&r.rng, 12));
            if (i % 3 == 2) { /* the need turns while orders are at work */
                r.turned = true;
                shift(&r, random_need(&r));
                ticks(&r, 12);
            }
            rest(&r);
        }
        checks += r.checks;
        sent += r.sent;
        unknown += hg_exec_stats_get(r.k.exec)->unanswered;
        CHECK(r.venue.rejects && r.venue.cancels && r.venue.lost && r.venue.duplicates);
        kit_close(&r.k);
    }
    CHECK(unknown > 0 && sent > total);
    printf("note: %s, seed %llu: %llu scenarios, %llu orders, %llu unknown, %llu looks: never more "
           "than one lot too many\n",
           hedge, (unsigned long long)seed, (unsigned long long)total, (unsigned long long)sent,
           (unsigned long long)unknown, (unsigned long long)checks);
}

TEST_WITHIN(hedging_at_every_tick_never_hedges_twice_in_a_perpetual, 120) {
    run(PERP, 5127, 10, 400);
}

TEST_WITHIN(hedging_at_every_tick_never_hedges_twice_in_an_option, 120) {
    run(CALL, 8468, 10, 200);
}
