/* check_main.c - compiles YARA files, each for itself as one call of yarac would, and says of each
 * whether everything in it compiled; or, with -s FILE... at the end, evaluates all of them over
 * files and prints what `yara -s -L` would, without the data. For compare, compare_scan and people.
 *
 * usage: yara_check [-d name=value] [-x module=file] [-q] [-w] [-t] [-e] RULES... [-s FILE...]
 *   -x what the module is given
 *   -q no messages, -w warnings too, -t all sources together, each its own namespace
 *   -e evaluate with the engine, through a database, instead of the plain way
 * -s - reads the names of files from standard input, one a line */
#include "base/auto.h"
#include "base/buffer.h"
#include "evaluate.h"
#include "format/libmagic.h"
#include "format/schema.h"
#include "rules/yara/yara.h"
#include "through_engine.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXTERNALS_MAX = 16 };

struct settings {
    struct hf_yara_external externals[EXTERNALS_MAX];
    size_t external_count;
    bool quiet, warnings, together, engine;
};

static bool read_file(const char *path, struct hf_buffer *out)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return false;
    for (uint8_t *room; (room = hf_buffer_reserve(out, 65536)) != NULL;) {
        size_t n = fread(room, 1, 65536, f);
        out->len += n;
        if (n == 0)
            break;
    }
    fclose(f);
    return !out->failed;
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
    *name = hf_arena_text(arena, hf_buffer_view(&full));
    if (*name == NULL || !read_file(*name, &content))
        return HF_IO;
    *text = hf_arena_copy(arena, hf_buffer_view(&content));
    return HF_OK;
}

static void show(void *user, const struct hf_yara_message *m)
{
    const struct settings *s = user;
    if (s->quiet || (m->warning && !s->warnings))
        return;
    fprintf(stderr, "%s:%u:%u: %s: %s%s%s%s\n", m->file, m->line, m->column,
            m->warning ? "warning" : "error", m->rule[0] ? "rule \"" : "", m->rule,
            m->rule[0] ? "\": " : "", m->text);
    fprintf(stderr, "    %.*s\n", (int)m->source_line.len,
            (const char *)m->source_line.data);
}

static void define(struct settings *s, char *text)
{
    char *equals = strchr(text, '='), *end, *real_end;
    if (equals == NULL || s->external_count == EXTERNALS_MAX)
        return;
    *equals = 0;
    const char *value = equals + 1;
    struct hf_yara_external *e = &s->externals[s->external_count++];
    e->name = text;
    long long integer = strtoll(value, &end, 10);
    double real = strtod(value, &real_end);
    if (*value != 0 && *end == 0)
        e->value = hf_value_int(integer);
    else if (*value != 0 && *real_end == 0)
        e->value = hf_value_real(real);
    else if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
        e->value = hf_value_bool(value[0] == 't');
    else
        e->value = hf_value_string(hf_bytes_text(value));
}

/* What module=file gives; the bytes stay for the life of the program. */
static bool give(struct hf_fact_outside *outside, const char *text)
{
    struct hf_buffer data = {0};
    const char *equals = strchr(text, '=');
    if (equals == NULL || !read_file(equals + 1, &data))
        return false;
    bool cuckoo = strncmp(text, "cuckoo=", 7) == 0;
    *(cuckoo ? &outside->cuckoo : &outside->tests) = hf_buffer_view(&data);
    return true;
}

static void log_line(void *user, struct hf_bytes line)
{
    (void)user;
    fwrite(line.data, 1, line.len, stdout);
    putchar('\n');
}

static struct hf_yara *new_compiler(struct settings *s)
{
    struct hf_yara_options options = {
        .modules = hf_fact_modules,
        .module_count = hf_fact_module_count,
        .externals = s->externals,
        .external_count = s->external_count,
        .include = include,
        .message = show,
        .user = s,
    };
    return hf_yara_new(&options);
}

