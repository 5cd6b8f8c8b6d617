#include "pattern/search.h"

#include "base/auto.h"

/* Variants of literals: the form in the low three bits, the xor key or base64 shift above.
 * Variants of programs: wide in the lowest bit, the anchor's number above. */
enum form { FORM_ASCII, FORM_WIDE, FORM_BASE64, FORM_BASE64WIDE, FORM_COUNT };
enum { FORM_BITS = 3 };

static bool wants_ascii(uint32_t flags)
{
    uint32_t others = HF_PATTERN_WIDE | HF_PATTERN_BASE64 | HF_PATTERN_BASE64WIDE;
    return (flags & HF_PATTERN_ASCII) != 0 || (flags & others) == 0;
}

/* ---- forms of a literal ---- */

static void put_wide(struct hf_buffer *out, struct hf_bytes text, uint8_t key)
{
    for (size_t i = 0; i < text.len; i++) {
        hf_buffer_u8(out, text.data[i] ^ key);
        hf_buffer_u8(out, key);
    }
}

static void put_ascii(struct hf_buffer *out, struct hf_bytes text, uint8_t key)
{
    for (size_t i = 0; i < text.len; i++)
        hf_buffer_u8(out, text.data[i] ^ key);
}

/* The characters of the base64 encoding that depend on the text alone when `shift` unknown bytes
 * stand before it. [RFC 4648 section 4] */
static void put_base64(struct hf_buffer *out, struct hf_bytes text, unsigned shift,
                       bool wide)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t bits = 8 * ((uint64_t)shift + text.len);
    /* Character i holds bits 6i..6i+5 of shift zero bytes and the text; all must be the text's. */
    for (uint64_t i = (8u * shift + 5) / 6; 6 * (i + 1) <= bits; i++) {
        unsigned value = 0;
        for (uint64_t bit = 6 * i; bit < 6 * (i + 1); bit++) {
            uint64_t at = bit / 8 - shift;
            value = value << 1 | (text.data[at] >> (7 - bit % 8) & 1u);
        }
        hf_buffer_u8(out, (uint8_t)alphabet[value]);
        if (wide)
            hf_buffer_u8(out, 0);
    }
}

static void put_form(struct hf_buffer *out, struct hf_bytes text, enum form form,
                     unsigned key)
{
    switch (form) {
    case FORM_ASCII: put_ascii(out, text, (uint8_t)key); break;
    case FORM_WIDE: put_wide(out, text, (uint8_t)key); break;
    case FORM_BASE64:
    case FORM_BASE64WIDE: put_base64(out, text, key, form == FORM_BASE64WIDE); break;
    case FORM_COUNT: break;
    }
}

/* The keys or shifts of a form that a pattern wants: first..last, false when it wants none. */
static bool form_keys(const struct hf_pattern *p, enum form form, unsigned *first,
                      unsigned *last)
{
    *first = *last = 0;
    switch (form) {
    case FORM_ASCII:
    case FORM_WIDE:
        if ((p->flags & HF_PATTERN_XOR) != 0) {
            *first = p->xor_min;
            *last = p->xor_max;
        }
        return form == FORM_ASCII ? wants_ascii(p->flags)
                                  : (p->flags & HF_PATTERN_WIDE) != 0;
    case FORM_BASE64:
    case FORM_BASE64WIDE:
        *last = 2;
        return (p->flags &
                (form == FORM_BASE64 ? HF_PATTERN_BASE64 : HF_PATTERN_BASE64WIDE)) != 0;
    case FORM_COUNT: break;
    }
    return false;
}

static enum hf_status literal_needles(const struct hf_pattern *p, hf_on_needle *on_needle,
                                      void *user)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    for (unsigned form = 0; form < FORM_COUNT; form++) {
        unsigned first, last;
        if (!form_keys(p, (enum form)form, &first, &last))
            continue;
        for (unsigned key = first; key <= last; key++) {
            hf_buffer_clear(&bytes);
            put_form(&bytes, p->text, (enum form)form, key);
            if (bytes.failed)
                return HF_NOMEM;
            struct hf_needle n = {.bytes = hf_buffer_view(&bytes),
                                  .nocase = (p->flags & HF_PATTERN_NOCASE) != 0,
                                  .variant = (uint16_t)(key << FORM_BITS | form)};
            /* A text too short for base64 leaves nothing at some shifts: no match there. */
            if (n.bytes.len > 0 && !on_needle(user, &n))
                return HF_STOPPED;
        }
    }
    return HF_OK;
}

