/* rules_test.c - `holdfast rules test`: rules on their samples. Samples are bytes like any others: they
 * are scanned in a jailed worker. */
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/rules_sources.h"
#include "cli/walk.h"
#include "db/rule_set.h"
#include "format/schema.h"
#include "jail/pool.h"
#include "rules/externals.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sample and what it should come to. */
struct sample {
    size_t rule; /* by number in its compiler */
    char *label; /* owned */
    bool wanted; /* the rule is to match */
    bool answered, matched, broken;
};

struct testing {
    const struct hf_arguments *arguments;
    struct hf_buffer out;
    bool json, failed;
    uint64_t passed, wrong, rules, rules_without;
    /* of the source at hand */
    const struct hf_yara *yara;
    struct hf_pool *pool;
    struct sample *samples;
    size_t count;
};

static void on_message(void *user, const struct hf_yara_message *m)
{
    struct testing *t = user;
    if (m->warning)
        return;
    t->failed = true;
    fprintf(stderr, "%s:%u: %s\n", m->file, m->line, m->text);
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct testing *t = user;
    if (id >= t->count)
        return;
    struct sample *s = &t->samples[id];
    struct hf_cursor c = hf_cursor_open(report->told.data, report->told.len, NULL);
    struct hf_told told = {0};
    s->answered = true;
    s->broken = status != HF_OK || report->reasons != 0 || report->suspended_count > 0;
    while (status == HF_OK && hf_told_next(&c, &told) == HF_OK)
        if (told.kind == HF_TOLD_RULE && told.rule == s->rule)
            s->matched = true;
}

/* fd is taken. */
static bool submit(struct testing *t, size_t rule, const char *label, bool wanted, int fd)
{
    struct sample *all = realloc(t->samples, (t->count + 1) * sizeof *all);
    if (all == NULL || fd < 0) {
        t->samples = all != NULL ? all : t->samples;
        hf_fd_release(&fd);
        return false;
    }
    t->samples = all;
    all[t->count] = (struct sample){.rule = rule, .label = strdup(label), .wanted = wanted};
    uint64_t id = t->count++;
    while (hf_pool_room(t->pool) == 0)
        if (hf_pool_wait(t->pool, -1) != HF_OK) {
            close(fd);
            return false;
        }
    return all[id].label != NULL && hf_pool_submit(t->pool, fd, id) == HF_OK;
}

/* ---- where samples come from ---- */

/* A rule that cannot be reported has no answer of its own to test. */
static bool is_testable(const struct hf_yara_rule *rule)
{
    return !rule->is_private;
}

static bool submit_metas(struct testing *t, size_t number)
{
    static const struct {
        const char *name;
        bool wanted, hex;
    } kinds[] = {{"test_match", true, false},
                 {"test_clean", false, false},
                 {"test_match_hex", true, true},
                 {"test_clean_hex", false, true}};
    const struct hf_yara_rule *rule = hf_yara_rule(t->yara, number);
    bool good = true;
    for (size_t i = 0; i < rule->meta_count; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            const struct hf_yara_meta *m = &rule->metas[i];
            if (strcmp(m->name, kinds[k].name) != 0 || m->value.type != HF_FACT_STRING)
                continue;
            struct hf_bytes text = m->value.string;
            uint8_t *bytes = malloc(text.len + 1);
            size_t n =
                bytes == NULL || !kinds[k].hex ? text.len : hf_unhex(text, bytes, text.len);
            if (bytes != NULL && !kinds[k].hex)
                memcpy(bytes, text.data, text.len);
            if (bytes == NULL || n == SIZE_MAX) {
                hf_complain(t->arguments, "%s:%u: rule %s: %s is no hexadecimal digits",
                            rule->file, rule->line, rule->name, m->name);
                good = false;
            } else {
                good = submit(t, number, m->name, kinds[k].wanted,
                              hf_memfd_of("sample", hf_bytes_of(bytes, n))) &&
                       good;
            }
            free(bytes);
        }
    return good;
}

static bool submit_folder(struct testing *t, size_t number, const char *folder, bool wanted)
{
    struct stat st;
    if (stat(folder, &st) != 0)
        return true;
    struct hf_walk_options options = {.follow_symlinks = true};
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(&options);
    struct hf_walk_entry entry;
    bool good = walk != NULL && hf_walk_begin(walk, hf_bytes_text(folder)) == HF_OK;
    for (enum hf_walk_kind kind;
         good && (kind = hf_walk_next(walk, &entry)) != HF_WALK_END;) {
        if (kind == HF_WALK_FILE) {
            char *path = strndup((const char *)entry.path.data, entry.path.len);
            good = path != NULL && submit(t, number, path, wanted, entry.fd);
            free(path);
        }
        good = good && kind != HF_WALK_ERROR && kind != HF_WALK_BUSY;
    }
    if (!good)
        hf_complain(t->arguments, "%s: not all samples can be read", folder);
    return good;
}

