/* A program against libyara's interface, in its own words: compiles with <yara.h> and libyara, and
 * with -DWITH_HOLDFAST against Holdfast. Both print the same (tests/e2e/yara_api_test.py).
 *
 *   cc -o example yara_example.c -lyara
 *   cc -DWITH_HOLDFAST -o example yara_example.c -lholdfast-yara
 *
 * usage: example RULES FILE... */
#ifdef WITH_HOLDFAST
#include <holdfast/yara.h>
#else
#include <yara.h>
#endif

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show_message(int level, const char *file, int line, const YR_RULE *rule,
                         const char *message, void *user_data)
{
    (void)user_data;
    printf("%s %s:%d %s: %s\n", level == YARA_ERROR_LEVEL_ERROR ? "error" : "warning",
           file == NULL ? "-" : file, line, rule == NULL ? "-" : rule->identifier, message);
}

static const char *include(const char *name, const char *file, const char *name_space,
                           void *user_data)
{
    (void)user_data;
    printf("include %s from %s in %s\n", name, file == NULL ? "-" : file, name_space);
    return strcmp(name, "known") == 0 ? strdup("rule included { condition: true }") : NULL;
}

static void free_include(const char *text, void *user_data)
{
    (void)user_data;
    free((void *)text);
}

static void show_rule(YR_SCAN_CONTEXT *context, YR_RULE *rule)
{
    const char *tag;
    YR_META *meta;
    YR_STRING *string;
    YR_MATCH *match;
    printf("  %s:%s%s\n", rule->ns->name, rule->identifier,
           RULE_IS_GLOBAL(rule) ? " global" : "");
    yr_rule_tags_foreach(rule, tag) printf("    tag %s\n", tag);
    yr_rule_metas_foreach(rule, meta)
    {
        if (meta->type == META_TYPE_STRING)
            printf("    meta %s \"%s\"\n", meta->identifier, meta->string);
        else
            printf("    meta %s %" PRId64 " type %d\n", meta->identifier, meta->integer,
                   meta->type);
    }
    yr_rule_strings_foreach(rule, string)
    {
        printf("    string %s%s%s\n", string->identifier,
               STRING_IS_HEX(string) ? " hex" : "",
               STRING_IS_REGEXP(string) && !STRING_IS_HEX(string) ? " regexp" : "");
        yr_string_matches_foreach(context, string, match)
        {
            printf("      at %" PRId64 " length %d:", match->base + match->offset,
                   match->match_length);
            for (int i = 0; i < match->data_length && i < 8; i++)
                printf(" %02x", match->data[i]);
            putchar('\n');
        }
    }
}

static int on_event(YR_SCAN_CONTEXT *context, int message, void *data, void *user_data)
{
    int *left = user_data;
    switch (message) {
    case CALLBACK_MSG_RULE_MATCHING:
        show_rule(context, data);
        return --*left == 0 ? CALLBACK_ABORT : CALLBACK_CONTINUE;
    case CALLBACK_MSG_RULE_NOT_MATCHING:
        printf("  not %s\n", ((YR_RULE *)data)->identifier);
        break;
    case CALLBACK_MSG_SCAN_FINISHED: puts("  finished"); break;
    case CALLBACK_MSG_CONSOLE_LOG: printf("  says %s\n", (const char *)data); break;
    default: break;
    }
    return CALLBACK_CONTINUE;
}

/* The whole file in blocks of 1024 bytes that overlap by 256. */
struct blocks {
    uint8_t *data;
    size_t size, at;
    YR_MEMORY_BLOCK block;
};

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
    const struct blocks *b = block->context;
    return b->data + block->base;
}

static YR_MEMORY_BLOCK *block_at(YR_MEMORY_BLOCK_ITERATOR *iterator, size_t at)
{
    struct blocks *b = iterator->context;
    iterator->last_error = ERROR_SUCCESS;
    b->at = at;
    if (at >= b->size)
        return NULL;
    b->block = (YR_MEMORY_BLOCK){.size = b->size - at < 1024 ? b->size - at : 1024,
                                 .base = at,
                                 .context = b,
                                 .fetch_data = fetch};
    return &b->block;
}

static YR_MEMORY_BLOCK *first_block(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    return block_at(iterator, 0);
}

static YR_MEMORY_BLOCK *next_block(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    struct blocks *b = iterator->context;
    return block_at(iterator, b->at + 1024 >= b->size ? b->size : b->at + 1024 - 256);
}

static uint64_t size_of(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    return ((struct blocks *)iterator->context)->size;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    uint8_t *data = malloc(1 << 20);
    FILE *f = fopen(path, "rb");
    *size = f == NULL || data == NULL ? 0 : fread(data, 1, 1 << 20, f);
    if (f != NULL)
        fclose(f);
    return data;
}

