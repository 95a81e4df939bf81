/* Text, JSON, clocks, hashes and the small containers. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/ring.h"
#include "base/rng.h"
#include "base/text.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(patterns) {
    CHECK(hg_text_match("BTC-*", "BTC-PERPETUAL"));
    CHECK(hg_text_match("*-C", "BTC-27FEB26-96000-C"));
    CHECK(hg_text_match("BTC-??FEB26-*-P", "BTC-27FEB26-80000-P"));
    CHECK(hg_text_match("*", ""));
    CHECK(!hg_text_match("BTC", "BTC-PERPETUAL"));
    CHECK(!hg_text_match("*-C", "BTC-27FEB26-96000-P"));
    CHECK(!hg_text_match("?", ""));
}

TEST(nearest_name) {
    static const char *const verbs[] = {"backtest", "paper", "price", "demo", NULL};
    CHECK_STR(hg_text_nearest("backtset", verbs), "backtest");
    CHECK_STR(hg_text_nearest("pric", verbs), "price");
    CHECK(hg_text_nearest("zzzzzzzz", verbs) == NULL);
    CHECK_EQ(hg_text_distance("abcd", "abdc"), 1);
    CHECK_EQ(hg_text_distance("kitten", "sitting"), 3);
    CHECK_EQ(hg_text_distance("", "abc"), 3);
}

TEST(json_form) {
    char buf[256];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_string(&j, "a", "q\"\\\n");
    hg_json_number(&j, "b", 0.1);
    hg_json_number(&j, "c", NAN);
    hg_json_number(&j, "z", -0.0);
    hg_json_open_array(&j, "d");
    hg_json_int(&j, NULL, -1);
    hg_json_nano(&j, NULL, 1500000000);
    hg_json_bool(&j, NULL, true);
    hg_json_close_array(&j);
    hg_json_string(&j, "e", NULL);
    hg_json_close(&j);
    CHECK_STR(hg_json_text(&j), "{\"a\":\"q\\\"\\\\\\u000a\",\"b\":0.1,\"c\":null,\"z\":0,"
                                "\"d\":[-1,1.5,true],\"e\":null}");
    CHECK(!j.overflow);
}

TEST(json_numbers_read_back) {
    hg_rng rng;
    hg_rng_init(&rng, 3, 0);
    for (int i = 0; i < 20000; i++) {
        double value = ldexp(hg_rng_normal(&rng), (int)hg_rng_below(&rng, 200) - 100);
        char buf[64];
        hg_json j;
        hg_json_init(&j, buf, sizeof buf);
        hg_json_number(&j, NULL, value);
        double back = 0;
        CHECK_EQ(sscanf(hg_json_text(&j), "%lf", &back), 1);
        CHECK(back == value);
    }
}

TEST(json_overflow_is_noticed) {
    char buf[8];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_string(&j, "key", "a long value");
    CHECK(j.overflow);
    CHECK(strlen(hg_json_text(&j)) < sizeof buf);
}

TEST(calendar) {
    CHECK_EQ(hg_date_to_days((hg_date){1970, 1, 1}), 0);
    CHECK_EQ(hg_date_to_days((hg_date){2026, 2, 27}), 20511);
    CHECK_EQ(hg_date_weekday(20511), 4); /* a Friday */
    for (int64_t day = -200000; day < 200000; day += 13) {
        CHECK_EQ(hg_date_to_days(hg_date_from_days(day)), day);
    }
    CHECK(!hg_date_valid((hg_date){2026, 2, 29}));
    CHECK(hg_date_valid((hg_date){2024, 2, 29}));
    char buf[40];
    CHECK_STR(hg_time_format(INT64_C(1769660547228000000), buf, sizeof buf),
              "2026-01-29T04:22:27.228Z");
}

TEST(durations) {
    int64_t ns = 0;
    CHECK(hg_duration_parse("250ms", &ns) && ns == 250 * HG_NS_PER_MS);
    CHECK(hg_duration_parse("6h", &ns) && ns == 6 * HG_NS_PER_HOUR);
    CHECK(hg_duration_parse("1.5m", &ns) && ns == 90 * HG_NS_PER_S);
    static const char *const bad[] = {"",   "10",  "0.5", "0",   "-1s",  "h",
                                      "1y", "nan", "inf", "1 s", "1e30d"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!hg_duration_parse(bad[i], &ns));
    }
}

TEST(checksums_of_the_standard) {
    /* RFC 3720 B.4: CRC-32C of 32 zero bytes, of 32 bytes 0xff, and of "123456789". */
    unsigned char zeros[32] = {0};
    unsigned char ones[32];
    memset(ones, 0xff, sizeof ones);
    CHECK_EQ(hg_crc32c(0, zeros, 32), 0x8a9136aa);
    CHECK_EQ(hg_crc32c(0, ones, 32), 0x62a8ab43);
    CHECK_EQ(hg_crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_EQ(hg_crc32c(hg_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    CHECK(hg_hash_string(HG_HASH_INIT, "a") == UINT64_C(0xaf63dc4c8601ec8c)); /* FNV-1a */
}

TEST(map_keeps_what_it_is_given) {
    hg_map *map = hg_map_new(0);
    char key[16];
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "k%u", i);
        CHECK_EQ(hg_map_put(map, key, i), 0);
    }
    CHECK_EQ(hg_map_put(map, "k7", 70), 0);
    CHECK_EQ(hg_map_count(map), 5000);
    CHECK_EQ(hg_map_find(map, "k7"), 70);
    CHECK_EQ(hg_map_find(map, "k4999"), 4999);
    CHECK_EQ(hg_map_find(map, "k5000"), HG_MAP_NONE);
    hg_map_free(map);
}

TEST(ring_is_first_in_first_out_and_bounded) {
    hg_ring ring;
    CHECK(hg_ring_init(&ring, sizeof(int), 3));
    int out = 0;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++) {
            CHECK(hg_ring_push(&ring, &i));
        }
        CHECK(!hg_ring_push(&ring, &out));
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(*(const int *)hg_ring_peek(&ring), i);
            CHECK(hg_ring_pop(&ring, &out));
            CHECK_EQ(out, i);
        }
        CHECK(!hg_ring_pop(&ring, &out));
    }
    hg_ring_fini(&ring);
}

