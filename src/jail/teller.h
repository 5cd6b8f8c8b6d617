/* teller.h - in a worker: writes down what true rules tell of the object at hand (facts/told.h). */
#ifndef HF_JAIL_TELLER_H
#define HF_JAIL_TELLER_H

#include "facts/told.h"
#include "scan/engine.h"

struct hf_teller {
    struct hf_tell_options options;
    struct hf_buffer out; /* of the object at hand */
    bool cut;             /* there was more than HF_TOLD_BYTES_MAX */
};

void hf_teller_begin(struct hf_teller *teller);

/* For the engine: user is the struct hf_teller. */
void hf_teller_rule(void *user, const struct hf_true_rule *rule);
void hf_teller_line(void *user, struct hf_bytes line);

#endif
