/* Lines over a Unix socket, both sides in one thread: the clients are plain non-blocking sockets.
 */
#include "loop/pipe.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct side {
    hg_loop *loop;
    hg_pipe *pipe;
} side;

static void side_open(side *s, const char *path) {
    CHECK_EQ(hg_loop_open(&s->loop), 0);
    if (hg_pipe_open(s->loop, path, &s->pipe) < 0) {
        hg_test_fail(__FILE__, __LINE__, "%s", hg_error_text());
    }
}

static void side_close(side *s) {
    hg_pipe_close(s->pipe);
    hg_loop_close(s->loop);
}

static int dial(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void put(int fd, const char *text, size_t len) {
    CHECK_EQ(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* Answers every line that waits with "<line>!"; returns how many. */
static int serve(side *s) {
    int count = 0;
    for (int round = 0; round < 20; round++) {
        hg_peer *peer;
        char *line;
        hg_loop_poll(s->loop);
        while (hg_pipe_next(s->pipe, &peer, &line)) {
            char text[64];
            int n = snprintf(text, sizeof text, "%.40s!", line ? line : "too long");
            hg_pipe_answer(s->pipe, peer, text, (size_t)n, line == NULL);
            count++;
        }
    }
    return count;
}

/* What arrived, "" for nothing, "closed" at the end of the connection. */
static const char *got(int fd) {
    static char buf[4096];
    ssize_t n = recv(fd, buf, sizeof buf - 1, 0);
    if (n < 0) return errno == EAGAIN ? "" : "closed";
    if (n == 0) return "closed";
    buf[n] = '\0';
    return buf;
}

TEST(answers_lines_in_order) {
    side s;
    side_open(&s, test_tmp("a.sock"));
    int fd = dial(test_tmp("a.sock"));
    put(fd, "one\ntwo\nthr", 11);
    CHECK_EQ(serve(&s), 2);
    CHECK_STR(got(fd), "one!\ntwo!\n");
    put(fd, "ee\n", 3);
    CHECK_EQ(serve(&s), 1);
    CHECK_STR(got(fd), "three!\n");
    close(fd);
    CHECK_EQ(serve(&s), 0);
    side_close(&s);
}

TEST(takes_the_last_line_of_a_half_closed_client) {
    side s;
    side_open(&s, test_tmp("a.sock"));
    int fd = dial(test_tmp("a.sock"));
    put(fd, "echo", 4);
    CHECK_EQ(serve(&s), 0);
    shutdown(fd, SHUT_WR);
    CHECK_EQ(serve(&s), 1);
    CHECK_STR(got(fd), "echo!\n");
    CHECK_STR(got(fd), "closed");
    close(fd);
    side_close(&s);
}

TEST(refuses_a_line_that_is_too_long_and_closes) {
    side s;
    side_open(&s, test_tmp("a.sock"));
    int fd = dial(test_tmp("a.sock"));
    char text[HG_PIPE_LINE_MAX];
    memset(text, 'x', sizeof text);
    put(fd, text, sizeof text);
    CHECK_EQ(serve(&s), 1);
    CHECK_STR(got(fd), "too long!\n");
    CHECK_STR(got(fd), "closed");
    close(fd);
    fd = dial(test_tmp("a.sock")); /* one byte shorter is a line */
    text[sizeof text - 1] = '\n';
    put(fd, text, sizeof text);
    CHECK_EQ(serve(&s), 1);
    CHECK_EQ(strlen(got(fd)), 42);
    close(fd);
    serve(&s);
    side_close(&s);
}

TEST(makes_room_by_closing_the_idle) {
    enum { MORE = HG_PIPE_PEERS_MAX + 8 };
    side s;
    side_open(&s, test_tmp("a.sock"));
    int fd[MORE];
    for (int i = 0; i < MORE; i++) {
        fd[i] = dial(test_tmp("a.sock"));
        serve(&s);
    }
    put(fd[MORE - 1], "last\n", 5);
    CHECK_EQ(serve(&s), 1);
    CHECK_STR(got(fd[MORE - 1]), "last!\n");
    CHECK_STR(got(fd[0]), "closed");
    for (int i = 0; i < MORE; i++) close(fd[i]);
    serve(&s);
    side_close(&s);
}

TEST(drops_a_client_that_does_not_read) {
    side s;
    side_open(&s, test_tmp("a.sock"));
    int fd = dial(test_tmp("a.sock"));
    static char big[1 << 20];
    memset(big, 'y', sizeof big);
    int answered = 0;
    for (int i = 0; i < 50; i++) {
        hg_peer *peer;
        char *line;
        (void)!send(fd, "q\n", 2, MSG_NOSIGNAL);
        hg_loop_poll(s.loop);
        while (hg_pipe_next(s.pipe, &peer, &line)) {
            hg_pipe_answer(s.pipe, peer, big, sizeof big, false);
            answered++;
        }
    }
    CHECK(answered >= 4 && answered < 12);
    close(fd);
    serve(&s);
    side_close(&s);
}

TEST(the_socket_is_private_and_removed_at_the_end) {
    side s;
    struct stat st;
    side_open(&s, test_tmp("a.sock"));
    CHECK_EQ(stat(test_tmp("a.sock"), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    side_close(&s);
    CHECK_EQ(stat(test_tmp("a.sock"), &st), -1);
}

TEST(replaces_a_stale_socket_and_nothing_else) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", test_tmp("a.sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd); /* nobody listens at it any more */
    side s;
    side_open(&s, test_tmp("a.sock"));
    hg_pipe *second = NULL;
    CHECK_EQ(hg_pipe_open(s.loop, test_tmp("a.sock"), &second), HG_ESTATE);
    CHECK(strstr(hg_error_text(), "another session listens"));
    FILE *f = fopen(test_tmp("b.sock"), "w");
    fclose(f);
    CHECK_EQ(hg_pipe_open(s.loop, test_tmp("b.sock"), &second), HG_EIO);
    CHECK(strstr(hg_error_text(), "not a socket"));
    CHECK_EQ(hg_pipe_open(s.loop, test_tmp("no/such/folder"), &second), HG_EIO);
    char path[200];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    CHECK_EQ(hg_pipe_open(s.loop, path, &second), HG_EIO);
    side_close(&s);
}
