/* Instrument names and numbers as they come from books, command lines and venues: whatever is
 * accepted must be a tradable contract, and numbers must survive being printed and read again. */
#include "fuzz.h"

#include "base/decimal.h"
#include "domain/instrument.h"

#include <string.h>

static void number_round_trip(const char *text, size_t size) {
    int64_t nano = 0;
    if (!hg_nano_parse(text, size, &nano)) {
        return;
    }
    char printed[32];
    int64_t again = 0;
    (void)hg_nano_format(nano, printed, sizeof printed);
    must(hg_nano_parse(printed, strlen(printed), &again), "a printed number can be read");
    must(again == nano, "a number survives being printed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[128];
    if (size >= sizeof text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    number_round_trip(text, size);
    hg_instrument inst;
    if (hg_instrument_from_name(text, &inst) == 0) {
        must(hg_instrument_check(&inst) == 0, "a name that is read gives a tradable contract");
        must(strcmp(inst.name, text) == 0, "the contract keeps its name");
    }
    return 0;
}
