#include "format/dotnet.h"

#include "format/dotnet_internal.h"

#include <stdio.h>

enum {
    CLI_HEADER_SIZE = 72,
    METADATA_SIZE = 16, /* up to the version text */
    METADATA_MAGIC = 0x424a5342,
    VERSION_MAX = 255,
    STREAM_NAME_SIZE = 32,
    GUID_SIZE = 16,
    GUID_TEXT = 37,
    FILE_DLL = 0x2000
};

static const struct hf_dotnet_yara_rules yara_rules[] = {
    [HF_PE_YARA_45] = {.lengths_are_checked = true,
                       .strings_are_bounded = true,
                       .extra_data = true},
    [HF_PE_YARA_42] = {.blobs_lose_a_byte = true, .last_blob_counts = true},
};

void *dotnet_add(const struct dotnet_reader *r, struct dotnet_list *list)
{
    void *grown = hf_arena_grow(r->arena, list->items, list->count, list->size);
    if (grown == NULL)
        return NULL;
    list->items = grown;
    return (uint8_t *)grown + list->count++ * list->size;
}

struct hf_fact_list dotnet_list_done(const struct dotnet_list *list)
{
    return (struct hf_fact_list){.items = list->items, .count = list->count};
}

/* ---- is it one? ---- */

static uint64_t offset_of(const struct hf_pe *pe, uint32_t rva)
{
    int64_t offset = hf_pe_yara_offset(pe, rva);
    return offset < 0 ? UINT64_MAX : (uint64_t)offset;
}

/* 32-bit programs start with a jump to _CorExeMain. [CLI II.25.2.3.1 "Entry point"] */
static bool starts_with_jump(const struct hf_cursor *file, const struct hf_pe *pe)
{
    struct hf_cursor c = hf_cursor_at(file, offset_of(pe, pe->entry_rva));
    return hf_peek_equal(&c, "\xff\x25", 2);
}

/* The CLI header and the metadata root. [CLI II.25.3.3, II.24.2.1] */
static bool find_root(const struct hf_cursor *file, const struct hf_pe *pe,
                      struct hf_dotnet *net)
{
    /* whatever NumberOfRvaAndSizes says: YARA asks for it in 64-bit images only, below */
    const struct hf_pe_directory *dir = &pe->directories[HF_PE_DIR_DOTNET];
    struct hf_cursor c = hf_cursor_sub(file, offset_of(pe, dir->rva), CLI_HEADER_SIZE);
    if (c.failed || hf_u32le(&c) != CLI_HEADER_SIZE)
        return false;
    hf_skip(&c, 4); /* runtime version */
    net->root = offset_of(pe, hf_u32le(&c));
    hf_skip(&c, 12); /* size of the metadata, flags, entry point */
    net->resource_base = hf_pe_yara_offset(pe, hf_u32le(&c));
    c = hf_cursor_at(file, net->root);
    uint32_t magic = hf_u32le(&c);
    hf_skip(&c, 8);
    uint32_t length = hf_u32le(&c);
    if (magic != METADATA_MAGIC || length == 0 || length > VERSION_MAX || length % 4 != 0 ||
        hf_cursor_left(&c) < length)
        return false;
    if (pe->is_64)
        return pe->directory_count >= HF_PE_DIR_DOTNET;
    return (pe->characteristics & FILE_DLL) != 0 || starts_with_jump(file, pe);
}

/* ---- streams ---- */

static bool starts_with(struct hf_bytes name, const char *text)
{
    size_t len = strlen(text);
    return name.len >= len && memcmp(name.data, text, len) == 0;
}

/* YARA looks at the beginning of the name; the first stream of a kind counts, of GUIDs the
 * last. */
