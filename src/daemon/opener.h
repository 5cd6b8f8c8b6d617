/* opener.h - the process that opens files. */
#ifndef HF_DAEMON_OPENER_H
#define HF_DAEMON_OPENER_H

#include "daemon/config.h"

enum { HF_OPENER_REQUESTS_MAX = 512, HF_OPENER_FOLDERS_MAX = 256 };

/*
 * Serve until a channel closes. Returns the exit code.
 *
 * requests    channel of the listener.
 * supervisor  channel of the supervisor, for signs of life.
 */
int hf_opener_run(const struct hf_config *config, int requests, int supervisor);

/* ---- walking; for opener.c and tests ---- */

struct hf_opener_walk;

/* Where a walk's entries go: each call is one message to the listener. fd is taken. False: stop,
 * nobody listens. */
struct hf_opener_sink {
    void *user;
    bool (*file)(void *user, struct hf_bytes path, int fd, uint64_t size);
    bool (*excluded)(void *user, struct hf_bytes path, bool file_system);
    bool (*trouble)(void *user, struct hf_bytes path, int error, unsigned trouble);
    bool (*end)(void *user, unsigned kind);
};

struct hf_opener_rules; /* compiled exclusions and switches of a configuration */
struct hf_opener_rules *hf_opener_rules_new(const struct hf_config *config);
void hf_opener_rules_free(struct hf_opener_rules *rules);

/* A walk of one path, as clamd walks: files of a folder before its folders, by inode; no symbolic
 * links, no special files unless named. NULL: out of memory. */
struct hf_opener_walk *hf_opener_walk_new(const struct hf_opener_rules *rules,
                                          struct hf_bytes path, bool multi);
void hf_opener_walk_free(struct hf_opener_walk *walk);

/* Take one step: at most one entry is told. False after the end was told, or when the sink said
 * stop. *busy: no descriptor was free; nothing was told, try again later. */
bool hf_opener_walk_step(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                         bool *busy);

#endif
