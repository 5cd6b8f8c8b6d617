#include "facts/facts.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A module about a made-up format "toy": 'T' and then records of a length and a name. */
struct toy_item {
    uint8_t size;
    struct hf_bytes name;
};

struct toy_pair {
    struct hf_bytes key;
    uint32_t value;
};

struct toy_inner {
    int32_t depth;
    struct hf_bytes never;
};

struct toy {
    uint16_t wide;
    uint64_t large;
    bool flag;
    double ratio;
    struct hf_bytes text, missing;
    struct hf_optional maybe;
    struct toy_inner inner, empty;
    struct hf_fact_list items, numbers, pairs, nothing;
    unsigned parsed_first, parsed_second;
};

static const struct hf_fact_module toy_module;

static void twice(const struct hf_facts *facts, const void *record, struct hf_value *out)
{
    (void)facts;
    const struct toy_item *item = record;
    *out = hf_value_int(2 * item->size);
}

static void add(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    *out = hf_value_int(args[0].integer + args[1].integer);
}

static void length(struct hf_facts *facts, const struct hf_value *args,
                   struct hf_value *out)
{
    const struct toy *toy = hf_facts_need(facts, &toy_module, 1u << 1);
    *out = hf_value_int((int64_t)(args[0].string.len + toy->wide));
}

static const struct hf_fact_field item_rows[] = {
    HF_FACT_SCALAR(struct toy_item, size, "size", 0, "size in bytes"),
    HF_FACT_SCALAR(struct toy_item, name, "name", 0, "its name"),
    HF_FACT_COMPUTED("twice", HF_FACT_INT, 0, twice, "two times the size"),
};
static const struct hf_fact_record item_record =
    HF_FACT_TABLE("item", struct toy_item, item_rows);

static const struct hf_fact_field pair_rows[] = {
    HF_FACT_SCALAR(struct toy_pair, key, "key", 0, "key"),
    HF_FACT_SCALAR(struct toy_pair, value, "value", 0, "value"),
};
static const struct hf_fact_record pair_record =
    HF_FACT_TABLE("pair", struct toy_pair, pair_rows);

static const struct hf_fact_field inner_rows[] = {
    HF_FACT_SCALAR(struct toy_inner, depth, "depth", 0, "depth"),
};
static const struct hf_fact_record inner_record =
    HF_FACT_TABLE("inner", struct toy_inner, inner_rows);

static const struct hf_fact_field empty_rows[] = {
    HF_FACT_SCALAR(struct toy_inner, never, "never", 0, "never defined"),
};
static const struct hf_fact_record empty_record =
    HF_FACT_TABLE("empty", struct toy_inner, empty_rows);

static const struct hf_fact_field toy_rows[] = {
    HF_FACT_CONSTANT("ANSWER", 42, "a constant"),
    HF_FACT_CONSTANT("BIT_ONE", 1, "a bit"),
    HF_FACT_CONSTANT("BIT_BOTH", 3, "a mask, not shown"),
    HF_FACT_CONSTANT("BIT_TWO", 2, "a bit"),
    HF_FACT_CONSTANT("KIND_TWO", 2, "a kind"),
    HF_FACT_SCALAR(struct toy, wide, "wide", 1, "a | in the help"),
    HF_FACT_SCALAR(struct toy, large, "large", 1, "above INT64_MAX"),
    HF_FACT_SCALAR(struct toy, flag, "flag", 1, "a flag"),
    HF_FACT_SCALAR(struct toy, ratio, "ratio", 1, "a ratio"),
    HF_FACT_SCALAR(struct toy, text, "text", 1, "text"),
    HF_FACT_SCALAR(struct toy, missing, "missing", 1, "not there"),
    HF_FACT_SCALAR(struct toy, maybe, "maybe", 1, "perhaps there"),
    HF_FACT_RECORD(struct toy, inner, "inner", 1, &inner_record, "a struct"),
    HF_FACT_RECORD(struct toy, empty, "empty", 1, &empty_record, "a struct of nothing"),
    HF_FACT_LIST(struct toy, items, "items", 2, &item_record, "items"),
    HF_FACT_SCALARS(struct toy, numbers, "numbers", 2, uint16_t, "numbers"),
    HF_FACT_MAP(struct toy, pairs, "pairs", 2, &pair_record, HF_FACT_INT, "pairs"),
    HF_FACT_LIST(struct toy, nothing, "nothing", 2, &item_record, "always empty"),
    HF_FACT_CALL("add", "ii", HF_FACT_INT, add, "the sum"),
    HF_FACT_CALL("add", "s", HF_FACT_INT, length, "length and wide"),
};
static const struct hf_fact_record toy_record = HF_FACT_TABLE("toy", struct toy, toy_rows);

