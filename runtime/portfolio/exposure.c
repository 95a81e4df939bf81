/* Exposure: what a book would feel, in desk units, recomputed only as far as something changed.
 *
 *   nothing changed            the answer of before, with its age moved on
 *   sizes or pending changed   sums over the columns
 *   a vol changed              that option is priced again, then the sums
 *   spot, a forward or time    one pass: all columns of this underlying, no other one
 *
 * Symbols: per option V undiscounted Black-76 in USD per coin of size, F forward, S spot. Coin
 * value of an option: V/F when coin-settled (the exchanges' mark), V/S when linear. USD value: coin
 * value * S. Units: delta coins, gamma coins per USD, vega and volga per vol point, theta and charm
 * per calendar day, rho per 1 % (dV/dr at fixed F = -T V).
 *
 * Unknown is never absent: an option without a vol counts with the assumed one, without a forward
 * with the spot, without a spot as if at the money; the answer then says "partial" and why. */
#include "base/assert.h"
#include "base/clock.h"
#include "greeks/batch.h"
#include "greeks/black76.h"
#include "portfolio/portfolio_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIME_STEP_NS HG_NS_PER_S      /* times to expiry move in steps of this ... */
#define EXPIRY_NEAR_NS HG_NS_PER_HOUR /* ... but not this near to an expiry */
#define VOL_AGE_FACTOR 20             /* how much older than a price a vol may be */
#define POINT 0.01                    /* a vol point, and 1 % of rate */
#define DAYS_PER_YEAR 365.0

/* Appends one reason while there is room. */
static void reason_add(hg_book *b, const char *what, const char *name) {
    char *text = b->answer.reasons;
    size_t used = strlen(text);
    size_t room = sizeof b->answer.reasons - used;
    if (room > strlen(what) + strlen(name) + 4) {
        snprintf(text + used, room, "%s%s %s", used ? ", " : "", what, name);
    }
}

static void lacks(hg_book *b, const char *what, const char *name) {
    b->missing = true;
    reason_add(b, what, name);
}

static void input_time(hg_book *b, int64_t time_ns) {
    b->oldest_ns = time_ns < b->oldest_ns ? time_ns : b->oldest_ns;
}

/* --- inputs of the columns ----------------------------------------------------------------------
 */

/* Its own state changed; or the vol is borrowed or assumed, and another option may have become the
 * better source. */
static bool option_vol_due(const hg_book *b, uint32_t i) {
    return b->seen[i] != b->state[i]->version || b->source[i] == HG_IV_NEIGHBOUR ||
           b->source[i] == HG_IV_NONE;
}

/* Reads the vol again; true when it is another one. */
static bool option_vol_read(const hg_portfolio *p, hg_book *b, uint32_t i) {
    double sigma = HG_IV_ASSUMED;
    int64_t time_ns = 0;
    hg_iv_source source = hg_market_iv(p->market, b->option_ids[i], &sigma, &time_ns);
    if (!isfinite(sigma) || sigma < 0) {
        sigma = HG_IV_ASSUMED;
        source = HG_IV_NONE;
    }
    bool changed = sigma != b->sigma[i];
    b->seen[i] = b->state[i]->version;
    b->source[i] = (uint8_t)source;
    b->sigma[i] = sigma;
    b->iv_ns[i] = time_ns;
    return changed;
}

static void vols_read(const hg_portfolio *p, hg_book *b) {
    for (uint32_t i = 0; i < b->options; i++) {
        if (!b->priced || option_vol_due(b, i)) {
            option_vol_read(p, b, i);
        }
    }
}

/* Reads the forwards again; true when one is another. They may follow a dated future, whose quotes
 * do not move the spot's version, and they age with the spot. */
static bool forwards_read(const hg_portfolio *p, hg_book *b) {
    bool moved = false;
    for (uint32_t s = 0; s < b->expiries; s++) {
        double f = hg_market_forward(p->market, b->expiry_ids[s], &b->expiry_ns[s]);
        f = f > 0 && isfinite(f) ? f : 0;
        moved = moved || f != b->expiry_f[s];
        b->expiry_f[s] = f;
    }
    return moved;
}

