/* rules_command.c - `holdfast rules`: check says what is wrong or slow in YARA sources, fmt brings
 * them into one shape; explain and test are in files of their own. Reads the user's own sources. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/rules_own.h"
#include "cli/rules_sources.h"
#include "cli/rules_why.h"
#include "rules/machine.h"
#include "rules/yara/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHECK_JSON, CHECK_STRICT };
static const struct hf_option check_options[] = {
    [CHECK_JSON] = {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object a finding"},
    [CHECK_STRICT] = {0, "strict", HF_OPTION_FLAG, NULL,
                      "warnings count as errors: exit with 1"},
};
enum { FMT_CHECK, FMT_WRITE };
static const struct hf_option fmt_options[] = {
    [FMT_CHECK] = {'c', "check", HF_OPTION_FLAG, NULL,
                   "write nothing; name the files that are not in shape"},
    [FMT_WRITE] = {'w', "write", HF_OPTION_FLAG, NULL,
                   "write the files in place, not to standard output"},
};
static const struct hf_option json_options[] = {
    {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object a line"},
};

/* ---- check ---- */

struct checking {
    const struct hf_arguments *arguments;
    struct hf_buffer out;
    bool json;
    uint64_t errors, warnings;
};

static void put_finding(struct checking *c, bool warning, const char *code,
                        const char *file, unsigned line, unsigned column, const char *rule,
                        const char *text)
{
    uint64_t *count = warning ? &c->warnings : &c->errors;
    (*count)++;
    if (c->json) {
        hf_buffer_format(&c->out, "{\"severity\":\"%s\",\"code\":\"%s\",\"file\":",
                         warning ? "warning" : "error", code);
        hf_json_string(&c->out, hf_bytes_text(file));
        hf_buffer_format(&c->out, ",\"line\":%u,\"column\":%u,\"rule\":", line, column);
        hf_json_string(&c->out, hf_bytes_text(rule));
        hf_buffer_text(&c->out, ",\"text\":");
        hf_json_string(&c->out, hf_bytes_text(text));
        hf_buffer_text(&c->out, "}\n");
        return;
    }
    hf_escape(&c->out, hf_bytes_text(file));
    hf_buffer_format(&c->out, ":%u", line);
    if (column > 0)
        hf_buffer_format(&c->out, ":%u", column);
    hf_buffer_format(&c->out, ": %s: ", warning ? "warning" : "error");
    if (rule[0] != 0)
        hf_buffer_format(&c->out, "rule %s: ", rule);
    hf_buffer_format(&c->out, "%s [%s]\n", text, code);
}

static void on_message(void *user, const struct hf_yara_message *m)
{
    put_finding(user, m->warning, m->warning ? "compiler" : "error", m->file, m->line,
                m->column, m->rule, m->text);
}

static void warn_rule(struct checking *c, const struct hf_yara_rule *rule, const char *code,
                      const char *text)
{
    put_finding(c, true, code, rule->file, rule->line, 0, rule->name, text);
}

static bool same_pattern(const struct hf_pattern *a, const struct hf_pattern *b)
{
    return a->kind == b->kind && a->flags == b->flags && a->xor_min == b->xor_min &&
           a->xor_max == b->xor_max && hf_bytes_equal(a->text, b->text) &&
           a->place.kind == b->place.kind && a->place.offset == b->place.offset;
}

static void check_strings(struct checking *c, const struct hf_yara_rule *rule)
{
    enum { COMPARED_MAX = 300 }; /* each with each */
    for (size_t i = 0; i < rule->string_count; i++) {
        struct hf_rules_cost cost;
        char text[256];
        hf_rules_cost(&rule->strings[i], &cost);
        snprintf(text, sizeof text, "string %s is slow: %s", rule->strings[i].name,
                 cost.why);
        if (cost.slow)
            warn_rule(c, rule, "slow-string", text);
        for (size_t k = 0; k < i && i < COMPARED_MAX; k++) {
            if (!same_pattern(&rule->strings[i].pattern, &rule->strings[k].pattern))
                continue;
            snprintf(text, sizeof text, "strings %s and %s are the same",
                     rule->strings[k].name, rule->strings[i].name);
            warn_rule(c, rule, "duplicate-string", text);
            break;
        }
    }
}

