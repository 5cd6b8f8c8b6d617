#include "format/lnk.h"

#include "format/lnk_internal.h"

/* [LNK 2.1.1] LinkFlags */
enum {
    HAS_ITEMS = 1,
    HAS_LINK_INFO = 2,
    HAS_NAME = 4,
    HAS_RELATIVE_PATH = 8,
    HAS_WORKING_DIR = 0x10,
    HAS_ARGUMENTS = 0x20,
    HAS_ICON_LOCATION = 0x40,
    IS_UNICODE = 0x80
};

/* [LNK 2.5] Signatures of extra data blocks. */
#define BLOCK_ENVIRONMENT      UINT32_C(0xa0000001)
#define BLOCK_TRACKER          UINT32_C(0xa0000003)
#define BLOCK_ICON_ENVIRONMENT UINT32_C(0xa0000007)

/* [LNK 2.1] FILETIME counts 100 ns since 1601. */
static struct hf_optional unix_time(uint64_t filetime)
{
    uint64_t seconds = filetime / 10000000, epoch = UINT64_C(11644473600);
    return seconds < epoch ? (struct hf_optional){0}
                           : hf_optional_of((int64_t)(seconds - epoch));
}

static void read_header(struct hf_cursor *c, struct hf_lnk *lnk)
{
    hf_skip(c, 20); /* size and class, which have been looked at */
    lnk->flags = hf_u32le(c);
    lnk->attributes = hf_u32le(c);
    lnk->creation_time = unix_time(hf_u64le(c));
    lnk->access_time = unix_time(hf_u64le(c));
    lnk->write_time = unix_time(hf_u64le(c));
    lnk->file_size = hf_u32le(c);
    lnk->icon_index = hf_u32le(c);
    lnk->show_command = hf_u32le(c);
    lnk->hot_key = hf_u16le(c);
    hf_skip(c, 10);
}

/* A zero-ended string at an offset of its structure; without a zero it ends with the structure. */
static struct hf_bytes string_at(const struct hf_cursor *structure, uint32_t offset)
{
    struct hf_cursor c = hf_cursor_at(structure, offset);
    if (c.failed)
        return (struct hf_bytes){0};
    struct hf_bytes s = hf_take_until(&c, 0, SIZE_MAX, NULL);
    return s.data == NULL ? hf_bytes_of("", 0) : s;
}

static struct hf_bytes wide_string_at(struct hf_facts *facts,
                                      const struct hf_cursor *structure, uint32_t offset)
{
    struct hf_cursor c = hf_cursor_at(structure, offset);
    return c.failed ? (struct hf_bytes){0} : hf_lnk_utf16(facts, c);
}

/* [LNK 2.3.1] VolumeID */
static void read_volume(struct hf_facts *facts, struct hf_cursor info, uint32_t offset,
                        struct hf_lnk *lnk)
{
    struct hf_cursor c = hf_cursor_at(&info, offset);
    uint32_t size = hf_u32le(&c), type = hf_u32le(&c), serial = hf_u32le(&c);
    uint32_t label = hf_u32le(&c);
    if (c.failed)
        return;
    lnk->drive_type = hf_optional_of(type);
    lnk->drive_serial = hf_optional_of(serial);
    struct hf_cursor volume = hf_cursor_clip(&info, offset, size);
    if (label == 0x14)
        lnk->volume_label = wide_string_at(facts, &volume, hf_u32le(&c));
    else
        lnk->volume_label = string_at(&volume, label);
}

/* [LNK 2.3.2] CommonNetworkRelativeLink */
static void read_network(struct hf_facts *facts, struct hf_cursor info, uint32_t offset,
                         struct hf_lnk *lnk)
{
    struct hf_cursor c = hf_cursor_at(&info, offset);
    uint32_t size = hf_u32le(&c), flags = hf_u32le(&c), net = hf_u32le(&c);
    uint32_t device = hf_u32le(&c);
    hf_skip(&c, 4); /* provider */
    if (c.failed)
        return;
    struct hf_cursor link = hf_cursor_clip(&info, offset, size);
    if (net > 0x14) { /* then the wide forms are there */
        lnk->net_name = wide_string_at(facts, &link, hf_u32le(&c));
        uint32_t wide_device = hf_u32le(&c);
        if ((flags & 1) != 0)
            lnk->device_name = wide_string_at(facts, &link, wide_device);
        return;
    }
    lnk->net_name = string_at(&link, net);
    if ((flags & 1) != 0)
        lnk->device_name = string_at(&link, device);
}