/* ---- programs ---- */

static enum hf_status program_needles(const struct hf_pattern *p, hf_on_needle *on_needle,
                                      void *user)
{
    struct hf_program program;
    if (hf_program_open(p->text, &program) != HF_OK)
        return HF_MALFORMED;
    if (program.anchor_count == 0)
        return HF_NOTFOUND;
    struct hf_anchor anchor;
    uint16_t number = 0;
    for (size_t at = 0; hf_program_next_anchor(&program, &at, &anchor); number++) {
        struct hf_needle n = {.bytes = anchor.bytes,
                              .nocase = (program.flags & HF_PROGRAM_NOCASE) != 0,
                              .variant = (uint16_t)(number << 1)};
        if (wants_ascii(p->flags) && !on_needle(user, &n))
            return HF_STOPPED;
        if ((p->flags & HF_PATTERN_WIDE) == 0)
            continue;
        HF_AUTO(hf_buffer_done) struct hf_buffer wide = {0};
        put_wide(&wide, anchor.bytes, 0);
        if (wide.failed)
            return HF_NOMEM;
        n.bytes = hf_buffer_view(&wide);
        n.variant |= 1;
        if (!on_needle(user, &n))
            return HF_STOPPED;
    }
    return HF_OK;
}

enum hf_status hf_pattern_needles(const struct hf_pattern *pattern, hf_on_needle *on_needle,
                                  void *user)
{
    if (hf_pattern_is_derived(pattern->kind))
        return HF_OK; /* nothing is searched for */
    return pattern->kind == HF_PATTERN_LITERAL ? literal_needles(pattern, on_needle, user)
                                               : program_needles(pattern, on_needle, user);
}

bool hf_pattern_is_every(const struct hf_pattern *pattern)
{
    struct hf_program program;
    return pattern->kind != HF_PATTERN_LITERAL &&
           hf_program_open(pattern->text, &program) == HF_OK &&
           (program.flags & HF_PROGRAM_EVERY) != 0;
}

bool hf_pattern_is_lazy(const struct hf_pattern *pattern)
{
    struct hf_program program;
    return pattern->kind != HF_PATTERN_LITERAL &&
           hf_program_open(pattern->text, &program) == HF_OK &&
           (program.flags & HF_PROGRAM_LAZY) != 0;
}

/* ---- what an occurrence means ---- */

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A wide match is bounded by wide characters, another one by bytes. [yara: fullword] */
static bool is_full_word(struct hf_bytes d, uint64_t start, uint64_t length, bool wide)
{
    uint64_t end = start + length;
    if (!wide)
        return (start == 0 || !is_alphanumeric(d.data[start - 1])) &&
               (end >= d.len || !is_alphanumeric(d.data[end]));
    bool before =
        start >= 2 && d.data[start - 1] == 0 && is_alphanumeric(d.data[start - 2]);
    bool behind = end + 1 < d.len && d.data[end + 1] == 0 && is_alphanumeric(d.data[end]);
    return !before && !behind;
}

struct filter {
    const struct hf_confirm *confirm;
    struct hf_bytes data;
    hf_on_match *on_match;
    void *user;
};

static bool pass_on(void *user, uint64_t start, uint64_t length)
{
    const struct filter *f = user;
    if ((f->confirm->pattern.flags & HF_PATTERN_FULLWORD) != 0 &&
        !is_full_word(f->data, start, length, f->confirm->wide))
        return true;
    return f->on_match(f->user, start, length);
}

static enum hf_status prepare_program(struct hf_confirm *confirm, unsigned number)
{
    struct hf_anchor anchor;
    if (hf_program_open(confirm->pattern.text, &confirm->program) != HF_OK)
        return HF_MALFORMED;
    confirm->lazy = (confirm->program.flags & HF_PROGRAM_LAZY) != 0;
    size_t at = 0;
    bool found = true;
    for (unsigned i = 0; i <= number && found; i++)
        found = hf_program_next_anchor(&confirm->program, &at, &anchor);
    confirm->never = !found;
    if (found)
        confirm->plan = hf_program_plan(&confirm->program, &anchor);
    return HF_OK;
}

