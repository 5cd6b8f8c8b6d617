#include "unpack/decoders.h"

#include "base/auto.h"
#include "unpack/zip.h"

/*
 * A ZIP tells everything twice, and readers differ in which half they believe. Here both are
 * followed: members as the central directory has them, in its order; a member a second time where
 * its local header says something else; then what only local headers show, in the places that no
 * member covers. An honest archive leaves nothing for the second and third step but a look at the
 * few bytes between its members.
 */
enum { ENDS_MAX = 8, DIRECTORIES_SEEN_MAX = 16, TAIL = 65535 + 22 };

struct zip {
    struct hf_unpack *unpack;
    const struct hf_cursor *file;
    struct hf_codecs *codecs;
    struct hf_pusher out;
    struct hf_zip_map map;
    uint64_t seen[DIRECTORIES_SEEN_MAX];
    size_t seen_count;
    uint64_t raw_left; /* bytes that may be given without a copy and without charge */
    uint64_t no_descriptor_from; /* see hf_zip_find_stored_end */
    bool found;                  /* something of a ZIP: members or an end record */
    enum hf_status how;          /* worst that is wrong with the archive as a whole */
};

struct method {
    uint16_t number;
    const struct hf_codec *codec;
    bool needs_size; /* the stream has no end of its own */
};

static const struct method methods[] = {
    {8, &hf_codec_deflate, false},  {9, &hf_codec_deflate64, false},
    {6, &hf_codec_implode, true},   {12, &hf_codec_bzip2, false},
    {14, &hf_codec_zip_lzma, true}, {93, &hf_codec_zstd, false},
    {20, &hf_codec_zstd, false}, /* the number that zstd had at first */
    {95, &hf_codec_xz, false},
};

enum { STORED = 0, DEFLATED = 8, AES = 99 };

static const struct method *find_method(uint16_t number)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].number == number)
            return &methods[i];
    return NULL;
}

static bool is_encrypted(const struct hf_zip_member *m)
{
    return (m->flags & HF_ZIP_ENCRYPTED) != 0 || m->method == AES;
}

static bool ends_in_slash(struct hf_bytes name)
{
    return name.len > 0 && name.data[name.len - 1] == '/';
}

static struct hf_child child_of(const struct hf_zip_member *m)
{
    enum { TYPE = 0170000, LINK = 0120000 };
    return (struct hf_child){
        .name = m->name,
        .packed = m->packed,
        .declared = m->size,
        .offset = m->data,
        .crc = m->crc,
        .encrypted = is_encrypted(m),
        .is_file = !ends_in_slash(m->name) && (m->mode & TYPE) != LINK,
    };
}

/* A child without bytes of its own. */
static enum hf_status push_empty(struct zip *z, const struct hf_zip_member *m,
                                 enum hf_status how)
{
    enum hf_status st = hf_pusher_begin(&z->out, child_of(m));
    return st == HF_OK ? hf_pusher_end(&z->out, how) : st;
}

/*
 * The bytes as they lie there. All of an honest archive's together are no more than the archive;
 * what members that overlap give beyond that is charged as if it had been unpacked.
 */
static enum hf_status push_raw(struct zip *z, const struct hf_zip_member *m,
                               enum hf_status how)
{
    struct hf_cursor data = hf_cursor_clip(z->file, m->data, m->packed);
    if (data.len < m->packed && how == HF_OK)
        how = HF_TRUNCATED;
    if (data.len > z->raw_left && !hf_budget_bytes(z->file->budget, data.len))
        return HF_LIMIT;
    z->raw_left -= data.len < z->raw_left ? data.len : z->raw_left;
    return hf_pusher_whole(&z->out, child_of(m), hf_take_rest(&data), how);
}

static void compare_declared(struct zip *z, const struct hf_zip_member *m)
{
    const struct hf_pusher *out = &z->out;
    if (out->crc != m->crc)
        hf_note(z->unpack->notes, m->data, "checksum is %08x, the header says %08x",
                out->crc, m->crc);
    if (out->total != m->size)
        hf_note(z->unpack->notes, m->data, "member has %llu bytes, the header says %llu",
                (unsigned long long)out->total, (unsigned long long)m->size);
}

