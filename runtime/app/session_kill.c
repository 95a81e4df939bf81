/* Stopping a session without its control socket: the signal SIGUSR1, and a file whose presence
 * halts trading. Both work while strategies hang, since only the loop looks; both latch: the file's
 * end alone does not re-arm, `hedged ctl arm` does.
 *
 * With --kill-file the latch outlives the process: whatever halts trading (a signal, the operator,
 * a loss) writes the file, with the level as its first word, and so halts the next start too;
 * re-arming removes it. A session without the flag reads KILL and writes nothing. */
#include "app/command.h"
#include "app/session_int.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REASON "reason: "

static void kill_now(hg_session *s, hg_kill_level level, const char *why, int64_t now_ns) {
    hg_command c = {
        .kind = HG_COMMAND_KILL, .script = HG_STRATEGY_ANY, .level = level, .text = why};
    int rc = hg_core_command(&s->core, &c, now_ns);
    hg_events_control(&s->events, "kill", NULL, why, rc < 0 ? hg_error_text() : "");
}

/* The first word may say how: halt, cancel (also when it is empty) or flatten. A line of a session
 * before may say why. */
static hg_kill_level kill_file_read(const char *path, char *why, size_t size) {
    char word[16] = "";
    char line[192];
    hg_kill_level level = HG_KILL_CANCEL;
    FILE *file = fopen(path, "r");
    snprintf(why, size, "the file %.80s", path);
    if (file && fscanf(file, "%15s", word) == 1 && !hg_kill_parse(word, &level)) {
        level = HG_KILL_CANCEL;
    }
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, REASON, strlen(REASON)) == 0) {
            snprintf(why, size, "%.90s (kept in %.40s)", line + strlen(REASON), path);
        }
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

/* --- the latch outlives the process --------------------------------------------------------------
 */

/* Complete or not there at all, whenever the power goes. */
static bool kill_file_write(const hg_session *s, const char *why) {
    char path[4096];
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    const char *level = hg_kill_name(hg_risk_level(s->core.exec));
    int len = snprintf(path, sizeof path, "%s.new", s->options.kill_file);
    FILE *file = (size_t)len < sizeof path ? fopen(path, "w") : NULL;
    if (!file) {
        return false;
    }
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    fprintf(file,
            "%s\n" REASON "%s\ntime: %s\nsession: %s\n"
            "hedged does not trade while this file is here; `hedged ctl arm` removes it.\n",
            level, why, now, s->name);
    bool ok = fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && ok && rename(path, s->options.kill_file) == 0;
}

void hg_session_keep_kill(hg_session *s) {
    const char *why = "";
    const char *path = s->options.kill_file;
    bool halted = hg_risk_session(s->core.exec, &why) == HG_RISK_HALTED;
    if (!path || !s->options.kill_keep || halted == s->kill_kept) {
        return;
    }
    s->kill_kept = halted;
    if (halted && !s->kill_seen) {
        s->kill_seen = kill_file_write(s, why);
        if (!s->kill_seen) {
            hg_log(HG_LOG_ERROR, "cannot write %s (%s): this halt ends with the session", path,
                   strerror(errno));
        }
    } else if (!halted && s->kill_seen) {
        s->kill_seen = unlink(path) < 0 && errno != ENOENT;
        if (s->kill_seen) {
            hg_log(HG_LOG_ERROR, "cannot remove %s (%s): the next start is halted", path,
                   strerror(errno));
        }
    }
}

void hg_session_poll_kill(hg_session *s, int64_t now_ns) {
    if (hg_loop_kill_asked(s->loop)) {
        kill_now(s, HG_KILL_CANCEL, "SIGUSR1", now_ns);
    }
    hg_session_keep_kill(s);
    int64_t wall_ns = hg_clock_monotonic_ns();
    if (!s->options.kill_file || wall_ns < s->kill_look_ns) {
        return;
    }
    s->kill_look_ns = wall_ns + HG_KILL_POLL_NS;
    bool there = exists(s->options.kill_file);
    if (there && !s->kill_seen) {
        char why[160];
        hg_kill_level level = kill_file_read(s->options.kill_file, why, sizeof why);
        kill_now(s, level, why, now_ns);
    }
    s->kill_seen = there;
    hg_session_keep_kill(s);
}
