/* site.h - where trust and content of the publishers lie, and how both are read and replaced.
 *
 *   CONFIG/trust/NAME/root       the first root, as the owner believes it (a signed note)
 *   CONFIG/trust/NAME/policy     the owner's witnesses [C2SP tlog-policy]
 *   CONFIG/trust/NAME/settings   the owner's rules (feed/settings.h)
 *   CONFIG/own/                  the owner's own signatures, allow and ignore lists, as text
 *   CONTENT/feeds/NAME/state     what was proven so far (feed/state.h): the one file that commits
 *   CONTENT/feeds/NAME/roots/HASH       the root that the state names
 *   CONTENT/feeds/NAME/gen/MANIFEST/    a generation: release, proof, root and its files
 *   CONTENT/feeds/NAME/partial/HASH     an object on its way
 *
 * Nothing below CONTENT is trusted because it lies there: what is damaged is noticed by hashes. */
#ifndef HF_UPDATE_SITE_H
#define HF_UPDATE_SITE_H

#include "feed/client.h"

enum { HF_PUBLISHERS_MAX = 32 };

struct hf_site {
    char *config, *content;
    int config_dir, content_dir;
};

/* Open, making the folders. home NULL: the user's (base/paths.h); else its config and content
 * folders. HF_IO with errno, HF_NOMEM, HF_NOTFOUND (the user has no home). */
HF_MUST_USE enum hf_status hf_site_open(struct hf_site *place, const char *home);
/* The same without making anything: HF_NOTFOUND when the folders are not there. */
HF_MUST_USE enum hf_status hf_site_look(struct hf_site *place, const char *home);
void hf_site_done(struct hf_site *place);

/* Names of the publishers that are trusted, sorted; each is a tag. Freed by hf_names_done. */
struct hf_publisher_names {
    char *names[HF_PUBLISHERS_MAX];
    size_t count;
};
HF_MUST_USE enum hf_status hf_site_publishers(const struct hf_site *place,
                                              struct hf_publisher_names *names);
void hf_publisher_names_done(struct hf_publisher_names *names);

/* A publisher on this endpoint. */
struct hf_endpoint {
    char name[HF_CHANNEL_MAX + 1];
    int trust_dir, feed_dir;
    struct hf_buffer anchor, policy_text, settings_text; /* as the owner has them */
    struct hf_policy *policy;
    struct hf_settings settings;
    struct hf_state state;
    struct hf_buffer root_note; /* believed now: the state's, or the anchor */
    bool state_lost;  /* there was none, or it was damaged: state is to be recovered */
    bool state_began; /* the owner has added this publisher and nothing was fetched yet */
    struct hf_buffer problem; /* a sentence, after a refusal */
};

/* Load. HF_REFUSE_SETTINGS, _POLICY_*, _DISK; a lost state is no refusal. */
HF_MUST_USE enum hf_refusal hf_endpoint_open(const struct hf_site *place, const char *name,
                                             struct hf_endpoint *endpoint);
/* Forget the state and begin with the owner's root; for `holdfast trust`. */
void hf_endpoint_restart(struct hf_endpoint *endpoint);
void hf_endpoint_done(struct hf_endpoint *endpoint);

/* One updater at a time: a lock on the feed's folder, kept until hf_endpoint_done. False: somebody
 * else has it. */
HF_MUST_USE bool hf_endpoint_lock(struct hf_endpoint *endpoint);

/* Write the root's note if it is new, then the state: the one step that counts. HF_REFUSE_DISK. */
HF_MUST_USE enum hf_refusal hf_endpoint_commit(struct hf_endpoint *endpoint,
                                               const struct hf_state *state,
                                               struct hf_bytes root_note);

/* Remove generations, roots and partial objects that the state does not name. */
void hf_endpoint_clean(struct hf_endpoint *endpoint);

/* "gen/HASH" and, with a name, the file in it. */
void hf_generation_path(struct hf_buffer *out, const struct hf_hash *manifest,
                        const char *name);

/* A database, or the folder of the owner's own. */
struct hf_site_database {
    char *path;       /* allocated, freed by the caller */
    size_t publisher; /* from 1 on, by name; 0: the owner's own */
    bool
        everywhere; /* its lists count for other publishers' signatures, too (feed/settings.h) */
};

/* What scanners use: the databases of all active generations, in the order of their names, and the
 * owner's own. HF_LIMIT: there are more than there is room for; the owner's own is among those that
 * are given. HF_IO, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_site_databases(const struct hf_site *place,
                                             struct hf_site_database *databases,
                                             size_t room, size_t *count);

#endif
