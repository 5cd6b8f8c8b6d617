/* The facts of PE files: names, types, places. What YARA has is called and means what YARA 4.5
 * calls and means by it; rows marked (ours) are not in YARA. */
#include "format/pe.h"

#include "format/pe_constants.h"
#include "format/pe_internal.h"

/* ---- records ---- */

static const struct hf_fact_field version_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_version, major, "major", 0, "major version"),
    HF_FACT_SCALAR(struct hf_pe_version, minor, "minor", 0, "minor version"),
};
static const struct hf_fact_record version_record =
    HF_FACT_TABLE("version", struct hf_pe_version, version_fields);

static const struct hf_fact_field linker_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_linker_version, major, "major", 0, "major version"),
    HF_FACT_SCALAR(struct hf_pe_linker_version, minor, "minor", 0, "minor version"),
};
static const struct hf_fact_record linker_record =
    HF_FACT_TABLE("linker_version", struct hf_pe_linker_version, linker_fields);

static const struct hf_fact_field resource_version_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_resource_version, major, "major", 0, "major version"),
    HF_FACT_SCALAR(struct hf_pe_resource_version, minor, "minor", 0, "minor version"),
};
static const struct hf_fact_record resource_version_record = HF_FACT_TABLE(
    "resource_version", struct hf_pe_resource_version, resource_version_fields);

static const struct hf_fact_field directory_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_directory, rva, "virtual_address", 0,
                   "relative address; of the certificates: file offset"),
    HF_FACT_SCALAR(struct hf_pe_directory, size, "size", 0, "bytes"),
};
static const struct hf_fact_record directory_record =
    HF_FACT_TABLE("directory", struct hf_pe_directory, directory_fields);

static const struct hf_fact_field section_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_section, name, "name", 0, "up to 8 bytes, zeros removed"),
    HF_FACT_SCALAR(struct hf_pe_section, full_name, "full_name", 0,
                   "name, looked up in the string table when it is /number"),
    HF_FACT_SCALAR(struct hf_pe_section, flags, "characteristics", 0, "SECTION_ flags"),
    HF_FACT_SCALAR(struct hf_pe_section, rva, "virtual_address", 0, "relative address"),
    HF_FACT_SCALAR(struct hf_pe_section, virtual_size, "virtual_size", 0,
                   "bytes in memory"),
    HF_FACT_SCALAR(struct hf_pe_section, raw_offset, "raw_data_offset", 0,
                   "offset of its data in the file, as the header says"),
    HF_FACT_SCALAR(struct hf_pe_section, raw_size, "raw_data_size", 0, "bytes in the file"),
    HF_FACT_SCALAR(struct hf_pe_section, relocations_offset, "pointer_to_relocations", 0,
                   "file offset; object files only"),
    HF_FACT_SCALAR(struct hf_pe_section, lines_offset, "pointer_to_line_numbers", 0,
                   "file offset; object files only"),
    HF_FACT_SCALAR(struct hf_pe_section, relocations, "number_of_relocations", 0,
                   "object files only"),
    HF_FACT_SCALAR(struct hf_pe_section, lines, "number_of_line_numbers", 0,
                   "object files only"),
};
static const struct hf_fact_record section_record =
    HF_FACT_TABLE("section", struct hf_pe_section, section_fields);

static const struct hf_fact_field extent_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_extent, offset, "offset", 0,
                   "file offset, 0: there is none"),
    HF_FACT_SCALAR(struct hf_pe_extent, size, "size", 0, "bytes"),
};
static const struct hf_fact_record extent_record =
    HF_FACT_TABLE("extent", struct hf_pe_extent, extent_fields);

static const struct hf_fact_field function_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_function, name, "name", 0,
                   "name; known ordinals by their name, others as ord and number"),
    HF_FACT_SCALAR(struct hf_pe_function, ordinal, "ordinal", 0,
                   "when imported by ordinal"),
    HF_FACT_SCALAR(struct hf_pe_function, rva, "rva", 0,
                   "of its slot in the address table"),
};
static const struct hf_fact_record function_record =
    HF_FACT_TABLE("function", struct hf_pe_function, function_fields);

static const struct hf_fact_field library_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_library, name, "library_name", 0, "as the table has it"),
    HF_FACT_SCALAR(struct hf_pe_library, function_count, "number_of_functions", 0,
                   "imported from it"),
    HF_FACT_LIST(struct hf_pe_library, functions, "functions", 0, &function_record,
                 "in the order of the table"),
};
static const struct hf_fact_record library_record =
    HF_FACT_TABLE("library", struct hf_pe_library, library_fields);

