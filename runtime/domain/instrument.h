#ifndef HG_DOMAIN_INSTRUMENT_H
#define HG_DOMAIN_INSTRUMENT_H

#include "base/error.h"
#include "domain/margin_terms.h"

#include <stdbool.h>

#define HG_NAME_MAX 40
#define HG_CODE_MAX 12

typedef enum { HG_KIND_OPTION, HG_KIND_PERPETUAL, HG_KIND_FUTURE, HG_KIND_SPOT } hg_kind;

/* Anything tradable. `amount` is the venue's size unit: coins for options, linear contracts and
 * spot; USD for inverse perpetuals and futures. Prices are in `quote` (coin for inverse options,
 * USD for inverse futures, the stablecoin for linear ones); money moves in `settle`. */
typedef struct hg_instrument {
    char name[HG_NAME_MAX];
    char underlying[HG_CODE_MAX]; /* "BTC": whose index and delta it belongs to */
    char quote[HG_CODE_MAX];      /* unit of the price: "BTC", "USD", "USDC" */
    char settle[HG_CODE_MAX];     /* currency of cash flows and fees */
    hg_kind kind;
    bool inverse;       /* settled in the coin */
    int8_t cp;          /* +1 call, -1 put, 0 not an option */
    int64_t expiry_ns;  /* 0: never */
    hg_nano strike;     /* options: USD (or stablecoin) per coin */
    hg_nano tick;       /* smallest price step; one hg_ticks */
    hg_nano tick_above; /* from this price upward ... (0: one step everywhere) */
    hg_nano tick_step;  /* ... prices move by this step, a multiple of tick */
    hg_nano lot;        /* smallest size step in amount units; one hg_lots */
    hg_nano maker;      /* fee rates: of notional for futures and spot, of one coin for options */
    hg_nano taker;
    hg_nano fee_cap;        /* options: the fee never exceeds this share of the premium (0.125) */
    hg_nano delivery;       /* fee rate at expiry, same base as taker */
    hg_margin_terms margin; /* filled by the universe where nothing is given */
    /* Set by the universe when the instrument is added. */
    uint32_t id;
    uint32_t underlying_id;
    uint32_t expiry_id; /* shared by all instruments of one underlying and expiry, or UINT32_MAX */
    uint32_t settle_id; /* currency */
    uint32_t quote_id;
} hg_instrument;

const char *hg_kind_name(hg_kind kind); /* "option" "perpetual" "future" "spot" */

/* Reads a Deribit-style name (BTC-PERPETUAL, ETH-27FEB26, BTC-27FEB26-80000-P,
 * XRP_USDC-30JUN25-0d625-C, BTC_USDC) and fills the contract's terms from the built-in table.
 * HG_ENOTFOUND when the name has another form or the coin is not in the table. */
HG_MUST_CHECK int hg_instrument_from_name(const char *name, hg_instrument *out);

/* Checks that the fields make a tradable contract (positive tick and lot, strike and expiry for
 * options, ...). The record names the field. */
HG_MUST_CHECK int hg_instrument_check(const hg_instrument *inst);

/* "27FEB26" <-> nanoseconds of 08:00 UTC that day. */
bool hg_expiry_parse(const char *text, size_t len, int64_t *expiry_ns);
char *hg_expiry_format(int64_t expiry_ns, char *buf, size_t size);

/* The step in ticks that prices at this level must be a multiple of. */
static inline hg_ticks hg_instrument_step(const hg_instrument *inst, hg_ticks price) {
    return inst->tick_above > 0 && price >= inst->tick_above / inst->tick
               ? inst->tick_step / inst->tick
               : 1;
}

static inline double hg_price_to_double(const hg_instrument *inst, hg_ticks price) {
    return (double)(price * inst->tick) / 1e9;
}

static inline double hg_size_to_double(const hg_instrument *inst, hg_lots size) {
    return (double)(size * inst->lot) / 1e9;
}

/* Exact conversions: false when the value is not a multiple of the tick (lot) or out of range.
 * Doubles count as exact within 1e-6 of a step, since scripts compute prices in binary. */
bool hg_price_from_nano(const hg_instrument *inst, hg_nano price, hg_ticks *out);
bool hg_size_from_nano(const hg_instrument *inst, hg_nano size, hg_lots *out);
bool hg_price_from_double(const hg_instrument *inst, double price, hg_ticks *out);
bool hg_size_from_double(const hg_instrument *inst, double size, hg_lots *out);

/* Nearest valid price below or equal (direction < 0) or above or equal (direction > 0). */
hg_ticks hg_price_round(const hg_instrument *inst, double price, int direction);

/* Coins of underlying that one lot stands for at `price` (USD per coin): inverse futures shrink as
 * the price rises, everything else is constant. Options: coins of notional, not delta. */
double hg_instrument_coins_per_lot(const hg_instrument *inst, double price);

/* Money. All are in the settlement currency; false when the result does not fit.
 * value: what `lots` are worth at `price` (price * amount; amount / price for inverse futures). */
bool hg_value(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *out);

/* The venue's trading fee for a fill (>= 0). `underlying` is USD per coin, used by linear options.
 * Source: Deribit fee schedule of 2026-08-01, rates read from the instrument. */
bool hg_fee(const hg_instrument *inst, hg_nano price, hg_lots lots, bool maker, hg_nano underlying,
            hg_cash *out);

/* What an option on `size` coins pays at a delivery price: max(0, cp (D - K)) a coin, divided by D
 * for coin-settled ones. */
bool hg_payoff(const hg_instrument *inst, hg_nano price, hg_nano size, hg_cash *out);

/* The venue's fee for the delivery of so many lots (>= 0) at a price: the delivery rate; of options
 * at most `fee_cap` (12.5 %) of the payoff, so none for what expires worthless. Nothing for what
 * does not expire. */
bool hg_delivery_fee(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *out);

#endif
