/* Which contracts exist: the venue's expiry calendar and strike grid at the start of a session.
 *
 * Expiries are at 08:00 UTC: the next days, Fridays, last Fridays of the months, and last Fridays
 * of March, June, September and December for about a year (Deribit, "Contract introduction
 * policy"). Nothing is listed later, so strikes reach far enough for a crash of a third. */
#include "venue/sim_int.h"

#include "base/assert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRIDAY = 4, GRIDS = 4 };

/* Multiples of `units` times the coin's finest spacing, where |ln(strike/forward)| <= width. */
typedef struct {
    int units;
    double width;
} strike_grid;

typedef struct {
    double days_max;
    strike_grid grids[GRIDS];
} strike_rule;

/* Three standard deviations at a vol of 0.5 and never less than 0.35. */
static const strike_rule rules[] = {
    {3,   {{1, 0.03}, {2, 0.10}, {4, 0.20}, {10, 0.35}} },
    {20,  {{2, 0.08}, {4, 0.20}, {10, 0.42}}            },
    {75,  {{2, 0.05}, {4, 0.22}, {10, 0.45}, {20, 0.70}}},
    {200, {{4, 0.20}, {10, 0.45}, {20, 0.85}, {40, 1.0}}},
    {1e9, {{10, 0.30}, {20, 0.80}, {40, 1.5}}           },
};

static const strike_rule *rule_for(double days) {
    size_t i = 0;
    while (days > rules[i].days_max) {
        i++;
    }
    hg_assert(i < sizeof rules / sizeof rules[0]);
    return &rules[i];
}

/* --- calendar ----------------------------------------------------------------------------------
 */

static int64_t at_eight(int64_t day) {
    return day * HG_NS_PER_DAY + 8 * HG_NS_PER_HOUR;
}

static int64_t last_friday(int year, int month) {
    hg_date next = month == 12 ? (hg_date){year + 1, 1, 1} : (hg_date){year, month + 1, 1};
    int64_t day = hg_date_to_days(next) - 1;
    day -= (hg_date_weekday(day) - FRIDAY + 7) % 7;
    hg_assert(hg_date_weekday(day) == FRIDAY);
    return day;
}

/* Keeps the list sorted and free of doubles. */
static void expiry_insert(sim_market *market, int64_t time_ns) {
    hg_assert(market->expiry_count < SIM_EXPIRIES);
    uint32_t at = market->expiry_count;
    while (at > 0 && market->expiries[at - 1].time_ns >= time_ns) {
        at--;
    }
    if (at < market->expiry_count && market->expiries[at].time_ns == time_ns) {
        return;
    }
    for (uint32_t i = market->expiry_count; i > at; i--) {
        market->expiries[i] = market->expiries[i - 1];
    }
    market->expiries[at] = (sim_expiry){.time_ns = time_ns};
    market->expiry_count++;
}

/* Last Fridays of the coming months: the next few, then the quarters of a year. */
static void insert_months(sim_market *market, int64_t start_ns) {
    hg_date date = hg_date_from_days(start_ns / HG_NS_PER_DAY);
    int monthlies = market->coin->monthlies;
    int quarterlies = market->coin->quarterlies;
    for (int i = 0; i < 16; i++) {
        int month = (date.month - 1 + i) % 12 + 1;
        int64_t time_ns = at_eight(last_friday(date.year + (date.month - 1 + i) / 12, month));
        if (time_ns <= start_ns) {
            continue;
        }
        bool quarterly = month % 3 == 0 && quarterlies > 0;
        if (quarterly || monthlies > 0) {
            expiry_insert(market, time_ns);
        }
        quarterlies -= month % 3 == 0;
        monthlies--;
    }
}

static void calendar(sim_market *market, int64_t start_ns) {
    int64_t day = start_ns / HG_NS_PER_DAY;
    if (at_eight(day) <= start_ns) {
        day++;
    }
    for (int i = 0; i < market->coin->dailies; i++) {
        expiry_insert(market, at_eight(day + i));
    }
    int64_t friday = day + (FRIDAY - hg_date_weekday(day) + 7) % 7;
    for (int i = 0; i < market->coin->weeklies; i++) {
        expiry_insert(market, at_eight(friday + 7 * i));
    }
    insert_months(market, start_ns);
}

