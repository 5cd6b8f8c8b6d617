#include "format/macho.h"

#include "base/text.h"
#include "format/macho_internal.h"

enum {
    LC_SEGMENT = 1,
    LC_UNIXTHREAD = 5,
    LC_LOAD_DYLIB = 0xc,
    LC_LOAD_DYLINKER = 0xe,
    LC_SEGMENT_64 = 0x19,
    LC_UUID = 0x1b,
    LC_CODE_SIGNATURE = 0x1d,
    LC_LAZY_LOAD_DYLIB = 0x20,
    LC_LOAD_WEAK_DYLIB = 0x18,
    LC_RPATH = 0x1c,
    LC_REEXPORT_DYLIB = 0x1f,
    LC_LOAD_UPWARD_DYLIB = 0x23,
    LC_MAIN = 0x28
};

/* A flag of commands that the loader must understand. */
#define LC_REQUIRED UINT32_C(0x80000000)

/* What is needed to read one program. */
struct reader {
    struct hf_facts *facts;
    struct hf_cursor data; /* the program's extent */
    bool big, wide;
    size_t header_size;
    struct hf_macho_file *file;
};

static uint32_t u32(struct hf_cursor *c, bool big)
{
    return big ? hf_u32be(c) : hf_u32le(c);
}

static uint64_t word(struct hf_cursor *c, bool big, bool wide)
{
    return wide ? hf_uint(c, 8, big) : u32(c, big);
}

static struct hf_bytes fixed_name(struct hf_cursor *c)
{
    struct hf_cursor name = *c;
    hf_skip(c, 16);
    return hf_take_until(&name, 0, 16, NULL);
}

/* One load command: its number, its size, and a cursor that stands at its start and ends with
 * the file, as YARA's bounds do. */
struct command {
    uint32_t number, size;
    struct hf_cursor at;
};

/* The commands one after another, until one does not fit. */
struct commands {
    struct hf_cursor data;
    uint64_t pos;
    uint32_t left;
    bool big;
};

static struct commands commands_of(const struct reader *r)
{
    return (struct commands){.data = r->data,
                             .pos = r->header_size,
                             .left = (uint32_t)r->file->command_count.value,
                             .big = r->big};
}

static bool next_command(struct commands *list, struct command *command)
{
    if (list->left == 0 || !hf_cursor_charge(&list->data, 1))
        return false;
    struct hf_cursor c = hf_cursor_at(&list->data, list->pos);
    size_t left = hf_cursor_left(&c);
    command->at = c;
    command->number = u32(&c, list->big);
    command->size = u32(&c, list->big);
    if (c.failed || command->size > left || command->size < 8)
        return false;
    list->left--;
    list->pos += command->size;
    return true;
}

static struct hf_macho_section read_section(struct hf_cursor *c, bool big, bool wide)
{
    struct hf_macho_section s = {.name = fixed_name(c)};
    s.segment = fixed_name(c);
    s.address = word(c, big, wide);
    s.size = word(c, big, wide);
    s.offset = u32(c, big);
    s.alignment = u32(c, big);
    s.reloc_offset = u32(c, big);
    s.reloc_count = u32(c, big);
    s.flags = u32(c, big);
    s.reserved1 = u32(c, big);
    s.reserved2 = u32(c, big);
    if (wide)
        s.reserved3 = hf_optional_of(u32(c, big));
    return s;
}

/* Sections follow their segment inside its command. */
static enum hf_status read_sections(const struct reader *r,
                                    struct hf_macho_segment *segment,
                                    const struct command *command, struct hf_cursor c,
                                    bool wide)
{
    size_t head = wide ? 72 : 56, size = wide ? 80 : 68;
    size_t fit = command->size > head ? (command->size - head) / size : 0;
    size_t count = segment->section_count < fit ? segment->section_count : fit;
    struct hf_macho_section *sections =
        hf_arena_array(r->facts->arena, count, sizeof *sections);
    if (sections == NULL)
        return HF_NOMEM;
    if (!hf_cursor_charge(&c, count))
        return HF_LIMIT;
    for (size_t i = 0; i < count; i++)
        sections[i] = read_section(&c, r->big, wide);
    segment->sections = (struct hf_fact_list){sections, count};
    return HF_OK;
}

