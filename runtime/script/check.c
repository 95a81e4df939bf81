/* `hedged check`: loads a strategy without starting it and lists what looks wrong. */
#include "script/script_int.h"

#include <stdio.h>
#include <string.h>

static int check_callbacks(const hg_script *s, char *report, size_t size) {
    for (int i = 0; i < HG_CALLBACKS; i++) {
        if (s->ref_callback[i] != LUA_NOREF) return 0;
    }
    size_t used = strlen(report);
    snprintf(report + used, size - used,
             "%s: no callback (on_tick, on_timer, ...): it never runs\n", s->file);
    return 1;
}

int hg_script_check(const hg_script_env *env, const char *path, const char *const *set,
                    size_t set_count, char *report, size_t size) {
    hg_script *s = NULL;
    if (size > 0) report[0] = '\0';
    int rc = hg_script_open(env, path, 0, set, set_count, &s);
    if (rc < 0) return rc;
    int warnings = 0;
    for (uint32_t i = 0; i < s->source_count && size > 0; i++) {
        const hg_source *source = &s->sources[i];
        if (strncmp(source->name, "stdlib/", 7) == 0) continue;
        warnings += hg_check_source(s, source, report, size);
    }
    if (size > 0) warnings += check_callbacks(s, report, size);
    hg_script_close(s);
    return warnings;
}
