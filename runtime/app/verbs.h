#ifndef HG_APP_VERBS_H
#define HG_APP_VERBS_H

#include "app/verb.h"

/* All verbs in the order of the help; ends with NULL. */
extern const hg_verb *const hg_verbs[];

/* Runs argv[1] with the rest as its arguments; returns the exit code. */
int hg_verbs_main(int argc, char **argv);

#endif
