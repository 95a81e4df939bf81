/* What the cost model says before a trade against what a paper session books after it: spread,
 * depth and fee of single fills to rounding, funding and basis over a horizon at constant rates,
 * and the order of instruments by it. */
#include "app/core.h"
#include "base/clock.h"
#include "base/rng.h"
#include "exec/cost.h"
#include "portfolio/explain.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1767607200) * HG_NS_PER_S) /* 2026-01-05 10:00 UTC */
#define SPOT 60000.0
#define LEVELS 5
#define SEED 41

enum { PERP, LINEAR, FUTURE, LINEAR_FUTURE, COINS, CALL, PUT, LINEAR_CALL, KINDS };

/* Price of the first level and of one step behind it, in ticks; of the put the levels cross the
 * price from where the fee is no longer capped. */
static const struct {
    const char *name;
    double mid;
    int step;
} kinds[KINDS] = {
    [PERP] = {"BTC-PERPETUAL",            60040,  90},
    [LINEAR] = {"BTC_USDC-PERPETUAL",       59970,  90},
    [FUTURE] = {"BTC-27MAR26",              60900,  30},
    [LINEAR_FUTURE] = {"BTC_USDC-27MAR26",         60850,  30},
    [COINS] = {"BTC_USDC",                 60010,  12},
    [CALL] = {"BTC-27MAR26-60000-C",      0.085,  3 },
    [PUT] = {"BTC-27MAR26-30000-P",      0.0025, 2 },
    [LINEAR_CALL] = {"BTC_USDC-27MAR26-60000-C", 5000,   3 },
};

static void core_make(hg_core *core, hg_fill_model fill) {
    static hg_book book;
    hg_core_options o = {
        .paper = {.fill = fill, .fees = true},
          .depth_books = KINDS
    };
    *core = (hg_core){.universe = hg_universe_new()};
    hg_limits_default(&o.limits);
    for (uint32_t k = 0; k < KINDS; k++) {
        uint32_t id = HG_ID_NONE;
        CHECK_EQ(hg_universe_add_name(core->universe, kinds[k].name, &id), HG_OK);
        CHECK_EQ(id, k);
    }
    CHECK_EQ(hg_core_open(core, &o, &book, T0), HG_OK);
}

static const hg_instrument *inst_of(const hg_core *core, uint32_t id) {
    return hg_universe_get(core->universe, id);
}

static void value(hg_core *core, hg_event_kind kind, uint32_t id, double number, int64_t at_ns) {
    hg_event e = {.kind = (uint8_t)kind, .id = id, .time_ns = at_ns};
    hg_nano nano = 0;
    CHECK(hg_nano_from_double(number, &nano));
    if (kind == HG_EV_MARK) {
        e.mark.price = nano;
        e.mark.iv = inst_of(core, id)->kind == HG_KIND_OPTION ? HG_NANO / 2 : 0;
    } else {
        e.price.value = nano;
    }
    hg_core_feed(core, &e);
}

/* A whole new book of LEVELS a side, `shift` ticks from where the instrument's is. */
static void book_tell_at(hg_core *core, uint32_t id, hg_ticks shift, hg_rng *rng, int64_t at_ns) {
    const hg_instrument *inst = inst_of(core, id);
    hg_ticks mid = hg_price_round(inst, kinds[id].mid, -1) + shift;
    for (int i = 0; i < 2 * LEVELS; i++) {
        int side = i % 2 ? HG_SELL : HG_BUY;
        int steps = kinds[id].step * (i / 2) + 1 + (int)hg_rng_below(rng, (uint64_t)kinds[id].step);
        hg_event e = {.kind = HG_EV_DEPTH, .id = id, .side = (int8_t)side, .time_ns = at_ns};
        e.flags = (uint8_t)((i == 0 ? HG_EVF_SNAPSHOT : 0) |
                            (i + 1 < 2 * LEVELS ? HG_EVF_MORE : 0));
        e.level.price = mid - side * steps * hg_instrument_step(inst, mid);
        e.level.size = 1 + (hg_lots)hg_rng_below(rng, 20);
        hg_core_feed(core, &e);
    }
}

static void book_tell(hg_core *core, uint32_t id, hg_rng *rng, int64_t at_ns) {
    book_tell_at(core, id, 0, rng, at_ns);
}

