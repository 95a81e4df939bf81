/* Comma-separated rows: columns found by name, fields cut in place. */
#include "venue/import_int.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Drops spaces around and one pair of double quotes. */
static void field_set(hg_csv_field *field, char *text, size_t len) {
    while (len > 0 && (text[0] == ' ' || text[0] == '\t')) text++, len--;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) len--;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    text[len] = '\0';
    *field = (hg_csv_field){text, len};
}

/* Cuts at most `max` fields; a line with more keeps the rest unread. */
static int cut(char *line, size_t len, hg_csv_field *fields, int max) {
    char *end = line + len;
    int count = 0;
    while (count < max) {
        char *comma = memchr(line, ',', (size_t)(end - line));
        char *stop = comma ? comma : end;
        field_set(&fields[count++], line, (size_t)(stop - line));
        if (!comma) {
            break;
        }
        line = comma + 1;
    }
    return count;
}

static int find_column(const hg_csv *csv, int count, const char *name) {
    for (int i = 0; i < count; i++) {
        if (strcmp(csv->fields[i].text, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int columns_missing(const hg_csv *csv, const char *path, const char *const *names,
                           int required) {
    char list[256] = "";
    size_t used = 0;
    int missing = 0;
    for (int i = 0; i < required; i++) {
        if (csv->columns[i] < 0 && used < sizeof list) {
            int n = snprintf(list + used, sizeof list - used, "%s%s", missing > 0 ? ", " : "",
                             names[i]);
            used += n > 0 ? (size_t)n : 0;
            missing++;
        }
    }
    return missing == 0 ? HG_OK
                        : HG_ERR(HG_EDATA, "%s: line 1: missing column%s %s", path,
                                 missing > 1 ? "s" : "", list);
}

int hg_csv_header(hg_csv *csv, hg_import *import, const char *const *names, int required) {
    char *line = NULL;
    size_t len = 0;
    const char *path = hg_text_input_name(import->input);
    int rc = hg_import_line(import, &line, &len);
    if (rc <= 0) {
        return rc < 0 ? rc : HG_ERR(HG_EDATA, "%s: the file is empty", path);
    }
    if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3; /* byte order mark of spreadsheet programs */
        len -= 3;
    }
    int count = cut(line, len, csv->fields, HG_CSV_COLUMNS_MAX);
    csv->last = 0;
    for (int i = 0; names[i]; i++) {
        csv->columns[i] = find_column(csv, count, names[i]);
        csv->last = csv->columns[i] > csv->last ? csv->columns[i] : csv->last;
    }
    return columns_missing(csv, path, names, required);
}

bool hg_csv_row(hg_csv *csv, char *line, size_t len) {
    if (memchr(line, '\0', len)) {
        return false;
    }
    return cut(line, len, csv->fields, csv->last + 1) == csv->last + 1;
}

hg_csv_field hg_csv_get(const hg_csv *csv, int name) {
    int column = csv->columns[name];
    return column < 0 ? (hg_csv_field){"", 0} : csv->fields[column];
}
