/* facts_calls FILE - calls functions of fact modules for comparisons with yara.
 *
 * Each line of the input is MODULE NAME SIGNATURE ARGUMENT...: integers and floats as digits,
 * booleans as 0 and 1, strings as hexadecimal digits behind an x. Each line of the output is the
 * value: digits, a float with 17 of them, a string behind an x, or "undefined". */
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "facts/bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hf_fact_module *const modules[] = {&hf_hash_module, &hf_math_module,
                                                       &hf_string_module};
enum { MODULES = sizeof modules / sizeof *modules, ARGUMENTS_MAX = 4, STRING_MAX = 4096 };

static struct hf_value argument(char type, const char *text, struct hf_arena *arena)
{
    uint8_t *bytes;
    switch (type) {
    case 'i': return hf_value_int(strtoll(text, NULL, 10));
    case 'b': return hf_value_bool(text[0] == '1');
    case 'f': return hf_value_real(strtod(text, NULL));
    default:
        bytes = hf_arena_alloc(arena, STRING_MAX);
        return hf_value_string(
            hf_bytes_of(bytes, hf_unhex(hf_bytes_text(text + 1), bytes, STRING_MAX)));
    }
}

static void print(struct hf_value v)
{
    struct hf_buffer text = {0};
    if (!v.defined)
        hf_buffer_text(&text, "undefined");
    else if (v.type == HF_FACT_FLOAT)
        hf_buffer_format(&text, "%.17g", v.real);
    else if (v.type != HF_FACT_STRING)
        hf_buffer_format(&text, "%lld", (long long)v.integer);
    else {
        hf_buffer_u8(&text, 'x');
        hf_hex(&text, v.string);
    }
    printf("%.*s\n", (int)text.len, (const char *)text.data);
    hf_buffer_done(&text);
}

static bool call(struct hf_facts *facts, char *line)
{
    struct hf_value args[ARGUMENTS_MAX];
    const char *module = strtok(line, " \n"), *name = strtok(NULL, " \n");
    const char *signature = strtok(NULL, " \n");
    size_t m = 0;
    while (m < MODULES && strcmp(modules[m]->name, module) != 0)
        m++;
    if (m == MODULES || signature == NULL)
        return false;
    signature = strcmp(signature, "-") == 0 ? "" : signature;
    const struct hf_fact_record *record = modules[m]->record;
    size_t f = hf_fact_find_call(record, hf_bytes_text(name), signature);
    if (f == SIZE_MAX)
        return false;
    for (size_t i = 0; signature[i] != '\0'; i++)
        args[i] = argument(signature[i], strtok(NULL, " \n"), facts->arena);
    print(hf_facts_call(facts, &record->fields[f], args));
    return true;
}

int main(int argc, char **argv)
{
    HF_AUTO(hf_fd_release) int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 28);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    char line[2 * STRING_MAX];
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK) {
        fprintf(stderr, "usage: facts_calls FILE <calls\n");
        return 2;
    }
    struct hf_cursor object = hf_cursor_open(map.data, map.len, NULL);
    struct hf_facts facts = hf_facts_of(modules, MODULES, object, arena, NULL);
    facts.hasher = hasher;
    while (fgets(line, sizeof line, stdin) != NULL)
        if (!call(&facts, line))
            return 1;
    return 0;
}
