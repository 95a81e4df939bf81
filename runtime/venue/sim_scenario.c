/* What can happen: five scripts laid over one random process.
 *
 * A script moves the level of vol, shifts the price along a piecewise-linear path and adds jumps
 * at drawn times, so that every seed tells the same kind of story with other numbers. Each is
 * eventful within three hours and goes on quietly for days. Levels follow recorded episodes: the
 * crash has the size of 2026-01-29..02-08 (BTC -27 %, front vol 35 % to 102 %) in the time that the
 * one of 2020-03-12 took. */
#include "venue/sim_int.h"

#include "base/assert.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define MINUTES(m) ((m)*60.0)
#define HOURS(h) ((h)*3600.0)
#define DAYS(d) ((d)*86400.0)

const char *const hg_sim_scenarios[] = {"calm", "crash", "volspike", "weekend", "gapdown", NULL};

// clang-format off
static const sim_scenario scenarios[] = {
    {.name = "calm", .vol_long = 0.42, .rho = -0.4,
     .jump_per_day = 0.3, .jump_sd = 0.004, .jump_vol = 4,
     .vol = {{0, 0.30}, {DAYS(1), 0.32}, {DAYS(10), 0.38}},
     .liquidity = {{0, 1}}},

    {.name = "crash", .vol_long = 0.48, .rho = -0.6,
     .jump_per_day = 0.5, .jump_sd = 0.010, .jump_vol = 1.0,
     .vol = {{0, 0.38}, {MINUTES(20), 0.42}, {MINUTES(75), 0.80}, {MINUTES(150), 1.08},
             {HOURS(4), 1.05}, {HOURS(12), 0.85}, {DAYS(3), 0.62}, {DAYS(12), 0.50}},
     .drift = {{0, 0}, {MINUTES(20), -0.010}, {MINUTES(60), -0.060}, {MINUTES(100), -0.100},
               {MINUTES(150), -0.180}, {MINUTES(180), -0.215}, {MINUTES(240), -0.150},
               {MINUTES(330), -0.125}},
     .liquidity = {{0, 1}, {MINUTES(20), 0.9}, {MINUTES(120), 0.35}, {MINUTES(210), 0.4},
                   {HOURS(8), 0.7}, {DAYS(2), 1}},
     .shocks = {{MINUTES(22), MINUTES(35), 0.025, 0.040, -1},
                {MINUTES(62), MINUTES(80), 0.035, 0.050, -1},
                {MINUTES(115), MINUTES(140), 0.025, 0.040, -1},
                {MINUTES(185), MINUTES(200), 0.010, 0.020, +1}}},

    {.name = "volspike", .vol_long = 0.48, .rho = -0.2,
     .jump_per_day = 1.0, .jump_sd = 0.008, .jump_vol = 3, .chop = 0.012,
     .vol = {{0, 0.42}, {MINUTES(10), 0.45}, {MINUTES(40), 0.92}, {HOURS(6), 0.95},
             {DAYS(1), 0.75}, {DAYS(5), 0.52}},
     .liquidity = {{0, 1}, {MINUTES(40), 0.5}, {HOURS(6), 0.6}, {DAYS(2), 1}},
     .shocks = {{MINUTES(12), MINUTES(25), 0.010, 0.018, 0},
                {MINUTES(45), MINUTES(75), 0.010, 0.018, 0},
                {MINUTES(90), MINUTES(150), 0.008, 0.015, 0}}},

    {.name = "weekend", .vol_long = 0.45, .rho = -0.4,
     .jump_per_day = 0.2, .jump_sd = 0.006, .jump_vol = 9,
     .vol = {{0, 0.24}, {MINUTES(100), 0.24}, {MINUTES(150), 0.42}, {DAYS(1), 0.42}},
     .liquidity = {{0, 0.22}, {MINUTES(100), 0.18}, {MINUTES(150), 0.7}, {HOURS(6), 1}},
     .shocks = {{MINUTES(100), MINUTES(140), 0.030, 0.045, 0},
                {MINUTES(141), MINUTES(165), 0.006, 0.012, 0}}},

    {.name = "gapdown", .vol_long = 0.48, .rho = -0.5,
     .jump_per_day = 0.5, .jump_sd = 0.008, .jump_vol = 6,
     .vol = {{0, 0.38}, {MINUTES(60), 0.45}, {HOURS(8), 0.55}, {DAYS(4), 0.50}},
     .liquidity = {{0, 1}, {MINUTES(60), 0.45}, {HOURS(4), 0.6}, {DAYS(1), 1}},
     .shocks = {{MINUTES(30), MINUTES(60), 0.108, 0.125, -1},
                {MINUTES(62), MINUTES(75), 0.008, 0.016, -1},
                {MINUTES(76), MINUTES(95), 0.008, 0.016, +1},
                {MINUTES(96), MINUTES(130), 0.006, 0.014, 0},
                {MINUTES(131), MINUTES(175), 0.005, 0.012, 0}}},
};
// clang-format on

