#ifndef HG_VENUE_IMPORT_JSON_INT_H
#define HG_VENUE_IMPORT_JSON_INT_H

#include "venue/import_int.h"

#include <cjson/cJSON.h>

/* cJSON with the doors closed that it leaves open: trailing bytes, NUL bytes, case-blind names,
 * infinities, ids that a double cannot hold, and documents that explode in memory. */

/* NULL when it is not one JSON value; free with cJSON_Delete. The text is NUL-terminated. */
cJSON *hg_import_json(const char *text, size_t len);

const cJSON *hg_import_get(const cJSON *object, const char *name); /* or NULL; null is NULL */
const char *hg_import_text(const cJSON *object, const char *name); /* a string, or NULL */
bool hg_import_double(const cJSON *object, const char *name, double *value); /* finite */
/* A whole number from 0 to 2^53. */
bool hg_import_id(const cJSON *object, const char *name, int64_t *value);
/* A number, or a number as text. */
bool hg_import_decimal(const cJSON *item, hg_nano *value);

#endif
