/* The price process: one log price per coin, one vol for both.
 *
 * d ln S = -vol^2/2 dt + vol dW + jumps + script. The log of vol is the scripted level plus a slow
 * and a fast mean-reverting part, both correlated with dW (a two-factor log-OU after Bergomi), and
 * a jump lifts both. Every part is stepped by its exact law over one beat, so the statistics do not
 * depend on the step. The second coin follows the first with `beta` and a noise of its own. */
#include "venue/sim_int.h"

#include "base/assert.h"

#include <math.h>

/* Vol at which nobody is nervous. */
#define QUIET_VOL 0.45
#define CORRELATION 0.85

const double hg_sim_beta[SIM_MARKETS] = {1.0, 1.25};

sim_ou hg_sim_ou(double half_life_s, double sd, double step_s) {
    hg_assert(half_life_s > 0);
    hg_assert(sd >= 0);
    double keep = exp(-0.69314718055994531 * step_s / half_life_s);
    return (sim_ou){.keep = keep, .kick = sd * sqrt(1 - keep * keep)};
}

double hg_sim_ou_step(const sim_ou *ou, double x, double mean, double z) {
    return mean + (x - mean) * ou->keep + ou->kick * z;
}

static void refresh(sim_path *path) {
    double target = hg_sim_script_vol(&path->script, path->at_s);
    double slow = target * exp(path->level);
    double now = slow * exp(path->fast);
    path->var_slow = slow * slow;
    path->var_now = now * now;
    path->vol = now;
    path->liquidity = hg_sim_script_liquidity(&path->script, path->at_s);
    double nervous = now / QUIET_VOL - 1;
    path->stress = (nervous > 0 ? nervous : 0) + path->shock;
    hg_assert(path->stress >= 0);
    hg_assert(isfinite(path->vol));
}

void hg_sim_path_init(sim_path *path, const sim_scenario *scenario, uint64_t seed) {
    *path = (sim_path){0};
    hg_sim_script_init(&path->script, scenario, seed);
    hg_rng_init(&path->spot, seed, 2);
    hg_rng_init(&path->vol_rng, seed, 3);
    hg_rng_init(&path->jump, seed, 4);
    hg_rng_init(&path->cross, seed, 5);
    path->level_ou = hg_sim_ou(5 * 86400, 0.12, SIM_BEAT_S);
    path->fast_ou = hg_sim_ou(2 * 3600, 0.15, SIM_BEAT_S);
    path->shock_keep = hg_sim_ou(240, 0, SIM_BEAT_S).keep;
    refresh(path);
}

/* An unscripted jump: more likely the higher the variance, a little more often down than up. */
static double draw_jump(sim_path *path, double dt_days) {
    const sim_scenario *scenario = path->script.scenario;
    double relative = path->vol / scenario->vol_long;
    double chance = scenario->jump_per_day * relative * relative * dt_days;
    if (hg_rng_uniform(&path->jump) >= chance) {
        return 0;
    }
    return scenario->jump_sd * (hg_rng_normal(&path->jump) - 0.3);
}

static void step_vol(sim_path *path, double z_spot, double jump) {
    double rho = path->script.scenario->rho;
    double own = sqrt(1 - rho * rho);
    double z_level = hg_rng_normal(&path->vol_rng);
    double z_fast = hg_rng_normal(&path->vol_rng);
    path->level = hg_sim_ou_step(&path->level_ou, path->level, 0, rho * z_spot + own * z_level);
    path->fast = hg_sim_ou_step(&path->fast_ou, path->fast, 0, rho * z_spot + own * z_fast);
    double lift = path->script.scenario->jump_vol * fabs(jump);
    path->fast = fmin(path->fast + 0.75 * lift, 0.9);
    path->level = fmin(path->level + 0.25 * lift, 0.7);
    path->shock = fmin(path->shock * path->shock_keep + 50 * fabs(jump), 5);
}

void hg_sim_path_step(sim_path *path) {
    hg_assert(path->vol > 0);
    double dt = SIM_BEAT_S / SIM_YEAR_S;
    double until_s = path->at_s + SIM_BEAT_S;
    double z[SIM_MARKETS];
    z[0] = hg_rng_normal(&path->spot);
    double own = hg_rng_normal(&path->cross);
    z[1] = CORRELATION * z[0] + sqrt(1 - CORRELATION * CORRELATION) * own;
    double jump = draw_jump(path, SIM_BEAT_S / 86400) +
                  hg_sim_script_shock(&path->script, path->at_s, until_s);
    double drift = hg_sim_script_drift(&path->script, until_s);
    double moved = jump + (drift - path->drift);
    for (int i = 0; i < SIM_MARKETS; i++) {
        double vol = hg_sim_beta[i] * path->vol;
        path->log_price[i] += vol * sqrt(dt) * z[i] - 0.5 * vol * vol * dt + hg_sim_beta[i] * moved;
        hg_assert(isfinite(path->log_price[i]));
    }
    path->drift = drift;
    path->at_s = until_s;
    step_vol(path, z[0], jump);
    refresh(path);
}

double hg_sim_path_spread(const sim_path *path) {
    hg_assert(path->liquidity > 0);
    return (1 + 0.8 * path->stress) / pow(path->liquidity, 0.7);
}

double hg_sim_path_depth(const sim_path *path) {
    hg_assert(path->stress >= 0);
    return path->liquidity / (1 + 0.7 * path->stress);
}
