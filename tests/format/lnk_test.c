#include "format/lnk.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The shortcut of [LNK 3.1], "C:\test\a.txt", with other items: header, items, link information,
 * two strings, tracker, end. */
static void wide(struct hf_buffer *b, const char *text)
{
    for (; *text != '\0'; text++)
        hf_buffer_u16(b, (uint8_t)*text);
}

static void header(struct hf_buffer *b, uint32_t flags)
{
    static const uint8_t start[20] = {0x4c, 0, 0,    0, 1, 0x14, 2, 0, 0, 0,
                                      0,    0, 0xc0, 0, 0, 0,    0, 0, 0, 0x46};
    hf_buffer_add(b, start, sizeof start);
    hf_buffer_u32(b, flags);
    hf_buffer_u32(b, 0x20);
    for (int i = 0; i < 3; i++)
        hf_buffer_u64(b, UINT64_C(0x01c91515f2df8080) + (uint64_t)i * 10000000);
    hf_buffer_u32(b, 7);
    hf_buffer_u32(b, 0);
    hf_buffer_u32(b, 1);
    hf_buffer_u16(b, 0x0641);
    hf_buffer_add(b, "\0\0\0\0\0\0\0\0\0", 10);
}

static void items(struct hf_buffer *b)
{
    static const uint8_t root[18] = {0x1f, 0x50, 0xe0, 0x4f, 0xd0, 0x20, 0xea, 0x3a, 0x69,
                                     0x10, 0xa2, 0xd8, 8,    0,    0x2b, 0x30, 0x30, 0x9d};
    struct hf_buffer list = {0};
    hf_buffer_u16(&list, 2 + sizeof root);
    hf_buffer_add(&list, root, sizeof root);
    hf_buffer_u16(&list, 2 + 6);
    hf_buffer_add(&list,
                  "\x2f"
                  "C:\\\0\0",
                  6);
    hf_buffer_u16(&list, 2 + 12 + 6);
    hf_buffer_add(&list, "\x32\0\0\0\0\0\0\0\0\0\x20\0", 12);
    hf_buffer_add(&list, "a.txt", 6);
    hf_buffer_u16(&list, 2 + 12 + 6);
    hf_buffer_add(&list, "\x34\0\0\0\0\0\0\0\0\0\x20\0\xe9\0\x3d\xd8\0\0", 18);
    hf_buffer_u16(&list, 0);
    hf_buffer_u16(b, (uint16_t)list.len);
    hf_buffer_bytes(b, hf_buffer_view(&list));
    hf_buffer_done(&list);
}

static void link_info(struct hf_buffer *b)
{
    const uint32_t head[] = {0x3c, 0x1c, 1, 0x1c, 0x2d, 0, 0x3b, 0x11, 3, 0x307a8a81, 0x10};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        hf_buffer_u32(b, head[i]);
    hf_buffer_u8(b, 0); /* the label is empty */
    hf_buffer_add(b, "C:\\test\\a.txt\0", 15);
}

static void tracker(struct hf_buffer *b)
{
    static const uint8_t guid[16] = {0x40, 0x78, 0xc7, 0x94, 0x47, 0xfa, 0xc7, 0x46,
                                     0xb3, 0x56, 0x5c, 0x2d, 0xc6, 0xb6, 0xd1, 0x15};
    hf_buffer_u32(b, 0x60);
    hf_buffer_u32(b, 0xa0000003);
    hf_buffer_u32(b, 0x58);
    hf_buffer_u32(b, 0);
    hf_buffer_add(b, "chris-xps\0\0\0\0\0\0", 16);
    for (int i = 0; i < 4; i++)
        hf_buffer_add(b, guid, sizeof guid);
}

static void shortcut(struct hf_buffer *b)
{
    header(b, 0x9b | 0x20);
    items(b);
    link_info(b);
    hf_buffer_u16(b, 7);
    wide(b, ".\\a.txt");
    hf_buffer_u16(b, 7);
    wide(b, "C:\\test");
    hf_buffer_u16(b, 2);
    wide(b, "/c");
    tracker(b);
    hf_buffer_u32(b, 0);
}

static const struct hf_fact_module *const modules[] = {&hf_lnk_module};

struct world {
    struct hf_arena *arena;
    struct hf_budget budget;
    struct hf_facts facts;
    const struct hf_lnk *lnk;
};

static void look(struct world *w, struct hf_bytes bytes, uint64_t work)
{
    w->arena = hf_arena_new(1 << 20);
    w->budget = hf_budget_of(&(struct hf_limits){.work = work});
    w->facts = hf_facts_of(modules, 1, hf_cursor_open(bytes.data, bytes.len, &w->budget),
                           w->arena, NULL);
    w->lnk = hf_facts_need(&w->facts, &hf_lnk_module, 6);
}