/* A program that is one constant: what the compiler folded. */
static void check_constant(struct checking *c, const struct hf_yara_rule *rule)
{
    struct hf_cursor p =
        hf_cursor_open(rule->rule.program.data, rule->rule.program.len, NULL);
    if (rule->rule.condition != HF_CONDITION_PROGRAM || hf_u8(&p) != HF_OP_INT)
        return;
    uint64_t value = hf_u64le(&p);
    if (hf_u8(&p) != HF_OP_END || hf_cursor_left(&p) != 0 || p.failed)
        return;
    if (value == 0)
        warn_rule(c, rule, "never-true", "the condition is always false");
    else if (!rule->is_private && !rule->is_global)
        warn_rule(c, rule, "always-true", "the condition is always true");
}

/* What shows in words already: modules that nobody uses. */
static void check_words(struct checking *c, const struct hf_rules_source *source)
{
    struct hf_yara_words all = {.text = hf_buffer_view(&source->text)};
    struct hf_yara_word w, last = {0};
    while (hf_yara_next_word(&all, &w)) {
        if (w.kind >= HF_YARA_LINE_COMMENT)
            continue;
        bool imported = w.kind == HF_YARA_TEXT && w.text.len > 2 &&
                        last.kind == HF_YARA_WORD &&
                        hf_bytes_equal(last.text, hf_bytes_text("import"));
        last = w;
        if (!imported)
            continue;
        struct hf_bytes name = hf_bytes_of(w.text.data + 1, w.text.len - 2);
        struct hf_yara_words rest = {.text = hf_buffer_view(&source->text)};
        struct hf_yara_word other;
        bool used = false;
        while (!used && hf_yara_next_word(&rest, &other))
            used = other.kind == HF_YARA_WORD && hf_bytes_equal(other.text, name);
        if (!used)
            put_finding(c, true, "unused-import", source->path, w.line, 0, "",
                        "the module is imported and not used");
    }
}

static void check_source(struct checking *c, const struct hf_rules_source *source)
{
    HF_AUTO(hf_yara_release) struct hf_yara *yara = hf_rules_compiler(on_message, c);
    if (yara == NULL ||
        hf_yara_add(yara, source->path, NULL, hf_buffer_view(&source->text)) == HF_NOMEM) {
        c->out.failed = true;
        return;
    }
    for (size_t i = 0; i < hf_yara_count(yara); i++) {
        check_constant(c, hf_yara_rule(yara, i));
        check_strings(c, hf_yara_rule(yara, i));
    }
    check_words(c, source);
}

static int run_check(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_rules_sources_done) struct hf_rules_sources sources;
    struct checking c = {.arguments = arguments,
                         .json = arguments->values[CHECK_JSON].count > 0};
    bool read = hf_rules_sources_read(&sources, arguments);
    for (size_t i = 0; i < sources.count; i++)
        check_source(&c, &sources.items[i]);
    if (!c.json)
        hf_buffer_format(&c.out, "%zu files: %llu errors, %llu warnings\n", sources.count,
                         (unsigned long long)c.errors, (unsigned long long)c.warnings);
    int code = hf_print(arguments, &c.out);
    hf_buffer_done(&c.out);
    if (code != HF_EXIT_OK || !read)
        return HF_EXIT_ERROR;
    bool strict = arguments->values[CHECK_STRICT].count > 0;
    return c.errors > 0 || (strict && c.warnings > 0) ? HF_EXIT_FOUND : HF_EXIT_OK;
}

/* ---- fmt ---- */

/* Replace a file by its new text: complete or not at all. */
static bool replace(const struct hf_arguments *arguments, const char *path,
                    const struct hf_buffer *text)
{
    struct stat st;
    char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0)
        return false;
    int fd = stat(path, &st) == 0 ? mkostemp(beside, O_CLOEXEC) : -1;
    bool good = fd >= 0 && fchmod(fd, st.st_mode & 07777) == 0 &&
                hf_fd_write(fd, text->data, text->len) == HF_OK && fsync(fd) == 0 &&
                rename(beside, path) == 0;
    if (!good) {
        hf_complain(arguments, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)unlink(beside);
    }
    hf_fd_release(&fd);
    free(beside);
    return good;
}

