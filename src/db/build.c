#include "db/build.h"
#include "db/build_internal.h"
#include "db/coding.h"
#include "db/names.h"
#include "db/needles.h"
#include "db/signature_id.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void hf_list_add(struct hf_list *list, struct hf_bytes record)
{
    uint32_t start = (uint32_t)list->data.len;
    if (list->data.len > UINT32_MAX - record.len)
        list->data.failed = true;
    hf_buffer_add(&list->starts, &start, sizeof start);
    hf_buffer_bytes(&list->data, record);
    list->count++;
}

struct hf_bytes hf_list_at(const struct hf_list *list, uint32_t number)
{
    const uint32_t *starts = (const uint32_t *)(const void *)list->starts.data;
    size_t end = number + 1 < list->count ? starts[number + 1] : list->data.len;
    return hf_bytes_of(list->data.data + starts[number], end - starts[number]);
}

static void list_done(struct hf_list *list)
{
    hf_buffer_done(&list->data);
    hf_buffer_done(&list->starts);
}

static enum hf_status list_status(const struct hf_list *list)
{
    return list->data.failed || list->starts.failed ? HF_NOMEM : HF_OK;
}

struct hf_build *hf_build_new(hf_build_on_message *on_message, void *user)
{
    struct hf_build *build = calloc(1, sizeof *build);
    if (build == NULL)
        return NULL;
    build->on_message = on_message;
    build->user = user;
    pthread_mutex_init(&build->lock, NULL);
    build->digests = hf_spool_new(HF_DB_DIGEST_KEPT);
    build->allowed = hf_spool_new(HF_DIGEST_MAX);
    if (build->digests == NULL || build->allowed == NULL ||
        hf_build_use_threads(build, 1) != HF_OK) {
        hf_build_free(build);
        return NULL;
    }
    return build;
}

enum hf_status hf_build_use_threads(struct hf_build *build, unsigned threads)
{
    struct hf_jobs *jobs = hf_jobs_new(threads);
    if (jobs == NULL)
        return HF_NOMEM;
    hf_jobs_free(build->jobs);
    build->jobs = jobs;
    build->threads = threads;
    return HF_OK;
}

void hf_build_free(struct hf_build *build)
{
    if (build == NULL)
        return;
    hf_jobs_free(build->jobs);
    hf_batch_done(&build->pending[0]);
    hf_batch_done(&build->pending[1]);
    pthread_mutex_destroy(&build->lock);
    hf_spool_free(build->digests);
    hf_spool_free(build->allowed);
    hf_stems_done(&build->stems);
    list_done(&build->sources);
    list_done(&build->rules);
    list_done(&build->patterns);
    list_done(&build->ignored);
    hf_pins_done(&build->pins);
    list_done(&build->texts);
    hf_buffer_done(&build->tombstones);
    hf_buffer_done(&build->wakes);
    hf_buffer_done(&build->targets);
    for (size_t i = 0; i < build->skipped_count; i++)
        free(build->skipped[i].kind);
    free(build->skipped);
    free(build->file);
    free(build);
}

void hf_build_release(struct hf_build **build)
{
    hf_build_free(*build);
    *build = NULL;
}

void hf_build_use_modules(struct hf_build *build,
                          const struct hf_fact_module *const *modules, size_t count)
{
    build->modules = modules;
    build->module_count = count;
}

enum hf_status hf_build_source(struct hf_build *build, const char *file,
                               const char *licence)
{
    char *copy = strdup(file);
    if (copy == NULL)
        return HF_NOMEM;
    free(build->file);
    build->file = copy;
    build->source = build->sources.count;
    struct hf_buffer record = {0};
    hf_buffer_counted(&record, hf_bytes_text(file));
    hf_buffer_counted(&record, hf_bytes_text(licence));
    hf_list_add(&build->sources, hf_buffer_view(&record));
    bool failed = record.failed;
    hf_buffer_done(&record);
    return failed ? HF_NOMEM : list_status(&build->sources);
}

void hf_build_use_pua(struct hf_build *build, const struct hf_pua *pua)
{
    build->pua = *pua;
}

void hf_build_withdraw(struct hf_build *build, bool withdrawing)
{
    build->withdrawing = withdrawing;
}

enum hf_status hf_build_add_tombstone(struct hf_build *build, uint64_t id)
{
    hf_buffer_add(&build->tombstones, &id, sizeof id);
    build->summary.withdrawn++;
    return build->tombstones.failed ? HF_NOMEM : HF_OK;
}