static hg_lots shown(const hg_core *core, uint32_t id, hg_side taker) {
    const hg_depth *depth = hg_market_get(core->market, id)->depth;
    hg_lots sum = 0;
    for (uint32_t k = 0; k < LEVELS; k++) {
        sum += hg_depth_level(depth, taker == HG_BUY ? HG_SELL : HG_BUY, k)->size;
    }
    return sum;
}

static hg_cost_query query_of(uint32_t id, hg_side side, hg_lots lots, double horizon_s) {
    return (hg_cost_query){.instrument = id,
                           .side = side,
                           .lots = lots,
                           .horizon_s = horizon_s,
                           .funding = NAN,
                           .funding_mean = NAN,
                           .realised_vol = NAN};
}

static const hg_order *take(hg_core *core, uint32_t id, hg_side side, hg_lots lots) {
    hg_order_request r = {.instrument = id,
                          .side = side,
                          .type = HG_TYPE_MARKET,
                          .size = hg_size_to_double(inst_of(core, id), lots)};
    hg_refusal refusal = {0};
    uint64_t order = 0;
    int rc = hg_exec_submit(core->exec, &r, core->now_ns, &order, &refusal);
    if (rc < 0) {
        hg_test_fail(__FILE__, __LINE__, "%s refused: %s", kinds[id].name, refusal.text);
    }
    core->due_ns = hg_core_due_ns(core);
    hg_core_settle(core, core->now_ns);
    const hg_order *done = hg_exec_get(core->exec, order);
    CHECK_EQ(done->state, HG_ORDER_FILLED);
    return done;
}

static hg_parts parts_of(const hg_core *core, uint32_t id) {
    hg_explanation x;
    hg_explain_of of = HG_EXPLAIN_ALL;
    of.instrument = id;
    hg_portfolio_explain(core->portfolio, of, core->now_ns, &x);
    return x.parts;
}

static double equity_of(const hg_core *core) {
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, core->now_ns, &pnl);
    CHECK(pnl.known);
    return pnl.equity;
}

/* One trade: said before, booked after. Marks stand at the mids, so that equity falls by what was
 * paid and by nothing else; each fill rounds money to one unit. */
static void said_is_booked(hg_core *core, uint32_t id, hg_side side, hg_lots lots) {
    hg_cost c;
    hg_cost_query q = query_of(id, side, lots, 0);
    CHECK_EQ(hg_cost_of(core->market, core->margin, &q, core->now_ns, &c), HG_OK);
    CHECK(c.fits && c.spread > 0 && c.depth >= 0);
    value(core, HG_EV_MARK, id, c.mid, core->now_ns);
    hg_parts before = parts_of(core, id);
    double equity = equity_of(core);
    hg_cash fees = hg_portfolio_get(core->portfolio, id)->fees;
    const hg_order *order = take(core, id, side, lots);
    hg_parts after = parts_of(core, id);
    const hg_instrument *inst = inst_of(core, id);
    double usd = hg_market_usd(core->market, inst->settle_id);
    double fee = hg_nano_to_double(hg_portfolio_get(core->portfolio, id)->fees - fees) * usd;
    double unit = 1e-9 * usd * (LEVELS + 1);
    CHECK_NEAR(before.spread - after.spread, c.spread + c.depth, 1e-9 + 1e-11 * c.notional);
    CHECK_NEAR(after.slippage, before.slippage, 1e-12);
    CHECK_NEAR(fee, c.fee, 1e-12 * fee);
    CHECK((c.fee > 0) == (inst->taker > 0));
    CHECK_NEAR(equity - equity_of(core), c.spread + c.depth + c.fee, unit + 1e-9);
    double worth = inst->inverse && inst->kind != HG_KIND_OPTION
                       ? hg_size_to_double(inst, lots) / c.price
                       : hg_size_to_double(inst, lots) * c.price;
    CHECK_NEAR(hg_exec_average_price(core->exec, order) / c.price, 1,
               1e-9 * LEVELS / worth + 1e-12);
}

