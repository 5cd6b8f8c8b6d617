#include "pe_image.h"

void pe_put16(struct pe_image *image, size_t at, uint16_t v)
{
    image->data[at] = (uint8_t)v;
    image->data[at + 1] = (uint8_t)(v >> 8);
}

void pe_put32(struct pe_image *image, size_t at, uint32_t v)
{
    pe_put16(image, at, (uint16_t)v);
    pe_put16(image, at + 2, (uint16_t)(v >> 16));
}

void pe_put64(struct pe_image *image, size_t at, uint64_t v)
{
    pe_put32(image, at, (uint32_t)v);
    pe_put32(image, at + 4, (uint32_t)(v >> 32));
}

void pe_put_text(struct pe_image *image, size_t at, const char *text)
{
    memcpy(image->data + at, text, strlen(text) + 1);
}

void pe_put_wide(struct pe_image *image, size_t at, const char *text)
{
    for (size_t i = 0; i <= strlen(text); i++)
        pe_put16(image, at + 2 * i, (uint8_t)text[i]);
}

static uint16_t section_count(const struct pe_image *image)
{
    return image->data[IMAGE_NT + 6];
}

size_t pe_image_section(const struct pe_image *image, size_t index)
{
    return IMAGE_OPTIONAL + (image->wide ? 240u : 224u) + 40 * index;
}

void pe_image_add_section(struct pe_image *image, const char *name, uint32_t rva,
                          uint32_t virtual_size, uint32_t raw_offset, uint32_t raw_size)
{
    size_t at = pe_image_section(image, section_count(image));
    memcpy(image->data + at, name, strlen(name));
    pe_put32(image, at + 8, virtual_size);
    pe_put32(image, at + 12, rva);
    pe_put32(image, at + 16, raw_size);
    pe_put32(image, at + 20, raw_offset);
    pe_put32(image, at + 36, 0xc0000040);
    pe_put16(image, IMAGE_NT + 6, (uint16_t)(section_count(image) + 1));
}

void pe_image_directory(struct pe_image *image, enum hf_pe_directory_index index,
                        uint32_t rva, uint32_t size)
{
    size_t at = IMAGE_OPTIONAL + (image->wide ? 112u : 96u) + 8 * (size_t)index;
    pe_put32(image, at, rva);
    pe_put32(image, at + 4, size);
}

void pe_image_start(struct pe_image *image, bool wide)
{
    *image = (struct pe_image){.size = IMAGE_DATA + IMAGE_DATA_SIZE, .wide = wide};
    memcpy(image->data, "MZ", 2);
    pe_put32(image, 60, IMAGE_NT);
    memcpy(image->data + IMAGE_NT, "PE\0", 4);
    pe_put16(image, IMAGE_NT + 4, wide ? 0x8664 : 0x14c);
    pe_put32(image, IMAGE_NT + 8, 0x5f000000);
    pe_put16(image, IMAGE_NT + 20, wide ? 240 : 224);
    pe_put16(image, IMAGE_NT + 22, 0x2002); /* executable, DLL */
    size_t o = IMAGE_OPTIONAL;
    pe_put16(image, o, wide ? 0x20b : 0x10b);
    pe_put32(image, o + 16, IMAGE_DATA_RVA + 0x10);
    if (wide)
        pe_put64(image, o + 24, 0x140000000);
    else
        pe_put32(image, o + 28, 0x400000);
    pe_put32(image, o + 32, 0x1000);
    pe_put32(image, o + 36, 0x200);
    pe_put32(image, o + 56, 0x3000);
    pe_put32(image, o + 60, IMAGE_DATA);
    pe_put16(image, o + 68, 3);
    pe_put32(image, o + (wide ? 108 : 92), 16);
    pe_image_add_section(image, ".data", IMAGE_DATA_RVA, IMAGE_DATA_SIZE, IMAGE_DATA,
                         IMAGE_DATA_SIZE);
}

void pe_put_import(struct pe_image *image, size_t at, size_t name, size_t table)
{
    pe_put32(image, at, pe_rva(table));
    pe_put32(image, at + 12, pe_rva(name));
    pe_put32(image, at + 16, pe_rva(table));
}

/* ---- facts ---- */

static const struct hf_fact_module *const modules[] = {&hf_pe_module};

void pe_facts_start(struct pe_facts *f, const struct pe_image *image)
{
    f->arena = hf_arena_new(64 << 20);
    f->hasher = hf_hasher_new();
    f->budget = hf_budget_of(&(struct hf_limits){.work = 5000000});
    f->facts = hf_facts_of(modules, 1, hf_cursor_open(image->data, image->size, &f->budget),
                           f->arena, NULL);
    f->facts.hasher = f->hasher;
}

void pe_facts_done(struct pe_facts *f)
{
    hf_hasher_free(f->hasher);
    hf_arena_free(f->arena);
}

const struct hf_pe *pe_facts_need(struct pe_facts *f, unsigned groups)
{
    return hf_facts_need(&f->facts, &hf_pe_module,
                         groups != 0 ? groups : (2u << HF_PE_GROUPS) - 2);
}

struct hf_value pe_fact(struct pe_facts *f, const char *name)
{
    size_t field = hf_fact_find(hf_pe_module.record, hf_bytes_text(name));
    return field == SIZE_MAX ? (struct hf_value){0} : hf_facts_get(&f->facts, 0, field);
}

struct hf_value pe_call(struct pe_facts *f, const char *name, const char *signature,
                        const struct hf_value *args)
{
    const struct hf_fact_record *record = hf_pe_module.record;
    size_t field = hf_fact_find_call(record, hf_bytes_text(name), signature);
    if (field == SIZE_MAX)
        return (struct hf_value){0};
    return hf_facts_call(&f->facts, &record->fields[field], args);
}
