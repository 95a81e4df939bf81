/* libuv behind four functions, so that nothing above needs to know it. */
#include "loop/loop_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct hg_loop {
    uv_loop_t uv;
    uv_timer_t timer;
    uv_signal_t interrupt;
    uv_signal_t terminate;
    uv_signal_t kill;
    bool kill_asked;
    bool stopped;
};

static void on_signal(uv_signal_t *handle, int number) {
    hg_loop *loop = handle->data;
    if (loop->stopped) {
        _exit(128 + number);
    }
    loop->stopped = true;
    uv_stop(&loop->uv);
}

static void on_kill(uv_signal_t *handle, int number) {
    (void)number;
    hg_loop *loop = handle->data;
    loop->kill_asked = true;
    uv_stop(&loop->uv);
}

static void on_timer(uv_timer_t *handle) {
    uv_stop(handle->loop);
}

static int signal_open(hg_loop *loop, uv_signal_t *handle, uv_signal_cb on, int number) {
    int rc = uv_signal_init(&loop->uv, handle);
    handle->data = loop;
    if (rc == 0) {
        rc = uv_signal_start(handle, on, number);
    }
    uv_unref((uv_handle_t *)handle);
    return rc;
}

int hg_loop_open(hg_loop **out) {
    hg_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return HG_ERR(HG_ENOMEM, "event loop");
    }
    int rc = uv_loop_init(&loop->uv);
    if (rc < 0) {
        free(loop);
        return HG_ERR(HG_EIO, "event loop: %s", uv_strerror(rc));
    }
    rc = uv_timer_init(&loop->uv, &loop->timer);
    if (rc == 0) {
        rc = signal_open(loop, &loop->interrupt, on_signal, SIGINT);
    }
    if (rc == 0) {
        rc = signal_open(loop, &loop->terminate, on_signal, SIGTERM);
    }
    if (rc == 0) {
        rc = signal_open(loop, &loop->kill, on_kill, SIGUSR1);
    }
    if (rc < 0) {
        hg_loop_close(loop);
        return HG_ERR(HG_EIO, "event loop: %s", uv_strerror(rc));
    }
    *out = loop;
    return HG_OK;
}

static void close_handle(uv_handle_t *handle, void *unused) {
    (void)unused;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void hg_loop_close(hg_loop *loop) {
    if (!loop) {
        return;
    }
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&loop->uv);
    hg_assert(rc == 0);
    free(loop);
}

void hg_loop_poll(hg_loop *loop) {
    uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void hg_loop_wait(hg_loop *loop, int64_t until_ns) {
    int64_t left = until_ns - hg_clock_monotonic_ns();
    if (left <= 0 || loop->stopped) {
        hg_loop_poll(loop);
        return;
    }
    uv_update_time(&loop->uv);
    uint64_t ms = (uint64_t)((left + HG_NS_PER_MS - 1) / HG_NS_PER_MS);
    uv_timer_start(&loop->timer, on_timer, ms, 0);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_timer_stop(&loop->timer);
}

uv_loop_t *hg_loop_uv(hg_loop *loop) {
    return &loop->uv;
}

bool hg_loop_stopped(const hg_loop *loop) {
    return loop->stopped;
}

bool hg_loop_kill_asked(hg_loop *loop) {
    bool asked = loop->kill_asked;
    loop->kill_asked = false;
    return asked;
}