static void note_heap(const struct dotnet_reader *r, const struct hf_dotnet_stream *s)
{
    struct hf_dotnet *net = r->net;
    struct hf_dotnet_heap heap = {true, s->offset, s->size};
    bool tilde = starts_with(s->name, "#~") || starts_with(s->name, "#-");
    if (tilde && !net->tilde.present)
        net->tilde = heap;
    else if (starts_with(s->name, "#GUID"))
        net->guid_heap = heap;
    else if (starts_with(s->name, "#Strings") && !net->strings.present)
        net->strings = heap;
    else if (starts_with(s->name, "#Blob") &&
             (!net->blobs.present || r->rules->last_blob_counts))
        net->blobs = heap;
    else if (starts_with(s->name, "#US") && !net->user_heap.present)
        net->user_heap = heap;
}

/* [CLI II.24.2.2]; names are padded to four bytes, at least with one zero. YARA wants 32 bytes
 * of file for a name. */
static bool read_stream(const struct dotnet_reader *r, struct hf_cursor *c,
                        struct hf_dotnet_stream *s)
{
    bool terminated;
    s->offset = r->net->root + hf_u32le(c);
    s->size = hf_u32le(c);
    struct hf_cursor name = hf_cursor_sub(&r->file, c->pos, STREAM_NAME_SIZE);
    if (c->failed || name.failed || !hf_cursor_charge(c, 1))
        return false;
    s->name = hf_take_until(&name, 0, STREAM_NAME_SIZE, &terminated);
    if (!terminated)
        return false;
    hf_skip(c, s->name.len + 4 - s->name.len % 4);
    if (s->name.len == 0)
        s->name = hf_bytes_of("", 0);
    return true;
}

static enum hf_status read_streams(const struct dotnet_reader *r, struct hf_cursor c)
{
    struct hf_dotnet *net = r->net;
    uint8_t count = hf_u8(&c); /* YARA reads the low byte only; the other is 0 */
    hf_skip(&c, 1);
    if (c.failed)
        return HF_TRUNCATED;
    struct hf_dotnet_stream *streams = hf_arena_array(r->arena, count, sizeof *streams);
    if (streams == NULL)
        return HF_NOMEM;
    size_t whole = 0;
    while (whole < count && read_stream(r, &c, &streams[whole]))
        note_heap(r, &streams[whole++]);
    net->streams = (struct hf_fact_list){streams, whole};
    net->stream_count = hf_optional_of((int64_t)whole);
    return whole < count ? HF_TRUNCATED : HF_OK;
}

/* ---- heaps that are facts ---- */

static struct hf_bytes guid_text(const struct dotnet_reader *r, struct hf_cursor *c)
{
    uint32_t a = hf_u32le(c);
    uint16_t b = hf_u16le(c), d = hf_u16le(c);
    uint8_t e[8];
    hf_copy(c, e, sizeof e);
    char *text = hf_arena_alloc(r->arena, GUID_TEXT);
    if (text == NULL)
        return (struct hf_bytes){0};
    snprintf(text, GUID_TEXT, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", a, b, d,
             e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]);
    return hf_bytes_of(text, GUID_TEXT - 1);
}

/* [CLI II.24.2.5] */
static enum hf_status read_guids(const struct dotnet_reader *r)
{
    struct hf_dotnet *net = r->net;
    if (!net->guid_heap.present)
        return HF_OK;
    struct hf_cursor c =
        hf_cursor_clip(&r->file, net->guid_heap.offset, net->guid_heap.size);
    size_t count = hf_cursor_left(&c) / GUID_SIZE;
    count = count < HF_DOTNET_GUIDS_MAX ? count : HF_DOTNET_GUIDS_MAX;
    struct hf_bytes *guids = hf_arena_array(r->arena, count, sizeof *guids);
    if (guids == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++)
        guids[i] = guid_text(r, &c);
    net->guids = (struct hf_fact_list){guids, count};
    net->guid_count = hf_optional_of((int64_t)count);
    return HF_OK;
}

/* [CLI II.24.2.4] Strings in UTF-16 with a byte of flags behind each. YARA leaves that byte to be
 * read as the next length: 0 is an empty string, 1 an empty one with its flags; both are passed
 * over. A text that runs past the file is passed over by its length's bytes. */
