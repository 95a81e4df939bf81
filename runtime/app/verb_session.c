/* demo, paper and backtest: three sets of defaults over the same session. */
#include "app/session.h"
#include "app/verb.h"

#include <string.h>

static const hg_flag session_flags[] = {HG_SESSION_FLAGS, HG_FLAGS_END};

static int run(hg_mode mode, const hg_args *args) {
    hg_session_options options;
    int rc = hg_session_options_read(&options, mode, args);
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    hg_session session;
    rc = hg_session_open(&session, &options);
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    rc = hg_session_run(&session);
    int code = rc < 0 ? hg_verb_fail(rc) : HG_EXIT_OK;
    rc = hg_session_close(&session);
    return rc < 0 && code == HG_EXIT_OK ? hg_verb_fail(rc) : code;
}

static int demo(hg_args *args) {
    return run(HG_MODE_DEMO, args);
}

static int paper(hg_args *args) {
    return args->word_count > 0 ? run(HG_MODE_PAPER, args)
                                : hg_verb_usage(&hg_verb_paper, "which strategy?");
}

static int backtest(hg_args *args) {
    return args->word_count > 0 ? run(HG_MODE_BACKTEST, args)
                                : hg_verb_usage(&hg_verb_backtest, "which strategy?");
}

const hg_verb hg_verb_demo = {
    .name = "demo",
    .synopsis = "[STRATEGY.lua] [flags]",
    .summary = "a synthetic market, an example option book and a band hedger",
    .example = "hedged demo --scenario crash --speed 600x --for 3h",
    .flags = session_flags,
    .run = demo,
};

const hg_verb hg_verb_paper = {
    .name = "paper",
    .synopsis = "STRATEGY.lua... [flags]",
    .summary = "run strategies against a feed with simulated fills, in real time",
    .example = "hedged paper strategies/delta_band.lua --book examples/books/short_strangle.lua "
               "--scenario volspike --for 10m --set band=0.2",
    .flags = session_flags,
    .run = paper,
};

const hg_verb hg_verb_backtest = {
    .name = "backtest",
    .synopsis = "STRATEGY.lua... --feed tape:FILE [flags]",
    .summary = "run strategies over a feed as fast as possible and report",
    .example = "hedged backtest strategies/delta_band.lua --feed tape:build/stress.tape \\\n"
               "    --book examples/books/short_strangle.lua --json",
    .flags = session_flags,
    .run = backtest,
};
