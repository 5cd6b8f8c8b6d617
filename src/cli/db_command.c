/* db_command.c - `holdfast db`: build compiles signatures, merge makes one database of several,
 * info shows what one holds, check looks at every byte of it. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "db/build.h"
#include "db/db.h"
#include "db/db_info.h"
#include "db/jobs.h"
#include "format/schema.h"

#include <errno.h>
#include <fcntl.h>

enum {
    BUILD_OUTPUT,
    BUILD_JOBS,
    BUILD_WITHDRAW,
    BUILD_STRICT,
    BUILD_QUIET,
    BUILD_VERBOSE,
    BUILD_JSON
};
static const struct hf_option build_options[] = {
    [BUILD_OUTPUT] = {'o', "output", HF_OPTION_TEXT, "FILE",
                      "write the database here; an old one is replaced when the new one is "
                      "complete",
                      HF_COMPLETE_FILE},
    [BUILD_JOBS] =
        {'j', "jobs", HF_OPTION_NUMBER, "N",
         "use N threads (default: as many as processors); the result is the same"},
    [BUILD_WITHDRAW] =
        {0, "withdraw", HF_OPTION_LIST, "FILE|DIR",
         "withdraw the signatures in this source from older databases; may be "
         "given several times",
         HF_COMPLETE_FILE},
    [BUILD_STRICT] = {0, "strict", HF_OPTION_FLAG, NULL,
                      "write nothing when a line is not understood"},
    [BUILD_QUIET] = {'q', "quiet", HF_OPTION_FLAG, NULL,
                     "show neither bad lines nor the summary"},
    [BUILD_VERBOSE] = {'v', "verbose", HF_OPTION_FLAG, NULL,
                       "show all bad lines, not only the first 100"},
    [BUILD_JSON] = {0, "json", HF_OPTION_FLAG, NULL,
                    "print the summary as one JSON object, with the first 1000 bad lines"},
};

enum { MERGE_OUTPUT, MERGE_JOBS, MERGE_KEEP, MERGE_QUIET };
static const struct hf_option merge_options[] = {
    [MERGE_OUTPUT] =
        {'o', "output", HF_OPTION_TEXT, "FILE",
         "write the database here; an old one, which may be one of those that are "
         "merged, is replaced when the new one is complete",
         HF_COMPLETE_FILE},
    [MERGE_JOBS] =
        {'j', "jobs", HF_OPTION_NUMBER, "N",
         "use N threads (default: as many as processors); the result is the same"},
    [MERGE_KEEP] =
        {0, "keep-withdrawn", HF_OPTION_FLAG, NULL,
         "keep what they withdraw: for databases that stay on top of an older one"},
    [MERGE_QUIET] = {'q', "quiet", HF_OPTION_FLAG, NULL, "do not show the summary"},
};

enum { INFO_JSON, INFO_CLASSES };
static const struct hf_option info_options[] = {
    [INFO_JSON] = {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object"},
    [INFO_CLASSES] = {0, "classes", HF_OPTION_FLAG, NULL,
                      "show how patterns are found, and about what each class costs"},
};

static int run_build(const struct hf_arguments *arguments);
static int run_merge(const struct hf_arguments *arguments);
static int run_info(const struct hf_arguments *arguments);
static int run_check(const struct hf_arguments *arguments);

static const struct hf_command command_build = {
    .name = "build",
    .operands = "[OPTION]... -o FILE [SOURCE]...",
    .summary = "compile signatures into a database",
    .details =
        "Sources are files or folders of text signatures: .hdb .hsb .mdb .msb .imp .fp .sfp\n"
        ".ndb .ign2 as ClamAV has them, its containers (.cvd .cld .cud), and lists of\n"
        "digests (.txt .md5 .sha1 .sha256 .hashes): digest [size] [name], or as sha256sum\n"
        "writes them. Without a source: what freshclam keeps in /var/lib/clamav.\n"
        "Exit codes: 0 written, 2 not.",
    .options = build_options,
    .option_count = sizeof build_options / sizeof *build_options,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_build,
};

static const struct hf_command command_merge = {
    .name = "merge",
    .operands = "[OPTION]... -o FILE DATABASE...",
    .summary = "make one database of several, oldest first",
    .details =
        "Signatures that a younger database withdraws are left out of the result, which "
        "finds\nwhat they find together.\n"
        "Exit codes: 0 written, 2 not.",
    .options = merge_options,
    .option_count = sizeof merge_options / sizeof *merge_options,
    .operands_min = 1,
    .operands_max = HF_DB_SEGMENTS_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_merge,
};

static const struct hf_command command_info = {
    .name = "info",
    .operands = "[OPTION]... FILE...",
    .summary =
        "show what a database holds; several files: as the segments of one, oldest first",
    .options = info_options,
    .option_count = sizeof info_options / sizeof *info_options,
    .operands_min = 1,
    .operands_max = HF_DB_SEGMENTS_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_info,
};

static const struct hf_command command_check = {
    .name = "check",
    .operands = "[OPTION]... FILE...",
    .summary = "check every byte of a database",
    .details = "Exit codes: 0 whole, 2 damaged or no database.",
    .operands_min = 1,
    .operands_max = HF_DB_SEGMENTS_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_check,
};

const struct hf_command hf_command_db = {
    .name = "db",
    .operands = "build|merge|info|check [OPTION]... [OPERAND]...",
    .summary = "compile, merge, show and check databases",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .subcommands = (const struct hf_command *const[]){&command_build, &command_merge,
                                                      &command_info, &command_check, NULL},
};

enum { SHOWN_MAX = 100, JSON_MESSAGES_MAX = 1000 };

struct building {
    const struct hf_arguments *arguments;
    struct hf_buffer text;     /* the summary */
    struct hf_buffer messages; /* JSON objects, with commas between */
    bool quiet, verbose, json;
    uint64_t count; /* of messages */
};

