/* The rules of a venue, from text. */
#include "exec/rules.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PERCENT (HG_NANO / 100)
#define RATE_MAX 1000000

static const char *const self_names[] = {"cancel_maker", "cancel_taker", "cancel_both", "decrement",
                                         NULL};
static const char *const kind_names[] = {"option", "perpetual", "future", "spot", NULL};

const char *hg_self_trade_name(hg_self_trade mode) {
    hg_assert(mode <= HG_SELF_DECREMENT);
    return self_names[mode];
}

int64_t hg_rules_taker_delay(const hg_paper_rules *rules, const hg_instrument *inst) {
    bool spared = rules->delay_spares_inverse && inst->inverse && inst->kind != HG_KIND_OPTION;
    return spared ? 0 : rules->taker_delay_ns[inst->kind];
}

static int one_of(const char *name, const char *value, const char *const *choices, int *index) {
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], value) == 0) {
            *index = i;
            return HG_OK;
        }
    }
    const char *near = hg_text_nearest(value, choices);
    int rc = HG_ERR(HG_EUSAGE, "%s=%s: not known", name, value);
    hg_error_hint(near ? "did you mean %s?" : "%s is one of the choices", near ? near : choices[0]);
    return rc;
}

static void delay_venue(hg_paper_rules *r) {
    for (int kind = 0; kind < 4; kind++) {
        r->taker_delay_ns[kind] = kind == HG_KIND_SPOT ? 0 : 10 * HG_NS_PER_MS;
    }
    r->delay_spares_inverse = true;
}

static int delay_parse(hg_paper_rules *r, const char *kind, const char *value) {
    int64_t ns = 0;
    if (strcmp(value, "venue") == 0 && !kind) {
        delay_venue(r);
        return HG_OK;
    }
    bool none = strcmp(value, "none") == 0 || strcmp(value, "0") == 0;
    if (!none && (!hg_duration_parse(value, &ns) || ns > 60 * HG_NS_PER_S)) {
        int rc = HG_ERR(HG_EUSAGE,
                        "taker_delay=%s: want a duration such as 10ms, at most 60s, or none%s",
                        value, kind ? "" : ", or venue");
        hg_duration_hint(value);
        return rc;
    }
    int only = -1;
    if (kind) {
        int rc = one_of("taker_delay", kind, kind_names, &only);
        if (rc < 0) {
            return rc;
        }
    } else {
        r->delay_spares_inverse = false;
    }
    for (int k = 0; k < 4; k++) {
        r->taker_delay_ns[k] = only < 0 || only == k ? ns : r->taker_delay_ns[k];
    }
    return HG_OK;
}

static void band_venue(hg_paper_rules *r) {
    r->band = 15 * PERCENT / 10;
    r->band_index = 75 * PERCENT / 10;
    r->band_average = true;
    r->band_clamps = true;
}

static int band_parse(hg_paper_rules *r, const char *value) {
    size_t len = strlen(value);
    hg_nano percent = 0;
    if (strcmp(value, "venue") == 0) {
        band_venue(r);
        return HG_OK;
    }
    bool none = strcmp(value, "none") == 0;
    bool given = len > 1 && value[len - 1] == '%' && hg_nano_parse(value, len - 1, &percent) &&
                 percent > 0 && percent < 100 * HG_NANO;
    if (!none && !given) {
        return HG_ERR(HG_EUSAGE, "band=%s: want a percentage such as 1.5%%, venue or none", value);
    }
    r->band = percent / 100;
    r->band_index = 0;
    r->band_average = false;
    r->band_clamps = false;
    return HG_OK;
}

static bool count_parse(const char *text, const char *end, uint32_t *out) {
    char *stop = NULL;
    unsigned long value = strtoul(text, &stop, 10);
    bool fits = text[0] >= '0' && text[0] <= '9' && stop == end && value > 0 && value <= RATE_MAX;
    if (fits) {
        *out = (uint32_t)value;
    }
    return fits;
}

