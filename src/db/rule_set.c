#include "db/rule_set.h"

#include "base/auto.h"
#include "base/fd.h"
#include "db/build.h"
#include "facts/told.h"
#include "rules/yara/yara.h"

#include <sys/mman.h>
#include <unistd.h>

/*
 * The file:
 *   0   "HFYARAC1"
 *   8   u32 length of what follows up to the database: names, values
 *   12  u32 0
 *   16  u32 count, names (counted), values as hf_told_put_values writes them
 *   ..  zeros up to a multiple of 64; the database to the end
 */
static const uint8_t magic[8] = "HFYARAC1";
enum { HEAD = 16, ALIGNMENT = 64, ARENA_MAX = 64 << 20 };

void hf_rule_set_done(struct hf_rule_set *set)
{
    hf_db_close(set->db);
    if (set->arena != NULL) /* a set that was never begun has no descriptor either */
        hf_fd_release(&set->fd);
    hf_arena_free(set->arena);
    *set = (struct hf_rule_set){.fd = -1};
}

static enum hf_status begin(struct hf_rule_set *set, size_t count)
{
    *set = (struct hf_rule_set){.fd = -1, .arena = hf_arena_new(ARENA_MAX)};
    if (set->arena == NULL)
        return HF_NOMEM;
    set->names = hf_arena_array(set->arena, count + 1, sizeof *set->names);
    set->values = hf_arena_array(set->arena, count + 1, sizeof *set->values);
    set->count = count;
    return set->names == NULL || set->values == NULL ? HF_NOMEM : HF_OK;
}

/* A copy of a value whose string the set owns. */
static bool keep_value(struct hf_rule_set *set, struct hf_value *to,
                       const struct hf_value *value)
{
    *to = *value;
    if (value->type != HF_FACT_STRING)
        return true;
    to->string.data = (uint8_t *)hf_arena_text(set->arena, value->string);
    return to->string.data != NULL;
}

static enum hf_status take_image(struct hf_rule_set *set, struct hf_bytes image)
{
    set->fd = hf_memfd_of("holdfast-rules", image);
    if (set->fd < 0)
        return HF_IO;
    return hf_db_open(&set->fd, 1, &set->db);
}

static void count_left_out(void *user, const char *kind, uint64_t count)
{
    struct hf_rule_set *set = user;
    (void)kind;
    set->left_out += count;
}

enum hf_status hf_rule_set_compile(struct hf_rule_set *out, const struct hf_yara *yara,
                                   const struct hf_yara_external *externals, size_t count,
                                   const struct hf_fact_module *const *modules,
                                   size_t module_count)
{
    enum hf_status st = begin(out, count);
    for (size_t i = 0; i < count && st == HF_OK; i++) {
        out->names[i] = hf_arena_text(out->arena, hf_bytes_text(externals[i].name));
        if (out->names[i] == NULL || !keep_value(out, &out->values[i], &externals[i].value))
            st = HF_NOMEM;
    }
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(NULL, NULL);
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    if (build == NULL)
        return HF_NOMEM;
    hf_build_use_modules(build, modules, module_count);
    if (st == HF_OK)
        st = hf_build_source(build, "rules", "");
    if (st == HF_OK)
        st = hf_build_add_yara(build, yara);
    if (st == HF_OK)
        st = hf_build_write(build, &image);
    if (st != HF_OK)
        return st;
    hf_build_for_each_skipped(build, count_left_out, out);
    return take_image(out, hf_buffer_view(&image));
}

enum hf_status hf_rule_set_define(struct hf_rule_set *set, const char *name,
                                  const struct hf_value *value)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->names[i], name) != 0)
            continue;
        if (set->values[i].type != value->type)
            return HF_INVALID;
        return keep_value(set, &set->values[i], value) ? HF_OK : HF_NOMEM;
    }
    return HF_NOTFOUND;
}

enum hf_status hf_rule_set_write(const struct hf_rule_set *set, struct hf_buffer *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer outside = {0};
    struct hf_map image;
    hf_buffer_u32(&outside, (uint32_t)set->count);
    for (size_t i = 0; i < set->count; i++)
        hf_buffer_counted(&outside, hf_bytes_text(set->names[i]));
    hf_told_put_values(&outside, set->values, set->count);
    enum hf_status st = hf_map_open(set->fd, &image);
    if (st != HF_OK)
        return st;
    hf_buffer_add(out, magic, sizeof magic);
    hf_buffer_u32(out, (uint32_t)outside.len);
    hf_buffer_u32(out, 0);
    hf_buffer_bytes(out, hf_buffer_view(&outside));
    hf_buffer_align(out, ALIGNMENT);
    hf_buffer_add(out, image.data, image.len);
    hf_map_release(&image);
    return out->failed || outside.failed ? HF_NOMEM : HF_OK;
}

bool hf_rule_set_is(struct hf_bytes file)
{
    return file.len >= sizeof magic && memcmp(file.data, magic, sizeof magic) == 0;
}

static enum hf_status read_outside(struct hf_rule_set *set, struct hf_bytes bytes)
{
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    uint32_t count = hf_u32le(&c);
    if (count > hf_cursor_left(&c)) /* each takes a byte at least */
        return HF_MALFORMED;
    enum hf_status st = begin(set, count);
    for (uint32_t i = 0; i < count && st == HF_OK; i++) {
        set->names[i] = hf_arena_text(set->arena, hf_take(&c, hf_u32le(&c)));
        if (set->names[i] == NULL)
            st = HF_NOMEM;
    }
    struct hf_value *values = NULL;
    if (st == HF_OK && (hf_told_get_values(&c, set->arena, &values) != count ||
                        values == NULL || hf_cursor_left(&c) != 0))
        st = HF_MALFORMED;
    for (uint32_t i = 0; i < count && st == HF_OK; i++)
        if (!keep_value(set, &set->values[i], &values[i]))
            st = HF_NOMEM;
    return st;
}

enum hf_status hf_rule_set_read(struct hf_rule_set *out, struct hf_bytes file)
{
    *out = (struct hf_rule_set){.fd = -1};
    struct hf_cursor c = hf_cursor_open(file.data, file.len, NULL);
    if (!hf_rule_set_is(file))
        return HF_MALFORMED;
    hf_skip(&c, sizeof magic);
    uint32_t length = hf_u32le(&c);
    hf_skip(&c, 4);
    struct hf_bytes outside = hf_take(&c, length);
    hf_seek(&c, ((uint64_t)HEAD + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    struct hf_bytes image = hf_take_rest(&c);
    if (c.failed)
        return HF_MALFORMED;
    enum hf_status st = read_outside(out, outside);
    if (st == HF_OK)
        st = take_image(out, image);
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    return st == HF_OK ? hf_db_check(out->db, &note) : st;
}
