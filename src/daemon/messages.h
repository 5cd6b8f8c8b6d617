/* messages.h - what the daemon's own processes say to each other: one small record a datagram
 * (jail/channel.h), with descriptors beside. Whoever receives decodes through the cursor; what
 * does not decode, does not end exactly or comes where it is not expected means a peer that is
 * broken or owned: it is killed, never argued with.
 *
 *   supervisor ── BEAT, DATABASE, TEMPLATE, OPENER, LOGS, LEAVE ──► listener
 *   listener ── BEAT, START, STOP, RELOAD, SHUTDOWN, EVENT, ACTIVE ──► supervisor
 *   listener ── OPEN, MORE, CANCEL ──► opener ── FILE, EXCLUDED, TROUBLE, END ──► listener
 *   supervisor ── BEAT ──► opener ── BEAT ──► supervisor
 *   loader ── NOTE, DATABASE ──► supervisor
 *   updater ── NOTE, STANDING ──► supervisor ── STANDING ──► listener
 *   listener ── FAILED ──► supervisor */
#ifndef HF_DAEMON_MESSAGES_H
#define HF_DAEMON_MESSAGES_H

#include "base/buffer.h"
#include "base/cursor.h"

enum {
    HF_DAEMON_TEXT_MAX = 16 * 1024,
    HF_DAEMON_MESSAGE_MAX = HF_DAEMON_TEXT_MAX + 64,
    HF_DAEMON_FDS_MAX = 40
};

enum hf_daemon_type {
    HF_DAEMON_BEAT = 1, /* number: to be sent back as it is */
    HF_DAEMON_START,    /* id: of the template to be; descriptor: its channel */
    HF_DAEMON_STOP,     /* id: of a template that is not needed any more */
    HF_DAEMON_RELOAD,
    HF_DAEMON_SHUTDOWN,
    HF_DAEMON_EVENT,  /* text: a name, zero, what it was found in */
    HF_DAEMON_ACTIVE, /* id: generation that requests are now answered from */
    HF_DAEMON_DATABASE, /* id: generation; number: signatures; extra: status; text: description;
                           descriptors: segments */
    HF_DAEMON_OPENER, /* descriptor: channel of a new opener */
    HF_DAEMON_LOGS,   /* number: bits: 1 a log file, 2 syslog; descriptors in that order */
    HF_DAEMON_LEAVE, /* take no new connections, finish those that are, end; number 1: those
                           that ask nothing just now are not waited for */
    HF_DAEMON_NOTE,  /* text: for the log; number: whether it is important */
    HF_DAEMON_OPEN,  /* id: request; number: enum hf_open_mode; text: path */
    HF_DAEMON_MORE,  /* id; number: so many entries more may be sent */
    HF_DAEMON_CANCEL,   /* id */
    HF_DAEMON_FILE,     /* id; number: size; text: path; descriptor */
    HF_DAEMON_EXCLUDED, /* id; number: 1: by its file system; text: path */
    HF_DAEMON_TROUBLE,  /* id; number: errno; extra: enum hf_trouble; text: path */
    HF_DAEMON_END,      /* id; number: enum hf_end_kind */
    HF_DAEMON_STANDING, /* number: bits: 1 other content is active than before; text: what
                           hf_standing_read says: text, zero, JSON, zero, metrics */
    HF_DAEMON_FAILED, /* id: generation; number: crashes of workers with it, extra: how many took
                           too long, since last told */
    HF_DAEMON_TYPES
};

enum hf_open_mode { HF_OPEN_PLAIN, HF_OPEN_MULTI, HF_OPEN_MODES };

/* Why there is no descriptor. */
enum hf_trouble {
    HF_TROUBLE_PATH,   /* it cannot be looked at or listed */
    HF_TROUBLE_ACCESS, /* it may not be read */
    HF_TROUBLE_OPEN,   /* it cannot be opened */
    HF_TROUBLE_SPECIAL,
    HF_TROUBLES
};

/* What the path of a request was. */
enum hf_end_kind {
    HF_END_NOTHING, /* a trouble of it or its exclusion has been told */
    HF_END_FILE,
    HF_END_FOLDER,
    HF_END_SPECIAL,
    HF_END_LINK_FILE, /* a symbolic link to a file, not followed */
    HF_END_LINK,      /* to anything else */
    HF_END_KINDS
};

struct hf_daemon_message {
    enum hf_daemon_type type;
    uint64_t id, number, extra;
    struct hf_bytes text; /* at most HF_DAEMON_TEXT_MAX; longer is cut when encoding */
};

/* Encode over what is in out. */
void hf_daemon_put(struct hf_buffer *out, const struct hf_daemon_message *m);

/* Decode a datagram. text borrows from it. HF_OK, HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_daemon_get(struct hf_bytes datagram,
                                         struct hf_daemon_message *m);

/* Whether descriptors of this count fit the message. */
bool hf_daemon_fds_fit(const struct hf_daemon_message *m, size_t count);

/* Encode and send. wait as in hf_channel_send. HF_OK; HF_LIMIT (no room now), HF_IO. */
HF_MUST_USE enum hf_status hf_daemon_send(int channel, const struct hf_daemon_message *m,
                                          const int *fds, size_t fd_count, bool wait);

/* A received message and its descriptors, the caller's to close. */
struct hf_daemon_mail {
    struct hf_daemon_message message;
    int fds[HF_DAEMON_FDS_MAX];
    size_t fd_count;
    uint8_t data[HF_DAEMON_MESSAGE_MAX];
};

/* HF_OK; HF_LIMIT (nothing there, without wait), HF_NOTFOUND (closed), HF_MALFORMED, HF_IO. */
HF_MUST_USE enum hf_status hf_daemon_receive(int channel, struct hf_daemon_mail *mail,
                                             bool wait);
void hf_daemon_close_fds(struct hf_daemon_mail *mail);

#endif
