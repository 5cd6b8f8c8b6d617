#include "cli/options.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { OPT_ALL, OPT_DB, OPT_JOBS, OPT_OUT, OPT_SIZE };
static const struct hf_option rows[] = {
    [OPT_ALL] = {'a', "all-match", HF_OPTION_FLAG, NULL, "everything"},
    [OPT_DB] = {'d', "db", HF_OPTION_LIST, "FILE", "database", HF_COMPLETE_FILE},
    [OPT_JOBS] = {'j', "jobs", HF_OPTION_NUMBER, "N", "how many"},
    [OPT_OUT] = {'o', "output", HF_OPTION_TEXT, "FILE", "where to"},
    [OPT_SIZE] = {0, "size", HF_OPTION_SIZE, "SIZE", "how large"},
};
static int last_operands;
static int run_demo(const struct hf_arguments *arguments)
{
    last_operands = (int)arguments->operand_count;
    return 7;
}
static const struct hf_command demo = {
    .name = "demo",
    .operands = "[OPTION]... WORD...",
    .summary = "does nothing",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .limits = true,
    .operands_min = 1,
    .operands_max = 3,
    .run = run_demo,
};
static const struct hf_command program = {
    .name = "prog",
    .operands = "COMMAND",
    .summary = "has commands",
    .subcommands = (const struct hf_command *const[]){&demo, NULL},
};

/* Parses the words behind the command's name; NULL-ended. */
static enum hf_status parse(struct hf_arguments *out, struct hf_buffer *error,
                            const char *const *words)
{
    int argc = 0;
    while (words[argc] != NULL)
        argc++;
    hf_buffer_clear(error);
    enum hf_status st =
        hf_arguments_parse(out, &demo, argc, (char *const *)(uintptr_t)words, error);
    hf_buffer_u8(error, 0);
    return st;
}
#define WORDS(...) ((const char *const[]){"demo", __VA_ARGS__, NULL})

static void test_every_way_to_write_an_option_gives_its_value(void **state)
{
    (void)state;
    struct hf_arguments a;
    struct hf_buffer error = {0};
    static const char *const ways[][4] = {
        {"demo", "w", "-j12", NULL},
        {"demo", "w", "--jobs=12", NULL},
        {"demo", "-aj12", "w", NULL},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_int_equal(parse(&a, &error, ways[i]), HF_OK);
        assert_int_equal(a.values[OPT_JOBS].number, 12);
        assert_int_equal(a.operand_count, 1);
        assert_string_equal(a.operands[0], "w");
        hf_arguments_done(&a);
    }
    assert_int_equal(
        parse(&a, &error, WORDS("-j", "12", "w", "--output", "", "--size", "3K")), HF_OK);
    assert_int_equal(a.values[OPT_JOBS].number, 12);
    assert_string_equal(a.values[OPT_OUT].text, "");
    assert_int_equal(a.values[OPT_SIZE].number, 3072);
    hf_arguments_done(&a);
    assert_int_equal(parse(&a, &error, WORDS("-j3", "-j12", "w")), HF_OK);
    assert_int_equal(a.values[OPT_JOBS].number, 12);
    assert_int_equal(a.values[OPT_JOBS].count, 2);
    hf_arguments_done(&a);
    hf_buffer_done(&error);
}

static void test_lists_keep_all_values_in_order(void **state)
{
    (void)state;
    struct hf_arguments a;
    struct hf_buffer error = {0};
    assert_int_equal(parse(&a, &error, WORDS("-d", "1", "w", "--db=2", "-d3", "--db", "-")),
                     HF_OK);
    assert_int_equal(a.values[OPT_DB].count, 4);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(a.values[OPT_DB].list[i][0], '1' + (char)i);
    assert_string_equal(a.values[OPT_DB].list[3], "-");
    hf_arguments_done(&a);
    hf_buffer_done(&error);
}

static void test_two_dashes_end_options_and_one_dash_is_an_operand(void **state)
{
    (void)state;
    struct hf_arguments a;
    struct hf_buffer error = {0};
    assert_int_equal(parse(&a, &error, WORDS("-", "--", "-a", "--jobs")), HF_OK);
    assert_int_equal(a.operand_count, 3);
    assert_string_equal(a.operands[0], "-");
    assert_string_equal(a.operands[1], "-a");
    assert_string_equal(a.operands[2], "--jobs");
    assert_int_equal(a.values[OPT_ALL].count, 0);
    hf_arguments_done(&a);
    hf_buffer_done(&error);
}

