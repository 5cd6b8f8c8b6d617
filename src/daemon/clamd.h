/* clamd.h - the language of clamd 1.4 as it is heard: commands, framings, streams. Takes the
 * bytes of one connection in whatever pieces they come and says what they mean; answers and
 * descriptors are the listener's matter.
 *
 *   z<COMMAND>\0   n<COMMAND>\n   answers end as the command did
 *   <COMMAND>      old style: what one read gives, up to a newline; answers end in \n
 *   INSTREAM       then chunks: length (u32, big-endian), bytes; a length of 0 ends them
 *   FILDES         then one byte, with a descriptor beside */
#ifndef HF_DAEMON_CLAMD_H
#define HF_DAEMON_CLAMD_H

#include "base/buffer.h"
#include "base/status.h"

enum {
    HF_CLAMD_COMMAND_MAX = 4096
}; /* with its first letter; longer ones are not answered */

enum hf_clamd_command {
    HF_CLAMD_SCAN,
    HF_CLAMD_QUIT,
    HF_CLAMD_RELOAD,
    HF_CLAMD_PING,
    HF_CLAMD_CONTSCAN,
    HF_CLAMD_VERSIONCOMMANDS,
    HF_CLAMD_VERSION,
    HF_CLAMD_END,
    HF_CLAMD_SHUTDOWN,
    HF_CLAMD_MULTISCAN,
    HF_CLAMD_FILDES,
    HF_CLAMD_STATS,
    HF_CLAMD_IDSESSION,
    HF_CLAMD_INSTREAM,
    HF_CLAMD_DETSTATSCLEAR,
    HF_CLAMD_DETSTATS,
    HF_CLAMD_ALLMATCHSCAN,
    HF_CLAMD_COMMANDS,
    HF_CLAMD_UNKNOWN = HF_CLAMD_COMMANDS
};

struct hf_clamd_row {
    const char *name;
    bool argument; /* takes the rest of the line */
    bool old;      /* in old style too */
    bool session;  /* inside IDSESSION too */
};
extern const struct hf_clamd_row hf_clamd_rows[HF_CLAMD_COMMANDS];

enum hf_clamd_state {
    HF_CLAMD_AT_COMMAND,
    HF_CLAMD_AT_LENGTH, /* of a stream's chunk */
    HF_CLAMD_AT_CHUNK,
    HF_CLAMD_AT_DESCRIPTOR, /* FILDES: at the byte that brings it */
    HF_CLAMD_DEAF           /* nothing more is understood */
};

enum hf_clamd_event_type {
    HF_CLAMD_NEEDS_MORE, /* all input is used */
    HF_CLAMD_COMMAND,
    HF_CLAMD_DATA, /* of a stream */
    HF_CLAMD_STREAM_END,
    HF_CLAMD_STREAM_OVER, /* a chunk goes past the limit */
    HF_CLAMD_DESCRIPTOR,
    HF_CLAMD_OLD_IN_SESSION,
    HF_CLAMD_TOO_LONG
};

struct hf_clamd_event {
    enum hf_clamd_event_type type;
    enum hf_clamd_command command;
    struct hf_bytes bytes; /* argument or data; borrowed from the parser or the input */
    bool
        extra; /* a command in old style or behind a carriage return: something was left over */
};

struct hf_clamd_parser {
    enum hf_clamd_state state;
    bool session;    /* set by the listener after IDSESSION */
    char terminator; /* of answers: as the last command was framed */
    uint64_t stream_max, stream_seen;
    uint32_t chunk_left;
    uint8_t length[4];
    unsigned length_seen;
    struct hf_buffer
        line;       /* of an incomplete command; also what event.bytes borrows from */
    bool line_used; /* it was handed out and is cleared by the next call */
};

void hf_clamd_begin(struct hf_clamd_parser *parser, uint64_t stream_max);
void hf_clamd_done(struct hf_clamd_parser *parser);

/*
 * The next event.
 *
 * input  taken from at its front; not empty, or the event is NEEDS_MORE. For commands in old
 *        style it is what one read gave.
 * Returns HF_OK, HF_NOMEM (the parser is deaf then).
 */
HF_MUST_USE enum hf_status hf_clamd_next(struct hf_clamd_parser *parser,
                                         struct hf_bytes *input,
                                         struct hf_clamd_event *event);

/* Nothing more is to be understood: a command was answered outside of a session. */
void hf_clamd_deafen(struct hf_clamd_parser *parser);

#endif
