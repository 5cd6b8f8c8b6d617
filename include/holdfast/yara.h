/* yara.h - libyara's interface over Holdfast's engine: programs written for libyara 4 compile
 * against this header, link with libholdfast-yara, and run their rules in jailed workers. Names,
 * numbers and the meaning of calls are libyara's, so that sources fit; layouts are not: compile
 * again. What is different stands in docs/yara-compatibility.md.
 *
 * Copyright The Holdfast Authors. SPDX-License-Identifier: Apache-2.0
 *
 * Threads: rules may be scanned with from several threads at once; a scanner and a compiler belong
 * to one thread at a time. Scanned bytes are never parsed in the calling process. The program
 * holdfast-worker must be installed, or named by $HOLDFAST_WORKER. */
#ifndef HOLDFAST_YARA_H
#define HOLDFAST_YARA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define YR_API __attribute__((visibility("default")))
#else
#define YR_API
#endif

#define YR_MAJOR_VERSION 4
#define YR_MINOR_VERSION 5
#define YR_MICRO_VERSION 0
#define YR_VERSION       "4.5.0"

#define YR_UNDEFINED INT64_C(0x7FFABADAFABADAFF)

/* Errors that occur here; the numbers are libyara's. */
enum {
    ERROR_SUCCESS = 0,
    ERROR_INSUFFICIENT_MEMORY = 1,
    ERROR_COULD_NOT_ATTACH_TO_PROCESS = 2,
    ERROR_COULD_NOT_OPEN_FILE = 3,
    ERROR_COULD_NOT_MAP_FILE = 4,
    ERROR_INVALID_FILE = 6,
    ERROR_CORRUPT_FILE = 7,
    ERROR_UNSUPPORTED_FILE_VERSION = 8,
    ERROR_SYNTAX_ERROR = 11,
    ERROR_SCAN_TIMEOUT = 26,
    ERROR_CALLBACK_ERROR = 28,
    ERROR_INVALID_ARGUMENT = 29,
    ERROR_TOO_MANY_MATCHES = 30,
    ERROR_INTERNAL_FATAL_ERROR = 31,
    ERROR_INVALID_EXTERNAL_VARIABLE_TYPE = 48,
    ERROR_CALLBACK_REQUIRED = 53,
    ERROR_COULD_NOT_READ_FILE = 55,
    ERROR_DUPLICATED_EXTERNAL_VARIABLE = 56,
    ERROR_WRITING_FILE = 58,
    ERROR_BLOCK_NOT_READY = 61
};

/* What a scan tells its callback, and what that answers. */
#define CALLBACK_MSG_RULE_MATCHING     1 /* YR_RULE * */
#define CALLBACK_MSG_RULE_NOT_MATCHING 2 /* YR_RULE * */
#define CALLBACK_MSG_SCAN_FINISHED     3 /* NULL */
#define CALLBACK_MSG_IMPORT_MODULE     4 /* never sent */
#define CALLBACK_MSG_MODULE_IMPORTED   5 /* never sent */
#define CALLBACK_MSG_TOO_MANY_MATCHES                                                      \
    6                              /* never sent: a million is kept, more are dropped */
#define CALLBACK_MSG_CONSOLE_LOG 7 /* const char * */
#define CALLBACK_MSG_TOO_SLOW_SCANNING                                                     \
    8 /* YR_STRING *: a string of the rule that was given up */
#define CALLBACK_CONTINUE 0
#define CALLBACK_ABORT    1
#define CALLBACK_ERROR    2

#define SCAN_FLAGS_FAST_MODE                 1 /* accepted; scans are never slower */
#define SCAN_FLAGS_PROCESS_MEMORY            2 /* accepted, no effect */
#define SCAN_FLAGS_NO_TRYCATCH               4 /* accepted: workers are other processes */
#define SCAN_FLAGS_REPORT_RULES_MATCHING     8 /* neither of the two: both */
#define SCAN_FLAGS_REPORT_RULES_NOT_MATCHING 16

#define YARA_ERROR_LEVEL_ERROR   0
#define YARA_ERROR_LEVEL_WARNING 1

#define META_TYPE_INTEGER 1
#define META_TYPE_STRING  2
#define META_TYPE_BOOLEAN 3

#define META_FLAGS_LAST_IN_RULE 1
#define META_IS_LAST_IN_RULE(x) (((x)->flags) & META_FLAGS_LAST_IN_RULE)

