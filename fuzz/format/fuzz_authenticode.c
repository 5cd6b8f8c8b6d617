/* Signatures of a PE file by both of YARA's readings, and catalogues. What begins as neither is
 * taken for the content of a certificate table's entry, so that the structures inside are reached
 * without the file around them. Properties: what is reported lies in the file, counts agree with
 * lists, what is verified has no error and holds the digest that was computed. */
#include "base/auto.h"
#include "base/buffer.h"
#include "format/pe.h"
#include "format/schema.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { ARENA = 16 << 20, WORK = 100000, HEAD = 0x400, NT = 0x80, CONTENT_MAX = 1 << 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return hf_authenticode_prepare() == HF_OK ? 0 : 1;
}

static void check_signature(const struct hf_code_signature *s)
{
    assert((s->verified != 0) == (s->error.data == NULL));
    assert(s->certificate_count == (int64_t)s->certificates.count);
    assert(s->countersignature_count == (int64_t)s->countersignatures.count);
    assert(s->signer.chain_length == (int64_t)s->signer.chain.count);
    assert(s->nested <= HF_AUTHENTICODE_DEPTH_MAX);
    if (s->verified != 0 && s->file_digest.data != NULL)
        assert(hf_bytes_equal(s->digest, s->file_digest));
    if (s->verified != 0)
        assert(s->certificate.thumbprint.len == 40 && s->signer.chain.count > 0);
    const struct hf_countersignature *c = s->countersignatures.items;
    for (size_t i = 0; i < s->countersignatures.count; i++)
        assert((c[i].verified != 0) == (c[i].error.data == NULL));
}

static void check_list(struct hf_fact_list list)
{
    const struct hf_code_signature *s = list.items;
    assert(list.count <= HF_AUTHENTICODE_SIGNATURES_MAX);
    for (size_t i = 0; i < list.count; i++)
        check_signature(&s[i]);
}

static void check_pe(const struct hf_pe *pe, size_t size)
{
    const struct hf_authenticode *a = &pe->authenticode;
    check_list(a->others);
    if (pe->yara == HF_PE_YARA_45)
        check_list(a->signatures);
    const struct hf_uncovered *u = a->uncovered.items;
    for (size_t i = 0; i < a->uncovered.count; i++)
        assert(u[i].size > 0 && u[i].size <= size && u[i].offset <= size - u[i].size);
    const struct hf_certificate_entry *e = a->entries.items;
    for (size_t i = 0; i < a->entries.count; i++)
        assert(e[i].offset <= size - 8);
}

static void look(const uint8_t *data, size_t size, const struct hf_fact_module *module,
                 enum hf_pe_yara yara)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    HF_AUTO(hf_buffer_done) struct hf_buffer json = {0};
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = WORK});
    struct hf_cursor file = hf_cursor_open(data, size, &budget);
    struct hf_facts facts = hf_facts_of(&module, 1, file, arena, NULL);
    if (module == &hf_pe_module) {
        struct hf_pe *pe = hf_facts_need(&facts, module, 0);
        if (pe == NULL)
            return;
        pe->yara = yara;
        pe->now = 1700000000;
        if (hf_facts_need(&facts, module, 1U << HF_PE_SIGNATURES) != NULL)
            check_pe(pe, size);
        return;
    }
    struct hf_catalogue *catalogue = hf_facts_need(&facts, module, 2);
    if (catalogue == NULL)
        return;
    check_list(catalogue->signatures);
    assert(catalogue->member_count == (int64_t)catalogue->members.count);
    hf_facts_json(&facts, 0, 20, &json);
}

static void put32(uint8_t *at, size_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

/* A file whose certificate table has one entry with this content. */
static void wrap(const uint8_t *data, size_t size)
{
    static uint8_t image[HEAD + 8 + CONTENT_MAX];
    memset(image, 0, sizeof image);
    memcpy(image, "MZ", 2);
    put32(image + 0x3c, NT);
    memcpy(image + NT, "PE\0\0\x4c\x01", 6);
    image[NT + 20] = 224;
    memcpy(image + NT + 24, "\x0b\x01", 2);
    image[NT + 24 + 92] = 16;
    put32(image + NT + 24 + 128, HEAD);
    put32(image + NT + 24 + 132, size + 8);
    put32(image + HEAD, size + 8);
    memcpy(image + HEAD + 4, "\0\2\2\0", 4);
    memcpy(image + HEAD + 8, data, size);
    look(image, HEAD + 8 + size, &hf_pe_module, HF_PE_YARA_45);
    look(image, HEAD + 8 + size, &hf_pe_module, HF_PE_YARA_42);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2 && memcmp(data, "MZ", 2) == 0) {
        look(data, size, &hf_pe_module, HF_PE_YARA_45);
        look(data, size, &hf_pe_module, HF_PE_YARA_42);
        return 0;
    }
    look(data, size, &hf_catalogue_module, HF_PE_YARA_45);
    if (size <= CONTENT_MAX)
        wrap(data, size);
    return 0;
}
