/* Order books of perpetuals, spot and futures: about twenty levels a side around the fair price.
 *
 * An update moves the touch to where the model wants it: levels it has passed are deleted, the gap
 * behind it is filled, the far end is trimmed or refilled, and now and then a resting size changes.
 * Only what changed is emitted; after a jump the whole book is sent again as a snapshot. The quote
 * of an update is always the first level of both sides. In stress the spread and the distances
 * grow and the sizes shrink. */
#include "venue/sim_int.h"

#include "base/assert.h"

#include <math.h>
#include <string.h>

/* Further away than this many spacings a new snapshot is cheaper than changes. */
enum { JUMP_SPACINGS = 10, TRIM_AT = 25, REFILL_AT = 16 };

typedef struct {
    double half;    /* of the spread, share of the price */
    double spacing; /* of levels, share of the price */
    double size;    /* relative to the perpetual's */
} book_shape;

static const book_shape shapes[] = {
    [SIM_PERPETUAL] = {0.10e-4, 0.5e-4, 1.0 },
    [SIM_PERPETUAL_LINEAR] = {0.20e-4, 0.6e-4, 0.4 },
    [SIM_SPOT] = {0.35e-4, 0.8e-4, 0.25},
    [SIM_FUTURE] = {0.60e-4, 1.0e-4, 0.4 },
};

/* What an update works with. */
typedef struct {
    hg_sim *sim;
    sim_market *market;
    sim_linear *linear;
    hg_ticks target[2]; /* wanted touch */
    double spacing;     /* ticks between levels */
    double lots;        /* mean size at the touch */
} book_work;

/* +1 for bids, -1 for asks: times a distance it points away from the other side. */
static int64_t outward(int side) {
    return side == 0 ? -1 : 1;
}

static void emit(const book_work *work, int side, sim_level level, bool first) {
    hg_event *event = hg_sim_push(work->sim, HG_EV_DEPTH, work->linear->inst.id);
    event->side = side == 0 ? HG_BUY : HG_SELL;
    event->flags |= first ? HG_EVF_SNAPSHOT : 0;
    event->level.price = level.price;
    event->level.size = level.size;
    hg_assert(level.price > 0 && level.size >= 0);
}

static void emit_quote(const book_work *work) {
    sim_linear *linear = work->linear;
    hg_assert(linear->side[0].count > 0 && linear->side[1].count > 0);
    sim_level bid = linear->side[0].levels[0];
    sim_level ask = linear->side[1].levels[0];
    hg_assert(bid.price < ask.price);
    if (memcmp(&bid, &linear->quoted[0], sizeof bid) == 0 &&
        memcmp(&ask, &linear->quoted[1], sizeof ask) == 0) {
        return;
    }
    linear->quoted[0] = bid;
    linear->quoted[1] = ask;
    hg_sim_quote(work->sim, linear->inst.id, bid, ask);
}

static book_work prepare(hg_sim *sim, sim_market *market, sim_linear *linear) {
    const book_shape *shape = &shapes[linear->role];
    const hg_instrument *inst = &linear->inst;
    double wide = hg_sim_path_spread(&sim->path);
    double fair = hg_sim_market_fair(market, linear);
    double tick = hg_price_to_double(inst, 1);
    double lot_usd = hg_size_to_double(inst, 1) * (inst->inverse ? 1 : fair);
    book_work work = {.sim = sim, .market = market, .linear = linear};
    work.target[0] = hg_price_round(inst, fair * (1 - shape->half * wide), -1);
    work.target[1] = hg_price_round(inst, fair * (1 + shape->half * wide), 1);
    if (work.target[1] <= work.target[0]) {
        work.target[1] = work.target[0] + 1;
    }
    work.spacing = fmax(1, shape->spacing * fair / tick * fmin(wide, 6));
    work.lots = market->coin->size_usd * shape->size * hg_sim_path_depth(&sim->path) / lot_usd;
    return work;
}

static hg_ticks gap(const book_work *work) {
    return 1 + (hg_ticks)(work->spacing * (0.4 + 1.2 * hg_rng_uniform(&work->market->book_rng)));
}

/* Sizes grow with the distance from the touch. */
static hg_lots draw_size(const book_work *work, uint32_t level) {
    double mean = work->lots * (1 + 0.2 * (double)level);
    double part = hg_rng_uniform(&work->market->book_rng);
    return 1 + (hg_lots)(mean * (0.2 + 2.4 * part * part));
}

/* --- changes of one side -----------------------------------------------------------------------
 */

static void remove_front(const book_work *work, int side) {
    sim_side *book = &work->linear->side[side];
    uint32_t gone = 0;
    while (gone < book->count &&
           (book->levels[gone].price - work->target[side]) * outward(side) < 0) {
        emit(work, side, (sim_level){book->levels[gone].price, 0}, false);
        gone++;
    }
    book->count -= gone;
    memmove(book->levels, book->levels + gone, book->count * sizeof book->levels[0]);
}

