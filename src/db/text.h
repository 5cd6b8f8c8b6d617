/* text.h - front ends for signature text: one row a file ending, one function a grammar. A bad
 * line is reported and counted, never fatal. Grammars: facts/clamav.md 1.1, 1.2, 1.6. */
#ifndef HF_DB_TEXT_H
#define HF_DB_TEXT_H

#include "db/build.h"
#include "rules/clamav/clamav.h"

struct hf_text_format;

/* What a line came to. Grammars touch nothing but what they are given, so that lines can be read
 * by several threads. */
enum hf_line_result {
    HF_LINE_NOTHING, /* a comment, or nothing on it */
    HF_LINE_DIGEST,  /* digest, size and name are filled */
    HF_LINE_NAME,    /* name is filled */
    HF_LINE_PIN,     /* name is filled, and digest with the MD5 of a line of that name */
    HF_LINE_SKIP,    /* not taken: why says which kind */
    HF_LINE_BAD      /* not understood: why says what */
};

struct hf_line {
    const char *why;
    struct hf_bytes name;
    uint64_t size;
    uint8_t digest[32];
    size_t digest_length;
};

typedef enum hf_line_result hf_read_line(const struct hf_text_format *format,
                                         struct hf_bytes text, struct hf_line *line);

/* Reads a line that is a rule with patterns. */
typedef enum hf_clamav_result hf_read_rule(struct hf_bytes line, struct hf_arena *arena,
                                           struct hf_clamav_signature *out);

/* Reads a file as a whole, for languages that are no lines. */
typedef enum hf_status hf_read_whole(struct hf_build *build, const char *file_name,
                                     struct hf_bytes text);

struct hf_text_format {
    const char *ending;
    hf_read_line *read; /* all NULL: every line is skipped, as kind */
    hf_read_rule *rule;
    const char *kind;          /* of skipped lines */
    enum hf_db_section tables; /* digests go here (its MD5 table); 0: none */
    bool size_first;           /* size:hash:name instead of hash:size:name */
    bool any_size_at_any_level;
    bool binary; /* no lines: a file of it is one that is skipped, as kind */
    bool pua;    /* taken only by those who want to know of unwanted programs */
    hf_read_whole *whole;
};

/* The row of a file's ending, in any case; NULL when it is no source. */
const struct hf_text_format *hf_text_format_of(const char *file_name);

hf_read_line hf_read_plain_hash; /* text_hashes.c */
hf_read_line hf_read_clamav_hash;
hf_read_line hf_read_ignore; /* text_hashes.c */
hf_read_whole hf_read_yara;  /* text_yara.c */

/* Read a .cvd, .cld or .cud from a descriptor: verified, then its members (text_cvd.c). Statuses
 * of hf_cvd_read; a message says what is wrong, or that nobody has signed it. */
HF_MUST_USE enum hf_status hf_build_read_container(struct hf_build *build,
                                                   const char *file_name, int fd);

/* Say something of a file as a whole, through on_message. */
void hf_build_say(struct hf_build *build, const char *file_name, const char *text);

/* Split at a separator; fields past max are left in the last. Returns how many. */
size_t hf_split(struct hf_bytes text, char separator, struct hf_bytes *fields, size_t max);

/* Whether a signature is left out of a build: by its line, or as one of unwanted programs of a kind
 * that nobody asked for. By any number of threads while nothing is added. */
bool hf_build_leaves_out(const struct hf_build *build, const struct hf_text_format *format,
                         struct hf_bytes name, struct hf_bytes line);

/* "Name (Clam)" is "Name". */
struct hf_bytes hf_clamav_bare_name(struct hf_bytes name);

/* The last two fields of a ClamAV line: levels. HF_LINE_NOTHING: they admit ours. */
enum hf_line_result hf_check_levels(const struct hf_bytes *fields, size_t count,
                                    struct hf_line *line, uint64_t *level_min);

#endif
