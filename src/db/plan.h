/* plan.h - whose the segments of a database are: who opens several of them says so beside them, in a
 * small file of its own that travels as one more descriptor. No segment can say it of itself: what a
 * publisher sends has no say in how far it reaches.
 *
 *   0  magic[8] "HFPLAN\r\n"   8  u32 version 1   12  u32 count, as many as there are segments
 *  16  count times: u8 group, u8 flags
 *
 * Group 0 is the owner's own: what it allows, ignores and withdraws counts for all segments, and what
 * it finds nobody else's lists take away. The lists of every other group count for that group only,
 * unless the owner has given it HF_DB_PLAN_EVERYWHERE: then its allow and ignore lists count for all
 * groups but the owner's. Without a plan all segments are the owner's. */
#ifndef HF_DB_PLAN_H
#define HF_DB_PLAN_H

#include "base/buffer.h"
#include "db/db.h"

enum { HF_DB_PLAN_OWNER = 0 };
enum hf_db_plan_flag { HF_DB_PLAN_EVERYWHERE = 1 << 0 };

struct hf_db_place {
    uint8_t group;
    uint8_t flags;
};

void hf_db_plan_write(struct hf_buffer *out, const struct hf_db_place *places,
                      size_t count);

/* Whether bytes begin as a plan does; and its places: count of them. False: damaged, or for another
 * number of segments. */
bool hf_db_plan_is(struct hf_bytes file);
HF_MUST_USE bool hf_db_plan_read(struct hf_bytes file, struct hf_db_place *places,
                                 size_t count);

#endif
