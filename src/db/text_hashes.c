/* text_hashes.c - lines that hold a digest or a name. */
#include "base/text.h"
#include "db/text.h"

enum { ANY_SIZE_LEVEL = 73 }; /* the first that knows `*` as a size */
#define SIZE_LARGEST ((UINT64_C(1) << 56) - 2)

static enum hf_line_result bad(struct hf_line *line, const char *why)
{
    line->why = why;
    return HF_LINE_BAD;
}

size_t hf_split(struct hf_bytes text, char separator, struct hf_bytes *fields, size_t max)
{
    size_t n = 0;
    while (n + 1 < max) {
        const uint8_t *end = text.len == 0 ? NULL : memchr(text.data, separator, text.len);
        if (end == NULL)
            break;
        size_t length = (size_t)(end - text.data);
        fields[n++] = hf_bytes_of(text.data, length);
        text = hf_bytes_of(end + 1, text.len - length - 1);
    }
    fields[n++] = text;
    return n;
}

static bool read_digest(struct hf_bytes text, struct hf_line *line)
{
    line->digest_length = text.len / 2;
    return text.len % 2 == 0 && hf_digest_of_length(text.len / 2) != HF_DIGEST_KINDS &&
           hf_unhex(text, line->digest, sizeof line->digest) == text.len / 2;
}

enum hf_line_result hf_check_levels(const struct hf_bytes *fields, size_t count,
                                    struct hf_line *line, uint64_t *level_min)
{
    uint64_t level[2] = {0, UINT64_MAX};
    for (size_t i = 0; i < count && i < 2; i++) {
        /* ClamAV reads an empty number as 0. */
        if (fields[i].len == 0)
            level[i] = 0;
        else if (!hf_parse_uint(fields[i], &level[i]))
            return bad(line, "engine level is no number");
    }
    *level_min = level[0];
    if (level[0] > HF_CLAMAV_FLEVEL || level[1] < HF_CLAMAV_FLEVEL) {
        line->why = "for other engine levels";
        return HF_LINE_SKIP;
    }
    return HF_LINE_NOTHING;
}

struct hf_bytes hf_clamav_bare_name(struct hf_bytes name)
{
    static const char tail[] = " (Clam)";
    size_t n = sizeof tail - 1;
    if (name.len > n && memcmp(name.data + name.len - n, tail, n) == 0)
        name.len -= n;
    return name;
}

/* hash:size:name[:minimum level[:maximum level]], or size:hash:name... */
enum hf_line_result hf_read_clamav_hash(const struct hf_text_format *format,
                                        struct hf_bytes text, struct hf_line *line)
{
    struct hf_bytes f[6];
    size_t n = hf_split(text, ':', f, 6);
    if (n < 3 || n > 5)
        return bad(line, "3 to 5 fields are needed");
    struct hf_bytes size = f[format->size_first ? 0 : 1];
    line->name = hf_clamav_bare_name(f[2]);
    if (!read_digest(f[format->size_first ? 1 : 0], line))
        return bad(line, "no MD5, SHA-1 or SHA-256 digest");
    if (line->name.len == 0)
        return bad(line, "no name");
    uint64_t level_min;
    enum hf_line_result levels = hf_check_levels(f + 3, n - 3, line, &level_min);
    if (levels == HF_LINE_BAD)
        return levels;
    if (size.len == 1 && size.data[0] == '*') {
        line->size = HF_BUILD_ANY_SIZE;
        if (level_min < ANY_SIZE_LEVEL && !format->any_size_at_any_level)
            return bad(line, "size * needs a minimum level of 73 or more");
    } else if (!hf_parse_uint(size, &line->size) || line->size == 0 ||
               line->size > 0xfffffffe) {
        return bad(line, "size is not 1 to 4294967294");
    }
    return levels == HF_LINE_NOTHING ? HF_LINE_DIGEST : levels;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct hf_bytes trimmed(struct hf_bytes text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = hf_bytes_of(text.data + 1, text.len - 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

static struct hf_bytes first_word(struct hf_bytes text)
{
    size_t n = 0;
    while (n < text.len && !is_blank(text.data[n]))
        n++;
    return hf_bytes_of(text.data, n);
}

/* What sha256sum writes: the digest, a blank, a blank or '*', and the file's name. */
static bool is_checksum_line(struct hf_bytes rest)
{
    return rest.len > 2 && rest.data[0] == ' ' &&
           (rest.data[1] == '*' || (rest.data[1] == ' ' && !is_blank(rest.data[2])));
}

/* digest [size] [name], or digest and file name as sha256sum writes them. */
enum hf_line_result hf_read_plain_hash(const struct hf_text_format *format,
                                       struct hf_bytes text, struct hf_line *line)
{
    (void)format;
    if (text.len > 1 && text.data[0] == '\\') /* sha256sum's mark of an escaped file name */
        text = hf_bytes_of(text.data + 1, text.len - 1);
    text = trimmed(text);
    if (text.len == 0 || text.data[0] == '#' || text.data[0] == ';' ||
        (text.len > 1 && text.data[0] == '/' && text.data[1] == '/'))
        return HF_LINE_NOTHING;
    struct hf_bytes digest = first_word(text);
    struct hf_bytes rest = hf_bytes_of(text.data + digest.len, text.len - digest.len);
    if (!read_digest(digest, line))
        return bad(line, "does not begin with an MD5, SHA-1 or SHA-256 digest");
    line->size = HF_BUILD_ANY_SIZE;
    if (is_checksum_line(rest)) {
        line->name = hf_bytes_of(rest.data + 2, rest.len - 2);
        return HF_LINE_DIGEST;
    }
    rest = trimmed(rest);
    struct hf_bytes word = first_word(rest);
    uint64_t size;
    if (word.len > 0 && hf_parse_uint(word, &size)) {
        if (size > SIZE_LARGEST)
            return bad(line, "size too large");
        line->size = size;
        rest = trimmed(hf_bytes_of(rest.data + word.len, rest.len - word.len));
    }
    line->name = rest;
    return HF_LINE_DIGEST;
}

/* A name as databases have it, for one as reports have it. */
static struct hf_bytes signature_name(struct hf_bytes text)
{
    static const char tail[] = ".UNOFFICIAL";
    size_t n = sizeof tail - 1;
    if (text.len > n && memcmp(text.data + text.len - n, tail, n) == 0)
        text.len -= n;
    if (text.len > 2 && text.data[text.len - 1] == '}')
        for (size_t i = text.len - 1; i-- > 1;)
            if (text.data[i] == '{' && text.data[i - 1] == '.') {
                text.len = i - 1;
                break;
            }
    return hf_clamav_bare_name(text);
}

/* A name; a name and the MD5 of the signature's line; file:line:name, of which the name alone counts.
 * Names may end as they are reported. [facts/clamav.md 1.6] */
enum hf_line_result hf_read_ignore(const struct hf_text_format *format,
                                   struct hf_bytes text, struct hf_line *line)
{
    (void)format;
    struct hf_bytes f[4];
    size_t fields = hf_split(text, ':', f, 4);
    if (fields > 3)
        return bad(line, "1 to 3 fields are needed");
    line->name = signature_name(f[fields == 2 ? 0 : fields - 1]);
    if (line->name.len == 0)
        return bad(line, "no name");
    if (fields != 2)
        return HF_LINE_NAME;
    return read_digest(f[1], line) && line->digest_length == 16
               ? HF_LINE_PIN
               : bad(line, "no MD5 digest of a line");
}