static struct hf_codec_hint hint_of(const struct hf_zip_member *m)
{
    return (struct hf_codec_hint){.size = m->size, .flags = m->flags};
}

/*
 * A compressed member. Its stream says where it ends, so it is read on past the declared packed
 * size if need be: some readers do. A member that claims the same size packed and unpacked may
 * not be compressed at all, whatever its method; then it is given as it lies there.
 */
static enum hf_status push_packed(struct zip *z, const struct hf_zip_member *m,
                                  const struct method *method, uint64_t *used)
{
    struct hf_pusher *out = &z->out;
    struct hf_cursor in = hf_cursor_at(z->file, m->data);
    *used = m->packed;
    if (m->packed == m->size && m->packed != HF_UNKNOWN)
        hf_pusher_guess(out, child_of(m), HF_UNKNOWN);
    else if (hf_pusher_begin(out, child_of(m)) != HF_OK || !out->wanted)
        return out->stop;
    enum hf_status st = hf_codec_run(z->codecs, method->codec, &in, hint_of(m), out);
    if (out->stop == HF_OK && out->announced) {
        enum hf_status ended = hf_pusher_end(out, st);
        return ended != HF_OK ? ended : push_raw(z, m, st);
    }
    uint64_t took = in.pos - m->data;
    if (out->wanted && st == HF_OK)
        *used = took;
    else if (out->wanted) /* what a broken stream ran over may be the next member */
        *used = m->packed == HF_UNKNOWN ? 0 : took < m->packed ? took : m->packed;
    if (st == HF_OK && out->wanted && m->size != HF_UNKNOWN)
        compare_declared(z, m);
    return hf_pusher_end(out, out->wanted ? st : HF_OK);
}

/* What may be compressed although its header does not say so: a child only if it decodes, and to
 * this many bytes if that is known. */
static enum hf_status push_guess(struct zip *z, const struct hf_zip_member *m,
                                 const struct hf_codec *codec, uint64_t size, bool *right)
{
    struct hf_cursor in = hf_cursor_clip(z->file, m->data, m->packed);
    hf_pusher_guess(&z->out, child_of(m), size);
    enum hf_status st = hf_codec_run(z->codecs, codec, &in, hint_of(m), &z->out);
    *right = !z->out.announced;
    return hf_pusher_end(&z->out, hf_pusher_has_taker(&z->out) ? st : HF_OK);
}

/* Encrypted data is longer than what it was made of, and does not decode by itself. Some archives
 * only claim to be encrypted: readers that do not look at the flag open them. */
static enum hf_status push_encrypted(struct zip *z, const struct hf_zip_member *m)
{
    if (m->method == STORED && m->packed == m->size)
        return push_raw(z, m, HF_OK);
    bool right = false;
    enum hf_status st = HF_OK;
    if (m->method == DEFLATED && m->packed != HF_UNKNOWN && m->size > 0)
        st = push_guess(z, m, &hf_codec_deflate, m->size, &right);
    return st != HF_OK || right ? st : push_empty(z, m, HF_ENCRYPTED);
}

/*
 * Push one view of a member.
 *
 * used  bytes of the file that it took, from m->data on.
 * Returns HF_OK, or HF_LIMIT or HF_STOPPED of the sink.
 */
static enum hf_status push(struct zip *z, const struct hf_zip_member *m, uint64_t *used)
{
    *used = m->packed;
    if (m->packed == 0 && m->size == 0)
        return ends_in_slash(m->name) ? HF_OK : push_raw(z, m, HF_OK);
    if (is_encrypted(m))
        return push_encrypted(z, m);
    if (m->method == STORED) {
        enum hf_status st = push_raw(z, m, HF_OK);
        bool right, too_short = m->packed > 0 && m->packed < m->size;
        if (st == HF_OK && too_short)
            st = push_guess(z, m, &hf_codec_deflate, HF_UNKNOWN, &right);
        return st;
    }
    const struct method *method = find_method(m->method);
    if (method == NULL)
        return push_raw(z, m, HF_UNSUPPORTED);
    return push_packed(z, m, method, used);
}

