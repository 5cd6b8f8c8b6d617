#include "feed/manifest.h"

#include "base/auto.h"
#include "base/text.h"

#include <inttypes.h>

static const char header[] = "holdfast-manifest v1";
static const char entry_word[] = "holdfast/1";

static bool read_capabilities(struct hf_fields *f, struct hf_manifest *m)
{
    bool sorted = true;
    while (hf_fields_if(f, "capability")) {
        struct hf_bytes word = hf_field_tag(f);
        size_t n = m->capability_count;
        if (n == HF_MANIFEST_CAPABILITIES_MAX)
            return false;
        sorted = sorted && (n == 0 || hf_bytes_order(m->capabilities[n - 1], word) < 0);
        m->capabilities[m->capability_count++] = word;
    }
    return sorted;
}

static bool read_rings(struct hf_fields *f, struct hf_manifest *m)
{
    uint64_t percent = 0, delay = 0;
    while (hf_fields_if(f, "ring")) {
        struct hf_manifest_ring ring = {0};
        ring.percent = hf_field_number(f);
        ring.delay = hf_field_number(f);
        if (m->ring_count == HF_MANIFEST_RINGS_MAX || ring.percent <= percent ||
            ring.percent > 100 || ring.delay < delay)
            return false;
        percent = ring.percent, delay = ring.delay;
        m->rings[m->ring_count++] = ring;
    }
    return percent == 100;
}

static bool read_files(struct hf_fields *f, struct hf_manifest *m)
{
    while (hf_fields_if(f, "file")) {
        size_t n = m->file_count;
        if (n == HF_MANIFEST_FILES_MAX)
            return false;
        struct hf_manifest_file *file = &m->files[n];
        file->name = hf_field_word(f, HF_FILE_NAME_MAX);
        file->size = hf_field_number(f);
        file->hash = hf_field_hash(f);
        if (f->failed || !hf_file_name_valid(file->name) ||
            file->size > HF_MANIFEST_FILE_SIZE_MAX ||
            (n > 0 && hf_bytes_order(m->files[n - 1].name, file->name) >= 0))
            return false;
        m->file_count++;
    }
    return m->file_count > 0;
}

static int delta_order(const struct hf_manifest_delta *a, const struct hf_manifest_delta *b)
{
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return memcmp(a->from.bytes, b->from.bytes, sizeof a->from.bytes);
}

static bool read_deltas(struct hf_fields *f, struct hf_manifest *m)
{
    while (hf_fields_if(f, "delta")) {
        size_t n = m->delta_count;
        if (n == HF_MANIFEST_DELTAS_MAX)
            return false;
        struct hf_manifest_delta *delta = &m->deltas[n];
        delta->file = hf_field_number(f);
        delta->from = hf_field_hash(f);
        delta->size = hf_field_number(f);
        delta->hash = hf_field_hash(f);
        if (f->failed || delta->file >= m->file_count ||
            delta->size > HF_MANIFEST_FILE_SIZE_MAX ||
            (n > 0 && delta_order(&m->deltas[n - 1], delta) >= 0))
            return false;
        m->delta_count++;
    }
    return true;
}

enum hf_refusal hf_manifest_read(struct hf_bytes text, struct hf_budget *budget,
                                 struct hf_manifest *m)
{
    *m = (struct hf_manifest){0};
    if (text.len > HF_MANIFEST_BYTES_MAX)
        return HF_REFUSE_MANIFEST_LONG;
    struct hf_fields f = hf_fields_begin(text, header, budget);
    hf_fields_line(&f, "product");
    m->product = hf_field_product(&f);
    hf_fields_line(&f, "channel");
    m->channel = hf_field_tag(&f);
    hf_fields_line(&f, "version");
    m->version = hf_field_number(&f);
    hf_fields_line(&f, "previous");
    m->previous = hf_field_hash(&f);
    hf_fields_line(&f, "created");
    m->created = hf_field_number(&f);
    hf_fields_line(&f, "expires");
    m->expires = hf_field_number(&f);
    hf_fields_line(&f, "engine");
    m->engine_min = hf_field_number(&f);
    m->engine_max = hf_field_number(&f);
    bool good = read_capabilities(&f, m);
    good = read_rings(&f, m) && good;
    good = read_files(&f, m) && good;
    good = read_deltas(&f, m) && good;
    if (hf_cursor_status(&f.c) == HF_LIMIT)
        return HF_REFUSE_BUDGET;
    if (f.failed)
        return HF_REFUSE_MANIFEST_FORM;
    if (!good)
        return HF_REFUSE_MANIFEST_ORDER;
    static const struct hf_hash none;
    if (!hf_fields_end(&f) || m->version == 0 || m->created >= m->expires ||
        m->engine_min > m->engine_max ||
        (m->version == 1) != hf_hash_equal(&m->previous, &none))
        return HF_REFUSE_MANIFEST_FORM;
    return HF_ACCEPTED;
}

