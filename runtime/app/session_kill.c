/* Stopping a session without its control socket: the signal SIGUSR1, and a file whose presence
 * halts trading. Both work while strategies hang, since only the loop looks; both latch: the file's
 * end alone does not re-arm, `hedged ctl arm` does. */
#include "app/command.h"
#include "app/session_int.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

static void kill_now(hg_session *s, hg_kill_level level, const char *why, int64_t now_ns) {
    hg_command c = {
        .kind = HG_COMMAND_KILL, .script = HG_STRATEGY_ANY, .level = level, .text = why};
    int rc = hg_core_command(&s->core, &c, now_ns);
    hg_events_control(&s->events, "kill", NULL, why, rc < 0 ? hg_error_text() : "");
}

/* The first word may say how: halt, cancel (also when it is empty) or flatten. */
static hg_kill_level level_of(const char *path) {
    char word[16] = "";
    hg_kill_level level = HG_KILL_CANCEL;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%15s", word) == 1 && !hg_kill_parse(word, &level)) {
        level = HG_KILL_CANCEL;
    }
    if (file) {
        fclose(file);
    }
    return level;
}

static bool exists(const char *path) {
    FILE *file = fopen(path, "r");
    if (file) {
        fclose(file);
    }
    return file != NULL;
}

void hg_session_poll_kill(hg_session *s, int64_t now_ns) {
    if (hg_loop_kill_asked(s->loop)) {
        kill_now(s, HG_KILL_CANCEL, "SIGUSR1", now_ns);
    }
    int64_t wall_ns = hg_clock_monotonic_ns();
    if (!s->options.kill_file || wall_ns < s->kill_look_ns) {
        return;
    }
    s->kill_look_ns = wall_ns + HG_KILL_POLL_NS;
    bool there = exists(s->options.kill_file);
    if (there && !s->kill_seen) {
        char why[96];
        snprintf(why, sizeof why, "the file %.80s", s->options.kill_file);
        kill_now(s, level_of(s->options.kill_file), why, now_ns);
    }
    s->kill_seen = there;
}
