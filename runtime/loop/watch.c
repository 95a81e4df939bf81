/* File watching over libuv. A path means what all its parts mean: the file, the folder it stands
 * in, and every symlink met on the way. Each of them is an entry (directory, name); a notice about
 * an entry starts a timer, and when that has run out undisturbed the owner is told. */
#include "loop/watch.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop_int.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS_MAX 128
#define ENTRIES_MAX 2048
#define LINKS_MAX 40
#define LOOK_MS 1000
#define PATIENCE 10 /* quiet times until a notice comes in any case */

typedef struct folder {
    uv_fs_event_t handle; /* first: the handle is the folder */
    hg_watch *watch;
    char *path;
} folder;

typedef struct entry {
    uint32_t folder;
    char name[NAME_MAX + 1];
} entry;

/* What stat says of a file; all zero when it is absent. */
typedef struct look {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
} look;

typedef struct file {
    char *path;
    look seen;
} file;

struct hg_watch {
    hg_loop *loop;
    uv_timer_t quiet, poll;
    uv_signal_t hangup;
    bool catching;
    int terminal; /* the descriptor of one we were started from, -1: none */
    unsigned hangups;
    int64_t quiet_ns;
    int64_t first_ns; /* of the changes not yet told, 0: none */
    bool due;
    folder *folders[FOLDERS_MAX];
    uint32_t folder_count;
    entry *entries;
    uint32_t entry_count;
    file files[HG_WATCH_FILES_MAX];
    uint32_t file_count;
    uint32_t open_handles; /* freed with the last one */
    bool closing;
    bool told_failure;
};

static void release(hg_watch *w) {
    if (--w->open_handles == 0 && w->closing) {
        free(w->entries);
        free(w);
    }
}

static void on_closed(uv_handle_t *handle) {
    release(handle->data);
}

static void on_folder_closed(uv_handle_t *handle) {
    folder *f = (folder *)handle;
    hg_watch *w = f->watch;
    free(f->path);
    free(f);
    release(w);
}

/* ---- changes --------------------------------------------------------------------------------- */
/* Cut down and not yet written again: whoever saves is in the middle of it. */
static bool is_half_written(const hg_watch *w) {
    bool empty = false;
    for (uint32_t i = 0; i < w->file_count && !empty; i++) {
        struct stat st;
        empty = stat(w->files[i].path, &st) == 0 && st.st_size == 0;
    }
    return empty && hg_clock_monotonic_ns() - w->first_ns < PATIENCE * w->quiet_ns;
}

static void on_quiet(uv_timer_t *timer) {
    hg_watch *w = timer->data;
    if (is_half_written(w)) {
        uv_timer_start(timer, on_quiet, (uint64_t)(w->quiet_ns / HG_NS_PER_MS), 0);
        return;
    }
    w->due = true;
    uv_stop(hg_loop_uv(w->loop));
}

