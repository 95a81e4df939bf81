/* Tapes: what goes in comes out, and no damaged tape is ever read as if it were whole. */
#include "test.h"

#include "base/rng.h"
#include "base/text.h"
#include "venue/tape.h"
#include "venue/tape_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hg_universe *universe_some(void) {
    static const char *const names[] = {"BTC-PERPETUAL",
                                        "ETH-PERPETUAL",
                                        "BTC-27FEB26-80000-P",
                                        "BTC-27FEB26-96000-C",
                                        "ETH-27MAR26-3000-C",
                                        "BTC-27MAR26",
                                        "BTC_USDC",
                                        "SOL_USDC-PERPETUAL",
                                        "XRP_USDC-30JUN26-0d625-C"};
    hg_universe *universe = hg_universe_new();
    CHECK(universe);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t id = 0;
        CHECK_EQ(hg_universe_add_name(universe, names[i], &id), HG_OK);
    }
    return universe;
}

static int64_t value_any(hg_rng *rng) {
    uint64_t bits = hg_rng_next(rng) >> hg_rng_below(rng, 64);
    return (int64_t)(hg_rng_below(rng, 2) ? bits : 0 - bits);
}

static int64_t size_any(hg_rng *rng) {
    return (int64_t)(hg_rng_next(rng) >> (1 + hg_rng_below(rng, 63)));
}

static hg_event event_any(hg_rng *rng, const hg_universe *universe, int64_t time_ns) {
    hg_event ev;
    memset(&ev, 0, sizeof ev);
    ev.time_ns = time_ns;
    ev.kind = (uint8_t)(HG_EV_QUOTE + hg_rng_below(rng, HG_EV_STATUS));
    ev.flags = (uint8_t)hg_rng_below(rng, 16);
    uint32_t count = ev.kind == HG_EV_INDEX     ? hg_universe_underlying_count(universe)
                     : ev.kind == HG_EV_FORWARD ? hg_universe_expiry_count(universe)
                                                : hg_universe_count(universe);
    ev.id = (uint32_t)hg_rng_below(rng, count);
    switch (ev.kind) {
    case HG_EV_QUOTE:
        ev.quote.bid = value_any(rng);
        ev.quote.ask = value_any(rng);
        ev.quote.bid_size = size_any(rng);
        ev.quote.ask_size = size_any(rng);
        break;
    case HG_EV_DEPTH:
    case HG_EV_TRADE:
        ev.side = hg_rng_below(rng, 2) ? HG_BUY : HG_SELL;
        ev.level.price = value_any(rng);
        ev.level.size = size_any(rng);
        break;
    case HG_EV_MARK:
        ev.mark.price = value_any(rng);
        ev.mark.iv = value_any(rng);
        break;
    case HG_EV_STATUS:
        break;
    default:
        ev.price.value = value_any(rng);
    }
    return ev;
}

/* Random events; times stand still now and then. */
static hg_event *events_make(const hg_universe *universe, uint64_t seed, size_t count) {
    hg_rng rng;
    hg_rng_init(&rng, seed, 7);
    hg_event *events = calloc(count, sizeof *events);
    CHECK(events);
    int64_t time_ns = INT64_C(1769660547228000000);
    for (size_t i = 0; i < count; i++) {
        time_ns += hg_rng_below(&rng, 3) ? (int64_t)hg_rng_below(&rng, 1000000000) : 0;
        events[i] = event_any(&rng, universe, time_ns);
    }
    return events;
}

static void tape_write(const char *path, const hg_universe *universe, const hg_event *events,
                       size_t count) {
    hg_tape_writer *writer = NULL;
    CHECK_EQ(hg_tape_create(path, universe, "test", &writer), HG_OK);
    for (size_t i = 0; i < count; i++) CHECK_EQ(hg_tape_append(writer, &events[i]), HG_OK);
    CHECK_EQ(hg_tape_finish(writer), HG_OK);
}

/* The id in `to` of what `id` is in `from`. */
static uint32_t id_moved(const hg_universe *from, const hg_universe *to, const hg_event *ev) {
    if (ev->kind == HG_EV_INDEX) {
        return hg_universe_find_underlying(to, hg_universe_underlying(from, ev->id)->name);
    }
    if (ev->kind == HG_EV_FORWARD) {
        const hg_expiry *e = hg_universe_expiry(from, ev->id);
        const char *name = hg_universe_underlying(from, e->underlying)->name;
        return hg_universe_find_expiry(to, hg_universe_find_underlying(to, name), e->time_ns);
    }
    return hg_universe_find(to, hg_universe_get(from, ev->id)->name);
}

