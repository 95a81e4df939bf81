/* Command-line flags: long options only, one table per verb. getopt_long permutes argv and prints
 * its own messages; ours name the nearest flag and return through the error record. */
#include "app/args.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const hg_flag *flag_find(const hg_flag *flags, const char *name, size_t len) {
    for (; flags->name; flags++) {
        if (strlen(flags->name) == len && strncmp(flags->name, name, len) == 0) {
            return flags;
        }
    }
    return NULL;
}

static int flag_unknown(const hg_flag *flags, const char *name, size_t len) {
    char word[48];
    const char *names[HG_ARGS_MAX];
    size_t n = 0;
    for (; flags->name && n < HG_ARGS_MAX - 1; flags++) {
        names[n++] = flags->name;
    }
    names[n] = NULL;
    size_t cut = len < sizeof word ? len : sizeof word - 1;
    memcpy(word, name, cut);
    word[cut] = '\0';
    int rc = HG_ERR(HG_EUSAGE, "unknown flag --%s", word);
    const char *near = hg_text_nearest(word, names);
    if (near) {
        hg_error_hint("did you mean --%s?", near);
    }
    return rc;
}

static int flag_take(hg_args *args, const char *arg, int *i, int argc, char **argv) {
    const char *name = arg + 2;
    size_t len = strcspn(name, "=");
    const hg_flag *flag = flag_find(args->flags, name, len);
    if (!flag) {
        return flag_unknown(args->flags, name, len);
    }
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    if (!flag->value && value) {
        return HG_ERR(HG_EUSAGE, "--%s takes no value", flag->name);
    }
    if (flag->value && !value) {
        if (*i + 1 >= argc) {
            return HG_ERR(HG_EUSAGE, "--%s needs a value: --%s %s", flag->name, flag->name,
                          flag->value);
        }
        value = argv[++*i];
    }
    if (args->given_count == HG_ARGS_MAX) {
        return HG_ERR(HG_EUSAGE, "too many flags");
    }
    args->given[args->given_count].name = flag->name;
    args->given[args->given_count++].value = value ? value : "";
    return HG_OK;
}

int hg_args_parse(hg_args *args, const hg_flag *flags, int argc, char **argv) {
    memset(args, 0, sizeof *args);
    args->flags = flags;
    bool flags_ended = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = strcmp(argv[i], "-o") == 0 ? "--out" : argv[i];
        if (!flags_ended && strcmp(arg, "--") == 0) {
            flags_ended = true;
        } else if (!flags_ended && arg[0] == '-' && arg[1] == '-') {
            int rc = flag_take(args, arg, &i, argc, argv);
            if (rc < 0) {
                return rc;
            }
        } else if (!flags_ended && arg[0] == '-' && arg[1] != '\0') {
            return HG_ERR(HG_EUSAGE, "unknown flag %s (flags are long: --name)", arg);
        } else if (args->word_count == HG_ARGS_MAX) {
            return HG_ERR(HG_EUSAGE, "too many arguments");
        } else {
            args->words[args->word_count++] = arg;
        }
    }
    return HG_OK;
}

const char *hg_args_get_nth(const hg_args *args, const char *name, size_t k) {
    hg_assert(flag_find(args->flags, name, strlen(name)));
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].name, name) == 0 && k-- == 0) {
            return args->given[i].value;
        }
    }
    return NULL;
}

bool hg_args_has(const hg_args *args, const char *name) {
    return hg_args_get_nth(args, name, 0) != NULL;
}

const char *hg_args_get(const hg_args *args, const char *name, const char *fallback) {
    const char *value = NULL;
    for (size_t k = 0;; k++) {
        const char *next = hg_args_get_nth(args, name, k);
        if (!next) {
            return value ? value : fallback;
        }
        value = next;
    }
}

static int value_bad(const char *name, const char *value, const char *want) {
    return HG_ERR(HG_EUSAGE, "--%s %s: want %s", name, value, want);
}

int hg_args_duration(const hg_args *args, const char *name, int64_t *ns) {
    const char *value = hg_args_get(args, name, NULL);
    if (!value || hg_duration_parse(value, ns)) {
        return HG_OK;
    }
    int rc = value_bad(name, value, "a duration such as 500ms, 30s, 10m, 6h, 2d");
    hg_duration_hint(value);
    return rc;
}

int hg_args_u64(const hg_args *args, const char *name, uint64_t *value) {
    const char *text = hg_args_get(args, name, NULL);
    if (!text) {
        return HG_OK;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0) {
        return value_bad(name, text, "a whole number");
    }
    *value = parsed;
    return HG_OK;
}

int hg_args_double(const hg_args *args, const char *name, double *value) {
    const char *text = hg_args_get(args, name, NULL);
    if (!text) {
        return HG_OK;
    }
    char *end = NULL;
    double parsed = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(parsed)) {
        return value_bad(name, text, "a finite number");
    }
    *value = parsed;
    return HG_OK;
}

int hg_args_choice(const hg_args *args, const char *name, const char *const *choices,
                   size_t *index) {
    const char *text = hg_args_get(args, name, NULL);
    if (!text) {
        return HG_OK;
    }
    char list[256] = "";
    for (size_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *index = i;
            return HG_OK;
        }
        size_t used = strlen(list);
        hg_text_copy(list + used, sizeof list - used, i > 0 ? " | " : "");
        used = strlen(list);
        hg_text_copy(list + used, sizeof list - used, choices[i]);
    }
    int rc = value_bad(name, text, list);
    const char *near = hg_text_nearest(text, choices);
    if (near) {
        hg_error_hint("did you mean %s?", near);
    }
    return rc;
}