static uint64_t end_of(const struct zip *z, const struct hf_zip_member *m, uint64_t used)
{
    uint64_t left = z->file->len - m->data; /* data is inside: its header was read */
    return m->data + (used < left ? used : left);
}

/* Whether the local header leads a reader to other bytes, or another name, than the central one.
 * Declared sizes matter only where they steer. */
static bool disagrees(const struct hf_zip_member *central,
                      const struct hf_zip_member *local)
{
    if (central->method != local->method || is_encrypted(central) != is_encrypted(local) ||
        !hf_bytes_equal(central->name, local->name))
        return true;
    if (hf_zip_sizes_later(local))
        return false;
    const struct method *method = find_method(central->method);
    if (method != NULL && !method->needs_size)
        return (central->packed == 0) != (local->packed == 0);
    return central->packed != local->packed || central->size != local->size;
}

/* The directory may say that there is nothing where a reader that goes by local headers would
 * still read a stream, for that header leaves its sizes open: the codec to try, or NULL. */
static const struct hf_codec *hidden_stream(const struct hf_zip_member *central,
                                            const struct hf_zip_member *local)
{
    const struct method *method = find_method(local->method);
    bool open_end =
        central->packed == 0 && hf_zip_sizes_later(local) && !is_encrypted(local);
    return open_end && method != NULL ? method->codec : NULL;
}

/* Both views of a member whose local header has been read; its span is filled in. */
static enum hf_status push_both(struct zip *z, struct hf_zip_member *central,
                                struct hf_zip_member *local, struct hf_zip_span *span)
{
    uint64_t used, used_locally;
    central->data = local->data;
    span->method = central->method;
    span->packed = central->packed;
    span->size = central->size;
    span->is_encrypted = is_encrypted(central);
    enum hf_status st = push(z, central, &used);
    span->end = end_of(z, central, used);
    const struct hf_codec *hidden = hidden_stream(central, local);
    if (st == HF_OK && hidden != NULL) {
        local->packed = local->size = HF_UNKNOWN;
        bool right;
        return push_guess(z, local, hidden, HF_UNKNOWN, &right);
    }
    if (st != HF_OK || !disagrees(central, local))
        return st;
    hf_note(z->unpack->notes, central->header, "the two headers of a member disagree");
    if (hf_zip_sizes_later(local)) {
        local->packed = central->packed;
        local->size = central->size;
        local->crc = central->crc;
        local->flags &= (uint16_t)~HF_ZIP_SIZES_LATER;
    }
    local->mode = central->mode;
    st = push(z, local, &used_locally);
    if (used_locally < used) /* what only the larger view covers is looked at again */
        span->end = end_of(z, local, used_locally);
    return st;
}

/* The same bytes come out as did before, be it under another name. A stream that has its own end
 * does not depend on the sizes that one of thousands of entries claims. */
static bool is_same(const struct hf_zip_span *span, const struct hf_zip_member *m)
{
    if (span->method != m->method || span->is_encrypted != is_encrypted(m))
        return false;
    if (span->packed == m->packed && span->size == m->size)
        return true;
    const struct method *method = find_method(m->method);
    bool ends_itself = method != NULL && !method->needs_size && !is_encrypted(m);
    return ends_itself && span->packed != 0 && m->packed != 0 && m->packed != m->size;
}