static enum hf_exit format_source(const struct hf_arguments *arguments,
                                  const struct hf_rules_source *source,
                                  struct hf_buffer *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    bool check = arguments->values[FMT_CHECK].count > 0;
    if (hf_yara_format(hf_buffer_view(&source->text), &text) != HF_OK) {
        hf_complain(arguments, "%s: cannot be brought into shape", source->path);
        return HF_EXIT_ERROR;
    }
    bool same = hf_bytes_equal(hf_buffer_view(&text), hf_buffer_view(&source->text));
    if (check) {
        if (!same) {
            hf_escape(out, hf_bytes_text(source->path));
            hf_buffer_u8(out, '\n');
        }
        return same ? HF_EXIT_OK : HF_EXIT_FOUND;
    }
    if (arguments->values[FMT_WRITE].count == 0)
        hf_buffer_bytes(out, hf_buffer_view(&text));
    else if (!same && !replace(arguments, source->path, &text))
        return HF_EXIT_ERROR;
    return HF_EXIT_OK;
}

static int run_fmt(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_rules_sources_done) struct hf_rules_sources sources;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    bool failed = !hf_rules_sources_read(&sources, arguments), found = false;
    for (size_t i = 0; i < sources.count; i++) {
        enum hf_exit one = format_source(arguments, &sources.items[i], &out);
        failed = failed || one == HF_EXIT_ERROR;
        found = found || one == HF_EXIT_FOUND;
    }
    if (hf_print(arguments, &out) != HF_EXIT_OK || failed)
        return HF_EXIT_ERROR;
    return found ? HF_EXIT_FOUND : HF_EXIT_OK;
}

static int run_explain(const struct hf_arguments *arguments)
{
    return hf_rules_explain(arguments, arguments->values[0].count > 0);
}

static int run_test(const struct hf_arguments *arguments)
{
    return hf_rules_test(arguments, arguments->values[0].count > 0);
}

/* ---- tables ---- */

static const struct hf_command command_check = {
    .name = "check",
    .operands = "[OPTION]... FILE|DIR...",
    .summary = "say what is wrong, slow or outdated in YARA sources",
    .details =
        "Exit codes: 0 nothing wrong, 1 errors (with --strict also warnings), 2 not all "
        "could be read.",
    .options = check_options,
    .option_count = sizeof check_options / sizeof *check_options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_check,
};

static const struct hf_command command_fmt = {
    .name = "fmt",
    .operands = "[OPTION]... FILE|DIR...",
    .summary = "bring YARA sources into one shape; comments stay",
    .details = "Exit codes: 0 done, 1 with --check: some are not in shape, 2 not done.",
    .options = fmt_options,
    .option_count = sizeof fmt_options / sizeof *fmt_options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_fmt,
};

static const struct hf_command command_explain = {
    .name = "explain",
    .operands = "[OPTION]... FILE|DIR...",
    .summary = "show what a scan does for each rule: guards, anchors, costs",
    .options = json_options,
    .option_count = 1,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_explain,
};

static const struct hf_command command_test = {
    .name = "test",
    .operands = "[OPTION]... FILE|DIR...",
    .summary = "try rules on their samples",
    .details =
        "Samples of the rules in NAME.yar are files in NAME.tests/RULE/match/, which the rule\n"
        "must match, and in NAME.tests/RULE/clean/, which it must not; or texts in its meta\n"
        "section: test_match, test_clean, and test_match_hex, test_clean_hex as digits.\n"
        "Exit codes: 0 all as they should, 1 some are not, 2 not all could be tried.",
    .options = json_options,
    .option_count = 1,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_test,
};

static const struct hf_command *const rules_commands[] = {
    &command_check,         &command_fmt,
    &command_explain,       &command_test,
    &hf_command_rules_why,  &hf_command_rules_allow,
    &hf_command_rules_deny, &hf_command_rules_ignore,
    &hf_command_rules_own,  NULL,
};

const struct hf_command hf_command_rules = {
    .name = "rules",
    .operands =
        "check|fmt|explain|test|why|allow|deny|ignore|own [OPTION]... FILE|DIR|NAME...",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .summary =
        "check, format, explain and test YARA rules; say where a signature comes from; allow, "
        "deny and ignore what the owner wants",
    .subcommands = rules_commands,
};
