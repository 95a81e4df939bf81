/* The limits by themselves: defaults that cannot be turned off by accident, the words of a
 * configuration, what it may not say, and whose a limit is. */
#include "exec/limits.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hg_limit_extra extra;

static int set(hg_limits *limits, const char *path, const char *text) {
    return hg_limits_set(limits, &extra, path, text);
}

static const hg_limit_row *row_of(const char *name, uint32_t *at) {
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        if (strcmp(hg_limit_rows[i].name, name) == 0) {
            *at = i;
            return &hg_limit_rows[i];
        }
    }
    hg_test_fail(__FILE__, __LINE__, "no limit %s", name);
}

static double value_of(const hg_limits *limits, const char *name) {
    uint32_t at = 0;
    row_of(name, &at);
    return hg_limit_get(limits, at);
}

static void refuse(const char *path, const char *text, const char *says) {
    hg_limits limits;
    hg_limits_default(&limits);
    hg_limits before = limits;
    before.extra = &extra;
    hg_limit_extra kept = extra;
    CHECK_EQ(set(&limits, path, text), HG_ECONFIG);
    if (!strstr(hg_error_text(), says)) {
        hg_test_fail(__FILE__, __LINE__, "%s = %s: '%s' is not in '%s'", path, text, says,
                     hg_error_text());
    }
    CHECK_MEM(&limits, &before, sizeof limits);
    CHECK_EQ(extra.override_count, kept.override_count);
}

/* --- defaults --------------------------------------------------------------------------------- */

TEST(every_limit_has_a_default_and_a_text) {
    hg_limits limits;
    hg_limits_default(&limits);
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        const hg_limit_row *row = &hg_limit_rows[i];
        double value = hg_limit_get(&limits, i);
        CHECK(value > 0 && isfinite(value));
        CHECK(row->standard == 0 || fabs(value - row->standard) <= 1e-9 * value);
    }
    CHECK_EQ(limits.strategy_orders_per_second, limits.orders_per_second);
    CHECK_EQ(limits.messages_per_second, 4 * limits.orders_per_second);
}

TEST(what_is_absent_or_absurd_becomes_the_default) {
    static const double absurd[] = {0, -1, NAN, INFINITY, -INFINITY};
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        const hg_limit_row *row = &hg_limit_rows[i];
        hg_limits standard;
        hg_limits_default(&standard);
        for (size_t k = 0; row->kind == HG_LIMIT_NUMBER && k < 5; k++) {
            hg_limits limits = {0};
            memcpy((char *)&limits + row->offset, &absurd[k], sizeof absurd[k]);
            hg_limits_complete(&limits);
            CHECK_NEAR(hg_limit_get(&limits, i), hg_limit_get(&standard, i), 0);
        }
        if (row->kind == HG_LIMIT_SPAN) {
            bool zero = strcmp(row->name, "duplicate_window_s") == 0 ||
                        strcmp(row->name, "burst_freeze_s") == 0;
            hg_limits limits = {0};
            int64_t span = -1;
            memcpy((char *)&limits + row->offset, &span, sizeof span);
            hg_limits_complete(&limits);
            CHECK_NEAR(hg_limit_get(&limits, i), zero ? 0 : hg_limit_get(&standard, i), 0);
            memcpy(&span, (char *)&limits + row->offset, sizeof span);
            CHECK(zero ? span == -1 : span > 0);
        }
    }
}

TEST(what_is_given_stays) {
    hg_limits limits = {.price_collar = 1e-300, .open_orders = 1, .blind_ns = 1};
    hg_limits_complete(&limits);
    CHECK_NEAR(limits.price_collar, 1e-300, 0);
    CHECK_EQ(limits.open_orders, 1);
    CHECK_EQ(limits.blind_ns, 1);
}

