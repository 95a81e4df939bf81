/* Random streams of orders, amendments, cancels and lost answers against a naive gate, which keeps
 * a plain list of orders and sums over it at each question. */
#include "base/log.h"
#include "base/rng.h"
#include "test_exec_risk_kit.h"

#include <stdio.h>

#define ORDERS_MAX 4096

typedef struct {
    uint64_t id;
    uint32_t instrument;
    uint16_t strategy;
    int side;
    double size, filled; /* amount units */
    bool open;
} plain_order;

typedef struct {
    world w;
    hg_limits limits;
    hg_rng rng;
    plain_order orders[ORDERS_MAX];
    int count;
    double position[5];
    hg_unit one[5]; /* of one amount unit */
} plain;

static double pending(const plain *p, uint32_t id, int side) {
    double sum = 0;
    for (int i = 0; i < p->count; i++) {
        const plain_order *o = &p->orders[i];
        sum += o->open && o->instrument == id && o->side == side ? o->size - o->filled : 0;
    }
    return sum;
}

static int open_count(const plain *p, uint32_t id, int strategy) {
    int n = 0;
    for (int i = 0; i < p->count; i++) {
        const plain_order *o = &p->orders[i];
        n += o->open && (id == HG_ID_NONE || o->instrument == id) &&
             (strategy < 0 || o->strategy == strategy);
    }
    return n;
}

static double usd_of(uint32_t id, double size) {
    return id == PERP ? size : id == ETH ? size * 3000 : size * 60000;
}

static double coins_of(uint32_t id, double size) {
    return id == PERP ? size / 60000 : size;
}

/* Worst case of one Greek on the side the order moves it to: every subset may fill. */
static double worst(const plain *p, const double *per_unit, uint32_t id, double adds) {
    bool up = adds * per_unit[id] > 0;
    double sum = adds * per_unit[id];
    for (uint32_t k = 0; k < 5; k++) {
        if ((k == ETH) != (id == ETH)) {
            continue;
        }
        sum += p->position[k] * per_unit[k];
        for (int side = -1; side <= 1; side += 2) {
            double moved = side * pending(p, k, side) * per_unit[k];
            sum += (moved > 0) == up ? moved : 0;
        }
    }
    return sum;
}

static bool beyond(const plain *p, size_t field, double limit, uint32_t id, double adds) {
    double per_unit[5];
    for (uint32_t k = 0; k < 5; k++) {
        memcpy(&per_unit[k], (const char *)&p->one[k] + field, sizeof per_unit[k]);
    }
    return adds * per_unit[id] != 0 &&
           !(fabs(worst(p, per_unit, id, adds)) <= limit * (1 + 1e-9)) &&
           (worst(p, per_unit, id, adds) > 0) == (adds * per_unit[id] > 0);
}

/* The same answer, thought out again. */
static const char *naive(const plain *p, const hg_order_request *r) {
    double open_usd = 0;
    double held_usd = 0;
    uint32_t id = r->instrument;
    double adds = (double)r->side * r->size;
    for (uint32_t k = 0; k < 5; k++) {
        open_usd += usd_of(k, pending(p, k, 1) + pending(p, k, -1));
        held_usd += usd_of(k, fabs(p->position[k]));
    }
    double room = r->side > 0 ? -p->position[id] - pending(p, id, 1)
                              : p->position[id] - pending(p, id, -1);
    bool closes = r->size <= (room > 0 ? room : 0) + 1e-9;
    double coins = coins_of(id, p->position[id] + (double)r->side * pending(p, id, r->side) + adds);
    double order_usd = usd_of(id, r->size);
    if (!(order_usd <= p->limits.order_value_usd)) return "value_limit";
    if (!(open_count(p, id, -1) < (int)p->limits.open_orders)) return "open_limit";
    if (!(open_count(p, HG_ID_NONE, r->strategy) < (int)p->limits.strategy_open_orders)) {
        return "open_limit";
    }
    if (!(open_usd + order_usd <= p->limits.open_notional_usd + 1e-6)) return "open_notional";
    if (!((double)r->side * coins <= p->limits.position_delta + 1e-9)) return "position_limit";
    if (beyond(p, offsetof(hg_unit, delta), p->limits.delta_coins, id, adds)) {
        return "delta_limit";
    }
    if (beyond(p, offsetof(hg_unit, gamma), p->limits.gamma_usd_per_percent, id, adds)) {
        return "gamma_limit";
    }
    if (beyond(p, offsetof(hg_unit, vega), p->limits.vega_usd_per_point, id, adds)) {
        return "vega_limit";
    }
    if (beyond(p, offsetof(hg_unit, theta), p->limits.theta_usd_per_day, id, adds)) {
        return "theta_limit";
    }
    if (!closes && !(held_usd + open_usd + order_usd <= p->limits.gross_notional_usd + 1e-6)) {
        return "gross_limit";
    }
    return r->reduce_only && !closes ? "reduce_only" : "";
}

static void learn(plain *p) {
    for (int i = 0; i < p->count; i++) {
        plain_order *o = &p->orders[i];
        const hg_order *now = hg_exec_get(p->w.exec, o->id);
        if (!o->open) {
            continue;
        }
        double filled = filled_of(&p->w, o->id);
        p->position[o->instrument] += o->side * (filled - o->filled);
        o->filled = filled; /* reduce-only orders shrink with the position */
        o->size = hg_size_to_double(inst_of(&p->w, o->instrument), now->size);
        o->open = !hg_order_state_done((hg_order_state)now->state);
    }
    int kept = 0;
    for (int i = 0; i < p->count; i++) {
        if (p->orders[i].open) {
            p->orders[kept++] = p->orders[i];
        }
    }
    p->count = kept;
}

