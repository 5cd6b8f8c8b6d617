/* yara_scanner.c - YR_SCANNER: a worker of its own, and what it tells turned into callbacks. Callbacks
 * run on the thread that scans, while its report is at hand. */
#include "api/yara_own.h"
#include "base/auto.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MATCHES_MAX ((size_t)4 << 30) /* memory of one scan's matches */
/* Of blocks put together; what lies between them is a hole of a memory file. */
#define SPAN_MAX (UINT64_C(64) << 30)

struct matches {
    YR_MATCH *head, *tail;
};

struct YR_SCAN_CONTEXT {
    YR_SCANNER *scanner;
    struct matches *matches; /* by string */
    bool *is_true;           /* by rule */
    struct hf_arena *arena;
};

struct YR_SCANNER {
    struct hf_yr_rules *own;
    YR_CALLBACK_FUNC callback;
    void *user_data;
    int flags, timeout;
    struct hf_pool *pool; /* NULL: none yet, or its values or time are old */
    int pool_timeout;
    uint64_t pool_version;   /* of the rules' values */
    struct hf_value *values; /* owned; as given to this scanner where set is */
    bool *given;
    struct hf_arena *arena; /* of strings in values, and of what the pool was given */
    struct hf_value *pool_values;
    YR_SCANNER *next; /* idle ones of the rules */
    /* the scan at hand */
    bool done;
    int result;
};

YR_MATCH *hf_yr_first_match(YR_SCAN_CONTEXT *context, const YR_STRING *string)
{
    return context->matches[string->idx].head;
}

/* ---- what was told ---- */

/* A rule that can be spoken of: told by a worker, so its number may be anything. */
static YR_RULE *rule_at(const YR_SCANNER *s, uint32_t number)
{
    YR_RULES *rules = &s->own->rules;
    return number < rules->num_rules ? &rules->rules_table[number] : NULL;
}

static YR_STRING *string_at(YR_RULE *rule, uint32_t number)
{
    YR_STRING *string = rule->strings;
    for (; string != NULL && number > 0; number--)
        string = STRING_IS_LAST_IN_RULE(string) ? NULL : string + 1;
    return string;
}

/* False: no memory. */
static bool take_match(YR_SCAN_CONTEXT *x, const YR_STRING *string, const struct hf_told *t)
{
    struct matches *list = &x->matches[string->idx];
    if (STRING_IS_PRIVATE(string) != 0)
        return true;
    YR_MATCH *match = hf_arena_alloc(x->arena, sizeof *match);
    if (match == NULL)
        return false;
    *match = (YR_MATCH){
        .offset = (int64_t)t->offset,
        .match_length = t->length < INT32_MAX ? (int32_t)t->length : INT32_MAX,
        .data_length = (int32_t)t->data.len,
        .data = t->data.data,
        .prev = list->tail,
    };
    if ((string->flags & STRING_FLAGS_XOR) != 0 && string->length > 0 && t->data.len > 0)
        match->xor_key = t->data.data[0] ^ string->string[0];
    if (list->tail != NULL)
        list->tail->next = match;
    else
        list->head = match;
    list->tail = match;
    return true;
}

/* Sort out what was told; lines of the console go to the callback at once. Returns an error, or a
 * callback's answer as one. */
static int answer_of(int callback)
{
    return callback == CALLBACK_ERROR ? ERROR_CALLBACK_ERROR : ERROR_SUCCESS;
}

static int say_line(YR_SCAN_CONTEXT *x, struct hf_bytes line, bool *ended)
{
    char *text = hf_arena_text(x->arena, line);
    if (text == NULL)
        return ERROR_INSUFFICIENT_MEMORY;
    const YR_SCANNER *s = x->scanner;
    int answer = s->callback(x, CALLBACK_MSG_CONSOLE_LOG, text, s->user_data);
    *ended = answer != CALLBACK_CONTINUE;
    return answer_of(answer);
}

