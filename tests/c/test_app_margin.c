/* Liquidation in a session: bars of the four worst crypto days driven through a short-gamma book,
 * with a second opinion on when the venue must act, and to the last unit of cash what it costs. */
#include "app/core.h"
#include "base/clock.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOL 0.9
#define HALF 0.0005 /* of an option's spread, coins */

enum { PUT, CALL, PERP, LEGS };

typedef struct {
    hg_core core;
    hg_margin_model model;
    double spot;
    int64_t round_ns; /* of the notes below */
    int starts, orders, ends, wrong;
    hg_cash cash; /* sum of every change told */
    hg_cash fees; /* of fills, told by the exec observer */
    bool active;
    hg_lots size[LEGS];
    /* Funding of the perpetual as the second opinion has it, coins. */
    double rate, funding, booked;
    double mark; /* at the last bar */
    int64_t funding_ns;
} rig;

/* ---- the second opinion ---------------------------------------------------------------------- */

static double black(double f, double k, double t, double sigma, int cp) {
    double s = sigma * sqrt(t);
    double d1 = log(f / k) / s + s / 2;
    return cp * (f * 0.5 * erfc(-cp * d1 / sqrt(2)) - k * 0.5 * erfc(-cp * (d1 - s) / sqrt(2)));
}

static double amount_of(const rig *r, uint32_t id) {
    const hg_instrument *inst = hg_universe_get(r->core.universe, id);
    return hg_size_to_double(inst, hg_portfolio_get(r->core.portfolio, id)->lots);
}

static double coins(const rig *r) {
    uint32_t btc = hg_universe_find_currency(r->core.universe, "BTC");
    return hg_nano_to_double(hg_portfolio_cash(r->core.portfolio, btc));
}

static double option_coins(const rig *r, uint32_t id, double move, double sigma, int64_t now_ns) {
    const hg_instrument *inst = hg_universe_get(r->core.universe, id);
    double t = (double)(inst->expiry_ns - now_ns) / 1e9 / 86400 / 365;
    double f = r->spot * (1 + move);
    return black(f, (double)inst->strike / 1e9, t, sigma, inst->cp) / f;
}

static double standard_maintenance(const rig *r, int64_t now_ns) {
    double sum = 0;
    for (uint32_t id = PUT; id <= CALL; id++) {
        double mark = option_coins(r, id, 0, VOL, now_ns);
        double least = id == PUT ? fmax(0.075, 0.075 * mark) : 0.075;
        sum += -amount_of(r, id) * (least + mark);
    }
    double q = fabs(amount_of(r, PERP)) / r->spot;
    return sum + (0.01 + 0.00005 * q) * q;
}

static double shocked(const rig *r, double move, int vol, int64_t now_ns) {
    double pnl = 0;
    for (uint32_t id = PUT; id <= CALL; id++) {
        const hg_instrument *inst = hg_universe_get(r->core.universe, id);
        double days = fmax((double)(inst->expiry_ns - now_ns) / 1e9 / 86400, 1);
        double scale = pow(30 / days, days < 30 ? 0.3 : 0.13);
        double sigma = vol > 0   ? fmax(VOL * (1 + 0.5 * scale), 0.5)
                       : vol < 0 ? fmax(VOL * (1 - 0.25 * scale), 0)
                                 : VOL;
        pnl += amount_of(r, id) *
               (option_coins(r, id, move, sigma, now_ns) - option_coins(r, id, 0, VOL, now_ns));
    }
    return pnl + amount_of(r, PERP) / r->spot * (1 - 1 / (1 + move));
}

