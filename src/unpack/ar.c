/* ar: the archives of static libraries and of Debian packages. A fixed header of text before each
 * member, members on even offsets. Three ways to name them: System V ("name/", and "/123" into a
 * table of long names), BSD short ("name"), BSD #1 ("#1/17", the name before the data).
 * [ar(5) of FreeBSD; deb(5)] Members lie in the archive as they are and are not copied. */
#include "base/auto.h"
#include "base/text.h"
#include "unpack/decoders.h"
#include "unpack/pusher.h"

enum {
    MAGIC_LEN = 8,
    NAME_LEN = 16,
    SIZE_AT = 48, /* in the header; ten digits */
    SIZE_LEN = 10,
    HEADER_LEN = 60,
    BSD_NAME_MAX = 4096
};

struct ar {
    struct hf_cursor in;
    struct hf_pusher out;
    struct hf_bytes long_names; /* System V's table, or empty */
    bool thin;                  /* members lie outside: only headers here */
};

struct member {
    struct hf_bytes name;
    uint64_t size;
};

/* Cut spaces (and what else writers pad with) off the end. */
static struct hf_bytes trimmed(struct hf_bytes b)
{
    struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
    size_t keep = 0;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t byte = hf_u8(&c);
        if (byte != ' ' && byte != 0)
            keep = i + 1;
    }
    b.len = keep;
    return b;
}

/* Digits at the start of a field; false when there are none or the number is not possible. */
static bool number_of(struct hf_bytes field, uint64_t *value)
{
    struct hf_cursor c = hf_cursor_open(field.data, field.len, NULL);
    *value = 0;
    size_t digits = 0;
    for (; hf_cursor_left(&c) > 0; digits++) {
        uint8_t byte = hf_u8(&c);
        if (byte < '0' || byte > '9')
            break;
        *value = *value * 10 + (byte - '0'); /* at most 16 digits: fits */
    }
    return digits > 0;
}

static bool starts_with(struct hf_bytes b, const char *text)
{
    struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
    return hf_peek_equal(&c, text, strlen(text));
}

static bool is_text(struct hf_bytes b, const char *text)
{
    return hf_bytes_equal(b, hf_bytes_text(text));
}

/* "/123": the name stands in the table of long names from there to "/\n" (GNU) or a newline. */
static struct hf_bytes long_name(struct ar *ar, uint64_t at)
{
    struct hf_cursor table =
        hf_cursor_open(ar->long_names.data, ar->long_names.len, ar->in.budget);
    struct hf_cursor c = hf_cursor_at(&table, at);
    struct hf_bytes name = hf_take_until(&c, '\n', BSD_NAME_MAX, NULL);
    if (name.len > 0 && name.data[name.len - 1] == '/')
        name.len--;
    return name;
}

/* "#1/17": the name is the first 17 bytes of the data. */
static struct hf_bytes name_before_data(struct ar *ar, struct member *m, uint64_t len)
{
    if (len > m->size || len > BSD_NAME_MAX)
        return m->name;
    struct hf_bytes name = hf_take(&ar->in, len);
    m->size -= len;
    return trimmed(name);
}

static enum hf_status read_header(struct ar *ar, struct member *m)
{
    struct hf_cursor header = hf_cursor_sub(&ar->in, ar->in.pos, HEADER_LEN);
    hf_skip(&ar->in, HEADER_LEN);
    if (hf_cursor_status(&header) != HF_OK)
        return HF_TRUNCATED;
    m->name = trimmed(hf_take(&header, NAME_LEN));
    hf_seek(&header, SIZE_AT);
    struct hf_bytes size = hf_take(&header, SIZE_LEN);
    if (!hf_peek_equal(&header, "`\n", 2) || !number_of(size, &m->size))
        return HF_MALFORMED;
    return HF_OK;
}

