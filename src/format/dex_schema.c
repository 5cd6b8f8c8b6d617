#include "format/dex_internal.h"

/* The schema of DEX facts; names and meanings are YARA's. [yara 4.5 libyara/modules/dex/dex.c] */

/* ---- functions: does a method or class of this name exist? ---- */

/* YARA compares C strings. */
static struct hf_bytes c_string(struct hf_bytes text)
{
    const uint8_t *zero = text.len == 0 ? NULL : memchr(text.data, 0, text.len);
    return zero == NULL ? text : hf_bytes_of(text.data, (size_t)(zero - text.data));
}

static bool matches(const struct hf_value *wanted, struct hf_bytes text)
{
    if (wanted->type == HF_FACT_REGEX)
        return wanted->regex->matches(wanted->regex, c_string(text));
    return hf_bytes_equal(c_string(wanted->string), c_string(text));
}

/* class and name may be NULL: any. A method without a class passes every class, as in YARA; not
 * so when only the class is asked for. */
static void find(struct hf_facts *facts, const struct hf_value *class,
                 const struct hf_value *name, struct hf_value *out)
{
    const struct hf_dex *dex = hf_facts_need(facts, &hf_dex_module, 1u << HF_DEX_CLASSES);
    if (dex == NULL || !dex->method_count.defined ||
        !hf_budget_work(facts->object.budget, (uint64_t)dex->method_count.value + 1))
        return;
    const struct hf_dex_method *m = dex->methods.items;
    bool found = false;
    for (int64_t i = 0; i < dex->method_count.value && !found; i++) {
        bool has_class = m[i].class_name.data != NULL;
        if (name == NULL)
            found = has_class && matches(class, m[i].class_name);
        else if (class == NULL || !has_class || matches(class, m[i].class_name))
            found = m[i].name.data != NULL && matches(name, m[i].name);
    }
    *out = hf_value_int(found);
}

static void call_method(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    find(facts, NULL, &args[0], out);
}

static void call_method_of_class(struct hf_facts *facts, const struct hf_value *args,
                                 struct hf_value *out)
{
    find(facts, &args[0], &args[1], out);
}

static void call_class(struct hf_facts *facts, const struct hf_value *args,
                       struct hf_value *out)
{
    find(facts, &args[0], NULL, out);
}

/* ---- constants that are strings ---- */

static void magic_035(const struct hf_facts *facts, const void *record,
                      struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_string(hf_bytes_text("dex\n035"));
}

static void magic_036(const struct hf_facts *facts, const void *record,
                      struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_string(hf_bytes_text("dex\n036"));
}

static void magic_037(const struct hf_facts *facts, const void *record,
                      struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_string(hf_bytes_text("dex\n037"));
}

static void magic_038(const struct hf_facts *facts, const void *record,
                      struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_string(hf_bytes_text("dex\n038"));
}

static void magic_039(const struct hf_facts *facts, const void *record,
                      struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_string(hf_bytes_text("dex\n039"));
}

/* ---- rows ---- */

/* clang-format off */
#define HEADER(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_header, M, NAME, 0, HELP)
#define TABLE(M, NAME) HEADER(M.size, NAME "_size", "entries"), HEADER(M.offset, NAME "_offset", "file offset")
static const struct hf_fact_field header_rows[] = {
    HEADER(magic, "magic", "with the version"),
    HEADER(checksum, "checksum", "Adler-32 of all behind it"),
    HEADER(signature, "signature", "SHA-1 of all behind it, up to a zero byte"),
    HEADER(file_size, "file_size", "as the header says"),
    HEADER(header_size, "header_size", "112"),
    HEADER(endian_tag, "endian_tag", "ENDIAN_CONSTANT"),
    HEADER(link_size, "link_size", "bytes"),
    HEADER(link_offset, "link_offset", "file offset"),
    HEADER(map_offset, "map_offset", "file offset"),
    TABLE(strings, "string_ids"),
    TABLE(types, "type_ids"),
    TABLE(protos, "proto_ids"),
    TABLE(fields, "field_ids"),
    TABLE(methods, "method_ids"),
    TABLE(classes, "class_defs"),
    HEADER(data.size, "data_size", "bytes"),
    HEADER(data.offset, "data_offset", "file offset"),
};
static const struct hf_fact_record header_record =
    HF_FACT_TABLE("header", struct hf_dex_header, header_rows);