static const struct hf_fact_field export_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_export, offset, "offset", 0,
                   "file offset; undefined when forwarded or not in the file"),
    HF_FACT_SCALAR(struct hf_pe_export, name, "name", 0, "undefined when by ordinal only"),
    HF_FACT_SCALAR(struct hf_pe_export, forward_name, "forward_name", 0,
                   "library and function that it stands for"),
    HF_FACT_SCALAR(struct hf_pe_export, ordinal, "ordinal", 0, "base included"),
    HF_FACT_SCALAR(struct hf_pe_export, rva, "rva", 0, "relative address, as in the table"),
};
static const struct hf_fact_record export_record =
    HF_FACT_TABLE("export", struct hf_pe_export, export_fields);

static const struct hf_fact_field resource_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_resource, rva, "rva", 0, "relative address of the data"),
    HF_FACT_SCALAR(struct hf_pe_resource, offset, "offset", 0,
                   "file offset; undefined when not in the file"),
    HF_FACT_SCALAR(struct hf_pe_resource, length, "length", 0, "bytes, as the entry says"),
    HF_FACT_SCALAR(struct hf_pe_resource, type, "type", 0,
                   "RESOURCE_TYPE_; undefined when it is a string"),
    HF_FACT_SCALAR(struct hf_pe_resource, id, "id", 0, "undefined when it is a string"),
    HF_FACT_SCALAR(struct hf_pe_resource, language, "language", 0,
                   "Windows language identifier; undefined when it is a string"),
    HF_FACT_SCALAR(struct hf_pe_resource, type_string, "type_string", 0, "UTF-16LE"),
    HF_FACT_SCALAR(struct hf_pe_resource, name_string, "name_string", 0, "UTF-16LE"),
    HF_FACT_SCALAR(struct hf_pe_resource, language_string, "language_string", 0,
                   "UTF-16LE"),
};
static const struct hf_fact_record resource_record =
    HF_FACT_TABLE("resource", struct hf_pe_resource, resource_fields);

static const struct hf_fact_field version_string_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_version_string, key, "key", 0, "up to 63 bytes"),
    HF_FACT_SCALAR(struct hf_pe_version_string, value, "value", 0, "up to 255 bytes"),
};
static const struct hf_fact_record version_string_record =
    HF_FACT_TABLE("version_string", struct hf_pe_version_string, version_string_fields);

static const struct hf_fact_field icon_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_icon, id, "id", 0, "of the resource"),
    HF_FACT_SCALAR(struct hf_pe_icon, language, "language", 0, "of the resource"),
    HF_FACT_SCALAR(struct hf_pe_icon, offset, "offset", 0, "file offset"),
    HF_FACT_SCALAR(struct hf_pe_icon, length, "length", 0, "bytes"),
    HF_FACT_SCALAR(struct hf_pe_icon, width, "width", 0, "pixels"),
    HF_FACT_SCALAR(struct hf_pe_icon, height, "height", 0, "pixels, without the mask"),
    HF_FACT_SCALAR(struct hf_pe_icon, bits, "bits", 0,
                   "bits of a pixel; of a sample in a PNG"),
    HF_FACT_SCALAR(struct hf_pe_icon, png, "png", 0, "whether it is stored as a PNG"),
};
static const struct hf_fact_record icon_record =
    HF_FACT_TABLE("icon", struct hf_pe_icon, icon_fields);

static const struct hf_fact_field rich_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_rich, offset, "offset", 0, "file offset of its start"),
    HF_FACT_SCALAR(struct hf_pe_rich, length, "length", 0, "bytes up to the word Rich"),
    HF_FACT_SCALAR(struct hf_pe_rich, key, "key", 0, "with which it is masked"),
    HF_FACT_SCALAR(struct hf_pe_rich, raw_data, "raw_data", 0, "as it is in the file"),
    HF_FACT_SCALAR(struct hf_pe_rich, clear_data, "clear_data", 0, "unmasked"),
    HF_FACT_SCALAR(struct hf_pe_rich, version_data, "version_data", 0,
                   "tools and builds only, unmasked"),
    HF_FACT_CALL("version", "i", HF_FACT_INT, hf_pe_call_rich_version,
                 "how often tools of this build were used"),
    HF_FACT_CALL("version", "ii", HF_FACT_INT, hf_pe_call_rich_version_toolid,
                 "how often this build of this tool was used"),
    HF_FACT_CALL("toolid", "i", HF_FACT_INT, hf_pe_call_rich_toolid,
                 "how often this tool was used"),
    HF_FACT_CALL("toolid", "ii", HF_FACT_INT, hf_pe_call_rich_toolid_version,
                 "how often this tool in this build was used"),
};
static const struct hf_fact_record rich_record =
    HF_FACT_TABLE("rich_signature", struct hf_pe_rich, rich_fields);

