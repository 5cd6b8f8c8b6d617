#include "archives.h"

#include <assert.h>
#include <stdio.h>
#define ZLIB_CONST
#include <zlib.h>

static uint32_t crc_of(struct hf_bytes bytes)
{
    return (uint32_t)crc32(0, bytes.data, (uInt)bytes.len);
}

struct zip_entry zip_stored(const char *name, struct hf_bytes contents)
{
    return (struct zip_entry){.name = name,
                              .crc = crc_of(contents),
                              .packed = (uint32_t)contents.len,
                              .size = (uint32_t)contents.len,
                              .data = contents};
}

struct zip_entry zip_deflated(struct hf_arena *arena, const char *name,
                              struct hf_bytes contents)
{
    struct zip_entry e = zip_stored(name, contents);
    e.method = 8;
    e.data = deflated(arena, contents, -15);
    e.packed = (uint32_t)e.data.len;
    return e;
}

uint32_t zip_local(struct hf_buffer *b, const struct zip_entry *e)
{
    uint32_t at = (uint32_t)b->len;
    hf_buffer_u32(b, 0x04034b50);
    hf_buffer_u16(b, 20);
    hf_buffer_u16(b, e->flags);
    hf_buffer_u16(b, e->method);
    hf_buffer_u32(b, 0);
    hf_buffer_u32(b, e->crc);
    hf_buffer_u32(b, e->packed);
    hf_buffer_u32(b, e->size);
    hf_buffer_u16(b, (uint16_t)strlen(e->name));
    hf_buffer_u16(b, 0);
    hf_buffer_text(b, e->name);
    hf_buffer_bytes(b, e->data);
    return at;
}

void zip_central(struct hf_buffer *b, const struct zip_entry *e, uint32_t header)
{
    hf_buffer_u32(b, 0x02014b50);
    hf_buffer_u16(b, 20);
    hf_buffer_u16(b, 20);
    hf_buffer_u16(b, e->flags);
    hf_buffer_u16(b, e->method);
    hf_buffer_u32(b, 0);
    hf_buffer_u32(b, e->crc);
    hf_buffer_u32(b, e->packed);
    hf_buffer_u32(b, e->size);
    hf_buffer_u16(b, (uint16_t)strlen(e->name));
    hf_buffer_u32(b, 0); /* extra, comment */
    hf_buffer_u32(b, 0); /* disk, internal attributes */
    hf_buffer_u32(b, 0); /* external attributes */
    hf_buffer_u32(b, header);
    hf_buffer_text(b, e->name);
}

void zip_end(struct hf_buffer *b, uint32_t count, uint32_t size, uint32_t position)
{
    hf_buffer_u32(b, 0x06054b50);
    hf_buffer_u32(b, 0);
    hf_buffer_u16(b, (uint16_t)count);
    hf_buffer_u16(b, (uint16_t)count);
    hf_buffer_u32(b, size);
    hf_buffer_u32(b, position);
    hf_buffer_u16(b, 0);
}

void zip_archive(struct hf_buffer *b, const struct zip_entry *entries, size_t count)
{
    struct hf_buffer directory = {0};
    size_t start = b->len;
    for (size_t i = 0; i < count; i++)
        zip_central(&directory, &entries[i], zip_local(b, &entries[i]) - (uint32_t)start);
    uint32_t at = (uint32_t)(b->len - start);
    hf_buffer_bytes(b, hf_buffer_view(&directory));
    zip_end(b, (uint32_t)count, (uint32_t)directory.len, at);
    hf_buffer_done(&directory);
}

struct hf_bytes deflated(struct hf_arena *arena, struct hf_bytes contents, int window_bits)
{
    z_stream z = {0};
    int r = deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
    assert(r == Z_OK);
    size_t room = deflateBound(&z, contents.len) + 64;
    uint8_t *out = hf_arena_alloc(arena, room);
    z.next_in = contents.data;
    z.avail_in = (uInt)contents.len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    r = deflate(&z, Z_FINISH);
    assert(r == Z_STREAM_END);
    (void)r;
    deflateEnd(&z);
    return hf_bytes_of(out, room - z.avail_out);
}

static void put_text(struct hf_buffer *b, const char *text, size_t width)
{
    size_t n = text == NULL ? 0 : strlen(text);
    assert(n <= width);
    hf_buffer_add(b, text == NULL ? "" : text, n);
    for (; n < width; n++)
        hf_buffer_u8(b, 0);
}

