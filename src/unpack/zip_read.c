#include "unpack/zip.h"

enum {
    ZIP64_EXTRA = 1, /* [APPNOTE 4.5.3] */
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    LOCATOR64_SIZE = 20,
    IN_ZIP64_16 = 0xffff,
};
#define IN_ZIP64_32 UINT32_C(0xffffffff)

/* Values that do not fit 32 bits stand in an extra field, in a fixed order, but only those whose
 * 32 bits are all set. header may be NULL. */
static void read_zip64(struct hf_bytes extra, struct hf_cursor *budget_of,
                       struct hf_zip_member *m, uint64_t *header)
{
    struct hf_cursor c = hf_cursor_open(extra.data, extra.len, budget_of->budget);
    while (hf_cursor_left(&c) >= 4 && hf_cursor_charge(&c, 1)) {
        uint16_t id = hf_u16le(&c), length = hf_u16le(&c);
        struct hf_cursor field = hf_cursor_clip(&c, c.pos, length);
        hf_skip(&c, length);
        if (id != ZIP64_EXTRA)
            continue;
        uint64_t *wanted[] = {&m->size, &m->packed, header};
        for (size_t i = 0; i < 3; i++) {
            if (wanted[i] == NULL || *wanted[i] != IN_ZIP64_32)
                continue;
            uint64_t value = hf_u64le(&field);
            if (!field.failed)
                *wanted[i] = value;
        }
        return;
    }
}

enum hf_status hf_zip_read_local(struct hf_cursor *c, struct hf_zip_member *m)
{
    *m = (struct hf_zip_member){0};
    uint32_t signature = hf_u32le(c);
    hf_skip(c, 2); /* version needed */
    m->flags = hf_u16le(c);
    m->method = hf_u16le(c);
    hf_skip(c, 4); /* time and date */
    m->crc = hf_u32le(c);
    m->packed = hf_u32le(c);
    m->size = hf_u32le(c);
    uint16_t name_length = hf_u16le(c), extra_length = hf_u16le(c);
    m->name = hf_take(c, name_length);
    struct hf_bytes extra = hf_take(c, extra_length);
    if (c->failed)
        return HF_TRUNCATED;
    m->data = c->pos;
    if (m->packed == IN_ZIP64_32 || m->size == IN_ZIP64_32)
        read_zip64(extra, c, m, NULL);
    return signature == LOCAL_SIGNATURE ? HF_OK : HF_MALFORMED;
}

enum hf_status hf_zip_read_central(struct hf_cursor *c, struct hf_zip_member *m)
{
    enum { UNIX = 3 };
    *m = (struct hf_zip_member){0};
    struct hf_cursor ahead = *c;
    if (hf_u32le(&ahead) != CENTRAL_SIGNATURE)
        return HF_NOTFOUND;
    hf_skip(c, 5); /* version made by: the low byte */
    uint8_t system = hf_u8(c);
    hf_skip(c, 2); /* version needed */
    m->flags = hf_u16le(c);
    m->method = hf_u16le(c);
    hf_skip(c, 4); /* time and date */
    m->crc = hf_u32le(c);
    m->packed = hf_u32le(c);
    m->size = hf_u32le(c);
    uint16_t name_length = hf_u16le(c), extra_length = hf_u16le(c), comment = hf_u16le(c);
    hf_skip(c, 4); /* disk, internal attributes */
    uint32_t attributes = hf_u32le(c);
    m->header = hf_u32le(c);
    m->name = hf_take(c, name_length);
    struct hf_bytes extra = hf_take(c, extra_length);
    if (c->failed)
        return HF_TRUNCATED;
    m->mode = system == UNIX ? attributes >> 16 : 0;
    if (m->packed == IN_ZIP64_32 || m->size == IN_ZIP64_32 || m->header == IN_ZIP64_32)
        read_zip64(extra, c, m, &m->header);
    struct hf_cursor rest = hf_cursor_at(c, c->pos);
    hf_skip(&rest, comment);
    hf_seek(c, rest.failed ? c->len : rest.pos);
    return HF_OK;
}

static bool is_known_method(uint16_t method)
{
    return method <= 20 || (method >= 93 && method <= 99);
}

bool hf_zip_is_plausible(const struct hf_zip_member *m)
{
    enum { NAME_MAX_SANE = 4096 };
    if (!is_known_method(m->method) || m->name.len == 0 || m->name.len > NAME_MAX_SANE)
        return false;
    for (size_t i = 0; i < m->name.len; i++)
        if (m->name.data[i] < ' ')
            return false;
    return true;
}