static enum hf_status push_central(struct zip *z, const struct hf_zip_directory *directory,
                                   struct hf_zip_member *m)
{
    uint64_t place = hf_zip_place(directory, m->header);
    struct hf_cursor c = hf_cursor_at(z->file, place);
    struct hf_zip_member local;
    enum hf_status st = hf_zip_read_local(&c, &local);
    if (st == HF_MALFORMED && place != m->header) {
        struct hf_cursor other = hf_cursor_at(z->file, m->header);
        struct hf_zip_member there;
        if (hf_zip_read_local(&other, &there) == HF_OK) {
            place = m->header;
            local = there;
            st = HF_OK;
        }
    }
    m->data = HF_UNKNOWN;
    if (st == HF_TRUNCATED)
        return ends_in_slash(m->name) ? HF_OK : push_empty(z, m, HF_TRUNCATED);
    struct hf_zip_span *span = hf_zip_map_find(&z->map, place);
    if (span != NULL && is_same(span, m))
        return HF_OK;
    if (span == NULL)
        span = hf_zip_map_add(&z->map, place);
    if (span == NULL)
        return HF_LIMIT;
    if (st == HF_MALFORMED) {
        /* Readers that trust the directory do not look at the signature. */
        hf_note(z->unpack->notes, place, "local header without its signature");
        local = (struct hf_zip_member){.name = m->name,
                                       .data = local.data,
                                       .method = m->method,
                                       .flags = m->flags,
                                       .packed = m->packed,
                                       .size = m->size};
    }
    return push_both(z, m, &local, span);
}

static enum hf_status walk_directory(struct zip *z,
                                     const struct hf_zip_directory *directory)
{
    for (size_t i = 0; i < z->seen_count; i++)
        if (z->seen[i] == directory->at)
            return HF_OK;
    if (z->seen_count == DIRECTORIES_SEEN_MAX)
        return HF_OK;
    z->seen[z->seen_count++] = directory->at;
    struct hf_cursor c = hf_cursor_at(z->file, directory->at);
    while (hf_cursor_charge(&c, 1)) {
        struct hf_zip_member m;
        enum hf_status st = hf_zip_read_central(&c, &m);
        if (st == HF_TRUNCATED)
            z->how = HF_TRUNCATED;
        if (st != HF_OK)
            return HF_OK;
        st = push_central(z, directory, &m);
        if (st != HF_OK)
            return st;
    }
    return HF_LIMIT;
}

/* Positions of end records in a range, the last ENDS_MAX of them, in ascending order. */
static size_t find_ends(const struct hf_cursor *file, uint64_t from, uint64_t to,
                        uint64_t ends[ENDS_MAX])
{
    static const uint8_t signature[] = {'P', 'K', 5, 6};
    size_t count = 0;
    struct hf_cursor c = hf_cursor_at(file, from);
    while (c.pos < to) {
        size_t at = hf_find(&c, signature, sizeof signature, to - c.pos);
        if (at == SIZE_MAX || !hf_cursor_charge(&c, 1))
            break;
        if (count == ENDS_MAX)
            memmove(ends, ends + 1, --count * sizeof *ends);
        ends[count++] = at;
        hf_seek(&c, (uint64_t)at + sizeof signature);
    }
    return count;
}

static bool is_covered(const struct zip *z, uint64_t at)
{
    for (size_t i = 0; i < z->map.count; i++)
        if (z->map.spans[i].start <= at && at < z->map.spans[i].end)
            return true;
    return false;
}

