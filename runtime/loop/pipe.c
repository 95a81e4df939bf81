/* Lines over a Unix socket. Connections live in a fixed pool; each keeps what it has read in a
 * buffer of its own, and stops reading while a whole line waits in it, so that a fast writer is
 * held back by the kernel and not by us. */
#include "loop/pipe.h"

#include "base/assert.h"
#include "loop/loop_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct hg_peer {
    uv_pipe_t uv;
    hg_pipe *owner;
    bool open;    /* the handle is in use, possibly being closed */
    bool closing; /* uv_close has been called */
    bool reading;
    bool ended;    /* the other side has written all it will */
    bool too_long; /* the line does not fit */
    bool last;     /* close when everything is written */
    uint64_t touched;
    size_t unread; /* bytes of answers on their way */
    size_t len;
    size_t line_len; /* of the first whole line with its newline, 0 when there is none */
    char in[HG_PIPE_LINE_MAX];
};

struct hg_pipe {
    hg_loop *loop;
    uv_pipe_t uv;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    ino_t inode; /* of the socket we made: another one at the same path is not ours to remove */
    uint64_t clock;
    unsigned handles; /* not yet closed */
    bool waiting;     /* a connection is there, but no place for it */
    hg_peer peers[HG_PIPE_PEERS_MAX];
};

typedef struct {
    uv_write_t uv;
    hg_peer *peer;
    size_t len;
    char text[];
} answer;

static void on_connection(uv_stream_t *stream, int status);

static void on_closed(uv_handle_t *handle) {
    hg_pipe *pipe = handle->data;
    pipe->handles--;
}

static void on_peer_closed(uv_handle_t *handle) {
    hg_peer *peer = handle->data;
    hg_pipe *pipe = peer->owner;
    peer->open = false;
    pipe->handles--;
    if (pipe->waiting) {
        pipe->waiting = false;
        on_connection((uv_stream_t *)&pipe->uv, 0);
    }
}

