#include "feed/fields.h"

#include "base/text.h"
#include "feed/encode.h"

#include <inttypes.h>

struct hf_fields hf_fields_begin(struct hf_bytes text, const char *header,
                                 struct hf_budget *budget)
{
    struct hf_fields f = {.c = hf_cursor_open(text.data, text.len, budget)};
    struct hf_bytes line;
    f.failed = !hf_line_read(&f.c, &line) || !hf_bytes_equal(line, hf_bytes_text(header));
    return f;
}

bool hf_fields_if(struct hf_fields *f, const char *key)
{
    size_t n = strlen(key);
    struct hf_cursor ahead = f->c;
    if (f->failed || f->rest.len > 0 || !hf_peek_equal(&ahead, key, n)) {
        f->failed = f->failed || f->rest.len > 0;
        return false;
    }
    hf_skip(&ahead, n);
    if (hf_u8(&ahead) != ' ' || !hf_cursor_charge(&ahead, 1) ||
        !hf_line_read(&ahead, &f->rest)) {
        f->rest = (struct hf_bytes){0};
        return false;
    }
    f->c = ahead;
    if (f->rest.len == 0)
        f->failed = true;
    return !f->failed;
}

void hf_fields_line(struct hf_fields *f, const char *key)
{
    if (!hf_fields_if(f, key))
        f->failed = true;
}

struct hf_bytes hf_field_word(struct hf_fields *f, size_t max)
{
    struct hf_bytes none = {0}, rest = f->rest;
    if (f->failed || rest.len == 0) {
        f->failed = true;
        return none;
    }
    const uint8_t *space = memchr(rest.data, ' ', rest.len);
    size_t n = space != NULL ? (size_t)(space - rest.data) : rest.len;
    /* A space must separate this word from another one. */
    if (n == 0 || n > max || (space != NULL && n + 1 == rest.len)) {
        f->failed = true;
        return none;
    }
    size_t used = space != NULL ? n + 1 : n;
    f->rest = hf_bytes_of(rest.data + used, rest.len - used);
    return hf_bytes_of(rest.data, n);
}

uint64_t hf_field_number(struct hf_fields *f)
{
    uint64_t value = 0;
    struct hf_bytes word = hf_field_word(f, 20);
    if (f->failed || !hf_decimal_read(word, &value)) {
        f->failed = true;
        return 0;
    }
    return value;
}

struct hf_hash hf_field_hash(struct hf_fields *f)
{
    struct hf_hash hash = {0};
    struct hf_bytes word = hf_field_word(f, 2 * HF_HASH_BYTES);
    bool lower = word.len == 2 * HF_HASH_BYTES;
    for (size_t i = 0; i < word.len; i++)
        lower = lower && (word.data[i] < 'A' || word.data[i] > 'F');
    if (f->failed || !lower ||
        hf_unhex(word, hash.bytes, sizeof hash.bytes) != sizeof hash.bytes) {
        f->failed = true;
        return (struct hf_hash){0};
    }
    return hash;
}

static struct hf_bytes checked(struct hf_fields *f, struct hf_bytes word,
                               bool (*valid)(struct hf_bytes))
{
    if (!f->failed && valid(word))
        return word;
    f->failed = true;
    return (struct hf_bytes){0};
}

struct hf_bytes hf_field_product(struct hf_fields *f)
{
    return checked(f, hf_field_word(f, HF_PRODUCT_MAX), hf_product_valid);
}

struct hf_bytes hf_field_tag(struct hf_fields *f)
{
    return checked(f, hf_field_word(f, HF_CHANNEL_MAX), hf_tag_valid);
}

bool hf_fields_end(struct hf_fields *f)
{
    return !f->failed && f->rest.len == 0 && hf_cursor_left(&f->c) == 0 &&
           hf_cursor_status(&f->c) == HF_OK;
}

static bool plain(uint8_t ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

static bool word_valid(struct hf_bytes name, size_t max)
{
    if (name.len == 0 || name.len > max || !plain(name.data[0]) ||
        !plain(name.data[name.len - 1]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!plain(name.data[i]) && name.data[i] != '.' && name.data[i] != '-')
            return false;
    return true;
}

bool hf_product_valid(struct hf_bytes name)
{
    return word_valid(name, HF_PRODUCT_MAX) && memchr(name.data, '.', name.len) != NULL;
}

bool hf_tag_valid(struct hf_bytes name)
{
    return word_valid(name, HF_CHANNEL_MAX);
}

bool hf_file_name_valid(struct hf_bytes name)
{
    if (name.len == 0 || name.len > HF_FILE_NAME_MAX || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t ch = name.data[i];
        if (!plain(ch) && !(ch >= 'A' && ch <= 'Z') && ch != '.' && ch != '-' && ch != '_')
            return false;
    }
    return true;
}

int hf_bytes_order(struct hf_bytes a, struct hf_bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.data, b.data, n) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

void hf_put_number(struct hf_buffer *out, const char *key, uint64_t value)
{
    hf_buffer_format(out, "%s %" PRIu64 "\n", key, value);
}

void hf_put_bytes(struct hf_buffer *out, const char *key, struct hf_bytes value)
{
    hf_buffer_format(out, "%s ", key);
    hf_buffer_bytes(out, value);
    hf_buffer_u8(out, '\n');
}

void hf_put_hash(struct hf_buffer *out, const struct hf_hash *hash)
{
    hf_hex(out, hf_bytes_of(hash->bytes, sizeof hash->bytes));
}

bool hf_hash_of(struct hf_merkle *m, struct hf_bytes bytes, struct hf_hash *hash)
{
    struct hf_digests d = {0};
    if (hf_digest_add(m->hasher, bytes, 1u << HF_SHA256, &d) != HF_OK) {
        m->failed = true;
        return false;
    }
    memcpy(hash->bytes, d.value[HF_SHA256], sizeof hash->bytes);
    return true;
}