static double portfolio_maintenance(const rig *r, int64_t now_ns) {
    static const double far[] = {-0.66, -0.33, 0.5, 1, 2, 3, 4, 5};
    double worst = 0;
    double roll = fabs(amount_of(r, PERP)) / r->spot * 0.01;
    double options = 0;
    for (int k = -4; k <= 4; k++) {
        for (int vol = -1; vol <= 1; vol++) {
            worst = fmax(worst, -shocked(r, 0.04 * k, vol, now_ns));
        }
    }
    for (int k = 0; k < 8; k++) {
        double edge = far[k] > 0 ? 1.16 : 0.84;
        double usd = shocked(r, far[k], 1, now_ns) * (1 + far[k]) * r->spot * 0.16 / fabs(far[k]);
        usd += usd < 0 ? fmin((fabs(far[k]) / 0.16 - 1) * 100000, -usd) : 0;
        worst = fmax(worst, -usd / (edge * r->spot));
    }
    for (uint32_t id = PUT; id <= CALL; id++) {
        const hg_instrument *inst = hg_universe_get(r->core.universe, id);
        double t = (double)(inst->expiry_ns - now_ns) / 1e9 / 86400 / 365;
        double d1 = log(r->spot * 1e9 / (double)inst->strike) / (VOL * sqrt(t)) + VOL * sqrt(t) / 2;
        options += amount_of(r, id) * inst->cp * 0.5 * erfc(-inst->cp * d1 / sqrt(2));
    }
    const hg_instrument *put = hg_universe_get(r->core.universe, PUT);
    double years = (double)(put->expiry_ns - now_ns) / 1e9 / 86400 / 365;
    roll += fabs(options) * fmax(exp(0.075 * years) - 1, 0.01);
    return 0.8 * (worst + roll);
}

/* Received by now: -rate * value * dt / 8 h, the value that at the mark of the last bar. */
static double funding_by(const rig *r, int64_t now_ns) {
    const hg_instrument *perp = hg_universe_get(r->core.universe, PERP);
    double periods = (double)(now_ns - r->funding_ns) / 1e9 / 3600 / 8;
    double amount = hg_size_to_double(perp, r->size[PERP]);
    return r->rate == 0 ? r->funding : r->funding - r->rate * amount / r->mark * periods;
}

/* What is left after maintenance; liquidation must happen exactly where it is not above zero. */
static double room(const rig *r, int64_t now_ns) {
    const hg_position *perp = hg_portfolio_get(r->core.portfolio, PERP);
    double balance = coins(r) + hg_nano_to_double(perp->cost) - amount_of(r, PERP) / r->spot;
    balance += funding_by(r, now_ns) - r->booked;
    if (r->model == HG_MARGIN_STANDARD) {
        return balance - standard_maintenance(r, now_ns);
    }
    for (uint32_t id = PUT; id <= CALL; id++) {
        balance += amount_of(r, id) * option_coins(r, id, 0, VOL, now_ns);
    }
    return balance - portfolio_maintenance(r, now_ns);
}

/* ---- observers ------------------------------------------------------------------------------- */

static void on_note(void *context, const hg_liquidation_note *note) {
    rig *r = context;
    double left = room(r, r->core.now_ns);
    r->round_ns = r->core.now_ns;
    switch (note->phase) {
    case HG_LIQUIDATION_START:
        r->starts++;
        r->wrong += r->active || left > 1e-7;
        r->active = true;
        break;
    case HG_LIQUIDATION_ORDER:
        r->orders++;
        r->wrong += !r->active;
        break;
    case HG_LIQUIDATION_END:
        r->ends++;
        r->wrong += !r->active || left < -1e-7;
        r->active = false;
        break;
    default:
        break;
    }
    /* Fees at once: the note of an order comes after its fills were matched, not booked. */
    CHECK_EQ(note->currency, hg_universe_find_currency(r->core.universe, "BTC"));
}

static void on_cash(void *context, uint32_t currency, hg_cash amount, hg_cash balance,
                    hg_cash_cause cause) {
    rig *r = context;
    if (currency == hg_universe_find_currency(r->core.universe, "BTC")) {
        r->cash += amount;
        r->booked += cause == HG_CASH_FUNDING ? hg_nano_to_double(amount) : 0;
        CHECK_EQ(balance, r->cash);
    }
}

