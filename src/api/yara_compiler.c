/* yara_compiler.c - YR_COMPILER over the compiler of rules/yara. Runs in the calling process: rules
 * are the caller's own. */
#include "api/yara_own.h"
#include "base/auto.h"
#include "base/fd.h"
#include "format/schema.h"
#include "rules/yara/yara.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOURCE_MAX = 1 << 30, MESSAGE_MAX = 1024 };

struct YR_COMPILER {
    struct hf_yara *yara; /* from the first source on */
    struct hf_arena *arena;
    struct hf_yara_external *externals;
    size_t external_count;
    YR_COMPILER_CALLBACK_FUNC callback;
    void *user_data;
    YR_COMPILER_INCLUDE_CALLBACK_FUNC include;
    YR_COMPILER_INCLUDE_FREE_FUNC include_free;
    void *include_user_data;
    const char *name_space; /* of the source at work */
    char message[MESSAGE_MAX], file[MESSAGE_MAX];
};

static uint32_t max_strings, max_match_data = 512;

uint32_t hf_yr_max_strings(void)
{
    return __atomic_load_n(&max_strings, __ATOMIC_RELAXED);
}

uint32_t hf_yr_max_match_data(void)
{
    return __atomic_load_n(&max_match_data, __ATOMIC_RELAXED);
}

int yr_initialize(void)
{
    return ERROR_SUCCESS;
}

int yr_finalize(void)
{
    return ERROR_SUCCESS;
}

int yr_set_configuration_uint32(YR_CONFIG_NAME name, uint32_t value)
{
    if (name >= YR_CONFIG_LAST)
        return ERROR_INVALID_ARGUMENT;
    if (name == YR_CONFIG_MAX_STRINGS_PER_RULE)
        __atomic_store_n(&max_strings, value, __ATOMIC_RELAXED);
    else if (name == YR_CONFIG_MAX_MATCH_DATA)
        __atomic_store_n(&max_match_data, value, __ATOMIC_RELAXED);
    return ERROR_SUCCESS;
}

int yr_set_configuration(YR_CONFIG_NAME name, void *source)
{
    uint32_t value;
    if (source == NULL)
        return ERROR_INTERNAL_FATAL_ERROR;
    memcpy(&value, source, sizeof value);
    return yr_set_configuration_uint32(name, value);
}

int yr_get_configuration_uint32(YR_CONFIG_NAME name, uint32_t *destination)
{
    switch (name) {
    case YR_CONFIG_STACK_SIZE: *destination = 16384; break;
    case YR_CONFIG_MAX_STRINGS_PER_RULE:
        *destination = hf_yr_max_strings() == 0 ? 10000 : hf_yr_max_strings();
        break;
    case YR_CONFIG_MAX_MATCH_DATA: *destination = hf_yr_max_match_data(); break;
    case YR_CONFIG_MAX_PROCESS_MEMORY_CHUNK: *destination = UINT32_C(1) << 30; break;
    default: return ERROR_INVALID_ARGUMENT;
    }
    return ERROR_SUCCESS;
}

int yr_get_configuration(YR_CONFIG_NAME name, void *destination)
{
    return destination == NULL ? ERROR_INTERNAL_FATAL_ERROR
                               : yr_get_configuration_uint32(name, destination);
}

/* ---- the compiler ---- */

static enum hf_status include_file(const char *path, const char *from,
                                   struct hf_arena *arena, const char **name,
                                   struct hf_bytes *text)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer full = {0}, content = {0};
    const char *slash = strrchr(from, '/');
    if (path[0] != '/' && slash != NULL)
        hf_buffer_add(&full, from, (size_t)(slash - from) + 1);
    hf_buffer_text(&full, path);
    *name = full.failed ? NULL : hf_arena_text(arena, hf_buffer_view(&full));
    if (*name == NULL)
        return HF_NOMEM;
    HF_AUTO(hf_fd_release) int fd = open(*name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || hf_fd_read_all(fd, SOURCE_MAX, &content) != HF_OK)
        return HF_IO;
    *text = hf_arena_copy(arena, hf_buffer_view(&content));
    return text->data == NULL && content.len > 0 ? HF_NOMEM : HF_OK;
}

