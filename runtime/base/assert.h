#ifndef HG_BASE_ASSERT_H
#define HG_BASE_ASSERT_H

/* Assertions stay on in release builds: a hedger that has lost an invariant must stop, not trade.
 * Operating errors (bad input, lost connections) are never asserted. */
_Noreturn void hg_assert_fail(const char *expr, const char *file, int line);

#define hg_assert(expr) ((expr) ? (void)0 : hg_assert_fail(#expr, __FILE__, __LINE__))

#endif
