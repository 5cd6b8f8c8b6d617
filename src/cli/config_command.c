/* config_command.c - `holdfast config`: is a configuration of the daemon good, and what does one look
 * like. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>

enum { CHECK_CLAMD };
static const struct hf_option check_options[] = {
    [CHECK_CLAMD] = {0, "clamd", HF_OPTION_FLAG, NULL, "FILE is a clamd.conf"},
};

static int run_check(const struct hf_arguments *arguments);
static int run_example(const struct hf_arguments *arguments);

static const struct hf_command command_check = {
    .name = "check",
    .operands = "[OPTION]... [FILE]",
    .summary = "say what is wrong with a configuration of the daemon",
    .details =
        "Without FILE: /etc/holdfast/holdfast.conf. Settings that have no effect are named.\n"
        "Exit codes: 0 good, 2 not.",
    .options = check_options,
    .option_count = sizeof check_options / sizeof *check_options,
    .operands_max = 1,
    .complete = HF_COMPLETE_FILE,
    .run = run_check,
};

static const struct hf_command command_example = {
    .name = "example",
    .operands = "[OPTION]...",
    .summary = "print a configuration with every setting, its meaning and its default",
    .run = run_example,
};

const struct hf_command hf_command_config = {
    .name = "config",
    .operands = "check|example [OPTION]... [OPERAND]...",
    .summary = "check the configuration of the daemon",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .subcommands =
        (const struct hf_command *const[]){&command_check, &command_example, NULL},
};

static void say_note(void *user, const char *text)
{
    hf_complain(user, "%s", text);
}

static int run_check(const struct hf_arguments *arguments)
{
    enum { BYTES_MAX = 1 << 20 };
    const char *path = arguments->operand_count > 0 ? arguments->operands[0]
                                                    : "/etc/holdfast/holdfast.conf";
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0}, error = {0}, out = {0};
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || hf_fd_read_all(fd, BYTES_MAX, &text) != HF_OK) {
        hf_complain(arguments, "%s: %s", path, strerror(errno));
        return HF_EXIT_ERROR;
    }
    struct hf_config config;
    enum hf_status st = hf_config_init(&config);
    bool clamd = arguments->values[CHECK_CLAMD].count > 0;
    if (st == HF_OK)
        st = (clamd ? hf_config_read_clamd
                    : hf_config_read)(&config, path, hf_buffer_view(&text), say_note,
                                      (void *)(uintptr_t)arguments, &error);
    if (st == HF_OK)
        st = hf_config_check(&config, &error);
    hf_config_done(&config);
    if (st != HF_OK) {
        hf_buffer_u8(&error, 0);
        hf_complain(arguments, "%s", error.failed ? "out of memory" : (char *)error.data);
        return HF_EXIT_ERROR;
    }
    hf_buffer_format(&out, "%s: good\n", path);
    return hf_print(arguments, &out);
}

static int run_example(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_config_write_example(&out);
    return hf_print(arguments, &out);
}
