#include "format/dotnet_internal.h"

/* The schema of .NET facts; names and meanings are YARA's. [yara 4.5
 * libyara/modules/dotnet/dotnet.c] */

/* clang-format off */
#define STREAM(M, HELP) HF_FACT_SCALAR(struct hf_dotnet_stream, M, #M, 0, HELP)
static const struct hf_fact_field stream_rows[] = {
    STREAM(name, "#~, #Strings, #US, #GUID, #Blob"),
    STREAM(offset, "in the file"),
    STREAM(size, "bytes, as the header says"),
};
static const struct hf_fact_record stream_record = HF_FACT_TABLE("stream", struct hf_dotnet_stream, stream_rows);

#define RESOURCE(M, HELP) HF_FACT_SCALAR(struct hf_dotnet_resource, M, #M, 0, HELP)
static const struct hf_fact_field resource_rows[] = {
    RESOURCE(offset, "in the file"), RESOURCE(length, "bytes"), RESOURCE(name, "of the resource"),
};
static const struct hf_fact_record resource_record =
    HF_FACT_TABLE("resource", struct hf_dotnet_resource, resource_rows);

#define VERSION(M) HF_FACT_SCALAR(struct hf_dotnet_version, M, #M, 0, "0 to 65535")
static const struct hf_fact_field version_rows[] = {
    VERSION(major), VERSION(minor), VERSION(build_number), VERSION(revision_number),
};
static const struct hf_fact_record version_record =
    HF_FACT_TABLE("version", struct hf_dotnet_version, version_rows);

static const struct hf_fact_field assembly_ref_rows[] = {
    HF_FACT_RECORD(struct hf_dotnet_assembly_ref, version, "version", 0, &version_record, "wanted version"),
    HF_FACT_SCALAR(struct hf_dotnet_assembly_ref, public_key_or_token, "public_key_or_token", 0, "as it stands, not in hexadecimal"),
    HF_FACT_SCALAR(struct hf_dotnet_assembly_ref, name, "name", 0, "of the assembly"),
};
static const struct hf_fact_record assembly_ref_record =
    HF_FACT_TABLE("assembly_ref", struct hf_dotnet_assembly_ref, assembly_ref_rows);

static const struct hf_fact_field assembly_rows[] = {
    HF_FACT_RECORD(struct hf_dotnet_assembly, version, "version", 0, &version_record, "its own version"),
    HF_FACT_SCALAR(struct hf_dotnet_assembly, name, "name", 0, "of the assembly"),
    HF_FACT_SCALAR(struct hf_dotnet_assembly, culture, "culture", 0, "language; undefined when neutral"),
};
static const struct hf_fact_record assembly_record =
    HF_FACT_TABLE("assembly", struct hf_dotnet_assembly, assembly_rows);

#define PARAMETER(M, HELP) HF_FACT_SCALAR(struct hf_dotnet_parameter, M, #M, 0, HELP)
static const struct hf_fact_field parameter_rows[] = {
    PARAMETER(name, "P_ and its number when it has none"), PARAMETER(type, "name of its type"),
};
static const struct hf_fact_record parameter_record =
    HF_FACT_TABLE("parameter", struct hf_dotnet_parameter, parameter_rows);

#define METHOD(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dotnet_method, M, NAME, 0, HELP)
static const struct hf_fact_field method_rows[] = {
    HF_FACT_SCALARS(struct hf_dotnet_method, generics, "generic_parameters", 0, struct hf_bytes, "names"),
    METHOD(generic_count, "number_of_generic_parameters", "how many"),
    HF_FACT_LIST(struct hf_dotnet_method, parameters, "parameters", 0, &parameter_record, "in order"),
    METHOD(parameter_count, "number_of_parameters", "how many; undefined without a parameter list"),
    METHOD(return_type, "return_type", "undefined for constructors"),
    METHOD(abstract, "abstract", "0 or 1"),
    METHOD(final, "final", "0 or 1"),
    METHOD(virtual, "virtual", "0 or 1"),
    METHOD(is_static, "static", "0 or 1"),
    METHOD(visibility, "visibility", "as in C#"),
    METHOD(name, "name", "of the method"),
};
static const struct hf_fact_record method_record = HF_FACT_TABLE("method", struct hf_dotnet_method, method_rows);