static void print_rule(void *user, const struct evaluation *e,
                       const struct hf_yara_rule *rule)
{
    printf("%s %s\n", rule->name, (const char *)user);
    for (size_t i = 0; i < rule->string_count; i++)
        for (size_t m = 0; m < e->match_counts[i]; m++)
            if ((rule->strings[i].pattern.flags & HF_PATTERN_PRIVATE) == 0)
                printf("0x%llx:%llu:%s\n", (unsigned long long)e->matches[i][m].offset,
                       (unsigned long long)e->matches[i][m].length, rule->strings[i].name);
}

static int scan_plainly(const struct settings *s, const struct hf_yara *yara,
                        const struct hf_value *values, char *path)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer data = {0};
    struct evaluation e;
    if (!read_file(path, &data))
        return 2;
    evaluate(&e, yara, hf_buffer_view(&data), values, s->external_count, print_rule, path);
    if (e.contradictions > 0)
        printf("CONTRADICTIONS %u %s\n", e.contradictions, path);
    return 0;
}

/* The next path: an argument, or a line of standard input when the argument is -. */
static char *next_path(int argc, char **argv, int *i, char *line, size_t room)
{
    if (*i < argc && strcmp(argv[*i], "-") == 0) {
        if (fgets(line, (int)room, stdin) == NULL)
            return NULL;
        line[strcspn(line, "\n")] = 0;
        return line;
    }
    return *i < argc ? argv[(*i)++] : NULL;
}

static int scan_all(const struct settings *s, const struct hf_yara *yara, int argc,
                    char **argv, int i)
{
    struct hf_value values[EXTERNALS_MAX];
    char line[4096], *path;
    int worst = 0;
    for (size_t k = 0; k < s->external_count; k++)
        values[k] = s->externals[k].value;
    struct through_engine *t =
        s->engine ? through_engine_new(yara, values, s->external_count) : NULL;
    while ((path = next_path(argc, argv, &i, line, sizeof line)) != NULL) {
        int code =
            t != NULL ? through_engine_scan(t, path) : scan_plainly(s, yara, values, path);
        worst = code > worst ? code : worst;
    }
    if (t != NULL)
        through_engine_free(t);
    return worst;
}

int main(int argc, char **argv)
{
    struct settings s = {0};
    struct hf_fact_outside outside = {.log = log_line};
    struct hf_yara *shared = NULL;
    int failures = 0;
    if (hf_libmagic_prepare())
        outside.describe = hf_libmagic_describe;
    evaluate_outside = &outside;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-d") == 0 && i + 1 < argc) {
            define(&s, argv[++i]);
        } else if (strcmp(argv[i], "-x") == 0 && i + 1 < argc) {
            if (!give(&outside, argv[++i]))
                return 2;
        } else if (strcmp(argv[i], "-q") == 0) {
            s.quiet = true;
        } else if (strcmp(argv[i], "-w") == 0) {
            s.warnings = true;
        } else if (strcmp(argv[i], "-s") == 0) {
            if (shared != NULL && scan_all(&s, shared, argc, argv, i + 1) != 0)
                return 2;
            i = argc;
        } else if (strcmp(argv[i], "-t") == 0) {
            s.together = true;
        } else if (strcmp(argv[i], "-e") == 0) {
            s.engine = true;
        } else {
            HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
            struct hf_yara *yara = s.together && shared != NULL ? shared : new_compiler(&s);
            if (s.together)
                shared = yara;
            if (!read_file(argv[i], &text) || yara == NULL)
                return 2;
            size_t before = hf_yara_count(yara);
            enum hf_status status = hf_yara_add(yara, argv[i], s.together ? argv[i] : NULL,
                                                hf_buffer_view(&text));
            if (!s.quiet || !s.together)
                printf("%s %zu %s\n", status == HF_OK ? "ok" : "bad",
                       hf_yara_count(yara) - before, argv[i]);
            failures += status != HF_OK;
            if (!s.together)
                hf_yara_free(yara);
        }
    }
    hf_yara_free(shared);
    return failures > 0;
}