static void peer_close(hg_peer *peer) {
    if (peer->open && !peer->closing) {
        peer->closing = true;
        peer->reading = false;
        peer->line_len = 0;
        uv_close((uv_handle_t *)&peer->uv, on_peer_closed);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */
static void look_for_line(hg_peer *peer) {
    const char *end = memchr(peer->in, '\n', peer->len);
    peer->too_long = !end && peer->len == sizeof peer->in;
    if (end) {
        peer->line_len = (size_t)(end - peer->in) + 1;
    } else if (peer->ended && peer->len > 0 && peer->len < sizeof peer->in) {
        peer->in[peer->len++] = '\n'; /* the last line of a client that closed its side */
        peer->line_len = peer->len;
    } else {
        peer->line_len = peer->too_long ? peer->len : 0;
    }
}

static void stop_reading(hg_peer *peer) {
    if (peer->reading) {
        peer->reading = false;
        uv_read_stop((uv_stream_t *)&peer->uv);
    }
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf) {
    (void)wanted;
    hg_peer *peer = handle->data;
    *buf = uv_buf_init(peer->in + peer->len, (unsigned)(sizeof peer->in - peer->len));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    (void)buf;
    hg_peer *peer = stream->data;
    if (got == 0) {
        return;
    }
    peer->touched = ++peer->owner->clock;
    if (got > 0) {
        peer->len += (size_t)got;
    } else {
        peer->ended = got == UV_EOF;
        stop_reading(peer);
    }
    if (got > 0 || peer->ended) {
        look_for_line(peer);
    }
    if (peer->line_len > 0) {
        stop_reading(peer);
        uv_stop(peer->uv.loop); /* whoever waits in the loop takes the line */
    } else if (got < 0) {
        peer_close(peer);
    }
}

static void start_reading(hg_peer *peer) {
    if (!peer->reading && !peer->ended && !peer->closing) {
        peer->reading = uv_read_start((uv_stream_t *)&peer->uv, on_alloc, on_read) == 0;
    }
}

/* ---- connections ----------------------------------------------------------------------------- */
static bool is_own_user(hg_peer *peer) {
    uv_os_fd_t fd;
    struct ucred who;
    socklen_t size = sizeof who;
    if (uv_fileno((uv_handle_t *)&peer->uv, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
        return false;
    }
    return who.uid == geteuid() || who.uid == 0;
}

/* A free place. When there is none the connection idle for longest is closed, and the new one gets
 * its place as soon as that is done. */
static hg_peer *find_place(hg_pipe *pipe) {
    hg_peer *oldest = NULL;
    for (size_t i = 0; i < HG_PIPE_PEERS_MAX; i++) {
        hg_peer *peer = &pipe->peers[i];
        if (!peer->open) {
            return peer;
        }
        bool idle = !peer->closing && peer->line_len == 0 && peer->unread == 0;
        if (idle && (!oldest || peer->touched < oldest->touched)) {
            oldest = peer;
        }
    }
    if (oldest) {
        peer_close(oldest);
    }
    return NULL;
}

static void on_connection(uv_stream_t *stream, int status) {
    hg_pipe *pipe = stream->data;
    hg_peer *peer = status == 0 ? find_place(pipe) : NULL;
    if (!peer) {
        pipe->waiting = status == 0;
        return;
    }
    memset(peer, 0, offsetof(hg_peer, in));
    if (uv_pipe_init(stream->loop, &peer->uv, 0) != 0) {
        return;
    }
    peer->owner = pipe;
    peer->open = true;
    peer->uv.data = peer;
    peer->touched = ++pipe->clock;
    pipe->handles++;
    if (uv_accept(stream, (uv_stream_t *)&peer->uv) != 0 || !is_own_user(peer)) {
        peer_close(peer);
        return;
    }
    start_reading(peer);
}

/* ---- the socket file ------------------------------------------------------------------------- */
static bool somebody_listens(const struct sockaddr_un *address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return true;
    }
    bool yes = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
               errno != ECONNREFUSED;
    close(fd);
    return yes;
}

/* Makes way at the path: only a socket nobody listens at is removed. */
static int clear_path(const struct sockaddr_un *address) {
    struct stat st;
    const char *path = address->sun_path;
    if (lstat(path, &st) != 0) {
        return errno == ENOENT ? HG_OK
                               : HG_ERR(HG_EIO, "control socket %s: %s", path, strerror(errno));
    }
    if (!S_ISSOCK(st.st_mode)) {
        return HG_ERR(HG_EIO, "control socket %s: a file that is not a socket is there", path);
    }
    if (somebody_listens(address)) {
        return HG_ERR(HG_ESTATE, "control socket %s: another session listens there", path);
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return HG_ERR(HG_EIO, "control socket %s: %s", path, strerror(errno));
    }
    return HG_OK;
}

static int listen_at(hg_pipe *pipe) {
    mode_t before = umask(0177);
    int rc = uv_pipe_bind(&pipe->uv, pipe->path);
    umask(before);
    if (rc == 0) {
        struct stat st;
        pipe->inode = stat(pipe->path, &st) == 0 ? st.st_ino : 0;
        rc = uv_listen((uv_stream_t *)&pipe->uv, HG_PIPE_PEERS_MAX, on_connection);
    }
    return rc == 0 ? HG_OK : HG_ERR(HG_EIO, "control socket %s: %s", pipe->path, uv_strerror(rc));
}

int hg_pipe_open(hg_loop *loop, const char *path, hg_pipe **out) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return HG_ERR(HG_EIO, "control socket %s: longer than %zu bytes", path,
                      sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int rc = clear_path(&address);
    if (rc < 0) {
        return rc;
    }
    hg_pipe *pipe = calloc(1, sizeof *pipe);
    if (!pipe) {
        return HG_ERR(HG_ENOMEM, "control socket");
    }
    pipe->loop = loop;
    memcpy(pipe->path, address.sun_path, sizeof pipe->path);
    rc = uv_pipe_init(hg_loop_uv(loop), &pipe->uv, 0);
    hg_assert(rc == 0);
    pipe->uv.data = pipe;
    pipe->handles = 1;
    rc = listen_at(pipe);
    if (rc < 0) {
        hg_pipe_close(pipe);
        return rc;
    }
    *out = pipe;
    return HG_OK;
}

void hg_pipe_close(hg_pipe *pipe) {
    if (!pipe) {
        return;
    }
    struct stat st;
    if (pipe->inode != 0 && lstat(pipe->path, &st) == 0 && st.st_ino == pipe->inode) {
        unlink(pipe->path);
    }
    pipe->waiting = false;
    for (size_t i = 0; i < HG_PIPE_PEERS_MAX; i++) {
        peer_close(&pipe->peers[i]);
    }
    uv_close((uv_handle_t *)&pipe->uv, on_closed);
    while (pipe->handles > 0) {
        uv_run(hg_loop_uv(pipe->loop), UV_RUN_NOWAIT);
    }
    free(pipe);
}

/* ---- lines and answers ----------------------------------------------------------------------- */
bool hg_pipe_next(hg_pipe *pipe, hg_peer **out, char **line) {
    hg_peer *first = NULL;
    for (size_t i = 0; i < HG_PIPE_PEERS_MAX; i++) {
        hg_peer *peer = &pipe->peers[i];
        bool waits = peer->open && !peer->closing && peer->line_len > 0;
        if (waits && (!first || peer->touched < first->touched)) {
            first = peer;
        }
    }
    if (!first) {
        return false;
    }
    *out = first;
    *line = first->too_long ? NULL : first->in;
    if (!first->too_long) {
        first->in[first->line_len - 1] = '\0';
    }
    return true;
}

static void after_write(hg_peer *peer) {
    if (peer->last && peer->unread == 0) {
        peer_close(peer);
    }
}

static void on_written(uv_write_t *request, int status) {
    answer *a = request->data;
    hg_peer *peer = a->peer;
    peer->unread -= a->len;
    if (status < 0) {
        peer_close(peer);
    } else {
        after_write(peer);
    }
    free(a);
}

static bool send_text(hg_peer *peer, const char *text, size_t len) {
    answer *a = peer->unread + len > HG_PIPE_UNREAD_MAX ? NULL : malloc(sizeof *a + len + 1);
    if (!a) {
        return false;
    }
    a->peer = peer;
    a->len = len + 1;
    a->uv.data = a;
    memcpy(a->text, text, len);
    a->text[len] = '\n';
    uv_buf_t buf = uv_buf_init(a->text, (unsigned)a->len);
    peer->unread += a->len;
    if (uv_write(&a->uv, (uv_stream_t *)&peer->uv, &buf, 1, on_written) != 0) {
        peer->unread -= a->len;
        free(a);
        return false;
    }
    return true;
}

void hg_pipe_answer(hg_pipe *pipe, hg_peer *peer, const char *text, size_t len, bool last) {
    hg_assert(peer->owner == pipe && peer->line_len > 0);
    peer->len -= peer->line_len;
    memmove(peer->in, peer->in + peer->line_len, peer->len);
    peer->line_len = 0;
    if (!send_text(peer, text, len)) {
        peer_close(peer);
        return;
    }
    peer->last = last;
    peer->touched = ++pipe->clock;
    look_for_line(peer);
    if (peer->line_len == 0) {
        peer->last = peer->last || peer->ended;
        start_reading(peer);
        after_write(peer);
    }
}
