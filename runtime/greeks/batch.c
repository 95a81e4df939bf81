/*
 * Choosing the batch kernel by CPUID, once, and the slow way for single options that the kernels
 * leave out.
 */
#include "greeks/batch_int.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "greeks/black76.h"

typedef struct kernel {
    const char *name;
    hg_batch_kernel *run;
    hg_moved_kernel *moved;
} kernel;

/* Widest first. */
static const kernel kernels[] = {
    {"avx512",   hg_batch_run_avx512,   hg_moved_run_avx512  },
    {"avx2",     hg_batch_run_avx2,     hg_moved_run_avx2    },
    {"portable", hg_batch_run_portable, hg_moved_run_portable},
};

enum { KERNELS = sizeof kernels / sizeof kernels[0] };

/* libgcc and compiler-rt also check that the system saves the wide registers. */
static bool kernel_runs_here(int i) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (i == 0) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    }
    if (i == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return i == KERNELS - 1;
}

static const kernel *kernel_get(void) {
    /* Threads may race to the first call: all of them find the same answer. */
    static _Atomic int chosen = -1;
    int i = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (i < 0) {
        i = 0;
        while (!kernel_runs_here(i)) i++;
        atomic_store_explicit(&chosen, i, memory_order_relaxed);
    }
    return &kernels[i];
}

size_t hg_batch_fill_one(const double v[5], const hg_batch_out *out, size_t i) {
    hg_greeks g = {.price = 0.0};
    int cp = v[4] == 1.0 ? 1 : v[4] == -1.0 ? -1 : 0;
    size_t bad = hg_black76_all(v[0], v[1], v[2], v[3], cp, 0.0, &g) != HG_OK;
    if (out->price) out->price[i] = g.price;
    if (out->delta) out->delta[i] = g.delta;
    if (out->gamma) out->gamma[i] = g.gamma;
    if (out->vega) out->vega[i] = g.vega;
    if (out->theta) out->theta[i] = g.theta;
    if (out->vanna) out->vanna[i] = g.vanna;
    if (out->volga) out->volga[i] = g.volga;
    if (out->charm) out->charm[i] = g.charm;
    if (out->speed) out->speed[i] = g.speed;
    if (out->color) out->color[i] = g.color;
    if (out->zomma) out->zomma[i] = g.zomma;
    if (out->ultima) out->ultima[i] = g.ultima;
    return bad;
}

size_t hg_greeks_batch(const hg_batch_in *in, const hg_batch_out *out, size_t n) {
    return kernel_get()->run(in, out, n);
}

double hg_moved_one(const hg_moved_in *in, const hg_move *move, size_t i) {
    double shocked = in->sigma[i] + move->vol;
    double least = in->sigma[i] < move->vol_floor ? in->sigma[i] : move->vol_floor;
    double sigma = shocked > least ? shocked : least;
    int cp = in->cp[i] == 1.0 ? 1 : in->cp[i] == -1.0 ? -1 : 0;
    double price = 0;
    return hg_black76_price(in->f[i] * move->up, in->k[i], in->t[i], sigma, cp, 0, &price) < 0
               ? 0
               : in->ratio[i] * price;
}

void hg_greeks_batch_moved(const hg_moved_in *in, const hg_move *move, double *worth, size_t n) {
    kernel_get()->moved(in, move, worth, n);
}

bool hg_moved_run_named(const char *name, const hg_moved_in *in, const hg_move *move, double *worth,
                        size_t n) {
    if (!hg_batch_runs_here(name)) return false;
    for (int i = 0; i < KERNELS; i++) {
        if (strcmp(kernels[i].name, name) == 0) kernels[i].moved(in, move, worth, n);
    }
    return true;
}

const char *hg_greeks_batch_kernel(void) {
    return kernel_get()->name;
}

bool hg_batch_runs_here(const char *name) {
    for (int i = 0; i < KERNELS; i++) {
        if (strcmp(kernels[i].name, name) == 0) return kernel_runs_here(i);
    }
    return false;
}

bool hg_batch_run_named(const char *name, const hg_batch_in *in, const hg_batch_out *out, size_t n,
                        size_t *bad) {
    if (!hg_batch_runs_here(name)) return false;
    for (int i = 0; i < KERNELS; i++) {
        if (strcmp(kernels[i].name, name) == 0) *bad = kernels[i].run(in, out, n);
    }
    return true;
}
