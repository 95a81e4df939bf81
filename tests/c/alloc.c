/* Interposes the allocator. In a plain build malloc and its relatives are defined here, in the
 * executable, and forward to glibc's own entry points, so libraries are counted as well. A
 * sanitizer brings its own malloc; there its hooks count, and failing by index is not available. */
#include "alloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_long allocs;
static atomic_long frees;
static atomic_int failed;

long hg_test_alloc_count(void) {
    return atomic_load_explicit(&allocs, memory_order_relaxed);
}

long hg_test_alloc_live(void) {
    return hg_test_alloc_count() - atomic_load_explicit(&frees, memory_order_relaxed);
}

int hg_test_alloc_failed(void) {
    return atomic_load(&failed);
}

static void count_alloc(void) {
    atomic_fetch_add_explicit(&allocs, 1, memory_order_relaxed);
}

static void count_free(void) {
    atomic_fetch_add_explicit(&frees, 1, memory_order_relaxed);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define ALLOC_BY_HOOKS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOC_BY_HOOKS 1
#endif

#ifdef ALLOC_BY_HOOKS

int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t size) {
    (void)p;
    (void)size;
    count_alloc();
}

static void on_free(const volatile void *p) {
    if (p) count_free();
}

__attribute__((constructor)) static void hooks_install(void) {
    (void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

int hg_test_alloc_fail_at(long n) {
    (void)n;
    return -1;
}

#else

static atomic_long countdown; /* allocations until the one that fails; 0 or less: none */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

int hg_test_alloc_fail_at(long n) {
    atomic_store(&failed, 0);
    atomic_store(&countdown, n);
    return 0;
}

/* True when this allocation is the one that was told to fail. */
static int must_fail(void) {
    if (atomic_load_explicit(&countdown, memory_order_relaxed) <= 0) return 0;
    if (atomic_fetch_sub(&countdown, 1) != 1) return 0;
    atomic_store(&failed, 1);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) {
    count_alloc();
    return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_alloc();
    return must_fail() ? NULL : __libc_calloc(count, size);
}

/* A realloc is one allocation and, when it had a block, one free. */
void *realloc(void *p, size_t size) {
    count_alloc();
    if (must_fail()) return NULL;
    if (p) count_free();
    return __libc_realloc(p, size);
}

void *memalign(size_t align, size_t size) {
    count_alloc();
    return must_fail() ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size) {
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size) {
    count_alloc();
    if (must_fail()) return ENOMEM;
    void *p = __libc_memalign(align, size);
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

void free(void *p) {
    if (!p) return;
    count_free();
    __libc_free(p);
}

#endif