/* The child's name, from the three ways; moves past a BSD name. */
static void find_name(struct ar *ar, struct member *m)
{
    uint64_t n;
    struct hf_bytes rest = m->name;
    if (starts_with(rest, "#1/")) {
        rest = hf_bytes_of(rest.data + 3, rest.len - 3);
        if (number_of(rest, &n))
            m->name = name_before_data(ar, m, n);
    } else if (starts_with(rest, "/")) {
        rest = hf_bytes_of(rest.data + 1, rest.len - 1);
        if (number_of(rest, &n) && ar->long_names.len > 0)
            m->name = long_name(ar, n);
    } else if (rest.len > 1 && rest.data[rest.len - 1] == '/') {
        m->name.len--;
    }
}

/* Tables of the linker: no children, but their bytes are passed. */
static bool is_index(const struct member *m)
{
    return is_text(m->name, "/") || is_text(m->name, "/SYM64/") ||
           starts_with(m->name, "__.SYMDEF");
}

static enum hf_status read_member(struct ar *ar)
{
    struct member m;
    enum hf_status st = read_header(ar, &m);
    if (st != HF_OK)
        return st;
    bool table = is_text(m.name, "//") || is_text(m.name, "ARFILENAMES/");
    bool index = is_index(&m);
    if (!table && !index)
        find_name(ar, &m);
    struct hf_child child = hf_child_unknown();
    child.name = m.name;
    child.packed = child.declared = m.size;
    child.offset = hf_cursor_where(&ar->in);
    bool outside = ar->thin && !table && !index;
    uint64_t here = outside ? 0 : m.size;
    size_t left = hf_cursor_left(&ar->in);
    bool cut = here > left;
    struct hf_bytes bytes = hf_take(&ar->in, cut ? left : here);
    hf_skip(&ar->in, here % 2 != 0 && hf_cursor_left(&ar->in) > 0 ? 1 : 0);
    if (table)
        ar->long_names = bytes;
    else if (!index && !outside)
        st = hf_pusher_whole(&ar->out, child, bytes, cut ? HF_TRUNCATED : HF_OK);
    return st == HF_OK && cut ? HF_TRUNCATED : st;
}

/* After a broken header: the next place that looks like one, that is, where its last two bytes
 * stand with digits or spaces before them. */
static bool find_header(struct ar *ar)
{
    for (;;) {
        size_t end = hf_find(&ar->in, "`\n", 2, UINT64_MAX);
        if (end == SIZE_MAX)
            return false;
        struct member m;
        size_t at = end - (HEADER_LEN - 2);
        if (end - ar->in.pos >= HEADER_LEN - 2) {
            struct ar trial = *ar;
            hf_seek(&trial.in, at);
            if (read_header(&trial, &m) == HF_OK) {
                hf_seek(&ar->in, at);
                return true;
            }
        }
        hf_seek(&ar->in, end + 2);
    }
}

enum hf_status hf_unpack_ar(struct hf_unpack *unpack)
{
    struct ar ar = {.in = unpack->object, .out = hf_pusher_of(unpack)};
    ar.thin = hf_peek_equal(&ar.in, "!<thin>\n", MAGIC_LEN);
    if (!ar.thin && !hf_peek_equal(&ar.in, "!<arch>\n", MAGIC_LEN))
        return HF_NOTFOUND;
    hf_skip(&ar.in, MAGIC_LEN);
    enum hf_status how = HF_OK;
    while (hf_cursor_left(&ar.in) > 0 && hf_cursor_charge(&ar.in, 1)) {
        size_t at = ar.in.pos;
        enum hf_status st = read_member(&ar);
        if (ar.out.stop != HF_OK)
            return ar.out.stop;
        if (st == HF_OK)
            continue;
        how = st;
        hf_note(unpack->notes, at, "ar member: %s", hf_status_text(st));
        hf_seek(&ar.in, at + 1);
        if (st != HF_MALFORMED || !find_header(&ar))
            break;
    }
    enum hf_status end = hf_cursor_status(&ar.in);
    return end == HF_LIMIT ? end : how;
}
