/* Tapes and imports: ns per event decoded or encoded, per row imported. The whole path of a tick
 * may take 250 ns; the tape should be a small part of it. */
#include "bench.h"

#include "base/rng.h"
#include "base/text.h"
#include "venue/import.h"
#include "venue/tape_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS = 1000000 };

static const char *path_temporary(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "/tmp/hedged-bench-%d-%s", (int)getpid(), name);
    return path;
}

static void give_up(bench *b, int rc) {
    (void)rc;
    bench_skip(b, hg_error_text());
}

// --- writing ------------------------------------------------------------------------------------

/* Quotes of a random walk on ten instruments, as a busy feed sends them. */
static void quotes_make(hg_event *events, const uint32_t ids[10]) {
    hg_rng rng;
    hg_rng_init(&rng, 1, 1);
    int64_t time_ns = INT64_C(1700000000000000000);
    int64_t mid = 120000;
    for (int i = 0; i < EVENTS; i++) {
        time_ns += (int64_t)hg_rng_below(&rng, 1000000);
        mid += (int64_t)hg_rng_below(&rng, 11) - 5;
        hg_event *ev = &events[i];
        memset(ev, 0, sizeof *ev);
        ev->time_ns = time_ns;
        ev->kind = HG_EV_QUOTE;
        ev->id = ids[hg_rng_below(&rng, 10)];
        ev->quote.bid = mid;
        ev->quote.ask = mid + 1 + (int64_t)hg_rng_below(&rng, 3);
        ev->quote.bid_size = 1 + (int64_t)hg_rng_below(&rng, 500);
        ev->quote.ask_size = 1 + (int64_t)hg_rng_below(&rng, 500);
    }
}

static hg_universe *universe_make(uint32_t ids[10]) {
    hg_universe *universe = hg_universe_new();
    for (int i = 0; universe && i < 10; i++) {
        char name[HG_NAME_MAX];
        snprintf(name, sizeof name, "BTC-27MAR26-%d000-C", 60 + i);
        if (hg_universe_add_name(universe, name, &ids[i]) < 0) return NULL;
    }
    return universe;
}

static int tape_make(const char *path, const hg_universe *universe, const hg_event *events) {
    hg_tape_writer *writer = NULL;
    int rc = hg_tape_create(path, universe, "bench", &writer);
    for (int i = 0; rc == HG_OK && i < EVENTS; i++) rc = hg_tape_append(writer, &events[i]);
    return rc < 0 ? rc : hg_tape_finish(writer);
}

BENCH(write_quotes) {
    uint32_t ids[10];
    hg_universe *universe = universe_make(ids);
    hg_event *events = malloc(EVENTS * sizeof *events);
    if (!universe || !events) abort();
    quotes_make(events, ids);
    const char *path = path_temporary("w.tape");
    int rc = HG_OK;
    BENCH_BATCH (b, EVENTS) {
        if (rc == HG_OK) rc = tape_make(path, universe, events);
    }
    hg_tape_info info;
    if (rc == HG_OK) rc = hg_tape_inspect(path, &info);
    if (rc < 0) {
        give_up(b, rc);
    } else {
        bench_field(b, "bytes_per_event", (double)info.bytes / EVENTS);
    }
    unlink(path);
    free(events);
    hg_universe_free(universe);
}

// --- reading ------------------------------------------------------------------------------------

/* Decodes all of a tape that lies in memory. */
static void decode(bench *b, const char *path) {
    char *data = NULL;
    size_t size = 0;
    hg_tape_info info;
    int rc = hg_tape_inspect(path, &info);
    if (rc == HG_OK) rc = hg_file_read(path, (size_t)1 << 30, &data, &size);
    hg_universe *universe = hg_universe_new();
    if (rc < 0 || !universe) {
        give_up(b, rc);
        hg_universe_free(universe);
        return;
    }
    for (int sample = 0; sample < 25; sample++) {
        hg_feed *feed = NULL;
        if (hg_tape_open_memory(path, data, size, universe, &feed) < 0) abort();
        hg_event ev;
        uint64_t sum = 0;
        bench_begin(b);
        while (hg_feed_next(feed, &ev) == 1) sum += ev.id;
        bench_end(b, (double)info.events);
        bench_keep(sum);
        hg_feed_close(feed);
    }
    bench_field(b, "events", (double)info.events);
    bench_field(b, "bytes_per_event", (double)info.bytes / (double)info.events);
    hg_universe_free(universe);
    free(data);
}