/* Puts the touch at its target and levels between it and the old touch. */
static void insert_front(const book_work *work, int side) {
    sim_side *book = &work->linear->side[side];
    if (book->count > 0 && book->levels[0].price == work->target[side]) {
        return;
    }
    sim_level fresh[JUMP_SPACINGS];
    uint32_t count = 0;
    hg_ticks price = work->target[side];
    do {
        fresh[count] = (sim_level){price, draw_size(work, count)};
        emit(work, side, fresh[count], false);
        count++;
        price += outward(side) * gap(work);
    } while (count < JUMP_SPACINGS && book->count > 0 &&
             (book->levels[0].price - price) * outward(side) > (int64_t)(work->spacing / 2));
    hg_assert(book->count + count <= SIM_LEVELS);
    memmove(book->levels + count, book->levels, book->count * sizeof book->levels[0]);
    memcpy(book->levels, fresh, count * sizeof fresh[0]);
    book->count += count;
}

static void trim_back(const book_work *work, int side) {
    sim_side *book = &work->linear->side[side];
    if (book->count < TRIM_AT) {
        return;
    }
    while (book->count > SIM_LEVELS_KEPT) {
        book->count--;
        emit(work, side, (sim_level){book->levels[book->count].price, 0}, false);
    }
}

/* Adds levels behind the last one; `first` marks the start of a snapshot. */
static void append_back(const book_work *work, int side, bool first) {
    sim_side *book = &work->linear->side[side];
    hg_assert(book->count > 0);
    while (book->count < SIM_LEVELS_KEPT) {
        sim_level *last = &book->levels[book->count - 1];
        hg_ticks price = last->price + outward(side) * gap(work);
        if (price <= 0) {
            return;
        }
        last[1] = (sim_level){price, draw_size(work, book->count)};
        emit(work, side, last[1], first);
        book->count++;
    }
}

/* A resting size somewhere changes. */
static void change_size(const book_work *work) {
    hg_rng *rng = &work->market->book_rng;
    int side = (int)hg_rng_below(rng, 2);
    sim_side *book = &work->linear->side[side];
    uint32_t at = (uint32_t)hg_rng_below(rng, book->count < 10 ? book->count : 10);
    book->levels[at].size = draw_size(work, at);
    emit(work, side, book->levels[at], false);
}

/* --- whole books -------------------------------------------------------------------------------
 */

static void snapshot(const book_work *work) {
    for (int side = 0; side < 2; side++) {
        sim_side *book = &work->linear->side[side];
        book->levels[0] = (sim_level){work->target[side], draw_size(work, 0)};
        book->count = 1;
        emit(work, side, book->levels[0], side == 0);
        append_back(work, side, false);
    }
    emit_quote(work);
}

void hg_sim_book_snapshot(hg_sim *sim, sim_market *market, sim_linear *linear) {
    hg_assert(hg_sim_linear_live(market, linear));
    book_work work = prepare(sim, market, linear);
    snapshot(&work);
}

static bool jumped(const book_work *work) {
    double limit = JUMP_SPACINGS * work->spacing;
    for (int side = 0; side < 2; side++) {
        hg_ticks move = work->target[side] - work->linear->side[side].levels[0].price;
        if (fabs((double)move) > limit) {
            return true;
        }
    }
    return false;
}

void hg_sim_book_update(hg_sim *sim, sim_market *market, sim_linear *linear) {
    hg_assert(linear->side[0].count > 0 && linear->side[1].count > 0);
    book_work work = prepare(sim, market, linear);
    if (jumped(&work)) {
        snapshot(&work);
        return;
    }
    remove_front(&work, 0);
    remove_front(&work, 1);
    for (int side = 0; side < 2; side++) {
        insert_front(&work, side);
        trim_back(&work, side);
        if (linear->side[side].count < REFILL_AT) {
            append_back(&work, side, false);
        }
    }
    change_size(&work);
    emit_quote(&work);
}

/* A market order takes part of the touch, or all of it. */
void hg_sim_book_trade(hg_sim *sim, sim_market *market, sim_linear *linear) {
    hg_rng *rng = &market->trade_rng;
    int side = (int)hg_rng_below(rng, 2);
    sim_side *book = &linear->side[side];
    hg_assert(book->count > 1);
    sim_level *touch = &book->levels[0];
    double part = hg_rng_uniform(rng);
    hg_lots size = 1 + (hg_lots)((double)touch->size * 1.2 * part * part * part);
    size = size < touch->size ? size : touch->size;
    hg_event *event = hg_sim_push(sim, HG_EV_TRADE, linear->inst.id);
    event->side = side == 0 ? HG_SELL : HG_BUY;
    event->level.price = touch->price;
    event->level.size = size;
    touch->size -= size;
    book_work work = {.sim = sim, .market = market, .linear = linear};
    emit(&work, side, *touch, false);
    if (touch->size == 0) {
        book->count--;
        memmove(book->levels, book->levels + 1, book->count * sizeof book->levels[0]);
    }
    emit_quote(&work);
}
