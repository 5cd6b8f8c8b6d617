/* yara_rules.c - YR_RULES: the tables that callers walk through, made from the database; saved and
 * loaded as db/rule_set.h has it. */
#include "api/yara_own.h"
#include "base/auto.h"
#include "base/fd.h"
#include "rules/rule_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 2000000000, STREAM_PIECE = 65536 };
#define TABLES_MAX ((size_t)8 << 30)

int hf_yr_error(enum hf_status status)
{
    switch (status) {
    case HF_OK: return ERROR_SUCCESS;
    case HF_NOMEM: return ERROR_INSUFFICIENT_MEMORY;
    case HF_MALFORMED:
    case HF_TRUNCATED: return ERROR_CORRUPT_FILE;
    case HF_UNSUPPORTED: return ERROR_UNSUPPORTED_FILE_VERSION;
    case HF_INVALID: return ERROR_INVALID_ARGUMENT;
    case HF_IO: return ERROR_COULD_NOT_MAP_FILE;
    default: return ERROR_INTERNAL_FATAL_ERROR;
    }
}

/* ---- tables ---- */

struct making {
    struct hf_yr_rules *own;
    const struct hf_db *db;
    bool failed;
    YR_NAMESPACE **spaces;
    size_t space_count;
};

static const char *text_of(struct making *m, struct hf_bytes bytes)
{
    const char *text = hf_arena_text(m->own->arena, bytes);
    m->failed = m->failed || text == NULL;
    return text == NULL ? "" : text;
}

/* Rules of one namespace stand together mostly: the last ones first. */
static YR_NAMESPACE *space_of(struct making *m, struct hf_bytes name)
{
    for (size_t i = m->space_count; i > 0; i--)
        if (hf_bytes_equal(hf_bytes_text(m->spaces[i - 1]->name), name))
            return m->spaces[i - 1];
    YR_NAMESPACE **all =
        hf_arena_grow(m->own->arena, (void *)m->spaces, m->space_count, sizeof *all);
    YR_NAMESPACE *space = hf_arena_alloc(m->own->arena, sizeof *space);
    if (all == NULL || space == NULL) {
        m->failed = true;
        return NULL;
    }
    m->spaces = all;
    *space = (YR_NAMESPACE){text_of(m, name), (uint32_t)m->space_count};
    all[m->space_count++] = space;
    return space;
}

static const char *make_tags(struct making *m, struct hf_rule_text *text)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer tags = {0};
    struct hf_bytes tag;
    while (hf_rule_text_tag(text, &tag)) {
        hf_buffer_bytes(&tags, tag);
        hf_buffer_u8(&tags, 0);
    }
    m->failed = m->failed || tags.failed;
    return text_of(m, hf_buffer_view(&tags)); /* which ends with a zero of its own */
}

static YR_META *make_metas(struct making *m, struct hf_rule_text *text)
{
    YR_META *metas = hf_arena_array(m->own->arena, text->metas, sizeof *metas);
    struct hf_rule_meta meta;
    uint32_t n = 0, room = text->metas;
    if (metas == NULL) {
        m->failed = true;
        return NULL;
    }
    for (; n < room && hf_rule_text_meta(text, &meta); n++) {
        const struct hf_value *v = &meta.value;
        metas[n] = (YR_META){.identifier = text_of(m, meta.name)};
        if (v->type == HF_FACT_STRING)
            metas[n].string = text_of(m, v->string);
        else
            metas[n].integer = v->integer;
        metas[n].type = v->type == HF_FACT_STRING ? META_TYPE_STRING
                        : v->type == HF_FACT_BOOL ? META_TYPE_BOOLEAN
                                                  : META_TYPE_INTEGER;
    }
    if (n > 0)
        metas[n - 1].flags |= META_FLAGS_LAST_IN_RULE;
    return n > 0 ? metas : NULL;
}

static uint32_t string_flags(const struct hf_pattern *pattern,
                             const struct hf_rule_string *string)
{
    static const struct {
        uint32_t ours, theirs;
    } flags[] = {
        {HF_PATTERN_NOCASE, STRING_FLAGS_NO_CASE},
        {HF_PATTERN_ASCII, STRING_FLAGS_ASCII},
        {HF_PATTERN_WIDE, STRING_FLAGS_WIDE},
        {HF_PATTERN_FULLWORD, STRING_FLAGS_FULL_WORD},
        {HF_PATTERN_XOR, STRING_FLAGS_XOR},
        {HF_PATTERN_BASE64, STRING_FLAGS_BASE64},
        {HF_PATTERN_PRIVATE, STRING_FLAGS_PRIVATE},
    };
    uint32_t result = string->hex ? STRING_FLAGS_HEXADECIMAL : 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if ((pattern->flags & flags[i].ours) != 0)
            result |= flags[i].theirs;
    if (pattern->kind == HF_PATTERN_LITERAL)
        result |= STRING_FLAGS_LITERAL;
    if (pattern->kind == HF_PATTERN_REGEX)
        result |= STRING_FLAGS_REGEXP;
    return result;
}