/* --- strikes -----------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint32_t strikes_of(const sim_coin *coin, double days, double *out) {
    uint32_t count = 0;
    const strike_rule *rule = rule_for(days);
    for (int g = 0; g < GRIDS && rule->grids[g].units > 0; g++) {
        double step = rule->grids[g].units * coin->strike_unit;
        double width = rule->grids[g].width;
        for (double k = step; k < coin->price * 8 && count < SIM_STRIKES; k += step) {
            if (fabs(log(k / coin->price)) <= width) {
                out[count++] = k;
            }
        }
    }
    hg_assert(count > 0 && count < SIM_STRIKES);
    qsort(out, count, sizeof out[0], by_value);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < count; i++) {
        if (out[i] > out[kept - 1]) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

static int add(hg_universe *universe, const char *coin, const char *rest, uint32_t *id) {
    char name[HG_NAME_MAX];
    int len = snprintf(name, sizeof name, "%s%s", coin, rest);
    hg_assert(len > 0 && (size_t)len < sizeof name);
    return hg_universe_add_name(universe, name, id);
}

static int add_options(sim_market *market, sim_expiry *expiry, const double *strikes,
                       hg_universe *universe) {
    char date[16];
    hg_expiry_format(expiry->time_ns, date, sizeof date);
    for (uint32_t i = 0; i < expiry->strike_count; i++) {
        sim_strike *strike = &expiry->strikes[i];
        *strike = (sim_strike){.strike = strikes[i]};
        for (int put = 0; put < 2; put++) {
            char rest[32];
            snprintf(rest, sizeof rest, "-%s-%.0f-%c", date, strikes[i], put ? 'P' : 'C');
            int rc = add(universe, market->coin->name, rest, &strike->id[put]);
            if (rc < 0) {
                return rc;
            }
        }
    }
    const hg_instrument *first = hg_universe_get(universe, expiry->strikes[0].id[0]);
    market->option = *first;
    expiry->id = first->expiry_id;
    return HG_OK;
}

static int add_chain(sim_market *market, int64_t start_ns, hg_universe *universe) {
    market->strikes = calloc((size_t)market->expiry_count * SIM_STRIKES, sizeof(sim_strike));
    if (!market->strikes) {
        return HG_ERR(HG_ENOMEM, "option chain of %s", market->coin->name);
    }
    sim_strike *next = market->strikes;
    for (uint32_t e = 0; e < market->expiry_count; e++) {
        sim_expiry *expiry = &market->expiries[e];
        double days = (double)(expiry->time_ns - start_ns) / (double)HG_NS_PER_DAY;
        double strikes[SIM_STRIKES] = {0};
        expiry->strike_count = strikes_of(market->coin, days, strikes);
        expiry->strikes = next;
        next += expiry->strike_count;
        int rc = add_options(market, expiry, strikes, universe);
        if (rc < 0) {
            return rc;
        }
    }
    hg_assert(next <= market->strikes + (size_t)market->expiry_count * SIM_STRIKES);
    return HG_OK;
}

/* --- everything else ---------------------------------------------------------------------------
 */

static int add_linear(sim_market *market, sim_role role, uint32_t expiry, const char *rest,
                      hg_universe *universe) {
    hg_assert(market->linear_count < SIM_LINEARS);
    sim_linear *linear = &market->linears[market->linear_count];
    uint32_t id = 0;
    int rc = add(universe, market->coin->name, rest, &id);
    if (rc < 0) {
        return rc;
    }
    *linear = (sim_linear){.role = role, .expiry = expiry};
    linear->inst = *hg_universe_get(universe, id);
    market->linear_count++;
    return HG_OK;
}

/* Futures of the first month-end expiries. */
static int add_futures(sim_market *market, hg_universe *universe) {
    int wanted = market->coin->futures;
    for (uint32_t e = 0; e < market->expiry_count && wanted > 0; e++) {
        int64_t time_ns = market->expiries[e].time_ns;
        hg_date date = hg_date_from_days(time_ns / HG_NS_PER_DAY);
        if (time_ns / HG_NS_PER_DAY != last_friday(date.year, date.month)) {
            continue;
        }
        char rest[16] = "-";
        hg_expiry_format(time_ns, rest + 1, sizeof rest - 1);
        int rc = add_linear(market, SIM_FUTURE, e, rest, universe);
        if (rc < 0) {
            return rc;
        }
        wanted--;
    }
    return HG_OK;
}

int hg_sim_chain_init(sim_market *market, int64_t start_ns, hg_universe *universe) {
    hg_assert(market->coin != NULL);
    hg_assert(market->expiry_count == 0);
    int rc = hg_universe_add_underlying(universe, market->coin->name, &market->id);
    if (rc == HG_OK) {
        rc = add_linear(market, SIM_PERPETUAL, 0, "-PERPETUAL", universe);
    }
    if (rc == HG_OK) {
        rc = add_linear(market, SIM_PERPETUAL_LINEAR, 0, "_USDC-PERPETUAL", universe);
    }
    if (rc == HG_OK) {
        rc = add_linear(market, SIM_SPOT, 0, "_USDC", universe);
    }
    calendar(market, start_ns);
    if (rc == HG_OK) {
        rc = add_futures(market, universe);
    }
    if (rc == HG_OK) {
        rc = add_chain(market, start_ns, universe);
    }
    return rc;
}
