/* documents_test.c - what is written about the command line agrees with its tables. */
#include "base/auto.h"
#include "base/fd.h"
#include "cli/commands.h"
#include "cli/verdict_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>

static char *load(struct hf_buffer *out, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", HOLDFAST_DOCS, name);
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(hf_fd_read_all(fd, 1 << 20, out), HF_OK);
    hf_buffer_u8(out, 0);
    return (char *)out->data;
}

/* Calls check for each option of a command and of all below it. */
static void each_option(const struct hf_command *command, const char *text,
                        void (*check)(const struct hf_command *, const struct hf_option *,
                                      const char *))
{
    struct hf_option option;
    for (size_t i = 0; hf_command_option(command, i, &option); i++)
        check(command, &option, text);
    for (size_t i = 0; command->subcommands != NULL && command->subcommands[i] != NULL; i++)
        each_option(command->subcommands[i], text, check);
}

/* In mdoc(7), ".It Fl j , \-jobs" is "-j, --jobs", and a dash in a name is "\-". */
static void is_in_the_manual(const struct hf_command *command,
                             const struct hf_option *option, const char *text)
{
    struct hf_buffer wanted = {0};
    if (option->letter != 0)
        hf_buffer_format(&wanted, "Fl %c , ", option->letter);
    else
        hf_buffer_text(&wanted, "Fl ");
    hf_buffer_text(&wanted, "\\-");
    for (const char *c = option->name; *c != 0; c++)
        hf_buffer_format(&wanted, *c == '-' ? "\\%c" : "%c", *c);
    hf_buffer_u8(&wanted, 0);
    const char *at = strstr(text, (char *)wanted.data);
    /* Not "--max-filesize" for "--max-files". */
    while (at != NULL && at[wanted.len - 1] != ' ' && at[wanted.len - 1] != '\n')
        at = strstr(at + 1, (char *)wanted.data);
    if (at == NULL)
        fail_msg("%s --%s is not in holdfast.1 as '%s'", command->name, option->name,
                 (char *)wanted.data);
    hf_buffer_done(&wanted);
}

static void is_in_cli_md(const struct hf_command *command, const struct hf_option *option,
                         const char *text)
{
    if (command != &hf_command_scan || option->kind == HF_OPTION_HELP)
        return;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "--%s%s", option->name,
             option->metavar != NULL ? "=" : "`");
    if (strstr(text, wanted) == NULL)
        fail_msg("%s is not in cli.md", wanted);
}

static void test_every_option_is_in_the_manual(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    each_option(&hf_program_holdfast, load(&text, "man/holdfast.1"), is_in_the_manual);
}

static void test_every_option_of_scan_is_in_cli_md(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    each_option(&hf_program_holdfast, load(&text, "cli.md"), is_in_cli_md);
}

static void test_the_table_of_verdicts_is_the_documented_one(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    const char *at = strstr(load(&text, "verdicts.md"), "| --- |");
    assert_non_null(at);
    for (size_t i = 0; i < hf_verdict_row_count; i++) {
        const struct hf_verdict_row *row = &hf_verdict_rows[i];
        char begins[64], ends[32];
        at = strchr(at, '\n') + 1;
        snprintf(begins, sizeof begins, "| %s | %s%s|", row->text,
                 row->reason != 0 ? row->reason_text : "", row->reason != 0 ? " " : "");
        snprintf(ends, sizeof ends, "| %d | %d |\n", (int)row->exit, (int)row->exit_strict);
        assert_memory_equal(at, begins, strlen(begins));
        assert_memory_equal(strchr(at, '\n') + 1 - strlen(ends), ends, strlen(ends));
        assert_string_equal(row->text, hf_verdict_text(row->verdict));
        if (row->reason != 0)
            assert_string_equal(row->reason_text,
                                hf_reason_text((enum hf_reason)row->reason));
    }
    assert_int_equal(strchr(at, '\n')[1], '\n'); /* the table has no more rows */
}

static void test_every_command_is_in_the_manual_and_offered_by_shells(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0}, bash = {0}, zsh = {0};
    const char *manual = load(&text, "man/holdfast.1");
    hf_completion_bash(&bash, &hf_program_holdfast);
    hf_completion_zsh(&zsh, &hf_program_holdfast);
    hf_buffer_u8(&bash, 0);
    hf_buffer_u8(&zsh, 0);
    for (size_t i = 0; hf_program_holdfast.subcommands[i] != NULL; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, ".Cm %s", hf_program_holdfast.subcommands[i]->name);
        assert_non_null(strstr(manual, wanted));
        snprintf(wanted, sizeof wanted, "'/%s')", hf_program_holdfast.subcommands[i]->name);
        assert_non_null(strstr((char *)bash.data, wanted));
        assert_non_null(strstr((char *)zsh.data, wanted));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_option_is_in_the_manual),
        cmocka_unit_test(test_every_option_of_scan_is_in_cli_md),
        cmocka_unit_test(test_the_table_of_verdicts_is_the_documented_one),
        cmocka_unit_test(test_every_command_is_in_the_manual_and_offered_by_shells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