static void test_limits_have_options_and_defaults(void **state)
{
    (void)state;
    struct hf_arguments a;
    struct hf_buffer error = {0};
    struct hf_limits initial;
    hf_limits_default(&initial);
    assert_int_equal(parse(&a, &error, WORDS("w", "--max-recursion=3")), HF_OK);
    assert_int_equal(a.limits.depth, 3);
    assert_int_equal(a.limits.work, initial.work);
    hf_arguments_done(&a);
    hf_buffer_done(&error);
}

static void test_mistakes_are_named_with_a_hint(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        {{"demo", "--al-match", "w"},
         "unknown option --al-match; did you mean --all-match?"},
        {{"demo", "--all", "w"}, "unknown option --all; did you mean --all-match?"},
        {{"demo", "--al\n-match=3", "w"},
         "unknown option --al\\n-match; did you mean --all-match?"},
        {{"demo", "--zzz", "w"}, "unknown option --zzz"},
        {{"demo", "-az", "w"}, "unknown option -z"},
        {{"demo", "-a=1", "w"}, "unknown option -="},
        {{"demo", "--all-match=1", "w"}, "--all-match takes no value"},
        {{"demo", "w", "--jobs"}, "--jobs wants a value: N"},
        {{"demo", "w", "-j"}, "-j wants a value: N"},
        {{"demo", "w", "-jx"}, "-j wants a number, not 'x'"},
        {{"demo", "w", "--jobs=-1"}, "--jobs wants a number, not '-1'"},
        {{"demo", "w", "--jobs="}, "--jobs wants a number, not ''"},
        {{"demo", "w", "--size=9X"}, "--size wants a size such as 100M, not '9X'"},
        {{"demo", "w", "--max-files=x"},
         "--max-files wants a number, perhaps with K, M, G or T, not 'x'"},
        {{"demo"}, "something is missing: [OPTION]... WORD..."},
    };
    struct hf_buffer error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hf_arguments a;
        assert_int_equal(parse(&a, &error, cases[i].words), HF_INVALID);
        assert_string_equal((const char *)error.data, cases[i].says);
        hf_arguments_done(&a);
    }
    struct hf_arguments a;
    assert_int_equal(parse(&a, &error, WORDS("1", "2", "3", "4")), HF_INVALID);
    assert_string_equal((const char *)error.data, "too many operands: '4'");
    hf_arguments_done(&a);
    hf_buffer_done(&error);
}

static void test_help_needs_no_operands_and_lists_every_option(void **state)
{
    (void)state;
    struct hf_arguments a;
    struct hf_buffer error = {0}, out = {0};
    assert_int_equal(parse(&a, &error, WORDS("--help")), HF_OK);
    assert_true(a.help);
    hf_arguments_done(&a);
    hf_help_write(&out, &demo, "prog demo");
    hf_buffer_u8(&out, 0);
    struct hf_option option;
    for (size_t i = 0; hf_command_option(&demo, i, &option); i++)
        assert_non_null(strstr((const char *)out.data, option.name));
    assert_non_null(strstr((const char *)out.data, "(default 17)"));
    for (const char *line = (const char *)out.data; line != NULL && *line != 0;) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end - line <= 79);
        line = end + 1;
    }
    hf_buffer_done(&out);
    hf_buffer_done(&error);
}

static void test_words_reach_the_command_that_they_name(void **state)
{
    (void)state;
    char *words[] = {(char *)(uintptr_t) "prog", (char *)(uintptr_t) "demo",
                     (char *)(uintptr_t) "-a",   (char *)(uintptr_t) "x",
                     (char *)(uintptr_t) "y",    NULL};
    assert_int_equal(hf_command_main(&program, "prog", 5, words), 7);
    assert_int_equal(last_operands, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_write_an_option_gives_its_value),
        cmocka_unit_test(test_lists_keep_all_values_in_order),
        cmocka_unit_test(test_two_dashes_end_options_and_one_dash_is_an_operand),
        cmocka_unit_test(test_limits_have_options_and_defaults),
        cmocka_unit_test(test_mistakes_are_named_with_a_hint),
        cmocka_unit_test(test_help_needs_no_operands_and_lists_every_option),
        cmocka_unit_test(test_words_reach_the_command_that_they_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