enum hf_status hf_confirm_prepare(const struct hf_pattern *pattern, uint16_t variant,
                                  struct hf_confirm *confirm)
{
    *confirm = (struct hf_confirm){.pattern = *pattern};
    if (pattern->kind != HF_PATTERN_LITERAL) {
        confirm->wide = (variant & 1) != 0;
        return prepare_program(confirm, variant >> 1);
    }
    unsigned form = variant & ((1u << FORM_BITS) - 1);
    confirm->wide = form == FORM_WIDE || form == FORM_BASE64WIDE;
    confirm->lazy =
        true; /* of "ascii wide" at one start the plain form counts, as in YARA */
    return HF_OK;
}

enum hf_status hf_confirm_at(const struct hf_confirm *confirm, struct hf_bytes data,
                             uint64_t offset, uint32_t length, struct hf_budget *budget,
                             struct hf_machine_scratch *scratch, hf_on_match *on_match,
                             void *user)
{
    struct filter filter = {
        .confirm = confirm, .data = data, .on_match = on_match, .user = user};
    if (confirm->never || offset > data.len || length > data.len - offset)
        return HF_OK;
    if (confirm->pattern.kind == HF_PATTERN_LITERAL)
        return pass_on(&filter, offset, length) ? HF_OK : HF_STOPPED;
    struct hf_subject subject = {.data = data, .wide = confirm->wide, .budget = budget};
    return hf_program_verify_planned(&confirm->program, &confirm->plan, &subject, offset,
                                     scratch, pass_on, &filter);
}

enum hf_status hf_pattern_confirm(const struct hf_pattern *pattern, uint16_t variant,
                                  struct hf_bytes data, uint64_t offset, uint32_t length,
                                  struct hf_budget *budget,
                                  struct hf_machine_scratch *scratch, hf_on_match *on_match,
                                  void *user)
{
    struct hf_confirm confirm;
    enum hf_status st = hf_confirm_prepare(pattern, variant, &confirm);
    return st != HF_OK ? st
                       : hf_confirm_at(&confirm, data, offset, length, budget, scratch,
                                       on_match, user);
}

/* ---- one offset ---- */

bool hf_pattern_is_placed(const struct hf_pattern *pattern)
{
    switch (pattern->place.kind) {
    case HF_PLACE_START:
    case HF_PLACE_END:
    case HF_PLACE_ENTRY:
    case HF_PLACE_SECTION:
    case HF_PLACE_LAST_SECTION: return pattern->place.span <= HF_PLACED_SPAN_MAX;
    case HF_PLACE_ANYWHERE:
    case HF_PLACE_IN_SECTION:
    case HF_PLACE_VERSION_INFO: break;
    }
    return false;
}

/* A match of length zero is one of a regular expression, at every offset that has a byte behind it, as
 * in YARA since 4.5.2; not of anything else. */
static bool pass_on_some(void *user, uint64_t start, uint64_t length)
{
    const struct filter *f = user;
    if (length == 0 &&
        (f->confirm->pattern.kind != HF_PATTERN_REGEX ||
         (f->confirm->pattern.flags & HF_PATTERN_LINKED) != 0 || start == f->data.len))
        return true;
    return pass_on(user, start, length);
}

struct forms_here {
    struct filter *filter;
    struct hf_confirm *confirm; /* the filter's */
    uint64_t offset;
};
static bool form_is_here(void *user, const struct hf_needle *needle);

static enum hf_status confirm_program_at(struct forms_here *forms,
                                         const struct hf_program *program,
                                         struct hf_budget *budget,
                                         struct hf_machine_scratch *scratch)
{
    const uint32_t flags = forms->confirm->pattern.flags;
    enum hf_status st = HF_OK;
    for (int wide = 0; wide < 2 && st == HF_OK; wide++) {
        if (wide == 0 ? !wants_ascii(flags) : (flags & HF_PATTERN_WIDE) == 0)
            continue;
        forms->confirm->wide = wide != 0;
        const struct hf_subject subject = {
            .data = forms->filter->data, .wide = wide != 0, .budget = budget};
        st = hf_program_matches_at(program, &subject, forms->offset, scratch, pass_on_some,
                                   forms->filter);
    }
    return st;
}