static void touch(hg_watch *w) {
    int64_t now = hg_clock_monotonic_ns();
    if (w->first_ns == 0) {
        w->first_ns = now;
    }
    int64_t left = w->first_ns + PATIENCE * w->quiet_ns - now;
    int64_t wait = left < w->quiet_ns ? left : w->quiet_ns;
    uv_update_time(hg_loop_uv(w->loop));
    uv_timer_start(&w->quiet, on_quiet, wait > 0 ? (uint64_t)(wait / HG_NS_PER_MS) : 0, 0);
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void on_folder(uv_fs_event_t *handle, const char *name, int events, int status) {
    const folder *f = (const folder *)handle;
    hg_watch *w = f->watch;
    (void)events;
    if (w->closing) {
        return;
    }
    /* No name, an error, or news of the folder itself: better one look too many. */
    bool relevant = status < 0 || !name || strcmp(name, last_part(f->path)) == 0;
    for (uint32_t i = 0; i < w->entry_count && !relevant; i++) {
        relevant = w->folders[w->entries[i].folder] == f && strcmp(w->entries[i].name, name) == 0;
    }
    if (relevant) {
        touch(w);
    }
}

static look look_at(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) {
        return (look){0};
    }
    return (look){(uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size,
                  (int64_t)st.st_mtim.tv_sec * HG_NS_PER_S + st.st_mtim.tv_nsec,
                  (int64_t)st.st_ctim.tv_sec * HG_NS_PER_S + st.st_ctim.tv_nsec};
}

static void on_poll(uv_timer_t *timer) {
    hg_watch *w = timer->data;
    for (uint32_t i = 0; i < w->file_count; i++) {
        look now = look_at(w->files[i].path);
        if (memcmp(&now, &w->files[i].seen, sizeof now) != 0) {
            w->files[i].seen = now;
            touch(w);
        }
    }
}

static void on_hangup(uv_signal_t *handle, int number) {
    hg_watch *w = handle->data;
    (void)number;
    if (w->terminal >= 0 && !isatty(w->terminal)) {
        raise(SIGTERM); /* nobody asked for anything: the window was closed */
        return;
    }
    w->hangups++;
    uv_stop(hg_loop_uv(w->loop));
}

/* ---- which directories a path leads through -------------------------------------------------- */
static int folder_add(hg_watch *w, const char *path, uint32_t *out) {
    for (uint32_t i = 0; i < w->folder_count; i++) {
        if (strcmp(w->folders[i]->path, path) == 0) {
            *out = i;
            return HG_OK;
        }
    }
    if (w->folder_count == FOLDERS_MAX) {
        return HG_ERR(HG_ELIMIT, "more than %d folders to watch", FOLDERS_MAX);
    }
    folder *f = calloc(1, sizeof *f);
    char *copy = strdup(path);
    if (!f || !copy) {
        free(f);
        free(copy);
        return HG_ERR(HG_ENOMEM, "no memory to watch %s", path);
    }
    f->watch = w;
    f->path = copy;
    int rc = uv_fs_event_init(hg_loop_uv(w->loop), &f->handle);
    hg_assert(rc == 0);
    uv_unref((uv_handle_t *)&f->handle);
    w->open_handles++;
    rc = uv_fs_event_start(&f->handle, on_folder, path, 0);
    if (rc < 0 && rc != UV_ENOENT && !w->told_failure) {
        w->told_failure = true; /* the look once a second goes on */
        hg_log(HG_LOG_DEBUG, "cannot watch %s: %s", path, uv_strerror(rc));
    }
    *out = w->folder_count;
    w->folders[w->folder_count++] = f;
    return HG_OK;
}

static int entry_add(hg_watch *w, const char *folder_path, const char *name) {
    uint32_t place = 0;
    int rc = strlen(name) <= NAME_MAX ? folder_add(w, *folder_path ? folder_path : "/", &place)
                                      : HG_ERR(HG_ELIMIT, "the name %s is too long", name);
    for (uint32_t i = 0; i < w->entry_count && rc == HG_OK; i++) {
        if (w->entries[i].folder == place && strcmp(w->entries[i].name, name) == 0) {
            return HG_OK;
        }
    }
    if (rc == HG_OK && w->entry_count == ENTRIES_MAX) {
        rc = HG_ERR(HG_ELIMIT, "more than %d names to watch", ENTRIES_MAX);
    }
    if (rc == HG_OK) {
        w->entries[w->entry_count].folder = place;
        snprintf(w->entries[w->entry_count++].name, NAME_MAX + 1, "%s", name);
    }
    return rc;
}

/* The path not yet walked, absolute, in `rest`; what has been walked, free of symlinks, in `done`.
 */
typedef struct walk {
    char done[PATH_MAX], rest[PATH_MAX];
    int links;
} walk;

/* Puts the target of a symlink in front of what is left to walk. */
static bool follow(walk *k, const char *target) {
    char joined[PATH_MAX];
    int n = snprintf(joined, sizeof joined, "%s/%s", target, k->rest);
    if (n < 0 || (size_t)n >= sizeof joined || ++k->links > LINKS_MAX) {
        return false;
    }
    if (target[0] == '/') {
        k->done[0] = '\0';
    }
    memcpy(k->rest, joined, (size_t)n + 1);
    return true;
}

/* Takes the next part of the path; false at its end. */
static bool next_part(walk *k, char *part, size_t size) {
    char *at = k->rest + strspn(k->rest, "/");
    size_t len = strcspn(at, "/");
    if (len == 0 || len >= size) {
        return false;
    }
    memcpy(part, at, len);
    part[len] = '\0';
    memmove(k->rest, at + len, strlen(at + len) + 1);
    return true;
}

static int resolve(hg_watch *w, const char *path) {
    walk k = {.links = 0};
    char part[NAME_MAX + 1];
    char cwd[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(cwd, sizeof cwd)) {
        return HG_ERR(HG_EIO, "current folder: %s", strerror(errno));
    }
    int n = snprintf(k.rest, sizeof k.rest, "%s/%s", cwd, path);
    int rc = n > 0 && (size_t)n < sizeof k.rest ? HG_OK : HG_ERR(HG_ELIMIT, "%s: too long", path);
    while (rc == HG_OK && next_part(&k, part, sizeof part)) {
        if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
            char *slash = part[1] ? strrchr(k.done, '/') : NULL;
            if (slash) {
                *slash = '\0';
            }
            continue;
        }
        char here[PATH_MAX];
        char target[PATH_MAX];
        n = snprintf(here, sizeof here, "%s/%s", k.done, part);
        if (n < 0 || (size_t)n >= sizeof here) {
            return HG_ERR(HG_ELIMIT, "%s: too long", path);
        }
        ssize_t len = readlink(here, target, sizeof target - 1);
        size_t parts_left = strspn(k.rest, "/") == strlen(k.rest)       ? 0
                            : strchr(k.rest + strspn(k.rest, "/"), '/') ? 2
                                                                        : 1;
        if (len > 0 || parts_left < 2) { /* a symlink, the file, or the folder it stands in */
            rc = entry_add(w, k.done, part);
        }
        if (len > 0) {
            target[len] = '\0';
            if (!follow(&k, target)) {
                return HG_ERR(HG_EIO, "%s: too many symlinks", path);
            }
        } else {
            memcpy(k.done, here, (size_t)n + 1);
        }
    }
    return rc;
}

