#include "format/dex.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One class "LA;" with a method "run" of prototype "V" and one instruction. Strings are at 0x100
 * and behind, tables from the header's end on. */
enum {
    STRINGS = 112,
    TYPES = 124,
    PROTOS = 128,
    METHODS = 140,
    CLASSES = 148,
    DATA = 0xc0,
    CODE = 0xd0,
    TEXT = 0x100,
    SIZE = 0x120
};

static void put32(uint8_t *to, size_t at, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        to[at + i] = (uint8_t)(v >> 8 * i);
}

static void build(uint8_t out[SIZE])
{
    static const uint32_t tables[][2] = {{3, STRINGS}, {1, TYPES},   {1, PROTOS},
                                         {0, METHODS}, {1, METHODS}, {1, CLASSES},
                                         {0, 0}};
    static const uint8_t data[] = {0, 0, 1, 0, 0, 1, 0xd0, 1};
    memset(out, 0, SIZE);
    memcpy(out, "dex\n035", 7);
    for (size_t i = 0; i < 7; i++) {
        put32(out, 56 + 8 * i, tables[i][0]);
        put32(out, 60 + 8 * i, tables[i][1]);
    }
    put32(out, STRINGS, TEXT);
    put32(out, STRINGS + 4, TEXT + 5);
    put32(out, STRINGS + 8, TEXT + 10);
    memcpy(out + TEXT, "\3LA;\0\3run\0\1V", 12);
    put32(out, METHODS + 4, 1);
    put32(out, CLASSES + 24, DATA);
    memcpy(out + DATA, data, sizeof data);
    put32(out, PROTOS, 2);
    put32(out, CODE + 12, 1);
    out[CODE + 16] = 0x0e;
}

static const struct hf_fact_module *const modules[] = {&hf_dex_module};

struct world {
    struct hf_arena *arena;
    struct hf_budget budget;
    struct hf_facts facts;
    const struct hf_dex *dex;
};

static void look(struct world *w, const uint8_t *data, size_t size, uint64_t work)
{
    w->arena = hf_arena_new(1 << 20);
    w->budget = hf_budget_of(&(struct hf_limits){.work = work});
    w->facts =
        hf_facts_of(modules, 1, hf_cursor_open(data, size, &w->budget), w->arena, NULL);
    w->dex = hf_facts_need(&w->facts, &hf_dex_module, 6);
}

static bool text_is(struct hf_bytes bytes, const char *text)
{
    return bytes.data != NULL && hf_bytes_equal(bytes, hf_bytes_text(text));
}

static void test_methods_have_names_classes_and_code(void **state)
{
    (void)state;
    uint8_t data[SIZE];
    struct world w;
    build(data);
    look(&w, data, sizeof data, 0);
    assert_int_equal(w.facts.state[0].status, HF_OK);
    assert_int_equal(w.dex->method_count.value, 1);
    const struct hf_dex_method *m = w.dex->methods.items;
    assert_true(text_is(m->name, "run") && text_is(m->class_name, "LA;"));
    assert_true(text_is(m->proto, "V"));
    assert_true(m->direct == 1 && m->virtual == 0 && m->access_flags == 1);
    assert_int_equal(m->code.instruction_count.value, 1);
    assert_true(m->code.instructions.len == 2 && m->code.instructions.data[0] == 0x0e);
    hf_arena_free(w.arena);
}

static int64_t ask(struct world *w, const char *name, const char *signature,
                   const char *first, const char *second)
{
    const struct hf_value args[] = {hf_value_string(hf_bytes_text(first)),
                                    hf_value_string(hf_bytes_text(second))};
    const struct hf_fact_record *r = hf_dex_module.record;
    size_t f = hf_fact_find_call(r, hf_bytes_text(name), signature);
    struct hf_value v = hf_facts_call(&w->facts, &r->fields[f], args);
    return v.defined ? v.integer : -1;
}

static bool starts_with_r(const struct hf_fact_regex *regex, struct hf_bytes subject)
{
    (void)regex;
    return subject.len > 0 && subject.data[0] == 'r';
}

static void test_methods_and_classes_are_found(void **state)
{
    (void)state;
    uint8_t data[SIZE];
    struct world w;
    build(data);
    look(&w, data, sizeof data, 0);
    assert_int_equal(ask(&w, "has_method", "s", "run", ""), 1);
    assert_int_equal(ask(&w, "has_method", "s", "ru", ""), 0);
    assert_int_equal(ask(&w, "has_method", "ss", "LA;", "run"), 1);
    assert_int_equal(ask(&w, "has_method", "ss", "LB;", "run"), 0);
    assert_int_equal(ask(&w, "has_class", "s", "LA;", ""), 1);
    const struct hf_fact_regex regex = {.matches = starts_with_r};
    const struct hf_value arg = {.defined = true, .type = HF_FACT_REGEX, .regex = &regex};
    const struct hf_fact_record *r = hf_dex_module.record;
    size_t f = hf_fact_find_call(r, hf_bytes_text("has_method"), "r");
    assert_int_equal(hf_facts_call(&w.facts, &r->fields[f], &arg).integer, 1);
    f = hf_fact_find_call(r, hf_bytes_text("has_class"), "r");
    assert_int_equal(hf_facts_call(&w.facts, &r->fields[f], &arg).integer, 0);
    hf_arena_free(w.arena);
}

static void test_a_cut_table_ends_the_reading(void **state)
{
    (void)state;
    uint8_t data[SIZE];
    struct world w;
    build(data);
    put32(data, 64, 0x10000000); /* types */
    look(&w, data, sizeof data, 0);
    assert_int_equal(w.facts.state[0].status, HF_TRUNCATED);
    assert_int_equal(w.dex->strings.count, 3);
    assert_int_equal(w.dex->classes.count, 0);
    assert_false(w.dex->method_count.defined);
    assert_int_equal(ask(&w, "has_method", "s", "run", ""), -1);
    hf_arena_free(w.arena);
}

static void test_only_known_versions_are_read(void **state)
{
    (void)state;
    uint8_t data[SIZE];
    for (int digit = '0'; digit <= ':'; digit++) {
        struct world w;
        build(data);
        data[6] = (uint8_t)digit;
        look(&w, data, sizeof data, 0);
        assert_int_equal(hf_facts_present(&w.facts, &hf_dex_module, HF_DEX_TABLES),
                         digit >= '5' && digit <= '9');
        hf_arena_free(w.arena);
    }
}

static void test_work_is_bounded(void **state)
{
    (void)state;
    static uint8_t data[SIZE + 400000];
    struct world w;
    build(data);
    /* A class with two million methods, all of them the same. */
    put32(data, CLASSES + 24, SIZE);
    memcpy(data + SIZE, "\0\0\x80\x80\x80\x01\0", 7);
    look(&w, data, sizeof data, 1000);
    assert_int_equal(w.facts.state[0].status, HF_LIMIT);
    hf_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_have_names_classes_and_code),
        cmocka_unit_test(test_methods_and_classes_are_found),
        cmocka_unit_test(test_a_cut_table_ends_the_reading),
        cmocka_unit_test(test_only_known_versions_are_read),
        cmocka_unit_test(test_work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
