/* lnk.h - Windows shortcuts: records where they lead and how, and who made them; resolves and
 * decides nothing. [LNK] is Microsoft's [MS-SHLLINK], "Shell Link Binary File Format"; what shell
 * items hold is not documented there: [FWSI] is Joachim Metz's "Windows Shell Item format".
 *
 * Names and meanings are those of the lnk module of YARA-X 1.19 where it has them; a damaged
 * shortcut keeps what came before the damage. Texts are UTF-8 where the file has UTF-16, else the
 * bytes of the file. */
#ifndef HF_FORMAT_LNK_H
#define HF_FORMAT_LNK_H

#include "facts/facts.h"

enum hf_lnk_group { HF_LNK_IDENTITY = 1, HF_LNK_ALL = 2, HF_LNK_GROUPS = 2 };

/* One step of the way to the target. */
struct hf_lnk_item {
    uint8_t type;         /* class, without its lower bits where they are flags */
    struct hf_bytes data; /* behind the class */
    struct hf_bytes root_folder_id, volume_name, file_entry_name, network_location;
};

struct hf_lnk_tracker {
    struct hf_optional version;
    struct hf_bytes machine_id;
    struct hf_bytes volume_id, file_id, birth_volume_id, birth_file_id; /* GUIDs as text */
};

struct hf_lnk {
    bool is_lnk;
    uint32_t flags, attributes, file_size, icon_index, show_command;
    uint16_t hot_key;
    struct hf_optional creation_time, access_time, write_time; /* seconds since 1970 */
    struct hf_fact_list items;
    struct hf_optional drive_type, drive_serial;
    struct hf_bytes volume_label, local_base_path, common_path_suffix, net_name,
        device_name;
    struct hf_bytes name, relative_path, working_dir, arguments, icon_location;
    struct hf_bytes environment_target, icon_environment; /* with %VARIABLES% */
    struct hf_lnk_tracker tracker;
    struct hf_optional overlay_offset, overlay_size;
};

extern const struct hf_fact_module hf_lnk_module;

#endif