static void tape_compare(hg_feed *feed, const hg_universe *from, const hg_universe *to,
                         const hg_event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        hg_event got;
        CHECK_EQ(hg_feed_next(feed, &got), 1);
        hg_event want = events[i];
        want.id = id_moved(from, to, &events[i]);
        CHECK_MEM(&got, &want, sizeof got);
    }
    hg_event none;
    CHECK_EQ(hg_feed_next(feed, &none), 0);
    CHECK_EQ(hg_feed_next(feed, &none), 0);
}

TEST(round_trip_of_random_events) {
    hg_universe *from = universe_some();
    for (uint64_t seed = 1; seed <= 20; seed++) {
        size_t count = seed == 20 ? 100000 : (size_t)seed * 37;
        hg_event *events = events_make(from, seed, count);
        tape_write(test_tmp("t.tape"), from, events, count);
        /* A universe that already has some of them, in another order. */
        hg_universe *to = hg_universe_new();
        uint32_t id = 0;
        CHECK_EQ(hg_universe_add_name(to, "SOL_USDC-PERPETUAL", &id), HG_OK);
        CHECK_EQ(hg_universe_add_name(to, "BTC-27MAR26-50000-C", &id), HG_OK);
        CHECK_EQ(hg_universe_add_name(to, "BTC-27FEB26-96000-C", &id), HG_OK);
        hg_feed *feed = NULL;
        CHECK_EQ(hg_tape_open(test_tmp("t.tape"), to, &feed), HG_OK);
        CHECK_EQ(feed->event_count, count);
        CHECK_EQ(feed->start_ns, events[0].time_ns);
        CHECK_EQ(feed->end_ns, events[count - 1].time_ns);
        tape_compare(feed, from, to, events, count);
        hg_feed_close(feed);
        hg_universe_free(to);
        free(events);
    }
    hg_universe_free(from);
}

TEST(instrument_terms_survive) {
    hg_universe *from = universe_some();
    hg_event ev = {.time_ns = 5, .kind = HG_EV_STATUS};
    hg_tape_writer *writer = NULL;
    CHECK_EQ(hg_tape_create(test_tmp("t.tape"), from, "test", &writer), HG_OK);
    for (uint32_t i = 0; i < hg_universe_count(from); i++) {
        ev.id = hg_universe_count(from) - 1 - i;
        CHECK_EQ(hg_tape_append(writer, &ev), HG_OK);
    }
    CHECK_EQ(hg_tape_finish(writer), HG_OK);
    hg_universe *to = hg_universe_new();
    hg_feed *feed = NULL;
    CHECK_EQ(hg_tape_open(test_tmp("t.tape"), to, &feed), HG_OK);
    CHECK_EQ(hg_universe_count(to), hg_universe_count(from));
    for (uint32_t i = 0; i < hg_universe_count(from); i++) {
        hg_instrument a = *hg_universe_get(from, i);
        hg_instrument b = *hg_universe_get(to, hg_universe_find(to, a.name));
        a.id = b.id, a.underlying_id = b.underlying_id, a.expiry_id = b.expiry_id;
        a.settle_id = b.settle_id, a.quote_id = b.quote_id;
        CHECK_MEM(&a, &b, sizeof a);
    }
    hg_feed_close(feed);
    hg_universe_free(to);
    hg_universe_free(from);
}

TEST(only_what_is_used_goes_on_the_tape) {
    hg_universe *from = universe_some();
    hg_event ev = {.time_ns = 5, .kind = HG_EV_FORWARD, .id = 1};
    tape_write(test_tmp("t.tape"), from, &ev, 1);
    hg_tape_info info;
    CHECK_EQ(hg_tape_inspect(test_tmp("t.tape"), &info), HG_OK);
    CHECK_EQ(info.instruments, 1);
    CHECK_EQ(info.expiries, 1);
    CHECK_EQ(info.underlyings, 0);
    CHECK_EQ(info.kinds[HG_EV_FORWARD], 1);
    CHECK_STR(info.source, "test");
    hg_universe_free(from);
}

