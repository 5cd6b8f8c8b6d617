/* updater.h - a process that keeps the content of trusted publishers new, for as long as one round
 * takes. It asks the fetching and the verifying process, which have no rights of their own, and writes
 * below the folder of content; it talks to nobody but them and its supervisor. */
#ifndef HF_DAEMON_UPDATER_H
#define HF_DAEMON_UPDATER_H

#include "daemon/config.h"

struct hf_updater_task {
    bool update;              /* ask all publishers */
    uint64_t crashes, delays; /* of workers: tell the fuse */
};

/* Do it, and tell how everything stands. Returns the exit code. */
int hf_updater_run(const struct hf_config *config, const struct hf_updater_task *task,
                   int channel);

/* When the next round is due, in milliseconds from now: interval seconds, a quarter more or less, so
 * that not all ask at once; first: soon after the start. */
uint64_t hf_updater_next_ms(uint64_t interval_s, bool first);

#endif
