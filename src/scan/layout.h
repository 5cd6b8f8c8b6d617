/* layout.h - an executable as ClamAV's signatures see it: entry point, sections and version
 * information as file offsets, and the places that they stand for. One reading for PE, ELF and
 * Mach-O; what differs from other readers is in format/<x>_dialect.c. [facts/clamav.md 1.2] */
#ifndef HF_SCAN_LAYOUT_H
#define HF_SCAN_LAYOUT_H

#include "facts/facts.h"
#include "format/format.h"
#include "pattern/pattern.h"

struct hf_layout_section {
    uint64_t offset, size;
};

struct hf_layout {
    bool
        readable; /* an executable whose headers ClamAV takes; else nothing below is there */
    struct hf_optional entry; /* file offset */
    struct hf_layout_section *sections;
    size_t section_count;
    bool has_version_info;  /* read; only when a place asks for it */
    uint64_t *version_info; /* where its keys begin (UTF-16) */
    size_t version_info_count;
};

/* Read an object's headers; nothing is there when it is no executable. facts: of the object;
 * what is found lives in its arena. */
void hf_layout_read(struct hf_facts *facts, enum hf_format format,
                    struct hf_layout *layout);

/* Where a place begins: kind ENTRY, SECTION (of this number), LAST_SECTION. False: nowhere. */
bool hf_layout_start(const struct hf_layout *layout, enum hf_place_kind kind,
                     uint16_t section, uint64_t *start);

/* Whether a match may start at an offset, for places that headers tell (ENTRY and later); those
 * that need none are hf_place_allows'. */
bool hf_layout_allows(struct hf_layout *layout, struct hf_facts *facts,
                      const struct hf_place *place, uint64_t start);

/*
 * Where a place begins and ends: a match may start from *first to *last.
 *
 * size  of the view.
 * Returns false when it is nowhere: no such section, headers that cannot be read, before the
 * start. ANYWHERE and VERSION_INFO are no stretch: false.
 */
bool hf_layout_span(const struct hf_layout *layout, const struct hf_place *place,
                    uint64_t size, uint64_t *first, uint64_t *last);

#endif