/* 0.2 % of a coin for options, 1 % of the value for futures, rounded half to even as all money. */
static void on_fill(void *context, const hg_order *order, const hg_event *fill) {
    rig *r = context;
    const hg_instrument *inst = hg_universe_get(r->core.universe, order->instrument);
    CHECK(order->liquidation);
    CHECK_EQ(order->strategy, HG_STRATEGY_ANY);
    __int128 want = (__int128)fill->order.size * inst->lot;
    if (inst->kind == HG_KIND_OPTION) {
        want = want / 500;
    } else {
        __int128 price = (__int128)fill->order.price * inst->tick;
        __int128 value = (want * HG_NANO * 2 + price) / (price * 2);
        want = (value + 50) / 100;
    }
    CHECK_NEAR((double)(fill->order.fee - (hg_cash)want), 0, 1); /* a tie may round either way */
    r->fees += fill->order.fee;
    r->funding = funding_by(r, fill->time_ns);
    r->funding_ns = fill->time_ns;
    r->size[order->instrument] += order->side * fill->order.size;
}

/* ---- the market ------------------------------------------------------------------------------ */

static void feed(rig *r, hg_event e, int64_t now_ns) {
    e.time_ns = now_ns;
    hg_core_feed(&r->core, &e);
}

static void bar(rig *r, double spot, double rate, int64_t now_ns) {
    hg_core_settle(&r->core, now_ns); /* rounds before the bar see the old spot */
    hg_event e = {.kind = HG_EV_FUNDING, .id = PERP, .flags = HG_EVF_MORE};
    r->funding = funding_by(r, now_ns);
    r->funding_ns = now_ns;
    r->spot = r->mark = spot;
    if (rate != r->rate) {
        r->rate = rate;
        e.price.value = (hg_nano)llround(rate * 1e9);
        feed(r, e, now_ns);
    }
    e = (hg_event){.kind = HG_EV_INDEX, .flags = HG_EVF_MORE};
    e.price.value = (hg_nano)llround(spot * 1e9);
    feed(r, e, now_ns);
    e = (hg_event){.kind = HG_EV_FORWARD, .flags = HG_EVF_MORE};
    e.price.value = (hg_nano)llround(spot * 1e9);
    feed(r, e, now_ns);
    for (uint32_t id = PUT; id <= CALL; id++) {
        const hg_instrument *inst = hg_universe_get(r->core.universe, id);
        e = (hg_event){.kind = HG_EV_MARK, .id = id, .flags = HG_EVF_MORE};
        e.mark.iv = (hg_nano)(VOL * 1e9);
        feed(r, e, now_ns);
        double mark = option_coins(r, id, 0, VOL, now_ns);
        e = (hg_event){.kind = HG_EV_QUOTE, .id = id, .flags = HG_EVF_MORE};
        e.quote.bid = hg_price_round(inst, mark - HALF, -1);
        e.quote.ask = hg_price_round(inst, mark + HALF, 1);
        e.quote.bid_size = e.quote.bid > 0 ? 1000 : 0;
        e.quote.ask_size = 1000;
        feed(r, e, now_ns);
    }
    const hg_instrument *perp = hg_universe_get(r->core.universe, PERP);
    e = (hg_event){.kind = HG_EV_MARK, .id = PERP, .flags = HG_EVF_MORE};
    e.mark.price = (hg_nano)llround(spot * 1e9);
    feed(r, e, now_ns);
    e = (hg_event){.kind = HG_EV_QUOTE, .id = PERP};
    e.quote.bid = hg_price_round(perp, spot, -1) - 1;
    e.quote.ask = hg_price_round(perp, spot, 1) + 1;
    e.quote.bid_size = e.quote.ask_size = 10000000;
    feed(r, e, now_ns);
}

/* Options of a month, 10 % out of the money at the first bar, and a long perpetual: 10 % of a
 * coin's delta for each. */
