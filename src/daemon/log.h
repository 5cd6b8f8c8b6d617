/* log.h - what the daemon writes about itself and its findings: a file, syslog, standard error;
 * lines as clamd has them, or JSON. Hostile texts are escaped before they come here. */
#ifndef HF_DAEMON_LOG_H
#define HF_DAEMON_LOG_H

#include "daemon/config.h"

enum hf_log_level { HF_LOG_ERROR, HF_LOG_WARNING, HF_LOG_INFO, HF_LOG_FOUND };

struct hf_log {
    const struct hf_config *config; /* borrowed */
    int file, syslog;               /* -1: none; owned */
    bool to_stderr;
    bool full;      /* the file is at its largest */
    bool is_sealed; /* somebody else rotates it */
};

/* Open what the configuration names. What cannot be opened is left out, errno says why; false
 * then. */
bool hf_log_open(struct hf_log *log, const struct hf_config *config);
void hf_log_close(struct hf_log *log);

/* Rename or end a file that is too large. The supervisor calls it now and then; true: the file is
 * another one now. */
bool hf_log_check(struct hf_log *log);

/* One line. */
void hf_log_line(struct hf_log *log, enum hf_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A finding or a clean object: label is what was scanned, name NULL: clean. size: for extended
 * lines. Both raw. */
void hf_log_result(struct hf_log *log, struct hf_bytes label, const char *name,
                   uint64_t size);

#endif
