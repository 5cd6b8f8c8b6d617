/* yara_rules.c - sources of rules for the compat programs: opened, compiled, and what the compiler
 * says in yara's form. */
#include "cli/compat/yara.h"

#include "base/auto.h"
#include "base/fd.h"
#include "format/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_MAX = 1 << 30 };

static enum hf_status read_source(const char *path, struct hf_buffer *out)
{
    struct stat st;
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0)
        return HF_NOTFOUND;
    if (S_ISDIR(st.st_mode))
        return HF_INVALID;
    return hf_fd_read_all(fd, SOURCE_MAX, out);
}

static enum hf_status include(void *user, const char *path, const char *from,
                              struct hf_arena *arena, const char **name,
                              struct hf_bytes *text)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer full = {0}, content = {0};
    (void)user;
    const char *slash = strrchr(from, '/');
    if (path[0] != '/' && slash != NULL)
        hf_buffer_add(&full, from, (size_t)(slash - from) + 1);
    hf_buffer_text(&full, path);
    *name = full.failed ? NULL : hf_arena_text(arena, hf_buffer_view(&full));
    if (*name == NULL)
        return HF_NOMEM;
    enum hf_status st = read_source(*name, &content);
    if (st != HF_OK)
        return st;
    *text = hf_arena_copy(arena, hf_buffer_view(&content));
    return text->data == NULL && content.len > 0 ? HF_NOMEM : HF_OK;
}

static void show(void *user, const struct hf_yara_message *m)
{
    const struct yara_compiling *how = user;
    const char *kind = m->warning ? "warning" : "error";
    if (m->warning && how->no_warnings)
        return;
    if (m->rule[0] != 0)
        fprintf(stderr, "%s: rule \"%s\" in %s(%u): %s\n", kind, m->rule, m->file, m->line,
                m->text);
    else
        fprintf(stderr, "%s(%u): %s: %s\n", m->file, m->line, kind, m->text);
}

/* One [NAMESPACE:]FILE. False: complained. */
static bool add_file(struct hf_yara *yara, const char *word)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    const char *colon = strchr(word, ':');
    char *space = colon != NULL ? strndup(word, (size_t)(colon - word)) : NULL;
    const char *path = colon != NULL ? colon + 1 : word;
    bool good = colon == NULL || space != NULL;
    enum hf_status st = good ? read_source(path, &text) : HF_NOMEM;
    if (st == HF_INVALID) {
        fprintf(stderr, "%s(1): error: input in flex scanner failed\n", path);
        good = false;
    } else if (st != HF_OK) {
        fprintf(stderr, "error: could not open file: %s\n", path);
        good = false;
    }
    if (good)
        good = hf_yara_add(yara, path, space, hf_buffer_view(&text)) == HF_OK;
    free(space);
    return good;
}

bool hf_yara_compile_files(struct hf_rule_set *out, const struct yara_compiling *how,
                           const char *const *files, size_t count)
{
    const struct hf_yara_options options = {
        .modules = hf_fact_modules,
        .module_count = hf_fact_module_count,
        .externals = how->externals->items,
        .external_count = how->externals->count,
        .include = include,
        .message = show,
        .user = (void *)(uintptr_t)how,
        .strings_per_rule = how->strings_per_rule,
    };
    *out = (struct hf_rule_set){.fd = -1};
    HF_AUTO(hf_yara_release) struct hf_yara *yara = hf_yara_new(&options);
    if (yara == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_file(yara, files[i]))
            return false;
    if (how->fail_on_warnings && hf_yara_warnings(yara) > 0)
        return false;
    enum hf_status st =
        hf_rule_set_compile(out, yara, how->externals->items, how->externals->count,
                            hf_fact_modules, hf_fact_module_count);
    if (st != HF_OK)
        fprintf(stderr, "error: %s\n", hf_status_text(st));
    if (out->left_out > 0) /* never silently */
        fprintf(stderr, "warning: %llu rules cannot be searched for and are left out\n",
                (unsigned long long)out->left_out);
    return st == HF_OK;
}