TEST(spread_depth_and_fee_are_what_the_session_books) {
    static const hg_fill_model models[] = {HG_FILL_DEPTH, HG_FILL_QUEUE};
    printf("seed %d\n", SEED);
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        hg_core core;
        hg_rng rng;
        hg_rng_init(&rng, SEED, m);
        core_make(&core, models[m]);
        for (int i = 0; i < 40; i++) {
            int64_t at_ns = T0 + i * HG_NS_PER_S;
            value(&core, HG_EV_INDEX, 0, SPOT, at_ns);
            for (uint32_t id = 0; id < KINDS; id++) {
                book_tell(&core, id, &rng, at_ns);
                hg_side side = hg_rng_below(&rng, 2) ? HG_BUY : HG_SELL;
                hg_lots most = shown(&core, id, side);
                hg_lots lots = i % 4 == 0   ? 1
                               : i % 4 == 1 ? most
                                            : 1 + (hg_lots)hg_rng_below(&rng, (uint64_t)most);
                said_is_booked(&core, id, side, lots);
            }
        }
        hg_core_fini(&core);
    }
}

/* There and back at one book: what was said of the round trip. */
TEST(a_round_trip_costs_what_was_said) {
    hg_core core;
    hg_rng rng;
    hg_rng_init(&rng, SEED, 9);
    core_make(&core, HG_FILL_DEPTH);
    for (int i = 0; i < 10; i++) {
        int64_t at_ns = T0 + i * HG_NS_PER_S;
        value(&core, HG_EV_INDEX, 0, SPOT, at_ns);
        for (uint32_t id = 0; id < KINDS; id++) {
            book_tell(&core, id, &rng, at_ns);
            hg_side side = i % 2 ? HG_BUY : HG_SELL;
            hg_lots there = shown(&core, id, side);
            hg_lots back = shown(&core, id, side == HG_BUY ? HG_SELL : HG_BUY);
            hg_lots lots = there < back ? there : back;
            hg_cost_query q = query_of(id, side, lots, 0);
            hg_cost c;
            q.round_trip = true;
            CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
            CHECK(c.fits);
            value(&core, HG_EV_MARK, id, c.mid, at_ns);
            double equity = equity_of(&core);
            take(&core, id, side, lots);
            take(&core, id, side == HG_BUY ? HG_SELL : HG_BUY, lots);
            double unit = 1e-9 * hg_market_usd(core.market, inst_of(&core, id)->settle_id);
            CHECK_NEAR(equity - equity_of(&core), c.total, 2 * (LEVELS + 1) * unit + 1e-9);
            q.lots = (there > back ? there : back) + 1;
            CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
            CHECK(!c.fits);
            CHECK_EQ(c.visible, lots);
        }
    }
    hg_core_fini(&core);
}

typedef struct held {
    uint32_t id;
    hg_side side;
    hg_lots lots;
    double rate;    /* of funding, which stays */
    bool delivered; /* else out at the book */
    double mid;
    hg_ticks shift; /* what the book moves by: the basis that runs off */
    double horizon_s;
} held;

/* The way from here to the horizon, in pieces: the index stands, marks follow the basis. */
static void held_wait(hg_core *core, const held *h, hg_rng book) {
    enum { PIECES = 7 };
    const hg_instrument *inst = inst_of(core, h->id);
    int64_t whole_ns = h->delivered ? inst->expiry_ns - T0 : (int64_t)(h->horizon_s * 1e9);
    double tick = hg_nano_to_double(inst->tick);
    for (int i = 1; i <= PIECES; i++) {
        int64_t at_ns = T0 + whole_ns / PIECES * i + (i == PIECES ? whole_ns % PIECES : 0);
        value(core, HG_EV_INDEX, 0, SPOT, at_ns);
        if (h->delivered && i == PIECES) {
            value(core, HG_EV_SETTLE, h->id, SPOT, at_ns);
            return;
        }
        value(core, HG_EV_MARK, h->id, h->mid + (double)h->shift * tick * i / PIECES, at_ns);
        if (inst->kind == HG_KIND_PERPETUAL) {
            value(core, HG_EV_FUNDING, h->id, h->rate, at_ns);
        }
    }
    book_tell_at(core, h->id, h->shift, &book, core->now_ns);
}

