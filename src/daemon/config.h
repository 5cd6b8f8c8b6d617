/* config.h - what the owner asks of holdfastd: one table of settings, read from holdfast.conf
 * (sections and keys) or from an existing clamd.conf (every option of ClamAV 1.4 is mapped, or
 * named as without effect). Reads the owner's files only. */
#ifndef HF_DAEMON_CONFIG_H
#define HF_DAEMON_CONFIG_H

#include "base/buffer.h"
#include "base/status.h"

/* What an object that could not be looked at completely is answered with. */
enum hf_unscannable_policy { HF_POLICY_OK, HF_POLICY_ERROR, HF_POLICY_FOUND };

enum { HF_CONFIG_LIST_MAX = 64 };

/* Texts of a setting that may be given several times. */
struct hf_text_list {
    char *items[HF_CONFIG_LIST_MAX]; /* owned */
    size_t count;
};

/* Texts are owned; NULL: not set. Times in the unit of their name. */
struct hf_config {
    /* who and where */
    char *user, *pid_file, *temporary;
    struct hf_text_list databases; /* files and folders */
    bool pua; /* signatures of unwanted programs: at all, of which kinds */
    struct hf_text_list pua_exclude, pua_include;
    /* listening */
    char *unix_path, *unix_group;
    uint64_t unix_mode; /* of the socket's file */
    bool fix_stale;
    uint64_t tcp_port; /* 0: none */
    struct hf_text_list tcp_addresses, tcp_control;
    uint64_t queue_length, connections_max;
    /* requests */
    uint64_t stream_max, spool_from, spool_max; /* bytes; 0: no limit (not spool_from) */
    uint64_t workers;
    uint64_t command_timeout_s, read_timeout_s, hang_timeout_s;
    struct hf_text_list excludes; /* regular expressions for whole paths */
    uint64_t folder_depth;
    bool follow_folders, follow_files, cross_file_systems, all_match;
    bool shutdown, reload, stats, version;
    struct hf_text_list control_users;
    uint64_t self_check_s;
    char *virus_event;
    struct hf_limits limits;
    bool alert_limits, alert_encrypted;
    uint64_t unscannable; /* enum hf_unscannable_policy */
    /* updates */
    char *update_home; /* NULL: the usual places */
    uint64_t update_s; /* 0: never */
    bool update_fuse;
    /* telling */
    char *log_file, *log_facility, *log_format; /* format: "classic" or "json" */
    bool log_time, log_clean, log_syslog, log_verbose, log_rotate, log_size;
    uint64_t log_max;            /* bytes; 0: no limit */
    struct hf_text_list metrics; /* unix sockets (paths) or loopback ports */
};

enum hf_setting_kind {
    HF_SETTING_BOOL,
    HF_SETTING_NUMBER,
    HF_SETTING_SIZE,
    HF_SETTING_MODE, /* octal */
    HF_SETTING_TEXT,
    HF_SETTING_LIST,
    HF_SETTING_POLICY,
    HF_SETTING_MS /* given in milliseconds, kept as the limits have it */
};

/* A setting, and what it is called. clamd NULL: clamd has none; section NULL: only there for
 * clamd.conf. offset SIZE_MAX: accepted and without effect; help says why. */
struct hf_setting {
    const char *clamd, *section, *key;
    enum hf_setting_kind kind;
    size_t offset;
    const char *initial; /* NULL: none */
    const char *help;
};
extern const struct hf_setting hf_settings[];
extern const size_t hf_setting_count;

/* Something to say about a file's line; important: it changes what the owner gets. */
typedef void hf_config_on_note(void *user, const char *text);

/* Defaults. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_config_init(struct hf_config *config);
void hf_config_done(struct hf_config *config);

/*
 * Read text over what is set. Settings of a list that are given replace the default's.
 *
 * name     of the file, for messages.
 * on_note  called for settings that are without effect; may be NULL.
 * error    receives a sentence: file, line, what is wrong and, if near, what was meant.
 * Returns HF_OK, HF_INVALID, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_config_read(struct hf_config *config, const char *name,
                                          struct hf_bytes text, hf_config_on_note *on_note,
                                          void *user, struct hf_buffer *error);
HF_MUST_USE enum hf_status hf_config_read_clamd(struct hf_config *config, const char *name,
                                                struct hf_bytes text,
                                                hf_config_on_note *on_note, void *user,
                                                struct hf_buffer *error);

/* Whether it makes sense as a whole. HF_INVALID with a sentence. */
HF_MUST_USE enum hf_status hf_config_check(const struct hf_config *config,
                                           struct hf_buffer *error);

/* Set one by its row; for the readers. HF_INVALID: the value does not fit. */
HF_MUST_USE enum hf_status hf_config_set(struct hf_config *config,
                                         const struct hf_setting *row, const char *value);

/* The name nearest to a mistyped one, or NULL. */
const char *hf_config_nearest(const char *name, bool clamd);

/* holdfast.conf with comments and defaults, from the table. */
void hf_config_write_example(struct hf_buffer *out);

#endif