static void put_hash_line(struct hf_buffer *out, const char *key,
                          const struct hf_hash *hash)
{
    hf_buffer_format(out, "%s ", key);
    hf_put_hash(out, hash);
    hf_buffer_u8(out, '\n');
}

static void write_lists(struct hf_buffer *out, const struct hf_manifest *m)
{
    for (size_t i = 0; i < m->capability_count; i++)
        hf_put_bytes(out, "capability", m->capabilities[i]);
    for (size_t i = 0; i < m->ring_count; i++)
        hf_buffer_format(out, "ring %" PRIu64 " %" PRIu64 "\n", m->rings[i].percent,
                         m->rings[i].delay);
    for (size_t i = 0; i < m->file_count; i++) {
        hf_buffer_text(out, "file ");
        hf_buffer_bytes(out, m->files[i].name);
        hf_buffer_format(out, " %" PRIu64 " ", m->files[i].size);
        hf_put_hash(out, &m->files[i].hash);
        hf_buffer_u8(out, '\n');
    }
    for (size_t i = 0; i < m->delta_count; i++) {
        hf_buffer_format(out, "delta %" PRIu64 " ", m->deltas[i].file);
        hf_put_hash(out, &m->deltas[i].from);
        hf_buffer_format(out, " %" PRIu64 " ", m->deltas[i].size);
        hf_put_hash(out, &m->deltas[i].hash);
        hf_buffer_u8(out, '\n');
    }
}

enum hf_refusal hf_manifest_write(struct hf_buffer *out, const struct hf_manifest *m)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    struct hf_manifest again;
    if (m->capability_count > HF_MANIFEST_CAPABILITIES_MAX ||
        m->ring_count > HF_MANIFEST_RINGS_MAX || m->file_count > HF_MANIFEST_FILES_MAX ||
        m->delta_count > HF_MANIFEST_DELTAS_MAX)
        return HF_REFUSE_ARGUMENT;
    hf_buffer_format(&text, "%s\n", header);
    hf_put_bytes(&text, "product", m->product);
    hf_put_bytes(&text, "channel", m->channel);
    hf_put_number(&text, "version", m->version);
    put_hash_line(&text, "previous", &m->previous);
    hf_put_number(&text, "created", m->created);
    hf_put_number(&text, "expires", m->expires);
    hf_buffer_format(&text, "engine %" PRIu64 " %" PRIu64 "\n", m->engine_min,
                     m->engine_max);
    write_lists(&text, m);
    if (text.failed)
        return HF_REFUSE_NOMEM;
    if (hf_manifest_read(hf_buffer_view(&text), NULL, &again) != HF_ACCEPTED)
        return HF_REFUSE_ARGUMENT;
    hf_buffer_bytes(out, hf_buffer_view(&text));
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

enum hf_refusal hf_entry_read(struct hf_bytes bytes, struct hf_entry *entry)
{
    /* The frame of fields.h for one line whose first word is the key. */
    struct hf_fields f = {.c = hf_cursor_open(bytes.data, bytes.len, NULL)};
    *entry = (struct hf_entry){0};
    if (bytes.len > HF_ENTRY_BYTES_MAX)
        return HF_REFUSE_ENTRY_FORM;
    hf_fields_line(&f, entry_word);
    struct hf_entry e = {0};
    e.product = hf_field_product(&f);
    e.channel = hf_field_tag(&f);
    e.version = hf_field_number(&f);
    e.hash = hf_field_hash(&f);
    if (!hf_fields_end(&f) || e.version == 0)
        return HF_REFUSE_ENTRY_FORM;
    *entry = e;
    return HF_ACCEPTED;
}

void hf_entry_write(struct hf_buffer *out, const struct hf_entry *entry)
{
    hf_buffer_format(out, "%s ", entry_word);
    hf_buffer_bytes(out, entry->product);
    hf_buffer_u8(out, ' ');
    hf_buffer_bytes(out, entry->channel);
    hf_buffer_format(out, " %" PRIu64 " ", entry->version);
    hf_put_hash(out, &entry->hash);
    hf_buffer_u8(out, '\n');
}

void hf_object_path(struct hf_buffer *out, const struct hf_hash *hash)
{
    hf_buffer_text(out, "object/");
    hf_hex(out, hf_bytes_of(hash->bytes, 1));
    hf_buffer_u8(out, '/');
    hf_put_hash(out, hash);
}

void hf_release_path(struct hf_buffer *out, const struct hf_hash *hash)
{
    hf_buffer_text(out, "release/");
    hf_put_hash(out, hash);
}

void hf_root_path(struct hf_buffer *out, uint64_t version)
{
    hf_buffer_format(out, "root/%" PRIu64, version);
}
