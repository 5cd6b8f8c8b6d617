#include "cli/inspect_lines.h"

#include "base/auto.h"
#include "cli/fact_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void say(struct hf_fact_wire_writer *w, enum hf_fact_event_kind kind,
                enum hf_fact_type type, const char *name, struct hf_value value)
{
    struct hf_fact_event e = {
        .kind = kind, .type = type, .name = hf_bytes_text(name), .value = value};
    assert_true(hf_fact_wire_visit(w, &e));
}

static void open_level(struct hf_fact_wire_writer *w, enum hf_fact_type type,
                       const char *name)
{
    say(w, HF_FACT_EVENT_OPEN, type, name, (struct hf_value){0});
}

static void close_level(struct hf_fact_wire_writer *w, enum hf_fact_type type)
{
    say(w, HF_FACT_EVENT_CLOSE, type, "", (struct hf_value){0});
}

static void value(struct hf_fact_wire_writer *w, const char *name, struct hf_value v)
{
    say(w, HF_FACT_EVENT_VALUE, v.type, name, v);
}

/* A module with numbers, a table of three rows, and a name that would steer a terminal. */
static void write_facts(struct hf_buffer *out)
{
    struct hf_fact_wire_writer w = {.out = out, .max = SIZE_MAX};
    open_level(&w, HF_FACT_STRUCT, "toy");
    value(&w, "type", hf_value_int(3));
    value(&w, "entry_offset", hf_value_int(4096));
    value(&w, "timestamp", hf_value_int(86400));
    value(&w, "title", hf_value_string(hf_bytes_text("a\n\033[31mb")));
    open_level(&w, HF_FACT_ARRAY, "parts");
    for (int i = 0; i < 3; i++) {
        open_level(&w, HF_FACT_STRUCT, "");
        value(&w, "name", hf_value_string(hf_bytes_of("part", (size_t)i + 1)));
        value(&w, "size", hf_value_int(i * 1000));
        close_level(&w, HF_FACT_STRUCT);
    }
    close_level(&w, HF_FACT_ARRAY);
    close_level(&w, HF_FACT_STRUCT);
}

static struct hf_inspected inspected(struct hf_buffer *facts, struct hf_bytes *names,
                                     size_t count)
{
    struct hf_inspected o = {.path = {names, count}, .format = HF_FORMAT_ELF, .size = 2048};
    o.digests.have = 1u << HF_MD5;
    o.facts = hf_buffer_view(facts);
    return o;
}

static void print(struct hf_buffer *out, bool json, struct hf_inspected *objects,
                  size_t count)
{
    const struct hf_inspect_lines lines = {.json = json};
    const struct hf_report report = {
        .inspected = objects, .inspected_count = count, .format = HF_FORMAT_ELF};
    assert_int_equal(hf_inspect_report(out, &lines, hf_bytes_text("f\033"), &report),
                     HF_OK);
    hf_buffer_u8(out, 0);
}

static void test_facts_are_aligned_and_escaped(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer facts = {0}, out = {0};
    write_facts(&facts);
    struct hf_inspected o = inspected(&facts, NULL, 0);
    print(&out, false, &o, 1);
    assert_string_equal((char *)out.data,
                        "f\\x1b\n"
                        "  format  elf\n"
                        "  size    2.0 KiB (2048 bytes)\n"
                        "  md5     00000000000000000000000000000000\n"
                        "  verdict clean\n"
                        "  toy\n"
                        "    type          3\n"
                        "    entry_offset  0x1000\n"
                        "    timestamp     86400 (1970-01-02 00:00:00 UTC)\n"
                        "    title         a\\n\\x1b[31mb\n"
                        "    parts (3)\n"
                        "      #  name  size\n"
                        "      0  p        0\n"
                        "      1  pa    1000\n"
                        "      2  par   2000\n");
}

static void test_json_is_a_line_of_scan_with_objects(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer facts = {0}, out = {0};
    write_facts(&facts);
    struct hf_bytes names[] = {hf_bytes_text("in\n")};
    struct hf_inspected o = inspected(&facts, names, 1);
    print(&out, true, &o, 1);
    const char *text = (char *)out.data;
    assert_memory_equal(text, "{\"path\":\"f\\u001b\",\"verdict\":\"clean\"", 35);
    assert_non_null(strstr(
        text,
        ",\"inspected\":[{\"inner\":[\"in\\u000a\"],\"format\":\"elf\",\"also\":[],\"size\":2048,"
        "\"md5\":\"00000000000000000000000000000000\",\"facts\":{\"toy\":{\"type\":3,"));
    assert_non_null(strstr(text, "\"parts\":[{\"name\":\"p\",\"size\":0},"));
    assert_non_null(
        strstr(text, "}},\"facts_complete\":true}],\"inspected_dropped\":0}\n"));
}

/* Whatever a worker sends as facts: a report comes out, as JSON that closes, and says that
 * something is missing. */
static void test_facts_of_a_lying_worker_do_no_harm(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer facts = {0};
    write_facts(&facts);
    srand(7);
    for (int i = 0; i < 3000; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer text = {0}, json = {0}, lie = {0};
        hf_buffer_bytes(&lie, hf_buffer_view(&facts));
        lie.len = (size_t)rand() % lie.len + 1;
        lie.data[(size_t)rand() % lie.len] = (uint8_t)rand();
        struct hf_inspected o = inspected(&lie, NULL, 0);
        print(&text, false, &o, 1);
        print(&json, true, &o, 1);
        int depth = 0;
        bool in_string = false;
        for (size_t k = 0; k + 2 < json.len; k++) {
            char c = (char)json.data[k];
            if (in_string && c == '\\')
                k++;
            else if (c == '"')
                in_string = !in_string;
            else if (!in_string)
                depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        }
        assert_int_equal(depth, 0);
        for (size_t k = 0; k + 1 < text.len; k++)
            assert_true(text.data[k] >= 0x20 || text.data[k] == '\n');
    }
}

static void test_long_lists_are_cut_for_people_only(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer facts = {0}, out = {0}, json = {0};
    struct hf_fact_wire_writer w = {.out = &facts, .max = SIZE_MAX};
    open_level(&w, HF_FACT_STRUCT, "toy");
    open_level(&w, HF_FACT_ARRAY, "numbers");
    for (int i = 0; i < 1000; i++)
        value(&w, "", hf_value_int(i));
    close_level(&w, HF_FACT_ARRAY);
    close_level(&w, HF_FACT_STRUCT);
    struct hf_inspected o = inspected(&facts, NULL, 0);
    print(&out, false, &o, 1);
    assert_non_null(strstr((char *)out.data, "numbers (1000)\n      0\n"));
    assert_non_null(strstr((char *)out.data, "      11\n      ... 988 more\n"));
    print(&json, true, &o, 1);
    assert_non_null(strstr((char *)json.data, ",998,999]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_are_aligned_and_escaped),
        cmocka_unit_test(test_json_is_a_line_of_scan_with_objects),
        cmocka_unit_test(test_facts_of_a_lying_worker_do_no_harm),
        cmocka_unit_test(test_long_lists_are_cut_for_people_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