int hg_sim_scenario_find(const char *name, const sim_scenario **out) {
    hg_assert(out != NULL);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            *out = &scenarios[i];
            return HG_OK;
        }
    }
    int rc = HG_ERR(HG_EUSAGE, "unknown scenario '%.40s'", name);
    const char *near = hg_text_nearest(name, hg_sim_scenarios);
    if (near) {
        hg_error_hint("did you mean '%s'?", near);
    } else {
        hg_error_hint("scenarios are calm, crash, volspike, weekend, gapdown");
    }
    return rc;
}

static double draw(hg_rng *rng, double lo, double hi) {
    hg_assert(lo <= hi);
    return lo + (hi - lo) * hg_rng_uniform(rng);
}

void hg_sim_script_init(sim_script *script, const sim_scenario *scenario, uint64_t seed) {
    hg_assert(scenario != NULL);
    hg_rng rng;
    hg_rng_init(&rng, seed, 1);
    *script = (sim_script){.scenario = scenario};
    script->drift_scale = draw(&rng, 0.96, 1.04);
    script->chop_phase[0] = hg_rng_uniform(&rng);
    script->chop_phase[1] = hg_rng_uniform(&rng);
    for (uint32_t i = 0; i < SIM_SHOCKS && scenario->shocks[i].to_s > 0; i++) {
        const sim_shock *shock = &scenario->shocks[i];
        script->shock_at_s[i] = draw(&rng, shock->from_s, shock->to_s);
        double size = draw(&rng, shock->lo, shock->hi);
        int drawn = hg_rng_below(&rng, 2) == 0 ? -1 : 1;
        script->shock_size[i] = size * (shock->sign != 0 ? shock->sign : drawn);
        script->shock_count = i + 1;
    }
}

static double interpolate(const sim_knot *knots, double at_s) {
    hg_assert(at_s >= 0);
    int i = 0;
    while (i + 1 < SIM_KNOTS && knots[i + 1].at_s > knots[i].at_s && knots[i + 1].at_s <= at_s) {
        i++;
    }
    if (i + 1 == SIM_KNOTS || knots[i + 1].at_s <= knots[i].at_s) {
        return knots[i].value;
    }
    double part = (at_s - knots[i].at_s) / (knots[i + 1].at_s - knots[i].at_s);
    return knots[i].value + part * (knots[i + 1].value - knots[i].value);
}

double hg_sim_script_vol(const sim_script *script, double at_s) {
    double vol = interpolate(script->scenario->vol, at_s);
    hg_assert(vol > 0);
    return vol;
}

double hg_sim_script_liquidity(const sim_script *script, double at_s) {
    double liquidity = interpolate(script->scenario->liquidity, at_s);
    hg_assert(liquidity > 0);
    return liquidity;
}

/* Two swings of 23 and 61 minutes, growing over the first 20 minutes from nothing. */
static double chop(const sim_script *script, double at_s) {
    double tau = 2 * 3.14159265358979323846;
    double fast = sin(tau * (at_s / MINUTES(23) + script->chop_phase[0]));
    double slow = sin(tau * (at_s / MINUTES(61) + script->chop_phase[1]));
    double grown = at_s < MINUTES(20) ? at_s / MINUTES(20) : 1;
    return script->scenario->chop * grown * (0.7 * fast + slow);
}

double hg_sim_script_drift(const sim_script *script, double at_s) {
    double path = script->drift_scale * interpolate(script->scenario->drift, at_s);
    return script->scenario->chop > 0 ? path + chop(script, at_s) : path;
}

double hg_sim_script_shock(const sim_script *script, double after_s, double until_s) {
    hg_assert(after_s < until_s);
    double size = 0;
    for (uint32_t i = 0; i < script->shock_count; i++) {
        if (script->shock_at_s[i] > after_s && script->shock_at_s[i] <= until_s) {
            size += script->shock_size[i];
        }
    }
    return size;
}