TEST(rates_follow_the_rate_of_the_session) {
    static const struct {
        uint32_t orders, own, messages;
        uint32_t then_own, then_messages;
    } rows[] = {
        {10,                 0, 0, 10,                 40            },
        {10,                 3, 7, 3,                  7             },
        {UINT32_MAX / 4,     0, 0, UINT32_MAX / 4,     UINT32_MAX - 3},
        {UINT32_MAX / 4 + 1, 0, 0, UINT32_MAX / 4 + 1, UINT32_MAX    },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hg_limits limits = {.orders_per_second = rows[i].orders,
                            .strategy_orders_per_second = rows[i].own,
                            .messages_per_second = rows[i].messages};
        hg_limits_complete(&limits);
        CHECK_EQ(limits.strategy_orders_per_second, rows[i].then_own);
        CHECK_EQ(limits.messages_per_second, rows[i].then_messages);
    }
}

/* --- from text -------------------------------------------------------------------------------- */

TEST(every_limit_is_set_by_its_name) {
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        hg_limits limits = {0};
        CHECK_EQ(set(&limits, hg_limit_rows[i].name, "7"), HG_OK);
        CHECK(limits.extra == &extra);
        for (uint32_t k = 0; k < hg_limit_count; k++) {
            CHECK_NEAR(hg_limit_get(&limits, k), k == i ? 7 : 0, 0);
        }
    }
}

TEST(a_number_is_above_zero_finite_and_not_too_large) {
    static const char *const none[] = {"", "x", "1x", "nan", "inf", "-1", "0", "-0", "1e999"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) {
        refuse("delta_coins", none[k], "want a number above zero");
        refuse("open_orders", none[k], "want a number above zero");
        refuse("blind_s", none[k], "want a number above zero");
    }
    hg_limits limits = {0};
    CHECK_EQ(set(&limits, "delta_coins", "1e300"), HG_OK);
    refuse("delta_coins", "1.1e300", "at most 1e+300");
    CHECK_EQ(set(&limits, "blind_s", "1e8"), HG_OK);
    CHECK_EQ(limits.blind_ns, INT64_C(100000000000000000));
    refuse("blind_s", "100000001", "at most 1e+08");
    CHECK_EQ(set(&limits, "blind_s", "0.25"), HG_OK);
    CHECK_EQ(limits.blind_ns, 250000000);
    CHECK_EQ(set(&limits, "open_orders", "1e9"), HG_OK);
    CHECK_EQ(limits.open_orders, 1000000000);
    refuse("open_orders", "1000000001", "at most 1e+09");
    refuse("open_orders", "1.5", "want a whole number");
    CHECK_EQ(set(&limits, "delta_coins", "1.5"), HG_OK); /* not a count */
}

TEST(zero_has_a_meaning_for_two_spans) {
    hg_limits limits = {0};
    CHECK_EQ(set(&limits, "duplicate_window_s", "0"), HG_OK);
    CHECK_EQ(set(&limits, "burst_freeze_s", "0"), HG_OK);
    hg_limits_complete(&limits);
    CHECK_EQ(limits.duplicate_window_ns, -1);
    CHECK_EQ(limits.burst_freeze_ns, -1);
    CHECK_NEAR(value_of(&limits, "burst_freeze_s"), 0, 0);
    refuse("burst_freeze_s", "-1", "want a number above zero");
}

