/* 7z, rar and ISO 9660 through libarchive. One format is enabled at a time and no filters, so
 * nothing is guessed and no program is started; input comes from memory through callbacks that
 * charge the budget. libarchive converts names by the locale of the thread: decoding runs under
 * C.UTF-8, which is loaded before the worker is sealed. */
#include "base/auto.h"
#include "unpack/decoders.h"
#include "unpack/iso_views.h"
#include "unpack/pusher.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

enum {
    READ_PIECE = 256 * 1024, /* handed to libarchive at once, without a copy */
    ERRORS_MAX = 32          /* failing headers in a row before giving up */
};

struct source {
    struct hf_cursor in;
    struct hf_pusher out;
    bool pushed; /* some bytes of the entry */
    struct hf_iso_extents
        *known; /* of the view before: not given again; NULL: no view was */
    struct hf_iso_extents *seen; /* of this view, for the next; NULL: none follows */
};

/* The data of an entry so far, as long as it lies in the object as it is. */
struct extent {
    uint64_t place, len;
    bool plain;
    bool held; /* perhaps known: nothing was pushed yet */
};

static void close_archive(struct archive **a)
{
    if (*a != NULL)
        (void)archive_read_free(*a);
}

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t
    utf8; /* (locale_t)0 when the system has no C.UTF-8: names stay as they can */

static void load_locale(void)
{
    tzset(); /* dates are converted too: let the time zone's file be read now */
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8 == (locale_t)0)
        return;
    /* The first conversion opens the C library's tables of charsets: let that be now. */
    locale_t before = uselocale(utf8);
    wchar_t wide;
    char bytes[MB_LEN_MAX];
    size_t used = mbrtowc(&wide, "\xc3\xa4", 2, &(mbstate_t){0});
    used += wcrtomb(bytes, 0xe4, &(mbstate_t){0});
    (void)used;
    (void)uselocale(before);
}

void hf_lib_archive_prepare(void)
{
    (void)pthread_once(&locale_once, load_locale);
}

static la_ssize_t on_read(struct archive *a, void *user, const void **data)
{
    struct source *s = user;
    size_t left = hf_cursor_left(&s->in);
    struct hf_bytes bytes = hf_take(&s->in, left < READ_PIECE ? left : READ_PIECE);
    *data = bytes.data;
    if (hf_cursor_charge(&s->in, bytes.len / 1024 + 1))
        return (la_ssize_t)bytes.len;
    archive_set_error(a, ECANCELED, "budget");
    return ARCHIVE_FATAL;
}

static la_int64_t on_skip(struct archive *a, void *user, la_int64_t request)
{
    (void)a;
    struct source *s = user;
    size_t left = hf_cursor_left(&s->in);
    uint64_t n = request <= 0 ? 0 : (uint64_t)request < left ? (uint64_t)request : left;
    hf_skip(&s->in, n);
    return (la_int64_t)n;
}

static la_int64_t on_seek(struct archive *a, void *user, la_int64_t offset, int whence)
{
    struct source *s = user;
    la_int64_t end = (la_int64_t)s->in.len;
    la_int64_t base = whence == SEEK_SET   ? 0
                      : whence == SEEK_CUR ? (la_int64_t)s->in.pos
                                           : end;
    if (offset < -base)
        return ARCHIVE_FATAL;
    la_int64_t at = offset > end - base ? end : base + offset;
    if (!hf_cursor_charge(&s->in, 1)) {
        archive_set_error(a, ECANCELED, "budget");
        return ARCHIVE_FATAL;
    }
    s->in = hf_cursor_at(&s->in, (uint64_t)at);
    return at;
}

/* What libarchive means is told apart by its messages only. */
static enum hf_status status_of(struct archive *a)
{
    static const struct {
        const char *words;
        enum hf_status status;
    } rows[] = {
        {"ncrypt", HF_ENCRYPTED},          {"Crypto", HF_ENCRYPTED},
        {"assword", HF_ENCRYPTED},         {"nsupported", HF_UNSUPPORTED},
        {"not supported", HF_UNSUPPORTED}, {"unavailable", HF_UNSUPPORTED},
        {"Unknown codec", HF_UNSUPPORTED}, {"unexpected codec", HF_UNSUPPORTED},
        {"runcated", HF_TRUNCATED},        {"Premature end", HF_TRUNCATED},
    };
    const char *text = archive_error_string(a);
    if (archive_errno(a) == ENOMEM)
        return HF_NOMEM;
    for (size_t i = 0; text != NULL && i < sizeof rows / sizeof *rows; i++)
        if (strstr(text, rows[i].words) != NULL)
            return rows[i].status;
    return HF_MALFORMED;
}

/* The name as libarchive has it, by any of its ways; raw bytes where no charset is known. */
static struct hf_bytes name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    if (name == NULL)
        name = archive_entry_pathname_utf8(entry);
    return name == NULL ? (struct hf_bytes){0} : hf_bytes_text(name);
}

