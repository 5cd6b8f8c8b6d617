/* module_tests.c - the module that YARA's own tests import, so that they can be run: constants,
 * arrays with holes, dictionaries, functions with overloads. In builds with tests only.
 * [yara 4.5 libyara/modules/tests] */
#include "facts/modules.h"

enum { ALL = 1, HOLE_END = 257 };

struct constants {
    uint8_t one, two;
    struct hf_bytes foo, empty;
};

struct undefined {
    struct hf_optional i;
};

struct thing {
    struct hf_optional i;
    struct hf_bytes s;
};

struct pair {
    struct hf_bytes key, value;
};

struct number {
    struct hf_bytes key;
    int64_t value;
};

struct named_thing {
    struct hf_bytes key;
    struct thing thing;
};

struct tests {
    struct constants constants;
    struct undefined undefined;
    struct hf_bytes module_data;
    struct hf_fact_list integers, strings, things, no_numbers, pairs, named, nothing;
};

static struct hf_optional integers[HOLE_END];
static struct hf_bytes strings[4];
static struct thing things[2];
static struct pair pairs[2];
static struct named_thing named[1];

static enum hf_status parse(struct hf_facts *facts, void *state, unsigned group)
{
    (void)group;
    struct tests *t = state;
    const struct hf_bytes foo = hf_bytes_text("foo"), bar = hf_bytes_text("bar");
    static const int64_t set[] = {0, 1, 2, HOLE_END - 1};
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        integers[set[i]] = hf_optional_of(set[i]);
    strings[0] = foo;
    strings[1] = bar;
    strings[2] = hf_bytes_text("baz");
    strings[3] = hf_bytes_of("foo\0bar", 7);
    things[1].i = hf_optional_of(1);
    pairs[0] = (struct pair){foo, foo};
    pairs[1] = (struct pair){bar, bar};
    named[0] = (struct named_thing){foo, {hf_optional_of(1), foo}};
    t->constants = (struct constants){1, 2, foo, hf_bytes_of("", 0)};
    t->integers = (struct hf_fact_list){integers, HOLE_END};
    t->strings = (struct hf_fact_list){strings, 4};
    t->things = (struct hf_fact_list){things, 2};
    t->pairs = (struct hf_fact_list){pairs, 2};
    t->named = (struct hf_fact_list){named, 1};
    if (facts->outside != NULL && facts->outside->tests.len > 0)
        t->module_data = facts->outside->tests;
    return HF_OK;
}

/* ---- functions ---- */

static void match(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    struct hf_bytes s = args[1].string;
    const uint8_t *zero = s.len == 0 ? NULL : memchr(s.data, 0, s.len);
    if (zero != NULL)
        s.len = (size_t)(zero - s.data);
    *out = hf_value_int(args[0].regex->end(args[0].regex, s));
}

static void isum_2(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    *out = hf_value_int((int64_t)((uint64_t)args[0].integer + (uint64_t)args[1].integer));
}

static void isum_3(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    isum_2(facts, args, out);
    *out = hf_value_int((int64_t)((uint64_t)out->integer + (uint64_t)args[2].integer));
}

static void fsum_2(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    *out = hf_value_real(args[0].real + args[1].real);
}

static void fsum_3(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    *out = hf_value_real(args[0].real + args[1].real + args[2].real);
}

/* As strlen has it. */
static void length(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    struct hf_bytes s = args[0].string;
    const uint8_t *zero = s.len == 0 ? NULL : memchr(s.data, 0, s.len);
    *out = hf_value_int(zero != NULL ? zero - s.data : (int64_t)s.len);
}

static void empty(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    (void)args;
    *out = hf_value_string(hf_bytes_of("", 0));
}

static void foobar(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    (void)facts;
    int64_t which = args[0].integer;
    *out = hf_value_string(hf_bytes_text(which == 1 ? "foo" : which == 2 ? "bar" : "oops"));
}

static void nothing(const struct hf_facts *facts, const void *record, struct hf_value *out)
{
    (void)facts;
    (void)record;
    (void)out;
}

/* ---- schema ---- */

static const struct hf_fact_field constant_rows[] = {
    HF_FACT_SCALAR(struct constants, one, "one", 0, "1"),
    HF_FACT_SCALAR(struct constants, two, "two", 0, "2"),
    HF_FACT_SCALAR(struct constants, foo, "foo", 0, "foo"),
    HF_FACT_SCALAR(struct constants, empty, "empty", 0, "an empty string"),
};
static const struct hf_fact_record constant_record =
    HF_FACT_TABLE("constants", struct constants, constant_rows);

static const struct hf_fact_field undefined_rows[] = {
    HF_FACT_SCALAR(struct undefined, i, "i", 0, "never defined"),
    HF_FACT_COMPUTED("f", HF_FACT_FLOAT, 0, nothing, "never defined"),
};
static const struct hf_fact_record undefined_record =
    HF_FACT_TABLE("undefined", struct undefined, undefined_rows);

static const struct hf_fact_field thing_rows[] = {
    HF_FACT_SCALAR(struct thing, i, "i", 0, "an integer"),
    HF_FACT_SCALAR(struct thing, s, "s", 0, "a string"),
};
static const struct hf_fact_record thing_record =
    HF_FACT_TABLE("thing", struct thing, thing_rows);

