/* Runs ours and theirs over one book in turns, on one core, and prints a JSON line per pair:
 *
 *     ns, ours_ns       medians per option; turns, so that noise meets both
 *     ratio             ours / theirs; below 1 ours is faster
 *     difference        largest between theirs and ours: of prices as a part of the forward, of
 * vols relative; "failed" counts where theirs gave no number
 *
 *     peers [NAME]      a name is a part of greeks/quantlib_black */
#include "peers.h"

#include "greeks/american.h"
#include "greeks/batch.h"
#include "greeks/batch_vol.h"
#include "greeks/black76.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BOOK = 4096, STRIDE = BOOK + 40, COLUMNS = 12, TURNS = 31 };
#define SAMPLE_NS 2e6

static double columns[2][COLUMNS][STRIDE];

static peer_book book_at(int side) {
    double(*c)[STRIDE] = columns[side];
    return (peer_book){BOOK, c[0], c[1], c[2], c[3],  c[4], c[5],
                       c[6], c[7], c[8], c[9], c[10], c[11]};
}

static double uniform(uint64_t *state, double lo, double hi) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return lo + (hi - lo) * (double)(*state >> 11) * 0x1p-53;
}

/* The book of tests/bench/bench_greeks.c, number for number. */
static void book_make(peer_book *b) {
    uint64_t seed = 76;
    for (size_t i = 0; i < b->n; i++) {
        b->f[i] = uniform(&seed, 58000, 62000);
        b->t[i] = uniform(&seed, 1.0 / 365, 1.0);
        b->sigma[i] = uniform(&seed, 0.3, 1.2);
        b->k[i] = b->f[i] * exp(uniform(&seed, -2.5, 2.5) * b->sigma[i] * sqrt(b->t[i]));
        b->cp[i] = uniform(&seed, -1, 1) > 0 ? 1.0 : -1.0;
    }
}

/* ---- ours ------------------------------------------------------------------------------------ */

static hg_batch_in inputs(const peer_book *b) {
    return (hg_batch_in){b->f, b->k, b->t, b->sigma, b->cp};
}

static void our_batch(peer_book *b) {
    hg_batch_in in = inputs(b);
    hg_batch_out out = {.price = b->price,
                        .delta = b->delta,
                        .gamma = b->gamma,
                        .vega = b->vega,
                        .theta = b->theta};
    hg_greeks_batch(&in, &out, b->n);
}

static void our_batch_rho(peer_book *b) {
    our_batch(b);
    for (size_t i = 0; i < b->n; i++) b->rho[i] = -b->t[i] * b->price[i];
}

static void our_batch_price(peer_book *b) {
    hg_batch_in in = inputs(b);
    hg_batch_out out = {.price = b->price};
    hg_greeks_batch(&in, &out, b->n);
}

static void our_single(peer_book *b) {
    for (size_t i = 0; i < b->n; i++) {
        hg_greeks g;
        if (hg_black76_all(b->f[i], b->k[i], b->t[i], b->sigma[i], (int)b->cp[i], 0, &g) != HG_OK) {
            abort();
        }
        b->price[i] = g.price;
        b->delta[i] = g.delta;
        b->gamma[i] = g.gamma;
        b->vega[i] = g.vega;
        b->theta[i] = g.theta;
        b->rho[i] = g.rho;
    }
}

static void our_implied(peer_book *b) {
    for (size_t i = 0; i < b->n; i++) {
        if (hg_implied_vol(b->price[i], b->f[i], b->k[i], b->t[i], (int)b->cp[i], 0, &b->vol[i]) !=
            HG_OK) {
            abort();
        }
    }
}

static void our_implied_batch(peer_book *b) {
    hg_vol_in in = {b->price, b->f, b->k, b->t, b->cp, NULL};
    hg_implied_vol_batch(&in, b->vol, b->n);
}

static void our_american(peer_book *b) {
    for (size_t i = 0; i < b->n; i++) {
        if (hg_american_price(100, 100, 1, 0.3, -1, 0.03, 0, &b->price[i]) != HG_OK) abort();
    }
}

/* ---- pairs ----------------------------------------------------------------------------------- */

enum { NOTHING, PRICES, VOLS };