void tar_header(struct hf_buffer *b, const struct tar_entry *e)
{
    size_t at = b->len;
    put_text(b, e->name, 100);
    hf_buffer_format(b, "%07o%c%07o%c%07o%c", 0644, 0, 0, 0, 0, 0);
    hf_buffer_format(b, "%011llo%c", (unsigned long long)e->size, 0);
    hf_buffer_format(b, "%011o%c", 0, 0);
    hf_buffer_text(b, "        ");
    hf_buffer_u8(b, (uint8_t)e->type);
    put_text(b, "", 100);
    if (e->magic == 'u')
        hf_buffer_add(b, "ustar\00000", 8);
    else
        hf_buffer_add(b, e->magic == 'g' ? "ustar  " : "\0\0\0\0\0\0\0", 8);
    put_text(b, "", 80);
    put_text(b, e->prefix, 155);
    put_text(b, "", 12);
    assert(b->len - at == 512);
    tar_seal(b, at);
}

void tar_seal(struct hf_buffer *b, size_t header)
{
    unsigned sum = 0;
    memset(b->data + header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += b->data[header + i];
    char text[8];
    (void)snprintf(text, sizeof text, "%06o", sum & 0777777);
    memcpy(b->data + header + 148, text, 7);
}

void tar_data(struct hf_buffer *b, struct hf_bytes data)
{
    hf_buffer_bytes(b, data);
    for (size_t n = data.len; n % 512 != 0; n++)
        hf_buffer_u8(b, 0);
}

void tar_file(struct hf_buffer *b, const char *name, const char *contents)
{
    tar_header(b, &(struct tar_entry){
                      .name = name, .type = '0', .magic = 'u', .size = strlen(contents)});
    tar_data(b, hf_bytes_text(contents));
}

void tar_end(struct hf_buffer *b)
{
    for (int i = 0; i < 1024; i++)
        hf_buffer_u8(b, 0);
}

static void pad(struct hf_buffer *b, size_t start, size_t align)
{
    while ((b->len - start) % align != 0)
        hf_buffer_u8(b, 0);
}

static void put_u16(struct hf_buffer *b, uint32_t v, bool big)
{
    hf_buffer_u8(b, (uint8_t)(big ? v >> 8 : v));
    hf_buffer_u8(b, (uint8_t)(big ? v : v >> 8));
}

static void cpio_old_header(struct hf_buffer *b, bool big, uint32_t mode, size_t name_size,
                            size_t size)
{
    const uint32_t fields[] = {070707,
                               0,
                               0,
                               mode,
                               0,
                               0,
                               1,
                               0,
                               0,
                               0,
                               (uint32_t)name_size,
                               (uint32_t)size >> 16,
                               (uint32_t)size & 0xffff};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        put_u16(b, fields[i], big);
}

void cpio_entry(struct hf_buffer *b, const char *layout, const char *name, uint32_t mode,
                struct hf_bytes data)
{
    size_t name_size = strlen(name) + 1, align = 2, start = b->len;
    if (strcmp(layout, "newc") == 0 || strcmp(layout, "crc") == 0) {
        align = 4;
        hf_buffer_format(b, "07070%c%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
                         layout[0] == 'n' ? '1' : '2', 1, mode, 0, 0, 1, 0, data.len, 0, 0,
                         0, 0, name_size, 0);
    } else if (strcmp(layout, "odc") == 0) {
        align = 1;
        hf_buffer_format(b, "070707%06o%06o%06o%06o%06o%06o%06o%011o%06zo%011zo", 0, 1,
                         mode, 0, 0, 1, 0, 0, name_size, data.len);
    } else {
        cpio_old_header(b, layout[0] == 'b', mode, name_size, data.len);
    }
    hf_buffer_add(b, name, name_size);
    pad(b, start, align);
    hf_buffer_bytes(b, data);
    pad(b, start, align);
}

struct hf_bytes sample_text(struct hf_arena *arena, size_t length)
{
    char *text = hf_arena_alloc(arena, length + 32);
    for (size_t n = 0, i = 0; n < length; i++)
        n += (size_t)snprintf(text + n, 32, "line %zx of many\n", i * 2654435761u);
    return hf_bytes_of(text, length);
}

struct hf_bytes sample_noise(struct hf_arena *arena, size_t length)
{
    uint8_t *bytes = hf_arena_alloc(arena, length);
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < length; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 32);
    }
    return hf_bytes_of(bytes, length);
}