static struct toy_item some_items[] = {
    {1, {(const uint8_t *)"a\"b", 3}}, {2, {NULL, 0}}, {3, {(const uint8_t *)"", 0}}};
static const uint16_t some_numbers[] = {7, 8, 65535};
static struct toy_pair some_pairs[] = {{{(const uint8_t *)"k", 1}, 1},
                                       {{(const uint8_t *)"l", 1}, 2},
                                       {{(const uint8_t *)"k", 1}, 3}};

static enum hf_status parse_toy(struct hf_facts *facts, void *state, unsigned group)
{
    struct toy *toy = state;
    struct hf_cursor c = facts->object;
    if (hf_u8(&c) != 'T')
        return HF_NOTFOUND;
    if (group == 1) {
        toy->parsed_first++;
        toy->wide = 513;
        toy->large = UINT64_MAX - 1;
        toy->flag = true;
        toy->ratio = 0.5;
        toy->text = hf_take_rest(&c);
        toy->maybe = hf_optional_of(-3);
        toy->inner.depth = -9;
        return HF_OK;
    }
    toy->parsed_second++;
    toy->items = (struct hf_fact_list){some_items, 3};
    toy->numbers = (struct hf_fact_list){some_numbers, 3};
    toy->pairs = (struct hf_fact_list){some_pairs, 3};
    return HF_TRUNCATED;
}

static const struct hf_fact_module toy_module = {
    .name = "toy", .record = &toy_record, .group_count = 2, .parse = parse_toy};
static const struct hf_fact_module *const modules[] = {&toy_module};

static struct hf_facts open_toy(struct hf_arena *arena, const char *text)
{
    struct hf_cursor object = hf_cursor_open(text, strlen(text), NULL);
    return hf_facts_of(modules, 1, object, arena, NULL);
}

static size_t row(const char *name)
{
    size_t i = hf_fact_find(&toy_record, hf_bytes_text(name));
    assert_true(i < toy_record.field_count);
    return i;
}

static void test_scalars_are_read_by_the_type_of_their_member(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    struct hf_facts facts = open_toy(arena, "Trest");
    assert_true(hf_facts_get(&facts, 0, row("wide")).integer == 513);
    assert_true(hf_facts_get(&facts, 0, row("large")).integer == -2);
    struct hf_value flag = hf_facts_get(&facts, 0, row("flag"));
    assert_true(flag.type == HF_FACT_BOOL && flag.integer == 1);
    assert_true(hf_facts_get(&facts, 0, row("ratio")).real == 0.5);
    struct hf_value text = hf_facts_get(&facts, 0, row("text"));
    assert_true(hf_bytes_equal(text.string, hf_bytes_text("rest")));
    assert_false(hf_facts_get(&facts, 0, row("missing")).defined);
    assert_true(hf_facts_get(&facts, 0, row("maybe")).integer == -3);
    struct hf_value inner = hf_facts_get(&facts, 0, row("inner"));
    assert_true(hf_facts_member(&facts, &inner_record, inner.record, 0).integer == -9);
    assert_false(hf_facts_member(&facts, &inner_record, NULL, 0).defined);
}

static void test_a_group_is_parsed_once_and_only_when_asked(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    struct hf_facts facts = open_toy(arena, "T");
    assert_true(hf_facts_get(&facts, 0, row("ANSWER")).integer == 42);
    assert_null(facts.state[0].data);
    for (int i = 0; i < 3; i++)
        (void)hf_facts_get(&facts, 0, row("wide"));
    const struct toy *toy = hf_facts_need(&facts, &toy_module, 0);
    assert_int_equal(toy->parsed_first, 1);
    assert_int_equal(toy->parsed_second, 0);
    assert_int_equal(facts.state[0].status, HF_OK);
    (void)hf_facts_get(&facts, 0, row("items"));
    assert_int_equal(toy->parsed_second, 1);
    assert_int_equal(facts.state[0].status, HF_TRUNCATED);
    assert_true(hf_facts_present(&facts, &toy_module, 2));
}

static void test_another_format_leaves_all_but_constants_undefined(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    struct hf_facts facts = open_toy(arena, "other");
    for (size_t i = 0; i < toy_record.field_count; i++)
        if (toy_rows[i].repr != HF_REPR_CONSTANT)
            assert_false(hf_facts_get(&facts, 0, i).defined);
    assert_true(hf_facts_get(&facts, 0, row("ANSWER")).defined);
    assert_false(hf_facts_present(&facts, &toy_module, 1));
    HF_AUTO(hf_buffer_done) struct hf_buffer json = {0};
    hf_facts_json(&facts, 0, 100, &json);
    assert_true(hf_bytes_equal(hf_buffer_view(&json), hf_bytes_text("{}")));
}

