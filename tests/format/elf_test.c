#include "format/elf.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A small executable that fits in any class and order: header, three segments, a page of code, an
 * interpreter, a build id, dynamic table, strings, symbols, four sections. */
enum { BASE = 0x10000, SEGMENTS = 4, SECTIONS = 5, SYMBOLS = 4, DYNAMICS = 6 };

struct image {
    struct hf_buffer out;
    bool wide, big;
    size_t ph, code, interp, note, strings, symbols, dynamic, sh;
};

static const char string_table[] = "\0libc.so.6\0malloc\0Frob\0/opt\0.names";
enum { LIBC = 1, MALLOC = 11, FROB = 18, OPT = 23, NAMES = 28 };

static void number(struct image *m, uint64_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        hf_buffer_u8(&m->out, (uint8_t)(v >> 8 * (m->big ? width - 1 - i : i)));
}

static void half(struct image *m, unsigned v)
{
    number(m, v, 2);
}

static void u32(struct image *m, uint64_t v)
{
    number(m, v, 4);
}

static void word(struct image *m, uint64_t v)
{
    number(m, v, m->wide ? 8 : 4);
}

static void segment(struct image *m, uint32_t type, uint64_t offset, uint64_t size)
{
    u32(m, type);
    if (m->wide)
        u32(m, 5);
    word(m, offset);
    word(m, BASE + offset);
    word(m, BASE + offset);
    word(m, size);
    word(m, size);
    if (!m->wide)
        u32(m, 5);
    word(m, 4096);
}

static void section(struct image *m, uint32_t name, uint32_t type, uint64_t offset,
                    uint64_t size, uint32_t link)
{
    u32(m, name);
    u32(m, type);
    word(m, 6);
    word(m, offset == 0 ? 0 : BASE + offset);
    word(m, offset);
    word(m, size);
    u32(m, link);
    u32(m, 0);
    word(m, 4);
    word(m, 0);
}

static void symbol(struct image *m, uint32_t name, uint8_t info, uint16_t shndx)
{
    u32(m, name);
    if (!m->wide) {
        word(m, BASE);
        word(m, 8);
    }
    hf_buffer_u8(&m->out, info);
    hf_buffer_u8(&m->out, 0);
    half(m, shndx);
    if (m->wide) {
        word(m, BASE);
        word(m, 8);
    }
}

static void header(struct image *m, unsigned type)
{
    hf_buffer_add(&m->out, "\177ELF", 4);
    const uint8_t rest[12] = {m->wide ? 2 : 1, m->big ? 2 : 1, 1, 3};
    hf_buffer_add(&m->out, rest, sizeof rest);
    half(m, type);
    half(m, 62);
    u32(m, 1);
    word(m, BASE + m->code + 2);
    word(m, m->ph);
    word(m, m->sh);
    u32(m, 0x77);
    half(m, m->wide ? 64 : 52);
    half(m, m->wide ? 56 : 32);
    half(m, SEGMENTS);
    half(m, m->wide ? 64 : 40);
    half(m, SECTIONS);
    half(m, SECTIONS - 1);
}

static void body(struct image *m)
{
    size_t entry = m->wide ? 16 : 8, size = m->wide ? 24 : 16;
    segment(m, HF_ELF_PT_LOAD, 0, m->sh);
    segment(m, HF_ELF_PT_INTERP, m->interp, 8);
    segment(m, HF_ELF_PT_NOTE, m->note, 20);
    segment(m, HF_ELF_PT_DYNAMIC, m->dynamic, DYNAMICS * entry);
    hf_buffer_text(&m->out, "code....");
    hf_buffer_add(&m->out, "/ld.so\0", 8);
    u32(m, 4);
    u32(m, 4);
    u32(m, 3);
    hf_buffer_add(&m->out, "GNU\0\xde\xad\xbe\xef", 8);
    hf_buffer_add(&m->out, string_table, sizeof string_table);
    symbol(m, 0, 0, 0);
    symbol(m, MALLOC, 0x12, 0);
    symbol(m, FROB, 0x12, 1);
    symbol(m, 0x7fffffff, 0x21, 1);
    const uint64_t dynamic[DYNAMICS][2] = {
        {1, LIBC}, {5, BASE + m->strings},    {6, BASE + m->symbols},
        {29, OPT}, {10, sizeof string_table}, {0, 0}};
    for (size_t i = 0; i < DYNAMICS; i++) {
        word(m, dynamic[i][0]);
        word(m, dynamic[i][1]);
    }
    section(m, 0, 0, 0, 0, 0);
    section(m, MALLOC, 1, m->code, 8, 0);
    section(m, FROB, HF_ELF_SHT_DYNSYM, m->symbols, SYMBOLS * size, 3);
    section(m, 0x1000000, HF_ELF_SHT_STRTAB, m->strings, sizeof string_table, 0);
    section(m, NAMES, HF_ELF_SHT_STRTAB, m->strings, sizeof string_table, 0);
    hf_buffer_text(&m->out, "tail");
}

