#include "scan/form.h"

#include "base/auto.h"
#include "base/buffer.h"
#include "base/text.h"
#include "format/pe.h"
#include "format/schema.h"
#include "scan/object.h"
#include "view/html.h"

#include <stdio.h>
#include <stdlib.h>

/* Where one part goes. */
struct part {
    const struct hf_form_out *out;
    unsigned number;
};

static enum hf_status write_part(void *user, struct hf_bytes bytes)
{
    const struct part *part = user;
    return part->out->write(part->out->user, part->number, bytes);
}

/* ---- forms of text ---- */

static enum hf_status write_text(struct hf_engine *engine, struct hf_bytes object,
                                 const struct hf_form_out *out)
{
    struct part part = {out, 0};
    struct hf_cursor c = hf_cursor_open(object.data, object.len, &engine->budget);
    return hf_view_text(&c, &(struct hf_view_out){write_part, &part});
}

static enum hf_status take_piece(void *user, struct hf_bytes bytes)
{
    hf_buffer_bytes(user, bytes);
    return HF_OK;
}

static enum hf_status write_utf16(struct hf_engine *engine, struct hf_bytes object,
                                  const struct hf_form_out *out)
{
    enum { PIECE = 512 }; /* of each piece that long, what is behind a zero is lost there */
    struct hf_buffer piece = {0};
    struct hf_cursor whole = hf_cursor_open(object.data, object.len, &engine->budget);
    enum hf_status st = HF_OK;
    for (size_t left; st == HF_OK && (left = hf_cursor_left(&whole)) > 0;) {
        struct hf_cursor c = hf_cursor_sub(&whole, whole.pos, left < PIECE ? left : PIECE);
        hf_skip(&whole, left < PIECE ? left : PIECE);
        hf_buffer_clear(&piece);
        st = hf_view_utf16(&c, &(struct hf_view_out){take_piece, &piece});
        size_t n = piece.len > 0 ? strnlen((const char *)piece.data, piece.len) : 0;
        if (n > 0 && st == HF_OK)
            st = out->write(out->user, 0, hf_bytes_of(piece.data, n));
    }
    if (piece.failed)
        st = HF_NOMEM;
    hf_buffer_done(&piece);
    return st;
}

static enum hf_status write_page(struct hf_engine *engine, struct hf_bytes object,
                                 const struct hf_form_out *out)
{
    struct part page = {out, 0}, text = {out, 1};
    struct hf_cursor c = hf_cursor_open(object.data, object.len, &engine->budget);
    return hf_view_html(
        &c, &(struct hf_view_html_out){{write_part, &page}, {write_part, &text}});
}

/* ---- parts of programs ---- */

static enum hf_status md5_of(struct hf_engine *engine, struct hf_bytes bytes,
                             struct hf_buffer *hex)
{
    struct hf_digests digests = {0};
    if (!hf_budget_work(&engine->budget, bytes.len / 1024 + 1))
        return HF_LIMIT;
    enum hf_status st = hf_digest_add(engine->hasher, bytes, 1u << HF_MD5, &digests);
    if (st == HF_OK)
        hf_hex(hex, hf_digest_bytes(&digests, HF_MD5));
    return st;
}

static int by_place(const void *a, const void *b)
{
    const struct hf_pe_extent *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* One line; a section without data has an empty one. */
static enum hf_status write_section(struct hf_engine *engine, struct hf_bytes object,
                                    struct hf_pe_extent e, const struct hf_form_out *out)
{
    char line[64] = "\n";
    HF_AUTO(hf_buffer_done) struct hf_buffer hex = {0};
    if (e.size > 0 && e.offset <= object.len && e.size <= object.len - e.offset) {
        enum hf_status st =
            md5_of(engine, hf_bytes_of(object.data + e.offset, (size_t)e.size), &hex);
        if (st != HF_OK || hex.failed)
            return st != HF_OK ? st : HF_NOMEM;
        snprintf(line, sizeof line, "%llu:%.*s\n", (unsigned long long)e.size, (int)hex.len,
                 (const char *)hex.data);
    }
    return out->write(out->user, 0, hf_bytes_text(line));
}

static enum hf_status write_sections(struct hf_engine *engine, struct hf_bytes object,
                                     const struct hf_pe *pe, const struct hf_form_out *out)
{
    size_t count = pe->sections.count;
    struct hf_pe_extent *all = hf_arena_array(engine->arena, count, sizeof *all);
    if (all == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++)
        all[i] = hf_pe_clamav_section(pe, i);
    qsort(all, count, sizeof *all, by_place); /* <= 96 of them, the parser's cap */
    enum hf_status st = HF_OK;
    for (size_t i = 0; st == HF_OK && i < count; i++)
        st = write_section(engine, object, all[i], out);
    return st;
}

static enum hf_status write_imports(struct hf_engine *engine, const struct hf_pe *pe,
                                    const struct hf_form_out *out)
{
    struct hf_bytes text = hf_pe_imphash_text(pe, engine->arena);
    HF_AUTO(hf_buffer_done) struct hf_buffer hex = {0};
    char line[64];
    if (text.data == NULL)
        return HF_NOMEM;
    if (text.len == 0)
        return out->write(out->user, 0, hf_bytes_text("\n"));
    enum hf_status st = md5_of(engine, text, &hex);
    if (st != HF_OK || hex.failed)
        return st != HF_OK ? st : HF_NOMEM;
    snprintf(line, sizeof line, "%.*s:%zu\n", (int)hex.len, (const char *)hex.data,
             text.len);
    return out->write(out->user, 0, hf_bytes_text(line));
}

static enum hf_status write_program(struct hf_engine *engine, struct hf_bytes object,
                                    const struct hf_form_out *out)
{
    bool imports = engine->options.form == HF_FORM_IMPORTS;
    struct hf_cursor whole = hf_cursor_open(object.data, object.len, &engine->budget);
    struct hf_facts facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, whole, engine->arena, NULL);
    facts.hasher = engine->hasher;
    const struct hf_pe *pe = hf_facts_need(
        &facts, &hf_pe_module, 1u << HF_PE_HEADERS | (imports ? 1u << HF_PE_IMPORTS : 0u));
    /* Less strict than hf_pe_clamav_broken: [ClamAV 1.4, behaviour of sigtool] sections and their
     * alignments may be wrong. */
    if (pe == NULL || !pe->found || !pe->headers_whole || !pe->sections_whole ||
        pe->section_count == 0 || hf_pe_clamav_offset(pe, pe->entry_rva) < 0)
        return HF_UNSUPPORTED;
    return imports ? write_imports(engine, pe, out)
                   : write_sections(engine, object, pe, out);
}

typedef enum hf_status writer(struct hf_engine *engine, struct hf_bytes object,
                              const struct hf_form_out *out);

static writer *const writers[HF_FORM_COUNT] = {
    [HF_FORM_TEXT] = write_text,       [HF_FORM_UTF16] = write_utf16,
    [HF_FORM_PAGE] = write_page,       [HF_FORM_SECTIONS] = write_program,
    [HF_FORM_IMPORTS] = write_program,
};

enum hf_status hf_form_write(struct hf_engine *engine, struct hf_bytes object,
                             const struct hf_form_out *out)
{
    struct hf_arena_mark mark = hf_arena_mark(engine->arena);
    writer *write = writers[engine->options.form];
    enum hf_status st = write != NULL ? write(engine, object, out) : HF_UNSUPPORTED;
    hf_arena_rewind(engine->arena, mark);
    return st;
}