static enum hf_status on_include(void *user, const char *path, const char *from,
                                 struct hf_arena *arena, const char **name,
                                 struct hf_bytes *text)
{
    YR_COMPILER *c = user;
    if (c->include == NULL)
        return include_file(path, from, arena, name, text);
    const char *got =
        c->include(path, from[0] == 0 ? NULL : from,
                   c->name_space == NULL ? "default" : c->name_space, c->include_user_data);
    if (got == NULL)
        return HF_NOTFOUND;
    *name = hf_arena_text(arena, hf_bytes_text(path));
    *text = hf_arena_copy(arena, hf_bytes_text(got));
    if (c->include_free != NULL)
        c->include_free(got, c->include_user_data);
    return *name == NULL ? HF_NOMEM : HF_OK;
}

static void on_message(void *user, const struct hf_yara_message *m)
{
    YR_COMPILER *c = user;
    YR_RULE rule = {.identifier = m->rule, .tags = ""};
    if (!m->warning) {
        snprintf(c->message, sizeof c->message, "%s", m->text);
        snprintf(c->file, sizeof c->file, "%s", m->file);
    }
    if (c->callback != NULL)
        c->callback(m->warning ? YARA_ERROR_LEVEL_WARNING : YARA_ERROR_LEVEL_ERROR,
                    m->file[0] == 0 ? NULL : m->file, (int)m->line,
                    m->rule[0] == 0 ? NULL : &rule, m->text, c->user_data);
}

int yr_compiler_create(YR_COMPILER **compiler)
{
    YR_COMPILER *c = calloc(1, sizeof *c);
    *compiler = c;
    if (c != NULL)
        c->arena = hf_arena_new(64 << 20);
    if (c == NULL || c->arena == NULL) {
        free(c);
        *compiler = NULL;
        return ERROR_INSUFFICIENT_MEMORY;
    }
    return ERROR_SUCCESS;
}

void yr_compiler_destroy(YR_COMPILER *compiler)
{
    if (compiler == NULL)
        return;
    hf_yara_free(compiler->yara);
    hf_arena_free(compiler->arena);
    free(compiler);
}

void yr_compiler_set_callback(YR_COMPILER *compiler, YR_COMPILER_CALLBACK_FUNC callback,
                              void *user_data)
{
    compiler->callback = callback;
    compiler->user_data = user_data;
}

static const char *no_include(const char *name, const char *file, const char *name_space,
                              void *user_data)
{
    (void)name;
    (void)file;
    (void)name_space;
    (void)user_data;
    return NULL;
}

void yr_compiler_set_include_callback(YR_COMPILER *compiler,
                                      YR_COMPILER_INCLUDE_CALLBACK_FUNC callback,
                                      YR_COMPILER_INCLUDE_FREE_FUNC include_free,
                                      void *user_data)
{
    compiler->include = callback == NULL ? no_include : callback;
    compiler->include_free = callback == NULL ? NULL : include_free;
    compiler->include_user_data = user_data;
}

static bool begin(YR_COMPILER *c)
{
    if (c->yara != NULL)
        return true;
    const struct hf_yara_options options = {
        .modules = hf_fact_modules,
        .module_count = hf_fact_module_count,
        .externals = c->externals,
        .external_count = c->external_count,
        .include = on_include,
        .message = on_message,
        .user = c,
        .strings_per_rule = hf_yr_max_strings(),
    };
    c->yara = hf_yara_new(&options);
    return c->yara != NULL;
}

/* Returns how many errors this source had. */
static int add(YR_COMPILER *c, struct hf_bytes text, const char *name_space,
               const char *file)
{
    if (!begin(c))
        return 1;
    size_t before = hf_yara_errors(c->yara);
    c->name_space = name_space;
    enum hf_status st = hf_yara_add(c->yara, file == NULL ? "" : file, name_space, text);
    c->name_space = NULL;
    size_t errors = hf_yara_errors(c->yara) - before;
    return st == HF_OK ? 0 : errors == 0 ? 1 : (int)errors;
}

int yr_compiler_add_bytes(YR_COMPILER *compiler, const void *rules_data, size_t rules_size,
                          const char *namespace_)
{
    return add(compiler, hf_bytes_of(rules_data, rules_size), namespace_, NULL);
}