typedef struct {
    const char *name, *ours_name;
    void (*theirs)(peer_book *book);
    void (*ours)(peer_book *book);
    size_t n; /* options of the book it takes */
    int same; /* what must come out alike */
} pair;

/* Nothing is compared where QuantLib rounds times to whole days or prices by another scheme. */
static const pair pairs[] = {
    {"libmvec_256",       "batch",      peer_libmvec_256,       our_batch,         BOOK, PRICES },
    {"libmvec_512",       "batch",      peer_libmvec_512,       our_batch,         BOOK, PRICES },
    {"quantlib_formula",  "batch",      peer_quantlib_formula,  our_batch_price,   BOOK, PRICES },
    {"quantlib_black",    "batch",      peer_quantlib_black,    our_batch_rho,     BOOK, PRICES },
    {"quantlib_black",    "single",     peer_quantlib_black,    our_single,        BOOK, PRICES },
    {"quantlib_engine",   "batch",      peer_quantlib_engine,   our_batch_rho,     512,  NOTHING},
    {"quantlib_engine",   "single",     peer_quantlib_engine,   our_single,        512,  NOTHING},
    {"quantlib_implied",  "single",     peer_quantlib_implied,  our_implied,       BOOK, VOLS   },
    {"quantlib_implied",  "cold batch", peer_quantlib_implied,  our_implied_batch, BOOK, VOLS   },
    {"quantlib_american", "single",     peer_quantlib_american, our_american,      16,   NOTHING},
};

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ns per option of one sample: as many passes as make it long enough. */
static double sample(void (*run)(peer_book *book), peer_book *b) {
    double start = now_ns();
    double spent = 0;
    long passes = 0;
    do {
        run(b);
        passes++;
        spent = now_ns() - start;
    } while (spent < SAMPLE_NS);
    return spent / ((double)passes * (double)b->n);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, TURNS, sizeof *values, ascending);
    return values[TURNS / 2];
}

/* The largest relative difference (of prices: as a part of the forward) and how often theirs gave
 * no number. */
static double difference(const pair *p, const peer_book *a, const peer_book *b, size_t *failed) {
    double most = 0;
    *failed = 0;
    for (size_t i = 0; i < a->n; i++) {
        bool vols = p->same == VOLS;
        double theirs = vols ? a->vol[i] : a->price[i];
        double ours = vols ? b->vol[i] : b->price[i];
        double off = fabs(theirs - ours) / (vols ? a->sigma[i] : a->f[i]);
        *failed += isfinite(theirs) ? 0 : 1;
        most = isfinite(off) && off > most ? off : most;
    }
    return most;
}

static void run(const pair *p) {
    double theirs[TURNS], ours[TURNS];
    peer_book a = book_at(0), b = book_at(1);
    book_make(&a);
    book_make(&b);
    our_batch(&a); /* the prices that implied vols start from */
    our_batch(&b);
    a.n = b.n = p->n;
    for (int turn = 0; turn < TURNS; turn++) {
        theirs[turn] = sample(p->theirs, &a);
        ours[turn] = sample(p->ours, &b);
    }
    double their_ns = median(theirs), our_ns = median(ours);
    printf("{\"bench\":\"greeks/%s\",\"ns\":%.5g,\"ours\":\"%s\",\"ours_ns\":%.5g,\"ratio\":%.4g,"
           "\"times_faster\":%.4g",
           p->name, their_ns, p->ours_name, our_ns, our_ns / their_ns, their_ns / our_ns);
    if (p->same != NOTHING) {
        size_t failed = 0;
        double off = difference(p, &a, &b, &failed);
        printf(",\"difference\":%.2g,\"failed\":%zu", off, failed);
    }
    printf(",\"kernel\":\"%s\"}\n", hg_greeks_batch_kernel());
    fflush(stdout);
}

static void core_pin(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (size_t cpu = CPU_SETSIZE; cpu-- > 0;) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        CPU_ZERO(&allowed);
        CPU_SET(cpu, &allowed);
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
        return;
    }
}

int main(int argc, char **argv) {
    core_pin();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char name[64];
        snprintf(name, sizeof name, "greeks/%s", pairs[i].name);
        if (argc < 2 || strstr(name, argv[1])) run(&pairs[i]);
    }
    return 0;
}