#define RULE_FLAGS_PRIVATE  0x01
#define RULE_FLAGS_GLOBAL   0x02
#define RULE_FLAGS_NULL     0x04
#define RULE_FLAGS_DISABLED 0x08
#define RULE_IS_PRIVATE(x)  (((x)->flags) & RULE_FLAGS_PRIVATE)
#define RULE_IS_GLOBAL(x)   (((x)->flags) & RULE_FLAGS_GLOBAL)
#define RULE_IS_NULL(x)     (((x)->flags) & RULE_FLAGS_NULL)
#define RULE_IS_DISABLED(x) (((x)->flags) & RULE_FLAGS_DISABLED)

#define STRING_FLAGS_HEXADECIMAL  0x02
#define STRING_FLAGS_NO_CASE      0x04
#define STRING_FLAGS_ASCII        0x08
#define STRING_FLAGS_WIDE         0x10
#define STRING_FLAGS_REGEXP       0x20
#define STRING_FLAGS_FULL_WORD    0x80
#define STRING_FLAGS_LITERAL      0x400
#define STRING_FLAGS_LAST_IN_RULE 0x1000
#define STRING_FLAGS_XOR          0x80000
#define STRING_FLAGS_PRIVATE      0x100000
#define STRING_FLAGS_BASE64       0x200000
#define STRING_IS_HEX(x)          (((x)->flags) & STRING_FLAGS_HEXADECIMAL)
#define STRING_IS_NO_CASE(x)      (((x)->flags) & STRING_FLAGS_NO_CASE)
#define STRING_IS_REGEXP(x)       (((x)->flags) & STRING_FLAGS_REGEXP)
#define STRING_IS_LITERAL(x)      (((x)->flags) & STRING_FLAGS_LITERAL)
#define STRING_IS_PRIVATE(x)      (((x)->flags) & STRING_FLAGS_PRIVATE)
#define STRING_IS_LAST_IN_RULE(x) (((x)->flags) & STRING_FLAGS_LAST_IN_RULE)

typedef struct YR_COMPILER YR_COMPILER;
typedef struct YR_SCANNER YR_SCANNER;
typedef struct YR_SCAN_CONTEXT YR_SCAN_CONTEXT;
typedef int YR_FILE_DESCRIPTOR;

typedef struct YR_NAMESPACE {
    const char *name;
    uint32_t idx;
} YR_NAMESPACE;

typedef struct YR_META {
    const char *identifier;
    const char *string; /* META_TYPE_STRING */
    int64_t integer;    /* the others */
    int32_t type;
    int32_t flags;
} YR_META;

typedef struct YR_STRING {
    uint32_t flags;
    uint32_t idx; /* among all strings of the rules */
    uint32_t rule_idx;
    int32_t length;        /* of string */
    const uint8_t *string; /* of STRING_IS_LITERAL; else NULL */
    const char *identifier;
} YR_STRING;

typedef struct YR_RULE {
    int32_t flags;
    const char *identifier;
    const char *tags; /* one behind the other, each zero-ended; an empty one ends them */
    YR_META *metas;   /* NULL: none */
    YR_STRING *strings;
    YR_NAMESPACE *ns;
} YR_RULE;

typedef struct YR_RULES {
    YR_RULE *rules_table; /* ended by RULE_IS_NULL */
    YR_STRING *strings_table;
    uint32_t num_rules, num_strings, num_namespaces;
    struct hf_yr_rules *own; /* private */
} YR_RULES;

typedef struct YR_MATCH {
    int64_t base; /* 0 */
    int64_t offset;
    int32_t match_length;
    int32_t data_length; /* at most YR_CONFIG_MAX_MATCH_DATA */
    const uint8_t *data;
    struct YR_MATCH *prev, *next;
    bool is_private;
    uint8_t xor_key;
} YR_MATCH;

typedef struct YR_RULES_STATS {
    uint32_t num_rules;
    uint32_t num_strings;
    uint32_t ac_matches; /* 0, as those below: there is no such automaton */
    uint32_t ac_root_match_list_length;
    float ac_average_match_list_length;
    uint32_t top_ac_match_list_lengths[100];
    uint32_t ac_match_list_length_pctls[101];
    uint32_t ac_tables_size;
} YR_RULES_STATS;

typedef struct YR_MEMORY_BLOCK YR_MEMORY_BLOCK;
typedef struct YR_MEMORY_BLOCK_ITERATOR YR_MEMORY_BLOCK_ITERATOR;
typedef const uint8_t *(*YR_MEMORY_BLOCK_FETCH_DATA_FUNC)(YR_MEMORY_BLOCK *self);
typedef YR_MEMORY_BLOCK *(*YR_MEMORY_BLOCK_ITERATOR_FUNC)(YR_MEMORY_BLOCK_ITERATOR *self);
typedef uint64_t (*YR_MEMORY_BLOCK_ITERATOR_SIZE_FUNC)(YR_MEMORY_BLOCK_ITERATOR *self);

