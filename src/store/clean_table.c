#include "store/clean_table.h"

#include "base/auto.h"
#include "base/cursor.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "HFCLEAN\n"
enum { VERSION = 1, MAC = 32, HEADER = 32, RECORD = 24 };

void hf_clean_table_done(struct hf_clean_table *table)
{
    free(table->entries);
    hf_buffer_done(&table->asked);
    *table = (struct hf_clean_table){0};
}

/* Tags are spread by their making. */
static struct hf_clean_entry *place_of(const struct hf_clean_table *table,
                                       const uint8_t tag[HF_CLEAN_TAG])
{
    size_t at;
    memcpy(&at, tag, sizeof at);
    for (at &= table->room - 1; table->entries[at].run != 0;
         at = (at + 1) & (table->room - 1))
        if (memcmp(table->entries[at].tag, tag, HF_CLEAN_TAG) == 0)
            break;
    return &table->entries[at];
}

struct hf_clean_entry *hf_clean_table_find(const struct hf_clean_table *table,
                                           const uint8_t tag[HF_CLEAN_TAG])
{
    struct hf_clean_entry *entry = table->room > 0 ? place_of(table, tag) : NULL;
    return entry != NULL && entry->run != 0 ? entry : NULL;
}

/* Room for as many entries, at most three quarters full. */
static bool make_room(struct hf_clean_table *table, size_t count)
{
    size_t room = table->room > 0 ? table->room : 1024;
    while (count > room - room / 4)
        room *= 2;
    if (room == table->room)
        return true;
    struct hf_clean_table bigger = {.room = room};
    bigger.entries = calloc(room, sizeof *bigger.entries);
    if (bigger.entries == NULL)
        return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->entries[i].run != 0)
            *place_of(&bigger, table->entries[i].tag) = table->entries[i];
    free(table->entries);
    table->entries = bigger.entries;
    table->room = room;
    return true;
}

struct hf_clean_entry *hf_clean_table_add(struct hf_clean_table *table,
                                          const uint8_t tag[HF_CLEAN_TAG])
{
    if (!make_room(table, table->count + 1))
        return NULL;
    struct hf_clean_entry *entry = place_of(table, tag);
    if (entry->run != 0)
        return entry;
    memcpy(entry->tag, tag, HF_CLEAN_TAG);
    entry->run = table->run + 1;
    table->count++;
    return entry;
}

enum hf_status hf_clean_table_filter(struct hf_clean_table *table,
                                     bool (*keep)(void *user,
                                                  const struct hf_clean_entry *entry),
                                     void *user)
{
    struct hf_clean_table fewer = {.room = table->room};
    if (table->room == 0)
        return HF_OK;
    fewer.entries = calloc(fewer.room, sizeof *fewer.entries);
    if (fewer.entries == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < table->room; i++) {
        const struct hf_clean_entry *entry = &table->entries[i];
        if (entry->run == 0 || !keep(user, entry))
            continue;
        *place_of(&fewer, entry->tag) = *entry;
        fewer.count++;
    }
    free(table->entries);
    table->entries = fewer.entries;
    table->count = fewer.count;
    return HF_OK;
}

static bool is_of_another(void *user, const struct hf_clean_entry *entry)
{
    const uint16_t *generation = user;
    return entry->generation != *generation;
}

uint16_t hf_clean_table_generation(struct hf_clean_table *table,
                                   const uint8_t generation[16])
{
    size_t n = table->generation_count;
    for (size_t i = 0; i < n; i++)
        if (memcmp(table->generations[i], generation, 16) == 0)
            return (uint16_t)i;
    if (n == HF_CLEAN_GENERATIONS_MAX) {
        uint16_t oldest = 0;
        if (hf_clean_table_filter(table, is_of_another, &oldest) != HF_OK)
            hf_clean_table_done(table);
        memmove(table->generations[0], table->generations[1],
                (HF_CLEAN_GENERATIONS_MAX - 1) * 16);
        for (size_t i = 0; i < table->room; i++)
            if (table->entries[i].generation > 0)
                table->entries[i].generation--;
        n = HF_CLEAN_GENERATIONS_MAX - 1;
    }
    memcpy(table->generations[n], generation, 16);
    table->generation_count = n + 1;
    return (uint16_t)n;
}

