#ifndef HG_BASE_RNG_H
#define HG_BASE_RNG_H

#include <stdint.h>

/* xoshiro256** by Blackman and Vigna (https://prng.di.unimi.it), seeded by splitmix64.
 * One stream per purpose: the same seed gives the same numbers on every machine. */
typedef struct hg_rng {
    uint64_t s[4];
} hg_rng;

void hg_rng_init(hg_rng *rng, uint64_t seed, uint64_t stream);
uint64_t hg_rng_next(hg_rng *rng);
double hg_rng_uniform(hg_rng *rng);                 /* [0, 1), 53 bits */
double hg_rng_normal(hg_rng *rng);                  /* mean 0, variance 1 */
double hg_rng_exponential(hg_rng *rng);             /* mean 1 */
uint64_t hg_rng_below(hg_rng *rng, uint64_t bound); /* [0, bound), unbiased; bound > 0 */

#endif