/* NAME.tests/RULE/match and clean, beside NAME.yar. */
static bool submit_folders(struct testing *t, size_t number)
{
    const struct hf_yara_rule *rule = hf_yara_rule(t->yara, number);
    const char *dot = strrchr(rule->file, '.'), *slash = strrchr(rule->file, '/');
    int stem = dot != NULL && (slash == NULL || dot > slash) ? (int)(dot - rule->file)
                                                             : (int)strlen(rule->file);
    bool good = true;
    for (int wanted = 1; wanted >= 0; wanted--) {
        char *folder = NULL;
        if (asprintf(&folder, "%.*s.tests/%s/%s", stem, rule->file, rule->name,
                     wanted ? "match" : "clean") < 0)
            return false;
        good = submit_folder(t, number, folder, wanted != 0) && good;
        free(folder);
    }
    return good;
}

/* ---- a source ---- */

static void tell(struct testing *t, const struct sample *s)
{
    const struct hf_yara_rule *rule = hf_yara_rule(t->yara, s->rule);
    bool right = s->answered && !s->broken && s->matched == s->wanted;
    uint64_t *count = right ? &t->passed : &t->wrong;
    (*count)++;
    const char *why = !s->answered || s->broken ? "was not scanned completely"
                      : s->wanted               ? "does not match"
                                                : "matches, and should not";
    if (t->json) {
        hf_buffer_text(&t->out, "{\"file\":");
        hf_json_string(&t->out, hf_bytes_text(rule->file));
        hf_buffer_text(&t->out, ",\"rule\":");
        hf_json_string(&t->out, hf_bytes_text(rule->name));
        hf_buffer_text(&t->out, ",\"sample\":");
        hf_json_string(&t->out, hf_bytes_text(s->label));
        hf_buffer_format(&t->out, ",\"wanted\":\"%s\",\"matched\":%s,\"passed\":%s}\n",
                         s->wanted ? "match" : "clean", s->matched ? "true" : "false",
                         right ? "true" : "false");
    } else if (!right) {
        hf_escape(&t->out, hf_bytes_text(rule->file));
        hf_buffer_format(&t->out, ":%u: rule %s: ", rule->line, rule->name);
        hf_escape(&t->out, hf_bytes_text(s->label));
        hf_buffer_format(&t->out, " %s\n", why);
    }
}

static bool run_samples(struct testing *t)
{
    bool good = true;
    for (size_t i = 0; i < hf_yara_count(t->yara); i++) {
        size_t before = t->count;
        if (!is_testable(hf_yara_rule(t->yara, i)))
            continue;
        t->rules++;
        good = submit_metas(t, i) && good;
        good = submit_folders(t, i) && good;
        t->rules_without += t->count == before;
    }
    hf_pool_flush(t->pool);
    while (hf_pool_pending(t->pool) > 0)
        if (hf_pool_wait(t->pool, -1) != HF_OK)
            return false;
    return good;
}

static void test_compiled(struct testing *t, const struct hf_rule_set *set)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    struct hf_pool_options options = {
        .all_match = true,
        .flat = true,
        .tell = {.rules = true},
        .externals = hf_external_values,
        .external_count = HF_EXTERNALS,
        .has_externals = true,
        .db_fds = &set->fd,
        .db_count = 1,
    };
    hf_limits_default(&options.limits);
    if (hf_pool_open(&t->pool, &options, on_done, t, &error) != HF_OK) {
        hf_buffer_u8(&error, 0);
        hf_complain(t->arguments, "%s", error.failed ? "no worker" : (char *)error.data);
        t->failed = true;
        return;
    }
    t->failed = !run_samples(t) || t->failed;
    hf_pool_close(t->pool);
    t->pool = NULL;
    for (size_t i = 0; i < t->count; i++) {
        tell(t, &t->samples[i]);
        free(t->samples[i].label);
    }
    free(t->samples);
    t->samples = NULL;
    t->count = 0;
}

static void test_source(struct testing *t, const struct hf_rules_source *source)
{
    HF_AUTO(hf_yara_release) struct hf_yara *yara = hf_rules_compiler(on_message, t);
    HF_AUTO(hf_rule_set_done) struct hf_rule_set set = {.fd = -1};
    if (yara == NULL ||
        hf_yara_add(yara, source->path, NULL, hf_buffer_view(&source->text)) == HF_NOMEM ||
        hf_rule_set_compile(&set, yara, NULL, 0, hf_fact_modules, hf_fact_module_count) !=
            HF_OK) {
        t->failed = true;
        return;
    }
    t->yara = yara;
    test_compiled(t, &set);
}

int hf_rules_test(const struct hf_arguments *arguments, bool json)
{
    HF_AUTO(hf_rules_sources_done) struct hf_rules_sources sources;
    struct testing t = {.arguments = arguments, .json = json};
    t.failed = !hf_rules_sources_read(&sources, arguments);
    for (size_t i = 0; i < sources.count; i++)
        test_source(&t, &sources.items[i]);
    if (!json)
        hf_buffer_format(
            &t.out,
            "%llu samples as they should be, %llu not; %llu of %llu rules have "
            "no sample\n",
            (unsigned long long)t.passed, (unsigned long long)t.wrong,
            (unsigned long long)t.rules_without, (unsigned long long)t.rules);
    int code = hf_print(arguments, &t.out);
    hf_buffer_done(&t.out);
    if (t.failed || code != HF_EXIT_OK)
        return HF_EXIT_ERROR;
    return t.wrong > 0 ? HF_EXIT_FOUND : HF_EXIT_OK;
}
