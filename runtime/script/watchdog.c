/* The watcher: samples the sequence every few ms, measures CPU time of the loop thread (not wall
 * time: a descheduled process must not kill its scripts), and signals only on overrun. */
#include "script/watchdog_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

/* Ignored by default, used by nobody here: a stray one does nothing. */
#define SIGNAL SIGURG
#define PERIOD_NS (HG_NS_PER_MS * 3 / 2)
#define PARK_AFTER 400              /* quiet samples before the watcher parks */
#define PARK_NS (50 * HG_NS_PER_MS) /* a lost wake-up costs at most this */
#define SLEEP_MIN_NS (100 * HG_NS_PER_US)

hg_watchdog hg_watchdog_state;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pid_t process; /* the watcher does not survive a fork */
    pthread_t loop;
    clockid_t cpu;
} watcher = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void over_budget(lua_State *co, lua_Debug *ar) {
    (void)ar;
    /* The hook stays armed with period 1: a pcall in a loop must not swallow this. */
    luaL_error(co, "over budget");
}

void hg_watchdog_arm(lua_State *co) {
    lua_sethook(co, over_budget, LUA_MASKCOUNT, 1);
}

static void on_signal(int number) {
    (void)number;
    hg_watchdog *w = &hg_watchdog_state;
    uint64_t now = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    uint64_t late = atomic_load_explicit(&w->overrun, memory_order_relaxed);
    if (now == late && w->running) {
        w->expired = 1;
        hg_watchdog_arm(w->running);
    }
}

static int64_t cpu_ns(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return 0;
    return t.tv_sec * HG_NS_PER_S + t.tv_nsec;
}

static void nap(int64_t ns) {
    struct timespec t = {.tv_sec = ns / HG_NS_PER_S, .tv_nsec = ns % HG_NS_PER_S};
    nanosleep(&t, NULL);
}

static void park(uint64_t seen) {
    hg_watchdog *w = &hg_watchdog_state;
    pthread_mutex_lock(&watcher.mutex);
    atomic_store(&w->parked, true);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PARK_NS;
    until.tv_sec += until.tv_nsec / HG_NS_PER_S;
    until.tv_nsec %= HG_NS_PER_S;
    if (atomic_load(&w->sequence) == seen) {
        pthread_cond_timedwait(&watcher.wake, &watcher.mutex, &until);
    }
    atomic_store(&w->parked, false);
    pthread_mutex_unlock(&watcher.mutex);
}

void hg_watchdog_wake(void) {
    pthread_mutex_lock(&watcher.mutex);
    atomic_store(&hg_watchdog_state.parked, false);
    pthread_cond_signal(&watcher.wake);
    pthread_mutex_unlock(&watcher.mutex);
}

/* How long to sleep while one entry goes on; signals it once it is over its budget. */
static int64_t judge(uint64_t sequence, int64_t began_ns) {
    hg_watchdog *w = &hg_watchdog_state;
    int64_t budget = atomic_load_explicit(&w->budget_ns, memory_order_relaxed);
    pthread_mutex_lock(&watcher.mutex);
    clockid_t clock = watcher.cpu;
    pthread_t loop = watcher.loop;
    pthread_mutex_unlock(&watcher.mutex);
    if (budget <= 0) return PERIOD_NS;
    int64_t left = budget - (cpu_ns(clock) - began_ns);
    if (left > 0) return left > SLEEP_MIN_NS ? left : SLEEP_MIN_NS;
    atomic_store_explicit(&w->overrun, sequence, memory_order_relaxed);
    pthread_kill(loop, SIGNAL);
    return PERIOD_NS;
}

static void *watch(void *unused) {
    (void)unused;
    hg_watchdog *w = &hg_watchdog_state;
    uint64_t seen = 0;
    int64_t began_ns = 0;
    unsigned quiet = 0;
    for (;;) {
        uint64_t now = atomic_load_explicit(&w->sequence, memory_order_acquire);
        if (now != seen) {
            seen = now;
            quiet = 0;
            pthread_mutex_lock(&watcher.mutex);
            began_ns = cpu_ns(watcher.cpu);
            pthread_mutex_unlock(&watcher.mutex);
            nap(PERIOD_NS);
        } else if (now & 1) {
            nap(judge(now, began_ns));
        } else if (++quiet > PARK_AFTER) {
            park(now);
        } else {
            nap(PERIOD_NS);
        }
    }
    return NULL;
}

static void install_handler(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    hg_assert(sigaction(SIGNAL, &action, NULL) == 0);
}

/* All signals are blocked in the watcher: they belong to the loop thread. */
static void start_thread(void) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    hg_assert(pthread_create(&thread, NULL, watch, NULL) == 0);
    pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void hg_watchdog_start(void) {
    if (watcher.process != getpid()) {
        pthread_mutex_init(&watcher.mutex, NULL); /* after a fork nobody can hold it */
        pthread_cond_init(&watcher.wake, NULL);
    }
    pthread_mutex_lock(&watcher.mutex);
    watcher.loop = pthread_self();
    hg_assert(pthread_getcpuclockid(watcher.loop, &watcher.cpu) == 0);
    if (watcher.process != getpid()) {
        watcher.process = getpid();
        atomic_store(&hg_watchdog_state.parked, false);
        install_handler();
        start_thread();
    }
    pthread_mutex_unlock(&watcher.mutex);
}
