#include "db/plan.h"

#include "base/cursor.h"

static const char magic[] = "HFPLAN\r\n";
enum { MAGIC = 8, VERSION = 1 };

void hf_db_plan_write(struct hf_buffer *out, const struct hf_db_place *places, size_t count)
{
    hf_buffer_add(out, magic, MAGIC);
    hf_buffer_u32(out, VERSION);
    hf_buffer_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        hf_buffer_u8(out, places[i].group);
        hf_buffer_u8(out, places[i].flags);
    }
}

bool hf_db_plan_is(struct hf_bytes file)
{
    return file.len >= MAGIC && memcmp(file.data, magic, MAGIC) == 0;
}

bool hf_db_plan_read(struct hf_bytes file, struct hf_db_place *places, size_t count)
{
    struct hf_cursor c = hf_cursor_open(file.data, file.len, NULL);
    hf_skip(&c, MAGIC);
    if (!hf_db_plan_is(file) || hf_u32le(&c) != VERSION || hf_u32le(&c) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        places[i].group = hf_u8(&c);
        places[i].flags = hf_u8(&c);
    }
    return hf_cursor_status(&c) == HF_OK && hf_cursor_left(&c) == 0;
}