static void rig_open(rig *r, hg_margin_model model, double spot, int64_t start_ns, double cash) {
    *r = (rig){.model = model, .core.universe = hg_universe_new()};
    char name[64], date[16];
    int64_t month_ns = start_ns / HG_NS_PER_DAY * HG_NS_PER_DAY + 30 * HG_NS_PER_DAY;
    hg_expiry_format(month_ns, date, sizeof date);
    hg_book book = {0};
    for (uint32_t id = PUT; id < LEGS; id++) {
        double strike = nearbyint(spot * (id == PUT ? 0.9 : 1.1) / 500) * 500;
        snprintf(name, sizeof name, "BTC-%s-%.0f-%c", date, strike, id == PUT ? 'P' : 'C');
        const char *of = id == PERP ? "BTC-PERPETUAL" : name;
        hg_nano size = id == PERP ? (hg_nano)nearbyint(spot / 10) * 10 * HG_NANO : -10 * HG_NANO;
        hg_nano entry = id == PERP ? (hg_nano)llround(spot * 1e9) : 0;
        CHECK_EQ(hg_book_add(&book, r->core.universe, of, size, entry), HG_OK);
        CHECK_EQ(book.rows[id].instrument, id);
        r->size[id] = book.rows[id].lots;
    }
    hg_deposit deposit = {hg_universe_find_currency(r->core.universe, "BTC"),
                          (hg_cash)llround(cash * 1e9)};
    hg_core_options o = {
        .paper = {.fill = HG_FILL_DEPTH, .fees = true   },
        .margin = model,
        .deposits = &deposit,
        .deposit_count = 1,
        .exec_observer = {.context = r,          .fill = on_fill},
        .portfolio_observer = {.context = r,          .cash = on_cash},
        .liquidation_observer = {r,                     on_note        }
    };
    hg_limits_default(&o.limits);
    CHECK_EQ(hg_core_open(&r->core, &o, &book, start_ns), HG_OK);
    hg_book_free(&book);
}

/* One bar and the seconds after it, each judged by both. */
static void play(rig *r, double spot, double rate, int64_t now_ns, int seconds) {
    bar(r, spot, rate, now_ns);
    for (int k = 1; k <= seconds; k++) {
        int64_t at_ns = (now_ns / HG_NS_PER_S + k) * HG_NS_PER_S;
        hg_core_settle(&r->core, at_ns - 1);
        bool judged = k == 1 || r->active;
        bool before = r->active;
        double left = room(r, at_ns);
        hg_core_settle(&r->core, at_ns);
        bool told = r->round_ns == at_ns || before;
        if (judged && fabs(left) > 1e-7) { /* not earlier, not later */
            r->wrong += left < 0 && !told;
            r->wrong += left > 0 && r->active && !before;
            r->wrong += left > 0 && before && r->active;
        }
        if (!r->active) {
            break;
        }
    }
}

/* Recorded rates of Binance's BTC perpetual: rate[i] was paid at ms[i] for the 8 h before it. */
typedef struct {
    int64_t ms[8192];
    double rate[8192];
    int count;
} history;

static void history_read(history *h) {
    const char *path = "market/funding_dvol/funding_8h_2020_2024.csv.gz";
    const char *of = ",binance,BTC-USDT,";
    char command[512], line[160];
    TEST_NEEDS(path);
    snprintf(command, sizeof command, "gzip -dc '%s'", test_data(path));
    FILE *f = popen(command, "r");
    CHECK(f != NULL);
    h->count = 0;
    while (fgets(line, sizeof line, f) && h->count < 8192) {
        const char *at = strstr(line, of);
        if (at) {
            h->ms[h->count] = strtoll(line, NULL, 10);
            h->rate[h->count++] = strtod(at + strlen(of), NULL);
        }
    }
    CHECK_EQ(pclose(f), 0);
    CHECK(h->count > 4000);
}

/* The rate in force, 0 where none was recorded. */
static double history_at(const history *h, int64_t now_ms) {
    for (int i = 0; i < h->count; i++) {
        if (h->ms[i] > now_ms) {
            return h->ms[i] - now_ms <= 8 * 3600000 ? h->rate[i] : 0;
        }
    }
    return 0;
}

