/* module_test_proto.c - the modules that YARA-X's own tests import, so that they can be run. In
 * builds with tests only. Dictionaries with integers as keys are missing: the language has none.
 * [yara-x lib/src/modules/test_proto2, test_proto3] */
#include "facts/modules.h"

#include <ctype.h>

enum { ALL = 1 };

struct nested {
    struct hf_bytes key; /* of the dictionary */
    uint8_t zero, one;
    bool flag;
    struct hf_bytes text;
    struct hf_fact_list numbers;
};

struct numbers {
    uint8_t zero, one;
    double real_zero, real_one;
    struct hf_optional undefined;
};

struct entry {
    struct hf_bytes key;
    int64_t number;
    double real;
    bool flag;
    struct hf_bytes text;
};

struct proto {
    struct numbers numbers;
    struct hf_bytes foo, bar, none;
    struct nested nested;
    bool flag;
    uint64_t file_size;
    struct hf_fact_list integers, reals, flags, strings, structs, by_name, ones, foos;
};

static const int64_t integers[] = {1, 10, 100};
static const double reals[] = {1, 10, 100};
static const bool flags[] = {false, true};
static struct hf_bytes strings[3];
static struct nested structs[2];
static struct entry one_entry, foo_entry;

static enum hf_status parse(struct hf_facts *facts, void *state, unsigned group)
{
    (void)group;
    struct proto *p = state;
    struct hf_cursor whole = hf_cursor_at(&facts->object, 0);
    const struct hf_bytes foo = hf_bytes_text("foo"), bar = hf_bytes_text("bar");
    p->numbers = (struct numbers){.one = 1, .real_one = 1};
    p->foo = foo;
    p->bar = bar;
    p->nested = (struct nested){.key = foo, .one = 1, .numbers = {integers, 3}};
    p->flag = true;
    p->file_size = hf_cursor_left(&whole);
    strings[0] = foo;
    strings[1] = bar;
    strings[2] = hf_bytes_text("baz");
    structs[0] = structs[1] = p->nested;
    structs[1].flag = true;
    one_entry = (struct entry){.key = hf_bytes_text("one"), .number = 1, .real = 1};
    foo_entry = (struct entry){.key = foo, .flag = true, .text = hf_bytes_text("FOO")};
    p->integers = (struct hf_fact_list){integers, 3};
    p->reals = (struct hf_fact_list){reals, 3};
    p->flags = (struct hf_fact_list){flags, 2};
    p->strings = (struct hf_fact_list){strings, 3};
    p->structs = (struct hf_fact_list){structs, 2};
    p->by_name = (struct hf_fact_list){structs, 1};
    p->ones = (struct hf_fact_list){&one_entry, 1};
    p->foos = (struct hf_fact_list){&foo_entry, 1};
    return HF_OK;
}

/* Fields of proto3 that nobody set are zero or empty. */
static enum hf_status parse_3(struct hf_facts *facts, void *state, unsigned group)
{
    struct proto *p = state;
    enum hf_status st = parse(facts, state, group);
    p->numbers.undefined = hf_optional_of(0);
    p->none = hf_bytes_of("", 0);
    p->flag = false;
    return st;
}

/* ---- functions ---- */

static void add_integers(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    (void)facts;
    *out = hf_value_int((int64_t)((uint64_t)args[0].integer + (uint64_t)args[1].integer));
}

static void add_reals(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    (void)facts;
    *out = hf_value_real(args[0].real + args[1].real);
}

static void uppercase(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    char *text = hf_arena_text(facts->arena, args[0].string);
    for (size_t i = 0; text != NULL && i < args[0].string.len; i++)
        text[i] = (char)toupper((unsigned char)text[i]);
    if (text != NULL)
        *out = hf_value_string(hf_bytes_of(text, args[0].string.len));
}

static void undef(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    (void)args;
    (void)out;
}

static void head(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    struct hf_cursor c = hf_cursor_at(&facts->object, 0);
    struct hf_bytes bytes = hf_take(&c, (uint64_t)args[0].integer);
    if (!c.failed)
        *out = hf_value_string(bytes);
}

static void get_foo(struct hf_facts *facts, const struct hf_value *args,
                    struct hf_value *out)
{
    (void)facts;
    (void)args;
    *out = hf_value_string(hf_bytes_text("foo"));
}

