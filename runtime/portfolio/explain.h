#ifndef HG_PORTFOLIO_EXPLAIN_H
#define HG_PORTFOLIO_EXPLAIN_H

#include "portfolio/portfolio.h"

/* The P&L of a session split into what made it. Everything is kept per owner and instrument; any
 * grouping is a sum over those. See docs/pnl.md for the definitions. */

/* Who a position belongs to: the opening book, else the strategy that sent the order, else the
 * venue that liquidates: it owns the lots that close others', and the fees it charged for them. */
enum {
    HG_OWNER_BOOK = 0,
    HG_OWNER_STRATEGY = 1, /* + index of the strategy */
    HG_OWNER_LIQUIDATION = 17,
    HG_OWNERS = 18, /* all of them */
    HG_OWNER_ANY = 255,
    HG_OWNER_ACCOUNT = 254 /* money that belongs to no instrument: deposits */
};

/* USD, signed as P&L: what was paid is negative. */
typedef struct hg_parts {
    double delta; /* spot moves */
    double gamma;
    double theta;
    double vega; /* moves of the vol of each option */
    double vanna;
    double volga;
    double cash;     /* coins held as money, moved by the spot (hg_exposure.delta_cash) */
    double basis;    /* carry: forwards and futures against the spot, marks against mids */
    double funding;  /* carry: received minus paid */
    double fees;     /* of trading and of delivery */
    double spread;   /* price of each fill against the mid of its moment */
    double slippage; /* that mid against the mid when the order was sent */
} hg_parts;

enum { HG_PARTS = 12 };
typedef struct hg_part_name {
    const char *name;
    size_t offset;
} hg_part_name;
extern const hg_part_name hg_part_names[HG_PARTS]; /* in the order they are shown */
static inline double hg_part_get(const hg_parts *parts, size_t i) {
    return *(const double *)(const void *)((const char *)parts + hg_part_names[i].offset);
}

/* Delta in coins, and what moved it. from + spot + time + vol + trades + rest == to. */
typedef struct hg_drift {
    double from, spot, time, vol, trades, rest, to;
} hg_drift;

typedef struct hg_explanation {
    double pnl; /* USD; the sum of parts and rest */
    hg_parts parts;
    double rest;
    double coins;  /* the P&L of what is settled in `coin`, in coins */
    uint32_t coin; /* currency; HG_ID_NONE: nothing is settled in coin, or in several coins */
    /* `coins` split the same way, in coins: the sum of these and the rest. Coins held do not move
     * against themselves, so `cash` is 0 and delta that of the price in coin. */
    hg_parts coin_parts;
    double coin_rest;
    hg_drift drift;
    uint32_t rows; /* positions in it; 0: nothing to explain */
} hg_explanation;

/* A selection: HG_OWNER_ANY and HG_ID_NONE select everything. */
typedef struct hg_explain_of {
    uint8_t owner;
    uint32_t underlying;
    uint32_t instrument;
} hg_explain_of;

#define HG_EXPLAIN_ALL ((hg_explain_of){HG_OWNER_ANY, HG_ID_NONE, HG_ID_NONE})

/* Explains up to now without changing anything: an answer never depends on who asked before. The
 * P&L of everything is that of hg_portfolio_pnl. */
void hg_portfolio_explain(hg_portfolio *portfolio, hg_explain_of of, int64_t now_ns,
                          hg_explanation *out);

/* The same for what came after `since_ns`, or rather after the last checkpoint at or before it,
 * which `from_ns` names: there is one every ten seconds of event time, and every minute where those
 * are no longer kept (explain_past.c). HG_ENOTFOUND: nothing is kept from so far back. `coin` and
 * `rows` are those of now. */
HG_MUST_CHECK int hg_portfolio_explain_since(hg_portfolio *portfolio, hg_explain_of of,
                                             int64_t since_ns, int64_t now_ns, hg_explanation *out,
                                             int64_t *from_ns);

/* Instruments that have ever had a position, in order of their first one. */
uint32_t hg_portfolio_explained(const hg_portfolio *portfolio, const uint32_t **ids);

#endif
