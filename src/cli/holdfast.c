/* holdfast.c - the program `holdfast`: its table of commands, and the small ones among them. */
#include "cli/commands.h"

#include "base/auto.h"

static int run_program(const struct hf_arguments *arguments);
static int run_version(const struct hf_arguments *arguments);
static int run_help(const struct hf_arguments *arguments);
static int run_completion(const struct hf_arguments *arguments);

static const struct hf_command *const commands[] = {
    &hf_command_scan,
    &hf_command_inspect,
    &hf_command_db,
    &hf_command_rules,
    &hf_command_update,
    &hf_command_trust,
    &hf_command_feed,
    &hf_command_status,
    &hf_command_config,
    &hf_command_version,
    &hf_command_help,
    &hf_command_completion,
    NULL,
};

enum { PROGRAM_VERSION };
static const struct hf_option program_options[] = {
    [PROGRAM_VERSION] = {'V', "version", HF_OPTION_FLAG, NULL, "show the version"},
};

const struct hf_command hf_program_holdfast = {
    .name = "holdfast",
    .operands = "COMMAND [OPTION]... [OPERAND]...",
    .summary = "finds malicious files, in jailed workers, with content that you choose",
    .details = "'holdfast COMMAND --help' says more of a command.\n"
               "Try: holdfast scan ~/Downloads",
    .options = program_options,
    .option_count = sizeof program_options / sizeof *program_options,
    .subcommands = commands,
    .run = run_program,
};

const struct hf_command hf_command_version = {
    .name = "version",
    .operands = "[OPTION]...",
    .summary = "show the version",
    .run = run_version,
};

const struct hf_command hf_command_help = {
    .name = "help",
    .operands = "[OPTION]... [COMMAND]...",
    .summary = "show help for a command",
    .operands_max = 2,
    .choices =
        (const char *const[]){"scan", "inspect", "db", "rules", "update", "trust", "feed",
                              "status", "config", "version", "completion", NULL},
    .run = run_help,
};

const struct hf_command hf_command_completion = {
    .name = "completion",
    .operands = "[OPTION]... bash|zsh",
    .summary = "print the completion script for a shell",
    .details = "bash:  holdfast completion bash > "
               "~/.local/share/bash-completion/completions/holdfast\n"
               "zsh:   holdfast completion zsh > a folder of $fpath/_holdfast",
    .operands_min = 1,
    .operands_max = 1,
    .choices = (const char *const[]){"bash", "zsh", NULL},
    .run = run_completion,
};

static int run_version(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_buffer_text(&out, "holdfast " HOLDFAST_VERSION "\n");
    return hf_print(arguments, &out);
}

static int run_program(const struct hf_arguments *arguments)
{
    if (arguments->values[PROGRAM_VERSION].count > 0)
        return run_version(arguments);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_help_write(&out, arguments->command, arguments->called);
    /* Nothing was asked for: help, but a script that lost its words must notice. */
    (void)hf_print(arguments, &out);
    return HF_EXIT_ERROR;
}

/* `holdfast help db build` is `holdfast db build --help`. */
static int run_help(const struct hf_arguments *arguments)
{
    char name[] = "holdfast", help[] = "--help";
    char *argv[5] = {name};
    int argc = 1;
    for (size_t i = 0; i < arguments->operand_count; i++)
        argv[argc++] = (char *)(uintptr_t)arguments->operands[i];
    argv[argc++] = help;
    return hf_command_main(&hf_program_holdfast, "holdfast", argc, argv);
}

static int run_completion(const struct hf_arguments *arguments)
{
    static const struct {
        const char *shell;
        void (*write)(struct hf_buffer *out, const struct hf_command *program);
    } shells[] = {{"bash", hf_completion_bash}, {"zsh", hf_completion_zsh}};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(arguments->operands[0], shells[i].shell) == 0) {
            shells[i].write(&out, &hf_program_holdfast);
            return hf_print(arguments, &out);
        }
    hf_complain(arguments, "no completion for '%s'; there are bash and zsh",
                arguments->operands[0]);
    return HF_EXIT_ERROR;
}
