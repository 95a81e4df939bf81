/* Runs the registered tests, each in a forked child so that a crash, a hang or a leaked descriptor
 * is that test's failure and nobody else's. Output of a child is kept and shown only if it fails.
 *
 *     ctest [-v] [-x] [--list] [--patience N] [PATTERN...]    -x: stop at the first that fails
 *
 * With --patience every test may take N times as long (valgrind).
 * A pattern is a part of file:name, or a glob if it has a star. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { DEFAULT_TIMEOUT_S = 30, OUTPUT_MAX = 64 * 1024, EXIT_FAILED = 101, EXIT_SKIPPED = 102 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_LSAN 1
#endif
#ifdef HAS_LSAN
int __lsan_do_recoverable_leak_check(void);
#endif

static hg_test *tests;
static int tests_count;
static int patience = 1;

/* State of the child: where the verdict goes, and what the test asked for. */
static FILE *verdict;
static char tmp_dir[PATH_MAX];
static pid_t quiet_child;

void hg_test_register(hg_test *test) {
    test->next = tests;
    tests = test;
    tests_count++;
}

// --- what a running test calls ------------------------------------------------------------------

static _Noreturn void child_end(int code) {
    fflush(NULL);
    _exit(code);
}

void hg_test_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(verdict, "%s:%d: ", file, line);
    vfprintf(verdict, format, args);
    va_end(args);
    child_end(EXIT_FAILED);
}

void hg_test_skip(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(verdict, format, args);
    va_end(args);
    child_end(EXIT_SKIPPED);
}

void hg_test_needs(const char *path) {
    const char *full = test_data(path);
    if (access(full, R_OK) != 0) hg_test_skip("no %s (set HEDGED_DATA)", full);
}

void hg_test_eq(const char *file, int line, const char *a, const char *b, long long va,
                long long vb) {
    if (va != vb) hg_test_fail(file, line, "CHECK_EQ(%s, %s): %lld is not %lld", a, b, va, vb);
}

void hg_test_near(const char *file, int line, const char *a, const char *b, double va, double vb,
                  double tol) {
    /* Equal infinities are near; a NaN is near nothing. */
    if (va == vb || fabs(va - vb) <= tol) return;
    hg_test_fail(file, line, "CHECK_NEAR(%s, %s): %.17g is not %.17g, off by %.3g, allowed %.3g", a,
                 b, va, vb, fabs(va - vb), tol);
}

void hg_test_str(const char *file, int line, const char *a, const char *b, const char *va,
                 const char *vb) {
    if (va == vb || (va && vb && strcmp(va, vb) == 0)) return;
    hg_test_fail(file, line, "CHECK_STR(%s, %s):\n    got    %s\n    wanted %s", a, b,
                 va ? va : "(null)", vb ? vb : "(null)");
}

void hg_test_mem(const char *file, int line, const char *a, const char *b, const void *va,
                 const void *vb, size_t n) {
    const unsigned char *x = va;
    const unsigned char *y = vb;
    for (size_t i = 0; i < n; i++) {
        if (x[i] == y[i]) continue;
        hg_test_fail(file, line, "CHECK_MEM(%s, %s): byte %zu of %zu is 0x%02x, not 0x%02x", a, b,
                     i, n, x[i], y[i]);
    }
}

bool hg_test_fork_quiet(void) {
    fflush(NULL);
    quiet_child = fork();
    if (quiet_child != 0) return false;
    int null = open("/dev/null", O_WRONLY);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    signal(SIGABRT, SIG_DFL);
    return true;
}

void hg_test_child_survived(void) {
    _exit(0);
}