/* ---- on disk ---- */

static bool make_mac(const uint8_t key[HF_CLEAN_KEY], struct hf_bytes bytes,
                     uint8_t out[MAC])
{
    unsigned len = 0;
    return HMAC(EVP_sha256(), key, HF_CLEAN_KEY, bytes.data, bytes.len, out, &len) !=
               NULL &&
           len == MAC;
}

static bool is_authentic(struct hf_bytes bytes, const uint8_t key[HF_CLEAN_KEY])
{
    uint8_t mac[MAC];
    return bytes.len >= HEADER + MAC &&
           make_mac(key, hf_bytes_of(bytes.data, bytes.len - MAC), mac) &&
           CRYPTO_memcmp(mac, bytes.data + bytes.len - MAC, MAC) == 0;
}

/* An authentic table is one that we wrote; its numbers are checked all the same. */
static enum hf_status read_entries(struct hf_clean_table *table, struct hf_cursor *c,
                                   uint32_t count, uint64_t asked_bytes)
{
    uint64_t asked = 0;
    if (!make_room(table, count))
        return HF_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct hf_clean_entry read = {0};
        hf_copy(c, read.tag, sizeof read.tag);
        read.run = hf_u32le(c);
        read.generation = hf_u16le(c);
        read.asked_len = hf_u16le(c);
        read.asked = (uint32_t)asked;
        asked += read.asked_len == UINT16_MAX ? 0 : read.asked_len;
        if (hf_cursor_status(c) != HF_OK || read.run == 0 || asked > asked_bytes ||
            read.generation >= table->generation_count ||
            (read.asked_len > HF_CLEAN_ASKED_MAX && read.asked_len != UINT16_MAX))
            return HF_MALFORMED;
        struct hf_clean_entry *entry = hf_clean_table_add(table, read.tag);
        if (entry == NULL)
            return HF_NOMEM;
        *entry = read;
    }
    hf_buffer_bytes(&table->asked, hf_take(c, asked_bytes));
    if (table->asked.failed)
        return HF_NOMEM;
    return asked == asked_bytes && hf_cursor_status(c) == HF_OK && hf_cursor_left(c) == 0
               ? HF_OK
               : HF_MALFORMED;
}

static enum hf_status read_table(struct hf_clean_table *table, struct hf_bytes bytes)
{
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    if (!hf_peek_equal(&c, MAGIC, sizeof MAGIC - 1))
        return HF_MALFORMED;
    hf_skip(&c, sizeof MAGIC - 1);
    if (hf_u32le(&c) != VERSION)
        return HF_MALFORMED;
    table->run = hf_u32le(&c);
    uint32_t count = hf_u32le(&c), generations = hf_u32le(&c);
    uint64_t asked = hf_u64le(&c);
    if (hf_cursor_status(&c) != HF_OK || generations > HF_CLEAN_GENERATIONS_MAX ||
        count > hf_cursor_left(&c) / RECORD || asked > UINT32_MAX)
        return HF_MALFORMED;
    table->generation_count = generations;
    hf_copy(&c, table->generations, (size_t)generations * 16);
    return read_entries(table, &c, count, asked);
}

enum hf_status hf_clean_table_read(struct hf_clean_table *table, struct hf_bytes bytes,
                                   const uint8_t key[HF_CLEAN_KEY])
{
    *table = (struct hf_clean_table){0};
    if (!is_authentic(bytes, key))
        return HF_MALFORMED;
    enum hf_status st = read_table(table, hf_bytes_of(bytes.data, bytes.len - MAC));
    if (st != HF_OK)
        hf_clean_table_done(table);
    return st;
}

