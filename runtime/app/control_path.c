/* Where the sockets of running sessions are: one folder per user, one socket per session, named so
 * that a person can tell them apart. A name is used once (the pid is in it), so nothing here races
 * with a session that starts. */
#include "app/control.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* $XDG_RUNTIME_DIR/hedged, or /tmp/hedged-UID. Anybody may write in /tmp: the folder must be ours,
 * a real folder, and closed to others. */
int hg_control_folder(bool create, char *path, size_t size) {
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    bool given = runtime && runtime[0] == '/';
    int n = given ? snprintf(path, size, "%s/hedged", runtime)
                  : snprintf(path, size, "/tmp/hedged-%u", (unsigned)geteuid());
    if (n < 0 || (size_t)n >= size) {
        return HG_ERR(HG_EIO, "the name of the session folder is too long");
    }
    if (create && mkdir(path, 0700) != 0 && errno != EEXIST) {
        return HG_ERR(HG_EIO, "session folder %s: %s", path, strerror(errno));
    }
    struct stat st;
    if (lstat(path, &st) != 0) {
        return HG_ERR(HG_ENOTFOUND, "no session folder %s", path);
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        return HG_ERR(HG_EIO, "session folder %s is not a private folder of this user", path);
    }
    return HG_OK;
}

int hg_control_path(const char *name, int pid, char *path, size_t size) {
    char folder[HG_SOCKET_PATH_MAX];
    int rc = hg_control_folder(true, folder, sizeof folder);
    if (rc < 0) {
        return rc;
    }
    int n = snprintf(path, size, "%s/%s-%d.sock", folder, name, pid);
    return n > 0 && (size_t)n < size
               ? HG_OK
               : HG_ERR(HG_EIO, "control socket %s: the name is too long", folder);
}

/* "NAME-PID.sock" */
static bool entry_parse(const char *file, const char *folder, hg_session_entry *e) {
    size_t len = strlen(file);
    if (len < 7 || strcmp(file + len - 5, ".sock") != 0) {
        return false;
    }
    const char *dash = strrchr(file, '-');
    if (!dash || dash == file || (size_t)(dash - file) >= sizeof e->name) {
        return false;
    }
    char *end = NULL;
    long pid = strtol(dash + 1, &end, 10);
    if (pid <= 0 || pid > INT32_MAX || strcmp(end, ".sock") != 0) {
        return false;
    }
    memcpy(e->name, file, (size_t)(dash - file));
    e->name[dash - file] = '\0';
    e->pid = (int)pid;
    int n = snprintf(e->path, sizeof e->path, "%s/%s", folder, file);
    return n > 0 && (size_t)n < sizeof e->path;
}

static int by_name(const void *a, const void *b) {
    const hg_session_entry *x = a;
    const hg_session_entry *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->pid - y->pid;
}

/* Somebody listens, or might. */
static bool is_alive(const hg_session_entry *e) {
    int fd = hg_control_connect(e->path);
    if (fd >= 0) {
        close(fd);
    }
    hg_error_clear();
    return fd >= 0 || fd != HG_ENOTFOUND;
}

size_t hg_control_list(hg_session_entry *entries, size_t max) {
    char folder[HG_SOCKET_PATH_MAX];
    size_t count = 0;
    if (hg_control_folder(false, folder, sizeof folder) < 0) {
        hg_error_clear();
        return 0;
    }
    DIR *dir = opendir(folder);
    const struct dirent *file = NULL;
    while (dir && (file = readdir(dir)) != NULL && count < max) {
        hg_session_entry *e = &entries[count];
        if (!entry_parse(file->d_name, folder, e)) {
            continue;
        }
        if (is_alive(e)) {
            count++;
        } else {
            unlink(e->path); /* its session was killed */
        }
    }
    if (dir) {
        closedir(dir);
    }
    qsort(entries, count, sizeof *entries, by_name);
    return count;
}