TEST(an_empty_tape_is_a_tape) {
    hg_universe *from = universe_some();
    tape_write(test_tmp("t.tape"), from, NULL, 0);
    hg_tape_info info;
    CHECK_EQ(hg_tape_inspect(test_tmp("t.tape"), &info), HG_OK);
    CHECK_EQ(info.events, 0);
    hg_universe_free(from);
}

TEST(writer_refuses_what_is_not_a_recording) {
    hg_universe *from = universe_some();
    hg_tape_writer *w = NULL;
    CHECK_EQ(hg_tape_create(test_tmp("t.tape"), from, "test", &w), HG_OK);
    hg_event good = {.time_ns = 100, .kind = HG_EV_QUOTE};
    CHECK_EQ(hg_tape_append(w, &good), HG_OK);
    hg_event bad = {.time_ns = 99, .kind = HG_EV_QUOTE};
    CHECK_EQ(hg_tape_append(w, &bad), HG_EINVALID);
    bad = (hg_event){.time_ns = 100, .kind = HG_EV_FILL};
    CHECK_EQ(hg_tape_append(w, &bad), HG_EINVALID);
    bad = (hg_event){.time_ns = 100, .kind = HG_EV_QUOTE, .id = 900};
    CHECK_EQ(hg_tape_append(w, &bad), HG_EINVALID);
    bad = (hg_event){.time_ns = 100, .kind = HG_EV_QUOTE, .quote.bid_size = -1};
    CHECK_EQ(hg_tape_append(w, &bad), HG_EINVALID);
    bad = (hg_event){.time_ns = 100, .kind = HG_EV_DEPTH, .level.size = 1};
    CHECK_EQ(hg_tape_append(w, &bad), HG_EINVALID);
    CHECK_EQ(hg_tape_append(w, &good), HG_OK);
    CHECK_EQ(hg_tape_finish(w), HG_OK);
    hg_tape_info info;
    CHECK_EQ(hg_tape_inspect(test_tmp("t.tape"), &info), HG_OK);
    CHECK_EQ(info.events, 2);
    hg_universe_free(from);
}

TEST(abandoned_writer_leaves_nothing) {
    hg_universe *from = universe_some();
    hg_tape_writer *w = NULL;
    CHECK_EQ(hg_tape_create(test_tmp("t.tape"), from, "test", &w), HG_OK);
    CHECK_EQ(access(test_tmp("t.tape.tmp"), F_OK), 0);
    hg_tape_abandon(w);
    CHECK_EQ(access(test_tmp("t.tape.tmp"), F_OK), -1);
    CHECK_EQ(access(test_tmp("t.tape"), F_OK), -1);
    hg_universe_free(from);
}

TEST(the_same_contract_with_another_tick_is_refused) {
    hg_universe *from = universe_some();
    hg_event ev = {.time_ns = 5, .kind = HG_EV_QUOTE, .id = 0};
    tape_write(test_tmp("t.tape"), from, &ev, 1);
    hg_universe *to = hg_universe_new();
    hg_instrument inst;
    CHECK_EQ(hg_instrument_from_name("BTC-PERPETUAL", &inst), HG_OK);
    inst.tick *= 2;
    uint32_t id = 0;
    CHECK_EQ(hg_universe_add(to, &inst, &id), HG_OK);
    hg_feed *feed = NULL;
    CHECK_EQ(hg_tape_open(test_tmp("t.tape"), to, &feed), HG_EDATA);
    CHECK(strstr(hg_error_text(), "BTC-PERPETUAL"));
    hg_universe_free(to);
    hg_universe_free(from);
}

// --- damage -------------------------------------------------------------------------------------

/* Reads all of it; the number of events that came out before `rc`. */
static size_t memory_read(const char *data, size_t size, const hg_event *events, size_t count,
                          int *rc) {
    hg_universe *universe = hg_universe_new();
    hg_universe *from = universe_some();
    hg_feed *feed = NULL;
    size_t n = 0;
    *rc = hg_tape_open_memory("x.tape", data, size, universe, &feed);
    if (*rc == HG_OK) {
        hg_event got;
        while ((*rc = hg_feed_next(feed, &got)) == 1) {
            CHECK(n < count);
            hg_event want = events[n++];
            want.id = id_moved(from, universe, &want);
            CHECK_MEM(&got, &want, sizeof got);
        }
        int again = hg_feed_next(feed, &got);
        CHECK_EQ(again, *rc);
        hg_feed_close(feed);
    }
    hg_universe_free(universe);
    hg_universe_free(from);
    return n;
}

