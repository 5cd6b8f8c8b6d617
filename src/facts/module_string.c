#include "facts/bytes.h"

#include <errno.h>
#include <stdlib.h>

/* The number that a whole string is, as strtoll reads it: white space, sign, prefix by base. A
 * zero byte ends the string, as in YARA, which works on C strings. */
static void number_of(struct hf_facts *facts, struct hf_bytes string, int base,
                      struct hf_value *out)
{
    if (!hf_budget_work(facts->object.budget, string.len / 1024 + 1))
        return;
    struct hf_arena_mark mark = hf_arena_mark(facts->arena);
    char *text = hf_arena_text(facts->arena, string), *end;
    if (text == NULL)
        return;
    errno = 0;
    long long value = strtoll(text, &end, base);
    if (errno == 0 && end != text && *end == '\0')
        *out = hf_value_int(value);
    hf_arena_rewind(facts->arena, mark);
}

static void to_int(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    number_of(facts, args[0].string, 0, out);
}

static void to_int_of_base(struct hf_facts *facts, const struct hf_value *args,
                           struct hf_value *out)
{
    int64_t base = args[1].integer;
    if (base == 0 || (base >= 2 && base <= 36))
        number_of(facts, args[0].string, (int)base, out);
}

static void length(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    *out = hf_value_int((int64_t)args[0].string.len);
}

struct string_state {
    char none;
};

static const struct hf_fact_field string_rows[] = {
    HF_FACT_CALL("to_int", "s", HF_FACT_INT, to_int,
                 "the number that the whole string is: decimal, 0x hexadecimal, 0 octal"),
    HF_FACT_CALL("to_int", "si", HF_FACT_INT, to_int_of_base,
                 "the number that the whole string is, in a base of 2 to 36"),
    HF_FACT_CALL("length", "s", HF_FACT_INT, length, "bytes of the string"),
};
static const struct hf_fact_record string_record =
    HF_FACT_TABLE("string", struct string_state, string_rows);
const struct hf_fact_module hf_string_module = {.name = "string", .record = &string_record};
