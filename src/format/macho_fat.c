#include "format/macho_internal.h"

/* Universal files: several programs behind a table, which is big-endian whatever they are.
 * [MACHO <mach-o/fat.h>] Java classes begin with the same four bytes; theirs is a "count" of
 * millions, and the table ends there. */

static bool is_fat(uint32_t big_endian_magic)
{
    uint32_t swapped = __builtin_bswap32(big_endian_magic);
    return big_endian_magic == HF_FAT_32 || big_endian_magic == HF_FAT_64 ||
           swapped == HF_FAT_32 || swapped == HF_FAT_64;
}

static struct hf_macho_arch read_arch(struct hf_cursor *c, bool wide)
{
    struct hf_macho_arch a = {.cpu_type = hf_u32be(c)};
    a.cpu_subtype = hf_u32be(c);
    a.offset = wide ? hf_u64be(c) : hf_u32be(c);
    a.size = wide ? hf_u64be(c) : hf_u32be(c);
    a.alignment = hf_u32be(c);
    if (wide)
        hf_skip(c, 4);
    return a;
}

enum hf_status hf_macho_parse_fat(struct hf_facts *facts, struct hf_macho *macho)
{
    struct hf_cursor c = hf_cursor_at(&facts->object, 0);
    uint32_t magic = hf_u32be(&c), count = hf_u32be(&c);
    if (!is_fat(magic) || c.failed)
        return HF_NOTFOUND;
    macho->fat_magic = hf_optional_of(magic);
    macho->arch_count = hf_optional_of(count);
    bool wide = (magic & 0xff) != 0xbe; /* YARA's test, also for the swapped forms */
    if ((uint64_t)count * (wide ? 32 : 20) > hf_cursor_left(&c))
        return HF_MALFORMED;
    struct hf_macho_arch *archs = hf_arena_array(facts->arena, count, sizeof *archs);
    struct hf_macho_file *files = hf_arena_array(facts->arena, count, sizeof *files);
    if (archs == NULL || files == NULL)
        return HF_NOMEM;
    enum hf_status first = HF_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        archs[i] = read_arch(&c, wide);
        macho->archs = (struct hf_fact_list){archs, i + 1};
        struct hf_cursor data =
            hf_cursor_sub(&facts->object, archs[i].offset, archs[i].size);
        if (data.failed) {
            first = first != HF_OK ? first : HF_TRUNCATED;
            continue;
        }
        enum hf_status st = hf_macho_read_file(facts, data, &files[i]);
        macho->files = (struct hf_fact_list){files, i + 1};
        first = first != HF_OK ? first : st;
    }
    return first;
}

static const struct hf_macho *fat_of(struct hf_facts *facts)
{
    const struct hf_macho *macho =
        hf_facts_need(facts, &hf_macho_module, 1u << HF_MACHO_FAT);
    return hf_facts_present(facts, &hf_macho_module, HF_MACHO_FAT) ? macho : NULL;
}

static bool equals(struct hf_optional have, int64_t wanted)
{
    return have.defined && have.value == wanted;
}

/* The first program for a processor; subtype may be NULL. */
static void find_file(struct hf_facts *facts, int64_t type, const int64_t *subtype,
                      struct hf_value *out)
{
    const struct hf_macho *macho = fat_of(facts);
    const struct hf_macho_file *files = macho == NULL ? NULL : macho->files.items;
    for (size_t i = 0; macho != NULL && i < macho->files.count; i++) {
        if (!equals(files[i].cpu_type, type) ||
            (subtype != NULL && !equals(files[i].cpu_subtype, *subtype)))
            continue;
        *out = hf_value_int((int64_t)i);
        return;
    }
}

/* The first entry of the table for a processor decides, also when it has no entry point. */
static void find_entry(struct hf_facts *facts, int64_t type, const int64_t *subtype,
                       struct hf_value *out)
{
    const struct hf_macho *macho = fat_of(facts);
    const struct hf_macho_arch *archs = macho == NULL ? NULL : macho->archs.items;
    for (size_t i = 0; macho != NULL && i < macho->archs.count; i++) {
        if (archs[i].cpu_type != type ||
            (subtype != NULL && archs[i].cpu_subtype != *subtype))
            continue;
        const struct hf_macho_file *files = macho->files.items;
        if (i < macho->files.count && files[i].entry_point.defined)
            *out = hf_value_int(
                (int64_t)(archs[i].offset + (uint64_t)files[i].entry_point.value));
        return;
    }
}

void hf_macho_call_index(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    find_file(facts, args[0].integer, NULL, out);
}

void hf_macho_call_index_subtype(struct hf_facts *facts, const struct hf_value *args,
                                 struct hf_value *out)
{
    find_file(facts, args[0].integer, &args[1].integer, out);
}

void hf_macho_call_entry(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    find_entry(facts, args[0].integer, NULL, out);
}

void hf_macho_call_entry_subtype(struct hf_facts *facts, const struct hf_value *args,
                                 struct hf_value *out)
{
    find_entry(facts, args[0].integer, &args[1].integer, out);
}
