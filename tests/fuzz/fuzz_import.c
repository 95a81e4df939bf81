/* Recorded files of every kind that `hedged import` reads; the first byte chooses the kind, the
 * rest is the file (plain, gzip or zstd). Rows that cannot be trusted may be rejected, never passed
 * on. */
#include "fuzz.h"

#include "base/clock.h"
#include "venue/import.h"

#include <string.h>

typedef struct judge {
    hg_import_sink sink;
    const hg_universe *universe;
    int64_t last_ns;
    uint64_t events;
} judge;

static void sides_judge(const hg_event *event) {
    bool both = event->quote.bid_size > 0 && event->quote.ask_size > 0;
    must(event->quote.bid_size >= 0 && event->quote.ask_size >= 0, "sizes are not negative");
    must(!both || event->quote.bid < event->quote.ask, "quotes are not crossed");
}

static int judge_put(hg_import_sink *sink, const hg_event *event) {
    judge *j = (judge *)(void *)sink;
    must(event->time_ns >= j->last_ns, "time does not go back");
    must(event->kind >= HG_EV_QUOTE && event->kind <= HG_EV_STATUS, "only market events");
    uint32_t count = event->kind == HG_EV_INDEX     ? hg_universe_underlying_count(j->universe)
                     : event->kind == HG_EV_FORWARD ? hg_universe_expiry_count(j->universe)
                                                    : hg_universe_count(j->universe);
    must(event->id < count, "the event names something that exists");
    if (event->kind == HG_EV_QUOTE) {
        sides_judge(event);
    } else if (event->kind == HG_EV_DEPTH || event->kind == HG_EV_TRADE) {
        must(event->level.size >= 0, "sizes are not negative");
    } else if (event->kind == HG_EV_MARK) {
        must(event->mark.iv >= 0, "vols are not negative");
    }
    j->last_ns = event->time_ns;
    j->events++;
    return j->events < 200000 ? HG_OK : HG_ELIMIT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static size_t kinds;
    while (hg_import_kinds[kinds].name) {
        kinds++;
    }
    if (size < 1) {
        return 0;
    }
    hg_text_input *input = NULL;
    hg_universe *universe = hg_universe_new();
    must(universe != NULL, "memory");
    if (hg_text_input_open_memory("fuzz", data + 1, size - 1, &input) == HG_OK) {
        hg_import_options options;
        hg_import_report report;
        hg_import_options_init(&options);
        options.step_ns = 60 * HG_NS_PER_S;
        judge j = {.sink = {judge_put}, .universe = universe, .last_ns = INT64_MIN};
        int rc = hg_import_run(&hg_import_kinds[(uint8_t)(data[0] - '0') % kinds], input, &options,
                               universe, &j.sink, &report);
        must(rc <= 0, "a result is 0 or an error");
        must(rc < 0 || report.used > 0, "success means that something was used");
        hg_text_input_close(input);
    }
    hg_universe_free(universe);
    return 0;
}
