/* `hedged check`: loads a strategy without starting it and lists what looks wrong. */
#include "script/script_int.h"

int hg_script_check(const hg_script_env *env, const char *path, const char *const *set,
                    size_t set_count, char *report, size_t size) {
    hg_script *s = NULL;
    if (size > 0) report[0] = '\0';
    int rc = hg_script_open(env, path, 0, set, set_count, &s);
    if (rc < 0) return rc;
    int warnings = hg_check_source(s, report, size);
    hg_script_close(s);
    return warnings;
}