int yr_compiler_add_string(YR_COMPILER *compiler, const char *rules_string,
                           const char *namespace_)
{
    return add(compiler, hf_bytes_text(rules_string), namespace_, NULL);
}

int yr_compiler_add_fd(YR_COMPILER *compiler, YR_FILE_DESCRIPTOR rules_fd,
                       const char *namespace_, const char *file_name)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    if (hf_fd_read_all(rules_fd, SOURCE_MAX, &text) != HF_OK)
        return 1;
    return add(compiler, hf_buffer_view(&text), namespace_, file_name);
}

int yr_compiler_add_file(YR_COMPILER *compiler, FILE *rules_file, const char *namespace_,
                         const char *file_name)
{
    enum { PIECE = 65536 };
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    for (;;) {
        uint8_t *room = hf_buffer_reserve(&text, PIECE);
        size_t n = room == NULL ? 0 : fread(room, 1, PIECE, rules_file);
        if (n == 0)
            break;
        text.len += n;
    }
    if (text.failed || ferror(rules_file) || text.len > SOURCE_MAX)
        return 1;
    return add(compiler, hf_buffer_view(&text), namespace_, file_name);
}

char *yr_compiler_get_error_message(YR_COMPILER *compiler, char *buffer, int buffer_size)
{
    if (buffer_size > 0)
        snprintf(buffer, (size_t)buffer_size, "%s", compiler->message);
    return buffer;
}

char *yr_compiler_get_current_file_name(YR_COMPILER *compiler)
{
    return compiler->file[0] == 0 ? NULL : compiler->file;
}

static int define(YR_COMPILER *c, const char *identifier, struct hf_value value)
{
    if (identifier == NULL || c->yara != NULL)
        return ERROR_INVALID_ARGUMENT;
    for (size_t i = 0; i < c->external_count; i++)
        if (strcmp(c->externals[i].name, identifier) == 0)
            return ERROR_DUPLICATED_EXTERNAL_VARIABLE;
    struct hf_yara_external *all =
        hf_arena_grow(c->arena, c->externals, c->external_count, sizeof *all);
    const char *name = hf_arena_text(c->arena, hf_bytes_text(identifier));
    if (value.type == HF_FACT_STRING)
        value.string = hf_arena_copy(c->arena, value.string);
    if (all == NULL || name == NULL)
        return ERROR_INSUFFICIENT_MEMORY;
    c->externals = all;
    all[c->external_count++] = (struct hf_yara_external){.name = name, .value = value};
    return ERROR_SUCCESS;
}

int yr_compiler_define_integer_variable(YR_COMPILER *compiler, const char *identifier,
                                        int64_t value)
{
    return define(compiler, identifier, hf_value_int(value));
}

int yr_compiler_define_boolean_variable(YR_COMPILER *compiler, const char *identifier,
                                        int value)
{
    return define(compiler, identifier, hf_value_bool(value != 0));
}

int yr_compiler_define_float_variable(YR_COMPILER *compiler, const char *identifier,
                                      double value)
{
    return define(compiler, identifier, hf_value_real(value));
}

int yr_compiler_define_string_variable(YR_COMPILER *compiler, const char *identifier,
                                       const char *value)
{
    return value == NULL
               ? ERROR_INVALID_ARGUMENT
               : define(compiler, identifier, hf_value_string(hf_bytes_text(value)));
}

int yr_compiler_get_rules(YR_COMPILER *compiler, YR_RULES **rules)
{
    struct hf_rule_set set;
    *rules = NULL;
    if (!begin(compiler))
        return ERROR_INSUFFICIENT_MEMORY;
    if (hf_yara_errors(compiler->yara) > 0)
        return ERROR_SYNTAX_ERROR;
    enum hf_status st = hf_rule_set_compile(&set, compiler->yara, compiler->externals,
                                            compiler->external_count, hf_fact_modules,
                                            hf_fact_module_count);
    if (st == HF_OK && set.left_out > 0 && compiler->callback != NULL)
        compiler->callback(YARA_ERROR_LEVEL_WARNING, NULL, 0, NULL,
                           "some rules cannot be searched for and are left out",
                           compiler->user_data);
    if (st == HF_OK)
        return hf_yr_error(hf_yr_rules_take(&set, rules));
    hf_rule_set_done(&set);
    return hf_yr_error(st);
}