static int collect(YR_SCAN_CONTEXT *x, struct hf_bytes told, bool *ended)
{
    struct hf_cursor c = hf_cursor_open(told.data, told.len, NULL);
    struct hf_told t = {0};
    YR_RULE *rule = NULL;
    enum hf_status st;
    while ((st = hf_told_next(&c, &t)) == HF_OK && !*ended) {
        if (t.kind == HF_TOLD_LINE) {
            int failed = say_line(x, t.data, ended);
            if (failed != ERROR_SUCCESS)
                return failed;
        } else if (t.kind == HF_TOLD_RULE) {
            rule = t.segment == 0 ? rule_at(x->scanner, t.rule) : NULL;
            if (rule != NULL)
                x->is_true[t.rule] = true;
        } else if (rule != NULL) {
            const YR_STRING *string = string_at(rule, t.pattern);
            if (string != NULL && !take_match(x, string, &t))
                return ERROR_INSUFFICIENT_MEMORY;
        }
    }
    return st == HF_MALFORMED ? ERROR_INTERNAL_FATAL_ERROR : ERROR_SUCCESS;
}

static int tell_rules(YR_SCAN_CONTEXT *x, bool *ended)
{
    const YR_SCANNER *s = x->scanner;
    YR_RULES *rules = &s->own->rules;
    int both = SCAN_FLAGS_REPORT_RULES_MATCHING | SCAN_FLAGS_REPORT_RULES_NOT_MATCHING;
    int wanted = (s->flags & both) == 0 ? both : s->flags & both;
    for (uint32_t i = 0; i < rules->num_rules && !*ended; i++) {
        YR_RULE *rule = &rules->rules_table[i];
        bool matches = x->is_true[i] && !RULE_IS_DISABLED(rule);
        int flag = matches ? SCAN_FLAGS_REPORT_RULES_MATCHING
                           : SCAN_FLAGS_REPORT_RULES_NOT_MATCHING;
        if (RULE_IS_PRIVATE(rule) || (wanted & flag) == 0)
            continue;
        int answer = s->callback(
            x, matches ? CALLBACK_MSG_RULE_MATCHING : CALLBACK_MSG_RULE_NOT_MATCHING, rule,
            s->user_data);
        *ended = answer != CALLBACK_CONTINUE;
        if (answer == CALLBACK_ERROR)
            return ERROR_CALLBACK_ERROR;
    }
    return ERROR_SUCCESS;
}

/* What was given up is never kept quiet. */
static int tell_suspended(YR_SCAN_CONTEXT *x, const struct hf_report *report, bool *ended)
{
    const YR_SCANNER *s = x->scanner;
    for (size_t i = 0; i < report->suspended_count && !*ended; i++) {
        uint32_t number = report->suspended[i].number;
        YR_RULE *rule =
            number < s->own->signature_count ? rule_at(s, s->own->rule_of[number]) : NULL;
        if (rule == NULL || rule->strings == NULL)
            continue;
        int answer =
            s->callback(x, CALLBACK_MSG_TOO_SLOW_SCANNING, rule->strings, s->user_data);
        *ended = answer != CALLBACK_CONTINUE;
        if (answer == CALLBACK_ERROR)
            return ERROR_CALLBACK_ERROR;
    }
    return ERROR_SUCCESS;
}

static int incomplete(const struct hf_report *report)
{
    if ((report->reasons & HF_REASON_TIMEOUT) != 0)
        return ERROR_SCAN_TIMEOUT;
    return (report->reasons & (HF_REASON_CRASH | HF_REASON_LIMIT)) != 0
               ? ERROR_INTERNAL_FATAL_ERROR
               : ERROR_SUCCESS;
}

