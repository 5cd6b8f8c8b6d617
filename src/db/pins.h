/* pins.h - signatures that are left out while their line is the one that somebody named: entries
 * "Name:MD5 of the line" of .ign2. Kept as fingerprints, for one build. [facts/clamav.md 1.6] */
#ifndef HF_DB_PINS_H
#define HF_DB_PINS_H

#include "base/buffer.h"

struct hf_pins {
    struct hf_buffer items; /* struct hf_pin, sorted when sorted is set */
    bool sorted;
};
void hf_pins_done(struct hf_pins *pins);

/* Add an entry; digest: 16 bytes. items.failed when out of memory. */
void hf_pins_add(struct hf_pins *pins, struct hf_bytes name, const uint8_t *digest);

/* Before asking: once, by one thread; also after the last addition. */
void hf_pins_sort(struct hf_pins *pins);

/*
 * Whether a signature is one of these. By any number of threads.
 *
 * name  as the signature's line has it.
 * line  the whole of it, without its end.
 */
bool hf_pins_hold(const struct hf_pins *pins, struct hf_bytes name, struct hf_bytes line);

#endif
