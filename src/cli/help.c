/* help.c - the text of --help, from a command's table. */
#include "cli/options.h"

#include "base/limits.h"
#include "base/text.h"

enum { HELP_WIDTH = 79, HELP_COLUMN = 26 };

/* Append text wrapped between a left column and the width; the first line starts at at. */
static void wrap(struct hf_buffer *out, const char *text, size_t column, size_t at)
{
    while (*text != 0) {
        size_t len = strcspn(text, " ");
        if (at > column && at + 1 + len > HELP_WIDTH) {
            hf_buffer_format(out, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            hf_buffer_u8(out, ' ');
            at++;
        }
        hf_buffer_add(out, text, len);
        at += len;
        text += len;
        text += strspn(text, " ");
    }
    hf_buffer_u8(out, '\n');
}

/* Limits say their default, which the table has in stored form. */
static void add_default(struct hf_buffer *help, const struct hf_option *option)
{
    for (size_t i = 0; option->kind == HF_OPTION_LIMIT && i < hf_limit_row_count; i++) {
        const struct hf_limit_row *row = &hf_limit_rows[i];
        if (strcmp(row->name, option->name) != 0)
            continue;
        uint64_t shown = row->initial / row->unit;
        unsigned shift = 0;
        static const char *const units[] = {"", "K", "M", "G", "T"};
        while (shift < 4 && shown > 0 && shown % 1024 == 0) {
            shown /= 1024;
            shift++;
        }
        hf_buffer_format(help, " (default %llu%s)", (unsigned long long)shown,
                         units[shift]);
    }
}

static void write_option(struct hf_buffer *out, const struct hf_option *option)
{
    struct hf_buffer left = {0}, right = {0};
    if (option->letter != 0)
        hf_buffer_format(&left, "  -%c, --%s", option->letter, option->name);
    else
        hf_buffer_format(&left, "      --%s", option->name);
    if (option->metavar != NULL)
        hf_buffer_format(&left, "=%s", option->metavar);
    hf_buffer_text(&right, option->help);
    add_default(&right, option);
    hf_buffer_u8(&right, 0);
    hf_buffer_bytes(out, hf_buffer_view(&left));
    if (left.len + 2 > HELP_COLUMN)
        hf_buffer_format(out, "\n%*s", HELP_COLUMN, "");
    else
        hf_buffer_format(out, "%*s", (int)(HELP_COLUMN - left.len), "");
    wrap(out, right.failed ? "" : (const char *)right.data, HELP_COLUMN, HELP_COLUMN);
    hf_buffer_done(&left);
    hf_buffer_done(&right);
}

void hf_help_write(struct hf_buffer *out, const struct hf_command *command,
                   const char *called)
{
    hf_buffer_format(out, "usage: %s %s\n\n", called, command->operands);
    hf_buffer_format(out, "%c%s.\n", command->summary[0] & ~0x20, command->summary + 1);
    if (command->subcommands != NULL) {
        hf_buffer_text(out, "\nCommands:\n");
        for (const struct hf_command *const *sub = command->subcommands; *sub != NULL;
             sub++) {
            hf_buffer_format(out, "  %-12s", (*sub)->name);
            wrap(out, (*sub)->summary, 14, 14);
        }
    }
    hf_buffer_text(out, "\nOptions:\n");
    struct hf_option option;
    for (size_t i = 0; hf_command_option(command, i, &option); i++)
        write_option(out, &option);
    if (command->details != NULL)
        hf_buffer_format(out, "\n%s\n", command->details);
}