static int deliver(YR_SCANNER *s, const struct hf_report *report)
{
    YR_RULES *rules = &s->own->rules;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(MATCHES_MAX);
    if (arena == NULL)
        return ERROR_INSUFFICIENT_MEMORY;
    YR_SCAN_CONTEXT x = {.scanner = s, .arena = arena};
    x.matches = hf_arena_array(arena, (size_t)rules->num_strings + 1, sizeof *x.matches);
    x.is_true = hf_arena_array(arena, (size_t)rules->num_rules + 1, sizeof *x.is_true);
    if (x.matches == NULL || x.is_true == NULL)
        return ERROR_INSUFFICIENT_MEMORY;
    bool ended = false;
    int result = collect(&x, report->told, &ended);
    if (result == ERROR_SUCCESS && !ended)
        result = tell_suspended(&x, report, &ended);
    if (result == ERROR_SUCCESS && !ended)
        result = incomplete(report);
    if (result == ERROR_SUCCESS && !ended)
        result = tell_rules(&x, &ended);
    if (result == ERROR_SUCCESS && !ended)
        result = answer_of(s->callback(&x, CALLBACK_MSG_SCAN_FINISHED, NULL, s->user_data));
    return result;
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    YR_SCANNER *s = user;
    (void)id;
    s->result = status == HF_OK ? deliver(s, report) : hf_yr_error(status);
    s->done = true;
}

/* ---- scanning ---- */

static bool keep_string(struct hf_arena *arena, struct hf_value *v)
{
    if (v->type != HF_FACT_STRING)
        return true;
    v->string.data = (const uint8_t *)hf_arena_text(arena, v->string);
    return v->string.data != NULL;
}

/* The values that a new worker gets: the scanner's own before those of the rules. */
static bool gather_values(YR_SCANNER *s)
{
    struct hf_rule_set *set = &s->own->set;
    bool good = true;
    s->pool_values = hf_arena_array(s->arena, set->count + 1, sizeof *s->pool_values);
    if (s->pool_values == NULL)
        return false;
    pthread_mutex_lock(&s->own->lock);
    s->pool_version = s->own->values_version;
    for (size_t i = 0; i < set->count && good; i++) {
        s->pool_values[i] = s->given[i] ? s->values[i] : set->values[i];
        good = keep_string(s->arena, &s->pool_values[i]);
    }
    pthread_mutex_unlock(&s->own->lock);
    return good;
}

static enum hf_status start_pool(YR_SCANNER *s)
{
    pthread_mutex_lock(&s->own->lock);
    bool fresh = s->pool_version == s->own->values_version;
    pthread_mutex_unlock(&s->own->lock);
    if (s->pool != NULL && fresh && s->pool_timeout == s->timeout)
        return HF_OK;
    hf_pool_close(s->pool);
    s->pool = NULL;
    if (!gather_values(s))
        return HF_NOMEM;
    s->pool_timeout = s->timeout;
    const struct hf_pool_options options = {
        .workers = 1,
        .all_match = true,
        .flat = true,
        .tell = {.rules = true,
                 .matches = true,
                 .lines = true,
                 .data_max = hf_yr_max_match_data()},
        .externals = s->pool_values,
        .external_count = s->own->set.count,
        .has_externals = true,
        .limits = {.time_ms = s->timeout > 0 ? (uint64_t)s->timeout * 1000 : 0},
        .db_fds = &s->own->set.fd,
        .db_count = 1,
    };
    return hf_pool_open(&s->pool, &options, on_done, s, NULL);
}

/* fd is taken. */
static int scan_taken(YR_SCANNER *s, int fd)
{
    if (s->callback == NULL) {
        close(fd);
        return ERROR_CALLBACK_REQUIRED;
    }
    enum hf_status st = start_pool(s);
    if (st != HF_OK) {
        close(fd);
        return st == HF_NOMEM ? ERROR_INSUFFICIENT_MEMORY : ERROR_INTERNAL_FATAL_ERROR;
    }
    s->done = false;
    st = hf_pool_submit(s->pool, fd, 0);
    hf_pool_flush(s->pool);
    while (st == HF_OK && !s->done)
        st = hf_pool_wait(s->pool, -1);
    if (st != HF_OK) { /* the next scan starts anew */
        hf_pool_close(s->pool);
        s->pool = NULL;
    }
    return s->done ? s->result : ERROR_INTERNAL_FATAL_ERROR;
}

int yr_scanner_scan_mem(YR_SCANNER *scanner, const uint8_t *buffer, size_t buffer_size)
{
    int fd = hf_memfd_of("holdfast-object", hf_bytes_of(buffer, buffer_size));
    return fd < 0 ? ERROR_INSUFFICIENT_MEMORY : scan_taken(scanner, fd);
}

