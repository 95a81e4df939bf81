/* new: a folder to start from. Strategy, test and configuration are templates built into the binary
 * (stdlib/template); the editor gets the stubs of this very program, from where they are installed,
 * or written beside the strategy when they are not. */
#include "app/verb.h"
#include "base/embedded.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define FILES_MAX 64
#define META "stdlib/meta/"
#define STUBS ".hedged/meta"

static const hg_flag new_flags[] = {
    {"force", NULL, "overwrite files that are there"},
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

typedef struct {
    const char *folder;
    char name[64];
    char stubs[PATH_BYTES]; /* folder of the stubs, as the editor shall find it */
    bool own_stubs;         /* they are written into the project */
    bool force;
    struct {
        char path[PATH_BYTES];
        char *text;
    } files[FILES_MAX];
    size_t file_count;
} scaffold;

/* ---- texts ----------------------------------------------------------------------------------- */
/* The text with every NAME as a whole word replaced; fresh memory. */
static char *fill_in(const char *text, size_t size, const char *name) {
    size_t name_len = strlen(name);
    char *out = malloc(size * (name_len / 4 + 1) + name_len + 1);
    size_t used = 0;
    for (size_t i = 0; out && i < size;) {
        if (size - i >= 4 && memcmp(text + i, "NAME", 4) == 0) {
            memcpy(out + used, name, name_len);
            used += name_len;
            i += 4;
        } else {
            out[used++] = text[i++];
        }
    }
    if (out) {
        out[used] = '\0';
    }
    return out;
}

static int add_text(scaffold *s, const char *file, char *text) {
    if (!text || s->file_count == FILES_MAX) {
        free(text);
        return HG_ERR(text ? HG_ELIMIT : HG_ENOMEM, "too many files");
    }
    int n = snprintf(s->files[s->file_count].path, PATH_BYTES, "%s/%s", s->folder, file);
    s->files[s->file_count++].text = text;
    return n > 0 && n < PATH_BYTES ? HG_OK : HG_ERR(HG_EUSAGE, "%s: the path is too long", file);
}

static int add_template(scaffold *s, const char *template, const char *file) {
    const hg_embedded *e = hg_embedded_find(template);
    if (!e) {
        return HG_ERR(HG_EINTERNAL, "%s is not built in", template);
    }
    return add_text(s, file, fill_in(e->data, e->size, s->name));
}

static int add_stubs(scaffold *s) {
    int rc = HG_OK;
    for (const hg_embedded *e = hg_embedded_files; e->path && rc == HG_OK; e++) {
        if (strncmp(e->path, META, sizeof META - 1) == 0) {
            char file[PATH_BYTES];
            snprintf(file, sizeof file, STUBS "/%s", e->path + sizeof META - 1);
            rc = add_text(s, file, strndup(e->data, e->size));
        }
    }
    return rc;
}

static int add_editor_files(scaffold *s) {
    static const char luarc[] =
        "{\n"
        "  \"$schema\": "
        "\"https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json\",\n"
        "  \"runtime.version\": \"Lua 5.4\",\n"
        "  \"workspace.library\": [\"NAME\"],\n"
        "  \"workspace.checkThirdParty\": false\n"
        "}\n";
    static const char luacheckrc[] =
        "-- luacheck: Lua 5.4; a strategy has no io, os, debug or package.\n"
        "std = \"lua54\"\n"
        "max_line_length = 100\n"
        "self = false\n"
        "exclude_files = { \".hedged\" }\n"
        "files[\"NAME.lua\"] = {\n"
        "  not_globals = { \"io\", \"os\", \"debug\", \"package\", \"dofile\", \"loadfile\" } }\n"
        "files[\"test_*.lua\"] = { allow_defined_top = true, unused_args = false }\n";
    int rc = add_text(s, ".luarc.json", fill_in(luarc, sizeof luarc - 1, s->stubs));
    if (rc == HG_OK) {
        rc = add_text(s, ".luacheckrc", fill_in(luacheckrc, sizeof luacheckrc - 1, s->name));
    }
    return rc;
}

/* Where the stubs are: beside an installed program (PREFIX/share), or in the tree it was built in.
 */
static void find_stubs(scaffold *s) {
    char exe[PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash) {
        *slash = '\0';
    }
    static const char *const places[] = {"../share/hedged/stdlib/meta", "../stdlib/meta"};
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        char path[2 * PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", exe, places[i]);
        char *real = realpath(path, NULL);
        if (real && hg_text_copy(s->stubs, sizeof s->stubs, real)) {
            free(real);
            return;
        }
        free(real);
    }
    s->own_stubs = true;
    hg_text_copy(s->stubs, sizeof s->stubs, STUBS);
}

/* ---- writing --------------------------------------------------------------------------------- */
static int make_folders(const char *path) {
    char part[PATH_BYTES];
    hg_text_copy(part, sizeof part, path);
    for (char *c = part + 1; *c; c++) {
        if (*c != '/') {
            continue;
        }
        *c = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            return HG_ERR(HG_EIO, "cannot make the folder %s: %s", part, strerror(errno));
        }
        *c = '/';
    }
    return HG_OK;
}