static const struct hf_fact_field debug_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_debug, type, "type", 0, "IMAGE_DEBUG_TYPE_"),
    HF_FACT_SCALAR(struct hf_pe_debug, timestamp, "timestamp", 0,
                   "seconds since 1970, or a hash"),
    HF_FACT_SCALAR(struct hf_pe_debug, rva, "virtual_address", 0,
                   "relative address, 0: none"),
    HF_FACT_SCALAR(struct hf_pe_debug, raw_offset, "raw_data_offset", 0,
                   "as the entry says"),
    HF_FACT_SCALAR(struct hf_pe_debug, size, "size", 0, "bytes, as the entry says"),
    HF_FACT_SCALAR(struct hf_pe_debug, offset, "offset", 0,
                   "file offset; undefined when not in the file"),
};
static const struct hf_fact_record debug_record =
    HF_FACT_TABLE("debug", struct hf_pe_debug, debug_fields);

static const struct hf_fact_field tls_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_tls, present, "present", 0,
                   "whether there is a TLS directory"),
    HF_FACT_SCALAR(struct hf_pe_tls, raw_start, "raw_start", 0,
                   "virtual address of the template"),
    HF_FACT_SCALAR(struct hf_pe_tls, raw_end, "raw_end", 0, "virtual address of its end"),
    HF_FACT_SCALAR(struct hf_pe_tls, index_address, "index_address", 0, "virtual address"),
    HF_FACT_SCALAR(struct hf_pe_tls, callbacks_address, "callbacks_address", 0,
                   "virtual address of the list"),
    HF_FACT_SCALARS(struct hf_pe_tls, callbacks, "callbacks", 0, uint64_t,
                    "relative addresses of functions that run before the entry point"),
};
static const struct hf_fact_record tls_record =
    HF_FACT_TABLE("tls", struct hf_pe_tls, tls_fields);

static const struct hf_fact_field relocations_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_relocations, blocks, "blocks", 0, "whole blocks"),
    HF_FACT_SCALAR(struct hf_pe_relocations, entries, "entries", 0, "without padding"),
    HF_FACT_SCALAR(struct hf_pe_relocations, damaged, "damaged", 0,
                   "whether a block was cut or too short"),
};
static const struct hf_fact_record relocations_record =
    HF_FACT_TABLE("relocations", struct hf_pe_relocations, relocations_fields);

static const struct hf_fact_field load_config_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_load_config, present, "present", 0, "whether there is one"),
    HF_FACT_SCALAR(struct hf_pe_load_config, size, "size", 0, "bytes, as it says itself"),
    HF_FACT_SCALAR(struct hf_pe_load_config, timestamp, "timestamp", 0,
                   "seconds since 1970"),
    HF_FACT_SCALAR(struct hf_pe_load_config, security_cookie, "security_cookie", 0,
                   "virtual address"),
    HF_FACT_SCALAR(struct hf_pe_load_config, handler_table, "handler_table", 0,
                   "virtual address of the known exception handlers"),
    HF_FACT_SCALAR(struct hf_pe_load_config, handler_count, "handler_count", 0,
                   "known exception handlers"),
    HF_FACT_SCALAR(struct hf_pe_load_config, guard_check, "guard_check", 0,
                   "virtual address of the control flow guard's check"),
    HF_FACT_SCALAR(struct hf_pe_load_config, guard_table, "guard_table", 0,
                   "virtual address of its table"),
    HF_FACT_SCALAR(struct hf_pe_load_config, guard_count, "guard_count", 0, "its entries"),
    HF_FACT_SCALAR(struct hf_pe_load_config, guard_flags, "guard_flags", 0, "its flags"),
};
static const struct hf_fact_record load_config_record =
    HF_FACT_TABLE("load_config", struct hf_pe_load_config, load_config_fields);

