/* Checked access to JSON from outside (reliability notes on cJSON 1.7.15: it takes 1e400 for
 * infinity, ignores trailing bytes unless told, stops strings at an escaped NUL and matches names
 * without regard to case). */
#include "venue/import_json_int.h"

#include <math.h>
#include <string.h>

/* A node takes 64 bytes and more, so a line of 16 MiB of "[1,1,..." would take half a GiB. */
enum { NODES_MAX = 1 << 20 };

static bool too_many_nodes(const char *text, size_t len) {
    size_t nodes = 0;
    for (size_t i = 0; i < len; i++) {
        nodes += (text[i] == ',') | (text[i] == '[') | (text[i] == '{');
    }
    return nodes > NODES_MAX;
}

cJSON *hg_import_json(const char *text, size_t len) {
    if (len == 0 || len > HG_TEXT_LINE_MAX || memchr(text, '\0', len) ||
        too_many_nodes(text, len)) {
        return NULL;
    }
    return cJSON_ParseWithLengthOpts(text, len + 1, NULL, 1);
}

const cJSON *hg_import_get(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name)
                                               : NULL;
    return item && !cJSON_IsNull(item) ? item : NULL;
}

const char *hg_import_text(const cJSON *object, const char *name) {
    const cJSON *item = hg_import_get(object, name);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool hg_import_double(const cJSON *object, const char *name, double *value) {
    const cJSON *item = hg_import_get(object, name);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) {
        return false;
    }
    *value = item->valuedouble;
    return true;
}

bool hg_import_id(const cJSON *object, const char *name, int64_t *value) {
    double d = 0;
    if (!hg_import_double(object, name, &d) || d < 0 || d > 9007199254740992.0 || d != floor(d)) {
        return false;
    }
    *value = (int64_t)d;
    return true;
}

bool hg_import_decimal(const cJSON *item, hg_nano *value) {
    if (cJSON_IsString(item)) {
        return hg_import_nano(item->valuestring, strlen(item->valuestring), value);
    }
    return cJSON_IsNumber(item) && hg_nano_from_double(item->valuedouble, value);
}