void hg_test_aborted(const char *file, int line, const char *statement) {
    int status = 0;
    if (quiet_child < 0) hg_test_fail(file, line, "fork: %s", strerror(errno));
    while (waitpid(quiet_child, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) return;
    hg_test_fail(file, line, "CHECK_ABORTS(%s): it went on", statement);
}

const char *test_data_dir(void) {
    const char *dir = getenv("HEDGED_DATA");
    return dir && *dir ? dir : "../shared";
}

/* A joined path that lives as long as the child, without touching the heap that tests count. */
static const char *path_join(const char *dir, const char *name) {
    static char pool[64 * 1024];
    static size_t used;
    size_t size = strlen(dir) + strlen(name) + 2;
    if (size > sizeof pool - used) hg_test_fail(__FILE__, __LINE__, "too many paths in one test");
    char *path = pool + used;
    used += size;
    snprintf(path, size, "%s/%s", dir, name);
    return path;
}

const char *test_data(const char *path) {
    return path_join(test_data_dir(), path);
}

const char *test_tmp_dir(void) {
    if (mkdir(tmp_dir, 0700) != 0 && errno != EEXIST)
        hg_test_fail(__FILE__, __LINE__, "mkdir %s: %s", tmp_dir, strerror(errno));
    return tmp_dir;
}

const char *test_tmp(const char *name) {
    return path_join(test_tmp_dir(), name);
}

// --- the runner ---------------------------------------------------------------------------------

/* "tests/c/test_base_ring.c" is shown as "base_ring". */
static void test_label(const hg_test *test, char *out, size_t size) {
    const char *base = strrchr(test->file, '/');
    base = base ? base + 1 : test->file;
    if (strncmp(base, "test_", 5) == 0) base += 5;
    snprintf(out, size, "%.*s:%s", (int)strcspn(base, "."), base, test->name);
}

static bool test_wanted(const char *label, int patterns_count, char **patterns) {
    if (patterns_count == 0) return true;
    for (int i = 0; i < patterns_count; i++) {
        bool glob = strchr(patterns[i], '*') != NULL;
        if (glob ? fnmatch(patterns[i], label, 0) == 0 : strstr(label, patterns[i]) != NULL)
            return true;
    }
    return false;
}

enum { FDS_MAX = 1024 };

static void fds_read(bool open[FDS_MAX]) {
    memset(open, 0, FDS_MAX * sizeof open[0]);
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        long fd = strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && fd < FDS_MAX && fd != dirfd(dir)) open[fd] = true;
    }
    closedir(dir);
}

/* Fails the test when it left something open, and says what it is. */
static void fds_compare(const hg_test *test, const bool before[FDS_MAX]) {
    bool after[FDS_MAX];
    char what[512] = "";
    size_t len = 0;
    fds_read(after);
    for (int fd = 0; fd < FDS_MAX; fd++) {
        char link[32];
        char name[128];
        if (!after[fd] || before[fd]) continue;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof name - 1);
        name[n < 0 ? 0 : n] = '\0';
        if (len < sizeof what) {
            len += (size_t)snprintf(what + len, sizeof what - len, " %d (%s)", fd, name);
        }
    }
    if (len) hg_test_fail(test->file, test->line, "file descriptors left open:%s", what);
}

static _Noreturn void child_run(const hg_test *test, int output_fd, int verdict_fd) {
    dup2(output_fd, STDOUT_FILENO);
    dup2(output_fd, STDERR_FILENO);
    close(output_fd);
    verdict = fdopen(verdict_fd, "w");
    if (!verdict) _exit(EXIT_FAILED);
    bool before[FDS_MAX];
    uv_loop_t loop; /* libuv opens a pipe with the first loop and keeps it */
    if (uv_loop_init(&loop) == 0) (void)uv_loop_close(&loop);
    fds_read(before);
    test->run();
    fds_compare(test, before);
#ifdef HAS_LSAN
    if (__lsan_do_recoverable_leak_check()) hg_test_fail(test->file, test->line, "memory leaked");
#endif
    child_end(0);
}

typedef struct capture {
    int fd;
    size_t len;
    char text[OUTPUT_MAX + 1];
} capture;

static int64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads what is there; what does not fit is read and dropped. Closes at the end of the stream. */
static void capture_read(capture *c) {
    char overflow[4096];
    size_t room = OUTPUT_MAX - c->len;
    ssize_t n = read(c->fd, room ? c->text + c->len : overflow, room ? room : sizeof overflow);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
        close(c->fd);
        c->fd = -1;
    } else if (room) {
        c->len += (size_t)n;
    }
    c->text[c->len] = '\0';
}

/* Collects both streams until they end or the time is over. Returns false when time was over. */
static bool capture_both(capture *a, capture *b, int timeout_s) {
    int64_t deadline = clock_ms() + (int64_t)timeout_s * 1000;
    while (a->fd >= 0 || b->fd >= 0) {
        int64_t left = deadline - clock_ms();
        if (left <= 0) return false;
        struct pollfd fds[2] = {
            {.fd = a->fd, .events = POLLIN},
            {.fd = b->fd, .events = POLLIN}
        };
        if (poll(fds, 2, (int)left) <= 0) continue;
        if (fds[0].revents) capture_read(a);
        if (fds[1].revents) capture_read(b);
    }
    return true;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *ftw) {
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void capture_close(capture *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

typedef enum outcome { PASSED, FAILED, SKIPPED } outcome;

/* Lines a test prints as "note: ..." are figures for people: shown also when it passes. */
static void print_notes(const char *label, const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "note: ", 6) == 0) {
            printf("note %s: %.*s\n", label, (int)strcspn(line + 6, "\n"), line + 6);
        }
    }
}