#define CLASS(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dotnet_class, M, NAME, 0, HELP)
static const struct hf_fact_field class_rows[] = {
    CLASS(fullname, "fullname", "with namespace and enclosing classes"),
    CLASS(name, "name", "without the mark of generic parameters"),
    CLASS(name_space, "namespace", "with enclosing classes"),
    CLASS(visibility, "visibility", "as in C#"),
    CLASS(type, "type", "class or interface"),
    CLASS(abstract, "abstract", "0 or 1"),
    CLASS(sealed, "sealed", "0 or 1"),
    CLASS(generic_count, "number_of_generic_parameters", "how many"),
    HF_FACT_SCALARS(struct hf_dotnet_class, generics, "generic_parameters", 0, struct hf_bytes, "names"),
    CLASS(base_count, "number_of_base_types", "how many"),
    HF_FACT_SCALARS(struct hf_dotnet_class, bases, "base_types", 0, struct hf_bytes, "the class it extends, then its interfaces"),
    CLASS(method_count, "number_of_methods", "how many could be read"),
    HF_FACT_LIST(struct hf_dotnet_class, methods, "methods", 0, &method_record, "in order"),
};
static const struct hf_fact_record class_record = HF_FACT_TABLE("class", struct hf_dotnet_class, class_rows);

#define META(M, NAME, HELP) HF_FACT_SCALAR(struct hf_dotnet, M, NAME, HF_DOTNET_METADATA, HELP)
#define LIST(M, NAME, REC, HELP) HF_FACT_LIST(struct hf_dotnet, M, NAME, HF_DOTNET_METADATA, REC, HELP)
#define STRINGS(M, NAME, HELP) HF_FACT_SCALARS(struct hf_dotnet, M, NAME, HF_DOTNET_METADATA, struct hf_bytes, HELP)
static const struct hf_fact_field dotnet_rows[] = {
    HF_FACT_SCALAR(struct hf_dotnet, is_dotnet, "is_dotnet", HF_DOTNET_IDENTITY, "1 or 0; undefined when it is no PE file"),
    META(version, "version", "of the runtime it was made for, such as v4.0.30319"),
    META(module_name, "module_name", "name of the module"),
    LIST(streams, "streams", &stream_record, "of the metadata"),
    META(stream_count, "number_of_streams", "how many"),
    STRINGS(guids, "guids", "01234567-89ab-cdef-0123-456789abcdef, at most 16"),
    META(guid_count, "number_of_guids", "how many"),
    LIST(resources, "resources", &resource_record, "that are in this file"),
    META(resource_count, "number_of_resources", "how many"),
    HF_FACT_LIST(struct hf_dotnet, classes, "classes", HF_DOTNET_CLASSES, &class_record, "classes and interfaces defined"),
    HF_FACT_SCALAR(struct hf_dotnet, class_count, "number_of_classes", HF_DOTNET_CLASSES, "how many"),
    LIST(assembly_refs, "assembly_refs", &assembly_ref_record, "assemblies that it uses"),
    META(assembly_ref_count, "number_of_assembly_refs", "how many"),
    HF_FACT_RECORD(struct hf_dotnet, assembly, "assembly", HF_DOTNET_METADATA, &assembly_record, "the assembly itself"),
    STRINGS(modulerefs, "modulerefs", "names of modules, mostly native libraries"),
    META(moduleref_count, "number_of_modulerefs", "how many"),
    STRINGS(user_strings, "user_strings", "string literals, UTF-16LE"),
    META(user_string_count, "number_of_user_strings", "how many"),
    META(typelib, "typelib", "GUID of the type library, as the attribute says it"),
    STRINGS(constants, "constants", "constants that are strings, UTF-16LE"),
    META(constant_count, "number_of_constants", "how many"),
    HF_FACT_SCALARS(struct hf_dotnet, field_offsets, "field_offsets", HF_DOTNET_METADATA, uint64_t, "in the file, of fields with initial data"),
    META(field_offset_count, "number_of_field_offsets", "how many"),
};
/* clang-format on */
static const struct hf_fact_record dotnet_record =
    HF_FACT_TABLE("dotnet", struct hf_dotnet, dotnet_rows);

const struct hf_fact_module hf_dotnet_module = {.name = "dotnet",
                                                .record = &dotnet_record,
                                                .group_count = HF_DOTNET_GROUPS,
                                                .parse = dotnet_parse_group};
