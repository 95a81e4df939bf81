#ifndef HG_APP_CONTROL_H
#define HG_APP_CONTROL_H

#include "app/command.h"
#include "app/session.h"
#include "base/json.h"

/* The control side of a running session: a Unix socket that takes one JSON object a line,
 *
 *     {"cmd": "set", "args": ["band=0.2"], "strategy": "delta_band"}
 *
 * and answers each with one: {"ok": true, "result": {...}}, or {"ok": false, "error": "...",
 * "help": "...", "exit": N}. Requests wait in the loop and are handled between two events. */
typedef struct hg_control hg_control;

/* Opens what `options.control` asks for: NULL = a socket in the session folder (a session that
 * cannot have one warns and runs without), "none", or a path. Call with the loop open. */
HG_MUST_CHECK int hg_control_open(hg_session *session, hg_control **out);
void hg_control_close(hg_control *control);

/* Handles the requests that wait, at this event time. NULL is fine. */
void hg_control_drain(hg_control *control, int64_t now_ns);

/* ---- requests ------------------------------------------------------------------------------- */
#define HG_REQUEST_ARGS_MAX 32

typedef struct hg_request {
    const char *cmd;
    const char *args[HG_REQUEST_ARGS_MAX];
    size_t arg_count;
    const char *strategy; /* name or number; NULL = all, or the only one */
    const char *code;     /* eval */
    const char *reason;   /* NULL when none was given */
    bool write;           /* eval: in the strategy's own state */
    int64_t now_ns;
} hg_request;

/* One verb of the socket: writes fields into the open object of the result. */
typedef int (*hg_request_call)(hg_session *session, const hg_request *request, hg_json *out);

/* What people may look at (control_view.c). */
int hg_view_status(hg_session *session, const hg_request *request, hg_json *out);
int hg_view_params(hg_session *session, const hg_request *request, hg_json *out);
int hg_view_positions(hg_session *session, const hg_request *request, hg_json *out);
int hg_view_orders(hg_session *session, const hg_request *request, hg_json *out);
int hg_view_exposure(hg_session *session, const hg_request *request, hg_json *out);

/* Hot reload (control_reload.c). A request begins it; what became of it is asked for with
 * "reload-status" until no phase is "waiting", "rehearsing" or "swapping". */
int hg_control_set(hg_session *session, const hg_request *request, hg_json *out);
int hg_control_reload(hg_session *session, const hg_request *request, hg_json *out);
int hg_control_rollback(hg_session *session, const hg_request *request, hg_json *out);
int hg_view_versions(hg_session *session, const hg_request *request, hg_json *out);
int hg_view_reload(hg_session *session, const hg_request *request, hg_json *out);

/* The strategy a request speaks of: its index; HG_STRATEGY_ANY when it names none and `any`. */
HG_MUST_CHECK int hg_request_script(const hg_session *session, const hg_request *request, bool any,
                                    uint16_t *index);

/* ---- where sessions are (control_path.c) ----------------------------------------------------- */
#define HG_SOCKET_PATH_MAX 108

typedef struct hg_session_entry {
    char name[64];
    int pid;
    char path[HG_SOCKET_PATH_MAX];
} hg_session_entry;

/* The folder of session sockets, private to this user; made when `create`. */
HG_MUST_CHECK int hg_control_folder(bool create, char *path, size_t size);
/* "FOLDER/NAME-PID.sock". */
HG_MUST_CHECK int hg_control_path(const char *name, int pid, char *path, size_t size);
/* Sessions in the folder, sorted by name and pid, at most `max`; sockets of dead ones are removed.
 */
size_t hg_control_list(hg_session_entry *entries, size_t max);

/* ---- the other side (control_client.c) ------------------------------------------------------- */
/* The session meant by NAME, PID or PATH (NULL: the only one). HG_ENOTFOUND when none runs, or
 * HG_EUSAGE when several could be meant. */
HG_MUST_CHECK int hg_control_choose(const char *which, hg_session_entry *entry);
/* Connects; the descriptor or a negative code (HG_ENOTFOUND: nothing listens). */
HG_MUST_CHECK int hg_control_connect(const char *path);
/* Sends one line and waits for the answer, which is fresh memory the caller frees. */
HG_MUST_CHECK int hg_control_ask(int fd, const char *line, int64_t timeout_ns, char **answer);

#endif