static const struct hf_fact_field named_rows[] = {
    HF_FACT_SCALAR(struct named_thing, key, "", 0, "key"),
    HF_FACT_SCALAR(struct named_thing, thing.i, "i", 0, "an integer"),
    HF_FACT_SCALAR(struct named_thing, thing.s, "s", 0, "a string"),
};
static const struct hf_fact_record named_record =
    HF_FACT_TABLE("named_thing", struct named_thing, named_rows);

static const struct hf_fact_field pair_rows[] = {
    HF_FACT_SCALAR(struct pair, key, "key", 0, "key"),
    HF_FACT_SCALAR(struct pair, value, "value", 0, "value"),
};
static const struct hf_fact_record pair_record =
    HF_FACT_TABLE("pair", struct pair, pair_rows);

static const struct hf_fact_field number_rows[] = {
    HF_FACT_SCALAR(struct number, key, "key", 0, "key"),
    HF_FACT_SCALAR(struct number, value, "value", 0, "value"),
};
static const struct hf_fact_record number_record =
    HF_FACT_TABLE("number", struct number, number_rows);

/* Shapes of what is always empty. */
struct unused {
    struct hf_bytes key;
    struct hf_optional number;
    struct hf_bytes text;
    struct hf_fact_list list;
};

static const struct hf_fact_field unused_number_rows[] = {
    HF_FACT_SCALAR(struct unused, key, "", 0, "key"),
    HF_FACT_SCALAR(struct unused, number, "unused", 0, "never defined"),
};
static const struct hf_fact_record unused_number =
    HF_FACT_TABLE("unused_number", struct unused, unused_number_rows);

static const struct hf_fact_field unused_text_rows[] = {
    HF_FACT_SCALAR(struct unused, key, "", 0, "key"),
    HF_FACT_SCALAR(struct unused, text, "unused", 0, "never defined"),
};
static const struct hf_fact_record unused_text =
    HF_FACT_TABLE("unused_text", struct unused, unused_text_rows);

static const struct hf_fact_field unused_rows[] = {
    HF_FACT_LIST(struct unused, list, "struct_array", 0, &unused_text, "always empty"),
    HF_FACT_MAP(struct unused, list, "struct_dict", 0, &unused_text, HF_FACT_STRUCT,
                "always empty"),
};
static const struct hf_fact_record unused_record =
    HF_FACT_TABLE("unused", struct unused, unused_rows);

static const struct hf_fact_field tests_rows[] = {
    HF_FACT_RECORD(struct tests, constants, "constants", ALL, &constant_record,
                   "constants"),
    HF_FACT_RECORD(struct tests, undefined, "undefined", ALL, &undefined_record,
                   "undefined"),
    HF_FACT_SCALAR(struct tests, module_data, "module_data", ALL, "given from outside"),
    HF_FACT_SCALARS(struct tests, integers, "integer_array", ALL, struct hf_optional,
                    "at 0, 1, 2 and 256"),
    HF_FACT_SCALARS(struct tests, strings, "string_array", ALL, struct hf_bytes, "four"),
    HF_FACT_MAP(struct tests, no_numbers, "integer_dict", ALL, &number_record, HF_FACT_INT,
                "always empty"),
    HF_FACT_MAP(struct tests, pairs, "string_dict", ALL, &pair_record, HF_FACT_STRING,
                "foo and bar"),
    HF_FACT_LIST(struct tests, things, "struct_array", ALL, &thing_record, "the second"),
    HF_FACT_MAP(struct tests, named, "struct_dict", ALL, &named_record, HF_FACT_STRUCT,
                "foo"),
    HF_FACT_MAP(struct tests, nothing, "empty_struct_dict", ALL, &unused_number,
                HF_FACT_STRUCT, "always empty"),
    HF_FACT_LIST(struct tests, nothing, "empty_struct_array", ALL, &unused_record,
                 "always empty"),
    HF_FACT_CALL("match", "rs", HF_FACT_INT, match, "end of the last match, -1: none"),
    HF_FACT_CALL("isum", "ii", HF_FACT_INT, isum_2, "the sum"),
    HF_FACT_CALL("isum", "iii", HF_FACT_INT, isum_3, "the sum"),
    HF_FACT_CALL("fsum", "ff", HF_FACT_FLOAT, fsum_2, "the sum"),
    HF_FACT_CALL("fsum", "fff", HF_FACT_FLOAT, fsum_3, "the sum"),
    HF_FACT_CALL("length", "s", HF_FACT_INT, length, "bytes up to a zero"),
    HF_FACT_CALL("empty", "", HF_FACT_STRING, empty, "an empty string"),
    HF_FACT_CALL("foobar", "i", HF_FACT_STRING, foobar, "foo, bar or oops"),
};
static const struct hf_fact_record tests_record =
    HF_FACT_TABLE("tests", struct tests, tests_rows);
const struct hf_fact_module hf_tests_module = {
    .name = "tests", .record = &tests_record, .group_count = 1, .parse = parse};