#define STRING(M, HELP) HF_FACT_SCALAR(struct hf_dex_string, M, #M, 0, HELP)
static const struct hf_fact_field string_rows[] = {
    STRING(offset, "file offset; undefined when it is not in the file"),
    STRING(size, "UTF-16 units"),
    STRING(value, "as many bytes"),
};
static const struct hf_fact_record string_record =
    HF_FACT_TABLE("string", struct hf_dex_string, string_rows);

static const struct hf_fact_field type_rows[] = {
    HF_FACT_SCALAR(struct hf_dex_type, descriptor, "descriptor_idx", 0, "index of its name in string_ids"),
};
static const struct hf_fact_record type_record = HF_FACT_TABLE("type", struct hf_dex_type, type_rows);

#define PROTO(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_proto, M, NAME, 0, HELP)
static const struct hf_fact_field proto_rows[] = {
    PROTO(shorty, "shorty_idx", "index of its short form in string_ids"),
    PROTO(return_type, "return_type_idx", "index in type_ids"),
    PROTO(parameters_offset, "parameters_offset", "file offset, 0: none"),
};
static const struct hf_fact_record proto_record =
    HF_FACT_TABLE("proto", struct hf_dex_proto, proto_rows);

#define MEMBER(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_member_id, M, NAME, 0, HELP)
static const struct hf_fact_field field_id_rows[] = {
    MEMBER(class_index, "class_idx", "index in type_ids"),
    MEMBER(type_index, "type_idx", "index in type_ids"),
    MEMBER(name_index, "name_idx", "index in string_ids"),
};
static const struct hf_fact_record field_id_record =
    HF_FACT_TABLE("field_id", struct hf_dex_member_id, field_id_rows);
static const struct hf_fact_field method_id_rows[] = {
    MEMBER(class_index, "class_idx", "index in type_ids"),
    MEMBER(type_index, "proto_idx", "index in proto_ids"),
    MEMBER(name_index, "name_idx", "index in string_ids"),
};
static const struct hf_fact_record method_id_record =
    HF_FACT_TABLE("method_id", struct hf_dex_member_id, method_id_rows);

#define CLASS(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_class, M, NAME, 0, HELP)
static const struct hf_fact_field class_rows[] = {
    CLASS(class_index, "class_idx", "index in type_ids"),
    CLASS(access_flags, "access_flags", "ACC_... bits"),
    CLASS(super_class, "super_class_idx", "index in type_ids, or NO_INDEX"),
    CLASS(interfaces_offset, "interfaces_offset", "file offset, 0: none"),
    CLASS(source_file, "source_file_idx", "index in string_ids, or NO_INDEX"),
    CLASS(annotations_offset, "annotations_offset", "file offset, 0: none"),
    CLASS(data_offset, "class_data_offset", "file offset, 0: none"),
    CLASS(static_values_offset, "static_values_offset", "file offset, 0: none"),
};
static const struct hf_fact_record class_record = HF_FACT_TABLE("class", struct hf_dex_class, class_rows);

#define DATA(M, NAME) HF_FACT_SCALAR(struct hf_dex_class_data, M, NAME, 0, "how many the class defines")
static const struct hf_fact_field class_data_rows[] = {
    DATA(static_fields, "static_fields_size"),
    DATA(instance_fields, "instance_fields_size"),
    DATA(direct_methods, "direct_methods_size"),
    DATA(virtual_methods, "virtual_methods_size"),
};
static const struct hf_fact_record class_data_record =
    HF_FACT_TABLE("class_data", struct hf_dex_class_data, class_data_rows);

#define MAP(M, HELP) HF_FACT_SCALAR(struct hf_dex_map_item, M, #M, 0, HELP)
static const struct hf_fact_field map_rows[] = {
    MAP(type, "TYPE_..."), MAP(unused, "0"), MAP(size, "items"), MAP(offset, "file offset"),
};
static const struct hf_fact_record map_record = HF_FACT_TABLE("map_item", struct hf_dex_map_item, map_rows);
static const struct hf_fact_field map_list_rows[] = {
    HF_FACT_SCALAR(struct hf_dex_map, size, "size", 0, "items"),
    HF_FACT_LIST(struct hf_dex_map, items, "map_item", 0, &map_record, "what is where"),
};
static const struct hf_fact_record map_list_record = HF_FACT_TABLE("map_list", struct hf_dex_map, map_list_rows);

