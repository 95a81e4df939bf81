#ifndef HG_BASE_ERROR_H
#define HG_BASE_ERROR_H

/* One list of error codes for the whole house, and a per-thread record of context.
 *
 * A fallible function returns 0 or a negative HG_E* code and leaves its outputs untouched on
 * failure. The function that notices the failure writes the record with HG_ERR; callers that know
 * more (a file name, a line) add to it with HG_ERR_CTX while they unwind; the top prints it once.
 */
#define HG_ERROR_MAP(X)                                                                            \
    X(INVALID, 1, "invalid", "invalid argument")                                                   \
    X(NOMEM, 2, "no_memory", "out of memory")                                                      \
    X(NOTFOUND, 3, "not_found", "not found")                                                       \
    X(LIMIT, 4, "limit", "a capacity or limit is reached")                                         \
    X(STATE, 5, "state", "not possible in this state")                                             \
    X(IO, 6, "io", "input/output error")                                                           \
    X(DATA, 7, "data", "data is corrupt or malformed")                                             \
    X(VERSION, 8, "version", "unsupported version")                                                \
    X(RANGE, 9, "range", "value out of range")                                                     \
    X(USAGE, 10, "usage", "wrong use of the command line")                                         \
    X(CONFIG, 11, "config", "configuration or parameter is invalid")                               \
    X(STRATEGY, 12, "strategy", "the strategy failed")                                             \
    X(VENUE, 13, "venue", "the venue failed")                                                      \
    X(RISK, 14, "risk", "refused by the risk gate")                                                \
    X(INTERNAL, 15, "internal", "internal error")                                                  \
    X(TIMEOUT, 16, "timeout", "no answer in time")

enum hg_error {
    HG_OK = 0,
#define HG_ERROR_ENUM(name, num, code, text) HG_E##name = -(num),
    HG_ERROR_MAP(HG_ERROR_ENUM)
#undef HG_ERROR_ENUM
};

#define HG_MUST_CHECK __attribute__((warn_unused_result))
#define HG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* The short name ("not_found") and the sentence of a code. Never NULL. */
const char *hg_error_name(int code);
const char *hg_error_sentence(int code);

/* Starts a new record; returns `code` so that `return HG_ERR(HG_EDATA, "...")` reads well. */
int hg_error_set(int code, const char *where, int line, const char *fmt, ...) HG_PRINTF(4, 5);

/* Puts context in front of the record ("tape x.tape: offset 17: bad checksum"); returns `code`. */
int hg_error_context(int code, const char *where, int line, const char *fmt, ...) HG_PRINTF(4, 5);

/* A second line of advice for the user ("help: ..."). */
void hg_error_hint(const char *fmt, ...) HG_PRINTF(1, 2);

#define HG_ERR(code, ...) hg_error_set((code), __func__, __LINE__, __VA_ARGS__)
#define HG_ERR_CTX(code, ...) hg_error_context((code), __func__, __LINE__, __VA_ARGS__)

/* The record of this thread: text is "" when nothing failed. Valid until the next change. */
const char *hg_error_text(void);
const char *hg_error_advice(void);
const char *hg_error_where(void);
int hg_error_code(void);
void hg_error_clear(void);

#endif
