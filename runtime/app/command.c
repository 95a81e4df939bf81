/* Commands of people, through the same door as every other input. */
#include "app/command.h"

#include "base/assert.h"

typedef int (*script_call)(hg_script *script, const char *text);

static int call_set(hg_script *script, const char *text) {
    return hg_script_set(script, text);
}

static int call_pause(hg_script *script, const char *text) {
    (void)text;
    return hg_script_pause(script);
}

static int call_resume(hg_script *script, const char *text) {
    (void)text;
    return hg_script_resume(script);
}

/* For ANY: those that can, at least one. */
static int each_script(hg_core *core, const hg_command *command, script_call call) {
    if (command->script != HG_STRATEGY_ANY) {
        hg_assert(command->script < core->script_count);
        return call(core->scripts[command->script], command->text);
    }
    int first = HG_OK;
    size_t done = 0;
    for (size_t i = 0; i < core->script_count; i++) {
        int rc = call(core->scripts[i], command->text);
        done += rc == HG_OK;
        first = first == HG_OK ? rc : first;
    }
    return done > 0 ? HG_OK : first;
}

static int cancel_all(hg_core *core, hg_command *command) {
    command->cancelled = hg_exec_cancel_all(core->exec, command->script, HG_ID_NONE, core->now_ns);
    return HG_OK;
}

static int kill_all(hg_core *core, hg_command *command) {
    hg_kill_level level = command->level < HG_KILL_HALT ? HG_KILL_CANCEL : command->level;
    command->cancelled = hg_risk_kill(core->exec, level, HG_STRATEGY_ANY, command->text,
                                      core->now_ns);
    return HG_OK;
}

int hg_command_apply(hg_core *core, hg_command *command) {
    switch (command->kind) {
    case HG_COMMAND_SET:
        return each_script(core, command, call_set);
    case HG_COMMAND_PAUSE:
        return each_script(core, command, call_pause);
    case HG_COMMAND_RESUME:
        return each_script(core, command, call_resume);
    case HG_COMMAND_CANCEL_ALL:
        return cancel_all(core, command);
    case HG_COMMAND_KILL:
        return kill_all(core, command);
    case HG_COMMAND_ARM:
        hg_risk_arm(core->exec, command->script, command->text, core->now_ns);
        return HG_OK;
    case HG_COMMAND_EVAL:
        return command->call(command->context);
    }
    return HG_ERR(HG_EINTERNAL, "unknown command %d", (int)command->kind);
}

int hg_core_command(hg_core *core, hg_command *command, int64_t now_ns) {
    if (now_ns > core->now_ns) {
        hg_core_settle(core, now_ns);
    }
    hg_event event = {
        .kind = HG_EV_CONTROL,
        .time_ns = now_ns > core->now_ns ? now_ns : core->now_ns,
        .control = {.command = (uint16_t)command->kind, .script = command->script}
    };
    core->command = command;
    hg_core_apply(core, &event);
    core->command = NULL;
    return core->command_rc;
}
