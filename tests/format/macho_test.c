#include "format/macho.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A 64-bit program of one segment with one section, an entry point, a library and a UUID. */
static void program(struct hf_buffer *b, uint32_t cpu_type)
{
    const uint32_t header[8] = {0xfeedfacf, cpu_type, 3, 2, 4, 0, 0x85, 0};
    for (size_t i = 0; i < 8; i++)
        hf_buffer_u32(b, header[i]);
    hf_buffer_u32(b, 0x19);
    hf_buffer_u32(b, 72 + 80);
    hf_buffer_add(b, "__TEXT\0\0\0\0\0\0\0\0\0\0", 16);
    const uint64_t extent[4] = {0x1000, 0x800, 16, 0x400};
    for (size_t i = 0; i < 4; i++)
        hf_buffer_u64(b, extent[i]);
    hf_buffer_u32(b, 7);
    hf_buffer_u32(b, 5);
    hf_buffer_u32(b, 1000); /* sections: announced, one is there */
    hf_buffer_u32(b, 0);
    hf_buffer_add(b, "sixteen_bytes_ok__TEXT\0\0\0\0\0\0\0\0\0\0", 32);
    hf_buffer_u64(b, 0x1000);
    hf_buffer_u64(b, 8);
    for (uint32_t i = 0; i < 8; i++)
        hf_buffer_u32(b, 100 + i);
    hf_buffer_u32(b, 0x80000028);
    hf_buffer_u32(b, 24);
    hf_buffer_u64(b, 0x123);
    hf_buffer_u64(b, 4096);
    hf_buffer_u32(b, 0xc);
    hf_buffer_u32(b, 40);
    hf_buffer_u32(b, 24);
    hf_buffer_add(b, "\0\0\0\0\0\0\0\0\0\0\0\0/lib/x.dylib\0\0\0\0", 28);
    hf_buffer_u32(b, 0x1b);
    hf_buffer_u32(b, 24);
    hf_buffer_add(b, "0123456789abcdef", 16);
}

static void big_u32(struct hf_buffer *b, uint32_t v)
{
    hf_buffer_u32(b, __builtin_bswap32(v));
}

static const struct hf_fact_module *const modules[] = {&hf_macho_module};

struct world {
    struct hf_arena *arena;
    struct hf_budget budget;
    struct hf_facts facts;
    const struct hf_macho *macho;
};

static void look(struct world *w, const struct hf_buffer *b, uint64_t work)
{
    w->arena = hf_arena_new(1 << 22);
    w->budget = hf_budget_of(&(struct hf_limits){.work = work});
    w->facts = hf_facts_of(modules, 1, hf_cursor_open(b->data, b->len, &w->budget),
                           w->arena, NULL);
    w->macho = hf_facts_need(&w->facts, &hf_macho_module, 6);
}

static bool text_is(struct hf_bytes bytes, const char *text)
{
    return hf_bytes_equal(bytes, hf_bytes_text(text));
}

static void check_program(const struct hf_macho_file *f)
{
    assert_int_equal(f->entry_point.value, 0x123);
    assert_int_equal(f->segment_count.value, 1);
    const struct hf_macho_segment *s = f->segments.items;
    assert_true(text_is(s[0].name, "__TEXT") && s[0].section_count == 1000);
    assert_int_equal(s[0].file_size, 0x400);
    assert_int_equal(s[0].sections.count, 1);
    const struct hf_macho_section *t = s[0].sections.items;
    assert_true(text_is(t[0].name, "sixteen_bytes_ok") && text_is(t[0].segment, "__TEXT"));
    assert_int_equal(t[0].reserved3.value, 107);
    assert_int_equal(f->libraries.count, 1);
    assert_true(text_is(((const struct hf_bytes *)f->libraries.items)[0], "/lib/x.dylib"));
    assert_true(text_is(f->uuid, "30313233343536373839616263646566"));
}