static enum hf_status read_segment(const struct reader *r, const struct command *command)
{
    bool wide = command->number == LC_SEGMENT_64;
    struct hf_fact_list *list = &r->file->segments;
    struct hf_cursor c = command->at;
    if (hf_cursor_left(&c) < (wide ? 72 : 56))
        return HF_TRUNCATED;
    struct hf_macho_segment *segments = (struct hf_macho_segment *)(uintptr_t)list->items;
    segments = hf_arena_grow(r->facts->arena, segments, list->count, sizeof *segments);
    if (segments == NULL)
        return HF_NOMEM;
    struct hf_macho_segment *s = &segments[list->count];
    *list = (struct hf_fact_list){segments, list->count + 1};
    hf_skip(&c, 8);
    s->name = fixed_name(&c);
    s->address = word(&c, r->big, wide);
    s->memory_size = word(&c, r->big, wide);
    s->offset = word(&c, r->big, wide);
    s->file_size = word(&c, r->big, wide);
    s->max_protection = u32(&c, r->big);
    s->initial_protection = u32(&c, r->big);
    s->section_count = u32(&c, r->big);
    s->flags = u32(&c, r->big);
    return read_sections(r, s, command, c, wide);
}

/* Where each processor's thread state keeps the program counter. [MACHO, mach/ *thread_status.h;
 * sizes as YARA has them] */
static const struct thread_state {
    uint32_t cpu_type;
    uint16_t size, counter;
    bool wide;
} thread_states[] = {
    {6, 72, 68, false},          /* 68000 */
    {7, 64, 40, false},          /* x86 */
    {12, 68, 60, false},         /* ARM */
    {13, 136, 124, false},       /* 88000 */
    {14, 76, 4, false},          /* SPARC */
    {18, 160, 0, false},         /* PowerPC */
    {0x1000007, 168, 128, true}, /* x86-64 */
    {0x100000c, 272, 256, true}, /* 64-bit ARM */
    {0x1000012, 304, 0, true},   /* 64-bit PowerPC */
};

static struct hf_optional offset_of_address(const struct hf_macho_file *file,
                                            uint64_t address)
{
    const struct hf_macho_segment *s = file->segments.items;
    for (size_t i = 0; i < file->segments.count; i++)
        /* The end wraps in 64 bits, as in YARA. */
        if (address >= s[i].address && address < s[i].address + s[i].memory_size)
            return hf_optional_of((int64_t)(s[i].offset + (address - s[i].address)));
    return (struct hf_optional){0};
}

/* The old way to start: all registers, of which one is the program counter. YARA takes the
 * command's size here in the order of the machine it runs on (little-endian). */
static void read_thread(const struct reader *r, const struct command *command)
{
    struct hf_cursor c = command->at;
    size_t left = hf_cursor_left(&c);
    hf_skip(&c, 4);
    size_t size = hf_u32le(&c);
    size = size < left ? size : left;
    hf_skip(&c, 8); /* flavour and count */
    if (c.failed || size < 16)
        return;
    for (size_t i = 0; i < sizeof thread_states / sizeof *thread_states; i++) {
        const struct thread_state *t = &thread_states[i];
        if (t->cpu_type != (uint32_t)r->file->cpu_type.value)
            continue;
        if (size - 16 < t->size)
            return;
        hf_skip(&c, t->counter);
        struct hf_optional at = offset_of_address(r->file, word(&c, r->big, t->wide));
        if (at.defined && !c.failed)
            r->file->entry_point = at;
    }
}

static void read_main(const struct reader *r, const struct command *command)
{
    struct hf_cursor c = command->at;
    hf_skip(&c, 8);
    uint64_t entry = hf_uint(&c, 8, r->big), stack = hf_uint(&c, 8, r->big);
    if (c.failed)
        return;
    r->file->entry_point = hf_optional_of((int64_t)entry);
    r->file->stack_size = hf_optional_of((int64_t)stack);
}

/* A string inside a command: its offset stands behind the size. */
static struct hf_bytes command_string(const struct reader *r, const struct command *command)
{
    struct hf_cursor c = hf_cursor_sub(&command->at, command->at.pos, command->size);
    hf_skip(&c, 8);
    uint32_t offset = u32(&c, r->big);
    c = hf_cursor_at(&c, offset);
    return offset < 12 ? (struct hf_bytes){0} : hf_take_until(&c, 0, SIZE_MAX, NULL);
}

static enum hf_status add_string(const struct reader *r, const struct command *command,
                                 struct hf_fact_list *list)
{
    struct hf_bytes *items = (struct hf_bytes *)(uintptr_t)list->items;
    struct hf_bytes name = command_string(r, command);
    if (name.data == NULL)
        return HF_OK;
    items = hf_arena_grow(r->facts->arena, items, list->count, sizeof *items);
    if (items == NULL)
        return HF_NOMEM;
    items[list->count] = name;
    *list = (struct hf_fact_list){items, list->count + 1};
    return HF_OK;
}