/* Sources added by nobody's call to hf_build_source. */
static enum hf_status need_source(struct hf_build *build)
{
    return build->sources.count > 0 ? HF_OK : hf_build_source(build, "", "");
}

struct hf_bytes hf_cut_name(struct hf_bytes name)
{
    return hf_bytes_of(name.data, name.len < HF_NAME_MAX ? name.len : HF_NAME_MAX);
}

void hf_build_count(struct hf_build *build, unsigned table, bool any_size, uint64_t count)
{
    bool allow = table >= HF_DB_ALLOW_MD5;
    build->table_counts[table][any_size] += count;
    build->summary.signatures += allow ? 0 : count;
    build->summary.digests += allow ? 0 : count;
    build->summary.allowed += allow ? count : 0;
}

enum { PENDING_MAX = 64 * 1024 };

enum hf_status hf_build_flush(struct hf_build *build)
{
    enum hf_status st =
        hf_spool_take(build->digests, &build->pending[0], build->sequence++);
    return st != HF_OK
               ? st
               : hf_spool_take(build->allowed, &build->pending[1], build->sequence++);
}

enum hf_status hf_build_add_table(struct hf_build *build, enum hf_db_section table,
                                  const uint8_t *digest, size_t length, uint64_t size,
                                  struct hf_bytes name)
{
    bool allow = table >= HF_DB_ALLOW_MD5;
    enum hf_status st = need_source(build);
    if (st != HF_OK)
        return st;
    if (size >= HF_SPOOL_SIZE_ANY && size != HF_BUILD_ANY_SIZE)
        return HF_INVALID;
    name = hf_cut_name(name);
    if (build->withdrawing) {
        struct hf_bytes kept = hf_bytes_of(digest, allow ? length : HF_DB_DIGEST_KEPT);
        return hf_build_add_tombstone(build,
                                      hf_signature_id_digest(table, kept, size, name));
    }
    struct hf_name_parts parts = hf_name_split(name);
    struct hf_spooled record = {
        .table = (uint8_t)table,
        .size = size,
        .number = parts.number,
        .stem = hf_stems_add(&build->stems, &parts, build->source),
    };
    if (build->stems.failed)
        return HF_NOMEM;
    memcpy(record.digest, digest, length);
    hf_build_count(build, table, size == HF_BUILD_ANY_SIZE, 1);
    hf_batch_add(allow ? build->allowed : build->digests, &build->pending[allow], &record);
    return build->pending[allow].count < PENDING_MAX && !build->pending[allow].failed
               ? HF_OK
               : hf_build_flush(build);
}

enum hf_status hf_build_add_digest(struct hf_build *build, enum hf_digest_kind kind,
                                   const uint8_t *digest, uint64_t size,
                                   struct hf_bytes name)
{
    return hf_build_add_table(build, HF_DB_HASH_MD5 + (enum hf_db_section)kind, digest,
                              hf_digest_length(kind), size, name);
}

enum hf_status hf_build_add_allow(struct hf_build *build, enum hf_digest_kind kind,
                                  const uint8_t *digest, uint64_t size,
                                  struct hf_bytes name)
{
    return hf_build_add_table(build, HF_DB_ALLOW_MD5 + (enum hf_db_section)kind, digest,
                              hf_digest_length(kind), size, name);
}

static uint64_t rule_id(const struct hf_rule *rule, const struct hf_pattern *patterns,
                        size_t count, struct hf_bytes name)
{
    struct hf_buffer contents = {0};
    struct hf_rule plain = *rule;
    plain.pattern_first = 0;
    plain.pattern_count = (uint32_t)count;
    hf_rule_write(&plain, &contents);
    for (size_t i = 0; i < count; i++)
        hf_pattern_write(&patterns[i], &contents);
    uint64_t id = hf_signature_id_rule(hf_buffer_view(&contents), name);
    hf_buffer_done(&contents);
    return id;
}

static void add_patterns(struct hf_build *build, const struct hf_pattern *patterns,
                         size_t count)
{
    struct hf_buffer record = {0};
    for (size_t i = 0; i < count; i++) {
        hf_buffer_clear(&record);
        hf_buffer_u32(&record, build->rules.count);
        hf_pattern_write(&patterns[i], &record);
        build->patterns.data.failed |= record.failed;
        hf_list_add(&build->patterns, hf_buffer_view(&record));
    }
    hf_buffer_done(&record);
}