static hg_order_request random_order(plain *p) {
    static const double step[] = {0.5, 30000, 0.5, 0.5, 10};
    uint32_t id = (uint32_t)hg_rng_below(&p->rng, 5);
    hg_side side = hg_rng_below(&p->rng, 2) ? HG_BUY : HG_SELL;
    bool market = hg_rng_below(&p->rng, 3) == 0;
    bool option = id == CALL || id == PUT;
    double at = id == ETH ? 3000 : 60000;
    double price = option ? (side == HG_BUY ? 0.09 : 0.11) : side == HG_BUY ? at - 60 : at + 60;
    hg_order_request r = request(id, side, market ? 0 : price,
                                 step[id] * (double)(1 + hg_rng_below(&p->rng, 6)));
    r.strategy = (uint16_t)hg_rng_below(&p->rng, 2);
    r.reduce_only = hg_rng_below(&p->rng, 8) == 0;
    r.again = true;
    return r;
}

static void touch_something(plain *p) {
    if (p->count == 0) {
        return;
    }
    const plain_order *o = &p->orders[hg_rng_below(&p->rng, (uint64_t)p->count)];
    switch (hg_rng_below(&p->rng, 3)) {
    case 0:
        hg_exec_cancel(p->w.exec, o->id, p->w.now_ns);
        break;
    case 1:
        hg_exec_lost(p->w.exec, o->id, p->w.now_ns); /* counts on until it is known */
        break;
    default:
        if (hg_rng_below(&p->rng, 2)) {
            hg_exec_cancel_all(p->w.exec, 0, HG_ID_NONE, p->w.now_ns);
        }
    }
}

static void open_plain(plain *p, uint64_t seed) {
    *p = (plain){
        .limits = {.order_value_usd = 150000,
                   .open_orders = 6,
                   .strategy_open_orders = 12,
                   .open_notional_usd = 1300000,
                   .position_delta = 8,
                   .delta_coins = 10,
                   .gamma_usd_per_percent = 1e5,
                   .vega_usd_per_point = 700,
                   .theta_usd_per_day = 250,
                   .gross_notional_usd = 1900000,
                   .orders_per_second = 1000000,
                   .repeated_window_ns = 1,
                   .hedge_overshoot = 1e9,
                   .hedge_tries = 1000000,
                   .refusals_per_second = 1000000}
    };
    static hg_limit_extra extra;
    hg_rng_init(&p->rng, seed, 3);
    CHECK_EQ(hg_limits_set(&p->limits, &extra, "self_trade", "venue"), HG_OK);
    CHECK_EQ(hg_limits_set(&p->limits, &extra, "underlying.ETH.position_delta", "1000"), HG_OK);
    CHECK_EQ(hg_limits_set(&p->limits, &extra, "underlying.ETH.delta_coins", "1000"), HG_OK);
    open_world(&p->w, p->limits);
}

/* What one unit is worth now, from Black-76 of the exposure's own room. */
static void read_units(plain *p) {
    static const double size[] = {1, 10, 1, 1, 1};
    for (uint32_t k = 0; k < 5; k++) {
        hg_unit u = unit_of(&p->w, k, size[k]);
        p->one[k] = (hg_unit){u.delta / size[k], u.gamma / size[k] * 60000 * 60000 * 0.01,
                              u.vega / size[k], u.theta / size[k]};
    }
}

TEST_WITHIN(random_orders_agree_with_a_naive_gate, 120) {
    static plain p;
    const uint64_t seed = 20261122;
    int passed = 0;
    int refused[64] = {0};
    printf("seed %llu\n", (unsigned long long)seed);
    hg_log_level_set(HG_LOG_ERROR);
    open_plain(&p, seed);
    for (int i = 0; i < 40000; i++) {
        later(&p.w, HG_NS_PER_MS);
        market_moves(&p.w, 60000);
        world_answers(&p.w);
        learn(&p);
        read_units(&p);
        hg_order_request r = random_order(&p);
        if (r.instrument == ETH) {
            p.limits.position_delta = p.limits.delta_coins = 1000;
        } else {
            p.limits.position_delta = 8;
            p.limits.delta_coins = 10;
        }
        const char *expected = naive(&p, &r);
        uint64_t id = send_request(&p.w, r);
        CHECK_STR(hg_reject_code(p.w.refusal.code), expected);
        refused[p.w.refusal.code]++;
        if (p.w.refusal.code == HG_REJECT_NONE) {
            passed++;
            CHECK(p.count < ORDERS_MAX);
            p.orders[p.count++] = (plain_order){id, r.instrument, r.strategy, r.side, r.size,
                                                0,  true};
        }
        if (hg_rng_below(&p.rng, 3) == 0) {
            touch_something(&p);
        }
    }
    int kinds = 0;
    for (int code = 1; code < 64; code++) {
        kinds += refused[code] > 20;
    }
    printf("note: %d of 40000 orders passed, %d reasons to refuse\n", passed, kinds);
    CHECK(passed > 4000 && kinds >= 7);
    world_close(&p.w);
}