static YR_STRING *make_strings(struct making *m, struct hf_rule_text *text, uint32_t number,
                               const struct hf_rule *rule)
{
    YR_RULES *rules = &m->own->rules;
    YR_STRING *first = &rules->strings_table[rules->num_strings], *s = NULL;
    struct hf_rule_string string;
    for (uint32_t i = 0; i < rule->pattern_count && hf_rule_text_string(text, &string);
         i++) {
        struct hf_pattern pattern = {0};
        uint32_t owner;
        if (hf_db_pattern(m->db, 0, rule->pattern_first + i, &pattern, &owner) != HF_OK)
            m->failed = true;
        s = &rules->strings_table[rules->num_strings];
        *s = (YR_STRING){.flags = string_flags(&pattern, &string),
                         .idx = rules->num_strings++,
                         .rule_idx = number,
                         .identifier = text_of(m, string.name)};
        if (pattern.kind == HF_PATTERN_LITERAL) {
            s->string = pattern.text.data;
            s->length = (int32_t)pattern.text.len;
        }
    }
    if (s == NULL)
        return NULL;
    s->flags |= STRING_FLAGS_LAST_IN_RULE;
    return first;
}

static void make_rule(struct making *m, uint32_t number)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    struct hf_rule rule;
    struct hf_signature signature = {0};
    if (hf_db_rule(m->db, 0, number, &rule, &signature.number) != HF_OK ||
        hf_db_name(m->db, signature, &name) != HF_OK) {
        m->failed = true;
        return;
    }
    if (signature.number < m->own->signature_count)
        m->own->rule_of[signature.number] = number;
    struct hf_rule_text text = hf_rule_text_begin(hf_db_rule_text(m->db, 0, number));
    YR_RULE *r = &m->own->rules.rules_table[number];
    r->flags = ((rule.flags & HF_RULE_PRIVATE) != 0 ? RULE_FLAGS_PRIVATE : 0) |
               (text.is_global ? RULE_FLAGS_GLOBAL : 0);
    r->identifier = text_of(m, hf_buffer_view(&name));
    r->ns = space_of(m, text.name_space);
    r->tags = make_tags(m, &text);
    r->metas = make_metas(m, &text);
    r->strings = make_strings(m, &text, number, &rule);
}

static bool make_tables(struct hf_yr_rules *own)
{
    struct making m = {.own = own, .db = own->set.db};
    YR_RULES *rules = &own->rules;
    uint64_t patterns = 0, signatures = 0;
    (void)hf_db_section(m.db, 0, HF_DB_PATTERNS, &patterns);
    (void)hf_db_section(m.db, 0, HF_DB_SIGNATURES, &signatures);
    rules->num_rules = hf_db_rule_count(m.db, 0);
    own->signature_count = (uint32_t)signatures;
    rules->rules_table =
        hf_arena_array(own->arena, (size_t)rules->num_rules + 1, sizeof(YR_RULE));
    rules->strings_table =
        hf_arena_array(own->arena, (size_t)patterns + 1, sizeof(YR_STRING));
    own->rule_of = hf_arena_array(own->arena, (size_t)signatures + 1, sizeof(uint32_t));
    if (rules->rules_table == NULL || rules->strings_table == NULL || own->rule_of == NULL)
        return false;
    memset(own->rule_of, 0xff, (size_t)signatures * sizeof(uint32_t));
    for (uint32_t i = 0; i < rules->num_rules && !m.failed; i++)
        make_rule(&m, i);
    rules->rules_table[rules->num_rules].flags = RULE_FLAGS_NULL;
    rules->num_namespaces = (uint32_t)m.space_count;
    return !m.failed;
}

enum hf_status hf_yr_rules_take(struct hf_rule_set *set, YR_RULES **out)
{
    struct hf_yr_rules *own = calloc(1, sizeof *own);
    *out = NULL;
    if (own == NULL) {
        hf_rule_set_done(set);
        return HF_NOMEM;
    }
    own->set = *set;
    own->arena = hf_arena_new(TABLES_MAX);
    own->rules.own = own;
    pthread_mutex_init(&own->lock, NULL);
    if (own->arena == NULL || !make_tables(own)) {
        yr_rules_destroy(&own->rules);
        return HF_NOMEM;
    }
    *out = &own->rules;
    return HF_OK;
}