static struct image build(bool wide, bool big, unsigned type)
{
    struct image m = {.wide = wide, .big = big};
    const size_t ph_size = wide ? 56 : 32, symbol_size = wide ? 24 : 16;
    m.ph = wide ? 64 : 52;
    m.code = m.ph + SEGMENTS * ph_size;
    m.interp = m.code + 8;
    m.note = m.interp + 8;
    m.strings = m.note + 20;
    m.symbols = m.strings + sizeof string_table;
    m.dynamic = m.symbols + SYMBOLS * symbol_size;
    m.sh = m.dynamic + DYNAMICS * (symbol_size - 8);
    header(&m, type);
    body(&m);
    assert_false(m.out.failed);
    return m;
}

static void poke(struct image *m, size_t at, uint64_t v, unsigned width)
{
    struct image part = {.big = m->big};
    number(&part, v, width);
    memcpy(m->out.data + at, part.out.data, width);
    hf_buffer_done(&part.out);
}

/* Offsets of header fields that tests change. */
static size_t at_sh_count(const struct image *m)
{
    return m->wide ? 60 : 48;
}

static const struct hf_fact_module *const modules[] = {&hf_elf_module};

struct world {
    struct hf_arena *arena;
    struct hf_budget budget;
    struct hf_facts facts;
    struct hf_elf *elf;
};

static void look(struct world *w, const struct image *m, unsigned groups, uint64_t work)
{
    w->arena = hf_arena_new(1 << 20);
    w->budget = hf_budget_of(&(struct hf_limits){.work = work});
    struct hf_cursor object = hf_cursor_open(m->out.data, m->out.len, &w->budget);
    w->facts = hf_facts_of(modules, 1, object, w->arena, NULL);
    w->elf = hf_facts_need(&w->facts, &hf_elf_module, groups);
    assert_non_null(w->elf);
}

static void done(struct world *w, struct image *m)
{
    hf_arena_release(&w->arena);
    hf_buffer_done(&m->out);
}

enum { ALL = (2u << HF_ELF_GROUPS) - 2 };

static bool text_is(struct hf_bytes bytes, const char *text)
{
    return hf_bytes_equal(bytes, hf_bytes_text(text));
}

static void check_everything(bool wide, bool big)
{
    struct image m = build(wide, big, HF_ELF_ET_EXEC);
    struct world w;
    look(&w, &m, ALL, 0);
    const struct hf_elf *e = w.elf;
    assert_int_equal(w.facts.state[0].status, HF_OK);
    assert_int_equal(e->header.machine, 62);
    assert_int_equal(e->header.flags, 0x77);
    assert_int_equal(e->header.os_abi, 3);
    assert_true(e->entry_point.defined && (size_t)e->entry_point.value == m.code + 2);
    assert_true(e->entry_offset.defined && (size_t)e->entry_offset.value == m.code + 2);
    assert_int_equal(e->sections.count, SECTIONS);
    const struct hf_elf_section *s = e->sections.items;
    assert_true(text_is(s[4].name, ".names"));
    assert_null(s[3].name.data);
    assert_int_equal(s[4].address, BASE + m.strings);
    const struct hf_elf_segment *p = e->segments.items;
    assert_int_equal(p[2].type, HF_ELF_PT_NOTE);
    assert_int_equal(p[2].flags, 5);
    assert_int_equal(p[2].alignment, 4096);
    assert_int_equal(e->dynamic.count, DYNAMICS);
    assert_int_equal(e->dynamic_entries.value, DYNAMICS);
    assert_int_equal(e->dynsym_entries.value, SYMBOLS);
    assert_false(e->symtab_entries.defined);
    const struct hf_elf_symbol *y = e->dynsym.items;
    assert_true(text_is(y[2].name, "Frob") && y[2].shndx == 1 && y[2].bind == 1 &&
                y[2].type == 2);
    assert_null(y[3].name.data);
    assert_true(text_is(e->interpreter, "/ld.so"));
    assert_true(text_is(e->runpath, "/opt"));
    assert_int_equal(e->needed.count, 1);
    assert_true(text_is(((const struct hf_bytes *)e->needed.items)[0], "libc.so.6"));
    assert_int_equal(e->notes.count, 1);
    assert_true(text_is(e->build_id, "deadbeef"));
    done(&w, &m);
}

