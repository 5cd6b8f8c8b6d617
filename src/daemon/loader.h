/* loader.h - the process that reads the owner's databases: compiles text signatures into the cache,
 * opens, checks. It has the rights of the configured user, sees no scanned byte, and ends when
 * it has told the supervisor what came of it. */
#ifndef HF_DAEMON_LOADER_H
#define HF_DAEMON_LOADER_H

#include "daemon/config.h"

/* Load and send NOTEs and one DATABASE over the channel. Returns the exit code. */
int hf_loader_run(const struct hf_config *config, int channel);

/* A number that changes when a file of the databases is added, replaced or removed. Looks at names
 * and times only. */
uint64_t hf_loader_fingerprint(const struct hf_config *config);

#endif
