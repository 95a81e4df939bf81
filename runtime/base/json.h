#ifndef HG_BASE_JSON_H
#define HG_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes JSON into caller memory: no allocation, no locale, the same bytes everywhere. Commas are
 * placed by the writer. When the buffer is too small `overflow` is set and the text is cut. */
typedef struct hg_json {
    char *buf;
    size_t size;
    size_t len;
    bool comma;
    bool overflow;
} hg_json;

void hg_json_init(hg_json *json, char *buf, size_t size);
void hg_json_open(hg_json *json, const char *key);       /* { ; key NULL inside arrays/at the top */
void hg_json_close(hg_json *json);                       /* } */
void hg_json_open_array(hg_json *json, const char *key); /* [ */
void hg_json_close_array(hg_json *json);                 /* ] */
void hg_json_string(hg_json *json, const char *key, const char *value); /* NULL writes null */
void hg_json_int(hg_json *json, const char *key, int64_t value);
void hg_json_number(hg_json *json, const char *key, double value); /* not finite writes null */
void hg_json_nano(hg_json *json, const char *key, int64_t nano);   /* exact decimal */
void hg_json_bool(hg_json *json, const char *key, bool value);
void hg_json_null(hg_json *json, const char *key);
const char *hg_json_text(hg_json *json); /* terminates and returns buf */

#endif
