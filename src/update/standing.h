/* standing.h - how the content of all publishers stands, for people, programs and monitoring: who is
 * believed, who has cosigned, what is active, how old it is, what is wrong. Read from the state files;
 * nothing is changed, nothing is fetched. */
#ifndef HF_UPDATE_STANDING_H
#define HF_UPDATE_STANDING_H

#include "update/site.h"

struct hf_standing {
    struct hf_buffer text;    /* lines, the first with a heading of nine columns */
    struct hf_buffer json;    /* an array */
    struct hf_buffer metrics; /* Prometheus [text exposition format 0.0.4] */
    bool warning, alarm; /* something is older than three, seven days, or an alarm stands */
};

/* place may be NULL or hold no folder: nobody is trusted then. now: seconds since 1970. */
void hf_standing_read(const struct hf_site *place, uint64_t now,
                      struct hf_standing *standing);
void hf_standing_done(struct hf_standing *standing);

#endif
