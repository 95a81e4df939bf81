/* Starting money, from text. */
#include "app/deposits.h"

#include <string.h>

static int deposit_read(const hg_universe *universe, const char *text, const char *part, size_t end,
                        hg_deposit *out) {
    char name[HG_CODE_MAX];
    size_t equals = strcspn(part, "=,");
    bool named = part[equals] == '=' && equals > 0 && equals < sizeof name;
    if (!named || !hg_nano_parse(part + equals + 1, end - equals - 1, &out->amount) ||
        out->amount <= 0) {
        int rc = HG_ERR(HG_EUSAGE, "--cash %s: cannot read '%.*s'", text, (int)end, part);
        hg_error_hint("for example --cash BTC=5,USDC=1000");
        return rc;
    }
    memcpy(name, part, equals);
    name[equals] = '\0';
    out->currency = hg_universe_find_currency(universe, name);
    return out->currency == HG_ID_NONE
               ? HG_ERR(HG_EUSAGE, "--cash: nothing in this session is settled in %s", name)
               : HG_OK;
}

int hg_deposits_parse(const hg_universe *universe, const char *text,
                      hg_deposit out[HG_DEPOSITS_MAX], size_t *count) {
    size_t n = 0;
    for (const char *part = text; part && *part;) {
        size_t end = strcspn(part, ",");
        if (n == HG_DEPOSITS_MAX) {
            return HG_ERR(HG_EUSAGE, "--cash %s: more than %d deposits", text, HG_DEPOSITS_MAX);
        }
        int rc = deposit_read(universe, text, part, end, &out[n]);
        if (rc < 0) {
            return rc;
        }
        for (size_t i = 0; i < n; i++) {
            if (out[i].currency == out[n].currency) {
                return HG_ERR(HG_EUSAGE, "--cash %s: a currency is named twice", text);
            }
        }
        n++;
        part += end + (part[end] == ',');
    }
    *count = n;
    return HG_OK;
}
