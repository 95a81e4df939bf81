#ifndef HG_APP_PAPER_OPTIONS_H
#define HG_APP_PAPER_OPTIONS_H

#include "app/args.h"
#include "exec/paper.h"

/* Reads --fill, --queue, --refill, --latency, --rules, --faults and --fees. HG_EUSAGE names the
 * flag that is wrong. */
HG_MUST_CHECK int hg_paper_options_read(hg_paper_options *options, uint64_t seed,
                                        const hg_args *args);

#endif