static void next_expiry_read(const hg_portfolio *p, hg_book *b, int64_t now_ns) {
    b->next_expiry_ns = INT64_MAX;
    for (uint32_t s = 0; s < b->expiries; s++) {
        int64_t expiry_ns = hg_universe_expiry(p->universe, b->expiry_ids[s])->time_ns;
        if (expiry_ns > now_ns && expiry_ns < b->next_expiry_ns) {
            b->next_expiry_ns = expiry_ns;
        }
    }
}

/* The moment options are priced at: a whole second, so that an answer depends on what happened and
 * never on who asked before. */
static int64_t pricing_time(const hg_book *b, int64_t now_ns) {
    bool near = b->next_expiry_ns <= now_ns || b->next_expiry_ns - now_ns < EXPIRY_NEAR_NS;
    return near ? now_ns : now_ns - now_ns % TIME_STEP_NS;
}

static void times_read(const hg_portfolio *p, hg_book *b) {
    for (uint32_t s = 0; s < b->expiries; s++) {
        int64_t expiry_ns = hg_universe_expiry(p->universe, b->expiry_ids[s])->time_ns;
        b->expiry_t[s] = hg_market_years(expiry_ns, b->time_ns);
    }
}

/* Forward, time and weights of every option from its expiry. */
static void columns_fill(hg_book *b, double spot) {
    double inv_spot = spot > 0 ? 1 / spot : 0;
    for (uint32_t s = 0; s < b->expiries; s++) {
        b->expiry_inv_f[s] = b->expiry_f[s] > 0 ? 1 / b->expiry_f[s] : inv_spot;
    }
    for (uint32_t i = 0; i < b->options; i++) {
        uint32_t s = b->slot[i];
        double f = b->expiry_f[s] > 0 ? b->expiry_f[s] : spot;
        bool known = f > 0;
        double inv_f = known ? b->expiry_inv_f[s] : 1 / b->k[i];
        b->f[i] = known ? f : b->k[i];
        b->t[i] = b->expiry_t[s];
        b->coin_w[i] = b->inverse[i] ? inv_f : inv_spot;
        b->usd_w[i] = b->inverse[i] ? spot * inv_f : 1;
    }
}

static void options_price(hg_book *b) {
    const hg_batch_in in = {b->f, b->k, b->t, b->sigma, b->cp};
    const hg_batch_out out = {.price = b->price,
                              .delta = b->delta,
                              .gamma = b->gamma,
                              .vega = b->vega,
                              .theta = b->theta,
                              .vanna = b->vanna,
                              .volga = b->volga,
                              .charm = b->charm};
    hg_greeks_batch(&in, &out, b->options);
}

/* Prices the `count` options named in p->changed through packed columns. */
static void options_reprice(hg_portfolio *p, hg_book *b, uint32_t count) {
    hg_assert(count <= p->scratch_capacity);
    double *const in_of[] = {b->f, b->k, b->t, b->sigma, b->cp};
    double *const out_of[] = {b->price, b->delta, b->gamma, b->vega,
                              b->theta, b->vanna, b->volga, b->charm};
    double *col[13];
    for (size_t c = 0; c < 13; c++) {
        col[c] = p->scratch + c * p->scratch_capacity;
    }
    for (uint32_t n = 0; n < count; n++) {
        for (size_t c = 0; c < 5; c++) {
            col[c][n] = in_of[c][p->changed[n]];
        }
    }
    const hg_batch_in in = {col[0], col[1], col[2], col[3], col[4]};
    const hg_batch_out out = {.price = col[5],
                              .delta = col[6],
                              .gamma = col[7],
                              .vega = col[8],
                              .theta = col[9],
                              .vanna = col[10],
                              .volga = col[11],
                              .charm = col[12]};
    hg_greeks_batch(&in, &out, count);
    for (uint32_t n = 0; n < count; n++) {
        for (size_t c = 0; c < 8; c++) {
            out_of[c][p->changed[n]] = col[5 + c][n];
        }
    }
}

