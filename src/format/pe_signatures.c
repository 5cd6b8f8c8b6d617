/* Authenticode signatures of PE files: where they are; authenticode.h reads them. */
#include "format/pe_internal.h"

#include <time.h>

/* The ranges that are hashed as bytes; *before counts those before the table. */
static size_t hashed_parts(const struct hf_cursor *file, const struct hf_pe *pe,
                           uint64_t table, struct hf_bytes *parts, size_t *before)
{
    struct hf_pe_extent extents[HF_PE_AUTHENTICODE_PARTS];
    size_t count = hf_pe_authenticode_parts(pe, extents);
    *before = 0;
    for (size_t i = 0; i < count; i++) {
        struct hf_cursor c = hf_cursor_clip(file, extents[i].offset, extents[i].size);
        parts[i] = hf_take_rest(&c);
        if (table == 0 || extents[i].offset < table)
            *before = i + 1;
    }
    return count;
}

enum hf_status hf_pe_read_signatures(const struct hf_cursor *file, struct hf_arena *arena,
                                     struct hf_pe *pe)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_SECURITY);
    struct hf_bytes parts[HF_PE_AUTHENTICODE_PARTS];
    struct hf_authenticode_source source = {.file = *file,
                                            .parts = parts,
                                            .roots = pe->roots,
                                            .now = pe->now,
                                            .yara42 = pe->yara == HF_PE_YARA_42};
    if (dir == NULL) {
        if (!source.yara42)
            pe->authenticode.signature_count = hf_optional_of(0);
        return HF_OK;
    }
    if (source.now == 0)
        source.now = time(NULL);
    source.table = dir->rva;
    source.table_size = dir->size;
    source.part_count = hashed_parts(file, pe, source.table, parts, &source.parts_before);
    return hf_authenticode_read(&source, arena, &pe->authenticode);
}
