#ifndef HG_LOOP_LOOP_H
#define HG_LOOP_LOOP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The one event loop of the process (libuv), as far as sessions need it: waiting without blocking
 * signals, and a polite stop on SIGINT and SIGTERM. */
typedef struct hg_loop hg_loop;

HG_MUST_CHECK int hg_loop_open(hg_loop **out);
void hg_loop_close(hg_loop *loop);

/* Handles what is pending without waiting. */
void hg_loop_poll(hg_loop *loop);

/* Runs the loop, at least once, until the monotonic clock reaches `until_ns`, somebody wakes it or
 * a stop is asked for. */
void hg_loop_wait(hg_loop *loop, int64_t until_ns);

/* True after the first SIGINT or SIGTERM; a second one ends the process at once (128 + signal). */
bool hg_loop_stopped(const hg_loop *loop);

/* True once after SIGUSR1: the operator stops trading. It ends a wait. */
bool hg_loop_kill_asked(hg_loop *loop);

#endif
