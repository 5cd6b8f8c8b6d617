/* paths.h - where Holdfast keeps its state: the one place that knows directory names.
 *
 *   what                         root                        anybody else
 *   configuration                /etc/holdfast               $XDG_CONFIG_HOME/holdfast
 *   content (databases)          /var/lib/holdfast           $XDG_DATA_HOME/holdfast
 *   cache (rebuildable)          /var/cache/holdfast         $XDG_CACHE_HOME/holdfast
 *   spool (unlinked files)       $TMPDIR, /var/tmp, /tmp     the same
 *
 * [XDG Base Directory Specification 0.8]; a relative or empty variable counts as unset. Root
 * never uses another user's directories, whatever HOME says. */
#ifndef HF_BASE_PATHS_H
#define HF_BASE_PATHS_H

#include "base/status.h"

enum hf_path { HF_PATH_CONFIG, HF_PATH_CONTENT, HF_PATH_CACHE };

/* The directory, without making it; allocated, the caller frees. NULL when out of memory, or
 * when a user has neither the variable nor a home. */
char *hf_path_dir(enum hf_path which);

/* Make a directory and its missing parents, mode 0700. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_path_make(const char *dir);

/* An unlinked file for spooling, in the first directory that has one to give; -1 with the errno
 * of the last. */
int hf_path_spool_open(void);

#endif