static void read_uuid(const struct reader *r, const struct command *command)
{
    struct hf_cursor c = hf_cursor_sub(&command->at, command->at.pos, command->size);
    struct hf_buffer text = {0};
    hf_skip(&c, 8);
    struct hf_bytes uuid = hf_take(&c, 16);
    hf_hex(&text, uuid);
    if (uuid.data != NULL && !text.failed)
        r->file->uuid = hf_arena_copy(r->facts->arena, hf_buffer_view(&text));
    hf_buffer_done(&text);
}

static enum hf_status read_command(const struct reader *r, const struct command *command)
{
    struct hf_cursor c = hf_cursor_sub(&command->at, command->at.pos, command->size);
    switch (command->number) {
    case LC_UNIXTHREAD: read_thread(r, command); break;
    case LC_MAIN | LC_REQUIRED: read_main(r, command); break;
    case LC_UUID: read_uuid(r, command); break;
    case LC_LOAD_DYLINKER: r->file->linker = command_string(r, command); break;
    case LC_CODE_SIGNATURE:
        hf_skip(&c, 8);
        r->file->signature_offset = hf_optional_of(u32(&c, r->big));
        r->file->signature_size = hf_optional_of(u32(&c, r->big));
        break;
    case LC_LOAD_DYLIB:
    case LC_LAZY_LOAD_DYLIB:
    case LC_LOAD_WEAK_DYLIB | LC_REQUIRED:
    case LC_REEXPORT_DYLIB | LC_REQUIRED:
    case LC_LOAD_UPWARD_DYLIB | LC_REQUIRED:
        return add_string(r, command, &r->file->libraries);
    case LC_RPATH | LC_REQUIRED: return add_string(r, command, &r->file->search_paths);
    default: break;
    }
    return HF_OK;
}

/* Segments first: the other commands need them. */
static enum hf_status read_commands(const struct reader *r)
{
    struct commands list = commands_of(r);
    struct command command;
    enum hf_status first = HF_OK;
    uint64_t segments = 0;
    while (next_command(&list, &command)) {
        if (command.number != LC_SEGMENT && command.number != LC_SEGMENT_64)
            continue;
        segments++;
        enum hf_status st = read_segment(r, &command);
        first = first != HF_OK ? first : st;
    }
    r->file->segment_count = hf_optional_of((int64_t)segments);
    if (list.left > 0 && first == HF_OK)
        first = hf_cursor_status(&list.data) == HF_LIMIT ? HF_LIMIT : HF_MALFORMED;
    list = commands_of(r);
    while (next_command(&list, &command)) {
        enum hf_status st = read_command(r, &command);
        first = first != HF_OK ? first : st;
    }
    return first;
}

enum hf_status hf_macho_read_file(struct hf_facts *facts, struct hf_cursor data,
                                  struct hf_macho_file *file)
{
    /* YARA wants room for the 64-bit header, and tells the class by one byte, the order by
     * another. */
    struct hf_cursor c = data;
    uint8_t magic[4];
    if (data.len < 32)
        return HF_TRUNCATED;
    hf_copy(&c, magic, sizeof magic);
    c = data;
    struct reader r = {.facts = facts, .data = data, .file = file};
    uint32_t number = hf_u32le(&c);
    /* A program of a universal file need not be one: YARA then reads on all the same, and takes
     * the magic of a universal file for one of big-endian order. */
    r.big = number == HF_MACHO_BIG_32 || number == HF_MACHO_BIG_64 ||
            number == __builtin_bswap32(HF_FAT_32) ||
            number == __builtin_bswap32(HF_FAT_64);
    r.wide = magic[0] != 0xce && magic[3] != 0xce;
    r.header_size = r.wide ? 32 : 28;
    file->at = data.origin;
    file->magic = hf_optional_of(number);
    file->cpu_type = hf_optional_of(u32(&c, r.big));
    file->cpu_subtype = hf_optional_of(u32(&c, r.big));
    file->file_type = hf_optional_of(u32(&c, r.big));
    file->command_count = hf_optional_of(u32(&c, r.big));
    file->commands_size = hf_optional_of(u32(&c, r.big));
    file->flags = hf_optional_of(u32(&c, r.big));
    if (r.wide)
        file->reserved = hf_optional_of(u32(&c, r.big));
    return read_commands(&r);
}

enum hf_status hf_macho_parse_file(struct hf_facts *facts, struct hf_macho *macho)
{
    struct hf_cursor data = hf_cursor_at(&facts->object, 0), c = data;
    switch (hf_u32le(&c)) {
    case HF_MACHO_LITTLE_32:
    case HF_MACHO_LITTLE_64:
    case HF_MACHO_BIG_32:
    case HF_MACHO_BIG_64: return hf_macho_read_file(facts, data, &macho->single);
    default: return HF_NOTFOUND;
    }
}