/* A horizon after which the book is whole ticks nearer to the spot. */
static void held_draw(const hg_core *core, held *h, hg_rng *rng) {
    const hg_instrument *inst = inst_of(core, h->id);
    hg_lots there = shown(core, h->id, HG_BUY);
    hg_lots back = shown(core, h->id, HG_SELL);
    h->side = hg_rng_below(rng, 2) ? HG_BUY : HG_SELL;
    h->lots = 1 + (hg_lots)hg_rng_below(rng, (uint64_t)(there < back ? there : back));
    h->rate = ((double)hg_rng_below(rng, 1001) - 500) * 1e-6;
    h->mid = hg_market_mid(core->market, h->id);
    h->horizon_s = (double)(1 + hg_rng_below(rng, 5 * 86400));
    if (inst->kind == HG_KIND_FUTURE) {
        double left_s = (double)(inst->expiry_ns - T0) / 1e9;
        double basis = (h->mid - SPOT) / hg_nano_to_double(inst->tick);
        h->delivered = hg_rng_below(rng, 3) == 0;
        h->shift = -(hg_ticks)hg_rng_below(rng, (uint64_t)(basis * 0.95));
        h->horizon_s = left_s * (h->delivered ? 1 : (double)-h->shift / basis);
    }
}

/* In at one book, held, out at the book of then or by delivery: the total that was said. The way
 * back of a future is said at the book of now: it meets the same levels nearer to the spot, where
 * spreads in coin and fees differ by no more than twice what the price moved. */
static double held_is_booked(uint32_t id, hg_rng *rng) {
    hg_core core;
    held h = {.id = id};
    core_make(&core, HG_FILL_DEPTH);
    hg_rng book = *rng;
    value(&core, HG_EV_INDEX, 0, SPOT, T0);
    book_tell(&core, id, rng, T0);
    held_draw(&core, &h, rng);
    value(&core, HG_EV_MARK, id, h.mid, T0);
    if (inst_of(&core, id)->kind == HG_KIND_PERPETUAL) {
        value(&core, HG_EV_FUNDING, id, h.rate, T0);
    }
    hg_cost c;
    hg_cost_query q = query_of(id, h.side, h.lots, h.horizon_s);
    q.round_trip = true;
    q.funding_mean = h.rate;
    CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
    CHECK(c.fits && c.visible == h.lots);
    double equity = equity_of(&core);
    take(&core, id, h.side, h.lots);
    held_wait(&core, &h, book);
    if (!h.delivered) {
        take(&core, id, h.side == HG_BUY ? HG_SELL : HG_BUY, h.lots);
    }
    CHECK_EQ(hg_portfolio_get(core.portfolio, id)->lots, 0);
    double moved = (double)-h.shift * hg_nano_to_double(inst_of(&core, id)->tick) / h.mid;
    double near = h.delivered ? 0 : 2.1 * moved * (c.spread + c.depth + c.fee);
    double unit = 1e-9 * hg_market_usd(core.market, inst_of(&core, id)->settle_id);
    CHECK_NEAR(equity - equity_of(&core), c.total, near + 100 * unit + 1e-9 * c.notional);
    hg_core_fini(&core);
    return c.carry;
}

/* What is said of a round trip over a horizon, all in: 300 trades of random size, side, horizon,
 * funding rate and book, of which futures go back by delivery one time in three. */
TEST(a_round_trip_held_for_its_horizon_costs_what_was_said) {
    enum { TRADES = 60 };
    unsigned carried = 0;
    hg_rng rng;
    hg_rng_init(&rng, SEED, 12);
    for (int i = 0; i < TRADES; i++) {
        for (uint32_t id = PERP; id <= COINS; id++) {
            carried += held_is_booked(id, &rng) != 0;
        }
    }
    CHECK(carried > 4 * TRADES * 9 / 10); /* all but spot, at a rate of its own */
}

