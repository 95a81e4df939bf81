/* The JSON writer. Doubles print with the fewest digits that read back to the same value. */
#include "base/json.h"

#include "base/decimal.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hg_json_init(hg_json *json, char *buf, size_t size) {
    json->buf = buf;
    json->size = size;
    json->len = 0;
    json->comma = false;
    json->overflow = false;
}

static void put(hg_json *json, const char *text, size_t len) {
    if (json->len + len >= json->size) {
        json->overflow = true;
        return;
    }
    memcpy(json->buf + json->len, text, len);
    json->len += len;
}

/* Bytes that are no UTF-8 would make the whole text no JSON: U+FFFD stands for each. */
static void put_quoted(hg_json *json, const char *text) {
    put(json, "\"", 1);
    while (*text) {
        unsigned char c = (unsigned char)*text;
        size_t len = c < 0x80 ? 1 : hg_text_utf8(text);
        if (c == '"' || c == '\\') {
            char escaped[2] = {'\\', (char)c};
            put(json, escaped, 2);
        } else if (c < 0x20) {
            char escaped[8];
            int n = snprintf(escaped, sizeof escaped, "\\u%04x", c);
            put(json, escaped, (size_t)n);
        } else {
            put(json, len > 0 ? text : "\xef\xbf\xbd", len > 0 ? len : 3);
        }
        text += len > 0 ? len : 1;
    }
    put(json, "\"", 1);
}

static void lead(hg_json *json, const char *key) {
    if (json->comma) {
        put(json, ",", 1);
    }
    json->comma = true;
    if (key) {
        put_quoted(json, key);
        put(json, ":", 1);
    }
}

void hg_json_open(hg_json *json, const char *key) {
    lead(json, key);
    put(json, "{", 1);
    json->comma = false;
}

void hg_json_close(hg_json *json) {
    put(json, "}", 1);
    json->comma = true;
}

void hg_json_open_array(hg_json *json, const char *key) {
    lead(json, key);
    put(json, "[", 1);
    json->comma = false;
}

void hg_json_close_array(hg_json *json) {
    put(json, "]", 1);
    json->comma = true;
}

void hg_json_string(hg_json *json, const char *key, const char *value) {
    if (!value) {
        hg_json_null(json, key);
        return;
    }
    lead(json, key);
    put_quoted(json, value);
}

void hg_json_int(hg_json *json, const char *key, int64_t value) {
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)value);
    lead(json, key);
    put(json, text, (size_t)n);
}

void hg_json_number(hg_json *json, const char *key, double value) {
    if (!isfinite(value)) {
        hg_json_null(json, key);
        return;
    }
    char text[40];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, value == 0 ? 0.0 : value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    lead(json, key);
    put(json, text, (size_t)n);
}

void hg_json_nano(hg_json *json, const char *key, int64_t nano) {
    char text[32];
    hg_nano_format(nano, text, sizeof text);
    lead(json, key);
    put(json, text, strlen(text));
}

void hg_json_bool(hg_json *json, const char *key, bool value) {
    lead(json, key);
    put(json, value ? "true" : "false", value ? 4 : 5);
}

void hg_json_null(hg_json *json, const char *key) {
    lead(json, key);
    put(json, "null", 4);
}

const char *hg_json_text(hg_json *json) {
    json->buf[json->len] = '\0';
    return json->buf;
}