/* One pass over the book: everything is new. */
static void pass(hg_portfolio *p, hg_book *b, const hg_market_spot *spot, int64_t now_ns) {
    forwards_read(p, b);
    next_expiry_read(p, b, now_ns);
    b->time_ns = pricing_time(b, now_ns);
    times_read(p, b);
    vols_read(p, b);
    columns_fill(b, spot->spot > 0 && isfinite(spot->spot) ? spot->spot : 0);
    if (b->options > 0) {
        options_price(b);
        p->passes++;
    }
    b->options_due = true;
    b->priced = true;
}

/* Only vols may have changed. */
static void refresh(hg_portfolio *p, hg_book *b) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->options; i++) {
        if (!option_vol_due(b, i)) {
            continue;
        }
        b->options_due = true; /* its age, if nothing else */
        if (option_vol_read(p, b, i)) {
            p->changed[count++] = i;
        }
    }
    if (count > 0) {
        options_reprice(p, b, count);
        p->passes++;
    }
}

/* --- sums ------------------------------------------------------------------------------------- */

static void sizes_read(hg_portfolio *p, hg_book *b) {
    b->pending_options = false;
    for (uint32_t i = 0; i < b->options; i++) {
        const hg_position *pos = &p->holdings[b->option_ids[i]].pos;
        double lot = (double)hg_universe_get(p->universe, b->option_ids[i])->lot / 1e9;
        b->held[i] = (double)pos->lots * lot;
        b->buy[i] = (double)pos->pending_buy * lot;
        b->sell[i] = (double)pos->pending_sell * lot;
        b->pending_options = b->pending_options || pos->pending_buy || pos->pending_sell;
    }
    b->sizes_moved = false;
}

/* What an order may add: `buy` and `sell` units of `delta` each, from none to all of both. */
static void add_pending(hg_exposure *x, double delta, double buy, double sell) {
    double up = buy * delta;
    double down = -sell * delta;
    x->delta += up + down;
    x->pending_hi += (up > 0 ? up : 0) + (down > 0 ? down : 0);
    x->pending_lo += (up < 0 ? up : 0) + (down < 0 ? down : 0);
}

static void sum_options(hg_book *b) {
    hg_exposure *x = &b->answer;
    double delta = 0, gamma = 0, vega = 0, theta = 0, vanna = 0, volga = 0, charm = 0;
    double rho = 0, value = 0, size = 0, coin = 0;
    for (uint32_t i = 0; i < b->options; i++) {
        double held = b->held[i];
        double price = held * b->price[i];
        delta += held * b->delta[i];
        gamma += held * b->gamma[i];
        vega += held * b->vega[i];
        theta += held * b->theta[i];
        vanna += held * b->vanna[i];
        volga += held * b->volga[i];
        charm += held * b->charm[i];
        rho -= price * b->t[i];
        value += price * b->usd_w[i];
        coin += price * b->coin_w[i];
        size += fabs(held);
    }
    x->delta_filled += delta;
    x->gamma += gamma;
    x->vega += vega * POINT;
    x->theta += theta / DAYS_PER_YEAR;
    x->rho += rho * POINT;
    x->vanna += vanna * POINT;
    x->volga += volga * POINT * POINT;
    x->charm += charm / DAYS_PER_YEAR;
    x->value += value;
    x->notional += size * x->spot;
    x->delta_net -= coin;
    for (uint32_t i = 0; b->pending_options && i < b->options; i++) {
        add_pending(x, b->delta[i], b->buy[i], b->sell[i]);
    }
}

/* Coins of delta per lot of a future, perpetual or spot. An inverse contract without any price
 * falls back to the spot, then to the entry; it is never counted as nothing while that is known. */
