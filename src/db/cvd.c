#include "db/cvd.h"

#include "base/auto.h"
#include "base/cursor.h"
#include "base/text.h"
#include "digest/digest.h"

#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

enum {
    BLOCK = 512,
    NAME_MAX_TAR = 100,
    PIECE = 256 << 10,
    MEMBERS_MAX = 4096,
    INFO_MAX = 1 << 20
};
#define MEMBER_BYTES_MAX (UINT64_C(2) << 30)
#define ALL_BYTES_MAX    (UINT64_C(8) << 30)

enum hf_cvd_kind hf_cvd_kind_of(const char *file_name)
{
    static const struct {
        const char *ending;
        enum hf_cvd_kind kind;
    } kinds[] = {
        {".cvd", HF_CVD_PUBLISHED}, {".cld", HF_CVD_LOCAL}, {".cud", HF_CVD_UNSIGNED}};
    size_t length = strlen(file_name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (length > 4 && strcasecmp(file_name + length - 4, kinds[i].ending) == 0)
            return kinds[i].kind;
    return HF_CVD_NONE;
}

/* ---- header ---- */

/* The next field; what is left of text begins behind its ':'. False when there is none. */
static bool next_field(struct hf_bytes *text, struct hf_bytes *field)
{
    if (text->data == NULL)
        return false;
    const uint8_t *colon = text->len > 0 ? memchr(text->data, ':', text->len) : NULL;
    size_t n = colon == NULL ? text->len : (size_t)(colon - text->data);
    *field = hf_bytes_of(text->data, n);
    *text =
        colon == NULL ? (struct hf_bytes){0} : hf_bytes_of(colon + 1, text->len - n - 1);
    return true;
}

static struct hf_bytes trim(struct hf_bytes text)
{
    while (text.len > 0 &&
           (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\n' ||
            text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

enum hf_status hf_cvd_read_header(struct hf_bytes file, struct hf_cvd_header *header,
                                  const char **why)
{
    *header = (struct hf_cvd_header){0};
    *why = "shorter than a header";
    if (file.len < HF_CVD_HEADER)
        return HF_TRUNCATED;
    enum { MAGIC, TIME, VERSION, SIGNATURES, LEVEL, MD5, DIGITS, BUILDER, SECONDS, FIELDS };
    struct hf_bytes rest = trim(hf_bytes_of(file.data, HF_CVD_HEADER)), f[FIELDS] = {0};
    int count = 0;
    while (count < FIELDS && next_field(&rest, &f[count]))
        count++;
    *why = "no container of signatures";
    if (count == 0 || !hf_bytes_equal(f[MAGIC], hf_bytes_text("ClamAV-VDB")))
        return HF_MALFORMED;
    *why = "its header lacks fields";
    if (count <= BUILDER)
        return HF_MALFORMED;
    *why = "a number in its header is none";
    if (!hf_parse_uint(f[VERSION], &header->version) ||
        !hf_parse_uint(f[SIGNATURES], &header->signatures) ||
        !hf_parse_uint(f[LEVEL], &header->level) ||
        (count > SECONDS && !hf_parse_uint(f[SECONDS], &header->seconds)))
        return HF_MALFORMED;
    header->time = f[TIME];
    header->md5 = f[MD5];
    header->digits = f[DIGITS];
    header->builder = f[BUILDER];
    return HF_OK;
}

/* ---- what lies behind it: a stream of bytes, inflated or not ---- */

struct body {
    struct hf_cursor packed;
    bool inflating, ended;
    z_stream z;
    uint64_t given; /* bytes so far, against ALL_BYTES_MAX */
};

static void body_done(struct body *b)
{
    if (b->inflating)
        (void)inflateEnd(&b->z);
}

static enum hf_status body_open(struct body *b, struct hf_bytes packed)
{
    *b = (struct body){.packed = hf_cursor_open(packed.data, packed.len, NULL)};
    if (!hf_peek_equal(&b->packed, "\x1f\x8b", 2))
        return HF_OK;
    if (inflateInit2(&b->z, 15 + 16) != Z_OK)
        return HF_NOMEM;
    b->inflating = true;
    return HF_OK;
}

static enum hf_status inflate_some(struct body *b, uint8_t *out, size_t room, size_t *got)
{
    b->z.next_out = out;
    b->z.avail_out = (uInt)room;
    while (b->z.avail_out > 0 && !b->ended) {
        if (b->z.avail_in == 0) {
            size_t left = hf_cursor_left(&b->packed);
            struct hf_bytes in = hf_take(&b->packed, left < PIECE ? left : PIECE);
            if (in.len == 0)
                break;
            b->z.next_in = (Bytef *)(uintptr_t)in.data;
            b->z.avail_in = (uInt)in.len;
        }
        int st = inflate(&b->z, Z_NO_FLUSH);
        if (st == Z_STREAM_END)
            b->ended = true;
        else if (st != Z_OK)
            return st == Z_MEM_ERROR ? HF_NOMEM : HF_MALFORMED;
    }
    *got = room - b->z.avail_out;
    return HF_OK;
}

/* Up to room (at most PIECE) bytes; *got 0: the end. */
static enum hf_status body_read(struct body *b, uint8_t *out, size_t room, size_t *got)
{
    *got = 0;
    if (!b->inflating) {
        size_t left = hf_cursor_left(&b->packed);
        *got = left < room ? left : room;
        hf_copy(&b->packed, out, *got);
        b->given += *got;
        return HF_OK;
    }
    enum hf_status st = inflate_some(b, out, room, got);
    b->given += *got;
    return st != HF_OK ? st : b->given > ALL_BYTES_MAX ? HF_LIMIT : HF_OK;
}

static enum hf_status body_read_all(struct body *b, uint8_t *out, size_t n)
{
    size_t have = 0, got = 1;
    enum hf_status st = HF_OK;
    while (have < n && got > 0 && st == HF_OK) {
        st = body_read(b, out + have, n - have < PIECE ? n - have : PIECE, &got);
        have += got;
    }
    return st != HF_OK ? st : have == n ? HF_OK : HF_TRUNCATED;
}

/* ---- tar, as far as these containers use it: plain files with short names ---- */

struct member {
    char name[NAME_MAX_TAR + 1];
    uint64_t size;
    bool end; /* the block of zeros */
};

static bool octal(struct hf_bytes digits, uint64_t *value)
{
    *value = 0;
    size_t i = 0;
    while (i < digits.len && digits.data[i] == ' ')
        i++;
    for (; i < digits.len && digits.data[i] >= '0' && digits.data[i] <= '7'; i++)
        *value = *value * 8 + (uint64_t)(digits.data[i] - '0');
    return i == digits.len || digits.data[i] == 0 || digits.data[i] == ' ';
}

/* A name that can only name a file in the folder at hand. */
static bool is_plain_name(const char *name)
{
    if (name[0] == 0 || name[0] == '.')
        return false;
    for (; *name != 0; name++)
        if (*name == '/' || *name == '\\' || *name < ' ' || *name == 0x7f)
            return false;
    return true;
}

static enum hf_status read_member_header(struct body *b, struct member *m,
                                         struct hf_buffer *why)
{
    uint8_t block[BLOCK];
    size_t got = 0;
    *m = (struct member){0};
    enum hf_status st = body_read(b, block, BLOCK, &got);
    m->end = st == HF_OK && got == 0; /* without the zeros: older builders */
    if (m->end || st != HF_OK)
        return st;
    if (got < BLOCK)
        st = body_read_all(b, block + got, BLOCK - got);
    if (st != HF_OK)
        return st;
    uint64_t sum = 0, stated = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    m->end = sum == 8 * ' ';
    if (m->end)
        return HF_OK;
    memcpy(m->name, block, NAME_MAX_TAR);
    bool good = octal(hf_bytes_of(block + 148, 8), &stated) && stated == sum &&
                octal(hf_bytes_of(block + 124, 12), &m->size) &&
                (block[156] == '0' || block[156] == 0) && is_plain_name(m->name);
    if (good)
        return HF_OK;
    hf_buffer_text(why, "a member is no plain file, or its header is damaged");
    return HF_MALFORMED;
}

/* Memory grows with what is there, not with what the header announces. */
static enum hf_status read_member(struct body *b, const struct member *m,
                                  struct hf_buffer *text)
{
    if (m->size > MEMBER_BYTES_MAX)
        return HF_LIMIT;
    hf_buffer_clear(text);
    while (text->len < m->size) {
        uint64_t left = m->size - text->len;
        size_t want = left < PIECE ? (size_t)left : PIECE, got = 0;
        uint8_t *to = hf_buffer_reserve(text, want);
        if (to == NULL)
            return HF_NOMEM;
        enum hf_status st = body_read(b, to, want, &got);
        if (st != HF_OK)
            return st;
        if (got == 0)
            return HF_TRUNCATED;
        text->len += got;
    }
    uint8_t padding[BLOCK];
    return body_read_all(b, padding, (size_t)((BLOCK - m->size % BLOCK) % BLOCK));
}

static enum hf_status read_members(struct hf_bytes file, hf_cvd_on_member *on_member,
                                   void *user, struct hf_buffer *why)
{
    struct body b;
    struct hf_bytes body = file;
    body.data += HF_CVD_HEADER;
    body.len -= HF_CVD_HEADER;
    enum hf_status st = body_open(&b, body);
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    for (int i = 0; st == HF_OK; i++) {
        struct member m;
        if (i == MEMBERS_MAX)
            st = HF_LIMIT;
        else
            st = read_member_header(&b, &m, why);
        if (st != HF_OK || m.end)
            break;
        st = read_member(&b, &m, &text);
        if (st == HF_OK)
            st = on_member(user, m.name, hf_buffer_view(&text));
    }
    body_done(&b);
    if (why->len == 0 && (st == HF_MALFORMED || st == HF_TRUNCATED || st == HF_LIMIT))
        hf_buffer_text(why, st == HF_TRUNCATED ? "cut"
                            : st == HF_LIMIT   ? "larger than sensible"
                                               : "damaged");
    return st;
}

static enum hf_status check_header(struct hf_bytes file, struct hf_cvd_header *header,
                                   struct hf_buffer *why)
{
    const char *text;
    enum hf_status st = hf_cvd_read_header(file, header, &text);
    if (st != HF_OK)
        hf_buffer_text(why, text);
    return st;
}

enum hf_status hf_cvd_unpack(struct hf_bytes file, hf_cvd_on_member *on_member, void *user,
                             struct hf_buffer *why)
{
    struct hf_cvd_header header;
    enum hf_status st = check_header(file, &header, why);
    return st == HF_OK ? read_members(file, on_member, user, why) : st;
}

/* ---- verification ---- */

/* The .info member, and who gets the others. */
struct reading {
    enum hf_cvd_kind kind;
    const struct hf_cvd_keys *keys;
    hf_cvd_on_member *on_member;
    void *user;
    struct hf_buffer *why;
    struct hf_hasher *hasher;
    struct hf_buffer info; /* kept text; empty: none came yet */
};

static enum hf_status sha256_of(struct reading *r, struct hf_bytes text,
                                struct hf_digests *digests)
{
    *digests = (struct hf_digests){0};
    return hf_digest_add(r->hasher, text, 1u << HF_SHA256, digests);
}

static enum hf_status refuse(struct reading *r, const char *name, const char *text)
{
    hf_buffer_format(r->why, "%s: %s", name, text);
    return HF_MALFORMED;
}

/* Take the list of members. Of a .cld it is what the publisher signed. */
static enum hf_status take_info(struct reading *r, const char *name, struct hf_bytes text)
{
    static const char tag[] = "DSIG:";
    if (r->info.len > 0 || text.len > INFO_MAX || text.len == 0)
        return refuse(r, name, "a second list of members, or a senseless one");
    const uint8_t *at = memmem(text.data, text.len, "\nDSIG:", sizeof tag);
    size_t listed = at == NULL ? text.len : (size_t)(at - text.data) + 1;
    if (r->kind == HF_CVD_LOCAL) {
        struct hf_digests digests;
        enum hf_status st = sha256_of(r, hf_bytes_of(text.data, listed), &digests);
        if (st != HF_OK)
            return st;
        if (at == NULL)
            return refuse(r, name, "not signed");
        struct hf_bytes digits = trim(hf_bytes_of(text.data + listed + sizeof tag - 1,
                                                  text.len - listed - (sizeof tag - 1)));
        if (!hf_cvd_signs_sha256(r->keys->info, digits, digests.value[HF_SHA256]))
            return refuse(r, name, "its signature is not the publisher's");
    }
    hf_buffer_text(&r->info, "\n"); /* so that every line has one before it */
    hf_buffer_add(&r->info, text.data, listed);
    return r->info.failed ? HF_NOMEM : HF_OK;
}

/* "\nname:size:sha256\n" is one of the lines. */
static enum hf_status check_listed(struct reading *r, const char *name,
                                   struct hf_bytes text)
{
    struct hf_digests digests;
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    enum hf_status st = sha256_of(r, text, &digests);
    if (st != HF_OK)
        return st;
    hf_buffer_format(&line, "\n%s:%llu:", name, (unsigned long long)text.len);
    hf_hex(&line, hf_digest_bytes(&digests, HF_SHA256));
    if (line.failed)
        return HF_NOMEM;
    if (memmem(r->info.data, r->info.len, line.data, line.len) == NULL)
        return refuse(r, name, "not as the container's .info member lists it");
    return HF_OK;
}

static enum hf_status on_any_member(void *user, const char *name, struct hf_bytes text)
{
    struct reading *r = user;
    size_t n = strlen(name);
    if (strcmp(name, "COPYING") == 0)
        return HF_OK;
    if (n > 5 && strcasecmp(name + n - 5, ".info") == 0)
        return take_info(r, name, text);
    if (r->info.len == 0 && r->kind == HF_CVD_LOCAL)
        return refuse(r, name, "comes before the signed list of members");
    enum hf_status st = r->info.len > 0 ? check_listed(r, name, text) : HF_OK;
    return st == HF_OK ? r->on_member(r->user, name, text) : st;
}

/* The header's MD5 and who signed it. */
static enum hf_status check_published(struct reading *r, struct hf_bytes file,
                                      const struct hf_cvd_header *header)
{
    struct hf_digests digests = {0};
    uint8_t stated[16];
    struct hf_bytes body = hf_bytes_of(file.data + HF_CVD_HEADER, file.len - HF_CVD_HEADER);
    if (hf_digest_add(r->hasher, body, 1u << HF_MD5, &digests) != HF_OK)
        return HF_NOMEM;
    if (hf_unhex(header->md5, stated, sizeof stated) != sizeof stated ||
        memcmp(stated, digests.value[HF_MD5], sizeof stated) != 0) {
        hf_buffer_text(r->why, "damaged: its MD5 is not the one in its header");
        return HF_MALFORMED;
    }
    if (hf_cvd_signs_md5(r->keys->database, header->digits, stated))
        return HF_OK;
    hf_buffer_text(r->why, "its signature is not the publisher's");
    return HF_MALFORMED;
}

enum hf_status hf_cvd_read(struct hf_bytes file, enum hf_cvd_kind kind,
                           const struct hf_cvd_keys *keys, hf_cvd_on_member *on_member,
                           void *user, struct hf_buffer *why)
{
    struct hf_cvd_header header;
    enum hf_status st = check_header(file, &header, why);
    if (st != HF_OK)
        return st;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    if (hasher == NULL)
        return HF_NOMEM;
    struct reading r = {.kind = kind,
                        .keys = keys,
                        .on_member = on_member,
                        .user = user,
                        .why = why,
                        .hasher = hasher};
    if (kind == HF_CVD_PUBLISHED)
        st = check_published(&r, file, &header);
    if (st == HF_OK)
        st = read_members(file, on_any_member, &r, why);
    hf_buffer_done(&r.info);
    return st;
}
