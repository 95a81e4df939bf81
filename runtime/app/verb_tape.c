/* hedged tape info: what is on a tape, after checking every byte of it. */
#include "app/console.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/json.h"
#include "venue/tape.h"

#include <stdio.h>
#include <string.h>

static const hg_flag flags[] = {HG_FLAG_JSON, HG_FLAGS_END};

static void print_json(const char *file, const hg_tape_info *info) {
    char buf[4096];
    char time[32];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_string(&j, "tape", file);
    hg_json_int(&j, "version", info->version);
    hg_json_string(&j, "source", info->source);
    hg_json_int(&j, "bytes", (int64_t)info->bytes);
    hg_json_int(&j, "blocks", (int64_t)info->blocks);
    hg_json_int(&j, "events", (int64_t)info->events);
    hg_json_open(&j, "kinds");
    for (int k = 0; k < HG_EV_KINDS; k++) {
        if (info->kinds[k] > 0) {
            hg_json_int(&j, hg_event_kind_name((hg_event_kind)k), (int64_t)info->kinds[k]);
        }
    }
    hg_json_close(&j);
    hg_json_int(&j, "instruments", info->instruments);
    hg_json_int(&j, "underlyings", info->underlyings);
    hg_json_int(&j, "expiries", info->expiries);
    hg_json_int(&j, "depth_books", info->depth_count);
    hg_json_int(&j, "start_ns", info->start_ns);
    hg_json_int(&j, "end_ns", info->end_ns);
    hg_json_string(&j, "start", hg_time_format(info->start_ns, time, sizeof time));
    hg_json_string(&j, "end", hg_time_format(info->end_ns, time, sizeof time));
    hg_json_close(&j);
    printf("%s\n", hg_json_text(&j));
}

static void print_human(const char *file, const hg_tape_info *info) {
    char n[2][32];
    char time[2][32];
    printf("%s: tape version %u from %s, every checksum good\n", file, info->version,
           info->source[0] ? info->source : "an unnamed source");
    printf("  %-12s %s .. %s\n", "time", hg_time_format(info->start_ns, time[0], sizeof time[0]),
           hg_time_format(info->end_ns, time[1], sizeof time[1]));
    printf("  %-12s %s bytes in %s blocks\n", "size",
           hg_console_number((double)info->bytes, 0, n[0], sizeof n[0]),
           hg_console_number((double)info->blocks, 0, n[1], sizeof n[1]));
    printf("  %-12s %u, %u with depth\n", "instruments", info->instruments, info->depth_count);
    printf("  %-12s %s\n", "events", hg_console_number((double)info->events, 0, n[0], sizeof n[0]));
    for (int k = 0; k < HG_EV_KINDS; k++) {
        if (info->kinds[k] > 0) {
            printf("    %-10s %s\n", hg_event_kind_name((hg_event_kind)k),
                   hg_console_number((double)info->kinds[k], 0, n[0], sizeof n[0]));
        }
    }
}

static int tape(hg_args *args) {
    if (args->word_count < 1 || strcmp(args->words[0], "info") != 0) {
        return hg_verb_usage(&hg_verb_tape, "the only thing to do with a tape is: info");
    }
    if (args->word_count != 2) {
        return hg_verb_usage(&hg_verb_tape, "want one tape");
    }
    hg_tape_info info;
    int rc = hg_tape_inspect(args->words[1], &info);
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    if (hg_args_has(args, "json")) {
        print_json(args->words[1], &info);
    } else {
        print_human(args->words[1], &info);
    }
    return HG_EXIT_OK;
}

const hg_verb hg_verb_tape = {
    .name = "tape",
    .synopsis = "info TAPE [--json]",
    .summary = "what is on a tape; checks every byte of it",
    .example = "hedged tape info build/stress.tape",
    .flags = flags,
    .run = tape,
};
