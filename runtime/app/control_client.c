/* The side of `hedged status`, `ctl` and `repl`: find a session, send a line, wait for one. */
#include "app/control.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SESSIONS_MAX 64
#define ANSWER_MAX ((size_t)2 << 20)

static int choose_among(const char *which, hg_session_entry *entries, size_t count,
                        hg_session_entry *out) {
    char *end = NULL;
    long pid = which ? strtol(which, &end, 10) : 0;
    bool number = which && *which && *end == '\0';
    size_t found = 0;
    char names[256] = "";
    for (size_t i = 0; i < count; i++) {
        bool fits = !which || strcmp(entries[i].name, which) == 0 ||
                    (number && entries[i].pid == pid);
        if (!fits) {
            continue;
        }
        *out = entries[i];
        char one[96];
        snprintf(one, sizeof one, "%s%.60s (%d)", found > 0 ? ", " : "", entries[i].name,
                 entries[i].pid);
        strncat(names, one, sizeof names - strlen(names) - 1);
        found++;
    }
    if (found == 1) {
        return HG_OK;
    }
    if (found > 1) {
        int rc = HG_ERR(HG_EUSAGE, "which session? %s", names);
        hg_error_hint("--session PID");
        return rc;
    }
    int rc = which ? HG_ERR(HG_ENOTFOUND, "no session '%s' is running", which)
                   : HG_ERR(HG_ENOTFOUND, "no session is running");
    hg_error_hint(count > 0 ? "hedged status lists them" : "start one: hedged demo");
    return rc;
}

int hg_control_choose(const char *which, hg_session_entry *out) {
    if (which && strchr(which, '/')) {
        *out = (hg_session_entry){.name = ""};
        if (strlen(which) >= sizeof out->path) {
            return HG_ERR(HG_EUSAGE, "--session %s: the path is too long for a socket", which);
        }
        memcpy(out->path, which, strlen(which) + 1);
        return HG_OK;
    }
    hg_session_entry entries[SESSIONS_MAX];
    size_t count = hg_control_list(entries, SESSIONS_MAX);
    return choose_among(which, entries, count, out);
}

int hg_control_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return HG_ERR(HG_EUSAGE, "%s: the path is too long for a socket", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return HG_ERR(HG_EIO, "socket: %s", strerror(errno));
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    int error = errno;
    close(fd);
    bool nobody = error == ECONNREFUSED || error == ENOENT;
    int rc = HG_ERR(nobody ? HG_ENOTFOUND : HG_EIO, "no session answers at %s: %s", path,
                    strerror(error));
    hg_error_hint("hedged status lists the sessions that run");
    return rc;
}

static int send_line(int fd, const char *line) {
    size_t len = strlen(line);
    size_t sent = 0;
    while (sent < len) {
        ssize_t n = send(fd, line + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return HG_ERR(HG_ENOTFOUND, "the session went away: %s", strerror(errno));
        }
        sent += (size_t)n;
    }
    return HG_OK;
}

static int wait_readable(int fd, int64_t until_ns) {
    for (;;) {
        int64_t left = until_ns - hg_clock_monotonic_ns();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, left <= 0 ? 0 : (int)(left / HG_NS_PER_MS) + 1);
        if (n > 0) {
            return HG_OK;
        }
        if (n == 0 && hg_clock_monotonic_ns() >= until_ns) {
            return HG_ERR(HG_ETIMEOUT, "the session did not answer in time; it may be busy");
        }
        if (n < 0 && errno != EINTR) {
            return HG_ERR(HG_EIO, "poll: %s", strerror(errno));
        }
    }
}

int hg_control_ask(int fd, const char *line, int64_t timeout_ns, char **out) {
    int64_t until = hg_clock_monotonic_ns() + timeout_ns;
    int rc = send_line(fd, line);
    if (rc == HG_OK) {
        rc = send_line(fd, "\n");
    }
    char *buf = rc == HG_OK ? malloc(ANSWER_MAX) : NULL;
    if (rc == HG_OK && !buf) {
        rc = HG_ERR(HG_ENOMEM, "answer");
    }
    size_t len = 0;
    while (rc == HG_OK) {
        rc = wait_readable(fd, until);
        ssize_t n = rc == HG_OK ? recv(fd, buf + len, ANSWER_MAX - 1 - len, 0) : 0;
        if (rc == HG_OK && n <= 0) {
            rc = HG_ERR(HG_ENOTFOUND, "the session ended before it answered");
        } else if (rc == HG_OK) {
            len += (size_t)n;
            if (buf[len - 1] == '\n') {
                break;
            }
            rc = len < ANSWER_MAX - 1 ? HG_OK : HG_ERR(HG_ELIMIT, "the answer is too long");
        }
    }
    if (rc < 0) {
        free(buf);
        return rc;
    }
    buf[len - 1] = '\0';
    *out = buf;
    return HG_OK;
}