int yr_scanner_scan_file(YR_SCANNER *scanner, const char *filename)
{
    struct stat st;
    int fd = open(filename, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return ERROR_COULD_NOT_OPEN_FILE;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ERROR_COULD_NOT_MAP_FILE;
    }
    return scan_taken(scanner, fd);
}

int yr_scanner_scan_fd(YR_SCANNER *scanner, YR_FILE_DESCRIPTOR fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? ERROR_COULD_NOT_MAP_FILE : scan_taken(scanner, copy);
}

/* Blocks, overlapping or not, become one object again. */
static int gather_blocks(YR_MEMORY_BLOCK_ITERATOR *iterator, int fd)
{
    uint64_t end = 0;
    for (YR_MEMORY_BLOCK *b = iterator->first(iterator); b != NULL;
         b = iterator->next(iterator)) {
        const uint8_t *data = b->size > 0 ? b->fetch_data(b) : NULL;
        if (data == NULL)
            continue; /* as libyara: a block that cannot be had is passed over */
        if (b->base > SPAN_MAX || b->size > SPAN_MAX - b->base)
            return ERROR_INVALID_ARGUMENT;
        for (size_t at = 0; at < b->size;) {
            ssize_t n = pwrite(fd, data + at, b->size - at, (off_t)(b->base + at));
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return ERROR_INSUFFICIENT_MEMORY;
            at += (size_t)n;
        }
        end = b->base + b->size > end ? b->base + b->size : end;
    }
    if (iterator->last_error != ERROR_SUCCESS)
        return iterator->last_error;
    return ftruncate(fd, (off_t)end) == 0 ? ERROR_SUCCESS : ERROR_INSUFFICIENT_MEMORY;
}

int yr_scanner_scan_mem_blocks(YR_SCANNER *scanner, YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    int fd = memfd_create("holdfast-blocks", MFD_CLOEXEC);
    if (fd < 0)
        return ERROR_INSUFFICIENT_MEMORY;
    int failed = gather_blocks(iterator, fd);
    if (failed == ERROR_SUCCESS)
        return scan_taken(scanner, fd);
    close(fd);
    return failed;
}

/* ---- scanners ---- */

int yr_scanner_create(YR_RULES *rules, YR_SCANNER **scanner)
{
    YR_SCANNER *s = calloc(1, sizeof *s);
    *scanner = NULL;
    if (s == NULL)
        return ERROR_INSUFFICIENT_MEMORY;
    s->own = rules->own;
    s->values = calloc(s->own->set.count + 1, sizeof *s->values);
    s->given = calloc(s->own->set.count + 1, sizeof *s->given);
    s->arena = hf_arena_new(MATCHES_MAX);
    if (s->values == NULL || s->given == NULL || s->arena == NULL) {
        yr_scanner_destroy(s);
        return ERROR_INSUFFICIENT_MEMORY;
    }
    *scanner = s;
    return ERROR_SUCCESS;
}

void yr_scanner_destroy(YR_SCANNER *scanner)
{
    if (scanner == NULL)
        return;
    hf_pool_close(scanner->pool);
    hf_arena_free(scanner->arena);
    free(scanner->values);
    free(scanner->given);
    free(scanner);
}

void hf_yr_scanners_free(YR_SCANNER *first)
{
    while (first != NULL) {
        YR_SCANNER *next = first->next;
        yr_scanner_destroy(first);
        first = next;
    }
}

void yr_scanner_set_callback(YR_SCANNER *scanner, YR_CALLBACK_FUNC callback,
                             void *user_data)
{
    scanner->callback = callback;
    scanner->user_data = user_data;
}

void yr_scanner_set_timeout(YR_SCANNER *scanner, int timeout)
{
    scanner->timeout = timeout;
}

void yr_scanner_set_flags(YR_SCANNER *scanner, int flags)
{
    scanner->flags = flags;
}