static void folders_close(hg_watch *w) {
    for (uint32_t i = 0; i < w->folder_count; i++) {
        uv_close((uv_handle_t *)&w->folders[i]->handle, on_folder_closed);
    }
    w->folder_count = 0;
    w->entry_count = 0;
}

/* ---- public ---------------------------------------------------------------------------------- */
int hg_watch_open(hg_loop *loop, int64_t quiet_ns, hg_watch **out) {
    hg_assert(loop && quiet_ns > 0);
    hg_watch *w = calloc(1, sizeof *w);
    entry *entries = calloc(ENTRIES_MAX, sizeof *entries);
    if (!w || !entries) {
        free(w);
        free(entries);
        return HG_ERR(HG_ENOMEM, "file watch");
    }
    w->loop = loop;
    w->quiet_ns = quiet_ns;
    w->entries = entries;
    uv_loop_t *uv = hg_loop_uv(loop);
    int rc = uv_timer_init(uv, &w->quiet) | uv_timer_init(uv, &w->poll) |
             uv_signal_init(uv, &w->hangup);
    hg_assert(rc == 0);
    w->quiet.data = w->poll.data = w->hangup.data = w;
    w->open_handles = 3;
    uv_timer_start(&w->poll, on_poll, LOOK_MS, LOOK_MS);
    uv_unref((uv_handle_t *)&w->quiet);
    uv_unref((uv_handle_t *)&w->poll);
    uv_unref((uv_handle_t *)&w->hangup);
    *out = w;
    return HG_OK;
}

void hg_watch_close(hg_watch *w) {
    if (!w) {
        return;
    }
    w->closing = true;
    folders_close(w);
    for (uint32_t i = 0; i < w->file_count; i++) {
        free(w->files[i].path);
    }
    w->file_count = 0;
    uv_close((uv_handle_t *)&w->quiet, on_closed);
    uv_close((uv_handle_t *)&w->poll, on_closed);
    uv_close((uv_handle_t *)&w->hangup, on_closed);
}

int hg_watch_add(hg_watch *w, const char *path) {
    for (uint32_t i = 0; i < w->file_count; i++) {
        if (strcmp(w->files[i].path, path) == 0) {
            return HG_OK;
        }
    }
    if (w->file_count == HG_WATCH_FILES_MAX) {
        return HG_ERR(HG_ELIMIT, "more than %d files to watch", HG_WATCH_FILES_MAX);
    }
    char *copy = strdup(path);
    if (!copy) {
        return HG_ERR(HG_ENOMEM, "no memory to watch %s", path);
    }
    w->files[w->file_count++] = (file){copy, look_at(path)};
    return resolve(w, path);
}

bool hg_watch_take(hg_watch *w) {
    if (!w->due) {
        return false;
    }
    w->due = false;
    w->first_ns = 0;
    folders_close(w);
    for (uint32_t i = 0; i < w->file_count; i++) {
        w->files[i].seen = look_at(w->files[i].path);
        int rc = resolve(w, w->files[i].path);
        (void)rc; /* it may be gone for a moment; the look once a second finds it again */
    }
    return true;
}

unsigned hg_watch_hangups(hg_watch *w) {
    if (!w->catching) {
        w->terminal = -1;
        for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--) {
            w->terminal = isatty(fd) ? fd : w->terminal;
        }
        w->catching = uv_signal_start(&w->hangup, on_hangup, SIGHUP) == 0;
    }
    unsigned n = w->hangups;
    w->hangups = 0;
    return n;
}