#define FIELD(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_field, M, NAME, 0, HELP)
static const struct hf_fact_field field_rows[] = {
    FIELD(class_name, "class_name", "Lpackage/Class;"),
    FIELD(name, "name", "of the field"),
    FIELD(proto, "proto", "its type"),
    FIELD(index_diff, "field_idx_diff", "index in field_ids, from the one before"),
    FIELD(access_flags, "access_flags", "ACC_... bits"),
};
static const struct hf_fact_record field_record = HF_FACT_TABLE("field", struct hf_dex_field, field_rows);

#define CODE(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_code, M, NAME, 0, HELP)
static const struct hf_fact_field code_rows[] = {
    CODE(registers, "registers_size", "registers that the code uses"),
    CODE(ins, "ins_size", "words of arguments"),
    CODE(outs, "outs_size", "words of arguments of calls"),
    CODE(tries, "tries_size", "try blocks"),
    CODE(debug_offset, "debug_info_off", "file offset, 0: none"),
    CODE(instruction_count, "insns_size", "16-bit units"),
    CODE(instructions, "insns", "the code"),
    CODE(padding, "padding", "never defined"),
};
static const struct hf_fact_record code_record = HF_FACT_TABLE("code", struct hf_dex_code, code_rows);

#define METHOD(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dex_method, M, NAME, 0, HELP)
static const struct hf_fact_field method_rows[] = {
    METHOD(class_name, "class_name", "Lpackage/Class;"),
    METHOD(name, "name", "of the method"),
    METHOD(proto, "proto", "short form of result and arguments"),
    METHOD(direct, "direct", "1: static, private or a constructor"),
    METHOD(virtual, "virtual", "1: neither"),
    METHOD(index_diff, "method_idx_diff", "index in method_ids, from the one before"),
    METHOD(access_flags, "access_flags", "ACC_... bits"),
    METHOD(code_offset, "code_off", "file offset, 0: none"),
    HF_FACT_RECORD(struct hf_dex_method, code, "code_item", 0, &code_record, "the code"),
};
static const struct hf_fact_record method_record = HF_FACT_TABLE("method", struct hf_dex_method, method_rows);

