/* The flags of the paper venue. */
#include "app/paper_options.h"

#include <string.h>

static int choices_read(hg_paper_options *o, const hg_args *args) {
    static const char *const fills[] = {"touch", "depth", "queue", NULL};
    static const char *const fees[] = {"none", "venue", NULL};
    size_t fill = o->fill;
    size_t fee = o->fees;
    int rc = hg_args_choice(args, "fill", fills, &fill);
    if (rc == HG_OK) {
        rc = hg_args_choice(args, "fees", fees, &fee);
    }
    o->fill = (hg_fill_model)fill;
    o->fees = fee == 1;
    return rc;
}

/* A queue model means --fill queue; with another fill model it would silently do nothing. */
static int queue_read(hg_paper_options *o, const hg_args *args) {
    const char *text = hg_args_get(args, "queue", NULL);
    if (!text) {
        return HG_OK;
    }
    int rc = hg_queue_parse(text, &o->queue);
    if (rc < 0) {
        return HG_ERR_CTX(rc, "--queue");
    }
    if (hg_args_has(args, "fill") && o->fill != HG_FILL_QUEUE) {
        rc = HG_ERR(HG_EUSAGE, "--queue %s: nobody waits in a queue with --fill %s", text,
                    hg_args_get(args, "fill", ""));
        hg_error_hint("leave --fill out or say --fill queue");
        return rc;
    }
    o->fill = HG_FILL_QUEUE;
    return HG_OK;
}

static int refill_read(hg_paper_options *o, const hg_args *args) {
    const char *text = hg_args_get(args, "refill", NULL);
    if (text && strcmp(text, "update") == 0) {
        o->refill_ns = 0;
        return HG_OK;
    }
    int rc = hg_args_duration(args, "refill", &o->refill_ns);
    if (rc == HG_OK && text && o->fill == HG_FILL_TOUCH) {
        rc = HG_ERR(HG_EUSAGE, "--refill %s: nothing is consumed with --fill touch", text);
    }
    return rc;
}

int hg_paper_options_read(hg_paper_options *o, uint64_t seed, const hg_args *args) {
    const char *latency = hg_args_get(args, "latency", NULL);
    const char *rules = hg_args_get(args, "rules", NULL);
    const char *faults = hg_args_get(args, "faults", NULL);
    int rc = choices_read(o, args);
    if (rc == HG_OK) {
        rc = queue_read(o, args);
    }
    if (rc == HG_OK) {
        rc = refill_read(o, args);
    }
    if (rc == HG_OK && latency && hg_latency_parse(latency, &o->latency) < 0) {
        rc = HG_ERR_CTX(HG_EUSAGE, "--latency %s", latency);
    }
    if (rc == HG_OK && rules && hg_rules_parse(rules, &o->rules) < 0) {
        rc = HG_ERR_CTX(HG_EUSAGE, "--rules %s", rules);
    }
    if (rc == HG_OK && faults && hg_faults_parse(faults, &o->faults) < 0) {
        rc = HG_ERR_CTX(HG_EUSAGE, "--faults %s", faults);
    }
    o->seed = seed;
    return rc;
}
