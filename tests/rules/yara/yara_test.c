/* The YARA compiler: what is accepted, refused, said; and what conditions answer. */
#include "rules/yara/yara.h"

#include "base/auto.h"
#include "evaluate.h"
#include "format/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct heard {
    struct hf_yara *yara;
    unsigned errors, warnings;
    unsigned line, column; /* of the first error */
    char rule[64], text[256], source[256];
};

static void hear(void *user, const struct hf_yara_message *m)
{
    struct heard *h = user;
    if (m->warning) {
        h->warnings++;
        return;
    }
    if (h->errors++ > 0)
        return;
    h->line = m->line;
    h->column = m->column;
    snprintf(h->rule, sizeof h->rule, "%s", m->rule);
    snprintf(h->text, sizeof h->text, "%s", m->text);
    snprintf(h->source, sizeof h->source, "%.*s", (int)m->source_line.len,
             (const char *)m->source_line.data);
}

static enum hf_status include(void *user, const char *path, const char *from,
                              struct hf_arena *arena, const char **name,
                              struct hf_bytes *text)
{
    (void)user;
    (void)from;
    *name = hf_arena_text(arena, hf_bytes_text(path));
    if (strcmp(path, "good") == 0)
        *text = hf_bytes_text("rule included { condition: true }");
    else if (strcmp(path, "itself") == 0)
        *text = hf_bytes_text("include \"itself\"");
    else
        return HF_NOTFOUND;
    return HF_OK;
}

static const struct hf_yara_external externals[] = {
    {"number", {.defined = true, .type = HF_FACT_INT, .integer = 7}},
    {"text",
     {.defined = true, .type = HF_FACT_STRING, .string = {(const uint8_t *)"abc", 3}}},
};

static struct heard compile(const char *source)
{
    struct heard h = {0};
    struct hf_yara_options options = {.modules = hf_fact_modules,
                                      .module_count = hf_fact_module_count,
                                      .externals = externals,
                                      .external_count = 2,
                                      .include = include,
                                      .message = hear,
                                      .user = &h};
    h.yara = hf_yara_new(&options);
    assert_non_null(h.yara);
    enum hf_status st = hf_yara_add(h.yara, "test.yar", NULL, hf_bytes_text(source));
    assert_int_equal(st, h.errors > 0 ? HF_MALFORMED : HF_OK);
    return h;
}

/* ---- recovery and messages ---- */

static void test_a_bad_rule_is_left_out_and_the_others_live(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "rule bad { condition: foo }",
        "rule bad { condition: (true }",
        "rule bad { strings: $a = { 00 [2-1] 11 } condition: $a }",
        "rule bad { strings: $a = { 00 \n condition: $a\n}",
        "rule bad { strings: $a = /x(/ condition: $a }",
        "rule bad { strings: $a = \"x\n condition: $a }",
        "rule bad { strings: $a = \"x\" condition: true }",
        "rule bad : t t { condition: true }",
        "rule bad { condition: 9223372036854775807 + 1 == 0 }",
        "rule first { condition: true }",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char source[400];
        snprintf(source, sizeof source,
                 "rule first { condition: true }\n%s\nrule last { condition: first }\n",
                 bad[i]);
        struct heard h = compile(source);
        assert_true(h.errors > 0);
        assert_int_equal(h.line, 2);
        assert_int_equal(hf_yara_count(h.yara), 2);
        assert_string_equal(hf_yara_rule(h.yara, 0)->name, "first");
        assert_string_equal(hf_yara_rule(h.yara, 1)->name, "last");
        hf_yara_free(h.yara);
    }
}

static void test_rules_that_refer_to_a_bad_rule_are_left_out(void **state)
{
    (void)state;
    struct heard h = compile("rule a { condition: foo }\nrule b { condition: a }\n"
                             "rule c { condition: not b }\nrule d { condition: true }\n");
    assert_int_equal(h.errors, 3);
    assert_int_equal(hf_yara_count(h.yara), 1);
    hf_yara_free(h.yara);
}