static void building_done(struct building *b)
{
    hf_buffer_done(&b->text);
    hf_buffer_done(&b->messages);
}

static void add_message(struct building *b, const char *file, uint64_t line,
                        const char *text)
{
    if (b->count > JSON_MESSAGES_MAX)
        return; /* counted all the same */
    hf_buffer_text(&b->messages, b->messages.len > 0 ? ",{\"file\":" : "{\"file\":");
    hf_json_string(&b->messages, hf_bytes_text(file));
    if (line > 0)
        hf_buffer_format(&b->messages, ",\"line\":%llu", (unsigned long long)line);
    hf_buffer_text(&b->messages, ",\"text\":");
    hf_json_string(&b->messages, hf_bytes_text(text));
    hf_buffer_u8(&b->messages, '}');
}

static void show_message(void *user, const char *file, uint64_t line, const char *text)
{
    struct building *b = user;
    b->count++;
    if (b->json)
        add_message(b, file, line, text);
    if (b->quiet || b->json || (!b->verbose && b->count > SHOWN_MAX))
        return;
    if (line > 0)
        hf_complain(b->arguments, "%s:%llu: %s", file, (unsigned long long)line, text);
    else
        hf_complain(b->arguments, "%s: %s", file, text);
}

/* What was not shown is at least counted. */
static void show_rest(const struct building *b)
{
    if (!b->quiet && !b->json && !b->verbose && b->count > SHOWN_MAX)
        hf_complain(b->arguments, "%llu more messages; --verbose shows all",
                    (unsigned long long)(b->count - SHOWN_MAX));
}

static void add_skipped_json(void *user, const char *kind, uint64_t count)
{
    struct hf_buffer *out = user;
    hf_buffer_text(out, out->data[out->len - 1] == '[' ? "{\"kind\":" : ",{\"kind\":");
    hf_json_string(out, hf_bytes_text(kind));
    hf_buffer_format(out, ",\"count\":%llu}", (unsigned long long)count);
}

