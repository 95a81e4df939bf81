/* Decimals: the bridge between text and money must be exact or say no. */
#include "base/decimal.h"
#include "base/rng.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t parse(const char *text) {
    int64_t nano = INT64_C(-424242);
    return hg_nano_parse(text, strlen(text), &nano) ? nano : INT64_C(-424242);
}

TEST(parses_exactly) {
    CHECK_EQ(parse("0"), 0);
    CHECK_EQ(parse("-12.34"), INT64_C(-12340000000));
    CHECK_EQ(parse("0.00170872"), 1708720);
    CHECK_EQ(parse("87952.3267"), INT64_C(87952326700000));
    CHECK_EQ(parse("1e-9"), 1);
    CHECK_EQ(parse("2.2e3"), INT64_C(2200000000000));
    CHECK_EQ(parse("+5."), 5 * HG_NANO);
    CHECK_EQ(parse(".5"), HG_NANO / 2);
    CHECK_EQ(parse("9223372036.854775807"), INT64_MAX);
}

TEST(rounds_half_to_even_beyond_nine_digits) {
    CHECK_EQ(parse("0.0000000005"), 0);
    CHECK_EQ(parse("0.0000000015"), 2);
    CHECK_EQ(parse("0.0000000025"), 2);
    CHECK_EQ(parse("0.00000000250000000000000000000000000000000001"), 3);
    CHECK_EQ(parse("-0.0000000015"), -2);
    CHECK_EQ(parse("1e-400"), 0);
    CHECK_EQ(parse("-1e-47"), 0);
    CHECK_EQ(parse("999999999999999999999999999999e-31"), HG_NANO / 10);
}

TEST(refuses_what_is_no_number) {
    static const char *const bad[] = {"",
                                      "-",
                                      ".",
                                      "nan",
                                      "inf",
                                      "1e",
                                      "1e+",
                                      "1 ",
                                      " 1",
                                      "0x10",
                                      "1.2.3",
                                      "--1",
                                      "1e999",
                                      "abc",
                                      "1,0",
                                      "1e1e1",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t nano = 7;
        CHECK(!hg_nano_parse(bad[i], strlen(bad[i]), &nano));
        CHECK_EQ(nano, 7);
    }
}

TEST(text_round_trip) {
    hg_rng rng;
    hg_rng_init(&rng, 7, 0);
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(hg_rng_next(&rng) >> hg_rng_below(&rng, 63));
        char buf[32];
        hg_nano_format(i % 2 ? value : -value, buf, sizeof buf);
        CHECK_EQ(parse(buf), i % 2 ? value : -value);
    }
    char buf[32];
    CHECK_STR(hg_nano_format(INT64_MIN, buf, sizeof buf), "-9223372036.854775808");
}

TEST(muldiv_is_exact_and_checked) {
    int64_t out = 0;
    CHECK(hg_muldiv(INT64_MAX, INT64_MAX, INT64_MAX, &out));
    CHECK_EQ(out, INT64_MAX);
    CHECK(hg_muldiv(5, 1, 2, &out));
    CHECK_EQ(out, 2);
    CHECK(hg_muldiv(7, 1, 2, &out));
    CHECK_EQ(out, 4);
    CHECK(hg_muldiv(-5, 1, 2, &out));
    CHECK_EQ(out, -2);
    CHECK(hg_muldiv(5, 1, -2, &out));
    CHECK_EQ(out, -2);
    CHECK(!hg_muldiv(INT64_MAX, 2, 1, &out));
    CHECK(!hg_muldiv(1, 1, 0, &out));
    CHECK(!hg_add(INT64_MAX, 1, &out));
}

TEST(doubles_that_do_not_fit_are_refused) {
    int64_t out = 0;
    CHECK(!hg_nano_from_double(NAN, &out));
    CHECK(!hg_nano_from_double(INFINITY, &out));
    CHECK(!hg_nano_from_double(-1e10, &out));
    CHECK(hg_nano_from_double(0.1, &out));
    CHECK_EQ(out, HG_NANO / 10);
}
