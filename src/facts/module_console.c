/* module_console.c - console.log and console.hex: rules that tell what they see. Always 1, whether
 * anybody listens or not. [yara 4.5 libyara/modules/console] */
#include "base/buffer.h"
#include "facts/modules.h"

enum { LINE_MAX_BYTES = 64 << 10 }; /* a rule can log its whole object: the rest is cut */

/* Printable ASCII as it is, other bytes as \x00. Not hf_escape: YARA's form counts here. */
static void put_printable(struct hf_buffer *line, struct hf_bytes text)
{
    for (size_t i = 0; i < text.len && line->len < LINE_MAX_BYTES; i++) {
        if (text.data[i] >= 0x20 && text.data[i] < 0x7f)
            hf_buffer_u8(line, text.data[i]);
        else
            hf_buffer_format(line, "\\x%02x", text.data[i]);
    }
}

static size_t c_length(struct hf_bytes text)
{
    const uint8_t *zero = text.len == 0 ? NULL : memchr(text.data, 0, text.len);
    return zero == NULL ? text.len : (size_t)(zero - text.data);
}

static void put_value(struct hf_buffer *line, const struct hf_value *v, bool hex)
{
    if (v->type == HF_FACT_STRING)
        put_printable(line, v->string);
    else if (v->type == HF_FACT_FLOAT)
        hf_buffer_format(line, "%f", v->real);
    else if (hex)
        hf_buffer_format(line, "0x%llx", (unsigned long long)v->integer);
    else
        hf_buffer_format(line, "%lld", (long long)v->integer);
}

static void say(struct hf_facts *facts, const struct hf_value *args, size_t count, bool hex,
                struct hf_value *out)
{
    struct hf_buffer line = {0};
    const struct hf_fact_outside *outside = facts->outside;
    *out = hf_value_int(1);
    if (outside == NULL || outside->log == NULL ||
        !hf_budget_work(facts->object.budget, LINE_MAX_BYTES / 1024))
        return;
    if (count == 2) /* the message is the rule's own and stays as it is, up to a zero */
        hf_buffer_bytes(&line, hf_bytes_of(args[0].string.data, c_length(args[0].string)));
    put_value(&line, &args[count - 1], hex);
    if (!line.failed)
        outside->log(outside->user, hf_buffer_view(&line));
    hf_buffer_done(&line);
}

static void log_value(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    say(facts, args, 1, false, out);
}

static void log_message(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    say(facts, args, 2, false, out);
}

static void hex_value(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    say(facts, args, 1, true, out);
}

static void hex_message(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    say(facts, args, 2, true, out);
}

struct console_state {
    char none;
};

static const struct hf_fact_field console_rows[] = {
    HF_FACT_CALL("log", "s", HF_FACT_INT, log_value, "1; says the string"),
    HF_FACT_CALL("log", "ss", HF_FACT_INT, log_message, "1; says both strings"),
    HF_FACT_CALL("log", "i", HF_FACT_INT, log_value, "1; says the number"),
    HF_FACT_CALL("log", "si", HF_FACT_INT, log_message,
                 "1; says the string and the number"),
    HF_FACT_CALL("log", "f", HF_FACT_INT, log_value, "1; says the number"),
    HF_FACT_CALL("log", "sf", HF_FACT_INT, log_message,
                 "1; says the string and the number"),
    HF_FACT_CALL("hex", "i", HF_FACT_INT, hex_value, "1; says the number in hexadecimal"),
    HF_FACT_CALL("hex", "si", HF_FACT_INT, hex_message,
                 "1; says the string and the number in hexadecimal"),
};
static const struct hf_fact_record console_record =
    HF_FACT_TABLE("console", struct console_state, console_rows);
const struct hf_fact_module hf_console_module = {.name = "console",
                                                 .record = &console_record};