static void summarise_json(struct building *b, const struct hf_build *build)
{
    struct hf_build_summary s = hf_build_summary(build);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"signatures", s.signatures}, {"digests", s.digests},
        {"patterns", s.patterns},     {"allowed", s.allowed},
        {"ignored", s.ignored},       {"withdrawn", s.withdrawn},
        {"files", s.files},           {"bad_lines", s.bad_lines},
        {"not_taken", s.skipped},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        hf_buffer_format(&b->text, "%c\"%s\":%llu", i == 0 ? '{' : ',', fields[i].name,
                         (unsigned long long)fields[i].value);
    hf_buffer_text(&b->text, ",\"kinds_not_taken\":[");
    if (!b->text.failed)
        hf_build_for_each_skipped(build, add_skipped_json, &b->text);
    hf_buffer_text(&b->text, "],\"messages\":[");
    hf_buffer_bytes(&b->text, hf_buffer_view(&b->messages));
    hf_buffer_format(&b->text, "],\"messages_left_out\":%llu}\n",
                     (unsigned long long)(b->count > JSON_MESSAGES_MAX
                                              ? b->count - JSON_MESSAGES_MAX
                                              : 0));
}

static void show_skipped(void *user, const char *kind, uint64_t count)
{
    hf_buffer_format(user, "  %llu: %s\n", (unsigned long long)count, kind);
}

static void summarise(struct building *b, const struct hf_build *build)
{
    struct hf_build_summary s = hf_build_summary(build);
    hf_buffer_format(&b->text, "%llu signatures (%llu digests), %llu allowed, %llu ignored",
                     (unsigned long long)s.signatures, (unsigned long long)s.digests,
                     (unsigned long long)s.allowed, (unsigned long long)s.ignored);
    if (s.withdrawn > 0)
        hf_buffer_format(&b->text, ", %llu withdrawn", (unsigned long long)s.withdrawn);
    hf_buffer_format(&b->text, " from %llu files; %llu bad lines, %llu not taken\n",
                     (unsigned long long)s.files, (unsigned long long)s.bad_lines,
                     (unsigned long long)s.skipped);
    hf_build_for_each_skipped(build, show_skipped, &b->text);
}

/* Read all sources; the builder has said what is wrong with one. */
static enum hf_status read_sources(struct hf_build *build, const char *const *paths,
                                   size_t count, bool withdraw)
{
    hf_build_withdraw(build, withdraw);
    enum hf_status st = hf_build_read_paths(build, paths, count);
    hf_build_withdraw(build, false);
    return st;
}

static enum hf_status read_all(struct hf_build *build, const struct hf_arguments *arguments)
{
    const struct hf_option_value *withdraw = &arguments->values[BUILD_WITHDRAW];
    enum hf_status st = read_sources(build, withdraw->list, withdraw->count, true);
    if (st != HF_OK)
        return st;
    /* Without a source: the folder that ClamAV's updater fills. */
    static const char *const standard[] = {"/var/lib/clamav"};
    if (arguments->operand_count + withdraw->count == 0)
        return read_sources(build, standard, 1, false);
    return read_sources(build, (const char *const *)arguments->operands,
                        arguments->operand_count, false);
}

static enum hf_status use_threads(struct hf_build *build,
                                  const struct hf_option_value *jobs)
{
    uint64_t threads = jobs->count > 0 ? jobs->number : hf_jobs_default();
    return hf_build_use_threads(build, threads > 64 ? 64 : (unsigned)threads);
}

static int write_out(struct building *b, struct hf_build *build, const char *output)
{
    enum hf_status st = hf_build_write_file(build, output);
    if (st != HF_OK) {
        hf_complain(b->arguments, "%s: %s", output,
                    st == HF_IO ? strerror(errno) : hf_status_text(st));
        return HF_EXIT_ERROR;
    }
    if (b->json)
        summarise_json(b, build);
    else if (!b->quiet)
        summarise(b, build);
    return hf_print(b->arguments, &b->text);
}