static char *small_tape(hg_event **events, size_t count, size_t *size) {
    hg_universe *from = universe_some();
    *events = events_make(from, 3, count);
    tape_write(test_tmp("small.tape"), from, *events, count);
    hg_universe_free(from);
    char *data = NULL;
    CHECK_EQ(hg_file_read(test_tmp("small.tape"), 1 << 20, &data, size), HG_OK);
    return data;
}

TEST_WITHIN(cut_at_every_byte_is_noticed, 60) {
    hg_event *events = NULL;
    size_t size = 0;
    char *data = small_tape(&events, 60, &size);
    for (size_t cut = 0; cut < size; cut++) {
        int rc = 0;
        memory_read(data, cut, events, 60, &rc);
        CHECK_EQ(rc, HG_EDATA);
        CHECK(strstr(hg_error_text(), "x.tape: offset "));
    }
    int rc = 0;
    CHECK_EQ(memory_read(data, size, events, 60, &rc), 60);
    CHECK_EQ(rc, 0);
    free(data);
    free(events);
}

TEST_WITHIN(flip_of_every_bit_is_noticed, 120) {
    hg_event *events = NULL;
    size_t size = 0;
    char *data = small_tape(&events, 60, &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        data[bit / 8] ^= (char)(1 << bit % 8);
        int rc = 0;
        memory_read(data, size, events, 60, &rc);
        CHECK(rc == HG_EDATA || rc == HG_EVERSION);
        CHECK(strstr(hg_error_text(), "x.tape: offset "));
        data[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(data);
    free(events);
}

TEST(grown_tape_is_noticed) {
    hg_event *events = NULL;
    size_t size = 0;
    char *data = small_tape(&events, 10, &size);
    char *longer = calloc(1, 2 * size);
    CHECK(longer);
    memcpy(longer, data, size);
    int rc = 0;
    memory_read(longer, size + 1, events, 10, &rc);
    CHECK_EQ(rc, HG_EDATA);
    memcpy(longer + size, data, size); /* two tapes in one file */
    memory_read(longer, 2 * size, events, 10, &rc);
    CHECK_EQ(rc, HG_EDATA);
    free(longer);
    free(data);
    free(events);
}

TEST(other_versions_and_other_files_are_named) {
    hg_event *events = NULL;
    size_t size = 0;
    char *data = small_tape(&events, 10, &size);
    hg_tape_put32((unsigned char *)data + 8, 2);
    int rc = 0;
    memory_read(data, size, events, 10, &rc);
    CHECK_EQ(rc, HG_EVERSION);
    CHECK(strstr(hg_error_text(), "version 2"));
    memset(data, 'a', size);
    memory_read(data, size, events, 10, &rc);
    CHECK_EQ(rc, HG_EDATA);
    CHECK(strstr(hg_error_text(), "not a tape"));
    hg_feed *feed = NULL;
    hg_universe *universe = hg_universe_new();
    CHECK_EQ(hg_tape_open(test_tmp("none.tape"), universe, &feed), HG_ENOTFOUND);
    CHECK_EQ(hg_tape_open(test_tmp_dir(), universe, &feed), HG_EDATA);
    hg_universe_free(universe);
    free(data);
    free(events);
}

TEST(reading_allocates_nothing_per_event) {
    hg_universe *from = universe_some();
    size_t count = 50000;
    hg_event *events = events_make(from, 11, count);
    tape_write(test_tmp("t.tape"), from, events, count);
    hg_universe *to = hg_universe_new();
    hg_feed *feed = NULL;
    CHECK_EQ(hg_tape_open(test_tmp("t.tape"), to, &feed), HG_OK);
    hg_event ev;
    long before = hg_test_alloc_count();
    for (size_t i = 0; i < count; i++) CHECK_EQ(hg_feed_next(feed, &ev), 1);
    CHECK_EQ(hg_test_alloc_count() - before, 0);
    hg_feed_close(feed);
    hg_universe_free(to);
    hg_universe_free(from);
    free(events);
}