static int by_tag(const void *a, const void *b)
{
    const struct hf_clean_entry *const *x = a, *const *y = b;
    return memcmp((*x)->tag, (*y)->tag, HF_CLEAN_TAG);
}

/* The latest first; entries of the same run in the order of tags, so that the choice is fixed. */
static int by_run(const void *a, const void *b)
{
    const struct hf_clean_entry *const *x = a, *const *y = b;
    if ((*x)->run != (*y)->run)
        return (*x)->run > (*y)->run ? -1 : 1;
    return by_tag(a, b);
}

static void put_asked(const struct hf_clean_table *table,
                      const struct hf_clean_entry *entry, struct hf_buffer *out)
{
    if (entry->asked_len != UINT16_MAX && entry->asked_len > 0)
        hf_buffer_add(out, table->asked.data + entry->asked, entry->asked_len);
}

static void put_table(const struct hf_clean_table *table,
                      const struct hf_clean_entry **entries, size_t count,
                      struct hf_buffer *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer asked = {0};
    for (size_t i = 0; i < count; i++)
        put_asked(table, entries[i], &asked);
    hf_buffer_text(out, MAGIC);
    hf_buffer_u32(out, VERSION);
    hf_buffer_u32(out, table->run + 1);
    hf_buffer_u32(out, (uint32_t)count);
    hf_buffer_u32(out, (uint32_t)table->generation_count);
    hf_buffer_u64(out, asked.len);
    hf_buffer_add(out, table->generations, table->generation_count * 16);
    for (size_t i = 0; i < count; i++) {
        hf_buffer_add(out, entries[i]->tag, HF_CLEAN_TAG);
        hf_buffer_u32(out, entries[i]->run);
        hf_buffer_u16(out, entries[i]->generation);
        hf_buffer_u16(out, entries[i]->asked_len);
    }
    hf_buffer_bytes(out, hf_buffer_view(&asked));
    out->failed |= asked.failed;
}

enum hf_status hf_clean_table_write(const struct hf_clean_table *table, size_t max,
                                    const uint8_t key[HF_CLEAN_KEY], struct hf_buffer *out)
{
    const struct hf_clean_entry **entries = calloc(table->count + 1, sizeof *entries);
    size_t count = 0;
    uint8_t mac[MAC];
    if (entries == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < table->room; i++)
        if (table->entries[i].run != 0)
            entries[count++] = &table->entries[i];
    if (count > max) {
        qsort(entries, count, sizeof *entries, by_run);
        count = max;
    }
    qsort(entries, count, sizeof *entries, by_tag);
    put_table(table, entries, count, out);
    free(entries);
    if (out->failed || !make_mac(key, hf_buffer_view(out), mac))
        return HF_NOMEM;
    hf_buffer_add(out, mac, sizeof mac);
    return out->failed ? HF_NOMEM : HF_OK;
}

enum hf_status hf_clean_table_merge(struct hf_clean_table *table,
                                    const struct hf_clean_table *other)
{
    for (size_t i = 0; i < other->room; i++) {
        const struct hf_clean_entry *from = &other->entries[i];
        if (from->run == 0 || hf_clean_table_find(table, from->tag) != NULL)
            continue;
        uint16_t generation =
            hf_clean_table_generation(table, other->generations[from->generation]);
        struct hf_clean_entry *to = hf_clean_table_add(table, from->tag);
        if (to == NULL)
            return HF_NOMEM;
        to->run = from->run;
        to->generation = generation;
        to->asked_len = from->asked_len;
        to->asked = (uint32_t)table->asked.len;
        put_asked(other, from, &table->asked);
        if (table->asked.failed || table->asked.len > UINT32_MAX)
            return HF_NOMEM;
    }
    return HF_OK;
}
