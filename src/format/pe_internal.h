/* pe_internal.h - what the files of the PE parser share. */
#ifndef HF_FORMAT_PE_INTERNAL_H
#define HF_FORMAT_PE_INTERNAL_H

#include "format/pe.h"

/* A list that grows in the arena while it is read. */
struct pe_list {
    void *items;
    size_t count;
    size_t size; /* of an element */
};

/* Room for one more, zeroed; NULL when out of memory. */
static inline void *pe_list_add(struct pe_list *list, struct hf_arena *arena)
{
    void *grown = hf_arena_grow(arena, list->items, list->count, list->size);
    if (grown == NULL)
        return NULL;
    list->items = grown;
    return (uint8_t *)grown + list->count++ * list->size;
}

static inline struct hf_fact_list pe_list_done(const struct pe_list *list)
{
    return (struct hf_fact_list){.items = list->items, .count = list->count};
}

/* A cursor at the file offset where YARA maps the address; failed when there is none. */
static inline struct hf_cursor pe_cursor_at_rva(const struct hf_cursor *file,
                                                const struct hf_pe *pe, uint64_t rva)
{
    int64_t offset = hf_pe_yara_offset(pe, rva);
    return hf_cursor_at(file, offset < 0 ? UINT64_MAX : (uint64_t)offset);
}

/* Bytes up to a NUL or the file's end, at most max; terminated (may be NULL) says whether the
 * NUL was there. */
struct hf_bytes pe_text_at(const struct hf_cursor *file, uint64_t offset, size_t max,
                           bool *terminated);

/* How a reader ends: out of memory and out of budget come before what the reader found. */
enum hf_status pe_status(const struct hf_cursor *file, enum hf_status found);

/* The strings of one VS_VERSION_INFO resource. [PE "Resource", VS_VERSIONINFO structure] */
enum hf_status pe_read_version(const struct hf_cursor *file, struct hf_arena *arena,
                               const struct hf_pe *pe, uint64_t offset,
                               struct pe_list *strings);

/* The delayed imports. [PE "Delay-Load Import Tables"] */
enum hf_status pe_read_delayed(const struct hf_cursor *file, struct hf_arena *arena,
                               struct hf_pe *pe);

/* The name of a library as import tables may have it: a NUL-terminated name of characters that a
 * file name can have, at most max bytes; data NULL when it is none. */
struct hf_bytes pe_library_name(const struct hf_cursor *file, const struct hf_pe *pe,
                                uint64_t rva, size_t max);

/* The name for an imported ordinal: known, or "ord" and the number. */
struct hf_bytes pe_ordinal_text(struct hf_arena *arena, struct hf_bytes library,
                                uint16_t ordinal);

/* Note what is odd about the headers; notes may be NULL. */
void pe_note_oddities(struct hf_notes *notes, const struct hf_cursor *file,
                      const struct hf_pe *pe);

/* The functions (pe_functions.c) that the schema's rows name. */
hf_fact_call hf_pe_call_is_dll, hf_pe_call_is_32bit, hf_pe_call_is_64bit,
    hf_pe_call_checksum, hf_pe_call_rva_to_offset, hf_pe_call_section_by_name,
    hf_pe_call_section_by_offset, hf_pe_call_imphash, hf_pe_call_authenticode_md5,
    hf_pe_call_authenticode_sha1, hf_pe_call_authenticode_sha256, hf_pe_call_exports,
    hf_pe_call_exports_index, hf_pe_call_imports, hf_pe_call_imports_library,
    hf_pe_call_imports_flags, hf_pe_call_imports_flags_library, hf_pe_call_import_rva,
    hf_pe_call_delayed_import_rva, hf_pe_call_locale, hf_pe_call_language,
    hf_pe_call_rich_version, hf_pe_call_rich_version_toolid, hf_pe_call_rich_toolid,
    hf_pe_call_rich_toolid_version;

#endif