static const struct hf_fact_field bound_fields[] = {
    HF_FACT_SCALAR(struct hf_pe_bound_import, name, "name", 0, "of the library"),
    HF_FACT_SCALAR(struct hf_pe_bound_import, timestamp, "timestamp", 0,
                   "seconds since 1970"),
    HF_FACT_SCALAR(struct hf_pe_bound_import, forwarders, "forwarders", 0,
                   "how many follow"),
};
static const struct hf_fact_record bound_record =
    HF_FACT_TABLE("bound_import", struct hf_pe_bound_import, bound_fields);

/* ---- computed ---- */

static void compute_loader_error(const struct hf_facts *facts, const void *record,
                                 struct hf_value *out)
{
    (void)facts;
    const char *why = hf_pe_loader_refuses(record);
    if (why != NULL)
        *out = hf_value_string(hf_bytes_text(why));
}

static void compute_loader_entry(const struct hf_facts *facts, const void *record,
                                 struct hf_value *out)
{
    (void)facts;
    const struct hf_pe *pe = record;
    int64_t at = pe->entry_rva == 0 ? -1 : hf_pe_loader_offset(pe, pe->entry_rva);
    if (at >= 0)
        *out = hf_value_int(at);
}

/* ---- the module ---- */

enum { H = HF_PE_HEADERS, I = HF_PE_IMPORTS, E = HF_PE_EXPORTS, R = HF_PE_RESOURCES };
enum { D = HF_PE_DEBUG, L = HF_PE_LOADER, S = HF_PE_SIGNATURES };

