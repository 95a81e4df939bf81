/* Counts the heap allocations of the whole process, and can make one of them fail. Tests and
 * benches link this, the daemon does not. Under ASan and TSan it only counts. */
#ifndef HG_TEST_ALLOC_H
#define HG_TEST_ALLOC_H

/* Allocations (malloc, calloc, realloc, aligned forms) since the process started, all threads. */
long hg_test_alloc_count(void);

/* Allocations not yet freed. */
long hg_test_alloc_live(void);

/* Makes the n-th allocation from now (1 = the next) return NULL, once; 0 disarms. Returns 0, or -1
 * where the build cannot do it (sanitizers own malloc). */
int hg_test_alloc_fail_at(long n);

/* Whether the armed failure has happened. */
int hg_test_alloc_failed(void);

#endif
