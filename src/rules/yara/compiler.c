/* compiler.c - the compiler from outside: options in, sources in, rules out. */
#include "rules/yara/internal.h"

#include <stdlib.h>

/* Far beyond any real rule set; a backstop for generated sources. */
#define RESULTS_MAX ((size_t)8 << 30)
#define SCRATCH_MAX ((size_t)1 << 30)

static bool add_externals(struct hf_yara *yara)
{
    for (uint32_t i = 0; i < yara->options.external_count; i++) {
        struct hf_bytes name = hf_bytes_text(yara->options.externals[i].name);
        if (names_find(&yara->externals, 0, name) == NULL &&
            !names_add(&yara->externals, 0, name, i))
            return false;
    }
    return true;
}

struct hf_yara *hf_yara_new(const struct hf_yara_options *options)
{
    struct hf_yara *yara = calloc(1, sizeof *yara);
    if (yara == NULL)
        return NULL;
    yara->options = *options;
    yara->arena = hf_arena_new(RESULTS_MAX);
    yara->scratch = hf_arena_new(SCRATCH_MAX);
    if (yara->options.module_count > HF_FACT_MODULES_MAX)
        yara->options.module_count = HF_FACT_MODULES_MAX;
    if (yara->arena == NULL || yara->scratch == NULL || !add_externals(yara))
        hf_yara_release(&yara);
    return yara;
}

void hf_yara_free(struct hf_yara *yara)
{
    if (yara == NULL)
        return;
    names_done(&yara->rules);
    names_done(&yara->spaces);
    names_done(&yara->externals);
    hf_arena_free(yara->arena);
    hf_arena_free(yara->scratch);
    free(yara->imports);
    free(yara);
}

void hf_yara_release(struct hf_yara **yara)
{
    hf_yara_free(*yara);
    *yara = NULL;
}

/* Number and lasting name of a namespace. */
static bool find_space(struct hf_yara *yara, const char *name, uint32_t *number,
                       const char **kept)
{
    struct hf_bytes key = hf_bytes_text(name);
    const uint32_t *found = names_find(&yara->spaces, 0, key);
    if (found != NULL) {
        *number = *found;
        *kept = yara->space_names[*found];
        return true;
    }
    size_t n = yara->space_count;
    const char *copy = hf_arena_text(yara->arena, key);
    uint32_t *imports = realloc(yara->imports, (n + 1) * sizeof *imports);
    if (imports != NULL)
        yara->imports = imports;
    const char **names = hf_arena_grow(yara->arena, yara->space_names, n, sizeof *names);
    if (names != NULL)
        yara->space_names = names;
    if (copy == NULL || imports == NULL || names == NULL ||
        !names_add(&yara->spaces, 0, hf_bytes_text(copy), (uint32_t)n))
        return false;
    imports[n] = 0;
    names[n] = copy;
    yara->space_count++;
    *number = (uint32_t)n;
    *kept = copy;
    return true;
}

enum hf_status hf_yara_add(struct hf_yara *yara, const char *name, const char *name_space,
                           struct hf_bytes text)
{
    struct parser p = {.yara = yara, .lexer = lexer_open(text, yara->scratch)};
    struct hf_arena_mark mark = hf_arena_mark(yara->scratch);
    p.file = hf_arena_text(yara->arena, hf_bytes_text(name));
    if (p.file == NULL || !find_space(yara, name_space != NULL ? name_space : "default",
                                      &p.space, &p.name_space))
        return HF_NOMEM;
    advance(&p);
    parse_source(&p);
    hf_arena_rewind(yara->scratch, mark);
    return yara->nomem ? HF_NOMEM : p.failed ? HF_MALFORMED : HF_OK;
}

size_t hf_yara_count(const struct hf_yara *yara)
{
    return yara->count;
}

const struct hf_yara_rule *hf_yara_rule(const struct hf_yara *yara, size_t index)
{
    return yara->list[index];
}

size_t hf_yara_errors(const struct hf_yara *yara)
{
    return yara->errors;
}

size_t hf_yara_warnings(const struct hf_yara *yara)
{
    return yara->warnings;
}
