/* In front of every array stands a head of one cache line with the size of its mapping, 0 for the
 * small ones, which come from the heap. Arrays begin at a cache line. */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEAD 64u

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAGES_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define PAGES_ASAN 1
#endif
#ifdef PAGES_ASAN /* it watches the heap only, but would mark every byte of the largest */
#define MAPPED_MIN ((size_t)2 << 20)
#else
#define MAPPED_MIN ((size_t)32 << 10)
#endif

typedef struct {
    size_t mapped;
} head;

static head *mapping_new(size_t bytes) {
    /* cppcheck-suppress invalidFunctionArg ; -1: no file */
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return NULL;
    head *h = at;
    h->mapped = bytes;
    return h;
}

static head *block_new(size_t bytes) {
    head *h = aligned_alloc(HEAD, bytes);
    if (h) memset(h, 0, bytes);
    return h;
}

void *hg_pages_new(size_t count, size_t size) {
    if (count == 0) count = 1;
    if (size == 0) size = 1;
    if (count > (SIZE_MAX / 2 - HEAD) / size) return NULL;
    size_t bytes = (HEAD + count * size + HEAD - 1) / HEAD * HEAD;
    head *h = bytes >= MAPPED_MIN ? mapping_new(bytes) : block_new(bytes);
    return h ? (unsigned char *)h + HEAD : NULL;
}

void hg_pages_free(void *pages) {
    if (!pages) return;
    head *h = (head *)(void *)((unsigned char *)pages - HEAD);
    if (h->mapped > 0) {
        munmap(h, h->mapped);
    } else {
        free(h);
    }
}