int yr_rules_destroy(YR_RULES *rules)
{
    if (rules == NULL)
        return ERROR_SUCCESS;
    struct hf_yr_rules *own = rules->own;
    hf_yr_scanners_free(own->idle);
    pthread_mutex_destroy(&own->lock);
    hf_rule_set_done(&own->set);
    hf_arena_free(own->arena);
    free(own);
    return ERROR_SUCCESS;
}

int yr_rules_get_stats(YR_RULES *rules, YR_RULES_STATS *stats)
{
    *stats =
        (YR_RULES_STATS){.num_rules = rules->num_rules, .num_strings = rules->num_strings};
    return ERROR_SUCCESS;
}

void yr_rule_disable(YR_RULE *rule)
{
    rule->flags |= RULE_FLAGS_DISABLED;
}

void yr_rule_enable(YR_RULE *rule)
{
    rule->flags &= ~RULE_FLAGS_DISABLED;
}

/* ---- values ---- */

static int define(YR_RULES *rules, const char *identifier, struct hf_value value)
{
    struct hf_yr_rules *own = rules->own;
    if (identifier == NULL)
        return ERROR_INVALID_ARGUMENT;
    pthread_mutex_lock(&own->lock);
    enum hf_status st = hf_rule_set_define(&own->set, identifier, &value);
    own->values_version++;
    pthread_mutex_unlock(&own->lock);
    return st == HF_INVALID    ? ERROR_INVALID_EXTERNAL_VARIABLE_TYPE
           : st == HF_NOTFOUND ? ERROR_INVALID_ARGUMENT
                               : hf_yr_error(st);
}

int yr_rules_define_integer_variable(YR_RULES *rules, const char *identifier, int64_t value)
{
    return define(rules, identifier, hf_value_int(value));
}

int yr_rules_define_boolean_variable(YR_RULES *rules, const char *identifier, int value)
{
    return define(rules, identifier, hf_value_bool(value != 0));
}

int yr_rules_define_float_variable(YR_RULES *rules, const char *identifier, double value)
{
    return define(rules, identifier, hf_value_real(value));
}

int yr_rules_define_string_variable(YR_RULES *rules, const char *identifier,
                                    const char *value)
{
    return value == NULL ? ERROR_INVALID_ARGUMENT
                         : define(rules, identifier, hf_value_string(hf_bytes_text(value)));
}

/* ---- files ---- */

int yr_rules_save(YR_RULES *rules, const char *filename)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    HF_AUTO(hf_fd_release)
    int fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        return ERROR_COULD_NOT_OPEN_FILE;
    enum hf_status st = hf_rule_set_write(&rules->own->set, &out);
    if (st != HF_OK)
        return hf_yr_error(st);
    return hf_fd_write(fd, out.data, out.len) == HF_OK ? ERROR_SUCCESS : ERROR_WRITING_FILE;
}

int yr_rules_save_stream(YR_RULES *rules, YR_STREAM *stream)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    enum hf_status st = hf_rule_set_write(&rules->own->set, &out);
    if (st != HF_OK)
        return hf_yr_error(st);
    return stream->write(out.data, out.len, 1, stream->user_data) == 1 ? ERROR_SUCCESS
                                                                       : ERROR_WRITING_FILE;
}

static int load(struct hf_bytes file, YR_RULES **rules)
{
    struct hf_rule_set set;
    if (!hf_rule_set_is(file))
        return ERROR_INVALID_FILE;
    enum hf_status st = hf_rule_set_read(&set, file);
    if (st == HF_OK)
        return hf_yr_error(hf_yr_rules_take(&set, rules));
    hf_rule_set_done(&set);
    return hf_yr_error(st);
}

int yr_rules_load(const char *filename, YR_RULES **rules)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer file = {0};
    HF_AUTO(hf_fd_release) int fd = open(filename, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    *rules = NULL;
    if (fd < 0)
        return ERROR_COULD_NOT_OPEN_FILE;
    if (hf_fd_read_all(fd, FILE_MAX, &file) != HF_OK)
        return ERROR_COULD_NOT_READ_FILE;
    return load(hf_buffer_view(&file), rules);
}

int yr_rules_load_stream(YR_STREAM *stream, YR_RULES **rules)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer file = {0};
    *rules = NULL;
    for (;;) {
        uint8_t *room = hf_buffer_reserve(&file, STREAM_PIECE);
        size_t n =
            room == NULL ? 0 : stream->read(room, 1, STREAM_PIECE, stream->user_data);
        if (n == 0 || n > STREAM_PIECE || file.len > FILE_MAX)
            break;
        file.len += n;
    }
    return file.failed ? ERROR_INSUFFICIENT_MEMORY : load(hf_buffer_view(&file), rules);
}