static enum hf_status read_user_strings(const struct dotnet_reader *r)
{
    struct hf_dotnet *net = r->net;
    struct hf_cursor heap =
        hf_cursor_sub(&r->file, net->user_heap.offset, net->user_heap.size);
    struct dotnet_list list = {.size = sizeof(struct hf_bytes)};
    if (!net->user_heap.present || net->user_heap.size == 0 || heap.failed)
        return net->user_heap.present && heap.failed ? HF_TRUNCATED : HF_OK;
    if (hf_u8(&heap) != 0)
        return HF_MALFORMED;
    uint64_t at = net->user_heap.offset + 1;
    uint64_t end = net->user_heap.offset + net->user_heap.size;
    uint32_t size, length;
    while (at < end && dotnet_charge(r) && dotnet_blob_length(r, at, &size, &length)) {
        at += size;
        if (!r->rules->blobs_lose_a_byte && length > 0)
            length--;
        struct hf_cursor text = hf_cursor_sub(&r->file, at, length);
        if (length == 0 || text.failed)
            continue;
        struct hf_bytes *string = dotnet_add(r, &list);
        if (string == NULL)
            return HF_NOMEM;
        *string = hf_take_rest(&text);
        at += length;
        net->user_strings = dotnet_list_done(&list);
    }
    net->user_string_count = hf_optional_of((int64_t)list.count);
    return at < end ? HF_TRUNCATED : HF_OK;
}

/* ---- groups ---- */

static enum hf_status first_failure(enum hf_status before, enum hf_status now)
{
    return before != HF_OK ? before : now;
}

static enum hf_status parse_metadata(const struct dotnet_reader *r)
{
    struct hf_dotnet *net = r->net;
    struct hf_cursor c = dotnet_at(r, net->root + METADATA_SIZE - 4);
    uint32_t length = hf_u32le(&c);
    struct hf_cursor version = hf_cursor_sub(&r->file, c.pos, length);
    bool terminated;
    struct hf_bytes text = hf_take_until(&version, 0, length, &terminated);
    if (terminated)
        net->version = text.len == 0 ? hf_bytes_of("", 0) : text;
    hf_skip(&c, (uint64_t)length + 2); /* flags, 0 */
    enum hf_status st = read_streams(r, c);
    if (st == HF_NOMEM)
        return st;
    st = first_failure(st, read_guids(r));
    if (net->tilde.present && net->strings.present && net->blobs.present) {
        st = first_failure(st, dotnet_locate_tables(r));
        st = first_failure(st, dotnet_read_tables(r));
    }
    return first_failure(st, read_user_strings(r));
}

enum hf_status dotnet_parse_group(struct hf_facts *facts, void *state, unsigned group)
{
    struct hf_dotnet *net = state;
    const struct hf_pe *pe = hf_facts_need(facts, &hf_pe_module, 1U << HF_PE_HEADERS);
    if (pe == NULL)
        return HF_NOMEM;
    if (!hf_pe_yara_accepts(pe))
        return HF_NOTFOUND;
    if (group == HF_DOTNET_IDENTITY) {
        net->is_dotnet = hf_optional_of(find_root(&facts->object, pe, net));
        return HF_OK;
    }
    unsigned before = 1U << (group - 1);
    if (hf_facts_need(facts, &hf_dotnet_module, before) == NULL)
        return HF_NOMEM;
    if (!net->is_dotnet.defined || net->is_dotnet.value == 0)
        return HF_NOTFOUND;
    struct dotnet_reader r = {.file = facts->object,
                              .arena = facts->arena,
                              .pe = pe,
                              .net = net,
                              .rules = &yara_rules[pe->yara]};
    enum hf_status st =
        group == HF_DOTNET_METADATA ? parse_metadata(&r) : dotnet_read_classes(&r);
    bool spent = facts->object.budget != NULL && facts->object.budget->exhausted;
    return spent ? HF_LIMIT : st;
}