#define LIST(M, NAME, GROUP, REC, HELP) HF_FACT_LIST(struct hf_dex, M, NAME, GROUP, REC, HELP)
static const struct hf_fact_field dex_rows[] = {
    HF_FACT_COMPUTED("DEX_FILE_MAGIC_035", HF_FACT_STRING, 0, magic_035, "magic of version 035"),
    HF_FACT_COMPUTED("DEX_FILE_MAGIC_036", HF_FACT_STRING, 0, magic_036, "magic of version 036"),
    HF_FACT_COMPUTED("DEX_FILE_MAGIC_037", HF_FACT_STRING, 0, magic_037, "magic of version 037"),
    HF_FACT_COMPUTED("DEX_FILE_MAGIC_038", HF_FACT_STRING, 0, magic_038, "magic of version 038"),
    HF_FACT_COMPUTED("DEX_FILE_MAGIC_039", HF_FACT_STRING, 0, magic_039, "magic of version 039"),
    HF_FACT_CONSTANT("ENDIAN_CONSTANT", 0x12345678, "endian_tag of the usual order"),
    HF_FACT_CONSTANT("REVERSE_ENDIAN_CONSTANT", 0x78563412, "endian_tag of the other order"),
    HF_FACT_CONSTANT("NO_INDEX", 0xffffffff, "index: none"),
    HF_FACT_CONSTANT("ACC_PUBLIC", 1, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_PRIVATE", 2, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_PROTECTED", 4, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_STATIC", 8, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_FINAL", 0x10, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_SYNCHRONIZED", 0x20, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_VOLATILE", 0x40, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_BRIDGE", 0x40, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_TRANSIENT", 0x80, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_VARARGS", 0x80, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_NATIVE", 0x100, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_INTERFACE", 0x200, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_ABSTRACT", 0x400, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_STRICT", 0x800, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_SYNTHETIC", 0x1000, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_ANNOTATION", 0x2000, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_ENUM", 0x4000, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_CONSTRUCTOR", 0x10000, "bit of access_flags"),
    HF_FACT_CONSTANT("ACC_DECLARED_SYNCHRONIZED", 0x20000, "bit of access_flags"),
    HF_FACT_CONSTANT("TYPE_HEADER_ITEM", 0, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_STRING_ID_ITEM", 1, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_TYPE_ID_ITEM", 2, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_PROTO_ID_ITEM", 3, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_FIELD_ID_ITEM", 4, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_METHOD_ID_ITEM", 5, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_CLASS_DEF_ITEM", 6, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_CALL_SITE_ID_ITEM", 7, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_METHOD_HANDLE_ITEM", 8, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_MAP_LIST", 0x1000, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_TYPE_LIST", 0x1001, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_ANNOTATION_SET_REF_LIST", 0x1002, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_ANNOTATION_SET_ITEM", 0x1003, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_CLASS_DATA_ITEM", 0x2000, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_CODE_ITEM", 0x2001, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_STRING_DATA_ITEM", 0x2002, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_DEBUG_INFO_ITEM", 0x2003, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_ANNOTATION_ITEM", 0x2004, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_ENCODED_ARRAY_ITEM", 0x2005, "type of a map item"),
    HF_FACT_CONSTANT("TYPE_ANNOTATIONS_DIRECTORY_ITEM", 0x2006, "type of a map item"),

    HF_FACT_RECORD(struct hf_dex, header, "header", HF_DEX_TABLES, &header_record, "the header"),
    LIST(strings, "string_ids", HF_DEX_TABLES, &string_record, "all strings"),
    LIST(types, "type_ids", HF_DEX_TABLES, &type_record, "all types"),
    LIST(protos, "proto_ids", HF_DEX_TABLES, &proto_record, "all prototypes"),
    LIST(field_ids, "field_ids", HF_DEX_TABLES, &field_id_record, "all fields used"),
    LIST(method_ids, "method_ids", HF_DEX_TABLES, &method_id_record, "all methods used"),
    HF_FACT_RECORD(struct hf_dex, map, "map_list", HF_DEX_TABLES, &map_list_record, "what is where"),
    LIST(classes, "class_defs", HF_DEX_CLASSES, &class_record, "classes defined"),
    LIST(class_data, "class_data_item", HF_DEX_CLASSES, &class_data_record, "of those that have any"),
    HF_FACT_SCALAR(struct hf_dex, field_count, "number_of_fields", HF_DEX_CLASSES, "fields defined"),
    LIST(fields, "field", HF_DEX_CLASSES, &field_record, "fields defined"),
    HF_FACT_SCALAR(struct hf_dex, method_count, "number_of_methods", HF_DEX_CLASSES, "methods defined"),
    LIST(methods, "method", HF_DEX_CLASSES, &method_record, "methods defined"),
    HF_FACT_CALL("has_method", "s", HF_FACT_INT, call_method, "1 when a method has this name"),
    HF_FACT_CALL("has_method", "ss", HF_FACT_INT, call_method_of_class, "1 when a method of this class has this name"),
    HF_FACT_CALL("has_method", "r", HF_FACT_INT, call_method, "1 when a method's name matches"),
    HF_FACT_CALL("has_method", "rr", HF_FACT_INT, call_method_of_class, "1 when a method's class and name match"),
    HF_FACT_CALL("has_class", "s", HF_FACT_INT, call_class, "1 when a method is of this class"),
    HF_FACT_CALL("has_class", "r", HF_FACT_INT, call_class, "1 when a method's class matches"),
};
/* clang-format on */
static const struct hf_fact_record dex_record =
    HF_FACT_TABLE("dex", struct hf_dex, dex_rows);

static enum hf_status parse_group(struct hf_facts *facts, void *state, unsigned group)
{
    return group == HF_DEX_TABLES ? hf_dex_parse_tables(facts, state)
                                  : hf_dex_parse_classes(facts, state);
}

static const struct hf_fact_naming namings[] = {
    {&class_record, "access_flags", "ACC_", NULL, true},
    {&field_record, "access_flags", "ACC_", NULL, true},
    {&method_record, "access_flags", "ACC_", NULL, true},
    {&map_record, "type", "TYPE_", NULL, false},
};

const struct hf_fact_module hf_dex_module = {
    .name = "dex",
    .record = &dex_record,
    .group_count = HF_DEX_GROUPS,
    .parse = parse_group,
    .namings = namings,
    .naming_count = sizeof namings / sizeof *namings,
};