static void to_int(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    struct hf_bytes s = args[0].string;
    int64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9' || value > INT64_MAX / 10 - 1)
            return;
        value = value * 10 + (s.data[i] - '0');
    }
    if (s.len > 0)
        *out = hf_value_int(value);
}

static void nested_func(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    (void)facts;
    (void)args;
    *out = hf_value_bool(true);
}

static void nested_method(const struct hf_facts *facts, const void *record,
                          const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    (void)args;
    const struct nested *nested = record;
    *out = hf_value_bool(nested->flag);
}

static void no_real(const struct hf_facts *facts, const void *record, struct hf_value *out)
{
    (void)facts;
    (void)record;
    (void)out;
}

static void zero_real(const struct hf_facts *facts, const void *record,
                      struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_real(0);
}

/* ---- schema ---- */

#define N(M, NAME) HF_FACT_SCALAR(struct nested, M, NAME, 0, "of a nested struct")
static const struct hf_fact_field nested_rows[] = {
    N(key, ""),
    N(zero, "nested_int32_zero"),
    N(zero, "nested_int64_zero"),
    N(one, "nested_int32_one"),
    N(one, "nested_int64_one"),
    N(flag, "nested_bool"),
    N(text, "nested_string"),
    HF_FACT_SCALARS(struct nested, numbers, "nested_array_int64", 0, int64_t, "integers"),
    HF_FACT_CALL("nested_func", "", HF_FACT_BOOL, nested_func, "true"),
    HF_FACT_METHOD("nested_method", "", HF_FACT_BOOL, nested_method, "nested_bool"),
};
static const struct hf_fact_record nested_record =
    HF_FACT_TABLE("nested", struct nested, nested_rows);

static const struct hf_fact_field enumeration_rows[] = {
    HF_FACT_CONSTANT("ITEM_0", 0, "an item"),
    HF_FACT_CONSTANT("ITEM_1", 1, "an item"),
    HF_FACT_CONSTANT("ITEM_2", 0x7fffffffffff, "an item"),
    HF_FACT_CONSTANT("ITEM_3", -1, "an item"),
};
static const struct hf_fact_record enumeration =
    HF_FACT_TABLE("Enumeration", struct proto, enumeration_rows);

static const struct hf_fact_field items_rows[] = {
    HF_FACT_CONSTANT("ITEM_4", 0, "an item"),
    HF_FACT_CONSTANT("ITEM_5", 1, "an item"),
};
static const struct hf_fact_record items = HF_FACT_TABLE("items", struct proto, items_rows);

static const struct hf_fact_field top_level_rows[] = {
    HF_FACT_CONSTANT("ITEM_0x1000", 0x1000, "an item"),
    HF_FACT_CONSTANT("ITEM_0x2000", 0x2000, "an item"),
};
static const struct hf_fact_record top_level =
    HF_FACT_TABLE("TopLevelEnumeration", struct proto, top_level_rows);