/* [LNK 2.3] LinkInfo. The wide forms of its paths are there when its header is long enough. */
static void read_link_info(struct hf_facts *facts, struct hf_cursor *c, struct hf_lnk *lnk)
{
    struct hf_cursor start = *c;
    uint32_t size = hf_u32le(c);
    struct hf_cursor info = hf_cursor_clip(&start, start.pos, size);
    hf_skip(&info, 4);
    uint32_t header = hf_u32le(&info), flags = hf_u32le(&info), volume = hf_u32le(&info);
    uint32_t base = hf_u32le(&info), network = hf_u32le(&info), suffix = hf_u32le(&info);
    uint32_t wide_base = header >= 0x24 ? hf_u32le(&info) : 0;
    uint32_t wide_suffix = header >= 0x24 ? hf_u32le(&info) : 0;
    bool whole = !info.failed && size >= 4;
    if (whole && (flags & 1) != 0) {
        read_volume(facts, info, volume, lnk);
        lnk->local_base_path = wide_base > 0 ? wide_string_at(facts, &info, wide_base)
                                             : string_at(&info, base);
    }
    if (whole && (flags & 2) != 0) {
        read_network(facts, info, network, lnk);
        lnk->common_path_suffix = wide_suffix > 0
                                      ? wide_string_at(facts, &info, wide_suffix)
                                      : string_at(&info, suffix);
    }
    hf_skip(c, size >= 4 ? size - 4 : UINT64_MAX);
}

/* [LNK 2.4] StringData: a count of characters, then those, without a zero. */
static struct hf_bytes read_string(struct hf_facts *facts, struct hf_cursor *c, bool wide)
{
    uint64_t count = hf_u16le(c), size = wide ? 2 * count : count;
    struct hf_cursor text = hf_cursor_sub(c, c->pos, size);
    hf_skip(c, size);
    if (c->failed)
        return (struct hf_bytes){0};
    return wide ? hf_lnk_utf16(facts, text) : hf_take_rest(&text);
}

static void read_strings(struct hf_facts *facts, struct hf_cursor *c, struct hf_lnk *lnk)
{
    const struct {
        uint32_t flag;
        struct hf_bytes *to;
    } strings[] = {
        {HAS_NAME, &lnk->name},
        {HAS_RELATIVE_PATH, &lnk->relative_path},
        {HAS_WORKING_DIR, &lnk->working_dir},
        {HAS_ARGUMENTS, &lnk->arguments},
        {HAS_ICON_LOCATION, &lnk->icon_location},
    };
    for (size_t i = 0; i < sizeof strings / sizeof *strings && !c->failed; i++)
        if ((lnk->flags & strings[i].flag) != 0)
            *strings[i].to = read_string(facts, c, (lnk->flags & IS_UNICODE) != 0);
}

/* [LNK 2.5.10] TrackerDataBlock, behind its signature */
static void read_tracker(struct hf_facts *facts, struct hf_cursor c,
                         struct hf_lnk_tracker *t)
{
    hf_skip(&c, 4);
    uint32_t version = hf_u32le(&c);
    struct hf_cursor machine = hf_cursor_sub(&c, c.pos, 16);
    hf_skip(&c, 16);
    if (c.failed || hf_cursor_left(&c) < 64)
        return;
    t->version = hf_optional_of(version);
    t->machine_id = string_at(&machine, 0);
    t->volume_id = hf_lnk_guid(facts, &c);
    t->file_id = hf_lnk_guid(facts, &c);
    t->birth_volume_id = hf_lnk_guid(facts, &c);
    t->birth_file_id = hf_lnk_guid(facts, &c);
}