/* Follow an end record unless it belongs to an archive that is itself a stored member. */
static enum hf_status follow_end(struct zip *z, uint64_t end, bool *useful)
{
    struct hf_zip_directory directories[HF_ZIP_DIRECTORIES_MAX];
    size_t count =
        is_covered(z, end) ? 0 : hf_zip_find_directories(z->file, end, directories);
    *useful = count > 0;
    for (size_t i = 0; i < count; i++) {
        enum hf_status st = walk_directory(z, &directories[i]);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}

/* An end record of an archive without members. */
static bool is_empty_end(const struct hf_cursor *file, uint64_t end)
{
    static const uint8_t zeros[16];
    struct hf_cursor c = hf_cursor_at(file, end);
    hf_skip(&c, 4);
    return hf_peek_equal(&c, zeros, sizeof zeros);
}

/* All directories: those of the end records in the tail, else of those anywhere. */
static enum hf_status push_directories(struct zip *z)
{
    uint64_t ends[ENDS_MAX], tail = z->file->len > TAIL ? z->file->len - TAIL : 0;
    uint64_t ranges[2][2] = {{tail, z->file->len}, {0, tail}};
    bool any = false;
    size_t records = 0;
    for (size_t r = 0; r < 2 && !any; r++) {
        size_t count = find_ends(z->file, ranges[r][0], ranges[r][1], ends);
        records += count;
        while (count > 0) {
            bool useful, empty = is_empty_end(z->file, ends[--count]);
            enum hf_status st = follow_end(z, ends[count], &useful);
            any = any || useful || empty;
            if (st != HF_OK)
                return st;
        }
    }
    z->found = any;
    if (!any)
        z->how = records > 0 ? HF_MALFORMED : HF_TRUNCATED;
    return HF_OK;
}

/* A member that only its local header shows. */
static enum hf_status push_local(struct zip *z, struct hf_zip_member *m, uint64_t *end)
{
    uint64_t used;
    if (hf_zip_sizes_later(m)) {
        m->packed = HF_UNKNOWN;
        m->size = HF_UNKNOWN;
        if (find_method(m->method) == NULL && !is_encrypted(m))
            m->packed = m->size =
                hf_zip_find_stored_end(z->file, m->data, &z->no_descriptor_from);
    }
    enum hf_status st = push(z, m, &used);
    *end = used == HF_UNKNOWN ? m->data : end_of(z, m, used);
    return st;
}

/* Local headers that start in [from, to), which no member covers. end: where to go on. */
static enum hf_status push_hidden(struct zip *z, uint64_t from, uint64_t to, uint64_t *end)
{
    static const uint8_t signature[] = {'P', 'K', 3, 4};
    *end = to;
    while (from < to) {
        struct hf_cursor c = hf_cursor_at(z->file, from);
        size_t at =
            hf_find(&c, signature, sizeof signature, to - from + sizeof signature - 1);
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        if (at == SIZE_MAX || at >= to)
            return HF_OK;
        struct hf_zip_member m;
        c = hf_cursor_at(z->file, at);
        from = at + sizeof signature;
        if (hf_zip_read_local(&c, &m) != HF_OK || !hf_zip_is_plausible(&m))
            continue;
        z->found = true;
        if (z->how == HF_OK)
            hf_note(z->unpack->notes, at,
                    "member that the central directory does not have");
        enum hf_status st = push_local(z, &m, &from);
        if (st != HF_OK)
            return st;
        if (from > *end)
            *end = from;
    }
    return HF_OK;
}

static enum hf_status push_all_hidden(struct zip *z)
{
    const struct hf_zip_span *spans = hf_zip_map_sorted(&z->map);
    if (spans == NULL)
        return HF_LIMIT;
    uint64_t pos = 0;
    for (size_t i = 0; i < z->map.count; i++) {
        enum hf_status st = HF_OK;
        if (spans[i].start > pos)
            st = push_hidden(z, pos, spans[i].start, &pos);
        if (st != HF_OK)
            return st;
        if (spans[i].end > pos)
            pos = spans[i].end;
    }
    return push_hidden(z, pos, z->file->len, &pos);
}

enum hf_status hf_unpack_zip(struct hf_unpack *unpack)
{
    HF_AUTO(hf_codecs_release)
    struct hf_codecs *codecs = hf_codecs_new(unpack->arena, unpack->object.len);
    if (codecs == NULL)
        return HF_NOMEM;
    struct zip z = {.unpack = unpack,
                    .file = &unpack->object,
                    .codecs = codecs,
                    .out = hf_pusher_of(unpack),
                    .map = {.arena = unpack->arena},
                    .raw_left = unpack->object.len,
                    .no_descriptor_from = HF_UNKNOWN,
                    .how = HF_OK};
    enum hf_status st = push_directories(&z);
    if (st == HF_OK)
        st = push_all_hidden(&z);
    if (st != HF_OK)
        return st;
    if (hf_cursor_status(z.file) == HF_LIMIT)
        return HF_LIMIT;
    return z.found ? z.how : HF_NOTFOUND;
}
