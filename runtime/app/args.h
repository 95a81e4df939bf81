#ifndef HG_APP_ARGS_H
#define HG_APP_ARGS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One table of flags per verb serves parsing, help, completion and the docs. */
typedef struct hg_flag {
    const char *name;  /* "seed", without dashes */
    const char *value; /* placeholder of its value ("N"), NULL for a switch */
    const char *help;
} hg_flag;

#define HG_ARGS_MAX 64

typedef struct hg_args {
    const hg_flag *flags;
    struct {
        const char *name;
        const char *value;
    } given[HG_ARGS_MAX];
    size_t given_count;
    const char *words[HG_ARGS_MAX]; /* what is not a flag, in order */
    size_t word_count;
} hg_args;

/* Accepts --name value, --name=value, and switches; `--` ends the flags. The table ends with a NULL
 * name. HG_EUSAGE with the nearest name for an unknown flag, a missing or an unwanted value. */
HG_MUST_CHECK int hg_args_parse(hg_args *args, const hg_flag *flags, int argc, char **argv);

bool hg_args_has(const hg_args *args, const char *name);
/* Last value given, or `fallback`. */
const char *hg_args_get(const hg_args *args, const char *name, const char *fallback);
/* k-th value of a flag that may repeat, or NULL. */
const char *hg_args_get_nth(const hg_args *args, const char *name, size_t k);

/* Typed access: HG_EUSAGE naming flag and value when it does not parse; untouched when absent. */
HG_MUST_CHECK int hg_args_duration(const hg_args *args, const char *name, int64_t *ns);
HG_MUST_CHECK int hg_args_u64(const hg_args *args, const char *name, uint64_t *value);
HG_MUST_CHECK int hg_args_double(const hg_args *args, const char *name, double *value);
/* Value must be one of a NULL-terminated list; `index` is its place. */
HG_MUST_CHECK int hg_args_choice(const hg_args *args, const char *name, const char *const *choices,
                                 size_t *index);

#endif