static double linear_coins(const hg_portfolio *p, const hg_instrument *inst, double price,
                           double spot) {
    const hg_position *pos = &p->holdings[inst->id].pos;
    double at = price > 0 ? price : spot;
    if (!(at > 0) && pos->lots != 0) {
        at = hg_portfolio_entry(p, inst->id);
    }
    return hg_instrument_coins_per_lot(inst, at);
}

static void linear_inputs(const hg_portfolio *p, hg_book *b, const hg_instrument *inst,
                          bool priced) {
    const hg_market_state *state = hg_market_get(p->market, inst->id);
    if (!priced) {
        lacks(b, "no price of", inst->name);
    } else if (state->book_invalid && state->mark_ns == 0) {
        lacks(b, "invalid book of", inst->name);
    }
    int64_t seen = state->mark_ns > state->quote.time_ns ? state->mark_ns : state->quote.time_ns;
    if (seen > 0) {
        input_time(b, seen);
    }
}

static void sum_linear(hg_portfolio *p, hg_book *b, uint32_t id, int64_t now_ns) {
    hg_exposure *x = &b->answer;
    const hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    double price = 0;
    bool idle = h->pos.lots == 0 && h->pos.pending_buy == 0 && h->pos.pending_sell == 0;
    if (idle) { /* an opened leg that is closed by now: what it gained before the session stays out
                 */
        x->delta_cash -= inst->inverse ? hg_nano_to_double(h->first_pnl) : 0;
        return;
    }
    bool priced = hg_value_price(p, id, now_ns, &price);
    double coins = linear_coins(p, inst, price, x->spot);
    double held = (double)h->pos.lots;
    linear_inputs(p, b, inst, priced);
    x->delta_filled += held * coins;
    x->notional += fabs(held) * coins * (price > 0 ? price : x->spot);
    add_pending(x, coins, (double)h->pos.pending_buy, (double)h->pos.pending_sell);
    if (!priced || h->pos.lots == 0) {
        return;
    }
    /* Inverse: coins at entry minus coins now; linear: value now minus cost; spot: its value. */
    double cost = hg_nano_to_double(h->pos.cost);
    double unpriced = (double)h->unpriced;
    if (inst->kind == HG_KIND_SPOT) {
        x->value += held * coins * price;
    } else if (inst->inverse) {
        double gained = cost + unpriced * coins - held * coins;
        x->value += gained * x->spot;
        x->delta_cash += gained - hg_nano_to_double(h->first_pnl) +
                         hg_nano_to_double(hg_funding_open(p, id, now_ns));
    } else {
        x->value += (held - unpriced) * coins * price - cost;
    }
}

/* --- the answer ------------------------------------------------------------------------------- */

static void option_name(hg_portfolio *p, hg_book *b, const char *what, uint32_t i) {
    lacks(b, what, hg_universe_get(p->universe, b->option_ids[i])->name);
}

/* Inputs of what is held or pending. At expiry only the forward still matters. */
static void option_inputs(hg_portfolio *p, hg_book *b) {
    for (uint32_t i = 0; i < b->options; i++) {
        uint32_t s = b->slot[i];
        if (b->held[i] == 0 && b->buy[i] == 0 && b->sell[i] == 0) {
            continue; /* an opened leg that is closed by now */
        }
        if (b->expiry_f[s] > 0) {
            input_time(b, b->expiry_ns[s]);
        } else {
            option_name(p, b, "no forward of", i);
        }
        if (b->t[i] > 0 && b->source[i] == HG_IV_NONE) {
            option_name(p, b, "no vol of", i);
        } else if (b->t[i] > 0) {
            b->oldest_vol_ns = b->iv_ns[i] < b->oldest_vol_ns ? b->iv_ns[i] : b->oldest_vol_ns;
        }
        if (b->state[i]->book_invalid && b->source[i] != HG_IV_MARK) {
            option_name(p, b, "invalid book of", i);
        }
    }
}