static void test_lists_are_read_by_place_and_key(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    struct hf_facts facts = open_toy(arena, "T");
    const struct hf_fact_field *f = &toy_rows[row("items")];
    struct hf_value items = hf_facts_get(&facts, 0, row("items"));
    struct hf_value third = hf_facts_index(&facts, f, items, 2);
    assert_true(hf_facts_member(&facts, &item_record, third.record, 2).integer == 6);
    assert_false(hf_facts_index(&facts, f, items, 3).defined);
    assert_false(hf_facts_index(&facts, f, items, UINT64_MAX).defined);

    f = &toy_rows[row("numbers")];
    struct hf_value numbers = hf_facts_get(&facts, 0, row("numbers"));
    assert_true(hf_facts_index(&facts, f, numbers, 2).integer == 65535);

    f = &toy_rows[row("pairs")];
    struct hf_value pairs = hf_facts_get(&facts, 0, row("pairs")), key;
    assert_true(hf_facts_lookup(&facts, f, pairs, hf_bytes_text("l")).integer == 2);
    assert_true(hf_facts_lookup(&facts, f, pairs, hf_bytes_text("k")).integer == 3);
    assert_false(hf_facts_lookup(&facts, f, pairs, hf_bytes_text("m")).defined);
    assert_true(hf_facts_entry(&facts, f, pairs, 1, &key).integer == 2);
    assert_true(hf_bytes_equal(key.string, hf_bytes_text("l")));
}

static void test_overloads_are_chosen_by_argument_types(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    struct hf_facts facts = open_toy(arena, "T");
    size_t sum = hf_fact_find_call(&toy_record, hf_bytes_text("add"), "ii");
    size_t len = hf_fact_find_call(&toy_record, hf_bytes_text("add"), "s");
    assert_true(sum != len);
    assert_true(hf_fact_find_call(&toy_record, hf_bytes_text("add"), "f") == SIZE_MAX);
    struct hf_value args[] = {hf_value_int(40), hf_value_int(2)};
    assert_true(hf_facts_call(&facts, &toy_rows[sum], args).integer == 42);
    args[0] = hf_value_string(hf_bytes_text("abc"));
    assert_true(hf_facts_call(&facts, &toy_rows[len], args).integer == 516);
    args[0].defined = false;
    assert_false(hf_facts_call(&facts, &toy_rows[len], args).defined);
}

static void check_json(const char *object, size_t list_max, const char *expected)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    HF_AUTO(hf_buffer_done) struct hf_buffer json = {0};
    struct hf_facts facts = open_toy(arena, object);
    hf_facts_json(&facts, 0, list_max, &json);
    hf_buffer_u8(&json, 0);
    assert_string_equal((const char *)json.data, expected);
}

static void test_json_holds_what_is_defined(void **state)
{
    (void)state;
    check_json(
        "T\xff", 10,
        "{\"wide\":513,\"large\":-2,\"flag\":true,\"ratio\":0.5,\"text\":\"\\udcff\","
        "\"maybe\":-3,\"inner\":{\"depth\":-9},"
        "\"items\":[{\"size\":1,\"name\":\"a\\\"b\",\"twice\":2},{\"size\":2,\"twice\":4},"
        "{\"size\":3,\"name\":\"\",\"twice\":6}],"
        "\"numbers\":[7,8,65535],\"pairs\":{\"l\":2,\"k\":3}}");
}

static void test_json_says_what_was_cut(void **state)
{
    (void)state;
    check_json(
        "T!", 1,
        "{\"wide\":513,\"large\":-2,\"flag\":true,\"ratio\":0.5,\"text\":\"!\",\"maybe\":-3,"
        "\"inner\":{\"depth\":-9},\"items\":[{\"size\":1,\"name\":\"a\\\"b\",\"twice\":2}],"
        "\"items_cut\":2,\"numbers\":[7],\"numbers_cut\":2,\"pairs\":{},"
        "\"pairs_cut\":2}");
}

static void test_json_stays_json_when_the_budget_ends(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    HF_AUTO(hf_buffer_done) struct hf_buffer json = {0};
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 2});
    struct hf_facts facts =
        hf_facts_of(modules, 1, hf_cursor_open("T", 1, &budget), arena, NULL);
    hf_facts_json(&facts, 0, 10, &json);
    hf_buffer_u8(&json, 0);
    assert_non_null(strstr((const char *)json.data, "{\"size\":2,\"twice\":4}]}"));
    assert_null(strstr((const char *)json.data, "numbers"));
}

struct count {
    unsigned open, close, values, stop_at;
};

