/* The exercise boundary of an American put and the two steps of the work that take time, for CPUs
 * with and without AVX2. Symbols as in american.c. */
#ifndef HG_GREEKS_AMERICAN_INT_H
#define HG_GREEKS_AMERICAN_INT_H

/* Nodes but the one at tau = 0: a multiple of every vector width in use. */
enum { NODES = 12 };

typedef struct hg_american_put {
    double k, r, q, sigma;
    double t_max, root_max; /* T, sqrt T */
    double x;               /* X */
    double ln_xk;           /* ln(X/K) */
    double ln_b[NODES];     /* ln(B/X) at node_tau, longest time first; 0 at tau = 0 */
} hg_american_put;

/* cos(pi i/NODES): node i is at tau = T ((1 + cos)/2)^2. */
extern const double hg_american_cos[NODES];

/* From a start in ln_b to the boundary. */
typedef void hg_american_boundary_fn(hg_american_put *p);
/* What early exercise adds to the European price; ln_sx = ln(S/X). */
typedef double hg_american_premium_fn(const hg_american_put *p, double s, double ln_sx);

hg_american_boundary_fn hg_american_boundary_portable, hg_american_boundary_avx2;
hg_american_premium_fn hg_american_premium_portable, hg_american_premium_avx2;

#endif