TEST(words_and_names) {
    hg_limits limits = {0};
    char word[24];
    CHECK_EQ(set(&limits, "reduce_mode", "position"), HG_OK);
    CHECK_EQ(extra.reduce_mode, HG_REDUCE_POSITION);
    CHECK_EQ(set(&limits, "reduce_mode", "exposure"), HG_OK);
    CHECK_EQ(extra.reduce_mode, HG_REDUCE_EXPOSURE);
    CHECK_EQ(set(&limits, "self_trade", "venue"), HG_OK);
    CHECK_EQ(extra.self_trade, HG_SELF_WE_LEAVE);
    CHECK_EQ(set(&limits, "self_trade", "cancel"), HG_OK);
    CHECK_EQ(extra.self_trade, HG_SELF_WE_CANCEL);
    CHECK_EQ(set(&limits, "duplicates", "all"), HG_OK);
    CHECK_EQ(extra.duplicates, 1);
    CHECK_EQ(set(&limits, "duplicates", "taking"), HG_OK);
    CHECK_EQ(extra.duplicates, 0);
    CHECK_EQ(set(&limits, "stale_reduce_only", "true"), HG_OK);
    CHECK(extra.stale_reduce_only);
    refuse("stale_reduce_only", "yes", "want one of false|true");
    CHECK(extra.stale_reduce_only); /* as it was */
    CHECK_EQ(set(&limits, "stale_reduce_only", "false"), HG_OK);
    CHECK(!extra.stale_reduce_only);
    CHECK_EQ(set(&limits, "allow_no_cod", "true"), HG_OK);
    CHECK(extra.allow_no_cod && !extra.stale_reduce_only);
    CHECK_EQ(set(&limits, "allow_no_cod", "false"), HG_OK);
    refuse("self_trade", "", "want one of cancel|deny|venue");
    refuse("self_trade", "Deny", "want one of");
    CHECK_STR(hg_limit_word("a|bc|d", 0, word, sizeof word), "a");
    CHECK_STR(hg_limit_word("a|bc|d", 1, word, sizeof word), "bc");
    CHECK_STR(hg_limit_word("a|bc|d", 2, word, sizeof word), "d");
    CHECK_STR(hg_limit_word("a|bc|d", 3, word, sizeof word), "");
    CHECK_STR(hg_limit_word("a|bc|d", 9, word, sizeof word), "");
}

TEST(texts_must_fit) {
    hg_limits limits = {0};
    char text[HG_PERMIT_TEXT + 1];
    memset(text, 'x', sizeof text);
    text[sizeof extra.venue - 1] = '\0';
    CHECK_EQ(set(&limits, "venue", text), HG_OK);
    CHECK_STR(extra.venue, text);
    text[sizeof extra.venue - 1] = 'x';
    text[sizeof extra.venue] = '\0';
    refuse("venue", text, "longer than 31 bytes");
    text[sizeof extra.venue] = 'x';
    text[sizeof extra.account - 1] = '\0';
    CHECK_EQ(set(&limits, "account", text), HG_OK);
    CHECK_STR(extra.account, text);
    memset(text, 'x', sizeof text);
    text[HG_PERMIT_TEXT] = '\0';
    refuse("instruments", text, "longer than 255 bytes");
    CHECK_EQ(set(&limits, "venue", ""), HG_OK);
    CHECK_EQ(set(&limits, "account", ""), HG_OK);
}

TEST(unknown_names_say_what_is_near) {
    refuse("delta_coin", "1", "unknown limit 'delta_coin'");
    CHECK(strstr(hg_error_advice(), "did you mean limits.delta_coins?") != NULL);
    refuse("reduce_mod", "1", "unknown limit");
    CHECK(strstr(hg_error_advice(), "limits.reduce_mode") != NULL);
    refuse("underlyin", "1", "unknown limit"); /* the tables have names too */
    CHECK(strstr(hg_error_advice(), "limits.underlying") != NULL);
    refuse("strateg", "1", "unknown limit");
    CHECK(strstr(hg_error_advice(), "limits.strategy") != NULL);
    refuse("underlying.BTC.delta_coin", "1", "unknown limit 'underlying.BTC.delta_coin'");
    CHECK(strstr(hg_error_advice(), "limits.underlying.BTC.delta_coins") != NULL);
    refuse("strategy.alpha.hedge_trie", "1", "unknown limit");
    CHECK(strstr(hg_error_advice(), "limits.strategy.alpha.hedge_tries") != NULL);
    refuse("strategy.alpha.instrument", "1", "unknown limit");
    CHECK(strstr(hg_error_advice(), "limits.strategy.alpha.instruments") != NULL);
    refuse("underlying.BTC.instrument", "1", "unknown limit"); /* it has none */
    CHECK(!strstr(hg_error_advice(), "instruments"));
}

/* --- whose a limit is ------------------------------------------------------------------------- */

