/* publishers.h - what `holdfast update` and `holdfast trust` share: the place of trust, and changes
 * to one publisher's settings. */
#ifndef HF_CLI_PUBLISHERS_H
#define HF_CLI_PUBLISHERS_H

#include "cli/options.h"
#include "update/site.h"

/* HF_EXIT_OK, or HF_EXIT_ERROR after a complaint. */
int hf_publishers_open(const struct hf_arguments *arguments, const char *home,
                       struct hf_site *place);

/* Set a key of a publisher's settings, replacing what it had; the result must be good settings. */
int hf_publisher_set(const struct hf_arguments *arguments, const struct hf_site *place,
                     const char *name, const char *key, const char *value);

#endif