static void scan_all_ways(YR_RULES *rules, const char *path)
{
    int all = -1, one = 1;
    size_t size;
    uint8_t *data = read_file(path, &size);
    struct blocks blocks = {.data = data, .size = size};
    YR_MEMORY_BLOCK_ITERATOR iterator = {
        .context = &blocks, .first = first_block, .next = next_block, .file_size = size_of};
    printf("%s by name\n", path);
    printf("= %d\n", yr_rules_scan_file(rules, path, 0, on_event, &all, 0));
    printf("%s by descriptor, matching only\n", path);
    int fd = open(path, O_RDONLY);
    printf("= %d\n", yr_rules_scan_fd(rules, fd, SCAN_FLAGS_REPORT_RULES_MATCHING, on_event,
                                      &all, 0));
    close(fd);
    printf("%s in memory, not matching only\n", path);
    printf("= %d\n",
           yr_rules_scan_mem(rules, data, size, SCAN_FLAGS_REPORT_RULES_NOT_MATCHING,
                             on_event, &all, 60));
    printf("%s in blocks\n", path);
    printf("= %d\n",
           yr_rules_scan_mem_blocks(rules, &iterator, SCAN_FLAGS_REPORT_RULES_MATCHING,
                                    on_event, &all, 0));
    printf("%s until the first\n", path);
    printf("= %d\n", yr_rules_scan_mem(rules, data, size, SCAN_FLAGS_REPORT_RULES_MATCHING,
                                       on_event, &one, 0));
    free(data);
}

static void scan_with_scanner(YR_RULES *rules, const char *path)
{
    YR_SCANNER *scanner;
    int all = -1;
    printf("scanner %d\n", yr_scanner_create(rules, &scanner));
    yr_scanner_set_callback(scanner, on_event, &all);
    yr_scanner_set_flags(scanner, SCAN_FLAGS_REPORT_RULES_MATCHING);
    yr_scanner_set_timeout(scanner, 60);
    printf("define %d", yr_scanner_define_integer_variable(scanner, "number", 7));
    printf(" %d", yr_scanner_define_string_variable(scanner, "text", "changed"));
    printf(" %d\n", yr_scanner_define_boolean_variable(scanner, "flag", 1));
    printf("= %d\n", yr_scanner_scan_file(scanner, path));
    printf("= %d\n", yr_scanner_scan_file(scanner, "/nowhere/at/all"));
    yr_scanner_destroy(scanner);
}

static size_t write_stream(const void *from, size_t size, size_t count, void *user_data)
{
    return fwrite(from, size, count, user_data);
}

static size_t read_stream(void *to, size_t size, size_t count, void *user_data)
{
    return fread(to, size, count, user_data);
}

static YR_RULES *save_and_load(YR_RULES *rules)
{
    YR_RULES *again = NULL;
    FILE *f = tmpfile();
    YR_STREAM stream = {.user_data = f, .write = write_stream, .read = read_stream};
    printf("save %d", yr_rules_save_stream(rules, &stream));
    rewind(f);
    printf(" load %d\n", yr_rules_load_stream(&stream, &again));
    fclose(f);
    yr_rules_destroy(rules);
    return again;
}

int main(int argc, char **argv)
{
    YR_COMPILER *compiler;
    YR_RULES *rules = NULL;
    YR_RULE *rule;
    printf("initialize %d create %d\n", yr_initialize(), yr_compiler_create(&compiler));
    yr_compiler_set_callback(compiler, show_message, NULL);
    yr_compiler_set_include_callback(compiler, include, free_include, NULL);
    printf("define %d", yr_compiler_define_integer_variable(compiler, "number", 1));
    printf(" %d", yr_compiler_define_string_variable(compiler, "text", "first"));
    printf(" %d", yr_compiler_define_boolean_variable(compiler, "flag", 0));
    printf(" %d", yr_compiler_define_float_variable(compiler, "real", 0.5));
    printf(" %d\n", yr_compiler_define_integer_variable(compiler, "number", 2));
    printf("string %d\n", yr_compiler_add_string(compiler, "include \"known\"", "other"));
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (f == NULL)
        return 2;
    int errors = yr_compiler_add_file(compiler, f, NULL, argv[1]);
    printf("file %d\n", errors);
    fclose(f);
    if (errors == 0 && yr_compiler_get_rules(compiler, &rules) == ERROR_SUCCESS) {
        yr_rules_foreach(rules, rule) printf("rule %s%s\n", rule->identifier,
                                             RULE_IS_PRIVATE(rule) ? " private" : "");
        rules = save_and_load(rules);
        for (int i = 2; i < argc; i++)
            scan_all_ways(rules, argv[i]);
        for (int i = 2; i < argc; i++)
            scan_with_scanner(rules, argv[i]);
        printf("define %d\n", yr_rules_define_integer_variable(rules, "number", 7));
        yr_rules_foreach(rules, rule) if (strcmp(rule->identifier, "plain") == 0)
            yr_rule_disable(rule);
        int all = -1;
        for (int i = 2; i < argc; i++)
            printf("= %d\n", yr_rules_scan_file(rules, argv[i], 0, on_event, &all, 0));
    }
    if (rules != NULL)
        yr_rules_destroy(rules);
    yr_compiler_destroy(compiler);
    printf("finalize %d\n", yr_finalize());
    return 0;
}
