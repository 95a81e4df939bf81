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
#include "base/text.h"
#include "domain/delivery.h"
#include "greeks/black76.h"
#include "portfolio/portfolio_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define VOL_AGE_FACTOR 20 /* how much older than a price a vol may be */
#define POINT 0.01        /* a vol point, and 1 % of rate */
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

/* --- sums ------------------------------------------------------------------------------------- */

/* Orders, and what is meant to become orders. */
static hg_lots coming_buy(const hg_position *pos) {
    return pos->pending_buy + pos->planned_buy;
}

static hg_lots coming_sell(const hg_position *pos) {
    return pos->pending_sell + pos->planned_sell;
}

static void sizes_read(hg_portfolio *p, hg_book *b) {
    b->pending_options = false;
    for (uint32_t i = 0; i < b->options; i++) {
        const hg_position *pos = &p->holdings[b->option_ids[i]].pos;
        double lot = (double)hg_universe_get(p->universe, b->option_ids[i])->lot / 1e9;
        bool pending = coming_buy(pos) != 0 || coming_sell(pos) != 0;
        b->held[i] = (double)pos->lots * lot;
        b->buy[i] = (double)coming_buy(pos) * lot;
        b->sell[i] = (double)coming_sell(pos) * lot;
        b->used[i] = pos->lots != 0 || pending ? UINT8_MAX : 0;
        b->pending_options = b->pending_options || pending;
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
    double size = 0;
    for (uint32_t n = 0; n < b->groups; n++) {
        const hg_group *g = &b->group[n];
        double price = 0;
        for (uint32_t i = g->first; i < g->end; i++) {
            double held = b->held[i];
            price += held * b->price[i];
            delta += held * b->delta[i];
            gamma += held * b->gamma[i];
            vega += held * b->vega[i];
            theta += held * b->theta[i];
            vanna += held * b->vanna[i];
            volga += held * b->volga[i];
            charm += held * b->charm[i];
            size += fabs(held);
        }
        x->rho -= price * g->t * POINT;
        x->value += price * g->usd_w;
        /* What is fixed of a coin-settled delivery is a number of coins: money already. */
        double coins = price * g->coin_w;
        double fixed = g->inverse ? (1 - g->open) * coins : 0;
        x->delta_net -= coins - fixed;
        x->delta_cash += fixed;
    }
    x->delta_filled += delta;
    x->gamma += gamma;
    x->vega += vega * POINT;
    x->theta += theta / DAYS_PER_YEAR;
    x->vanna += vanna * POINT;
    x->volga += volga * POINT * POINT;
    x->charm += charm / DAYS_PER_YEAR;
    x->notional += size * x->spot;
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
    bool idle = h->pos.lots == 0 && coming_buy(&h->pos) == 0 && coming_sell(&h->pos) == 0;
    if (idle) { /* an opened leg that is closed by now: what it gained before the session stays out
                 */
        x->delta_cash -= inst->inverse ? hg_nano_to_double(h->first_pnl) : 0;
        return;
    }
    bool priced = hg_value_price(p, id, now_ns, &price);
    double coins = linear_coins(p, inst, price, x->spot);
    double moving = coins * hg_delivery_open(inst->expiry_ns, now_ns);
    double held = (double)h->pos.lots;
    linear_inputs(p, b, inst, priced);
    x->delta_filled += held * moving;
    x->notional += fabs(held) * coins * (price > 0 ? price : x->spot);
    add_pending(x, moving, (double)coming_buy(&h->pos), (double)coming_sell(&h->pos));
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

static void option_lacks(hg_portfolio *p, hg_book *b, const char *what, uint32_t i) {
    lacks(b, what, hg_universe_get(p->universe, b->option_ids[i])->name);
}

/* Names what is missing. At expiry a vol no longer matters. */
static void option_flaws(hg_portfolio *p, hg_book *b, const hg_group *g) {
    for (uint32_t i = g->first; i < g->end; i++) {
        if (!b->used[i]) {
            continue; /* an opened leg that is closed by now */
        }
        if (!(g->f > 0)) {
            option_lacks(p, b, "no forward of", i);
        }
        if (g->t > 0 && (b->flaw[i] & HG_FLAW_VOL)) {
            option_lacks(p, b, "no vol of", i);
        } else if (b->flaw[i] & HG_FLAW_BOOK) {
            option_lacks(p, b, "invalid book of", i);
        }
    }
}

/* Age and flaws of what is held or pending. */
static void option_inputs(hg_portfolio *p, hg_book *b) {
    for (uint32_t n = 0; n < b->groups; n++) {
        const hg_group *g = &b->group[n];
        int64_t oldest_ns = INT64_MAX;
        unsigned flaws = 0;
        unsigned used = 0;
        for (uint32_t i = g->first; i < g->end; i++) {
            int64_t at = b->used[i] && !(b->flaw[i] & HG_FLAW_VOL) ? b->iv_ns[i] : INT64_MAX;
            oldest_ns = at < oldest_ns ? at : oldest_ns;
            flaws |= b->flaw[i] & b->used[i];
            used |= b->used[i];
        }
        if (used && g->f > 0) {
            input_time(b, g->forward_ns);
        }
        if (g->t > 0 && oldest_ns < b->oldest_vol_ns) {
            b->oldest_vol_ns = oldest_ns;
        }
        if (flaws || (used && !(g->f > 0))) {
            option_flaws(p, b, g);
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
    x->delta_cash += hg_nano_to_double(purse->balance - purse->deposited);
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
    x->version = ++p->exposures;
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
        hg_text_copy(x->reasons, sizeof x->reasons, old_vol ? p->old_vols : p->old_prices);
    }
}

/* The words for staleness, written once: a slow feed would have them written on every tick. */
void hg_exposure_words(hg_portfolio *p) {
    double limit_s = (double)p->options.max_age_ns / 1e9;
    snprintf(p->old_prices, sizeof p->old_prices, "prices older than %g s", limit_s);
    snprintf(p->old_vols, sizeof p->old_vols, "vols older than %g s", limit_s * VOL_AGE_FACTOR);
}

const hg_exposure *hg_portfolio_exposure(hg_portfolio *p, uint32_t underlying, int64_t now_ns) {
    hg_assert(underlying < hg_universe_underlying_count(p->universe));
    hg_book *b = &p->books[underlying];
    const hg_market_spot *spot = hg_market_underlying(p->market, underlying);
    bool spot_moved = !b->priced || spot->version != b->spot_version;
    bool state_moved = !b->priced || spot->state_version != b->state_version;
    bool aged = b->options > 0 && hg_book_time(b, now_ns) != b->time_ns;
    bool told = spot->time_ns != b->spot_ns; /* the same spot again: only younger */
    if (b->priced && !spot_moved && !state_moved && !aged && !told && !b->moved) {
        grade(p, b, now_ns);
        return &b->answer;
    }
    if (b->restructure) {
        hg_book_rebuild(p, b, underlying);
    }
    if (!b->priced || spot_moved || aged || hg_book_forwards(p, b)) {
        double at = spot->spot > 0 && isfinite(spot->spot) ? spot->spot : 0;
        hg_book_pass(p, b, at, state_moved, now_ns);
    } else if (state_moved) {
        hg_book_refresh(p, b);
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
    return (rc < 0 ? 0.5 * inst->cp : g.delta) * hg_delivery_open(inst->expiry_ns, now_ns);
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
        per_lot = linear_coins(p, inst, price, x->spot) * hg_delivery_open(inst->expiry_ns, now_ns);
    }
    double delta = (double)lots * per_lot;
    return isfinite(delta) ? delta : 0;
}