enum hf_status hf_pattern_confirm_at(const struct hf_pattern *pattern,
                                     const struct hf_program *program, struct hf_bytes data,
                                     uint64_t offset, struct hf_budget *budget,
                                     struct hf_machine_scratch *scratch,
                                     hf_on_match *on_match, void *user)
{
    struct hf_confirm confirm = {.pattern = *pattern};
    struct filter filter = {
        .confirm = &confirm, .data = data, .on_match = on_match, .user = user};
    struct forms_here forms = {.filter = &filter, .confirm = &confirm, .offset = offset};
    struct hf_program opened;
    if (offset > data.len)
        return HF_OK;
    if (pattern->kind == HF_PATTERN_LITERAL)
        return literal_needles(pattern, form_is_here, &forms);
    if (program == NULL && hf_program_open(pattern->text, &opened) != HF_OK)
        return HF_MALFORMED;
    return confirm_program_at(&forms, program == NULL ? &opened : program, budget, scratch);
}

struct here {
    struct hf_bytes rest; /* of the data, from the offset */
    bool found;
    uint64_t length;
    bool wide;
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool is_at(const struct hf_needle *needle, const uint8_t *text)
{
    for (size_t i = 0; i < needle->bytes.len; i++)
        if (needle->bytes.data[i] != text[i] &&
            (!needle->nocase || lower(needle->bytes.data[i]) != lower(text[i])))
            return false;
    return true;
}

static bool form_is_wide(const struct hf_needle *needle)
{
    unsigned form = needle->variant & ((1u << FORM_BITS) - 1);
    return form == FORM_WIDE || form == FORM_BASE64WIDE;
}

static bool form_is_here(void *user, const struct hf_needle *needle)
{
    struct forms_here *forms = user;
    const struct hf_bytes data = forms->filter->data;
    if (needle->bytes.len > data.len - forms->offset ||
        !is_at(needle, data.data + forms->offset))
        return true;
    forms->confirm->wide = form_is_wide(needle);
    return pass_on(forms->filter, forms->offset, needle->bytes.len);
}

static bool needle_is_here(void *user, const struct hf_needle *needle)
{
    struct here *here = user;
    if (needle->bytes.len > here->rest.len || !is_at(needle, here->rest.data))
        return true;
    here->found = true;
    here->length = needle->bytes.len;
    here->wide = form_is_wide(needle);
    return false;
}

static enum hf_status program_at(const struct hf_pattern *pattern, struct hf_bytes data,
                                 uint64_t offset, struct hf_budget *budget,
                                 struct hf_machine_scratch *scratch, struct here *here)
{
    struct hf_program program;
    if (hf_program_open(pattern->text, &program) != HF_OK)
        return HF_MALFORMED;
    for (int wide = 0; wide < 2; wide++) {
        if (wide == 0 ? !wants_ascii(pattern->flags)
                      : (pattern->flags & HF_PATTERN_WIDE) == 0)
            continue;
        struct hf_subject subject = {.data = data, .wide = wide != 0, .budget = budget};
        enum hf_status st =
            hf_program_match_at(&program, &subject, offset, scratch, &here->length);
        if (st != HF_NOTFOUND) {
            here->found = st == HF_OK;
            here->wide = wide != 0;
            return st;
        }
    }
    return HF_OK;
}

enum hf_status hf_pattern_match_at(const struct hf_pattern *pattern, struct hf_bytes data,
                                   uint64_t offset, struct hf_budget *budget,
                                   struct hf_machine_scratch *scratch, uint64_t *length)
{
    if (offset > data.len)
        return HF_NOTFOUND;
    struct here here = {.rest = hf_bytes_of(data.data + offset, data.len - (size_t)offset)};
    enum hf_status st = HF_OK;
    if (pattern->kind == HF_PATTERN_LITERAL)
        st = literal_needles(pattern, needle_is_here, &here);
    else
        st = program_at(pattern, data, offset, budget, scratch, &here);
    if (st != HF_OK && st != HF_STOPPED)
        return st;
    if (!here.found || ((pattern->flags & HF_PATTERN_FULLWORD) != 0 &&
                        !is_full_word(data, offset, here.length, here.wide)))
        return HF_NOTFOUND;
    *length = here.length;
    return HF_OK;
}