/* The options' part of the answer, kept until something about an option or the spot changes. */
static void options_total(hg_portfolio *p, hg_book *b, uint32_t underlying,
                          const hg_market_spot *spot) {
    hg_exposure *x = &b->answer;
    *x = (hg_exposure){.spot = isfinite(spot->spot) && spot->spot > 0 ? spot->spot : 0};
    b->missing = false;
    b->oldest_ns = INT64_MAX;
    b->oldest_vol_ns = INT64_MAX;
    if (b->sizes_moved) {
        sizes_read(p, b);
    }
    if (!(x->spot > 0) && b->options + b->linears > 0) {
        lacks(b, "no spot of", hg_universe_underlying(p->universe, underlying)->name);
    }
    option_inputs(p, b);
    sum_options(b);
    b->part = *x;
    b->part_missing = b->missing;
    b->part_oldest_ns = b->oldest_ns;
    b->options_due = false;
}

static double equity(const hg_portfolio *p, uint32_t underlying, double spot, double value) {
    double usd = value;
    uint32_t coin = hg_universe_underlying(p->universe, underlying)->currency;
    for (uint32_t c = 0; c < hg_universe_currency_count(p->universe); c++) {
        double balance = hg_nano_to_double(p->purses[c].balance);
        if (c == coin) {
            usd += balance * spot;
        } else if (hg_universe_currency(p->universe, c)->stable) {
            usd += balance;
        }
    }
    return usd;
}

/* Nothing that is not finite ever leaves: it becomes 0 and the answer "partial". */
static void purge(hg_book *b) {
    hg_exposure *x = &b->answer;
    double *numbers[] = {
        &x->delta_cash, &x->delta,        &x->delta_net,  &x->delta_usd,  &x->gamma,   &x->vega,
        &x->theta,      &x->rho,          &x->vanna,      &x->volga,      &x->charm,   &x->value,
        &x->notional,   &x->delta_filled, &x->pending_lo, &x->pending_hi, &x->leverage};
    double sum = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sum += *numbers[i] - *numbers[i]; /* 0, or NaN as soon as one is not finite */
    }
    if (sum == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!isfinite(*numbers[i])) {
            *numbers[i] = 0;
        }
    }
    lacks(b, "number out of range in", "the book");
}

static void total(hg_portfolio *p, hg_book *b, uint32_t underlying, const hg_market_spot *spot,
                  int64_t now_ns) {
    hg_exposure *x = &b->answer;
    const hg_purse *purse = &p->purses[hg_universe_underlying(p->universe, underlying)->currency];
    if (b->options_due || b->sizes_moved) {
        options_total(p, b, underlying, spot);
    }
    *x = b->part;
    b->missing = b->part_missing;
    b->oldest_ns = b->part_oldest_ns;
    if (spot->time_ns > 0) {
        input_time(b, spot->time_ns);
    }
    x->delta_cash = hg_nano_to_double(purse->balance - purse->deposited);
    for (uint32_t i = 0; i < b->linears; i++) {
        sum_linear(p, b, b->linear_ids[i], now_ns);
    }
    x->delta += x->delta_filled;
    x->pending_lo += x->delta_filled;
    x->pending_hi += x->delta_filled;
    x->delta_net += x->delta;
    x->delta_usd = x->delta * x->spot;
    double own = fabs(equity(p, underlying, x->spot, x->value));
    x->leverage = own > 0 ? x->notional / own : 0;
    purge(b);
    b->moved = false;
}

static int64_t age_of(int64_t now_ns, int64_t seen_ns) {
    return seen_ns == INT64_MAX || now_ns < seen_ns ? 0 : now_ns - seen_ns;
}

/* Age moves on with every question; what was good may have become stale. Prices decide: a vol moves
 * slowly, and an exchange repeats the mark of a far option only when it changes. */
