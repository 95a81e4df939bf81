#include "base/pages.h"
#include "test.h"

#include <stdint.h>
#include <string.h>

TEST(pages_are_zeros_from_a_cache_line_on) {
    static const size_t counts[] = {0, 1, 63, 64, 1000, 32703, 32704, 32705, 40000, 5000000};
    for (int round = 0; round < 3; round++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            unsigned char *p = hg_pages_new(counts[k], 1);
            CHECK(p != NULL);
            CHECK_EQ((uintptr_t)p % 64, 0);
            for (size_t i = 0; i < counts[k]; i++) {
                if (p[i] != 0) CHECK_EQ(p[i], 0);
            }
            memset(p, 0xa5, counts[k]); /* what comes after in its place is zero all the same */
            hg_pages_free(p);
        }
    }
    hg_pages_free(NULL);
}

TEST(pages_too_many_to_count_are_none) {
    CHECK(hg_pages_new(SIZE_MAX, 2) == NULL);
    CHECK(hg_pages_new(SIZE_MAX / 2, 2) == NULL);
    CHECK(hg_pages_new(3, SIZE_MAX / 2) == NULL);
}