TEST(generators_are_fixed_for_ever) {
    hg_rng rng;
    hg_rng_init(&rng, 1, 0);
    uint64_t hash = HG_HASH_INIT;
    for (int i = 0; i < 1000; i++) {
        hash = hg_hash_u64(hash, hg_rng_next(&rng));
    }
    hg_rng other;
    hg_rng_init(&other, 1, 1);
    CHECK(hg_rng_next(&other) != hg_rng_next(&rng));
    double sum = 0;
    double square = 0;
    for (int i = 0; i < 200000; i++) {
        double x = hg_rng_normal(&rng);
        sum += x;
        square += x * x;
    }
    CHECK_NEAR(sum / 200000, 0, 0.01);
    CHECK_NEAR(square / 200000, 1, 0.02);
    for (int i = 0; i < 1000; i++) {
        CHECK(hg_rng_below(&rng, 7) < 7);
    }
}

TEST(error_record_stacks_context) {
    int rc = HG_ERR(HG_EDATA, "bad checksum at offset %d", 17);
    CHECK_EQ(rc, HG_EDATA);
    rc = HG_ERR_CTX(rc, "tape x");
    CHECK_STR(hg_error_text(), "tape x: bad checksum at offset 17");
    hg_error_hint("import it again");
    CHECK_STR(hg_error_advice(), "import it again");
    CHECK_STR(hg_error_name(rc), "data");
    hg_error_clear();
    CHECK_STR(hg_error_text(), "");
}

/* What terminals obey is gone, what people write stays. */
TEST(texts_are_made_printable) {
    static const struct {
        const char *text, *wanted, *line;
    } cases[] = {
        {"plain, caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\xb8", NULL,          NULL         },
        {"a\nb\tc",                                          NULL,          "a b c"      },
        {"\x1b[31mred\r\b\x7f",                              "?[31mred???", "?[31mred???"},
        {"csi \xc2\x9b"
         "31m",                                     "csi ??31m",   "csi ??31m"  },
        {"\xff\xc3",                                         "??",          "??"         },
        {"\xe2\x82",                                         "??",          "??"         },
        {"\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80",           "??? ?? ????", "??? ?? ????"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64], line[64];
        const char *wanted = cases[i].wanted ? cases[i].wanted : cases[i].text;
        hg_text_copy(text, sizeof text, cases[i].text);
        hg_text_copy(line, sizeof line, cases[i].text);
        hg_text_make_printable(text);
        hg_text_make_line(line);
        CHECK_STR(text, wanted);
        CHECK_STR(line, cases[i].line ? cases[i].line : wanted);
    }
}

/* Every pair of bytes: what the decoder takes is what the standard says (RFC 3629), and a JSON text
 * with anything in it stays UTF-8. */
TEST(json_texts_are_utf8_whatever_is_put_in) {
    for (int a = 1; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            char buf[64], text[3] = {(char)a, (char)b, 0};
            hg_json j;
            bool two = a >= 0xc2 && a <= 0xdf && (b & 0xc0) == 0x80;
            CHECK_EQ(hg_text_utf8(text), a < 0x80 ? 1 : two ? 2 : 0);
            hg_json_init(&j, buf, sizeof buf);
            hg_json_string(&j, NULL, text);
            for (const char *at = hg_json_text(&j); *at;) {
                size_t len = hg_text_utf8(at);
                CHECK(len > 0 && (unsigned char)*at >= ' ');
                at += len;
            }
        }
    }
}

TEST(what_was_said_is_not_said_again) {
    CHECK_STR(hg_text_after("a\nb", "a"), "b");
    CHECK_STR(hg_text_after("a", "a"), "");
    CHECK_STR(hg_text_after("ab\nb", "a"), "ab\nb");
    CHECK_STR(hg_text_after("", "a"), "");
}

/* A pipe in the place of a file would let the reader wait for ever. */
TEST(only_plain_files_are_read_where_nobody_may_wait) {
    char dir[] = "/tmp/hedged-text-XXXXXX";
    char path[64];
    char *data = NULL;
    size_t size = 7;
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/x", dir);
    CHECK_EQ(hg_file_read_plain(path, 100, &data, &size), HG_ENOTFOUND);
    CHECK_EQ(mkfifo(path, 0600), 0);
    CHECK_EQ(hg_file_read_plain(path, 100, &data, &size), HG_ENOTFOUND);
    CHECK(strstr(hg_error_text(), "is not a plain file") != NULL);
    CHECK_EQ(hg_file_read_plain(dir, 100, &data, &size), HG_ENOTFOUND);
    CHECK(!data && size == 7);
    CHECK_EQ(unlink(path), 0);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fputs("ab", f);
    fclose(f);
    CHECK_EQ(hg_file_read_plain(path, 100, &data, &size), HG_OK);
    CHECK_EQ(size, 2);
    CHECK_STR(data, "ab");
    free(data);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(rmdir(dir), 0);
}
