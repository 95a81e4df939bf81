#ifndef HG_EXEC_FAULTS_H
#define HG_EXEC_FAULTS_H

#include "base/error.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>

/* What goes wrong between us and the paper venue, scheduled and at random, repeatable by seed.
 *
 *   down   the exchange stands still: requests are rejected ("venue_down"), nothing is matched;
 *          resting orders stay.
 *   cut    the connection is gone, the exchange goes on: requests never arrive, answers wait until
 *          the connection is back. What was on its way is unknown until then.
 *   lose   single answers are lost; the venue's word comes `proof_ns` later.
 *   busy   single requests are rejected ("venue_busy").
 *   repeat single answers come twice. */
typedef enum { HG_WINDOW_DAILY, HG_WINDOW_ONCE, HG_WINDOW_RANDOM } hg_window_kind;

typedef struct hg_fault_window {
    hg_window_kind kind;
    bool cut;          /* else down */
    int64_t first_ns;  /* daily: since 00:00 UTC; once: since the start; random: mean gap */
    int64_t length_ns; /* random: the mean; both means are of exponential laws */
} hg_fault_window;

#define HG_FAULT_WINDOWS 16

typedef struct hg_faults {
    hg_fault_window window[HG_FAULT_WINDOWS];
    uint32_t windows;
    double lose, busy, repeat; /* shares, 0 .. 1 */
    int64_t proof_ns;          /* 0 = 5 s */
} hg_faults;

/* "down=10:00-10:05" (every day, UTC), "down=1h+5m" (once, so long after the start of the feed),
 * "cut=random:30m:10s" (mean gap, mean length), "lose=1%", "busy=0.5%", "repeat=1%", "proof=5s";
 * parts are separated by commas. Scenarios: "none", "outage" = down=10m+5m, "flaky" =
 * cut=random:30m:10s,lose=0.5%,busy=0.5%,repeat=0.5%. HG_EUSAGE names the part that is wrong. */
HG_MUST_CHECK int hg_faults_parse(const char *text, hg_faults *out);

/* The windows as time passes. */
typedef struct hg_fault_clock {
    const hg_faults *faults;
    int64_t start_ns;
    int64_t from_ns[HG_FAULT_WINDOWS], to_ns[HG_FAULT_WINDOWS]; /* current or next window */
    hg_rng rng[HG_FAULT_WINDOWS];
    int64_t extra_cut_ns;          /* end of a cut that a rule imposed */
    int64_t change_ns;             /* nothing changes before */
    int64_t down_to_ns, cut_to_ns; /* ends of what is on now, INT64_MIN: off */
    uint64_t begun;                /* windows that began and were noticed */
    bool on[HG_FAULT_WINDOWS];
    bool started;
} hg_fault_clock;

void hg_fault_clock_init(hg_fault_clock *clock, const hg_faults *faults, uint64_t seed);

/* Moves on to `now_ns`, which never falls. */
void hg_fault_clock_move(hg_fault_clock *clock, int64_t now_ns);
void hg_fault_clock_cut(hg_fault_clock *clock, int64_t until_ns);

static inline bool hg_fault_down(const hg_fault_clock *clock, int64_t now_ns) {
    return now_ns < clock->down_to_ns;
}

static inline bool hg_fault_cut(const hg_fault_clock *clock, int64_t now_ns) {
    return now_ns < clock->cut_to_ns;
}

#endif
