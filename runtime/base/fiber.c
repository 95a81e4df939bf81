/* Stacks are mapped with a guard page below: running over one is a fault, not a corruption. The
 * sanitizers are told of every switch, or they would take the other stack for a mistake. */
#include "base/fiber.h"

#include "base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FIBER_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define FIBER_TSAN 1
#endif
#ifdef FIBER_ASAN /* as in sanitizer/common_interface_defs.h */
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom, size_t *size);
#endif
#ifdef FIBER_TSAN /* as in sanitizer/tsan_interface.h */
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

struct hg_fiber {
    ucontext_t inside, outside;
    unsigned char *mapping; /* guard page and stack */
    size_t mapping_size;
    unsigned char *stack;
    size_t stack_size;
    int (*work)(void *argument);
    void *argument;
    int result;
    bool begun, ended, in;
    void *inner_fake, *outer_fake; /* of the address sanitizer */
    const void *outer_stack;
    size_t outer_size;
    void *inner_tsan, *outer_tsan;
};

hg_fiber *hg_fiber_new(size_t stack_size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    hg_fiber *f = calloc(1, sizeof *f);
    if (!f) return NULL;
#ifdef FIBER_ASAN
    stack_size *= 8; /* its frames are that much larger */
#endif
    f->stack_size = (stack_size + page - 1) / page * page;
    f->mapping_size = f->stack_size + page;
    void *mapping = mmap(NULL, f->mapping_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED) {
        free(f);
        return NULL;
    }
    f->mapping = mapping;
    f->stack = f->mapping + page;
    hg_assert(mprotect(f->mapping, page, PROT_NONE) == 0);
#ifdef FIBER_TSAN
    f->inner_tsan = __tsan_create_fiber(0);
#endif
    return f;
}

void hg_fiber_free(hg_fiber *f) {
    if (!f) return;
    hg_assert(!hg_fiber_is_busy(f));
#ifdef FIBER_TSAN
    __tsan_destroy_fiber(f->inner_tsan);
#endif
    munmap(f->mapping, f->mapping_size);
    free(f);
}

/* ---- switching ------------------------------------------------------------------------------- */
static void to_inside(hg_fiber *f) {
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&f->outer_fake, f->stack, f->stack_size);
#endif
#ifdef FIBER_TSAN
    f->outer_tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->inner_tsan, 0);
#endif
    hg_assert(swapcontext(&f->outside, &f->inside) == 0);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->outer_fake, NULL, NULL);
#endif
}

static void arrived_inside(hg_fiber *f) {
    (void)f;
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->inner_fake, &f->outer_stack, &f->outer_size);
#endif
}

static void to_outside(hg_fiber *f) {
#ifdef FIBER_ASAN
    void **keep = f->ended ? NULL : &f->inner_fake;
    __sanitizer_start_switch_fiber(keep, f->outer_stack, f->outer_size);
#endif
#ifdef FIBER_TSAN
    __tsan_switch_to_fiber(f->outer_tsan, 0);
#endif
    hg_assert(swapcontext(&f->inside, &f->outside) == 0);
    arrived_inside(f);
}

/* makecontext passes ints only. */
static void enter(unsigned high, unsigned low) {
    hg_fiber *f = (hg_fiber *)((uintptr_t)high << 32 | (uintptr_t)low); // NOLINT
    arrived_inside(f);
    f->result = f->work(f->argument);
    f->ended = true;
    to_outside(f);
    hg_assert(!"a fiber that has ended was resumed");
}

void hg_fiber_begin(hg_fiber *f, int (*work)(void *), void *argument) {
    hg_assert(!hg_fiber_is_busy(f));
    uint64_t self = (uint64_t)(uintptr_t)f;
    f->work = work;
    f->argument = argument;
    f->begun = true;
    f->ended = false;
    f->inner_fake = NULL;
    hg_assert(getcontext(&f->inside) == 0);
    f->inside.uc_stack.ss_sp = f->stack;
    f->inside.uc_stack.ss_size = f->stack_size;
    f->inside.uc_link = NULL;
    makecontext(&f->inside, (void (*)(void))enter, 2, (unsigned)(self >> 32), (unsigned)self);
}

bool hg_fiber_resume(hg_fiber *f, int *result) {
    hg_assert(hg_fiber_is_busy(f) && !f->in);
    f->in = true;
    to_inside(f);
    f->in = false;
    if (f->ended) *result = f->result;
    return f->ended;
}

void hg_fiber_pause(hg_fiber *f) {
    hg_assert(f->in);
    to_outside(f);
}

bool hg_fiber_is_busy(const hg_fiber *f) {
    return f->begun && !f->ended;
}

bool hg_fiber_is_inside(const hg_fiber *f) {
    return f->in;
}
