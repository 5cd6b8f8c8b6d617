#include "format/mail_kind.h"

#include <strings.h>

/* Fields of mail. A block of fields with two of them is a header; text needs only one, if it is
 * the first line and `alone` says that this much is mail to other scanners too. */
static const struct {
    const char *name;
    bool alone;
} fields[] = {
    {"received", true},
    {"return-path", true},
    {"delivered-to", true},
    {"from", true},
    {"to", true},
    {"subject", true},
    {"message-id", true},
    {"mime-version", true},
    {"date", false},
    {"cc", false},
    {"bcc", false},
    {"sender", false},
    {"reply-to", false},
    {"in-reply-to", false},
    {"references", false},
    {"envelope-to", true},
    {"delivery-date", true},
    {"content-type", false},
    {"content-transfer-encoding", false},
    {"content-disposition", false},
    {"content-id", false},
    {"content-description", false},
    {"x-original-to", true},
    {"x-envelope-from", true},
    {"x-uidl", true},
    {"x-apparently-to", true},
    {"x-mailer", false},
    {"x-priority", false},
    {"dkim-signature", true},
    {"authentication-results", true},
    {"received-spf", true},
    {"arc-seal", true},
    {"user-agent", false},
};

enum { UNKNOWN = sizeof fields / sizeof *fields };

/* Take the next line; its end may be LF, CR LF or CR. */
static struct hf_bytes take_line(struct hf_bytes *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->data[n] != '\n' && rest->data[n] != '\r')
        n++;
    struct hf_bytes line = {rest->data, n};
    if (n < rest->len)
        n +=
            rest->data[n] == '\r' && n + 1 < rest->len && rest->data[n + 1] == '\n' ? 2 : 1;
    *rest = (struct hf_bytes){rest->data + n, rest->len - n};
    return line;
}

static bool begins(struct hf_bytes line, const char *word)
{
    size_t n = strlen(word);
    return line.len >= n && strncasecmp((const char *)line.data, word, n) == 0;
}

/* The length of a field's name; 0: the line is no field. */
static size_t field_name(struct hf_bytes line)
{
    enum { LONGEST = 78 };
    size_t n = 0;
    while (n < line.len && n < LONGEST && line.data[n] > ' ' && line.data[n] < 0x7f &&
           line.data[n] != ':')
        n++;
    size_t colon = n;
    while (colon < line.len && (line.data[colon] == ' ' || line.data[colon] == '\t'))
        colon++;
    return colon < line.len && line.data[colon] == ':' ? n : 0;
}

static size_t field_of(struct hf_bytes line)
{
    size_t n = field_name(line);
    for (size_t i = 0; i < UNKNOWN; i++)
        if (n == strlen(fields[i].name) && begins(line, fields[i].name))
            return i;
    return UNKNOWN;
}

static bool is_blank(struct hf_bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != 0)
            return false;
    return true;
}

/* Parts of a message without its header: soon a boundary, then a field of theirs. */
static bool is_parts(struct hf_bytes rest)
{
    enum { LINES_MAX = 32 };
    for (unsigned i = 0; i < LINES_MAX && rest.len > 0; i++) {
        if (!begins(take_line(&rest), "--"))
            continue;
        struct hf_bytes ahead = rest, next = take_line(&ahead);
        if (begins(next, "content-") && field_of(next) < UNKNOWN)
            return true;
    }
    return false;
}

bool hf_mail_kind(struct hf_bytes start, bool is_text)
{
    struct hf_bytes rest = start, line;
    if (begins(rest, "\xEF\xBB\xBF"))
        rest = (struct hf_bytes){rest.data + 3, rest.len - 3};
    struct hf_bytes before = rest;
    while (rest.len > 0 && is_blank(line = take_line(&rest)))
        before = rest;
    rest = before;
    if (is_parts(rest))
        return true;
    uint64_t seen = 0;
    unsigned known = 0, lines = 0;
    bool envelope = begins(rest, "From ") || begins(rest, ">From "), alone = false;
    bool ends = false; /* a field and nothing else may be anything */
    if (envelope)
        (void)take_line(&rest);
    while (rest.len > 0) {
        line = take_line(&rest);
        bool folded =
            lines > 0 && line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
        ends = is_blank(line) || (!folded && field_name(line) == 0);
        if (ends)
            break;
        size_t field = folded ? UNKNOWN : field_of(line);
        if (field < UNKNOWN && (seen & UINT64_C(1) << field) == 0) {
            seen |= UINT64_C(1) << field;
            known++;
            alone = alone || (lines == 0 && fields[field].alone);
        }
        lines++;
    }
    return known >= 2 || (known == 1 && envelope) || (is_text && alone && ends);
}
