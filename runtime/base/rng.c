/* Random numbers that are equal everywhere: integer generators, and a normal by inversion-free
 * polar rejection (Marsaglia) that uses only log and sqrt. The spare normal is thrown away so that
 * the state stays the four words. */
#include "base/rng.h"

#include "base/assert.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x) {
    *x += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *x;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

void hg_rng_init(hg_rng *rng, uint64_t seed, uint64_t stream) {
    uint64_t x = seed ^ (stream * UINT64_C(0xd1342543de82ef95));
    for (int i = 0; i < 4; i++) {
        rng->s[i] = splitmix(&x);
    }
}

uint64_t hg_rng_next(hg_rng *rng) {
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double hg_rng_uniform(hg_rng *rng) {
    return (double)(hg_rng_next(rng) >> 11) * 0x1.0p-53;
}

double hg_rng_normal(hg_rng *rng) {
    for (;;) {
        double u = 2 * hg_rng_uniform(rng) - 1;
        double v = 2 * hg_rng_uniform(rng) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1) {
            return u * sqrt(-2 * log(s) / s);
        }
    }
}

double hg_rng_exponential(hg_rng *rng) {
    return -log(1 - hg_rng_uniform(rng));
}

uint64_t hg_rng_below(hg_rng *rng, uint64_t bound) {
    hg_assert(bound > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x = hg_rng_next(rng);
    while (x >= limit) {
        x = hg_rng_next(rng);
    }
    return x % bound;
}
