#include "format/dotnet.h"

#include "pe_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A 64-bit image with an assembly of a module row, a class "N.Box`1" with one method, and the
 * assembly "asm" 1.2.3.4. Offsets of the file. */
enum {
    CLI = IMAGE_DATA,
    ROOT = IMAGE_DATA + 0x80,
    STREAMS = ROOT + 28, /* count of streams is at STREAMS - 2 */
    TILDE = ROOT + 0x80,
    ROWS = TILDE + 24,
    TABLES = ROWS + 20, /* of five tables */
    TYPES = TABLES + 10,
    METHODS = TYPES + 28,
    PARAMS = METHODS + 14,
    ASSEMBLY = PARAMS + 6,
    STRINGS = ROOT + 0x180,
    BLOBS = ROOT + 0x1c0,
    USER = ROOT + 0x1e0
};

static const char names[] = "\0<Module>\0Box`1\0N\0run\0arg\0asm\0m.dll";
enum {
    N_MODULE = 1,
    N_BOX = 10,
    N_SPACE = 16,
    N_RUN = 18,
    N_ARG = 22,
    N_ASM = 26,
    N_DLL = 30
};

static size_t put_stream(struct pe_image *image, size_t at, size_t offset, uint32_t size,
                         const char *name)
{
    pe_put32(image, at, (uint32_t)(offset - ROOT));
    pe_put32(image, at + 4, size);
    pe_put_text(image, at + 8, name);
    return at + 8 + strlen(name) + 4 - strlen(name) % 4;
}

static void put_row(struct pe_image *image, size_t at, const uint16_t *columns,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        pe_put16(image, at + 2 * i, columns[i]);
}

static void build(struct pe_image *image)
{
    static const uint16_t module[] = {0, N_DLL, 0, 0, 0};
    static const uint16_t types[] = {0, 0, N_MODULE, 0,       0, 1, 1,
                                     1, 0, N_BOX,    N_SPACE, 0, 1, 1};
    static const uint16_t method[] = {0, 0, 0, 0x16, N_RUN, 1, 1};
    static const uint16_t param[] = {0, 1, N_ARG};
    static const uint16_t assembly[] = {4, 0, 1, 2, 3, 4, 0, 0, 0, N_ASM, 0};
    static const uint32_t counts[] = {1, 2, 1, 1, 1};
    static const uint8_t user[] = {0, 5, 'h', 0, 'i', 0, 0, 0};
    pe_image_start(image, true);
    pe_image_directory(image, HF_PE_DIR_DOTNET, pe_rva(CLI), 72);
    pe_put32(image, CLI, 72);
    pe_put32(image, CLI + 8, pe_rva(ROOT));
    pe_put32(image, ROOT, 0x424a5342);
    pe_put32(image, ROOT + 12, 8);
    pe_put_text(image, ROOT + 16, "v4.0");
    pe_put16(image, STREAMS - 2, 4);
    size_t at = put_stream(image, STREAMS, TILDE, 0x100, "#~");
    at = put_stream(image, at, STRINGS, sizeof names, "#Strings");
    at = put_stream(image, at, BLOBS, 16, "#Blob");
    put_stream(image, at, USER, sizeof user, "#US");
    pe_put64(image, TILDE + 8,
             0x100000145); /* module, types, methods, parameters, assembly */
    for (size_t i = 0; i < 5; i++)
        pe_put32(image, ROWS + 4 * i, counts[i]);
    put_row(image, TABLES, module, 5);
    put_row(image, TYPES, types, 14);
    put_row(image, METHODS, method, 7);
    put_row(image, PARAMS, param, 3);
    put_row(image, ASSEMBLY, assembly, 11);
    memcpy(image->data + STRINGS, names, sizeof names);
    memcpy(image->data + BLOBS, "\0\4\0\1\x08\x0e", 6); /* int run(string) */
    memcpy(image->data + USER, user, sizeof user);
}

static const struct hf_fact_module *const modules[] = {&hf_pe_module, &hf_dotnet_module};

struct world {
    struct hf_arena *arena;
    struct hf_budget budget;
    struct hf_facts facts;
    const struct hf_dotnet *net;
};

static void look(struct world *w, const struct pe_image *image, uint64_t work)
{
    w->arena = hf_arena_new(1 << 20);
    w->budget = hf_budget_of(&(struct hf_limits){.work = work});
    w->facts = hf_facts_of(modules, 2, hf_cursor_open(image->data, image->size, &w->budget),
                           w->arena, NULL);
    w->net = hf_facts_need(&w->facts, &hf_dotnet_module, 14);
    assert_non_null(w->net);
}

static void done(struct world *w)
{
    hf_arena_free(w->arena);
}

static bool text_is(struct hf_bytes bytes, const char *text)
{
    return bytes.data != NULL && hf_bytes_equal(bytes, hf_bytes_text(text));
}