uint64_t hf_zip_place(const struct hf_zip_directory *directory, uint64_t position)
{
    if (position < directory->declared) {
        uint64_t before = directory->declared - position;
        return before <= directory->at ? directory->at - before : UINT64_MAX;
    }
    uint64_t behind = position - directory->declared;
    return behind <= UINT64_MAX - directory->at ? directory->at + behind : UINT64_MAX;
}

static bool starts_with_header(const struct hf_cursor *file, uint64_t at)
{
    struct hf_cursor c = hf_cursor_at(file, at);
    return hf_u32le(&c) == CENTRAL_SIGNATURE;
}

static void add_directory(const struct hf_cursor *file, uint64_t at, uint64_t declared,
                          struct hf_zip_directory *found, size_t *count)
{
    if (*count == HF_ZIP_DIRECTORIES_MAX || !starts_with_header(file, at))
        return;
    for (size_t i = 0; i < *count; i++)
        if (found[i].at == at)
            return;
    found[(*count)++] = (struct hf_zip_directory){.at = at, .declared = declared};
}

/* The directory that lies directly in front of `behind`, and the one at the position as it is
 * declared. The first is what most readers take, for it also works behind other data. */
static void add_both(const struct hf_cursor *file, uint64_t behind, uint64_t size,
                     uint64_t declared, struct hf_zip_directory *found, size_t *count)
{
    if (size <= behind)
        add_directory(file, behind - size, declared, found, count);
    add_directory(file, declared, declared, found, count);
}

/* The ZIP64 end record that the locator in front of the end record points to, or that lies
 * directly in front of the locator. [APPNOTE 4.3.14, 4.3.15] */
static void add_zip64(const struct hf_cursor *file, uint64_t end,
                      struct hf_zip_directory *found, size_t *count)
{
    enum { END64_SIZE = 56 };
    if (end < LOCATOR64_SIZE)
        return;
    struct hf_cursor locator = hf_cursor_at(file, end - LOCATOR64_SIZE);
    if (hf_u32le(&locator) != LOCATOR64_SIGNATURE)
        return;
    hf_skip(&locator, 4); /* disk */
    uint64_t places[] = {hf_u64le(&locator), end - LOCATOR64_SIZE - END64_SIZE};
    for (size_t i = 0; i < 2; i++) {
        struct hf_cursor c = hf_cursor_at(file, places[i]);
        if (hf_u32le(&c) != END64_SIGNATURE)
            continue;
        hf_skip(&c, 8 + 2 + 2 + 4 + 4 + 8 + 8); /* size, versions, disks, counts */
        uint64_t size = hf_u64le(&c), declared = hf_u64le(&c);
        if (!c.failed)
            add_both(file, places[i], size, declared, found, count);
    }
}

size_t hf_zip_find_directories(const struct hf_cursor *file, uint64_t end,
                               struct hf_zip_directory found[HF_ZIP_DIRECTORIES_MAX])
{
    size_t count = 0;
    struct hf_cursor c = hf_cursor_at(file, end);
    if (hf_u32le(&c) != END_SIGNATURE)
        return 0;
    hf_skip(&c, 8); /* disks, counts: the headers themselves tell how many there are */
    uint32_t size = hf_u32le(&c), declared = hf_u32le(&c);
    if (c.failed)
        return 0;
    add_zip64(file, end, found, &count);
    add_both(file, end, size, declared, found, &count);
    return count;
}

uint64_t hf_zip_find_stored_end(const struct hf_cursor *file, uint64_t data,
                                uint64_t *none_from)
{
    static const uint8_t descriptor[] = {'P', 'K', 7, 8};
    struct hf_cursor c = hf_cursor_at(file, data);
    while (c.pos < *none_from && hf_cursor_charge(&c, 1)) {
        uint64_t from = c.pos;
        size_t at = hf_find(&c, descriptor, sizeof descriptor, UINT64_MAX);
        if (at == SIZE_MAX) {
            *none_from = from;
            break;
        }
        hf_seek(&c, at);
        hf_skip(&c, 8); /* signature, checksum */
        if (hf_u32le(&c) == at - data && !c.failed)
            return at - data;
        c = hf_cursor_at(file, at + sizeof descriptor);
    }
    static const uint8_t next[][4] = {{'P', 'K', 3, 4}, {'P', 'K', 1, 2}};
    uint64_t nearest = file->len;
    for (size_t i = 0; i < 2; i++) {
        c = hf_cursor_at(file, data);
        size_t at = hf_find(&c, next[i], sizeof next[i], nearest - data);
        if (at != SIZE_MAX)
            nearest = at;
    }
    return nearest - data;
}
