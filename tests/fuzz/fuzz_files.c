/* Files that people write: books and instrument lists, as CSV and as Lua data. The first byte
 * chooses. A book that is accepted names instruments that exist and holds whole lots of them. */
#include "fuzz.h"

#include "app/datafile.h"

#include <unistd.h>

static void file_write(const char *path, const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "wb");
    must(file != NULL, "the file can be written");
    must(fwrite(data, 1, size, file) == size, "the file is written");
    must(fclose(file) == 0, "the file is closed");
}

static void universe_judge(const hg_universe *universe) {
    for (uint32_t id = 0; id < hg_universe_count(universe); id++) {
        must(hg_instrument_check(hg_universe_get(universe, id)) == HG_OK, "contracts are tradable");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char paths[2][64];
    if (!paths[0][0]) {
        snprintf(paths[0], sizeof paths[0], "/tmp/hedged-fuzz-%d.csv", (int)getpid());
        snprintf(paths[1], sizeof paths[1], "/tmp/hedged-fuzz-%d.lua", (int)getpid());
    }
    if (size < 1) {
        return 0;
    }
    const char *path = paths[data[0] & 1];
    hg_universe *universe = hg_universe_new();
    must(universe != NULL, "memory");
    file_write(path, data + 1, size - 1);
    if (data[0] & 2) {
        (void)!hg_instruments_load(path, universe);
    } else {
        hg_book book = {0};
        if (hg_book_load(path, universe, &book) == HG_OK) {
            for (size_t i = 0; i < book.count; i++) {
                must(book.rows[i].instrument < hg_universe_count(universe), "instruments exist");
                must(book.rows[i].entry >= 0, "entry prices are not negative");
            }
        }
        hg_book_free(&book);
    }
    universe_judge(universe);
    hg_universe_free(universe);
    (void)unlink(path);
    return 0;
}