BENCH(decode_quotes) {
    uint32_t ids[10];
    hg_universe *universe = universe_make(ids);
    hg_event *events = malloc(EVENTS * sizeof *events);
    if (!universe || !events) abort();
    quotes_make(events, ids);
    const char *path = path_temporary("r.tape");
    int rc = tape_make(path, universe, events);
    free(events);
    hg_universe_free(universe);
    if (rc < 0) {
        give_up(b, rc);
        return;
    }
    decode(b, path);
    unlink(path);
}

// --- imports ------------------------------------------------------------------------------------

static int import_run(const char *kind, const char *file, const char *out,
                      hg_import_report *report) {
    hg_universe *universe = hg_universe_new();
    hg_text_input *input = NULL;
    hg_tape_writer *writer = NULL;
    int rc = universe ? hg_text_input_open(file, &input) : HG_ENOMEM;
    if (rc == HG_OK) rc = hg_tape_create(out, universe, kind, &writer);
    if (rc == HG_OK) {
        hg_import_options options;
        hg_import_options_init(&options);
        hg_import_tape tape;
        hg_import_tape_init(&tape, writer);
        rc = hg_import_run(hg_import_kind_find(kind), input, &options, universe, &tape.sink,
                           report);
        if (rc == HG_OK) {
            rc = hg_tape_finish(writer);
        } else {
            hg_tape_abandon(writer);
        }
    }
    hg_text_input_close(input);
    hg_universe_free(universe);
    return rc;
}

/* ns per line of the file, file to tape. */
static void import_bench(bench *b, const char *kind, const char *file, int samples) {
    const char *out = path_temporary("i.tape");
    hg_import_report report;
    int rc = import_run(kind, file, out, &report);
    for (int i = 0; rc == HG_OK && i < samples; i++) {
        bench_begin(b);
        rc = import_run(kind, file, out, &report);
        bench_end(b, (double)report.lines);
    }
    if (rc < 0) {
        give_up(b, rc);
        return;
    }
    bench_field(b, "lines", (double)report.lines);
    bench_field(b, "events", (double)report.events);
    unlink(out);
}

BENCH(import_quotes_csv) {
    char file[256];
    snprintf(file, sizeof file, "%s", path_temporary("q.csv"));
    FILE *f = fopen(file, "w");
    if (!f) {
        bench_skip(b, "no room for a file in /tmp");
        return;
    }
    hg_rng rng;
    hg_rng_init(&rng, 2, 1);
    fputs("ts_ns,instrument,bid,ask,bid_size,ask_size\n", f);
    int64_t mid = 120000;
    for (int i = 0; i < EVENTS; i++) {
        mid += (int64_t)hg_rng_below(&rng, 11) - 5;
        fprintf(f, "%lld,BTC_USDC-PERPETUAL,%.1f,%.1f,%d,%d\n",
                1700000000000000000LL + i * 1000000LL, (double)mid / 2 - 0.5, (double)mid / 2 + 0.5,
                1 + (int)hg_rng_below(&rng, 50), 1 + (int)hg_rng_below(&rng, 50));
    }
    fclose(f);
    import_bench(b, "quotes-csv", file, 5);
    unlink(file);
}

static void import_data(bench *b, const char *kind, const char *name) {
    const char *file = bench_data(name);
    if (!file) {
        bench_skip(b, "no recorded data");
        return;
    }
    import_bench(b, kind, file, 3);
}

BENCH(import_deribit_chain) {
    import_data(b, "deribit-chain", "market/deribit_chain/chain_stress_20260129_20260208.csv.gz");
}

BENCH(import_binance_l2) {
    import_data(b, "binance-l2", "market/perp_l2/binance_usdm_btcusdt_20240808.raw.gz");
}

/* Tapes of recorded data decode at other speeds than random ones. */
static void decode_data(bench *b, const char *kind, const char *name) {
    const char *file = bench_data(name);
    if (!file) {
        bench_skip(b, "no recorded data");
        return;
    }
    char out[256];
    snprintf(out, sizeof out, "%s", path_temporary("d.tape"));
    hg_import_report report;
    int rc = import_run(kind, file, out, &report);
    if (rc < 0) {
        give_up(b, rc);
        return;
    }
    decode(b, out);
    unlink(out);
}

BENCH(decode_chain) {
    decode_data(b, "deribit-chain", "market/deribit_chain/chain_stress_20260129_20260208.csv.gz");
}

BENCH(decode_depth) {
    decode_data(b, "binance-l2", "market/perp_l2/binance_usdm_btcusdt_20240808.raw.gz");
}