static bool text_is(struct hf_bytes bytes, const char *text)
{
    return bytes.data != NULL && hf_bytes_equal(bytes, hf_bytes_text(text));
}

static void test_the_documented_example_is_read(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct world w;
    shortcut(&b);
    look(&w, hf_buffer_view(&b), 0);
    const struct hf_lnk *l = w.lnk;
    assert_int_equal(w.facts.state[0].status, HF_OK);
    assert_true(l->is_lnk);
    assert_int_equal(l->creation_time.value, 1221251237);
    assert_int_equal(l->write_time.value, 1221251239);
    assert_int_equal(l->show_command, 1);
    assert_int_equal(l->hot_key, 0x641);
    assert_int_equal(l->drive_type.value, 3);
    assert_int_equal(l->drive_serial.value, 813337217);
    assert_true(text_is(l->volume_label, ""));
    assert_true(text_is(l->local_base_path, "C:\\test\\a.txt"));
    assert_null(l->common_path_suffix.data);
    assert_true(text_is(l->relative_path, ".\\a.txt"));
    assert_true(text_is(l->working_dir, "C:\\test"));
    assert_true(text_is(l->arguments, "/c"));
    assert_null(l->icon_location.data);
    assert_true(text_is(l->tracker.machine_id, "chris-xps"));
    assert_true(text_is(l->tracker.birth_file_id, "94c77840-fa47-46c7-b356-5c2dc6b6d115"));
    assert_int_equal(l->overlay_size.value, 0);
    assert_false(l->overlay_offset.defined);
    assert_int_equal(l->items.count, 4);
    const struct hf_lnk_item *i = l->items.items;
    assert_int_equal(i[0].type, 0x1f);
    assert_true(text_is(i[0].root_folder_id, "20d04fe0-3aea-1069-a2d8-08002b30309d"));
    assert_true(i[1].type == 0x20 && text_is(i[1].volume_name, "C:\\"));
    assert_true(i[2].type == 0x30 && text_is(i[2].file_entry_name, "a.txt"));
    assert_true(text_is(i[3].file_entry_name, "\xc3\xa9\xef\xbf\xbd")); /* half a pair */
    hf_arena_free(w.arena);
}

static void test_what_is_behind_is_the_overlay(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct world w;
    shortcut(&b);
    size_t end = b.len;
    hf_buffer_text(&b, "MZ and more");
    look(&w, hf_buffer_view(&b), 0);
    assert_int_equal(w.lnk->overlay_size.value, 11);
    assert_int_equal(w.lnk->overlay_offset.value, end);
    hf_arena_free(w.arena);
}

static void test_a_cut_shortcut_keeps_what_came_before(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    shortcut(&b);
    for (size_t len = 0; len < b.len; len++) {
        struct world w;
        look(&w, hf_bytes_of(b.data, len), 0);
        assert_int_equal(w.lnk->is_lnk, len >= 76);
        assert_int_equal(hf_facts_present(&w.facts, &hf_lnk_module, HF_LNK_ALL), len >= 76);
        if (len >= 76)
            assert_int_equal(w.lnk->file_size, 7);
        assert_false(w.lnk->overlay_size.defined);
        hf_arena_free(w.arena);
    }
}

static void test_paths_with_variables_prefer_the_wide_form(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct world w;
    header(&b, 0);
    hf_buffer_u32(&b, 788);
    hf_buffer_u32(&b, 0xa0000001);
    hf_buffer_text(&b, "%narrow%");
    for (int i = 8; i < 260; i++)
        hf_buffer_u8(&b, 0);
    wide(&b, "%wide%");
    for (int i = 12; i < 520; i++)
        hf_buffer_u8(&b, 0);
    hf_buffer_u32(&b, 0);
    look(&w, hf_buffer_view(&b), 0);
    assert_true(text_is(w.lnk->environment_target, "%wide%"));
    hf_arena_free(w.arena);
}

static void test_work_is_bounded(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct world w;
    header(&b, 0);
    for (int i = 0; i < 100000; i++)
        hf_buffer_u32(&b, 4);
    look(&w, hf_buffer_view(&b), 1000);
    assert_int_equal(w.facts.state[0].status, HF_LIMIT);
    hf_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_documented_example_is_read),
        cmocka_unit_test(test_what_is_behind_is_the_overlay),
        cmocka_unit_test(test_a_cut_shortcut_keeps_what_came_before),
        cmocka_unit_test(test_paths_with_variables_prefer_the_wide_form),
        cmocka_unit_test(test_work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