struct YR_MEMORY_BLOCK {
    size_t size;
    uint64_t base;
    void *context;
    YR_MEMORY_BLOCK_FETCH_DATA_FUNC fetch_data;
};

struct YR_MEMORY_BLOCK_ITERATOR {
    void *context;
    YR_MEMORY_BLOCK_ITERATOR_FUNC first, next;
    YR_MEMORY_BLOCK_ITERATOR_SIZE_FUNC file_size;
    int last_error;
};

typedef size_t (*YR_STREAM_READ_FUNC)(void *to, size_t size, size_t count, void *user_data);
typedef size_t (*YR_STREAM_WRITE_FUNC)(const void *from, size_t size, size_t count,
                                       void *user_data);
typedef struct _YR_STREAM {
    void *user_data;
    YR_STREAM_READ_FUNC read;
    YR_STREAM_WRITE_FUNC write;
} YR_STREAM;

typedef int (*YR_CALLBACK_FUNC)(YR_SCAN_CONTEXT *context, int message, void *message_data,
                                void *user_data);
typedef void (*YR_COMPILER_CALLBACK_FUNC)(int error_level, const char *file_name,
                                          int line_number, const YR_RULE *rule,
                                          const char *message, void *user_data);
typedef const char *(*YR_COMPILER_INCLUDE_CALLBACK_FUNC)(const char *include_name,
                                                         const char *calling_rule_filename,
                                                         const char *calling_rule_namespace,
                                                         void *user_data);
typedef void (*YR_COMPILER_INCLUDE_FREE_FUNC)(const char *callback_result_ptr,
                                              void *user_data);

typedef enum _YR_CONFIG_NAME {
    YR_CONFIG_STACK_SIZE, /* accepted, no effect */
    YR_CONFIG_MAX_STRINGS_PER_RULE,
    YR_CONFIG_MAX_MATCH_DATA,           /* at most 1 MiB */
    YR_CONFIG_MAX_PROCESS_MEMORY_CHUNK, /* accepted, no effect */
    YR_CONFIG_LAST
} YR_CONFIG_NAME;

/* Iteration. */
YR_API YR_MATCH *hf_yr_first_match(YR_SCAN_CONTEXT *context, const YR_STRING *string);
#define yr_rules_foreach(rules, rule)                                                      \
    for (rule = (rules)->rules_table; !RULE_IS_NULL(rule); rule++)
#define yr_rule_tags_foreach(rule, tag_name)                                               \
    for (tag_name = (rule)->tags; *tag_name != '\0'; tag_name += strlen(tag_name) + 1)
#define yr_rule_metas_foreach(rule, meta)                                                  \
    for (meta = (rule)->metas; meta != NULL;                                               \
         meta = META_IS_LAST_IN_RULE(meta) ? NULL : meta + 1)
#define yr_rule_strings_foreach(rule, string)                                              \
    for (string = (rule)->strings; string != NULL;                                         \
         string = STRING_IS_LAST_IN_RULE(string) ? NULL : string + 1)
#define yr_string_matches_foreach(context, string, match)                                  \
    for (match = hf_yr_first_match(context, string); match != NULL; match = match->next)

/* The library; both may be called any number of times. */
YR_API int yr_initialize(void);
YR_API int yr_finalize(void);
YR_API int yr_set_configuration(YR_CONFIG_NAME name, void *source);
YR_API int yr_set_configuration_uint32(YR_CONFIG_NAME name, uint32_t value);
YR_API int yr_get_configuration(YR_CONFIG_NAME name, void *destination);
YR_API int yr_get_configuration_uint32(YR_CONFIG_NAME name, uint32_t *destination);

/* Compiler. add_*: how many errors there were; with any, get_rules is refused. Externals are
 * defined before the first source. */
YR_API int yr_compiler_create(YR_COMPILER **compiler);
YR_API void yr_compiler_destroy(YR_COMPILER *compiler);
YR_API void yr_compiler_set_callback(YR_COMPILER *compiler,
                                     YR_COMPILER_CALLBACK_FUNC callback, void *user_data);
YR_API void yr_compiler_set_include_callback(YR_COMPILER *compiler,
                                             YR_COMPILER_INCLUDE_CALLBACK_FUNC callback,
                                             YR_COMPILER_INCLUDE_FREE_FUNC include_free,
                                             void *user_data);
YR_API int yr_compiler_add_file(YR_COMPILER *compiler, FILE *rules_file,
                                const char *namespace_, const char *file_name);
YR_API int yr_compiler_add_fd(YR_COMPILER *compiler, YR_FILE_DESCRIPTOR rules_fd,
                              const char *namespace_, const char *file_name);