static void test_messages_say_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        unsigned line, column;
        const char *text;
    } cases[] = {
        {"rule a {\n  condition:\n    foo\n}", 3, 5, "undefined identifier \"foo\""},
        {"rule a { condition: $x }", 1, 21, "undefined string \"$x\""},
        {"rule a { strings: $x = \"y\" condition: true }", 1, 19,
         "unreferenced string \"$x\""},
        {"rule a { strings: $x = \"\" condition: $x }", 1, 24, "empty string \"$x\""},
        {"rule a { strings: $x = \"y\" $x = \"z\" condition: $x }", 1, 28,
         "duplicated string identifier \"$x\""},
        {"import \"none\"", 1, 8, "unknown module \"none\""},
        {"import \"pe\" rule a { condition: pe.nothing }", 1, 36,
         "invalid field name \"nothing\""},
        {"import \"pe\" rule a { condition: pe.machine() }", 1, 36,
         "\"machine\" is not a function"},
        {"import \"pe\" rule a { condition: pe.imports(true) }", 1, 36,
         "wrong arguments for function \"imports\""},
        {"rule a { condition: 1 \\ 0 == 1 }", 1, 23, "division by zero"},
        {"rule a { condition: 4611686018427387904 * 2 == 1 }", 1, 41,
         "integer overflow in \"4611686018427387904 * 2\""},
        {"rule a { condition: true", 1, 25,
         "syntax error, unexpected end of file, expecting '}'"},
        {"include \"gone\"", 1, 9, "can't open include file: gone"},
        {"include \"itself\"", 1, 9, "include circular reference"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard h = compile(cases[i].source);
        assert_string_equal(h.text, cases[i].text);
        assert_int_equal(h.line, cases[i].line);
        assert_int_equal(h.column, cases[i].column);
        hf_yara_free(h.yara);
    }
    struct heard h = compile("rule a {\n condition: foo\n}");
    assert_string_equal(h.rule, "a");
    assert_string_equal(h.source, " condition: foo");
    hf_yara_free(h.yara);
}

static void test_includes_share_the_namespace(void **state)
{
    (void)state;
    struct heard h = compile("include \"good\"\nrule a { condition: included }");
    assert_int_equal(h.errors, 0);
    assert_int_equal(hf_yara_count(h.yara), 2);
    enum hf_status st = hf_yara_add(h.yara, "other.yar", "other",
                                    hf_bytes_text("rule b { condition: included }"));
    assert_int_equal(st, HF_MALFORMED);
    hf_yara_free(h.yara);
}

static void test_meta_tags_and_flags_are_kept(void **state)
{
    (void)state;
    struct heard h = compile("private global rule a : one two {\n"
                             " meta: x = -3 y = \"t\\x41\" z = true\n condition: true }");
    const struct hf_yara_rule *r = hf_yara_rule(h.yara, 0);
    assert_true(r->is_private && r->is_global);
    assert_int_equal(r->tag_count, 2);
    assert_string_equal(r->tags[1], "two");
    assert_int_equal(r->meta_count, 3);
    assert_int_equal(r->metas[0].value.integer, -3);
    assert_true(hf_bytes_equal(r->metas[1].value.string, hf_bytes_text("tA")));
    assert_int_equal(r->metas[2].value.type, HF_FACT_BOOL);
    hf_yara_free(h.yara);
}

/* ---- conditions ---- */

struct answer {
    unsigned reported;
    unsigned contradictions;
};

static void on_rule(void *user, const struct evaluation *e, const struct hf_yara_rule *rule)
{
    (void)e;
    (void)rule;
    ((struct answer *)user)->reported++;
}

static struct answer scan(const struct hf_yara *yara, const char *data, size_t len)
{
    struct answer a = {0};
    struct evaluation e;
    struct hf_value values[] = {externals[0].value, externals[1].value};
    evaluate(&e, yara, hf_bytes_of(data, len), values, 2, on_rule, &a);
    a.contradictions = e.contradictions;
    return a;
}