static const struct hf_fact_field pe_fields[] = {
    PE_MACHINES,
    PE_SUBSYSTEMS,
    PE_DLL_FLAGS,
    PE_FILE_FLAGS,
    PE_DIRECTORY_INDEXES,
    PE_MAGICS,
    PE_SECTION_FLAGS,
    PE_RESOURCE_TYPES,
    PE_DEBUG_TYPES,
    PE_IMPORT_KINDS,

    HF_FACT_SCALAR(struct hf_pe, is_pe, "is_pe", HF_PE_IDENTITY, "1: a PE file, 0: not"),
    HF_FACT_SCALAR(struct hf_pe, machine, "machine", H, "MACHINE_"),
    HF_FACT_SCALAR(struct hf_pe, section_count, "number_of_sections", H,
                   "as the header says; sections has at most 96"),
    HF_FACT_SCALAR(struct hf_pe, timestamp, "timestamp", H,
                   "seconds since 1970, or a hash"),
    HF_FACT_SCALAR(struct hf_pe, symbols_offset, "pointer_to_symbol_table", H,
                   "file offset"),
    HF_FACT_SCALAR(struct hf_pe, symbol_count, "number_of_symbols", H, "COFF symbols"),
    HF_FACT_SCALAR(struct hf_pe, optional_size, "size_of_optional_header", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, characteristics, "characteristics", H,
                   "flags such as DLL"),
    HF_FACT_SCALAR(struct hf_pe, entry_offset, "entry_point", H,
                   "file offset of the entry point, -1: not in the file"),
    HF_FACT_SCALAR(struct hf_pe, entry_rva, "entry_point_raw", H, "relative address"),
    HF_FACT_SCALAR(struct hf_pe, image_base, "image_base", H, "virtual address"),
    HF_FACT_SCALAR(struct hf_pe, directory_count, "number_of_rva_and_sizes", H,
                   "data directories, as the header says"),
    HF_FACT_SCALAR(struct hf_pe, version_count, "number_of_version_infos", R,
                   "strings of version information"),
    HF_FACT_MAP(struct hf_pe, version_strings, "version_info", R, &version_string_record,
                HF_FACT_STRING, "version information by key; the last of equal keys"),
    HF_FACT_LIST(struct hf_pe, version_strings, "version_info_list", R,
                 &version_string_record, "version information in order"),
    HF_FACT_SCALAR(struct hf_pe, magic, "opthdr_magic", H, "IMAGE_NT_OPTIONAL_HDR"),
    HF_FACT_SCALAR(struct hf_pe, size_of_code, "size_of_code", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, size_of_initialized_data, "size_of_initialized_data", H,
                   "bytes"),
    HF_FACT_SCALAR(struct hf_pe, size_of_uninitialized_data, "size_of_uninitialized_data",
                   H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, base_of_code, "base_of_code", H, "relative address"),
    HF_FACT_SCALAR(struct hf_pe, base_of_data, "base_of_data", H,
                   "relative address; undefined in 64-bit images"),
    HF_FACT_SCALAR(struct hf_pe, section_alignment, "section_alignment", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, file_alignment, "file_alignment", H, "bytes"),
    HF_FACT_RECORD(struct hf_pe, linker_version, "linker_version", H, &linker_record,
                   "version of the linker"),
    HF_FACT_RECORD(struct hf_pe, os_version, "os_version", H, &version_record,
                   "system version wanted"),
    HF_FACT_RECORD(struct hf_pe, image_version, "image_version", H, &version_record,
                   "version of the image"),
    HF_FACT_RECORD(struct hf_pe, subsystem_version, "subsystem_version", H, &version_record,
                   "subsystem version wanted"),
    HF_FACT_SCALAR(struct hf_pe, win32_version, "win32_version_value", H, "reserved"),
    HF_FACT_SCALAR(struct hf_pe, size_of_image, "size_of_image", H, "bytes in memory"),
    HF_FACT_SCALAR(struct hf_pe, size_of_headers, "size_of_headers", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, checksum, "checksum", H, "as the header says"),
    HF_FACT_CALL("calculate_checksum", "", HF_FACT_INT, hf_pe_call_checksum,
                 "the checksum that the header should have"),
    HF_FACT_SCALAR(struct hf_pe, subsystem, "subsystem", H, "SUBSYSTEM_"),
    HF_FACT_SCALAR(struct hf_pe, dll_characteristics, "dll_characteristics", H,
                   "flags such as DYNAMIC_BASE"),
    HF_FACT_SCALAR(struct hf_pe, stack_reserve, "size_of_stack_reserve", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, stack_commit, "size_of_stack_commit", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, heap_reserve, "size_of_heap_reserve", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, heap_commit, "size_of_heap_commit", H, "bytes"),
    HF_FACT_SCALAR(struct hf_pe, loader_flags, "loader_flags", H, "reserved"),
    HF_FACT_LIST(struct hf_pe, directory_list, "data_directories", H, &directory_record,
                 "by IMAGE_DIRECTORY_ENTRY_"),
    HF_FACT_LIST(struct hf_pe, sections, "sections", H, &section_record,
                 "whole section headers, at most 96"),
    HF_FACT_RECORD(struct hf_pe, overlay, "overlay", H, &extent_record,
                   "what lies behind the last section's data"),
    HF_FACT_RECORD(struct hf_pe, rich, "rich_signature", D, &rich_record,
                   "Microsoft's record of the tools used"),
    HF_FACT_CALL("imphash", "", HF_FACT_STRING, hf_pe_call_imphash,
                 "MD5 of the imports' names, in lower-case digits"),
    HF_FACT_CALL("section_index", "s", HF_FACT_INT, hf_pe_call_section_by_name,
                 "place of the section of this name"),
    HF_FACT_CALL("section_index", "i", HF_FACT_INT, hf_pe_call_section_by_offset,
                 "place of the section that this file offset lies in"),
    HF_FACT_CALL("exports", "s", HF_FACT_INT, hf_pe_call_exports,
                 "whether it exports the name"),
    HF_FACT_CALL("exports", "r", HF_FACT_INT, hf_pe_call_exports,
                 "whether it exports such a name"),
    HF_FACT_CALL("exports", "i", HF_FACT_INT, hf_pe_call_exports,
                 "whether it exports the ordinal"),
    HF_FACT_CALL("exports_index", "s", HF_FACT_INT, hf_pe_call_exports_index,
                 "place in export_details"),
    HF_FACT_CALL("exports_index", "i", HF_FACT_INT, hf_pe_call_exports_index,
                 "place in export_details"),
    HF_FACT_CALL("exports_index", "r", HF_FACT_INT, hf_pe_call_exports_index,
                 "place in export_details"),
    HF_FACT_CALL("imports", "ss", HF_FACT_INT, hf_pe_call_imports,
                 "whether it imports from the library the function"),
    HF_FACT_CALL("imports", "si", HF_FACT_INT, hf_pe_call_imports,
                 "whether it imports from the library the ordinal"),
    HF_FACT_CALL("imports", "s", HF_FACT_INT, hf_pe_call_imports_library,
                 "how many functions it imports from the library"),
    HF_FACT_CALL("imports", "rr", HF_FACT_INT, hf_pe_call_imports,
                 "how many such functions it imports from such libraries"),
    HF_FACT_CALL("imports", "iss", HF_FACT_INT, hf_pe_call_imports_flags,
                 "the same, of imports of the IMPORT_ kind"),
    HF_FACT_CALL("imports", "isi", HF_FACT_INT, hf_pe_call_imports_flags,
                 "the same, of imports of the IMPORT_ kind"),
    HF_FACT_CALL("imports", "is", HF_FACT_INT, hf_pe_call_imports_flags_library,
                 "the same, of imports of the IMPORT_ kind"),
    HF_FACT_CALL("imports", "irr", HF_FACT_INT, hf_pe_call_imports_flags,
                 "the same, of imports of the IMPORT_ kind"),
    HF_FACT_CALL("import_rva", "ss", HF_FACT_INT, hf_pe_call_import_rva,
                 "relative address of the function's slot"),
    HF_FACT_CALL("import_rva", "si", HF_FACT_INT, hf_pe_call_import_rva,
                 "relative address of the ordinal's slot"),
    HF_FACT_CALL("delayed_import_rva", "ss", HF_FACT_INT, hf_pe_call_delayed_import_rva,
                 "relative address of the function's slot"),
    HF_FACT_CALL("delayed_import_rva", "si", HF_FACT_INT, hf_pe_call_delayed_import_rva,
                 "relative address of the ordinal's slot"),
    HF_FACT_CALL("locale", "i", HF_FACT_INT, hf_pe_call_locale,
                 "whether a resource has this language identifier"),
    HF_FACT_CALL("language", "i", HF_FACT_INT, hf_pe_call_language,
                 "whether a resource has this language, in any region"),
    HF_FACT_CALL("is_dll", "", HF_FACT_INT, hf_pe_call_is_dll, "not 0: a library"),
    HF_FACT_CALL("is_32bit", "", HF_FACT_INT, hf_pe_call_is_32bit, "1: 32 bits"),
    HF_FACT_CALL("is_64bit", "", HF_FACT_INT, hf_pe_call_is_64bit, "1: 64 bits"),
    HF_FACT_SCALAR(struct hf_pe, import_count, "number_of_imports", I, "libraries"),
    HF_FACT_SCALAR(struct hf_pe, imported_functions, "number_of_imported_functions", I,
                   "of all libraries together"),
    HF_FACT_SCALAR(struct hf_pe, delayed_count, "number_of_delayed_imports", I,
                   "libraries"),
    HF_FACT_SCALAR(struct hf_pe, delayed_functions, "number_of_delayed_imported_functions",
                   I, "of all libraries together"),
    HF_FACT_SCALAR(struct hf_pe, export_count, "number_of_exports", E, "functions"),
    HF_FACT_SCALAR(struct hf_pe, dll_name, "dll_name", E,
                   "its name as the export table says"),
    HF_FACT_SCALAR(struct hf_pe, export_timestamp, "export_timestamp", E,
                   "seconds since 1970, or a hash"),
    HF_FACT_LIST(struct hf_pe, exports, "export_details", E, &export_record,
                 "exported functions by ordinal"),
    HF_FACT_LIST(struct hf_pe, imports, "import_details", I, &library_record,
                 "libraries whose functions are bound at start"),
    HF_FACT_LIST(struct hf_pe, delayed_imports, "delayed_import_details", I,
                 &library_record, "libraries whose functions are bound at first use"),
    HF_FACT_SCALAR(struct hf_pe, resource_timestamp, "resource_timestamp", R,
                   "seconds since 1970"),
    HF_FACT_RECORD(struct hf_pe, resource_version, "resource_version", R,
                   &resource_version_record, "version of the resource tree"),
    HF_FACT_LIST(struct hf_pe, resources, "resources", R, &resource_record,
                 "leaves of the resource tree"),
    HF_FACT_SCALAR(struct hf_pe, resource_count, "number_of_resources", R, "leaves"),
    HF_FACT_SCALAR(struct hf_pe, pdb_path, "pdb_path", D, "path of the debug information"),
    HF_FACT_SCALAR(struct hf_pe, authenticode.is_signed, "is_signed", S,
                   "1: a signature is verified; says nothing of trust"),
    HF_FACT_SCALAR(struct hf_pe, authenticode.signature_count, "number_of_signatures", S,
                   "in signatures"),
    HF_FACT_LIST(struct hf_pe, authenticode.signatures, "signatures", S,
                 &hf_code_signature_record, "Authenticode; those nested in one follow it"),
    HF_FACT_CALL("rva_to_offset", "i", HF_FACT_INT, hf_pe_call_rva_to_offset,
                 "file offset of a relative address"),

    HF_FACT_COMPUTED("loader_error", HF_FACT_STRING, H, compute_loader_error,
                     "(ours) why Windows would not load it; undefined: it would"),
    HF_FACT_COMPUTED("loader_entry_point", HF_FACT_INT, H, compute_loader_entry,
                     "(ours) file offset of the entry point as Windows maps it"),
    HF_FACT_CALL("authenticode_md5", "", HF_FACT_STRING, hf_pe_call_authenticode_md5,
                 "(ours) digest of what an Authenticode signature covers"),
    HF_FACT_CALL("authenticode_sha1", "", HF_FACT_STRING, hf_pe_call_authenticode_sha1,
                 "(ours) digest of what an Authenticode signature covers"),
    HF_FACT_CALL("authenticode_sha256", "", HF_FACT_STRING, hf_pe_call_authenticode_sha256,
                 "(ours) digest of what an Authenticode signature covers"),
    HF_FACT_LIST(struct hf_pe, authenticode.others, "other_signatures", S,
                 &hf_code_signature_record,
                 "(ours) of further entries of the certificate table"),
    HF_FACT_LIST(struct hf_pe, authenticode.entries, "certificate_table", S,
                 &hf_certificate_entry_record, "(ours) its entries"),
    HF_FACT_LIST(struct hf_pe, authenticode.uncovered, "uncovered", S, &hf_uncovered_record,
                 "(ours) what can change without the signatures noticing"),
    HF_FACT_LIST(struct hf_pe, icons, "icons", R, &icon_record, "(ours) pictures of icons"),
    HF_FACT_LIST(struct hf_pe, debug, "debug", D, &debug_record, "(ours) debug directory"),
    HF_FACT_RECORD(struct hf_pe, tls, "tls", L, &tls_record, "(ours) thread local storage"),
    HF_FACT_RECORD(struct hf_pe, relocations, "relocations", L, &relocations_record,
                   "(ours) base relocations"),
    HF_FACT_RECORD(struct hf_pe, load_config, "load_config", L, &load_config_record,
                   "(ours) load configuration"),
    HF_FACT_LIST(struct hf_pe, bound_imports, "bound_imports", L, &bound_record,
                 "(ours) bound imports"),
};