static int write_file(const char *path, const char *text, bool force) {
    int rc = make_folders(path);
    if (rc < 0) {
        return rc;
    }
    FILE *file = fopen(path, force ? "w" : "wx");
    if (!file) {
        return HG_ERR(HG_EIO, "cannot write %s: %s", path, strerror(errno));
    }
    bool ok = fputs(text, file) >= 0;
    ok = fclose(file) == 0 && ok;
    return ok ? HG_OK : HG_ERR(HG_EIO, "cannot write %s: %s", path, strerror(errno));
}

static int write_all(const scaffold *s) {
    for (size_t i = 0; i < s->file_count && !s->force; i++) {
        struct stat st;
        if (lstat(s->files[i].path, &st) == 0) {
            int rc = HG_ERR(HG_ESTATE, "%s is there already; nothing was written",
                            s->files[i].path);
            hg_error_hint("another NAME, or --force to overwrite");
            return rc;
        }
    }
    for (size_t i = 0; i < s->file_count; i++) {
        int rc = write_file(s->files[i].path, s->files[i].text, s->force);
        if (rc < 0) {
            return rc;
        }
    }
    return HG_OK;
}

/* ---- the verb -------------------------------------------------------------------------------- */
/* The last part of the path names the files: a word that Lua's require could load. */
static int take_name(scaffold *s, const char *path) {
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    static char folder[PATH_BYTES / 2];
    if (len >= sizeof folder) {
        return HG_ERR(HG_EUSAGE, "%s: the path is too long", path);
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    s->folder = folder;
    const char *slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    bool word = isalpha((unsigned char)name[0]) && strlen(name) < sizeof s->name;
    for (const char *c = name; *c; c++) {
        word = word && (isalnum((unsigned char)*c) || *c == '_' || *c == '-');
    }
    if (!word) {
        int rc = HG_ERR(HG_EUSAGE, "'%s' cannot name a strategy: letters, digits, _ and -", name);
        hg_error_hint("hedged new my_hedge");
        return rc;
    }
    hg_text_copy(s->name, sizeof s->name, name);
    return HG_OK;
}

static int build(scaffold *s) {
    char file[96];
    snprintf(file, sizeof file, "%s.lua", s->name);
    int rc = add_template(s, "stdlib/template/strategy.lua", file);
    snprintf(file, sizeof file, "test_%s.lua", s->name);
    if (rc == HG_OK) {
        rc = add_template(s, "stdlib/template/test.lua", file);
    }
    if (rc == HG_OK) {
        rc = add_template(s, "stdlib/template/config.lua", "config.lua");
    }
    if (rc == HG_OK) {
        rc = add_editor_files(s);
    }
    return rc == HG_OK && s->own_stubs ? add_stubs(s) : rc;
}

static void print_json(const scaffold *s) {
    char buf[16384];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_string(&j, "folder", s->folder);
    hg_json_string(&j, "stubs", s->stubs);
    hg_json_open_array(&j, "files");
    for (size_t i = 0; i < s->file_count; i++) {
        hg_json_string(&j, NULL, s->files[i].path);
    }
    hg_json_close_array(&j);
    hg_json_close(&j);
    printf("%s\n", hg_json_text(&j));
}

static void print_text(const scaffold *s) {
    printf("%s/\n", s->folder);
    char test[96];
    char strategy[96];
    snprintf(strategy, sizeof strategy, "%s.lua", s->name);
    snprintf(test, sizeof test, "test_%s.lua", s->name);
    const char *const rows[][2] = {
        {strategy,      "the strategy: a delta band, ready to run"            },
        {test,          "its tests"                                           },
        {"config.lua",  "what a session needs: feed, book, parameters, limits"},
        {".luarc.json", "completion and types in the editor"                  },
        {".luacheckrc", "what luacheck may assume"                            },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        printf("  %-24s %s\n", rows[i][0], rows[i][1]);
    }
    printf("\nnext:\n");
    printf("  cd %s\n  hedged check %s.lua\n  hedged test --coverage\n", s->folder, s->name);
    printf("  hedged paper %s.lua --config config.lua --speed 60x\n", s->name);
}

static int new_project(hg_args *args) {
    if (args->word_count != 1) {
        return hg_verb_usage(&hg_verb_new, "want one name");
    }
    static scaffold s;
    s.force = hg_args_has(args, "force");
    int rc = take_name(&s, args->words[0]);
    if (rc == HG_OK) {
        find_stubs(&s);
        rc = build(&s);
    }
    if (rc == HG_OK) {
        rc = write_all(&s);
    }
    if (rc == HG_OK && hg_args_has(args, "json")) {
        print_json(&s);
    } else if (rc == HG_OK) {
        print_text(&s);
    }
    for (size_t i = 0; i < s.file_count; i++) {
        free(s.files[i].text);
    }
    return rc < 0 ? hg_verb_fail(rc) : HG_EXIT_OK;
}

const hg_verb hg_verb_new = {
    .name = "new",
    .synopsis = "NAME [--force]",
    .summary = "a folder with a strategy, its test, a configuration and editor settings",
    .example = "hedged new my_hedge && cd my_hedge && hedged test",
    .flags = new_flags,
    .run = new_project,
};