#define ENTRY_RECORD(NAME, MEMBER)                                                         \
    static const struct hf_fact_field NAME##_rows[] = {                                    \
        HF_FACT_SCALAR(struct entry, key, "key", 0, "key"),                                \
        HF_FACT_SCALAR(struct entry, MEMBER, "value", 0, "value"),                         \
    };                                                                                     \
    static const struct hf_fact_record NAME =                                              \
        HF_FACT_TABLE(#NAME, struct entry, NAME##_rows)
ENTRY_RECORD(number_entry, number);
ENTRY_RECORD(real_entry, real);
ENTRY_RECORD(flag_entry, flag);
ENTRY_RECORD(text_entry, text);

#define INTEGER(TYPE)                                                                      \
    HF_FACT_SCALAR(struct proto, numbers.zero, TYPE "_zero", ALL, "0"),                    \
        HF_FACT_SCALAR(struct proto, numbers.one, TYPE "_one", ALL, "1"),                  \
        HF_FACT_SCALAR(struct proto, numbers.undefined, TYPE "_undef", ALL, "not set")
#define INTEGERS                                                                           \
    INTEGER("int32"), INTEGER("int64"), INTEGER("sint32"), INTEGER("sint64"),              \
        INTEGER("uint32"), INTEGER("uint64"), INTEGER("fixed32"), INTEGER("fixed64"),      \
        INTEGER("sfixed32"), INTEGER("sfixed64")
#define STRINGS(TYPE)                                                                      \
    HF_FACT_SCALAR(struct proto, foo, TYPE "_foo", ALL, "foo"),                            \
        HF_FACT_SCALAR(struct proto, bar, TYPE "_bar", ALL, "bar"),                        \
        HF_FACT_SCALAR(struct proto, none, TYPE "_undef", ALL, "not set")
#define REAL(TYPE, UNDEFINED)                                                              \
    HF_FACT_SCALAR(struct proto, numbers.real_zero, TYPE "_zero", ALL, "0.0"),             \
        HF_FACT_SCALAR(struct proto, numbers.real_one, TYPE "_one", ALL, "1.0"),           \
        HF_FACT_COMPUTED(TYPE "_undef", HF_FACT_FLOAT, ALL, UNDEFINED, "not set")
#define MAP(LIST, NAME, RECORD, TYPE)                                                      \
    HF_FACT_MAP(struct proto, LIST, NAME, ALL, &RECORD, TYPE, "a dictionary")

static const struct hf_fact_field proto2_rows[] = {
    HF_FACT_CONSTANT("INLINE_0x1000", 0x1000, "an item"),
    HF_FACT_CONSTANT("INLINE_0x2000", 0x2000, "an item"),
    INTEGERS,
    REAL("float", no_real),
    REAL("double", no_real),
    STRINGS("string"),
    STRINGS("bytes"),
    HF_FACT_RECORD(struct proto, nested, "nested", ALL, &nested_record, "a struct"),
    HF_FACT_RECORD(struct proto, numbers, "Enumeration", ALL, &enumeration, "items"),
    HF_FACT_RECORD(struct proto, numbers, "items", ALL, &items, "items"),
    HF_FACT_RECORD(struct proto, numbers, "TopLevelEnumeration", ALL, &top_level, "items"),
    HF_FACT_SCALAR(struct proto, numbers.undefined, "enumeration", ALL, "not set"),
    HF_FACT_SCALARS(struct proto, integers, "array_int64", ALL, int64_t, "1, 10, 100"),
    HF_FACT_SCALARS(struct proto, reals, "array_float", ALL, double, "1, 10, 100"),
    HF_FACT_SCALARS(struct proto, flags, "array_bool", ALL, bool, "false, true"),
    HF_FACT_SCALARS(struct proto, strings, "array_string", ALL, struct hf_bytes, "three"),
    HF_FACT_LIST(struct proto, structs, "array_struct", ALL, &nested_record, "two"),
    MAP(by_name, "map_string_struct", nested_record, HF_FACT_STRUCT),
    MAP(ones, "map_string_int64", number_entry, HF_FACT_INT),
    MAP(ones, "map_string_float", real_entry, HF_FACT_FLOAT),
    MAP(foos, "map_string_string", text_entry, HF_FACT_STRING),
    MAP(foos, "map_string_bool", flag_entry, HF_FACT_BOOL),
    HF_FACT_SCALAR(struct proto, flag, "bool_yara", ALL, "true"),
    HF_FACT_SCALAR(struct proto, file_size, "file_size", ALL, "bytes"),
    HF_FACT_CALL("add", "ii", HF_FACT_INT, add_integers, "the sum"),
    HF_FACT_CALL("add", "ff", HF_FACT_FLOAT, add_reals, "the sum"),
    HF_FACT_CALL("uppercase", "s", HF_FACT_STRING, uppercase, "in capitals"),
    HF_FACT_CALL("undef_i64", "", HF_FACT_INT, undef, "never defined"),
    HF_FACT_CALL("head", "i", HF_FACT_STRING, head, "so many bytes of the object"),
    HF_FACT_CALL("get_foo", "", HF_FACT_STRING, get_foo, "foo"),
    HF_FACT_CALL("to_int", "s", HF_FACT_INT, to_int, "the number"),
};
static const struct hf_fact_record proto2_record =
    HF_FACT_TABLE("test_proto2", struct proto, proto2_rows);
const struct hf_fact_module hf_test_proto2_module = {
    .name = "test_proto2", .record = &proto2_record, .group_count = 1, .parse = parse};

static const struct hf_fact_field proto3_rows[] = {
    INTEGERS,
    REAL("float", zero_real),
    STRINGS("string"),
    STRINGS("bytes"),
    HF_FACT_SCALAR(struct proto, flag, "bool_undef", ALL, "false"),
};
static const struct hf_fact_record proto3_record =
    HF_FACT_TABLE("test_proto3", struct proto, proto3_rows);
const struct hf_fact_module hf_test_proto3_module = {
    .name = "test_proto3", .record = &proto3_record, .group_count = 1, .parse = parse_3};