TEST(a_limit_belongs_to_somebody) {
    refuse("underlying.BTC.blind_s", "1", "blind_s is a limit of the session");
    refuse("underlying.BTC.hedge_tries", "1", "hedge_tries is a limit of a strategy");
    refuse("strategy.alpha.delta_coins", "1", "delta_coins is a limit of an underlying");
    refuse("underlying.BTC.delta_coins", "x", "want a number above zero");
    refuse("underlying.BTC", "1", "want a table of limits by name");
    refuse("underlying..delta_coins", "1", "want a table of limits by name");
    refuse("strategy.", "1", "want a table of limits by name");
    char path[128];
    for (int len = 47; len <= 48; len++) { /* 47 letters are the longest name */
        char name[64];
        memset(name, 'x', sizeof name);
        name[len] = '\0';
        snprintf(path, sizeof path, "underlying.%s.delta_coins", name);
        if (len == 48) {
            refuse(path, "1", "want a table of limits by name");
        } else {
            hg_limits limits = {0};
            CHECK_EQ(set(&limits, path, "1"), HG_OK);
            CHECK_STR(extra.overrides[extra.override_count - 1].name, name);
        }
    }
}

TEST(the_limits_of_one_name) {
    hg_limits limits;
    hg_limits out;
    extra = (hg_limit_extra){0};
    hg_limits_default(&limits);
    CHECK_EQ(set(&limits, "underlying.BTC.delta_coins", "5"), HG_OK);
    CHECK_EQ(set(&limits, "underlying.ETH.delta_coins", "6"), HG_OK);
    CHECK_EQ(set(&limits, "strategy.BTC.hedge_tries", "7"), HG_OK);
    CHECK_EQ(set(&limits, "underlying.BTC.delta_coins", "4"), HG_OK); /* the last word counts */
    hg_limits_of(&limits, HG_SCOPE_UNDERLYING, "BTC", &out);
    CHECK_NEAR(out.delta_coins, 4, 0);
    CHECK_EQ(out.hedge_tries, limits.hedge_tries);
    hg_limits_of(&limits, HG_SCOPE_UNDERLYING, "ETH", &out);
    CHECK_NEAR(out.delta_coins, 6, 0);
    hg_limits_of(&limits, HG_SCOPE_UNDERLYING, "SOL", &out);
    CHECK_NEAR(out.delta_coins, limits.delta_coins, 0);
    hg_limits_of(&limits, HG_SCOPE_STRATEGY, "BTC", &out);
    CHECK_EQ(out.hedge_tries, 7);
    CHECK_NEAR(out.delta_coins, limits.delta_coins, 0);
    limits.extra = NULL;
    hg_limits_of(&limits, HG_SCOPE_STRATEGY, "BTC", &out);
    CHECK_EQ(out.hedge_tries, limits.hedge_tries);
}

TEST(there_is_room_for_so_many_and_no_more) {
    hg_limits limits = {0};
    char path[64];
    extra = (hg_limit_extra){0};
    for (int i = 0; i < HG_OVERRIDES_MAX; i++) {
        snprintf(path, sizeof path, "underlying.U%d.delta_coins", i);
        CHECK_EQ(set(&limits, path, "1"), HG_OK);
    }
    refuse("underlying.MORE.delta_coins", "1", "more than 128 limits");
    CHECK_EQ(extra.override_count, HG_OVERRIDES_MAX);
    for (int i = 0; i < HG_PERMITS_MAX; i++) {
        snprintf(path, sizeof path, "strategy.S%d.sides", i);
        CHECK_EQ(set(&limits, path, "sell"), HG_OK);
        CHECK_EQ(extra.permits[i].sides, 2);
        snprintf(path, sizeof path, "strategy.S%d.instruments", i);
        CHECK_EQ(set(&limits, path, "BTC*"), HG_OK);
        CHECK_STR(extra.permits[i].instruments, "BTC*");
        CHECK_EQ(extra.permit_count, i + 1);
    }
    refuse("strategy.more.sides", "buy", "more than 16 strategies");
    refuse("instruments", "BTC*", "more than 16 strategies");
    CHECK_EQ(set(&limits, "strategy.S3.sides", "both"), HG_OK);
    CHECK_EQ(extra.permits[3].sides, 0);
    refuse("strategy.S3.sides", "short", "want one of both|buy|sell");
    extra = (hg_limit_extra){0};
}
