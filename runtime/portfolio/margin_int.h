#ifndef HG_PORTFOLIO_MARGIN_INT_H
#define HG_PORTFOLIO_MARGIN_INT_H

#include "portfolio/margin.h"
#include "portfolio/portfolio_int.h"

/* Private to margin*.c: margin.c reads the portfolio and keeps accounts, margin_model.c holds the
 * formulas, margin_search.c looks for liquidation prices, margin_order.c judges trades. */

enum {
    HG_PM_MOVES = 9,
    HG_PM_VOLS = 3,
    HG_PM_STANDARD = HG_PM_MOVES * HG_PM_VOLS,
    HG_PM_EXTENDED = 8,
    HG_PM_SCENARIOS = HG_PM_STANDARD + HG_PM_EXTENDED
};

/* One instrument held or ordered. leg.amount is what is held. */
typedef struct hg_margin_leg {
    hg_leg leg;
    uint32_t id;
    uint32_t expiry;  /* id, or HG_ID_NONE */
    double mark;      /* quote unit: what its value and its margin stand on */
    double model;     /* options: price of the leg by its own vol, which shocks are measured from */
    double delta;     /* coins per unit of amount */
    double buy, sell; /* pending amounts, >= 0 */
    const hg_margin_terms *terms;
} hg_margin_leg;

/* Legs of one underlying in one settlement currency: [first, end). */
typedef struct hg_margin_pair {
    uint32_t currency, underlying;
    bool inverse;
    uint32_t first, end;
    double initial, maintenance;
} hg_margin_pair;

typedef struct hg_margin_sum {
    double initial, maintenance;
} hg_margin_sum;

struct hg_margin {
    hg_portfolio *portfolio;
    hg_margin_model model;
    hg_margin_account *accounts; /* by currency */
    hg_pm_terms *terms;          /* by currency and underlying */
    hg_margin_leg *legs, *moved;
    uint32_t capacity, count;
    hg_margin_pair *pairs;
    uint32_t pair_count;
    double *unit;   /* [scenario][leg]: P&L per unit of amount, settlement currency */
    double *column; /* COLUMNS work columns */
    uint32_t *place;
    double *roll;   /* delta by expiry, the last one without expiry */
    double *amount; /* of the legs of one pair */
    bool valid;
    int64_t time_ns;
    uint64_t changes;
    uint64_t market; /* sum of the versions of all underlyings */
};

/* margin.c: what the portfolio says now; `fresh` also when only prices moved within the second. */
void hg_margin_refresh(hg_margin *m, int64_t now_ns, bool fresh);
hg_margin_leg hg_margin_leg_of(const hg_margin *m, uint32_t id, int64_t now_ns);
void hg_margin_sums(hg_margin *m); /* from the legs to pairs and accounts */
void hg_margin_total_sum(hg_margin *m, hg_margin_total *out);
const hg_pm_terms *hg_margin_terms_of(const hg_margin *m, const hg_margin_pair *pair);

/* margin_model.c */
double hg_standard_initial(const hg_margin_leg *l, double amount);
double hg_standard_maintenance(const hg_margin_leg *l, double amount);
/* Fills `unit` for legs [first, end) of an array. */
void hg_pm_units(hg_margin *m, const hg_margin_leg *legs, uint32_t first, uint32_t end,
                 const hg_pm_terms *t);
hg_margin_sum hg_margin_pair_sum(hg_margin *m, const hg_margin_leg *legs,
                                 const hg_margin_pair *pair);
/* Value of one unit at a price, settlement currency, up to a constant. */
double hg_margin_worth(const hg_leg *leg, double price);

#endif
