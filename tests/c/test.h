/* The C test kit. A test is one line of registration and a body; a file tests/c/test_<dir>_<noun>.c
 * is found by itself, its tests are named <dir>_<noun>:<name>:
 *
 *     TEST(keeps_order_when_full) {
 *         CHECK_EQ(hg_ring_len(&ring), 3);
 *     }
 *
 * What a test prints shows when it fails; lines that begin with "note: " show always (figures).
 * Each test runs in its own child process with a time limit, from the root of the repository; the
 * first check that fails ends it. A test also fails when it leaves file descriptors open and, under
 * the address sanitizer, when it leaks. */
#ifndef HG_TEST_TEST_H
#define HG_TEST_TEST_H

#include "alloc.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct hg_test hg_test;
struct hg_test {
    const char *file;
    const char *name;
    int line;
    int timeout_s; /* 0 = the runner's default, 30 s */
    void (*run)(void);
    hg_test *next;
};

void hg_test_register(hg_test *test);

#define TEST(name) TEST_WITHIN(name, 0)

/* A test that may take longer than the default. */
#define TEST_WITHIN(test_name, seconds)                                                            \
    static void run_##test_name(void);                                                             \
    __attribute__((constructor)) static void register_##test_name(void) {                          \
        static hg_test self = {__FILE__, #test_name, __LINE__, seconds, run_##test_name, 0};       \
        hg_test_register(&self);                                                                   \
    }                                                                                              \
    static void run_##test_name(void)

/* Checks: each prints file:line, the expressions and the values, and ends the test. */
#define CHECK(cond) ((cond) ? (void)0 : hg_test_fail(__FILE__, __LINE__, "CHECK(%s)", #cond))
/* Integers, what was got first. */
#define CHECK_EQ(a, b) hg_test_eq(__FILE__, __LINE__, #a, #b, (long long)(a), (long long)(b))
#define CHECK_NEAR(a, b, tol)                                                                      \
    hg_test_near(__FILE__, __LINE__, #a, #b, (double)(a), (double)(b), (double)(tol))
#define CHECK_STR(a, b) hg_test_str(__FILE__, __LINE__, #a, #b, (a), (b))
#define CHECK_MEM(a, b, n) hg_test_mem(__FILE__, __LINE__, #a, #b, (a), (b), (n))

/* The statement must end in abort(), as hg_assert does. */
#define CHECK_ABORTS(statement)                                                                    \
    do {                                                                                           \
        if (hg_test_fork_quiet()) {                                                                \
            statement;                                                                             \
            hg_test_child_survived();                                                              \
        }                                                                                          \
        hg_test_aborted(__FILE__, __LINE__, #statement);                                           \
    } while (0)

/* Ends the test without a verdict; the reason is shown. */
#define SKIP(...) hg_test_skip(__VA_ARGS__)

/* Skips when a file of the data folder is absent, e.g. TEST_NEEDS("market/deribit_chain"). */
#define TEST_NEEDS(path) hg_test_needs(path)

/* The folder of recorded data (HEDGED_DATA, default ../shared), which may be absent. */
const char *test_data_dir(void);
/* A file in it. The text lives until the test ends. */
const char *test_data(const char *path);
/* An empty folder of this test's own, removed afterwards. */
const char *test_tmp_dir(void);
/* A path in that folder. */
const char *test_tmp(const char *name);

#define HG_TEST_PRINTF(a, b) __attribute__((format(printf, a, b)))

_Noreturn void hg_test_fail(const char *file, int line, const char *format, ...)
    HG_TEST_PRINTF(3, 4);
_Noreturn void hg_test_skip(const char *format, ...) HG_TEST_PRINTF(1, 2);
void hg_test_needs(const char *path);
void hg_test_eq(const char *file, int line, const char *a, const char *b, long long va,
                long long vb);
void hg_test_near(const char *file, int line, const char *a, const char *b, double va, double vb,
                  double tol);
void hg_test_str(const char *file, int line, const char *a, const char *b, const char *va,
                 const char *vb);
void hg_test_mem(const char *file, int line, const char *a, const char *b, const void *va,
                 const void *vb, size_t n);
bool hg_test_fork_quiet(void);
_Noreturn void hg_test_child_survived(void);
void hg_test_aborted(const char *file, int line, const char *statement);

#endif