static void test_every_class_and_order_is_read(void **state)
{
    (void)state;
    check_everything(false, false);
    check_everything(false, true);
    check_everything(true, false);
    check_everything(true, true);
}

static void test_a_shared_object_enters_by_its_sections(void **state)
{
    (void)state;
    struct image m = build(true, false, HF_ELF_ET_DYN);
    struct world w;
    poke(&m, m.sh + 64 + 24, 5000, 8); /* .text is said to lie elsewhere in the file */
    look(&w, &m, 1u << HF_ELF_HEADERS, 0);
    assert_int_equal(w.elf->entry_point.value, 5002);
    done(&w, &m);
    m = build(true, false, HF_ELF_ET_DYN);
    poke(&m, m.sh + 64 + 4, HF_ELF_SHT_NOBITS, 4);
    look(&w, &m, 1u << HF_ELF_HEADERS, 0);
    assert_false(w.elf->entry_point.defined);
    done(&w, &m);
}

static void test_without_section_headers_the_loaders_symbols_remain(void **state)
{
    (void)state;
    struct image m = build(false, true, HF_ELF_ET_DYN);
    struct world w;
    poke(&m, at_sh_count(&m), 0, 2);
    poke(&m, 32, 0, 4); /* no offset either */
    look(&w, &m, ALL, 0);
    assert_int_equal(w.elf->sections.count, 0);
    assert_int_equal(w.elf->dynsym.count, 0);
    /* No hash table: the strings stand before the symbols, so their number is unknown. */
    assert_int_equal(w.elf->dynamic_symbols.count, 0);
    assert_true(text_is(w.elf->build_id, "deadbeef"));
    assert_int_equal(w.elf->needed.count, 1);
    done(&w, &m);
    m = build(false, true, HF_ELF_ET_DYN);
    poke(&m, at_sh_count(&m), 0, 2);
    poke(&m, m.dynamic + 4 * 8, 4, 4); /* DT_STRSZ becomes DT_HASH, at the code: */
    poke(&m, m.dynamic + 4 * 8 + 4, BASE + m.code, 4);
    poke(&m, m.code, 1, 4);
    poke(&m, m.code + 4, SYMBOLS, 4);
    look(&w, &m, ALL, 0);
    assert_int_equal(w.elf->dynamic_symbols.count, SYMBOLS);
    const struct hf_elf_symbol *y = w.elf->dynamic_symbols.items;
    assert_true(text_is(y[1].name, "malloc"));
    done(&w, &m);
}

static void test_a_cut_table_keeps_its_whole_entries_under_our_name(void **state)
{
    (void)state;
    struct image m = build(true, false, HF_ELF_ET_EXEC);
    struct world w;
    m.out.len = m.sh + 2 * 64 + 63;
    look(&w, &m, 1u << HF_ELF_TABLES, 0);
    assert_int_equal(w.elf->sections.count, 0); /* YARA reads none of it */
    assert_int_equal(w.elf->section_table.count, 2);
    assert_int_equal(w.elf->section_table_count, SECTIONS);
    assert_int_equal(w.facts.state[0].status, HF_MALFORMED);
    done(&w, &m);
}

static void test_extended_numbering_is_followed(void **state)
{
    (void)state;
    struct image m = build(true, false, HF_ELF_ET_EXEC);
    struct world w;
    poke(&m, at_sh_count(&m), 0, 2);
    poke(&m, at_sh_count(&m) + 2, HF_ELF_SHN_XINDEX, 2);
    poke(&m, m.sh + 32, SECTIONS, 8);
    poke(&m, m.sh + 40, SECTIONS - 1, 4);
    look(&w, &m, 1u << HF_ELF_TABLES, 0);
    assert_int_equal(w.elf->section_table.count, SECTIONS);
    const struct hf_elf_section *s = w.elf->section_table.items;
    assert_true(text_is(s[4].name, ".names"));
    done(&w, &m);
}