/* [LNK 2.5.4, 2.5.5] A path with variables: 260 bytes, then 260 wide characters. */
static struct hf_bytes read_variable_path(struct hf_facts *facts, struct hf_cursor c)
{
    struct hf_cursor narrow = hf_cursor_clip(&c, c.pos, 260);
    struct hf_cursor wide = hf_cursor_clip(&c, c.pos + 260, 520);
    struct hf_bytes path = hf_lnk_utf16(facts, wide);
    return path.len > 0 ? path : string_at(&narrow, 0);
}

/* [LNK 2.5] ExtraData: blocks until one shorter than its own size field, then the overlay. */
static enum hf_status read_extra(struct hf_facts *facts, struct hf_cursor *c,
                                 struct hf_lnk *lnk)
{
    for (;;) {
        struct hf_cursor start = *c;
        uint32_t size = hf_u32le(c);
        if (!hf_cursor_charge(c, 1))
            return hf_cursor_status(c);
        if (size < 4)
            break;
        struct hf_cursor block = hf_cursor_sub(&start, start.pos, size);
        hf_skip(&block, 4);
        uint32_t signature = hf_u32le(&block);
        hf_skip(c, size - 4);
        if (c->failed)
            return hf_cursor_status(c);
        if (signature == BLOCK_TRACKER && !block.failed)
            read_tracker(facts, block, &lnk->tracker);
        else if (signature == BLOCK_ENVIRONMENT && !block.failed)
            lnk->environment_target = read_variable_path(facts, block);
        else if (signature == BLOCK_ICON_ENVIRONMENT && !block.failed)
            lnk->icon_environment = read_variable_path(facts, block);
    }
    lnk->overlay_size = hf_optional_of((int64_t)hf_cursor_left(c));
    if (hf_cursor_left(c) > 0)
        lnk->overlay_offset = hf_optional_of((int64_t)c->pos);
    return HF_OK;
}

static bool is_shortcut(const struct hf_cursor *object)
{
    static const uint8_t magic[20] = {0x4c, 0, 0,    0, 1, 0x14, 2, 0, 0, 0,
                                      0,    0, 0xc0, 0, 0, 0,    0, 0, 0, 0x46};
    struct hf_cursor c = hf_cursor_at(object, 0);
    return hf_cursor_left(&c) >= 76 && hf_peek_equal(&c, magic, sizeof magic);
}

enum hf_status hf_lnk_parse(struct hf_facts *facts, struct hf_lnk *lnk)
{
    struct hf_cursor c = hf_cursor_at(&facts->object, 0);
    enum hf_status items = HF_OK;
    if (!is_shortcut(&facts->object))
        return HF_NOTFOUND;
    read_header(&c, lnk);
    if ((lnk->flags & HAS_ITEMS) != 0)
        items = hf_lnk_read_items(facts, &c, lnk);
    if ((lnk->flags & HAS_LINK_INFO) != 0 && !c.failed)
        read_link_info(facts, &c, lnk);
    read_strings(facts, &c, lnk);
    if (c.failed)
        return hf_cursor_status(&c);
    enum hf_status extra = read_extra(facts, &c, lnk);
    return items != HF_OK ? items : extra;
}

static enum hf_status parse_group(struct hf_facts *facts, void *state, unsigned group)
{
    struct hf_lnk *lnk = state;
    if (group == HF_LNK_ALL)
        return hf_lnk_parse(facts, lnk);
    lnk->is_lnk = is_shortcut(&facts->object);
    return HF_OK;
}

/* clang-format off */
#define ITEM(M, NAME, HELP) HF_FACT_SCALAR(struct hf_lnk_item, M, NAME, 0, HELP)
static const struct hf_fact_field item_rows[] = {
    ITEM(type, "item_type", "class: 0x1f root folder, 0x20 volume, 0x30 file entry, 0x40 network, ..."),
    ITEM(data, "data", "raw bytes behind the class"),
    ITEM(root_folder_id, "root_folder_id", "GUID, of root folders"),
    ITEM(volume_name, "volume_name", "of volumes that have one"),
    ITEM(file_entry_name, "file_entry_name", "of files and folders"),
    ITEM(network_location, "network_location", "of network locations, mostly \\\\SERVER\\SHARE"),
};
static const struct hf_fact_record item_record =
    HF_FACT_TABLE("item", struct hf_lnk_item, item_rows);

