/* main.c - holdfastd: options, then the supervisor. */
#include "daemon/supervisor.h"

#include "base/auto.h"
#include "base/fd.h"
#include "cli/options.h"
#include "jail/pool.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    OPTION_FOREGROUND,
    OPTION_CONFIG,
    OPTION_CLAMD,
    OPTION_CHECK,
    OPTION_EXAMPLE,
    OPTION_VERSION
};
static const struct hf_option options[] = {
    [OPTION_FOREGROUND] = {'F', "foreground", HF_OPTION_FLAG, NULL,
                           "stay in the foreground (it always does)"},
    [OPTION_CONFIG] = {'c', "config", HF_OPTION_TEXT, "FILE",
                       "configuration (default: /etc/holdfast/holdfast.conf)",
                       HF_COMPLETE_FILE},
    [OPTION_CLAMD] = {0, "clamd-config", HF_OPTION_TEXT, "FILE",
                      "an existing clamd.conf instead", HF_COMPLETE_FILE},
    [OPTION_CHECK] = {0, "check", HF_OPTION_FLAG, NULL,
                      "say what is wrong with the configuration, and end"},
    [OPTION_EXAMPLE] = {0, "example", HF_OPTION_FLAG, NULL,
                        "print a configuration with comments and defaults, and end"},
    [OPTION_VERSION] = {'V', "version", HF_OPTION_FLAG, NULL, "show the version"},
};

static int run(const struct hf_arguments *arguments);

static const struct hf_command command = {
    .name = "holdfastd",
    .operands = "[OPTION]...",
    .summary = "scans for programs that speak to clamd, in jailed workers",
    .details =
        "Signals: TERM, INT stop; HUP reads the configuration anew and opens logs again;\n"
        "USR2 loads the databases anew.\n"
        "Exit codes: 0 stopped, 1 could not work, 2 wrong usage.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};

static void say_note(void *user, const char *text)
{
    hf_complain(user, "%s", text);
}

static int check(const struct hf_arguments *arguments,
                 const struct hf_supervisor_setup *setup)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0}, out = {0};
    struct hf_config config;
    enum hf_status st =
        hf_supervisor_read(&config, setup, say_note, (void *)(uintptr_t)arguments, &error);
    if (st != HF_OK) {
        hf_buffer_u8(&error, 0);
        hf_complain(arguments, "%s", error.failed ? "out of memory" : (char *)error.data);
        return HF_EXIT_FOUND;
    }
    hf_config_done(&config);
    hf_buffer_format(&out, "%s: good\n", setup->config_path);
    return hf_print(arguments, &out);
}

static int run(const struct hf_arguments *arguments)
{
    const struct hf_option_value *values = arguments->values;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    if (values[OPTION_VERSION].count > 0) {
        hf_buffer_text(&out, "holdfastd " HOLDFAST_VERSION "\n");
        return hf_print(arguments, &out);
    }
    if (values[OPTION_EXAMPLE].count > 0) {
        hf_config_write_example(&out);
        return hf_print(arguments, &out);
    }
    bool clamd = values[OPTION_CLAMD].count > 0;
    if (clamd && values[OPTION_CONFIG].count > 0) {
        hf_complain(arguments, "--config and --clamd-config exclude each other");
        return HF_EXIT_ERROR;
    }
    struct hf_supervisor_setup setup = {.config_path = clamd ? values[OPTION_CLAMD].text
                                                       : values[OPTION_CONFIG].count > 0
                                                           ? values[OPTION_CONFIG].text
                                                           : "/etc/holdfast/holdfast.conf",
                                        .clamd = clamd};
    if (values[OPTION_CHECK].count > 0)
        return check(arguments, &setup);
    char *worker = hf_worker_path_find();
    if (worker == NULL) {
        hf_complain(arguments,
                    "holdfast-worker was not found (set HOLDFAST_WORKER to its path)");
        return HF_EXIT_FOUND;
    }
    setup.worker_path = worker;
    int code = hf_supervisor_run(&setup);
    free(worker);
    return code;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    return hf_command_main(&command, "holdfastd", argc, argv);
}