YR_API int yr_compiler_add_string(YR_COMPILER *compiler, const char *rules_string,
                                  const char *namespace_);
YR_API int yr_compiler_add_bytes(YR_COMPILER *compiler, const void *rules_data,
                                 size_t rules_size, const char *namespace_);
YR_API char *yr_compiler_get_error_message(YR_COMPILER *compiler, char *buffer,
                                           int buffer_size);
YR_API char *yr_compiler_get_current_file_name(YR_COMPILER *compiler);
YR_API int yr_compiler_define_integer_variable(YR_COMPILER *compiler,
                                               const char *identifier, int64_t value);
YR_API int yr_compiler_define_boolean_variable(YR_COMPILER *compiler,
                                               const char *identifier, int value);
YR_API int yr_compiler_define_float_variable(YR_COMPILER *compiler, const char *identifier,
                                             double value);
YR_API int yr_compiler_define_string_variable(YR_COMPILER *compiler, const char *identifier,
                                              const char *value);
YR_API int yr_compiler_get_rules(YR_COMPILER *compiler, YR_RULES **rules);

/* Rules. timeout in seconds, 0: none. Saved rules are our own form, checked when loaded. */
YR_API int yr_rules_scan_mem(YR_RULES *rules, const uint8_t *buffer, size_t buffer_size,
                             int flags, YR_CALLBACK_FUNC callback, void *user_data,
                             int timeout);
YR_API int yr_rules_scan_file(YR_RULES *rules, const char *filename, int flags,
                              YR_CALLBACK_FUNC callback, void *user_data, int timeout);
YR_API int yr_rules_scan_fd(YR_RULES *rules, YR_FILE_DESCRIPTOR fd, int flags,
                            YR_CALLBACK_FUNC callback, void *user_data, int timeout);
YR_API int yr_rules_scan_mem_blocks(YR_RULES *rules, YR_MEMORY_BLOCK_ITERATOR *iterator,
                                    int flags, YR_CALLBACK_FUNC callback, void *user_data,
                                    int timeout);
YR_API int yr_rules_save(YR_RULES *rules, const char *filename);
YR_API int yr_rules_save_stream(YR_RULES *rules, YR_STREAM *stream);
YR_API int yr_rules_load(const char *filename, YR_RULES **rules);
YR_API int yr_rules_load_stream(YR_STREAM *stream, YR_RULES **rules);
YR_API int yr_rules_destroy(YR_RULES *rules);
YR_API int yr_rules_define_integer_variable(YR_RULES *rules, const char *identifier,
                                            int64_t value);
YR_API int yr_rules_define_boolean_variable(YR_RULES *rules, const char *identifier,
                                            int value);
YR_API int yr_rules_define_float_variable(YR_RULES *rules, const char *identifier,
                                          double value);
YR_API int yr_rules_define_string_variable(YR_RULES *rules, const char *identifier,
                                           const char *value);
YR_API int yr_rules_get_stats(YR_RULES *rules, YR_RULES_STATS *stats);
YR_API void yr_rule_disable(YR_RULE *rule);
YR_API void yr_rule_enable(YR_RULE *rule);

/* Scanners keep their worker between scans, and have values of their own. */
YR_API int yr_scanner_create(YR_RULES *rules, YR_SCANNER **scanner);
YR_API void yr_scanner_destroy(YR_SCANNER *scanner);
YR_API void yr_scanner_set_callback(YR_SCANNER *scanner, YR_CALLBACK_FUNC callback,
                                    void *user_data);
YR_API void yr_scanner_set_timeout(YR_SCANNER *scanner, int timeout);
YR_API void yr_scanner_set_flags(YR_SCANNER *scanner, int flags);
YR_API int yr_scanner_define_integer_variable(YR_SCANNER *scanner, const char *identifier,
                                              int64_t value);
YR_API int yr_scanner_define_boolean_variable(YR_SCANNER *scanner, const char *identifier,
                                              int value);
YR_API int yr_scanner_define_float_variable(YR_SCANNER *scanner, const char *identifier,
                                            double value);
YR_API int yr_scanner_define_string_variable(YR_SCANNER *scanner, const char *identifier,
                                             const char *value);
YR_API int yr_scanner_scan_mem(YR_SCANNER *scanner, const uint8_t *buffer,
                               size_t buffer_size);
YR_API int yr_scanner_scan_file(YR_SCANNER *scanner, const char *filename);
YR_API int yr_scanner_scan_fd(YR_SCANNER *scanner, YR_FILE_DESCRIPTOR fd);
YR_API int yr_scanner_scan_mem_blocks(YR_SCANNER *scanner,
                                      YR_MEMORY_BLOCK_ITERATOR *iterator);

#ifdef __cplusplus
}
#endif
#endif