static const struct hf_fact_record pe_record = HF_FACT_TABLE("pe", struct hf_pe, pe_fields);

static const struct hf_fact_naming pe_namings[] = {
    {&pe_record, "machine", "MACHINE_", NULL, false},
    {&pe_record, "subsystem", "SUBSYSTEM_", NULL, false},
    {&pe_record, "characteristics", NULL, PE_FILE_FLAGS_HELP, true},
    {&pe_record, "dll_characteristics", NULL, PE_DLL_FLAGS_HELP, true},
    {&pe_record, "opthdr_magic", NULL, PE_MAGICS_HELP, false},
    {&pe_record, "data_directories", "IMAGE_DIRECTORY_ENTRY_", NULL, false},
    {&section_record, "characteristics", "SECTION_", NULL, true},
    {&resource_record, "type", "RESOURCE_TYPE_", NULL, false},
    {&debug_record, "type", "IMAGE_DEBUG_TYPE_", NULL, false},
};

static const char *const pe_group_names[HF_PE_GROUPS + 1] = {
    [HF_PE_HEADERS] = "headers",   [HF_PE_IMPORTS] = "imports",
    [HF_PE_EXPORTS] = "exports",   [HF_PE_RESOURCES] = "resources",
    [HF_PE_DEBUG] = "debug data",  [HF_PE_LOADER] = "loader tables",
    [HF_PE_IDENTITY] = "identity", [HF_PE_SIGNATURES] = "signatures",
};

const struct hf_fact_module hf_pe_module = {
    .name = "pe",
    .record = &pe_record,
    .group_count = HF_PE_GROUPS,
    .parse = hf_pe_parse,
    .group_names = pe_group_names,
    .namings = pe_namings,
    .naming_count = sizeof pe_namings / sizeof *pe_namings,
};
