/* feed_tools.h - what the subcommands of `holdfast feed` share. */
#ifndef HF_CLI_FEED_TOOLS_H
#define HF_CLI_FEED_TOOLS_H

#include "cli/options.h"
#include "feed/publisher.h"

extern const struct hf_command hf_command_feed_build;   /* feed_build.c */
extern const struct hf_command hf_command_feed_verify;  /* feed_verify.c */
extern const struct hf_command hf_command_feed_witness; /* feed_witness.c */
extern const struct hf_command hf_command_feed_mirror;  /* feed_copy.c */
extern const struct hf_command hf_command_feed_export;
extern const struct hf_command hf_command_feed_import;

/* A complaint and HF_EXIT_ERROR. */
int hf_feed_refuse(const struct hf_arguments *arguments, const char *what,
                   enum hf_refusal refusal);

/* A key's file: private, or (only is NULL) public, too; or the public key's text itself. False after
 * a complaint. */
struct hf_key_text {
    struct hf_vkey public_key;
    struct hf_skey secret;
    bool has_secret;
};
HF_MUST_USE bool hf_feed_key_read(const struct hf_arguments *arguments, const char *text,
                                  struct hf_key_text *key);

/* Several keys that must be private. Wipe by hf_feed_signers_done. */
enum { HF_FEED_SIGNERS_MAX = 16 };
struct hf_feed_signers {
    struct hf_skey keys[HF_FEED_SIGNERS_MAX];
    size_t count;
};
HF_MUST_USE bool hf_feed_signers_read(const struct hf_arguments *arguments,
                                      const struct hf_option_value *list,
                                      struct hf_feed_signers *signers);
void hf_feed_signers_done(struct hf_feed_signers *signers);

/* Open a feed's folder; make it when it is to be written. False after a complaint. */
HF_MUST_USE bool hf_feed_open(const struct hf_arguments *arguments, const char *path,
                              bool make, struct hf_feed_folder *folder);

/* Now, or what the option says. */
uint64_t hf_feed_time(const struct hf_option_value *option);

/* Write all files below a folder as a bundle (update/bundle.h). HF_IO with errno, HF_LIMIT. */
HF_MUST_USE enum hf_status hf_feed_bundle(int dir, int out);

#endif