static void test_what_is_no_elf_has_no_facts(void **state)
{
    (void)state;
    for (size_t at = 0; at < 6; at++) {
        struct image m = build(true, false, HF_ELF_ET_EXEC);
        struct world w;
        poke(&m, at, 0, 1);
        look(&w, &m, ALL, 0);
        for (unsigned group = 1; group <= HF_ELF_GROUPS; group++)
            assert_false(hf_facts_present(&w.facts, &hf_elf_module, group));
        done(&w, &m);
    }
    struct image m = build(false, false, HF_ELF_ET_EXEC);
    struct world w;
    m.out.len = 52; /* YARA wants a byte behind the header */
    look(&w, &m, ALL, 0);
    assert_false(hf_facts_present(&w.facts, &hf_elf_module, HF_ELF_HEADERS));
    done(&w, &m);
}

static void test_work_is_bounded(void **state)
{
    (void)state;
    struct image m = build(true, false, HF_ELF_ET_EXEC);
    struct world w;
    /* A dynamic table without an end in a large file. */
    poke(&m, m.ph + 3 * 56 + 8, m.out.len, 8);
    for (int i = 0; i < 50000; i++)
        hf_buffer_add(&m.out, "x\0\0\0\0\0\0\0y\0\0\0\0\0\0", 16);
    look(&w, &m, ALL, 10000);
    assert_int_equal(w.facts.state[0].status, HF_LIMIT);
    assert_true(w.budget.exhausted);
    assert_int_equal(w.elf->sections.count, SECTIONS); /* what was read before is kept */
    done(&w, &m);
}

static void test_import_md5_is_that_of_the_sorted_names(void **state)
{
    (void)state;
    struct image m = build(true, true, HF_ELF_ET_EXEC);
    struct world w;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    poke(&m, m.symbols + 2 * 24 + 6, 0, 2); /* Frob is imported too */
    look(&w, &m, 0, 0);
    size_t f = hf_fact_find(hf_elf_module.record, hf_bytes_text("import_md5"));
    struct hf_value v = hf_facts_call(&w.facts, &hf_elf_module.record->fields[f], NULL);
    assert_false(v.defined); /* no hasher, no digest */
    w.facts.hasher = hasher;
    v = hf_facts_call(&w.facts, &hf_elf_module.record->fields[f], NULL);
    /* printf frob,malloc | md5sum */
    assert_true(text_is(v.string, "4584668394c0e63cce15bb8478a6dc3c"));
    done(&w, &m);
}

/* Measured with clamscan 1.4: see elf_dialect.c. */
static void test_clamav_reads_entry_points_by_segments_only(void **state)
{
    (void)state;
    for (unsigned type = 1; type <= 4; type++) {
        struct image m = build(true, false, type);
        struct hf_cursor file = hf_cursor_open(m.out.data, m.out.len, NULL);
        struct hf_elf_clamav c = hf_elf_clamav(&file);
        assert_true(!c.broken && c.entry.defined && (size_t)c.entry.value == m.code + 2);
        poke(&m, 24, BASE - 1, 8); /* nothing holds the entry address */
        c = hf_elf_clamav(&file);
        assert_true(c.broken && !c.entry.defined);
        poke(&m, 24, 0, 8);
        c = hf_elf_clamav(&file);
        assert_true(!c.broken && !c.entry.defined);
        poke(&m, 58, 65, 2); /* section headers of another size */
        assert_true(hf_elf_clamav(&file).broken);
        hf_buffer_done(&m.out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_class_and_order_is_read),
        cmocka_unit_test(test_a_shared_object_enters_by_its_sections),
        cmocka_unit_test(test_without_section_headers_the_loaders_symbols_remain),
        cmocka_unit_test(test_a_cut_table_keeps_its_whole_entries_under_our_name),
        cmocka_unit_test(test_extended_numbering_is_followed),
        cmocka_unit_test(test_what_is_no_elf_has_no_facts),
        cmocka_unit_test(test_work_is_bounded),
        cmocka_unit_test(test_import_md5_is_that_of_the_sorted_names),
        cmocka_unit_test(test_clamav_reads_entry_points_by_segments_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
