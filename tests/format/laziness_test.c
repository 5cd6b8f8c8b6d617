/* Nothing is parsed that nobody asks for: which groups of which modules were parsed, per question. */
#include "format/schema.h"
#include "pe_image.h"

#include "format/elf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    HEADERS = 1 << HF_PE_HEADERS,
    IMPORTS = 1 << HF_PE_IMPORTS,
    EXPORTS = 1 << HF_PE_EXPORTS,
    RESOURCES = 1 << HF_PE_RESOURCES,
    SIGNATURES = 1 << HF_PE_SIGNATURES,
    DEBUG = 1 << HF_PE_DEBUG,
    LOADER = 1 << HF_PE_LOADER,
    IDENTITY = 1 << HF_PE_IDENTITY
};

/* Facts of the image by the whole schema, not by one module alone. */
static void start(struct pe_facts *f, const struct pe_image *image)
{
    pe_facts_start(f, image);
    f->facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, f->facts.object, f->arena, NULL);
    f->facts.hasher = f->hasher;
}

static unsigned parsed_after(struct pe_image *image, const char *fact, const char *call)
{
    struct pe_facts f;
    start(&f, image);
    size_t pe = hf_fact_module_find(hf_bytes_text("pe"));
    if (fact != NULL)
        (void)pe_fact(&f, fact);
    if (call != NULL)
        (void)pe_call(&f, call, "", NULL);
    unsigned parsed = f.facts.state[pe].parsed;
    for (size_t m = 0; m < f.facts.module_count; m++)
        if (m != pe)
            assert_null(f.facts.state[m].data); /* no other module was even looked at */
    pe_facts_done(&f);
    return parsed;
}

static void test_a_fact_parses_its_group_and_what_that_needs(void **state)
{
    (void)state;
    static const struct {
        const char *fact, *call;
        unsigned groups;
    } rows[] = {
        {NULL, NULL, 0},
        {"MACHINE_AMD64", NULL, 0},
        {"is_pe", NULL, IDENTITY | HEADERS},
        {"entry_point", NULL, HEADERS},
        {"sections", NULL, HEADERS},
        {"number_of_imports", NULL, HEADERS | IMPORTS},
        {"number_of_exports", NULL, HEADERS | EXPORTS},
        {"resources", NULL, HEADERS | RESOURCES},
        {"number_of_signatures", NULL, HEADERS | SIGNATURES},
        {"pdb_path", NULL, HEADERS | DEBUG},
        {"tls", NULL, HEADERS | LOADER},
        {NULL, "imphash", HEADERS | IMPORTS},
        {NULL, "is_dll", HEADERS},
        {NULL, "calculate_checksum", HEADERS},
        {NULL, "authenticode_sha256", HEADERS},
    };
    struct pe_image image;
    pe_image_start(&image, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(parsed_after(&image, rows[i].fact, rows[i].call), rows[i].groups);
}

/* Work units are what every parser's loops cost: without a question there are none. */
static void test_no_question_costs_nothing(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    pe_image_start(&image, false);
    start(&f, &image);
    uint64_t before = f.budget.work;
    (void)pe_fact(&f, "SUBSYSTEM_NATIVE");
    assert_true(f.budget.work == before);
    (void)pe_fact(&f, "sections");
    uint64_t headers = before - f.budget.work;
    (void)pe_fact(&f, "machine");
    assert_true(before - f.budget.work == headers); /* parsed once */
    pe_facts_done(&f);
}

static void test_another_format_ends_at_its_magic(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    pe_image_start(&image, false);
    start(&f, &image);
    size_t elf = hf_fact_module_find(hf_bytes_text("elf"));
    size_t type = hf_fact_find(hf_elf_module.record, hf_bytes_text("type"));
    uint64_t before = f.budget.work;
    assert_false(hf_facts_get(&f.facts, elf, type).defined);
    assert_true(f.budget.work == before);
    assert_int_equal(f.facts.state[elf].parsed, 1u << HF_ELF_HEADERS);
    pe_facts_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fact_parses_its_group_and_what_that_needs),
        cmocka_unit_test(test_no_question_costs_nothing),
        cmocka_unit_test(test_another_format_ends_at_its_magic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
