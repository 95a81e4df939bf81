/* Look-up over the generated table: a few dozen entries, read at start only. */
#include "base/embedded.h"

#include <string.h>

const hg_embedded *hg_embedded_find(const char *path) {
    for (const hg_embedded *file = hg_embedded_files; file->path; file++) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}