static void test_an_assembly_has_its_name_and_version(void **state)
{
    (void)state;
    struct pe_image image;
    struct world w;
    build(&image);
    look(&w, &image, 0);
    assert_int_equal(w.net->is_dotnet.value, 1);
    assert_true(text_is(w.net->version, "v4.0"));
    assert_true(text_is(w.net->module_name, "m.dll"));
    assert_true(text_is(w.net->assembly.name, "asm"));
    assert_null(w.net->assembly.culture.data);
    assert_int_equal(w.net->assembly.version.revision_number.value, 4);
    assert_int_equal(w.net->stream_count.value, 4);
    assert_int_equal(w.net->user_string_count.value, 1);
    const struct hf_bytes *strings = w.net->user_strings.items;
    assert_true(hf_bytes_equal(strings[0], hf_bytes_of("h\0i", 4)));
    done(&w);
}

static void test_a_method_has_the_types_of_its_signature(void **state)
{
    (void)state;
    struct pe_image image;
    struct world w;
    build(&image);
    look(&w, &image, 0);
    assert_int_equal(w.net->class_count.value, 1); /* not the module's pseudo class */
    const struct hf_dotnet_class *class = w.net->classes.items;
    assert_true(text_is(class->fullname, "N.Box"));
    assert_true(text_is(class->name, "Box"));
    assert_int_equal(class->method_count.value, 1);
    const struct hf_dotnet_method *m = class->methods.items;
    assert_true(text_is(m->name, "run") && text_is(m->return_type, "int"));
    assert_true(text_is(m->visibility, "public") && m->is_static == 1);
    const struct hf_dotnet_parameter *p = m->parameters.items;
    assert_true(text_is(p->name, "arg") && text_is(p->type, "string"));
    done(&w);
}

static void test_a_plain_image_is_said_not_to_be_one(void **state)
{
    (void)state;
    struct pe_image image;
    struct world w;
    pe_image_start(&image, true);
    look(&w, &image, 0);
    assert_true(w.net->is_dotnet.defined);
    assert_int_equal(w.net->is_dotnet.value, 0);
    assert_false(w.net->stream_count.defined);
    done(&w);
    image.data[0] = 'X';
    look(&w, &image, 0);
    assert_false(w.net->is_dotnet.defined);
    done(&w);
}

static void test_a_table_that_is_too_long_keeps_those_before_it(void **state)
{
    (void)state;
    struct pe_image image;
    struct world w;
    build(&image);
    pe_put32(&image, ROWS + 8, HF_DOTNET_ROWS_MAX + 1); /* methods */
    look(&w, &image, 0);
    assert_int_equal(w.facts.state[1].status, HF_LIMIT);
    assert_true(text_is(w.net->module_name, "m.dll"));
    assert_null(w.net->assembly.name.data);
    assert_false(w.net->class_count.defined);
    assert_int_equal(w.net->user_string_count.value, 1);
    done(&w);
}

/* A TypeSpec-like nest of pointers ends at a depth; the method is left out, the class is not. */
static void test_a_signature_that_nests_too_deep_has_no_name(void **state)
{
    (void)state;
    struct pe_image image;
    struct world w;
    build(&image);
    image.data[BLOBS + 1] = 40;
    memset(image.data + BLOBS + 4, 0x0f, 30);
    look(&w, &image, 0);
    const struct hf_dotnet_class *class = w.net->classes.items;
    assert_int_equal(class->method_count.value, 0);
    done(&w);
}

static void test_every_row_is_charged(void **state)
{
    (void)state;
    struct pe_image image;
    struct world w;
    build(&image);
    look(&w, &image, 0);
    done(&w);
    look(&w, &image, 20);
    assert_int_equal(w.facts.state[1].status, HF_LIMIT);
    assert_false(w.net->class_count.defined && w.net->class_count.value == 1 &&
                 ((const struct hf_dotnet_class *)w.net->classes.items)->methods.count ==
                     1);
    done(&w);
}

static void test_every_prefix_is_read_without_harm(void **state)
{
    (void)state;
    struct pe_image image;
    build(&image);
    size_t whole = image.size;
    for (image.size = IMAGE_DATA; image.size < USER + 8 && image.size < whole;
         image.size++) {
        struct world w;
        look(&w, &image, 0);
        assert_true(w.net->classes.count <= 1);
        done(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_assembly_has_its_name_and_version),
        cmocka_unit_test(test_a_method_has_the_types_of_its_signature),
        cmocka_unit_test(test_a_plain_image_is_said_not_to_be_one),
        cmocka_unit_test(test_a_table_that_is_too_long_keeps_those_before_it),
        cmocka_unit_test(test_a_signature_that_nests_too_deep_has_no_name),
        cmocka_unit_test(test_every_row_is_charged),
        cmocka_unit_test(test_every_prefix_is_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