/* What is delivered within the horizon goes back without a book. */
TEST(a_round_trip_over_the_expiry_ends_in_the_delivery_fee) {
    for (uint32_t id = FUTURE; id <= LINEAR_FUTURE; id++) {
        hg_core core;
        hg_rng rng;
        hg_rng_init(&rng, SEED, 10);
        core_make(&core, HG_FILL_DEPTH);
        value(&core, HG_EV_INDEX, 0, SPOT, T0);
        book_tell(&core, id, &rng, T0);
        int64_t expiry_ns = inst_of(&core, id)->expiry_ns;
        hg_cost c;
        hg_cost_query q = query_of(id, HG_SELL, 5, (double)(expiry_ns - T0) / 1e9);
        q.round_trip = true;
        CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
        value(&core, HG_EV_MARK, id, c.mid, T0);
        double equity = equity_of(&core);
        take(&core, id, HG_SELL, 5);
        value(&core, HG_EV_INDEX, 0, SPOT, expiry_ns);
        value(&core, HG_EV_SETTLE, id, SPOT, expiry_ns);
        CHECK_EQ(hg_portfolio_get(core.portfolio, id)->lots, 0);
        double unit = 1e-9 * hg_market_usd(core.market, inst_of(&core, id)->settle_id);
        CHECK_NEAR(equity - equity_of(&core), c.total, 20 * unit + 1e-9);
        q.round_trip = false;
        hg_cost there;
        CHECK_EQ(hg_cost_of(core.market, core.margin, &q, T0, &there), HG_ENOTFOUND); /* gone */
        hg_core_fini(&core);
    }
}

/* Of an option it is at most an eighth of the payoff, and nothing of what expires worthless: said
 * of the spot as it stands, booked at the same delivery price. */
TEST(a_round_trip_over_the_expiry_of_an_option_caps_the_delivery_fee) {
    static const double spots[] = {25000, 29990, 30001, 40000, 59999, 60001, 60060, 60073, 90000};
    static const uint32_t ids[] = {CALL, PUT, LINEAR_CALL};
    unsigned capped = 0, full = 0, none = 0;
    for (size_t i = 0; i < 3 * sizeof spots / sizeof *spots; i++) {
        uint32_t id = ids[i % 3];
        double spot = spots[i / 3];
        hg_core core;
        hg_rng rng;
        hg_rng_init(&rng, SEED, 11);
        core_make(&core, HG_FILL_DEPTH);
        value(&core, HG_EV_INDEX, 0, spot, T0);
        book_tell(&core, id, &rng, T0);
        const hg_instrument *inst = inst_of(&core, id);
        hg_cost there, c;
        hg_cost_query q = query_of(id, HG_BUY, 3, (double)(inst->expiry_ns - T0) / 1e9);
        CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &there), HG_OK);
        q.round_trip = true;
        CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
        value(&core, HG_EV_MARK, id, c.mid, T0);
        take(&core, id, HG_BUY, 3);
        hg_cash before = hg_portfolio_get(core.portfolio, id)->fees;
        value(&core, HG_EV_INDEX, 0, spot, inst->expiry_ns);
        value(&core, HG_EV_SETTLE, id, spot, inst->expiry_ns);
        double usd = hg_market_usd(core.market, inst->settle_id);
        double fee = hg_nano_to_double(hg_portfolio_get(core.portfolio, id)->fees - before) * usd;
        CHECK_NEAR(c.fee - there.fee, fee, 1e-9);
        double coins = hg_size_to_double(inst, 3);
        double payoff = fmax(0, inst->cp * (spot - hg_nano_to_double(inst->strike))) * coins;
        double rate = hg_nano_to_double(inst->delivery) * coins * spot;
        CHECK_NEAR(fee, fmin(rate, payoff / 8), 1e-8 * usd);
        none += payoff == 0;
        capped += payoff > 0 && payoff / 8 < rate;
        full += payoff / 8 > rate;
        hg_core_fini(&core);
    }
    CHECK(none > 0 && capped > 0 && full > 0);
}

/* ---- carry ----------------------------------------------------------------------------------- */

static void quote_at(hg_core *core, uint32_t id, double mid, hg_lots size, int64_t at_ns) {
    const hg_instrument *inst = inst_of(core, id);
    hg_event e = {.kind = HG_EV_QUOTE, .id = id, .time_ns = at_ns};
    e.quote.bid = hg_price_round(inst, mid, -1) - hg_instrument_step(inst, 1);
    e.quote.ask = e.quote.bid + 2 * hg_instrument_step(inst, 1);
    e.quote.bid_size = e.quote.ask_size = size;
    hg_core_feed(core, &e);
}

