#include "rules/rule.h"

static const char *const view_names[HF_VIEW_COUNT] = {
    [HF_VIEW_RAW] = "raw",
    [HF_VIEW_TEXT] = "text",
    [HF_VIEW_HTML] = "html",
    [HF_VIEW_HTML_NOTAGS] = "html-notags",
    [HF_VIEW_HTML_SCRIPT] = "html-script",
};

enum {
    KNOWN_FLAGS = (HF_RULE_SUSPICIOUS << 1) - 1,
    /* Parts of the stored form that most rules do not need: bits of one word. */
    HAS_SIZES = 1 << 0,
    HAS_MAGIC = 1 << 1,
    HAS_CONTAINER = 1 << 2,
    HAS_PROGRAM = 1 << 3,
    HAS_OUTER = 1 << 4,
    HAS_ENTRY = 1 << 5,
    HAS_SECTIONS = 1 << 6,
    HAS_HANDLER = 1 << 7,
    ALONE_SIZES = 1 << 8,
    ALONE_MAGIC = 1 << 9,
    HAS_GATES = 1 << 10,
    IS_SIGNED = 1 << 11, /* no bytes of their own */
    ALONE_SIGNED = 1 << 12,
    KNOWN_PARTS = (1 << 13) - 1
};

const char *hf_view_name(enum hf_view_kind kind)
{
    return (unsigned)kind < HF_VIEW_COUNT ? view_names[kind] : "unknown";
}

struct hf_rule hf_rule_plain(void)
{
    return (struct hf_rule){
        .scope.views = 1u << HF_VIEW_RAW,
        .guards.size_max = HF_GUARD_NO_MAX,
        .alone.size_max = HF_GUARD_NO_MAX,
    };
}

static bool has_sizes(const struct hf_guards *g)
{
    return g->size_min != 0 || g->size_max != HF_GUARD_NO_MAX;
}

static unsigned parts_of(const struct hf_rule *rule)
{
    const struct hf_guards *g = &rule->guards;
    bool alone = (rule->flags & HF_RULE_WAKES_ALONE) != 0;
    return (has_sizes(g) ? HAS_SIZES : 0u) | (g->magic.length != 0 ? HAS_MAGIC : 0u) |
           (g->container != 0 ? HAS_CONTAINER : 0u) |
           (rule->program.len != 0 ? HAS_PROGRAM : 0u) |
           (g->outer_count != 0 ? HAS_OUTER : 0u) | (g->has_entry ? HAS_ENTRY : 0u) |
           (g->has_sections ? HAS_SECTIONS : 0u) | (rule->handler != 0 ? HAS_HANDLER : 0u) |
           (rule->gates.len != 0 ? HAS_GATES : 0u) | (g->is_signed ? IS_SIGNED : 0u) |
           (alone && rule->alone.is_signed ? ALONE_SIGNED : 0u) |
           (alone && has_sizes(&rule->alone) ? ALONE_SIZES : 0u) |
           (alone && rule->alone.magic.length != 0 ? ALONE_MAGIC : 0u);
}

static void write_range(const struct hf_guard_range *range, struct hf_buffer *out)
{
    hf_buffer_u64(out, range->min);
    hf_buffer_u64(out, range->max);
}

static struct hf_guard_range read_range(struct hf_cursor *in)
{
    struct hf_guard_range range = {.min = hf_u64le(in)};
    range.max = hf_u64le(in);
    return range;
}

static void write_sizes(const struct hf_guards *g, struct hf_buffer *out)
{
    hf_buffer_u64(out, g->size_min);
    hf_buffer_u64(out, g->size_max);
}

static void write_magic(const struct hf_guards *g, struct hf_buffer *out)
{
    hf_buffer_u8(out, g->magic.length);
    hf_buffer_u32(out, g->magic.offset);
    hf_buffer_add(out, g->magic.bytes, g->magic.length);
}

/* u16 parts, u8 condition, u8 target, u8 flags, u32 views, u32 first, u32 count; then the parts in
 * the order of their bits. */