/* Whether every pattern can be searched for; else the rule would silently never match. */
static enum hf_status searchable(const struct hf_pattern *patterns, size_t count,
                                 bool *zeros)
{
    enum hf_status st = HF_OK;
    for (size_t i = 0; i < count && st == HF_OK; i++)
        st = hf_needles_look(&patterns[i], zeros);
    return st;
}

static bool is_chained(const struct hf_pattern *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((patterns[i].flags & HF_PATTERN_LINKED) != 0 ||
            hf_pattern_is_derived(patterns[i].kind))
            return true;
    return false;
}

enum hf_status hf_build_add_rule(struct hf_build *build, const struct hf_rule *rule,
                                 const struct hf_pattern *patterns, size_t count,
                                 struct hf_bytes name)
{
    bool zeros = false;
    enum hf_status st = need_source(build);
    if (st == HF_OK)
        st = searchable(patterns, count, &zeros);
    if (st != HF_OK)
        return st;
    name = hf_cut_name(name);
    uint64_t id = rule_id(rule, patterns, count, name);
    if (build->withdrawing)
        return hf_build_add_tombstone(build, id);
    if (count > UINT32_MAX - build->patterns.count)
        return HF_LIMIT;
    struct hf_name_parts parts = hf_name_split(name);
    struct hf_rule stored = *rule;
    stored.pattern_first = build->patterns.count;
    stored.pattern_count = (uint32_t)count;
    stored.flags |= is_chained(patterns, count) ? HF_RULE_CHAINED : 0u;
    struct hf_buffer record = {0};
    hf_buffer_u32(&record, hf_stems_add(&build->stems, &parts, build->source));
    hf_buffer_u64(&record, parts.number);
    hf_buffer_u64(&record, id);
    hf_rule_write(&stored, &record);
    if ((rule->flags & HF_RULE_WAKES_ALONE) != 0)
        hf_buffer_u32(&build->wakes, build->rules.count);
    add_patterns(build, patterns, count);
    for (size_t i = 0; i < count; i++)
        hf_buffer_u8(&build->targets, rule->scope.target);
    build->matches_zeros |= zeros;
    build->views |= rule->scope.views;
    hf_list_add(&build->rules, hf_buffer_view(&record));
    build->summary.signatures++;
    build->summary.patterns += count;
    bool failed = record.failed || build->stems.failed || build->targets.failed ||
                  build->wakes.failed || list_status(&build->rules) != HF_OK ||
                  list_status(&build->patterns) != HF_OK;
    hf_buffer_done(&record);
    return failed ? HF_NOMEM : HF_OK;
}

enum hf_status hf_build_add_text(struct hf_build *build, struct hf_bytes text)
{
    while (build->texts.count + 1 < build->rules.count)
        hf_list_add(&build->texts, (struct hf_bytes){0});
    if (build->texts.count < build->rules.count)
        hf_list_add(&build->texts, text);
    return list_status(&build->texts);
}

enum hf_status hf_build_add_ignore(struct hf_build *build, struct hf_bytes name)
{
    hf_list_add(&build->ignored, hf_cut_name(name));
    build->summary.ignored++;
    return list_status(&build->ignored);
}

void hf_build_skip(struct hf_build *build, const char *kind)
{
    hf_build_skip_many(build, kind, 1);
}

void hf_build_skip_many(struct hf_build *build, const char *kind, uint64_t count)
{
    build->summary.skipped += count;
    for (size_t i = 0; i < build->skipped_count; i++)
        if (strcmp(build->skipped[i].kind, kind) == 0) {
            build->skipped[i].count += count;
            return;
        }
    struct hf_skipped *more =
        realloc(build->skipped, (build->skipped_count + 1) * sizeof *more);
    char *copy = strdup(kind);
    if (more != NULL)
        build->skipped = more;
    if (more == NULL || copy == NULL) {
        free(copy); /* the total above still counts it */
        return;
    }
    build->skipped[build->skipped_count++] = (struct hf_skipped){copy, count};
}

void hf_build_for_each_skipped(const struct hf_build *build,
                               hf_build_on_skipped *on_skipped, void *user)
{
    for (size_t i = 0; i < build->skipped_count; i++)
        on_skipped(user, build->skipped[i].kind, build->skipped[i].count);
}

void hf_build_bad_line(struct hf_build *build, uint64_t line, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    build->summary.bad_lines++;
    if (build->on_message != NULL)
        build->on_message(build->user, build->file == NULL ? "" : build->file, line, text);
}

struct hf_build_summary hf_build_summary(const struct hf_build *build)
{
    return build->summary;
}