static bool count_event(void *user, const struct hf_fact_event *event)
{
    struct count *n = user;
    n->open += event->kind == HF_FACT_EVENT_OPEN;
    n->close += event->kind == HF_FACT_EVENT_CLOSE;
    n->values += event->kind == HF_FACT_EVENT_VALUE;
    return n->open + n->close + n->values != n->stop_at;
}

static void test_a_walk_opens_and_closes_alike_and_can_be_ended(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    struct hf_facts facts = open_toy(arena, "T");
    struct hf_fact_bounds bounds = {.list_max = 100, .string_max = 2};
    struct count n = {0};
    assert_true(hf_facts_walk(&facts, 0, bounds, count_event, &n));
    assert_int_equal(n.open, n.close);
    assert_int_equal(n.open,
                     8); /* module, inner, items and three of them, numbers, pairs */
    for (unsigned stop = 1; stop < n.open + n.close + n.values; stop++) {
        struct count m = {.stop_at = stop};
        assert_false(hf_facts_walk(&facts, 0, bounds, count_event, &m));
        assert_int_equal(m.open + m.close + m.values, stop);
    }
}

static void test_numbers_have_the_names_of_constants(void **state)
{
    (void)state;
    static const struct hf_fact_naming kind = {&toy_record, "wide", "KIND_", NULL, false};
    static const struct hf_fact_naming bits = {&toy_record, "wide", "BIT_", "a bit", true};
    static const struct {
        const struct hf_fact_naming *naming;
        int64_t value;
        const char *label;
    } rows[] = {
        {&kind, 2, "TWO"}, {&kind, 42, ""},
        {&bits, 0, ""},    {&bits, 3, "ONE TWO"},
        {&bits, 2, "TWO"}, {&bits, 0x11, "ONE 0x10"},
        {&bits, 0x10, ""}, {&bits, -1, "ONE TWO 0xfffffffffffffffc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char room[HF_FACT_LABEL_MAX];
        struct hf_bytes label =
            hf_fact_label(&toy_module, rows[i].naming, rows[i].value, room);
        assert_true(hf_bytes_equal(label, hf_bytes_text(rows[i].label)));
    }
}

static void test_the_reference_names_every_row(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer page = {0};
    hf_facts_reference(&toy_module, &page);
    hf_buffer_u8(&page, 0);
    const char *text = (const char *)page.data;
    assert_non_null(strstr(text, "| `toy.wide` | integer | a \\| in the help |\n"));
    assert_non_null(
        strstr(text, "| `toy.items[].twice` | integer | two times the size |\n"));
    assert_non_null(strstr(text, "| `toy.pairs` | dictionary of integer | pairs |\n"));
    assert_non_null(strstr(text, "| `toy.add(integer, integer)` | integer | the sum |\n"));
    assert_non_null(strstr(text, "| `toy.ANSWER` | 42 | a constant |\n"));
}

static void test_the_fingerprint_changes_with_the_schema(void **state)
{
    (void)state;
    uint8_t a[16], b[16], c[16];
    hf_facts_fingerprint(modules, 1, a);
    hf_facts_fingerprint(modules, 1, b);
    assert_memory_equal(a, b, 16);
    struct hf_fact_field rows[sizeof toy_rows / sizeof *toy_rows];
    memcpy(rows, toy_rows, sizeof rows);
    struct hf_fact_record record = toy_record;
    struct hf_fact_module module = toy_module;
    const struct hf_fact_module *const changed[] = {&module};
    record.fields = rows;
    module.record = &record;
    rows[1].help = "another help is the same schema";
    hf_facts_fingerprint(changed, 1, c);
    assert_memory_equal(a, c, 16);
    rows[1].name = "wider";
    hf_facts_fingerprint(changed, 1, c);
    assert_memory_not_equal(a, c, 8);
    assert_memory_not_equal(a + 8, c + 8, 8);
    rows[1].name = "wide";
    rows[0].constant = 43;
    hf_facts_fingerprint(changed, 1, c);
    assert_memory_not_equal(a, c, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_are_read_by_the_type_of_their_member),
        cmocka_unit_test(test_a_group_is_parsed_once_and_only_when_asked),
        cmocka_unit_test(test_another_format_leaves_all_but_constants_undefined),
        cmocka_unit_test(test_lists_are_read_by_place_and_key),
        cmocka_unit_test(test_overloads_are_chosen_by_argument_types),
        cmocka_unit_test(test_json_holds_what_is_defined),
        cmocka_unit_test(test_json_says_what_was_cut),
        cmocka_unit_test(test_json_stays_json_when_the_budget_ends),
        cmocka_unit_test(test_a_walk_opens_and_closes_alike_and_can_be_ended),
        cmocka_unit_test(test_numbers_have_the_names_of_constants),
        cmocka_unit_test(test_the_reference_names_every_row),
        cmocka_unit_test(test_the_fingerprint_changes_with_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
