/* rights.h - how each kind of process gives up what its job does not need, for good. */
#ifndef HF_DAEMON_RIGHTS_H
#define HF_DAEMON_RIGHTS_H

#include "base/buffer.h"
#include "base/status.h"

#include <sys/types.h>

enum hf_role { HF_ROLE_LISTENER, HF_ROLE_OPENER };

/* Become a user, with the user's groups. name NULL, or not root: nothing to do. False with
 * errno. */
bool hf_rights_become(const char *name);

/*
 * Seal the process for its role: no new privileges, Landlock (listener: no file but unlinked ones
 * in the spool folders; opener: nothing is written), system call filter. Layers that the system
 * does not have are left out.
 *
 * spool  folder for unlinked files besides the usual ones; may be NULL.
 * Returns whether the filter is in force.
 */
bool hf_rights_seal(enum hf_role role, const char *spool);

#endif