/* A rate that stays, marks away from the mids, three days and a bit by the hour. */
static void funding_of(uint32_t id, hg_side side, double rate) {
    hg_core core;
    const double horizon_s = 3 * 86400 + 1800;
    core_make(&core, HG_FILL_DEPTH);
    value(&core, HG_EV_INDEX, 0, SPOT, T0);
    quote_at(&core, id, kinds[id].mid, 1000000, T0);
    value(&core, HG_EV_MARK, id, kinds[id].mid + 17, T0);
    value(&core, HG_EV_FUNDING, id, rate, T0);
    hg_lots lots = 300;
    hg_cost c;
    hg_cost_query q = query_of(id, side, lots, horizon_s);
    q.funding_mean = rate; /* the rate of now is the market's */
    CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
    take(&core, id, side, lots);
    for (int hour = 1; hour <= 72; hour++) {
        int64_t at_ns = T0 + hour * HG_NS_PER_HOUR;
        value(&core, HG_EV_INDEX, 0, SPOT, at_ns);
        value(&core, HG_EV_FUNDING, id, rate, at_ns);
    }
    value(&core, HG_EV_INDEX, 0, SPOT, T0 + (int64_t)horizon_s * HG_NS_PER_S);
    double usd = hg_market_usd(core.market, inst_of(&core, id)->settle_id);
    hg_cash booked = hg_portfolio_get(core.portfolio, id)->funding +
                     hg_portfolio_accrued(core.portfolio, id, core.now_ns);
    CHECK(booked != 0 && (c.carry > 0) == ((side == HG_BUY) == (rate > 0)));
    CHECK_NEAR(-hg_nano_to_double(booked) * usd, c.carry, 2e-9 * usd + 1e-9);
    CHECK_NEAR(-parts_of(&core, id).funding, c.carry, 2e-9 * usd + 1e-9);
    hg_core_fini(&core);
}

TEST(funding_at_a_constant_rate_is_what_was_said) {
    for (uint32_t id = PERP; id <= LINEAR; id++) {
        funding_of(id, HG_BUY, 0.0003);
        funding_of(id, HG_SELL, 0.0003);
        funding_of(id, HG_BUY, -0.00002);
    }
}

/* The basis runs off evenly under a spot that stands; marks follow it by the day. */
static void basis_of(uint32_t id, hg_side side, double share) {
    hg_core core;
    core_make(&core, HG_FILL_DEPTH);
    int64_t left_ns = inst_of(&core, id)->expiry_ns - T0;
    int64_t hold_ns = (int64_t)((double)left_ns * share) / HG_NS_PER_S * HG_NS_PER_S;
    value(&core, HG_EV_INDEX, 0, SPOT, T0);
    quote_at(&core, id, kinds[id].mid, 1000000, T0);
    double mid = hg_market_mid(core.market, id);
    value(&core, HG_EV_MARK, id, mid, T0);
    hg_lots lots = 300;
    hg_cost c;
    hg_cost_query q = query_of(id, side, lots, (double)hold_ns / 1e9);
    CHECK_EQ(hg_cost_of(core.market, core.margin, &q, core.now_ns, &c), HG_OK);
    take(&core, id, side, lots);
    double equity = equity_of(&core);
    for (int64_t at_ns = T0; at_ns < T0 + hold_ns;) {
        at_ns += HG_NS_PER_DAY;
        at_ns = at_ns < T0 + hold_ns ? at_ns : T0 + hold_ns;
        double gone = (double)(at_ns - T0) / (double)left_ns;
        value(&core, HG_EV_INDEX, 0, SPOT, at_ns);
        value(&core, HG_EV_MARK, id, mid - (mid - SPOT) * gone, at_ns);
    }
    double usd = hg_market_usd(core.market, inst_of(&core, id)->settle_id);
    CHECK((c.carry > 0) == (side == HG_BUY));
    double tolerance = 100e-9 * usd + 1e-9 * c.notional; /* a settlement a day; marks in 1e-9 */
    CHECK_NEAR(equity - equity_of(&core), c.carry, tolerance);
    CHECK_NEAR(-parts_of(&core, id).basis, c.carry, tolerance);
    hg_core_fini(&core);
}

TEST(basis_that_runs_off_is_what_was_said) {
    for (uint32_t id = FUTURE; id <= LINEAR_FUTURE; id++) {
        for (int side = -1; side <= 1; side += 2) {
            basis_of(id, (hg_side)side, 0.01);
            basis_of(id, (hg_side)side, 0.5);
            basis_of(id, (hg_side)side, 0.99);
        }
    }
}