static struct hf_child child_of(struct archive_entry *entry)
{
    struct hf_child child = hf_child_unknown();
    child.name = name_of(entry);
    if (archive_entry_size_is_set(entry) && archive_entry_size(entry) >= 0)
        child.declared = (uint64_t)archive_entry_size(entry);
    child.encrypted = archive_entry_is_data_encrypted(entry) == 1;
    child.is_file =
        archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == NULL;
    return child;
}

/* A block of the entry: whether it lies in the object right behind what came before. libarchive
 * stands at its start. */
static void follow_extent(const struct source *s, struct archive *a, struct extent *e,
                          struct hf_bytes block, uint64_t at)
{
    if (e->len == 0)
        e->place = (uint64_t)archive_filter_bytes(a, 0);
    struct hf_cursor there = hf_cursor_at(&s->out.unpack->object, e->place);
    hf_skip(&there, at);
    e->plain = e->plain && at == e->len && hf_peek_equal(&there, block.data, block.len);
    e->len += block.len;
}

/* Push what was held back: it is no known file after all. len: bytes of it. */
static enum hf_status push_held(struct source *s, struct extent *e, uint64_t len)
{
    e->held = false;
    struct hf_cursor held = hf_cursor_clip(&s->out.unpack->object, e->place, len);
    struct hf_bytes bytes = hf_take_rest(&held);
    return hf_pusher_push(&s->out, bytes.data, bytes.len);
}

/* A block of an image with several views. *pushed: nothing more is to be done with it. */
static enum hf_status heed_views(struct source *s, struct archive *a, struct extent *e,
                                 struct hf_bytes block, uint64_t at, bool *pushed)
{
    *pushed = false;
    if (s->known == NULL && s->seen == NULL)
        return HF_OK;
    uint64_t before = e->len;
    follow_extent(s, a, e, block, at);
    if (before == 0 && s->known != NULL)
        e->held = e->plain && hf_iso_has_extent(s->known, e->place, s->out.child.declared);
    if (e->held && !e->plain)
        return push_held(s, e, before);
    *pushed = e->held;
    return HF_OK;
}

static enum hf_status end_data(struct source *s, struct extent *e)
{
    if (hf_cursor_status(&s->in) == HF_LIMIT)
        return HF_LIMIT;
    if (s->seen != NULL && e->plain && e->len == s->out.child.declared)
        hf_iso_add_extent(s->seen, e->place, e->len);
    if (e->held && e->len != s->out.child.declared)
        return push_held(s, e, e->len);
    if (e->held)
        s->out.announced = false; /* the view before has given it */
    return HF_OK;
}

/* The entry's bytes. *how: why there are no more of them. Unwanted bytes are decoded too where
 * archives are solid; the pusher charges them. */
static enum hf_status push_data(struct source *s, struct archive *a, enum hf_status *how)
{
    uint64_t at = 0;
    struct extent extent = {.plain = true};
    s->pushed = false;
    for (;;) {
        const void *data = NULL;
        size_t len = 0;
        la_int64_t offset = 0;
        errno = 0;
        int ret = archive_read_data_block(a, &data, &len, &offset);
        *how = ret == ARCHIVE_EOF || ret == ARCHIVE_OK ? HF_OK : status_of(a);
        if (ret == ARCHIVE_EOF || (ret != ARCHIVE_OK && ret != ARCHIVE_WARN))
            return end_data(s, &extent);
        if (!hf_cursor_charge(&s->in, 1))
            return HF_LIMIT;
        enum hf_status st = HF_OK;
        uint64_t start = offset > 0 && (uint64_t)offset > at ? (uint64_t)offset : at;
        bool held;
        st = heed_views(s, a, &extent, hf_bytes_of(data, len), start, &held);
        if (st == HF_OK && !held && start > at)
            st = hf_pusher_push_zeros(&s->out, start - at); /* left out */
        if (st == HF_OK && !held)
            st = hf_pusher_push(&s->out, data, len);
        s->pushed |= len > 0;
        if (st != HF_OK)
            return st;
        at = start + len;
    }
}

static enum hf_status push_entry(struct source *s, struct archive *a,
                                 struct archive_entry *entry, enum hf_status *how)
{
    struct hf_child child = child_of(entry);
    enum hf_status st = HF_OK;
    if (s->known == NULL)
        st = hf_pusher_begin(&s->out, child);
    else
        hf_pusher_announce(&s->out, child); /* empty ones and known ones leave no child */
    *how = child.encrypted ? HF_ENCRYPTED : HF_OK;
    if (st == HF_OK && !child.encrypted) /* libarchive may give the ciphertext as it is */
        st = push_data(s, a, how);
    if (*how == HF_MALFORMED && !child.is_file && !s->pushed)
        *how = HF_OK; /* rar5 calls it an error to ask for the data of a folder */
    return st != HF_OK ? st : hf_pusher_end(&s->out, *how);
}