static outcome report(const char *label, const hg_test *test, int status, bool in_time, int timeout,
                      const capture *output, const capture *said) {
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    print_notes(label, output->text);
    if (in_time && code == 0) return PASSED;
    if (in_time && code == EXIT_SKIPPED) {
        printf("SKIP %s: %s\n", label, said->text);
        return SKIPPED;
    }
    printf("FAIL %s\n", label);
    if (!in_time)
        printf("  %s:%d: still running after %d s\n", test->file, test->line, timeout);
    else if (said->len)
        printf("  %s\n", said->text);
    else if (WIFSIGNALED(status))
        printf("  %s:%d: died of signal %d (%s)\n", test->file, test->line, WTERMSIG(status),
               strsignal(WTERMSIG(status)));
    else
        printf("  %s:%d: called exit(%d)\n", test->file, test->line, code);
    if (output->len) {
        printf("  --- its output%s\n%s", output->len == OUTPUT_MAX ? " (cut)" : "", output->text);
        printf("%s  ---\n", output->text[output->len - 1] == '\n' ? "" : "\n");
    }
    return FAILED;
}

static outcome test_run(const hg_test *test, const char *label) {
    static capture output;
    static capture said;
    int output_pipe[2];
    int verdict_pipe[2];
    if (pipe2(output_pipe, O_CLOEXEC) != 0 || pipe2(verdict_pipe, O_CLOEXEC) != 0) {
        perror("pipe");
        exit(1);
    }
    snprintf(tmp_dir, sizeof tmp_dir, "%s/hedged-test-%d-%ld",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid(), random());
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0) {
        setpgid(0, 0);
        close(output_pipe[0]);
        close(verdict_pipe[0]);
        child_run(test, output_pipe[1], verdict_pipe[1]);
    }
    setpgid(pid, pid);
    close(output_pipe[1]);
    close(verdict_pipe[1]);
    output = (capture){.fd = output_pipe[0]};
    said = (capture){.fd = verdict_pipe[0]};
    int timeout = patience * (test->timeout_s ? test->timeout_s : DEFAULT_TIMEOUT_S);
    bool in_time = capture_both(&output, &said, timeout);
    /* The whole group: a test may have started processes of its own. */
    if (!in_time) kill(-pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    capture_close(&output);
    capture_close(&said);
    if (access(tmp_dir, F_OK) == 0) nftw(tmp_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return report(label, test, status, in_time, timeout, &output, &said);
}

static int test_order(const void *a, const void *b) {
    const hg_test *x = *(hg_test *const *)a;
    const hg_test *y = *(hg_test *const *)b;
    int by_file = strcmp(x->file, y->file);
    return by_file ? by_file : x->line - y->line;
}

static hg_test **tests_sorted(void) {
    hg_test **all = calloc((size_t)tests_count + 1, sizeof *all);
    if (!all) abort();
    int n = 0;
    for (hg_test *t = tests; t; t = t->next) all[n++] = t;
    qsort(all, (size_t)n, sizeof *all, test_order);
    return all;
}

int main(int argc, char **argv) {
    bool list = false;
    bool verbose = false;
    bool hurry = false;
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[first], "-v") == 0) {
            verbose = true;
        } else if (strcmp(argv[first], "-x") == 0) {
            hurry = true;
        } else if (strcmp(argv[first], "--patience") == 0 && first + 1 < argc) {
            patience = (int)strtol(argv[++first], NULL, 10);
        } else {
            fprintf(stderr, "usage: ctest [-v] [-x] [--list] [--patience N] [PATTERN...]\n");
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    srandom((unsigned)getpid());
    int counts[3] = {0, 0, 0};
    hg_test **all = tests_sorted();
    for (int i = 0; i < tests_count && !(hurry && counts[FAILED] > 0); i++) {
        char label[256];
        test_label(all[i], label, sizeof label);
        if (!test_wanted(label, argc - first, argv + first)) continue;
        if (list) {
            printf("%s\n", label);
            continue;
        }
        int64_t start = clock_ms();
        outcome result = test_run(all[i], label);
        counts[result]++;
        if (verbose && result == PASSED)
            printf("ok   %s (%lld ms)\n", label, (long long)(clock_ms() - start));
        fflush(stdout);
    }
    free(all);
    if (list) return 0;
    printf("%d passed, %d failed, %d skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
    return counts[FAILED] ? 1 : 0;
}
