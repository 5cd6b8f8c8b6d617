#include "format/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What the table's rows must satisfy, for all modules, at any depth. */
static void check_record(const struct hf_fact_module *m, const struct hf_fact_record *r,
                         unsigned depth)
{
    assert_true(depth + 2 <= HF_FACT_DEPTH_MAX);
    for (size_t i = 0; i < r->field_count; i++) {
        const struct hf_fact_field *f = &r->fields[i];
        if (f->name == NULL || f->help == NULL || f->help[0] == '\0')
            fail_msg("%s.%s[%zu] has no name or no help", m->name, r->name, i);
        assert_true(f->group <= m->group_count);
        assert_true(depth == 0 || f->group == 0);
        assert_true((f->type == HF_FACT_FUNCTION) ==
                    (f->call != NULL || f->method != NULL));
        assert_true(f->call == NULL || f->method == NULL);
        assert_true((f->repr == HF_REPR_COMPUTED) == (f->compute != NULL));
        if (f->type == HF_FACT_FUNCTION)
            assert_int_equal(strspn(f->signature, "ifsrb"), strlen(f->signature));
        if (f->type == HF_FACT_DICT) {
            assert_int_equal(f->record->fields[0].type, HF_FACT_STRING);
            assert_true(f->element == HF_FACT_STRUCT || f->record->field_count == 2);
            assert_true(f->element == HF_FACT_STRUCT ||
                        f->record->fields[1].type == f->element);
        }
        if (f->type == HF_FACT_STRUCT ||
            (f->type == HF_FACT_ARRAY && f->element == HF_FACT_STRUCT))
            check_record(m, f->record, depth + 1);
    }
}

/* Names are found by the first row of theirs; only functions may share one, and then their
 * arguments differ. */
static void check_names(const struct hf_fact_module *m)
{
    const struct hf_fact_record *r = m->record;
    for (size_t i = 0; i < r->field_count; i++) {
        const struct hf_fact_field *f = &r->fields[i];
        size_t found = f->type == HF_FACT_FUNCTION
                           ? hf_fact_find_call(r, hf_bytes_text(f->name), f->signature)
                           : hf_fact_find(r, hf_bytes_text(f->name));
        if (found != i)
            fail_msg("%s.%s is there twice", m->name, f->name);
    }
}

static void test_every_row_is_sound(void **state)
{
    (void)state;
    assert_true(hf_fact_module_count <= HF_FACT_MODULES_MAX);
    for (size_t i = 0; i < hf_fact_module_count; i++) {
        const struct hf_fact_module *m = hf_fact_modules[i];
        assert_true(m->group_count <= HF_FACT_GROUPS_MAX);
        assert_true((m->group_count > 0) == (m->parse != NULL));
        check_record(m, m->record, 0);
        check_names(m);
        assert_int_equal(hf_fact_module_find(hf_bytes_text(m->name)), i);
    }
    assert_true(hf_fact_module_find(hf_bytes_text("none")) == SIZE_MAX);
}

/* Every fact of every module of an object of no format: constants, byte functions and what says
 * "not this format" are defined, all else is not, and nothing is read out of it. */
static void test_an_object_of_no_format_has_no_lists(void **state)
{
    (void)state;
    struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_facts facts = hf_facts_of(hf_fact_modules, hf_fact_module_count,
                                        hf_cursor_open("nothing", 7, NULL), arena, NULL);
    for (size_t m = 0; m < hf_fact_module_count; m++) {
        const struct hf_fact_record *r = hf_fact_modules[m]->record;
        if (strncmp(hf_fact_modules[m]->name, "test", 4) == 0)
            continue; /* modules of builds with tests, which are about no object */
        for (size_t i = 0; i < r->field_count; i++) {
            struct hf_value v = hf_facts_get(&facts, m, i);
            if (v.defined && (v.type == HF_FACT_ARRAY || v.type == HF_FACT_DICT))
                assert_int_equal(v.list.count, 0);
        }
    }
    hf_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_sound),
        cmocka_unit_test(test_an_object_of_no_format_has_no_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