#define TRACKER(M, NAME, HELP) HF_FACT_SCALAR(struct hf_lnk_tracker, M, NAME, 0, HELP)
static const struct hf_fact_field tracker_rows[] = {
    TRACKER(version, "version", "0"),
    TRACKER(machine_id, "machine_id", "NetBIOS name of the machine that the target was on last"),
    TRACKER(volume_id, "droid_volume_id", "GUID of the volume"),
    TRACKER(file_id, "droid_file_id", "GUID of the file; has a network card's address and a time"),
    TRACKER(birth_volume_id, "droid_birth_volume_id", "of the volume where the file was made"),
    TRACKER(birth_file_id, "droid_birth_file_id", "of the file when it was made"),
};
static const struct hf_fact_record tracker_record =
    HF_FACT_TABLE("tracker", struct hf_lnk_tracker, tracker_rows);

#define TOP(M, NAME, HELP) HF_FACT_SCALAR(struct hf_lnk, M, NAME, HF_LNK_ALL, HELP)
static const struct hf_fact_field lnk_rows[] = {
    HF_FACT_SCALAR(struct hf_lnk, is_lnk, "is_lnk", HF_LNK_IDENTITY, "whether it is a shortcut"),
    TOP(name, "name", "description that people see"),
    TOP(creation_time, "creation_time", "of the target, seconds since 1970"),
    TOP(access_time, "access_time", "of the target, seconds since 1970"),
    TOP(write_time, "write_time", "of the target, seconds since 1970"),
    TOP(file_size, "file_size", "of the target, low 32 bits"),
    TOP(attributes, "file_attributes", "of the target, FILE_ATTRIBUTE_... bits"),
    TOP(icon_location, "icon_location", "file with the icon"),
    TOP(icon_index, "icon_index", "in that file"),
    TOP(show_command, "show_command", "1 normal, 3 maximised, 7 minimised"),
    TOP(drive_type, "drive_type", "2 removable, 3 fixed, 4 remote, 5 CD-ROM, 6 RAM disk"),
    TOP(drive_serial, "drive_serial_number", "of the volume"),
    TOP(volume_label, "volume_label", "of the volume"),
    TOP(local_base_path, "local_base_path", "path of the target, without its end"),
    TOP(common_path_suffix, "common_path_suffix", "its end"),
    TOP(relative_path, "relative_path", "of the target, from the shortcut"),
    TOP(working_dir, "working_dir", "where the target is started"),
    TOP(arguments, "cmd_line_args", "arguments of the target"),
    TOP(overlay_size, "overlay_size", "bytes behind the shortcut"),
    TOP(overlay_offset, "overlay_offset", "where they are; undefined when there are none"),
    HF_FACT_RECORD(struct hf_lnk, tracker, "tracker_data", HF_LNK_ALL, &tracker_record, "link tracking"),
    HF_FACT_LIST(struct hf_lnk, items, "target_id_list", HF_LNK_ALL, &item_record, "the way to the target"),
    TOP(flags, "link_flags", "which parts there are, and how they are meant"),
    TOP(hot_key, "hot_key", "key, and modifiers in the upper byte"),
    TOP(net_name, "net_name", "server and share"),
    TOP(device_name, "device_name", "drive that the share was mapped to"),
    TOP(environment_target, "environment_target", "target with variables such as %windir%"),
    TOP(icon_environment, "icon_environment", "icon's file with variables"),
};
/* clang-format on */
static const struct hf_fact_record lnk_record =
    HF_FACT_TABLE("lnk", struct hf_lnk, lnk_rows);

const struct hf_fact_module hf_lnk_module = {.name = "lnk",
                                             .record = &lnk_record,
                                             .group_count = HF_LNK_GROUPS,
                                             .parse = parse_group};