static void test_a_program_is_read(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct world w;
    program(&b, 0x1000007);
    look(&w, &b, 0);
    assert_int_equal(w.facts.state[0].status, HF_OK);
    check_program(&w.macho->single);
    assert_false(hf_facts_present(&w.facts, &hf_macho_module, HF_MACHO_FAT));
    hf_arena_free(w.arena);
}

static void test_a_universal_file_has_programs_by_processor(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0}, one = {0}, two = {0};
    struct world w;
    program(&one, 0x1000007);
    program(&two, 0x100000c);
    const uint32_t head[] = {0xcafebabe,
                             3,
                             0x1000007,
                             3,
                             68,
                             (uint32_t)one.len,
                             12,
                             12,
                             9,
                             5000000,
                             100,
                             12, /* not in the file */
                             0x100000c,
                             0,
                             68 + (uint32_t)one.len,
                             (uint32_t)two.len,
                             12};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        big_u32(&b, head[i]);
    hf_buffer_bytes(&b, hf_buffer_view(&one));
    hf_buffer_bytes(&b, hf_buffer_view(&two));
    look(&w, &b, 0);
    assert_int_equal(w.facts.state[0].status, HF_TRUNCATED);
    assert_int_equal(w.macho->archs.count, 3);
    assert_int_equal(w.macho->files.count, 3);
    const struct hf_macho_file *f = w.macho->files.items;
    check_program(&f[0]);
    assert_false(f[1].magic.defined);
    check_program(&f[2]);
    const struct hf_value args[] = {hf_value_int(0x100000c), hf_value_int(3)};
    const struct hf_fact_record *r = hf_macho_module.record;
    size_t find = hf_fact_find_call(r, hf_bytes_text("file_index_for_arch"), "i");
    assert_int_equal(hf_facts_call(&w.facts, &r->fields[find], args).integer, 2);
    find = hf_fact_find_call(r, hf_bytes_text("entry_point_for_arch"), "i");
    assert_int_equal(hf_facts_call(&w.facts, &r->fields[find], args).integer,
                     68 + (int64_t)one.len + 0x123);
    find = hf_fact_find_call(r, hf_bytes_text("file_index_for_arch"), "ii");
    assert_int_equal(hf_facts_call(&w.facts, &r->fields[find], args).integer, 2);
    find = hf_fact_find_call(r, hf_bytes_text("entry_point_for_arch"), "ii");
    assert_false(hf_facts_call(&w.facts, &r->fields[find], args).defined);
    hf_arena_free(w.arena);
}

static void test_a_java_class_is_no_table_of_millions(void **state)
{
    (void)state;
    struct world w;
    struct hf_buffer b = {.data = (uint8_t[]){0xca, 0xfe, 0xba, 0xbe, 0, 0, 0xff, 52, 0, 1},
                          .len = 10};
    look(&w, &b, 0);
    assert_int_equal(w.macho->arch_count.value, 0xff34);
    assert_int_equal(w.macho->archs.count, 0);
    hf_arena_free(w.arena);
}

/* Every entry of a long table names the whole file, which has a command every eight bytes. */
static void test_work_is_bounded(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct world w;
    big_u32(&b, 0xcafebabe);
    big_u32(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        const uint32_t entry[5] = {7, 3, 20008, 80000, 0};
        for (size_t k = 0; k < 5; k++)
            big_u32(&b, entry[k]);
    }
    const uint32_t header[8] = {0xfeedfacf, 7, 3, 2, UINT32_MAX, 0, 0, 0};
    for (size_t i = 0; i < 8; i++)
        hf_buffer_u32(&b, header[i]);
    while (b.len < 20008 + 80000) {
        hf_buffer_u32(&b, 77);
        hf_buffer_u32(&b, 8);
    }
    look(&w, &b, 100000);
    assert_int_equal(w.facts.state[0].status, HF_LIMIT);
    assert_true(w.budget.exhausted);
    hf_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_is_read),
        cmocka_unit_test(test_a_universal_file_has_programs_by_processor),
        cmocka_unit_test(test_a_java_class_is_no_table_of_millions),
        cmocka_unit_test(test_work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
