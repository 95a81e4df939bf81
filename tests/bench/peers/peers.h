/* What others need for the same work: QuantLib and a plain loop over libmvec, next to ours in one
 * process. `make bench-peers B=greeks`; never a part of the product or of `make bench`. */
#ifndef HG_BENCH_PEERS_H
#define HG_BENCH_PEERS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A book as columns, in and out; units as in greeks/batch.h. `vol` is what comes back when `price`
 * is inverted. */
typedef struct peer_book {
    size_t n;
    double *f, *k, *t, *sigma, *cp;
    double *price, *delta, *gamma, *vega, *theta, *rho;
    double *vol;
} peer_book;

/* Each works through the whole book once. */
void peer_libmvec_256(peer_book *book);       /* price and 4 Greeks */
void peer_libmvec_512(peer_book *book);       /* the same in wider registers */
void peer_quantlib_formula(peer_book *book);  /* blackFormula: the price alone */
void peer_quantlib_black(peer_book *book);    /* BlackCalculator: price and 5 Greeks */
void peer_quantlib_engine(peer_book *book);   /* AnalyticEuropeanEngine after a tick: the same */
void peer_quantlib_implied(peer_book *book);  /* blackFormulaImpliedStdDev to 1e-14 */
void peer_quantlib_american(peer_book *book); /* QdFp, its fast scheme; price alone */

#ifdef __cplusplus
}
#endif

#endif
