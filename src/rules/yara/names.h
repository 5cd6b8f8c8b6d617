/* names.h - a hash table from names to numbers. Inside only. */
#ifndef HF_RULES_YARA_NAMES_H
#define HF_RULES_YARA_NAMES_H

#include "base/bytes.h"

struct name_entry {
    struct hf_bytes name; /* borrowed; data NULL: empty */
    uint32_t space, value, round;
};

struct names {
    struct name_entry *entries; /* owned */
    size_t room, count;         /* room is a power of two */
    uint32_t round;             /* entries of other rounds are empty */
};

void names_done(struct names *names);
void names_clear(struct names *names); /* keeps the memory */

/* The value of a name in a space, or NULL. Borrowed until the next names_add. */
uint32_t *names_find(const struct names *names, uint32_t space, struct hf_bytes name);

/* Add a name that is not there yet; the name must outlive the table. False: out of memory. */
bool names_add(struct names *names, uint32_t space, struct hf_bytes name, uint32_t value);

#endif