static void test_conditions_answer_as_in_yara(void **state)
{
    (void)state;
    /* Over "hello hello world", with $a "hello", $b "world", $c "zzz". */
    static const struct {
        const char *condition;
        bool answer;
    } cases[] = {
        {"$a and not $c", true},
        {"$a at 6 and not $a at 7", true},
        {"not ($a at uint32(9999))", true},
        {"not ($a in (0..uint32(9999)))", false},
        {"#a == 2 and @a[2] == 6 and !a[1] == 5", true},
        {"defined @a[3]", false},
        {"#a in (1..6) == 1", true},
        {"2 of them and not 3 of them", true},
        {"67% of them", false},
        {"66% of them", true},
        {"none of ($c*)", true},
        {"uint32(9999) of ($a,$b)", true}, /* undefined: all */
        {"uint32(9999) of them", false},
        {"any of them in (7..12)", true},
        {"for all i in (1..#a) : (@a[i] == (i - 1) * 6)", true},
        {"for all i in (3..2 + number - 7) : (true)", false}, /* no turn */
        {"for none i in (1..3) : (i > 3)", true},
        {"for none i in (1..3) : (i > 2)", false},
        {"for 2 i in (1, 5, 6) : (i > 4)", true},
        {"for any s in (\"x\", \"abc\") : (s == text)", true},
        {"for 2 of them : (# >= 1 and @ < 13 and $ in (0..12))", true},
        {"for any of ($a,$c) : ($ at 6)", true},
        {"for any i in (9223372036854775806..9223372036854775807) : (false)", false},
        {"number + 1 == 8 and text contains \"b\" and text matches /^A.c$/i", true},
        {"not defined (1 \\ (filesize - 17))", true},
        {"undefined_and_false or true", true},
        {"uint16be(0) == 0x6865 and int8(0) == 104", true},
        {"0.1 + 0.2 == 0.3 and 7 \\ 2 == 3 and 7 \\ 2.0 == 3.5", true},
        {"-7 % 3 == -1 and 1 << 64 == 0 and -1 >> 70 == 0", true},
        {"\"abc\" < \"abd\" and \"ABC\" iequals \"abc\"", true},
        {"not defined uint32(filesize - 3) and defined uint32(filesize - 4)", true},
        {"math.max(3, 4) == 4 and hash.md5(\"\") == \"d41d8cd98f00b204e9800998ecf8427e\"",
         true},
        {"defined pe.machine or pe.sections[0].name == \"x\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char source[500];
        snprintf(source, sizeof source,
                 "import \"pe\" import \"math\" import \"hash\"\n"
                 "private rule undefined_and_false { condition: uint32(9999) == 0 }\n"
                 "rule r { strings: $a = \"hello\" $b = \"world\" $c = \"zzz\"\n"
                 "condition: (%s) and (any of them or true) }",
                 cases[i].condition);
        struct heard h = compile(source);
        if (h.errors > 0)
            fail_msg("%s: %s", cases[i].condition, h.text);
        struct answer a = scan(h.yara, "hello hello world", 17);
        if ((a.reported == 1) != cases[i].answer)
            fail_msg("%s", cases[i].condition);
        assert_int_equal(a.contradictions, 0);
        hf_yara_free(h.yara);
    }
}

static void test_a_false_global_rule_gates_its_namespace(void **state)
{
    (void)state;
    struct heard h = compile("rule a { condition: true } rule b { condition: a }\n"
                             "global rule g { condition: filesize > 5 }");
    assert_int_equal(scan(h.yara, "123456", 6).reported, 3);
    assert_int_equal(scan(h.yara, "123", 3).reported, 0);
    hf_yara_free(h.yara);
}

/* ---- guards ---- */

static const struct hf_rule *rule_of(struct heard *h, const char *condition)
{
    char source[400];
    snprintf(source, sizeof source,
             "rule r { strings: $a = \"hello\" $b = \"world\" condition: (%s) and "
             "(any of them or filesize >= 0) }",
             condition);
    *h = compile(source);
    assert_int_equal(h->errors, 0);
    return &hf_yara_rule(h->yara, 0)->rule;
}

static void test_guards_are_what_must_hold(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        uint64_t min, max;
        const char *magic;
        uint32_t offset;
    } cases[] = {
        {"filesize < 300KB", 0, 300 * 1024 - 1, "", 0},
        {"300 >= filesize and filesize > 10", 11, 300, "", 0},
        {"filesize == 5", 5, 5, "", 0},
        {"uint16(0) == 0x5A4D", 2, UINT64_MAX, "MZ", 0},
        {"0x4D5A == uint16be(3)", 5, UINT64_MAX, "MZ", 3},
        {"uint16(0) == 0x5A4D and uint32(4) == 0x64636261", 8, UINT64_MAX, "abcd", 4},
        {"uint16(0) == 0x5A4D or filesize > 9", 2, UINT64_MAX, "", 0},
        {"(filesize < 10 or filesize < 20) and $a", 0, 19, "", 0},
        {"not filesize < 10", 0, UINT64_MAX, "", 0},
        {"uint8(0) == 300", 0, UINT64_MAX, "", 0},
        {"filesize > 20 and filesize < 10", 0, UINT64_MAX, "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard h;
        const struct hf_guards *g = &rule_of(&h, cases[i].condition)->guards;
        assert_int_equal(g->size_min, cases[i].min);
        assert_int_equal(g->size_max, cases[i].max);
        assert_int_equal(g->magic.length, strlen(cases[i].magic));
        assert_memory_equal(g->magic.bytes, cases[i].magic, strlen(cases[i].magic));
        assert_int_equal(g->magic.offset, cases[i].offset);
        hf_yara_free(h.yara);
    }
}

static void test_rules_wake_alone_only_when_they_can_be_true_without_matches(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool alone;
    } cases[] = {
        {"$a", false},
        {"$a or filesize > 3", true},
        {"$a or ($b and filesize > 3)", false},
        {"not $a", true},
        {"#a > 2", false},
        {"#a == 0", true},
        {"#a < 5", true},
        {"@a[1] < 5", false},
        {"not defined @a[1]", true},
        {"none of them", true},
        {"for any i in (1..#a) : (uint8(@a[i]) == 3)", false},
        {"for all of them : ($ at 3 or filesize > 3)", true},
        {"for 1 of them : ($ and filesize > 3)", false},
        {"50% of them", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char source[300];
        snprintf(source, sizeof source,
                 "rule r { strings: $a = \"hello\" $b = \"world\" condition: (%s) and "
                 "(filesize > 0 or any of them) }",
                 cases[i].condition);
        struct heard h = compile(source);
        assert_int_equal(h.errors, 0);
        bool alone = (hf_yara_rule(h.yara, 0)->rule.flags & HF_RULE_WAKES_ALONE) != 0;
        if (alone != cases[i].alone)
            fail_msg("%s", cases[i].condition);
        hf_yara_free(h.yara);
    }
}

/* ---- bounds ---- */

static void test_deep_and_long_conditions_end_in_an_answer_or_a_message(void **state)
{
    (void)state;
    static const struct {
        const char *before, *middle, *after;
        unsigned times;
    } cases[] = {{"(", "true", ")", 100},        {"(", "true", ")", 100000},
                 {"not ", "true", "", 100000},   {"true or ", "true", "", 50000},
                 {"-", "1 == 1", "", 100000},    {"1 + ", "1 > 0", "", 3000},
                 {"1 + (", "filesize", ")", 400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
        hf_buffer_text(&b, "rule r { condition: ");
        for (unsigned n = 0; n < cases[i].times; n++)
            hf_buffer_text(&b, cases[i].before);
        hf_buffer_text(&b, cases[i].middle);
        for (unsigned n = 0; n < cases[i].times; n++)
            hf_buffer_text(&b, cases[i].after);
        hf_buffer_text(&b, " }");
        hf_buffer_u8(&b, 0);
        struct heard h = compile((const char *)b.data);
        assert_int_equal(hf_yara_count(h.yara), h.errors > 0 ? 0 : 1);
        hf_yara_free(h.yara);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_rule_is_left_out_and_the_others_live),
        cmocka_unit_test(test_rules_that_refer_to_a_bad_rule_are_left_out),
        cmocka_unit_test(test_messages_say_where_and_what),
        cmocka_unit_test(test_includes_share_the_namespace),
        cmocka_unit_test(test_meta_tags_and_flags_are_kept),
        cmocka_unit_test(test_conditions_answer_as_in_yara),
        cmocka_unit_test(test_a_false_global_rule_gates_its_namespace),
        cmocka_unit_test(test_guards_are_what_must_hold),
        cmocka_unit_test(test_rules_wake_alone_only_when_they_can_be_true_without_matches),
        cmocka_unit_test(test_deep_and_long_conditions_end_in_an_answer_or_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
