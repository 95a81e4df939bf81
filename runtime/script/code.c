/* Code as kept texts: what a strategy runs, so that a version can come back after its files have
 * changed, and so that a save that changes nothing is seen to change nothing. */
#include "base/embedded.h"
#include "base/text.h"
#include "script/reload_int.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)8 << 20)

/* Files of the binary cannot change. */
static bool is_own(const hg_source *source) {
    return strncmp(source->name, "stdlib/", 7) != 0;
}

int hg_script_code(const hg_script *s, hg_code **out) {
    hg_code *code = calloc(1, sizeof *code);
    hg_source *sources = calloc(s->source_count ? s->source_count : 1, sizeof *sources);
    if (!code || !sources) {
        free(code);
        free(sources);
        return HG_ERR(HG_ENOMEM, "no memory to keep the code of %s", s->name);
    }
    code->holders = 1;
    code->sources = sources;
    code->hash = s->hash;
    hg_text_copy(code->absent, sizeof code->absent, s->absent);
    hg_text_copy(code->dir, sizeof code->dir, s->source_count > 0 ? s->dir : "");
    for (uint32_t i = 0; i < s->source_count; i++) {
        if (!is_own(&s->sources[i])) continue;
        hg_source *copy = &sources[code->count];
        *copy = s->sources[i];
        copy->text = malloc(copy->size + 1);
        if (!copy->text) {
            hg_code_free(code);
            return HG_ERR(HG_ENOMEM, "no memory to keep %s", copy->name);
        }
        memcpy(copy->text, s->sources[i].text, copy->size + 1);
        code->count++;
    }
    *out = code;
    return HG_OK;
}

void hg_code_free(hg_code *code) {
    if (!code || --code->holders > 0) return;
    for (uint32_t i = 0; i < code->count; i++) free(code->sources[i].text);
    free(code->sources);
    free(code);
}

hg_code *hg_code_hold(hg_code *code) {
    code->holders++;
    return code;
}

uint64_t hg_code_hash(const hg_code *code) {
    return code->hash;
}

size_t hg_code_files(const hg_code *code) {
    return code->count;
}

const hg_source *hg_code_find(const hg_code *code, const char *name) {
    for (uint32_t i = 0; i < code->count; i++) {
        if (strcmp(code->sources[i].name, name) == 0) return &code->sources[i];
    }
    return NULL;
}

static bool same_on_disk(const hg_source *source) {
    char *data = NULL;
    size_t size = 0;
    if (hg_file_read_plain(source->name, FILE_MAX, &data, &size) < 0) {
        return hg_embedded_find(source->name) != NULL;
    }
    hg_source_tidy(data, size);
    bool same = size == source->size && memcmp(data, source->text, size) == 0;
    free(data);
    return same;
}

bool hg_code_is_on_disk(const hg_code *code) {
    bool same = true;
    for (uint32_t i = 0; i < code->count && same; i++) same = same_on_disk(&code->sources[i]);
    if (same && *code->absent) {
        char *data = NULL;
        size_t size = 0;
        const char *path = code->absent;
        same = (*code->dir ? hg_module_read(code->dir, path, path, &data, &size)
                           : hg_file_read_plain(path, FILE_MAX, &data, &size)) < 0;
        free(data);
    }
    hg_error_clear();
    return same;
}

const char *hg_code_file(const hg_code *code, size_t k) {
    if (k < code->count) return code->sources[k].name;
    return k == code->count && *code->absent ? code->absent : NULL;
}

const char *hg_script_file(const hg_script *s, size_t k) {
    for (uint32_t i = 0; i < s->source_count; i++) {
        if (is_own(&s->sources[i]) && k-- == 0) return s->sources[i].name;
    }
    return k == 0 && *s->absent ? s->absent : NULL;
}
