/* layers.h - the layers of the jail in words, for `holdfast status --jail`. */
#ifndef HF_JAIL_LAYERS_H
#define HF_JAIL_LAYERS_H

#include "jail/protocol.h"

struct hf_layer_row {
    enum hf_jail_layer layer;
    const char *name; /* "seccomp" */
    const char *what; /* one sentence */
};

/* Strongest first. */
extern const struct hf_layer_row hf_layer_rows[];
extern const size_t hf_layer_row_count;

/* A line for each layer: whether it is active, its name, what it does. */
void hf_jail_describe(uint32_t layers, struct hf_buffer *out);

/* Whether at least one of the layers that keep a process from files by themselves is there: the
 * system call filter or Landlock. The others only harden these. */
bool hf_layers_confine(uint32_t layers);

#endif