void hf_rule_write(const struct hf_rule *rule, struct hf_buffer *out)
{
    unsigned parts = parts_of(rule);
    hf_buffer_u16(out, (uint16_t)parts);
    hf_buffer_u8(out, (uint8_t)rule->condition);
    hf_buffer_u8(out, rule->scope.target);
    hf_buffer_u8(out, (uint8_t)rule->flags);
    hf_buffer_u32(out, rule->scope.views);
    hf_buffer_u32(out, rule->pattern_first);
    hf_buffer_u32(out, rule->pattern_count);
    if ((parts & HAS_SIZES) != 0)
        write_sizes(&rule->guards, out);
    if ((parts & HAS_MAGIC) != 0)
        write_magic(&rule->guards, out);
    if ((parts & HAS_CONTAINER) != 0)
        hf_buffer_u16(out, rule->guards.container);
    if ((parts & HAS_PROGRAM) != 0)
        hf_buffer_counted(out, rule->program);
    if ((parts & HAS_OUTER) != 0) {
        hf_buffer_u8(out, rule->guards.outer_count);
        for (unsigned i = 0; i < rule->guards.outer_count; i++)
            hf_buffer_u16(out, rule->guards.outer[i]);
    }
    if ((parts & HAS_ENTRY) != 0)
        write_range(&rule->guards.entry, out);
    if ((parts & HAS_SECTIONS) != 0)
        write_range(&rule->guards.sections, out);
    if ((parts & HAS_HANDLER) != 0)
        hf_buffer_u16(out, rule->handler);
    if ((parts & ALONE_SIZES) != 0)
        write_sizes(&rule->alone, out);
    if ((parts & ALONE_MAGIC) != 0)
        write_magic(&rule->alone, out);
    if ((parts & HAS_GATES) != 0)
        hf_buffer_counted(out, rule->gates);
}

static void read_sizes(struct hf_cursor *in, struct hf_guards *g)
{
    g->size_min = hf_u64le(in);
    g->size_max = hf_u64le(in);
}

static void read_magic(struct hf_cursor *in, struct hf_guards *g)
{
    uint8_t length = hf_u8(in);
    g->magic.offset = hf_u32le(in);
    if (length > sizeof g->magic.bytes) {
        in->failed = true;
        return;
    }
    g->magic.length = length;
    hf_copy(in, g->magic.bytes, length);
}

static void read_parts(struct hf_cursor *in, unsigned parts, struct hf_rule *rule)
{
    if ((parts & HAS_SIZES) != 0)
        read_sizes(in, &rule->guards);
    if ((parts & HAS_MAGIC) != 0)
        read_magic(in, &rule->guards);
    rule->guards.is_signed = (parts & IS_SIGNED) != 0;
    rule->alone.is_signed = (parts & ALONE_SIGNED) != 0;
    if ((parts & HAS_CONTAINER) != 0)
        rule->guards.container = hf_u16le(in);
    if ((parts & HAS_PROGRAM) != 0)
        rule->program = hf_take(in, hf_u32le(in));
    if ((parts & HAS_OUTER) != 0) {
        rule->guards.outer_count = hf_u8(in);
        if (rule->guards.outer_count > HF_GUARD_OUTER_MAX) {
            in->failed = true;
            return;
        }
        for (unsigned i = 0; i < rule->guards.outer_count; i++)
            rule->guards.outer[i] = hf_u16le(in);
    }
    rule->guards.has_entry = (parts & HAS_ENTRY) != 0;
    if (rule->guards.has_entry)
        rule->guards.entry = read_range(in);
    rule->guards.has_sections = (parts & HAS_SECTIONS) != 0;
    if (rule->guards.has_sections)
        rule->guards.sections = read_range(in);
    if ((parts & HAS_HANDLER) != 0)
        rule->handler = hf_u16le(in);
    if ((parts & ALONE_SIZES) != 0)
        read_sizes(in, &rule->alone);
    if ((parts & ALONE_MAGIC) != 0)
        read_magic(in, &rule->alone);
    if ((parts & HAS_GATES) != 0)
        rule->gates = hf_take(in, hf_u32le(in));
}

enum hf_status hf_rule_read(struct hf_cursor *in, struct hf_rule *rule)
{
    *rule = hf_rule_plain();
    unsigned parts = hf_u16le(in), condition = hf_u8(in);
    rule->scope.target = hf_u8(in);
    rule->flags = hf_u8(in);
    rule->scope.views = hf_u32le(in);
    rule->pattern_first = hf_u32le(in);
    rule->pattern_count = hf_u32le(in);
    read_parts(in, parts, rule);
    rule->condition = (enum hf_condition_kind)condition;
    bool known = (parts & ~(unsigned)KNOWN_PARTS) == 0 &&
                 condition <= HF_CONDITION_PROGRAM &&
                 (rule->flags & ~(unsigned)KNOWN_FLAGS) == 0;
    if (in->failed || !known ||
        (condition == HF_CONDITION_PROGRAM) != (rule->program.len != 0)) {
        in->failed = true;
        return HF_MALFORMED;
    }
    return HF_OK;
}