static enum hf_status push_entries(struct source *s, struct archive *a)
{
    enum hf_status all = HF_OK;
    struct hf_notes *notes = s->out.unpack->notes;
    for (unsigned errors = 0; errors < ERRORS_MAX;) {
        struct archive_entry *entry = NULL;
        errno = 0; /* libarchive ends the process when it meets a stale ENOMEM */
        int ret = archive_read_next_header(a, &entry);
        if (!hf_cursor_charge(&s->in, 1))
            return HF_LIMIT;
        if (ret == ARCHIVE_EOF)
            break;
        if (ret == ARCHIVE_FATAL || ret == ARCHIVE_FAILED || ret == ARCHIVE_RETRY) {
            all = status_of(a);
            hf_note(notes, hf_cursor_where(&s->in), "archive: %s", hf_status_text(all));
            if (ret == ARCHIVE_FATAL)
                break;
            errors++;
            continue;
        }
        errors = 0;
        enum hf_status how, st = push_entry(s, a, entry, &how);
        if (st != HF_OK)
            return st;
        if (how != HF_OK && all == HF_OK)
            all = how;
    }
    if (all != HF_OK && archive_read_has_encrypted_entries(a) == 1 && s->out.number == 0)
        all = HF_ENCRYPTED; /* the list of names itself is encrypted */
    if (all == HF_OK && s->out.number == 0 && s->out.unpack->format == HF_FORMAT_RAR)
        all = HF_UNSUPPORTED; /* a later volume of a set: silently passed over */
    return all;
}

typedef int enable(struct archive *a);

/* Read the object once. options of libarchive; NULL: none. */
static enum hf_status run(struct source *s, enable *const *formats, const char *options)
{
    struct hf_unpack *unpack = s->out.unpack;
    s->in = hf_cursor_clip(&unpack->object, unpack->object.pos, UINT64_MAX);
    HF_AUTO(close_archive) struct archive *a = archive_read_new();
    if (a == NULL)
        return HF_NOMEM;
    for (; *formats != NULL; formats++)
        (void)(*formats)(a);
    (void)archive_read_set_read_callback(a, on_read);
    (void)archive_read_set_skip_callback(a, on_skip);
    (void)archive_read_set_seek_callback(a, on_seek);
    (void)archive_read_set_callback_data(a, s);
    if (options != NULL)
        (void)archive_read_set_options(a, options);
    if (archive_read_open1(a) != ARCHIVE_OK)
        return hf_cursor_status(&s->in) == HF_LIMIT ? HF_LIMIT : HF_NOMEM;
    enum hf_status st = push_entries(s, a);
    return s->out.stop != HF_OK ? s->out.stop : st;
}

static locale_t enter_utf8(void)
{
    hf_lib_archive_prepare();
    return utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
}

static void leave_utf8(locale_t before)
{
    if (before != (locale_t)0)
        (void)uselocale(before);
}

static enum hf_status run_in_utf8(struct hf_unpack *unpack, enable *const *formats)
{
    struct source s = {.out = hf_pusher_of(unpack)};
    locale_t before = enter_utf8();
    enum hf_status st = run(&s, formats, NULL);
    leave_utf8(before);
    return st;
}

enum hf_status hf_unpack_7z(struct hf_unpack *unpack)
{
    static enable *const formats[] = {archive_read_support_format_7zip, NULL};
    return run_in_utf8(unpack, formats);
}

enum hf_status hf_unpack_rar(struct hf_unpack *unpack)
{
    static enable *const formats[] = {archive_read_support_format_rar,
                                      archive_read_support_format_rar5, NULL};
    return run_in_utf8(unpack, formats);
}

/* Both trees, when there are two: first the one whose names say more. */
enum hf_status hf_unpack_iso9660(struct hf_unpack *unpack)
{
    static enable *const formats[] = {archive_read_support_format_iso9660, NULL};
    static const char *const without[] = {"!joliet", "!rockridge"};
    if (!hf_iso_has_joliet(&unpack->object))
        return run_in_utf8(unpack, formats);
    bool rock_ridge = hf_iso_has_rock_ridge(&unpack->object);
    struct hf_iso_extents extents = {.arena = unpack->arena};
    struct source s = {.out = hf_pusher_of(unpack), .seen = &extents};
    locale_t before = enter_utf8();
    enum hf_status first = run(&s, formats, without[rock_ridge ? 0 : 1]);
    enum hf_status second = HF_OK;
    if (first != HF_LIMIT && first != HF_STOPPED) {
        s.seen = NULL;
        s.known = &extents;
        second = run(&s, formats, without[rock_ridge ? 1 : 0]);
    }
    leave_utf8(before);
    return second == HF_LIMIT || second == HF_STOPPED || first == HF_OK ? second : first;
}
