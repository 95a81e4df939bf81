#ifndef HG_LOOP_PIPE_H
#define HG_LOOP_PIPE_H

#include "loop/loop.h"

#include <stddef.h>

/* A Unix socket that takes lines and answers each with one line. Nothing is handled inside the
 * loop: a whole line waits in the buffer of its connection, the loop is woken, and the owner takes
 * it when it is between two events. Bounded everywhere: connections, the length of a line, what a
 * slow reader may leave unread. Only processes of the same user (and root) may connect. */
typedef struct hg_pipe hg_pipe;
typedef struct hg_peer hg_peer;

#define HG_PIPE_LINE_MAX (16u << 10) /* bytes of a request, newline included */
/* Of answers nobody reads: then the connection is dropped. */
#define HG_PIPE_UNREAD_MAX (4u << 20)
#define HG_PIPE_PEERS_MAX 16 /* the one idle for longest makes room for a new one */

/* Listens at `path` (mode 0600). A socket nobody listens at is replaced; HG_ESTATE when somebody
 * does, HG_EIO when the path cannot be used. */
HG_MUST_CHECK int hg_pipe_open(hg_loop *loop, const char *path, hg_pipe **out);
/* Removes the socket and closes every connection. NULL is fine. */
void hg_pipe_close(hg_pipe *pipe);

/* The next line that waits (NUL-terminated, without its newline; NULL when it was longer than the
 * limit), oldest connection first; false when none does. It is valid until it is answered, and must
 * be answered before the next call. */
bool hg_pipe_next(hg_pipe *pipe, hg_peer **peer, char **line);

/* Sends `text` and a newline and consumes the line. `last` closes the connection after it. */
void hg_pipe_answer(hg_pipe *pipe, hg_peer *peer, const char *text, size_t len, bool last);

#endif