static int rate_parse(hg_paper_rules *r, const char *value) {
    hg_paper_rules n = {0};
    const char *colon = strchr(value, ':');
    const char *second = colon ? strchr(colon + 1, ':') : NULL;
    const char *end = value + strlen(value);
    if (strcmp(value, "none") == 0) {
        r->rate = 0;
        return HG_OK;
    }
    if (!colon || !count_parse(value, colon, &n.rate) ||
        !count_parse(colon + 1, second ? second : end, &n.burst) ||
        (second && !hg_duration_parse(second + 1, &n.rate_cut_ns))) {
        int rc = HG_ERR(HG_EUSAGE,
                        "rate=%s: want PER_SECOND:BURST such as 5:20, or with a lost "
                        "connection 5:20:1s, or none",
                        value);
        hg_duration_hint(second ? second + 1 : "");
        return rc;
    }
    r->rate = n.rate;
    r->burst = n.burst;
    r->rate_cut_ns = n.rate_cut_ns;
    return HG_OK;
}

static int post_only_parse(hg_paper_rules *r, const char *value) {
    static const char *const choices[] = {"reject", "slide", NULL};
    int index = 0;
    int rc = one_of("post_only", value, choices, &index);
    r->slide = rc == HG_OK ? index == 1 : r->slide;
    return rc;
}

static int self_parse(hg_paper_rules *r, const char *value) {
    int index = 0;
    int rc = one_of("self_trade", value, self_names, &index);
    r->self_trade = rc == HG_OK ? (hg_self_trade)index : r->self_trade;
    return rc;
}

static int native_parse(hg_paper_rules *r, const char *value) {
    static const char *const choices[] = {"none", "trigger", "trailing", "all", NULL};
    static const uint32_t kinds[] = {0, HG_VENUE_TRIGGER, HG_VENUE_TRAILING,
                                     HG_VENUE_TRIGGER | HG_VENUE_TRAILING};
    int index = 0;
    int rc = one_of("native", value, choices, &index);
    r->native = rc == HG_OK ? kinds[index] : r->native;
    return rc;
}

static void preset_deribit(hg_paper_rules *r) {
    *r = (hg_paper_rules){.self_trade = HG_SELF_CANCEL_MAKER, .slide = true};
    delay_venue(r);
    band_venue(r);
    r->rate = 5;
    r->burst = 20;
    r->rate_cut_ns = HG_NS_PER_S;
    r->native = HG_VENUE_TRIGGER | HG_VENUE_TRAILING;
}

static int part_unknown(const char *name) {
    static const char *const names[] = {"plain",       "deribit", "self_trade", "post_only", "band",
                                        "taker_delay", "rate",    "native",     NULL};
    const char *near = hg_text_nearest(name, names);
    if (near && strcmp(near, name) == 0) {
        int rc = HG_ERR(HG_EUSAGE, "%s: wants a value", name);
        hg_error_hint("%s=none, or see hedged docs and docs/paper-fills.md", name);
        return rc;
    }
    int rc = HG_ERR(HG_EUSAGE, "unknown rule '%s'", name);
    hg_error_hint(near ? "did you mean %s?"
                       : "rules are plain, deribit, self_trade=, post_only=, "
                         "taker_delay=, band=, rate= and native=",
                  near);
    return rc;
}

static int part_parse(void *rules, char *part) {
    hg_paper_rules *r = rules;
    char *value = strchr(part, '=');
    if (!value) {
        if (strcmp(part, "deribit") == 0) {
            preset_deribit(r);
        } else if (strcmp(part, "plain") == 0) {
            *r = (hg_paper_rules){0};
        } else {
            return part_unknown(part);
        }
        return HG_OK;
    }
    *value++ = '\0';
    if (strcmp(part, "taker_delay") == 0 || strncmp(part, "taker_delay.", 12) == 0) {
        return delay_parse(r, part[11] == '.' ? part + 12 : NULL, value);
    }
    static const struct {
        const char *name;
        int (*parse)(hg_paper_rules *, const char *);
    } parts[] = {
        {"self_trade", self_parse     },
        {"post_only",  post_only_parse},
        {"band",       band_parse     },
        {"rate",       rate_parse     },
        {"native",     native_parse   }
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(part, parts[i].name) == 0) {
            return parts[i].parse(r, value);
        }
    }
    return part_unknown(part);
}

int hg_rules_parse(const char *text, hg_paper_rules *out) {
    hg_assert(text && out);
    hg_paper_rules parsed = {0};
    int rc = hg_text_parts(text, part_parse, &parsed);
    if (rc >= 0) {
        *out = parsed;
    }
    return rc;
}
