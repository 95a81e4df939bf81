/* Two look at the clock. The watcher samples the sequence every few ms, measures CPU time of the
 * loop thread (not wall time: a descheduled process must not kill its scripts), and signals on
 * overrun. On a busy machine it may have to wait for a core itself, so the loop thread looks too: a
 * timer of its own CPU time interrupts it a few hundred times a second, as long as it works.
 *
 * What a hook cannot stop is a single step of Lua that takes for ever, as a table whose keys were
 * chosen to collide when it grows. If nothing of the host is on the C stack above it, the handler
 * raises an error out of the middle of it, and the state, which may be half changed, is given up:
 * never entered, collected or closed again. In C code of the host that would corrupt more than the
 * script: every function a script can call is bounded, so such a hang is a bug of the host, and
 * after a second the process ends with a note, since nothing else in it can run: orders at a venue
 * are then cancelled by the venue's own dead-man timer. */
#include "script/script_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* Ignored by default, used by nobody here: a stray one does nothing. */
#define SIGNAL SIGURG
#define PERIOD_NS (HG_NS_PER_MS * 3 / 2)
#define PARK_AFTER 400              /* quiet samples before the watcher parks */
#define PARK_NS (50 * HG_NS_PER_MS) /* a lost wake-up costs at most this */
#define SLEEP_MIN_NS (100 * HG_NS_PER_US)
#define TICK_NS (2 * HG_NS_PER_MS) /* the kernel rounds up to its own, 4 ms or so */
#define HANG_NS HG_NS_PER_S        /* of CPU time beyond the budget */
#define GIVE_UP 4                  /* a state is given up at this part of it */

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

hg_watchdog hg_watchdog_state;
int64_t hg_watchdog_hang_ns = HANG_NS;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pid_t process; /* the watcher does not survive a fork */
    pthread_t loop;
    clockid_t cpu;
    bool has_timer;
    timer_t timer;
} watcher = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* What is above its memory was to be stopped for that: the time went into looking for garbage. */
void hg_watchdog_raise(lua_State *co) {
    hg_script *s = hg_script_of(co);
    bool over = s->over && s->memory.live > s->memory.soft;
    if (over && !hg_watchdog_state.raised) s->starved = true;
    hg_watchdog_state.raised = true;
    luaL_error(co, "over budget");
    abort(); /* luaL_error does not return */
}

static void over_budget(lua_State *co, lua_Debug *ar) {
    (void)ar;
    hg_watchdog_raise(co); /* the hook stays armed with period 1: no pcall in a loop swallows it */
}

void hg_watchdog_arm(lua_State *co) {
    lua_sethook(co, over_budget, LUA_MASKCOUNT, 1);
}

static int64_t cpu_ns(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return 0;
    return t.tv_sec * HG_NS_PER_S + t.tv_nsec;
}

static void say(const char *text) {
    size_t len = strlen(text);
    if (write(STDERR_FILENO, text, len) != (ssize_t)len) return; /* nobody to tell */
}

/* Inside a signal handler, in the middle of C code that does not end. */
static _Noreturn void end_process(lua_State *running) {
    const hg_script *s = hg_script_of(running);
    say("hedged: strategy ");
    say(s->name);
    say(" (");
    say(s->file);
    say(") hangs inside the runtime and cannot be stopped; the process ends.\n"
        "hedged: its orders at the venue are as they were. Do not start this file again before the "
        "cause is known;\nhedged: the core file shows where it hangs.\n");
    abort();
}

/* Whether what runs is Lua's own code, and not the allocator, which others use. */
static bool is_inside_lua(lua_State *running) {
    lua_Debug ar;
    if (hg_script_of(running)->memory.busy) return false;
    if (hg_watchdog_state.plain) return true;
    if (!lua_getstack(running, 0, &ar) || !lua_getinfo(running, "S", &ar)) return false;
    return ar.what[0] != 'C';
}

/* Leaves the handler, and the step it interrupted, by an error. The hook is armed: no instruction
 * of the script runs any more. */
static void give_up(lua_State *running) {
    hg_script *s = hg_script_of(running);
    if (s->given_up || !is_inside_lua(running)) return;
    s->given_up = true;
    sigset_t signal_set;
    sigemptyset(&signal_set);
    sigaddset(&signal_set, SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &signal_set, NULL);
    lua_pushnil(running); /* there are slots in reserve; no message can be made here */
    lua_error(running);
}

/* How much CPU time the entry under way has had: since the watcher saw it, or this handler. */
static int64_t spent_ns(hg_watchdog *w, uint64_t sequence) {
    static uint64_t seen;
    static int64_t since;
    int64_t now = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    if (sequence != seen) {
        seen = sequence;
        since = now;
    }
    bool watched = atomic_load_explicit(&w->watched, memory_order_acquire) == sequence;
    int64_t begun = watched ? atomic_load_explicit(&w->began_ns, memory_order_relaxed) : since;
    return now - (begun < since ? begun : since);
}

static void on_signal(int number) {
    (void)number;
    hg_watchdog *w = &hg_watchdog_state;
    uint64_t now = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    lua_State *running = w->running;
    int64_t budget = atomic_load_explicit(&w->budget_ns, memory_order_relaxed);
    if (!(now & 1) || !running || budget <= 0) return;
    int64_t spent = spent_ns(w, now);
    if (spent >= budget + hg_watchdog_hang_ns) end_process(running);
    bool late = now == atomic_load_explicit(&w->overrun, memory_order_relaxed);
    if (late || spent >= budget) {
        w->expired = 1;
        hg_watchdog_arm(running);
    }
    if (spent >= budget + hg_watchdog_hang_ns / GIVE_UP) give_up(running);
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
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* sleeps end when they should */
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
            atomic_store_explicit(&w->began_ns, began_ns, memory_order_relaxed);
            atomic_store_explicit(&w->watched, now, memory_order_release);
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

/* Interrupts the calling thread while it works. Without one (no such timer) the watcher is alone.
 */
static void start_timer(void) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGNAL;
    event.sigev_notify_thread_id = gettid();
    struct itimerspec every = {
        {0, TICK_NS},
        {0, TICK_NS}
    };
    watcher.has_timer = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &watcher.timer) == 0;
    if (watcher.has_timer) (void)timer_settime(watcher.timer, 0, &every, NULL);
}

void hg_watchdog_start(void) {
    bool forked = watcher.process != getpid();
    if (!forked && pthread_equal(watcher.loop, pthread_self())) return;
    if (watcher.process != getpid()) {
        pthread_mutex_init(&watcher.mutex, NULL); /* after a fork nobody can hold it */
        pthread_cond_init(&watcher.wake, NULL);
        watcher.has_timer = false; /* nor does a timer */
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
    if (watcher.has_timer) (void)timer_delete(watcher.timer);
    start_timer();
}
