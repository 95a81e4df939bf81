#ifndef HG_SCRIPT_INSPECT_H
#define HG_SCRIPT_INSPECT_H

#include "script/script.h"

/* Lua expressions about a running session (`hedged repl`). Looking happens in a sandboxed state of
 * its own, which sees the market, the portfolio and the orders, and a copy of the strategy's fields
 * and state; nothing can be sent, subscribed or scheduled from there. Writing happens in the
 * strategy's own state. Both are bounded in CPU time and memory like a callback, and a failure is
 * an answer, never a parked strategy. Between events only. */
typedef struct hg_inspector hg_inspector;

#define HG_INSPECT_TEXT_MAX 16384 /* of an answer; longer ones are cut, and say so */

/* NULL when there is no memory. `env` must outlive it. */
hg_inspector *hg_inspector_new(const hg_script_env *env);
void hg_inspector_free(hg_inspector *inspector);

/* What `portfolio` and `hedged.exposure` mean when looking: the whole book, or that of a share. */
void hg_inspector_book(hg_inspector *inspector, hg_portfolio *portfolio);

/* Evaluates `code`, an expression or statements, about `script` (NULL: none). What it printed, then
 * its values one a line. HG_ESTRATEGY with one line in the record; a text that is not complete yet
 * ends with "<eof>". */
HG_MUST_CHECK int hg_inspect(hg_inspector *inspector, hg_script *script, const char *code,
                             bool write, char *out, size_t size);

#endif
