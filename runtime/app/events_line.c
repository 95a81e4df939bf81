/* Lines of the events file: built in a fixed buffer, written whole. */
#include "app/events_int.h"

bool hg_events_wanted(const hg_events *events) {
    return events->file || events->listener;
}

void hg_line_open_at(hg_line *l, int64_t time_ns, const char *kind) {
    hg_json_init(&l->json, l->buf, sizeof l->buf);
    hg_json_open(&l->json, NULL);
    hg_json_number(&l->json, "t", (double)time_ns / 1e9);
    hg_json_string(&l->json, "kind", kind);
}

void hg_line_open_after(hg_line *l, const hg_events *events, int64_t time_ns, const char *kind) {
    hg_line_open_at(l, time_ns > events->sampled_ns ? time_ns : events->sampled_ns, kind);
}

void hg_line_open(hg_line *l, const hg_events *events, const char *kind) {
    hg_line_open_after(l, events, events->core->now_ns, kind);
}

void hg_line_close(hg_line *l, hg_events *events) {
    hg_json_close(&l->json);
    const char *text = hg_json_text(&l->json);
    if (events->listener) {
        events->listener(events->context, text);
    }
    if (events->file && (fputs(text, events->file) == EOF || fputc('\n', events->file) == EOF)) {
        events->failed = true;
    }
}

void hg_line_price(hg_line *l, const char *key, const hg_instrument *inst, hg_ticks price) {
    hg_json_nano(&l->json, key, price * inst->tick);
}

void hg_line_size(hg_line *l, const char *key, const hg_instrument *inst, hg_lots size) {
    hg_json_nano(&l->json, key, size * inst->lot);
}

const char *hg_events_script(const hg_events *events, uint16_t index) {
    const hg_core *core = events->core;
    return index < core->script_count ? hg_script_name(core->scripts[index]) : "";
}