static int define(YR_SCANNER *s, const char *identifier, struct hf_value value)
{
    struct hf_rule_set *set = &s->own->set;
    if (identifier == NULL)
        return ERROR_INVALID_ARGUMENT;
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->names[i], identifier) != 0)
            continue;
        if (set->values[i].type != value.type)
            return ERROR_INVALID_EXTERNAL_VARIABLE_TYPE;
        if (!keep_string(s->arena, &value))
            return ERROR_INSUFFICIENT_MEMORY;
        s->values[i] = value;
        s->given[i] = true;
        hf_pool_close(s->pool);
        s->pool = NULL;
        return ERROR_SUCCESS;
    }
    return ERROR_INVALID_ARGUMENT;
}

int yr_scanner_define_integer_variable(YR_SCANNER *scanner, const char *identifier,
                                       int64_t value)
{
    return define(scanner, identifier, hf_value_int(value));
}

int yr_scanner_define_boolean_variable(YR_SCANNER *scanner, const char *identifier,
                                       int value)
{
    return define(scanner, identifier, hf_value_bool(value != 0));
}

int yr_scanner_define_float_variable(YR_SCANNER *scanner, const char *identifier,
                                     double value)
{
    return define(scanner, identifier, hf_value_real(value));
}

int yr_scanner_define_string_variable(YR_SCANNER *scanner, const char *identifier,
                                      const char *value)
{
    return value == NULL
               ? ERROR_INVALID_ARGUMENT
               : define(scanner, identifier, hf_value_string(hf_bytes_text(value)));
}

/* ---- calls without a scanner: one that is idle, or a new one ---- */

struct request {
    YR_RULES *rules;
    int flags, timeout;
    YR_CALLBACK_FUNC callback;
    void *user_data;
};

static YR_SCANNER *borrow(const struct request *r)
{
    struct hf_yr_rules *own = r->rules->own;
    pthread_mutex_lock(&own->lock);
    YR_SCANNER *s = own->idle;
    if (s != NULL)
        own->idle = s->next;
    pthread_mutex_unlock(&own->lock);
    if (s == NULL && yr_scanner_create(r->rules, &s) != ERROR_SUCCESS)
        return NULL;
    s->next = NULL;
    s->flags = r->flags;
    s->timeout = r->timeout;
    s->callback = r->callback;
    s->user_data = r->user_data;
    return s;
}

static int give_back(YR_SCANNER *s, int result)
{
    struct hf_yr_rules *own = s->own;
    pthread_mutex_lock(&own->lock);
    s->next = own->idle;
    own->idle = s;
    pthread_mutex_unlock(&own->lock);
    return result;
}

int yr_rules_scan_mem(YR_RULES *rules, const uint8_t *buffer, size_t buffer_size, int flags,
                      YR_CALLBACK_FUNC callback, void *user_data, int timeout)
{
    YR_SCANNER *s = borrow(&(struct request){rules, flags, timeout, callback, user_data});
    return s == NULL ? ERROR_INSUFFICIENT_MEMORY
                     : give_back(s, yr_scanner_scan_mem(s, buffer, buffer_size));
}

int yr_rules_scan_file(YR_RULES *rules, const char *filename, int flags,
                       YR_CALLBACK_FUNC callback, void *user_data, int timeout)
{
    YR_SCANNER *s = borrow(&(struct request){rules, flags, timeout, callback, user_data});
    return s == NULL ? ERROR_INSUFFICIENT_MEMORY
                     : give_back(s, yr_scanner_scan_file(s, filename));
}

int yr_rules_scan_fd(YR_RULES *rules, YR_FILE_DESCRIPTOR fd, int flags,
                     YR_CALLBACK_FUNC callback, void *user_data, int timeout)
{
    YR_SCANNER *s = borrow(&(struct request){rules, flags, timeout, callback, user_data});
    return s == NULL ? ERROR_INSUFFICIENT_MEMORY : give_back(s, yr_scanner_scan_fd(s, fd));
}

int yr_rules_scan_mem_blocks(YR_RULES *rules, YR_MEMORY_BLOCK_ITERATOR *iterator, int flags,
                             YR_CALLBACK_FUNC callback, void *user_data, int timeout)
{
    YR_SCANNER *s = borrow(&(struct request){rules, flags, timeout, callback, user_data});
    return s == NULL ? ERROR_INSUFFICIENT_MEMORY
                     : give_back(s, yr_scanner_scan_mem_blocks(s, iterator));
}
