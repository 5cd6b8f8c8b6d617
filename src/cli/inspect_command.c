/* inspect_command.c - `holdfast inspect`: opens files with the rights of the user, hands them to
 * one jailed worker each time, prints what it says. Parses no file. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/databases.h"
#include "cli/inspect_lines.h"
#include "cli/standard_input.h"
#include "cli/verdict_table.h"
#include "jail/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INSPECT_DB, INSPECT_ALL, INSPECT_JSON };

static const struct hf_option inspect_options[] = {
    [INSPECT_DB] =
        {'d', "db", HF_OPTION_LIST, "FILE|DIR",
         "judge by this database; may be given several times (default: the built-in "
         "content)",
         HF_COMPLETE_FILE},
    [INSPECT_ALL] = {'a', "all", HF_OPTION_FLAG, NULL,
                     "show long lists and texts completely"},
    [INSPECT_JSON] = {0, "json", HF_OPTION_FLAG, NULL,
                      "print one JSON object a file, always complete"},
};

static int run_inspect(const struct hf_arguments *arguments);

const struct hf_command hf_command_inspect = {
    .name = "inspect",
    .operands = "[OPTION]... FILE...",
    .summary =
        "show what is in a file: every object with type, digests and facts; -: standard "
        "input",
    .details = "Facts are described in docs/facts.md, the JSON in docs/json.md.\n"
               "Exit codes: 0 shown, whatever the verdict; 2 errors.",
    .options = inspect_options,
    .option_count = sizeof inspect_options / sizeof *inspect_options,
    .limits = true,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_inspect,
};

struct inspection {
    const struct hf_arguments *arguments;
    struct hf_inspect_lines lines;
    struct hf_pool *pool;
    const char *path; /* of the file at hand */
    struct hf_buffer out;
    enum hf_exit exit;
};

static bool given(const struct hf_arguments *arguments, size_t option)
{
    return arguments->values[option].count > 0;
}

static void failed(struct inspection *in, const char *why)
{
    hf_complain(in->arguments, "%s: %s", in->path, why);
    in->exit = HF_EXIT_ERROR;
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct inspection *in = user;
    (void)id;
    if (status != HF_OK)
        failed(in, status == HF_INVALID ? "not a regular file" : "cannot be read");
    else if (hf_inspect_report(&in->out, &in->lines, hf_bytes_text(in->path), report) !=
             HF_OK)
        failed(in, "out of memory");
}

static void on_note(void *user, bool important, const char *text)
{
    const struct inspection *in = user;
    if (important)
        hf_complain(in->arguments, "%s", text);
}

/* Looks before it opens: opening a device or a FIFO can do something. */
static int open_file(const char *path, const char **why)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        *why = strerror(errno);
        return -1;
    }
    if (!S_ISREG(about.st_mode)) {
        *why = S_ISDIR(about.st_mode) ? "is a folder" : "not a regular file";
        return -1;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        *why = strerror(errno);
    return fd;
}

static int open_operand(struct inspection *in, const char **why)
{
    static const volatile sig_atomic_t never;
    int fd = -1;
    bool spooling;
    if (strcmp(in->path, "-") != 0)
        return open_file(in->path, why);
    enum hf_status st =
        hf_standard_input_open(&fd, in->arguments->limits.scan_bytes, &never, &spooling);
    *why = st == HF_LIMIT ? "longer than --max-scansize" : "cannot be read";
    return st == HF_OK ? fd : -1;
}

/* Submit one file and wait for it. False: no worker can be had. */
static bool inspect_one(struct inspection *in)
{
    const char *why = "";
    int fd = open_operand(in, &why);
    if (fd < 0) {
        failed(in, why);
        return true;
    }
    if (hf_pool_submit(in->pool, fd, 0) != HF_OK)
        return false;
    hf_pool_flush(in->pool);
    while (hf_pool_pending(in->pool) > 0)
        if (hf_pool_wait(in->pool, -1) != HF_OK)
            return false;
    int printed = hf_print(in->arguments, &in->out);
    hf_buffer_clear(&in->out);
    in->exit = hf_exit_worse(in->exit, (enum hf_exit)printed);
    return true;
}

static void say_error(const struct hf_arguments *arguments, struct hf_buffer *error)
{
    hf_buffer_u8(error, 0);
    hf_complain(arguments, "%s",
                error->failed ? "out of memory" : (const char *)error->data);
}

static int inspect_with(struct inspection *in, const struct hf_databases *databases)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    const struct hf_pool_options options = {
        .workers = 1,
        .all_match = true,
        .inspect = true,
        .limits = in->arguments->limits,
        .db_fds = databases->fds,
        .db_count = databases->count,
    };
    in->lines.db = databases->db;
    if (hf_pool_open(&in->pool, &options, on_done, in, &error) != HF_OK) {
        say_error(in->arguments, &error);
        return HF_EXIT_ERROR;
    }
    for (size_t i = 0; i < in->arguments->operand_count; i++) {
        in->path = in->arguments->operands[i];
        if (!inspect_one(in)) {
            failed(in, "no worker can be started");
            break;
        }
    }
    hf_pool_close(in->pool);
    hf_buffer_done(&in->out);
    return (int)in->exit;
}

static bool wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == 0) &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static int run_inspect(const struct hf_arguments *arguments)
{
    struct inspection in = {
        .arguments = arguments,
        .lines = {.json = given(arguments, INSPECT_JSON),
                  .all = given(arguments, INSPECT_ALL),
                  .colour = wants_colour()},
        .exit = HF_EXIT_OK,
    };
    HF_AUTO(hf_databases_done) struct hf_databases databases;
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    if (hf_databases_open(&databases, arguments->values[INSPECT_DB].list,
                          arguments->values[INSPECT_DB].count, on_note, &in,
                          &error) != HF_OK) {
        say_error(arguments, &error);
        return HF_EXIT_ERROR;
    }
    return inspect_with(&in, &databases);
}
