/* Command-line flags. */
#include "app/args.h"
#include "test.h"

#include <string.h>

static const hg_flag flags[] = {
    {"seed", "N",    ""  },
    {"json", NULL,   ""  },
    {"set",  "K=V",  ""  },
    {"out",  "FILE", ""  },
    {"for",  "D",    ""  },
    {NULL,   NULL,   NULL}
};

static int parse(hg_args *args, int argc, const char *const *argv) {
    static char *copy[16];
    for (int i = 0; i < argc; i++) {
        copy[i] = (char *)(uintptr_t)argv[i];
    }
    return hg_args_parse(args, flags, argc, copy);
}

TEST(flags_and_words_in_any_order) {
    const char *argv[] = {"a.lua", "--seed", "7",  "--set=x=1", "--json", "b.lua",
                          "--set", "y=2",    "-o", "f",         "--",     "--seed"};
    hg_args args;
    uint64_t seed = 0;
    CHECK_EQ(parse(&args, 12, argv), 0);
    CHECK_EQ(args.word_count, 3);
    CHECK_STR(args.words[1], "b.lua");
    CHECK_STR(args.words[2], "--seed");
    CHECK_EQ(hg_args_u64(&args, "seed", &seed), 0);
    CHECK_EQ(seed, 7);
    CHECK(hg_args_has(&args, "json"));
    CHECK_STR(hg_args_get_nth(&args, "set", 1), "y=2");
    CHECK(hg_args_get_nth(&args, "set", 2) == NULL);
    CHECK_STR(hg_args_get(&args, "set", ""), "y=2");
    CHECK_STR(hg_args_get(&args, "out", ""), "f");
}

static void refuse(int argc, const char *const *argv, const char *text, const char *advice) {
    hg_args args;
    int64_t ns = 0;
    uint64_t n = 0;
    int rc = parse(&args, argc, argv);
    rc = rc == 0 ? hg_args_u64(&args, "seed", &n) : rc;
    rc = rc == 0 ? hg_args_duration(&args, "for", &ns) : rc;
    CHECK_EQ(rc, HG_EUSAGE);
    CHECK(strstr(hg_error_text(), text) != NULL);
    CHECK(strstr(hg_error_advice(), advice) != NULL);
}

TEST(what_cannot_be_read_is_named) {
    const char *unknown[] = {"--sed", "1"};
    refuse(2, unknown, "--sed", "--seed");
    const char *missing[] = {"--seed"};
    refuse(1, missing, "needs a value", "");
    const char *unwanted[] = {"--json=1"};
    refuse(1, unwanted, "takes no value", "");
    const char *text[] = {"--seed", "-1"};
    refuse(2, text, "whole number", "");
    const char *big[] = {"--seed", "99999999999999999999999"};
    refuse(2, big, "whole number", "");
    const char *duration[] = {"--for", "soon"};
    refuse(2, duration, "duration", "");
    const char *unit[] = {"--for", "600"};
    refuse(2, unit, "--for 600: want a duration", "600ms or 600s?");
    const char *short_flag[] = {"-x"};
    refuse(1, short_flag, "-x", "");
}