/* Booked and open: to a unit a booking what the second opinion has. */
static void funding_check(const rig *r, const history *h, int64_t last_ms) {
    int64_t now_ns = r->core.now_ns;
    hg_cash got = hg_portfolio_get(r->core.portfolio, PERP)->funding +
                  hg_portfolio_accrued(r->core.portfolio, PERP, now_ns);
    CHECK_NEAR(hg_nano_to_double(got), funding_by(r, now_ns), 1e-7);
    bool known = last_ms < h->ms[h->count - 1];
    CHECK_EQ(got != 0, known);
    printf(known ? "note: funding %.6f BTC\n" : "note: funding is not known: %.0f booked\n",
           hg_nano_to_double(got));
}

static void run_bars(const char *file, hg_margin_model model, double cash_of_room) {
    char path[256], line[512];
    snprintf(path, sizeof path, "market/stress_ohlc/%s", file);
    TEST_NEEDS(path);
    static history rates;
    history_read(&rates);
    FILE *f = fopen(test_data(path), "r");
    CHECK(f != NULL);
    rig r = {0};
    int bars = 0;
    double low = INFINITY;
    while (fgets(line, sizeof line, f)) {
        double ms, open, high, least, close;
        if (sscanf(line, "%lf,%lf,%lf,%lf,%lf", &ms, &open, &high, &least, &close) != 5) {
            continue; /* the header */
        }
        int64_t now_ns = (int64_t)ms * HG_NS_PER_MS;
        if (now_ns <= r.core.now_ns) {
            continue; /* told twice */
        }
        if (bars++ == 0) {
            rig_open(&r, model, close, now_ns - HG_NS_PER_S, cash_of_room);
        }
        play(&r, close, history_at(&rates, (int64_t)ms), now_ns, 50);
        low = fmin(low, close);
        CHECK_EQ(r.wrong, 0);
    }
    fclose(f);
    for (uint32_t id = PUT; id < LEGS; id++) {
        CHECK_EQ(hg_portfolio_get(r.core.portfolio, id)->lots, r.size[id]);
    }
    funding_check(&r, &rates, r.core.now_ns / HG_NS_PER_MS);
    uint32_t btc = hg_universe_find_currency(r.core.universe, "BTC");
    CHECK_EQ(hg_portfolio_cash(r.core.portfolio, btc), r.cash);
    printf("note: %s %s: %d bars, low %.0f, %d liquidations of %d orders, fees %.4f BTC\n", file,
           hg_margin_model_name(model), bars, low, r.starts, r.orders, (double)r.fees / 1e9);
    CHECK(r.starts > 0 && r.orders >= r.starts && r.ends >= r.starts - 1);
    hg_core_fini(&r.core);
}

TEST_WITHIN(march_2020_liquidates_where_the_formulas_say, 120) {
    run_bars("binance_spot_BTCUSDT_5m_20200307_20200312T2110.csv", HG_MARGIN_STANDARD, 3.5);
    run_bars("binance_spot_BTCUSDT_5m_20200307_20200312T2110.csv", HG_MARGIN_PORTFOLIO, 3.5);
}

TEST_WITHIN(may_2021_liquidates_where_the_formulas_say, 120) {
    run_bars("binance_spot_BTCUSDT_1m_20210517_20210520.csv", HG_MARGIN_STANDARD, 3.5);
    run_bars("binance_spot_BTCUSDT_1m_20210517_20210520.csv", HG_MARGIN_PORTFOLIO, 3.5);
}

TEST_WITHIN(november_2022_liquidates_where_the_formulas_say, 120) {
    run_bars("binance_spot_BTCUSDT_5m_20221106_20221112.csv", HG_MARGIN_STANDARD, 3.5);
    run_bars("binance_spot_BTCUSDT_5m_20221106_20221112.csv", HG_MARGIN_PORTFOLIO, 3.5);
}

TEST_WITHIN(october_2025_liquidates_where_the_formulas_say, 120) {
    run_bars("binance_usdm_BTCUSDT_5m_20251008_20251013.csv", HG_MARGIN_STANDARD, 3.2);
    run_bars("binance_usdm_BTCUSDT_5m_20251008_20251013.csv", HG_MARGIN_PORTFOLIO, 2.6);
}
