/* The certificate table of a PE file, and what of the file no signature covers. */
#include "format/authenticode.h"

#include "format/authenticode_internal.h"

enum { ENTRY_HEAD = 8, PKCS_SIGNED_DATA = 2, REVISION_1 = 0x100, REVISION_2 = 0x200 };

static uint64_t aligned(uint64_t offset)
{
    return (offset + 7) & ~(uint64_t)7;
}

/* Whether bytes are more than padding to a multiple of eight. */
static bool carries_data(const struct hf_cursor *file, uint64_t offset, uint64_t size)
{
    struct hf_cursor c = hf_cursor_clip(file, offset, size);
    if (size > 7)
        return true;
    while (hf_cursor_left(&c) > 0)
        if (hf_u8(&c) != 0)
            return true;
    return false;
}

static void report(struct ac_context *ctx, uint64_t from, uint64_t to, const char *kind)
{
    const struct hf_cursor *file = &ctx->source->file;
    if (to > file->len)
        to = file->len;
    if (from < to && carries_data(file, from, to - from))
        ac_add_uncovered(ctx, (struct hf_uncovered){.offset = from,
                                                    .size = to - from,
                                                    .kind = hf_bytes_text(kind)});
}

/* The signatures of one entry. YARA 4.2 reads one after the other, all others the first. */
static void read_entry(struct ac_context *ctx, const struct hf_certificate_entry *entry)
{
    const struct hf_cursor *file = &ctx->source->file;
    uint64_t end = entry->offset + entry->size;
    struct hf_cursor c = hf_cursor_clip(file, 0, end);
    hf_seek(&c, entry->offset + ENTRY_HEAD);
    bool whole = ac_read_signature(ctx, &c, 0);
    while (whole && ctx->yara42 && ctx->count < 16 && hf_cursor_left(&c) > 0)
        whole = ac_read_signature(ctx, &c, 0);
    if (whole && !c.failed)
        report(ctx, c.pos, end, "behind the signature");
}

/* Read the headers of the entries; *end is where the last one ends. */
static enum hf_status read_entries(const struct hf_authenticode_source *s,
                                   struct hf_arena *arena, struct hf_fact_list *out,
                                   uint64_t *end)
{
    struct hf_certificate_entry *list =
        hf_arena_array(arena, HF_AUTHENTICODE_ENTRIES_MAX, sizeof *list);
    uint64_t at = s->table, limit = s->table + s->table_size;
    *end = at;
    if (list == NULL)
        return HF_NOMEM;
    *out = (struct hf_fact_list){.items = list};
    while (limit >= ENTRY_HEAD && at <= limit - ENTRY_HEAD) {
        struct hf_cursor c = hf_cursor_at(&s->file, at);
        struct hf_certificate_entry e = {.offset = at};
        e.size = hf_u32le(&c);
        e.revision = hf_u16le(&c);
        e.type = hf_u16le(&c);
        if (c.failed || e.size < ENTRY_HEAD || !hf_cursor_charge(&c, 1))
            return c.failed ? HF_TRUNCATED : HF_OK;
        if (out->count == HF_AUTHENTICODE_ENTRIES_MAX)
            return HF_LIMIT;
        list[out->count++] = e;
        if (e.size > s->file.len - at)
            return HF_TRUNCATED;
        *end = aligned(at + e.size);
        at = *end;
    }
    return HF_OK;
}

static struct hf_fact_list listed(struct ac_context *ctx)
{
    size_t n = 0;
    for (size_t i = 0; i < ctx->count; i++)
        if (!ctx->list[i].hidden)
            ctx->list[n++] = ctx->list[i];
    ctx->list = n == 0 ? NULL : ctx->list;
    struct hf_fact_list list = {.items = ctx->list, .count = n};
    ctx->list = NULL;
    ctx->count = 0;
    return list;
}

/* Whether an entry fits into the file as far as readers want. [YARA 4.5, parse_authenticode] */
static bool fits(const struct hf_authenticode_source *s,
                 const struct hf_certificate_entry *e)
{
    return e->offset <= s->file.len && e->size <= s->file.len - e->offset &&
           e->size > ENTRY_HEAD;
}

/* YARA 4.2 reads all entries of the second revision, up to one of an unknown one. */
static void read_all_42(struct ac_context *ctx, const struct hf_fact_list *entries)
{
    const struct hf_certificate_entry *e = entries->items;
    const struct hf_authenticode_source *s = ctx->source;
    for (size_t i = 0; i < entries->count; i++) {
        bool known = e[i].revision == REVISION_1 || e[i].revision == REVISION_2;
        if (!known || !fits(s, &e[i]) || e[i].offset + e[i].size > s->table + s->table_size)
            return;
        if (e[i].revision == REVISION_2 && e[i].type == PKCS_SIGNED_DATA)
            read_entry(ctx, &e[i]);
    }
}

static void read_all(struct ac_context *ctx, struct hf_authenticode *out)
{
    const struct hf_certificate_entry *e = out->entries.items;
    if (ctx->yara42) {
        read_all_42(ctx, &out->entries);
        out->signatures = listed(ctx);
        return;
    }
    if (out->entries.count > 0 && fits(ctx->source, &e[0]))
        read_entry(ctx, &e[0]); /* of whatever revision and type: as YARA */
    out->signatures = listed(ctx);
    for (size_t i = 1; i < out->entries.count; i++)
        if (e[i].type == PKCS_SIGNED_DATA && fits(ctx->source, &e[i]))
            read_entry(ctx, &e[i]);
    out->others = listed(ctx);
}

enum hf_status hf_authenticode_read(const struct hf_authenticode_source *source,
                                    struct hf_arena *arena, struct hf_authenticode *out)
{
    struct ac_context ctx = {.source = source,
                             .arena = arena,
                             .roots = source->roots,
                             .now = source->now,
                             .yara42 = source->yara42};
    uint64_t len = source->file.len, end;
    out->signature_count = hf_optional_of(0);
    if (source->table == 0 || source->table_size == 0)
        return HF_OK;
    if (source->table > len || source->table_size > len - source->table)
        return HF_TRUNCATED; /* Windows and YARA take such a file for unsigned */
    enum hf_status st = read_entries(source, arena, &out->entries, &end);
    read_all(&ctx, out);
    ac_cache_release(&ctx.certs);
    out->signature_count = hf_optional_of((int64_t)out->signatures.count);
    const struct hf_code_signature *s = out->signatures.items;
    for (size_t i = 0; i < out->signatures.count; i++)
        out->is_signed |= s[i].verified;
    report(&ctx, end, source->table + source->table_size,
           "behind the entries of the table");
    report(&ctx, source->table + source->table_size, len, "behind the table");
    out->uncovered =
        (struct hf_fact_list){.items = ctx.uncovered, .count = ctx.uncovered_count};
    struct hf_cursor file = source->file;
    if (!hf_cursor_charge(&file, 0))
        return HF_LIMIT;
    return ctx.status != HF_OK ? ctx.status : st;
}