static void grade(const hg_portfolio *p, hg_book *b, int64_t now_ns) {
    hg_exposure *x = &b->answer;
    int64_t age_ns = age_of(now_ns, b->oldest_ns);
    int64_t limit_ns = p->options.max_age_ns;
    bool old_vol = age_of(now_ns, b->oldest_vol_ns) > limit_ns * VOL_AGE_FACTOR;
    x->age_s = (double)age_ns / 1e9;
    if (b->missing) {
        x->quality = HG_QUALITY_PARTIAL;
    } else if (age_ns <= limit_ns && !old_vol) {
        x->quality = HG_QUALITY_GOOD;
        x->reasons[0] = '\0';
    } else if (x->quality != HG_QUALITY_STALE) {
        x->quality = HG_QUALITY_STALE;
        snprintf(x->reasons, sizeof x->reasons, "%s older than %g s", old_vol ? "vols" : "prices",
                 (double)(old_vol ? limit_ns * VOL_AGE_FACTOR : limit_ns) / 1e9);
    }
}

const hg_exposure *hg_portfolio_exposure(hg_portfolio *p, uint32_t underlying, int64_t now_ns) {
    hg_assert(underlying < hg_universe_underlying_count(p->universe));
    hg_book *b = &p->books[underlying];
    const hg_market_spot *spot = hg_market_underlying(p->market, underlying);
    bool spot_moved = !b->priced || spot->version != b->spot_version;
    bool state_moved = !b->priced || spot->state_version != b->state_version;
    bool aged = b->options > 0 && pricing_time(b, now_ns) != b->time_ns;
    bool told = spot->time_ns != b->spot_ns; /* the same spot again: only younger */
    if (b->priced && !spot_moved && !state_moved && !aged && !told && !b->moved) {
        grade(p, b, now_ns);
        return &b->answer;
    }
    if (b->restructure) {
        hg_book_rebuild(p, b, underlying);
    }
    if (!b->priced || spot_moved || aged || forwards_read(p, b)) {
        pass(p, b, spot, now_ns);
    } else if (state_moved) {
        refresh(p, b);
    }
    b->options_due = b->options_due || told;
    b->spot_version = spot->version;
    b->state_version = spot->state_version;
    b->spot_ns = spot->time_ns;
    total(p, b, underlying, spot, now_ns);
    grade(p, b, now_ns);
    return &b->answer;
}

/* An option outside the book, or before anything was priced. */
static double option_delta(const hg_portfolio *p, const hg_instrument *inst, int64_t now_ns) {
    double sigma = HG_IV_ASSUMED;
    double spot = hg_market_underlying(p->market, inst->underlying_id)->spot;
    double strike = hg_nano_to_double(inst->strike);
    double f = hg_market_forward(p->market, inst->expiry_id, NULL);
    hg_greeks g;
    hg_market_iv(p->market, inst->id, &sigma, NULL);
    f = f > 0 && isfinite(f) ? f : spot > 0 ? spot : strike;
    int rc = hg_black76_all(f, strike, hg_market_years(inst->expiry_ns, now_ns), sigma, inst->cp, 0,
                            &g);
    return rc < 0 ? 0.5 * inst->cp : g.delta;
}

double hg_portfolio_delta_of(hg_portfolio *p, uint32_t id, hg_lots lots, int64_t now_ns) {
    hg_assert(id < hg_universe_count(p->universe));
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    const hg_exposure *x = hg_portfolio_exposure(p, inst->underlying_id, now_ns);
    double per_lot = 0;
    if (inst->kind == HG_KIND_OPTION) {
        uint32_t column = p->holdings[id].column;
        double delta = column != HG_ID_NONE ? p->books[inst->underlying_id].delta[column]
                                            : option_delta(p, inst, now_ns);
        per_lot = delta * ((double)inst->lot / 1e9);
    } else {
        double price = 0;
        hg_value_price(p, id, now_ns, &price);
        per_lot = linear_coins(p, inst, price, x->spot);
    }
    double delta = (double)lots * per_lot;
    return isfinite(delta) ? delta : 0;
}
