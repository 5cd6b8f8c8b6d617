/* supervisor.h - the process that everything else hangs on. */
#ifndef HF_DAEMON_SUPERVISOR_H
#define HF_DAEMON_SUPERVISOR_H

#include "daemon/config.h"

struct hf_supervisor_setup {
    const char *config_path;
    bool clamd; /* it is a clamd.conf */
    const char *worker_path;
};

/* Read a configuration file by its path. error receives a sentence. */
HF_MUST_USE enum hf_status hf_supervisor_read(struct hf_config *config,
                                              const struct hf_supervisor_setup *setup,
                                              hf_config_on_note *on_note, void *user,
                                              struct hf_buffer *error);

/* Run until told to stop. Returns the exit code. */
int hf_supervisor_run(const struct hf_supervisor_setup *setup);

#endif