static int run_build(const struct hf_arguments *arguments)
{
    const char *output = arguments->values[BUILD_OUTPUT].text;
    if (output == NULL) {
        hf_complain(arguments, "no output: -o FILE is needed");
        return HF_EXIT_ERROR;
    }
    HF_AUTO(building_done) struct building b = {.arguments = arguments};
    b.quiet = arguments->values[BUILD_QUIET].count > 0;
    b.verbose = arguments->values[BUILD_VERBOSE].count > 0;
    b.json = arguments->values[BUILD_JSON].count > 0;
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(show_message, &b);
    enum hf_status st =
        build == NULL ? HF_NOMEM : use_threads(build, &arguments->values[BUILD_JOBS]);
    if (st == HF_OK)
        hf_build_use_modules(build, hf_fact_modules, hf_fact_module_count);
    if (st == HF_OK)
        st = read_all(build, arguments);
    show_rest(&b);
    if (st != HF_OK) {
        hf_complain(arguments, "nothing written: %s", hf_status_text(st));
        return HF_EXIT_ERROR;
    }
    if (hf_build_summary(build).files == 0) {
        hf_complain(arguments, "nothing written: no file of signatures was found");
        return HF_EXIT_ERROR;
    }
    if (arguments->values[BUILD_STRICT].count > 0 &&
        hf_build_summary(build).bad_lines > 0) {
        hf_complain(arguments, "nothing written: %llu lines are not understood",
                    (unsigned long long)hf_build_summary(build).bad_lines);
        return HF_EXIT_ERROR;
    }
    return write_out(&b, build, output);
}

/* Open what the operands name; NULL after a complaint. */
static struct hf_db *open_operands(const struct hf_arguments *arguments)
{
    int fds[HF_DB_SEGMENTS_MAX];
    struct hf_db *db = NULL;
    size_t opened = 0;
    bool good = true;
    for (; opened < arguments->operand_count && good; opened++) {
        fds[opened] = open(arguments->operands[opened], O_RDONLY | O_CLOEXEC | O_NOCTTY);
        good = fds[opened] >= 0;
        if (!good)
            hf_complain(arguments, "%s: %s", arguments->operands[opened], strerror(errno));
    }
    enum hf_status st = good ? hf_db_open(fds, opened, &db) : HF_OK;
    if (st == HF_MALFORMED)
        hf_complain(arguments, "%s: not a Holdfast database, or damaged",
                    arguments->operands[0]);
    else if (st == HF_UNSUPPORTED)
        hf_complain(arguments, "%s: made by another version; build it again",
                    arguments->operands[0]);
    else if (st != HF_OK)
        hf_complain(arguments, "%s: %s", arguments->operands[0],
                    st == HF_IO ? strerror(errno) : hf_status_text(st));
    for (size_t i = 0; i < opened; i++)
        hf_fd_release(&fds[i]);
    return db;
}

static int run_merge(const struct hf_arguments *arguments)
{
    const char *output = arguments->values[MERGE_OUTPUT].text;
    if (output == NULL) {
        hf_complain(arguments, "no output: -o FILE is needed");
        return HF_EXIT_ERROR;
    }
    HF_AUTO(hf_db_release) struct hf_db *db = open_operands(arguments);
    if (db == NULL)
        return HF_EXIT_ERROR;
    HF_AUTO(building_done) struct building b = {.arguments = arguments};
    b.quiet = arguments->values[MERGE_QUIET].count > 0;
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(show_message, &b);
    enum hf_status st =
        build == NULL ? HF_NOMEM : use_threads(build, &arguments->values[MERGE_JOBS]);
    if (st == HF_OK)
        st = hf_build_read_db(build, db, arguments->values[MERGE_KEEP].count > 0);
    if (st != HF_OK) {
        hf_complain(arguments, "nothing written: %s",
                    st == HF_IO ? strerror(errno) : hf_status_text(st));
        return HF_EXIT_ERROR;
    }
    return write_out(&b, build, output);
}

static int run_info(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_db_release) struct hf_db *db = open_operands(arguments);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    if (db == NULL)
        return HF_EXIT_ERROR;
    const bool classes = arguments->values[INFO_CLASSES].count > 0;
    if (arguments->values[INFO_JSON].count > 0)
        hf_db_info_json(db, classes, &out);
    else
        hf_db_info_text(db, classes, &out);
    return hf_print(arguments, &out);
}

static int run_check(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_db_release) struct hf_db *db = open_operands(arguments);
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    if (db == NULL)
        return HF_EXIT_ERROR;
    enum hf_status st = hf_db_check(db, &note);
    if (st == HF_OK)
        return HF_EXIT_OK;
    hf_buffer_u8(&note, 0);
    hf_complain(arguments, "%s: %s", arguments->operands[0],
                note.len > 1 && !note.failed ? (const char *)note.data
                                             : hf_status_text(st));
    return HF_EXIT_ERROR;
}
