/* dispatch.c - from words to the command that they name. */
#include "cli/options.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* text is fit for a terminal already. */
static void say(const char *called, const char *text)
{
    struct hf_buffer line = {0};
    hf_buffer_format(&line, "%s: %s\n", called, text);
    /* Nowhere is left to report that standard error is gone. */
    (void)!hf_fd_write(STDERR_FILENO, line.data, line.len);
    hf_buffer_done(&line);
}

void hf_complain(const struct hf_arguments *arguments, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    if (n >= 0) {
        hf_escape(&line, hf_bytes_text(text));
        free(text);
    }
    hf_buffer_u8(&line, 0);
    say(arguments->called,
        n < 0 || line.failed ? "out of memory" : (const char *)line.data);
}

int hf_print(const struct hf_arguments *arguments, const struct hf_buffer *out)
{
    if (out->failed) {
        hf_complain(arguments, "out of memory");
        return HF_EXIT_ERROR;
    }
    if (hf_fd_write(STDOUT_FILENO, out->data, out->len) == HF_OK)
        return HF_EXIT_OK;
    if (errno != EPIPE)
        hf_complain(arguments, "cannot write the output: %s", strerror(errno));
    return HF_EXIT_ERROR;
}

static int show_help(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_help_write(&out, arguments->command, arguments->called);
    return hf_print(arguments, &out);
}

static int usage_error(const char *called, const struct hf_buffer *what)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_bytes(&text, hf_buffer_view(what));
    hf_buffer_format(&text, "\nTry '%s --help'.", called);
    hf_buffer_u8(&text, 0);
    say(called, text.failed ? "out of memory" : (const char *)text.data);
    return HF_EXIT_ERROR;
}

static int run_subcommand(const struct hf_arguments *arguments)
{
    const struct hf_command *const *subs = arguments->command->subcommands;
    const char *name = arguments->operands[0];
    for (; *subs != NULL; subs++) {
        if (strcmp((*subs)->name, name) != 0)
            continue;
        char *called = NULL;
        if (asprintf(&called, "%s %s", arguments->called, name) < 0)
            return HF_EXIT_ERROR;
        int code = hf_command_main(*subs, called, (int)arguments->operand_count,
                                   (char *const *)(uintptr_t)arguments->operands);
        free(called);
        return code;
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    hf_buffer_text(&error, "no such command: '");
    hf_escape(&error, hf_bytes_text(name));
    hf_buffer_text(&error, "'; there are");
    for (subs = arguments->command->subcommands; *subs != NULL; subs++)
        hf_buffer_format(&error, " %s", (*subs)->name);
    return usage_error(arguments->called, &error);
}

int hf_command_main(const struct hf_command *command, const char *called, int argc,
                    char *const *argv)
{
    HF_AUTO(hf_arguments_done) struct hf_arguments arguments;
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    enum hf_status st = hf_arguments_parse(&arguments, command, argc, argv, &error);
    arguments.called = called;
    if (st == HF_NOMEM)
        hf_buffer_text(&error, "out of memory");
    if (st != HF_OK)
        return usage_error(called, &error);
    if (arguments.help)
        return show_help(&arguments);
    if (command->subcommands != NULL && arguments.operand_count > 0)
        return run_subcommand(&arguments);
    if (command->run != NULL)
        return command->run(&arguments);
    hf_buffer_text(&error, "a command is missing");
    return usage_error(called, &error);
}
