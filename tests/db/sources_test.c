#include "base/auto.h"
#include "base/fd.h"
#include "compile.h"
#include "db/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

#define MD5_A    "00112233445566778899aabbccddeeff"
#define SHA256_A "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

/* What one line of text comes to: "digests patterns skipped bad". */
static void expect(const char *name, const char *text, const char *counts)
{
    struct compiled c = compile_one(name, text);
    char is[64];
    snprintf(is, sizeof is, "%u %u %u %u", (unsigned)c.summary.digests,
             (unsigned)c.summary.patterns, (unsigned)c.summary.skipped,
             (unsigned)c.summary.bad_lines);
    if (strcmp(is, counts) != 0)
        print_error("%s: %s\n%s", name, text, (const char *)c.messages.data);
    assert_string_equal(is, counts);
    compiled_done(&c);
}

static void plain_lists_take_what_people_write(void **state)
{
    (void)state;
    expect("a.txt", MD5_A "\n", "1 0 0 0");
    expect("a.txt", SHA256_A "  some file.exe\r\n", "1 0 0 0");
    expect("a.txt", SHA256_A " *some file.exe", "1 0 0 0");
    expect("a.sha256", "\xef\xbb\xbf" SHA256_A " 123 Some.Name\n", "1 0 0 0");
    expect("a.txt", "# x\n; y\n// z\n\n   \n\t" MD5_A "\t77\tName\n", "1 0 0 0");
    expect("a.txt", "not a digest\n" MD5_A "0\n" MD5_A "zz\n", "0 0 0 3");
    expect("a.txt", MD5_A " 18446744073709551615\n", "0 0 0 1");
    struct compiled c =
        compile_one("dir/bad.txt", SHA256_A "\n" MD5_A "  12\n" MD5_A " 12 Twelve\n");
    assert_string_equal(found_name(c.db, SHA256_A, 5), "List.bad");
    assert_string_equal(found_name(c.db, MD5_A, 5), "12"); /* two blanks: a file's name */
    assert_string_equal(found_name(c.db, MD5_A, 12), "Twelve");
    compiled_done(&c);
}

static void clamav_hashes_follow_its_grammar(void **state)
{
    (void)state;
    expect("a.hdb", MD5_A ":10:N\n", "1 0 0 0");
    expect("a.HDB", MD5_A ":10:N:73:300\n", "1 0 0 0");
    expect("a.hdb", SHA256_A ":10:N\n", "1 0 0 0"); /* the kind is by length only */
    expect("a.hsb", MD5_A ":10:N (Clam)\n", "1 0 0 0");
    expect("a.hdb", MD5_A ":10:N:217\n", "0 0 1 0");
    expect("a.hdb", MD5_A ":10:N:1:215\n", "0 0 1 0");
    expect("a.hdb", MD5_A ":10:N:\n", "1 0 0 0");
    expect("a.hdb", MD5_A ":*:N\n", "0 0 0 1");
    expect("a.hdb", MD5_A ":*:N:72\n", "0 0 0 1");
    expect("a.hdb", MD5_A ":*:N:73\n", "1 0 0 0");
    expect("a.imp", MD5_A ":*:N\n", "1 0 0 0");
    expect("a.hdb", MD5_A ":0:N\n", "0 0 0 1");
    expect("a.hdb", MD5_A ":4294967294:N\n", "1 0 0 0");
    expect("a.hdb", MD5_A ":4294967295:N\n", "0 0 0 1");
    expect("a.hdb", MD5_A ":-1:N\n" MD5_A ":10:\n" MD5_A ":10\n" MD5_A ":1:N:1:2:3\n",
           "0 0 0 4");
    expect("a.hdb", MD5_A "0:10:N\n" MD5_A "00:10:N\n:10:N\n::::\n", "0 0 0 4");
    expect("a.hdb", MD5_A ":10:N:x\n", "0 0 0 1");
    expect("a.mdb", "10:" MD5_A ":N\n", "1 0 0 0");
    expect("a.mdb", MD5_A ":10:N\n", "0 0 0 1");
}

static void ndb_and_ldb_are_read_by_their_front_ends(void **state)
{
    (void)state;
    expect("a.ndb", "N:0:*:41424344\n", "0 1 0 0");
    expect("a.ndb", "N:*:0:41424344\n", "0 1 0 0");
    expect("a.ndb", "N:1:100:41424344:51:255\n", "0 1 0 0");
    expect("a.ndb", "N:0:EOF-68,5:41424344\n", "0 1 0 0");
    expect("a.ndb", "N:0:*:4142??44\n", "0 1 0 0");
    expect("a.ndu", "N:0:*:4142*4344\nN:0:*:4142{3}44\nN:0:*:4141(42|43)44\n", "0 4 0 0");
    expect("a.sdb",
           "N:1:EP+0:4142\nN:1:S0+1:4142\nN:1:SL+1:4142\nN:1:SE1:4142\nN:1:VI:4142\n",
           "0 5 0 0");
    expect("a.ndb", "N:3:*:41424344\nN:7:*:41424344\nN:15:*:41424344\n", "0 2 1 0");
    expect("a.db", "N=41424344\nM==41424344\nbad\n", "0 1 1 1");
    expect("a.ldb", "# comment\nN;Engine:51-255,Target:0;0&1;41424344;4546*4748\nM;x\n",
           "0 3 0 1");
    expect("a.ndb", "N:0:*:41424344:217\n", "0 0 1 0");
    expect("a.ndb", "N:0:*:4142434\nN:0:*:41g2\nN:0:*:\nN:0:*:41\n", "0 0 0 4");
    expect("a.ndb",
           "N:0:*\nN:x:*:4142\n:0:*:4142\nN:0:+1:4142\nN:0:EOF-:4142\nN:0:1,:4142\n",
           "0 0 0 6");
}

static void bad_lines_are_reported_with_their_place(void **state)
{
    (void)state;
    struct compiled c =
        compile_one("feed/x.hdb", "# first\r\n\r\n" MD5_A ":1:N\r\nbad\r\n");
    assert_string_equal((const char *)c.messages.data,
                        "feed/x.hdb:4: 3 to 5 fields are needed\n");
    compiled_done(&c);
}

static void formats_that_are_not_read_are_counted_by_kind(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.cbc", "ClamBC\n");
    uint64_t count;
    struct hf_bytes meta = hf_db_section(c.db, 0, HF_DB_META, &count);
    assert_non_null(memmem(meta.data, meta.len, "skipped-kind 1 bytecode (.cbc)\n", 31));
    compiled_done(&c);
    struct hf_build *build = hf_build_new(NULL, NULL);
    assert_int_equal(hf_build_read_text(build, "a.exe", hf_bytes_text("MZ")),
                     HF_UNSUPPORTED);
    assert_int_equal(hf_build_read_path(build, "/nowhere/at/all.hdb"), HF_NOTFOUND);
    hf_build_free(build);
}

/* A folder with sources in it, made and removed by the test. */
struct folder {
    char path[64];
};

static void write_file(const struct folder *f, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static struct folder make_folder(bool reversed)
{
    static const struct compile_source files[] = {
        {"b.hdb", MD5_A ":5:B-1\n"},
        {"a.ndb", "A-9:0:*:4142434445\nA-10:0:*:464748494a\n"},
        {"sub/c.txt", SHA256_A " 9 C.Name\n"},
        {"README.md", "nothing for us\n"},
    };
    enum { COUNT = sizeof files / sizeof *files };
    struct folder f = {"/tmp/holdfast-sources-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    char sub[128];
    snprintf(sub, sizeof sub, "%s/sub", f.path);
    assert_int_equal(mkdir(sub, 0700), 0);
    for (size_t i = 0; i < COUNT; i++) {
        const struct compile_source *s = &files[reversed ? COUNT - 1 - i : i];
        write_file(&f, s->name, s->text);
    }
    return f;
}

static void remove_folder(const struct folder *f)
{
    static const char *const names[] = {"b.hdb",    "a.ndb", "sub/c.txt", "README.md",
                                        "out.hfdb", "sub",   ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        (void)remove(path);
    }
}

static struct hf_buffer build_folder(const struct folder *f)
{
    struct hf_buffer bytes = {0};
    struct hf_build *build = hf_build_new(NULL, NULL);
    assert_int_equal(hf_build_read_path(build, f->path), HF_OK);
    assert_int_equal(hf_build_summary(build).files, 3);
    assert_int_equal(hf_build_write(build, &bytes), HF_OK);
    hf_build_free(build);
    return bytes;
}

static void a_folder_gives_the_same_bytes_in_any_order(void **state)
{
    (void)state;
    struct folder one = make_folder(false), two = make_folder(true);
    struct hf_buffer a = build_folder(&one), b = build_folder(&two);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    hf_buffer_done(&a);
    hf_buffer_done(&b);
    remove_folder(&one);
    remove_folder(&two);
}

/* Text of several pieces, with a bad line here and there. */
static struct hf_buffer make_long_text(void)
{
    struct hf_buffer text = {0};
    for (unsigned i = 0; i < 180000; i++) {
        unsigned long long x = i * 0x9e3779b97f4a7c15ull;
        if (i % 50000 == 49999)
            hf_buffer_format(&text, "bad line\r\n");
        hf_buffer_format(&text, "%016llx%016llx:%u:Win.Kind%u.Family-%u-0\n", x, x ^ i,
                         1 + i % 999, i % 100, i * 3);
        if (i % 1000 == 0) /* the same digest again, under another name */
            hf_buffer_format(&text, "%016llx%016llx:%u:Other\n", x, x ^ i, 1 + i % 999);
    }
    return text;
}

static void add_message(void *user, const char *file, uint64_t line, const char *text)
{
    (void)file;
    (void)text;
    hf_buffer_format(user, "%llu ", (unsigned long long)line);
}

static void threads_and_pieces_do_not_change_the_result(void **state)
{
    (void)state;
    struct hf_buffer text = make_long_text(), first = {0};
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct hf_buffer bytes = {0}, messages = {0};
        struct hf_build *build = hf_build_new(add_message, &messages);
        assert_int_equal(hf_build_use_threads(build, threads), HF_OK);
        int fd = hf_memfd_of("text", hf_buffer_view(&text));
        enum hf_status st = threads == 2
                                ? hf_build_read_fd(build, "a.hdb", fd)
                                : hf_build_read_text(build, "a.hdb", hf_buffer_view(&text));
        close(fd);
        assert_int_equal(st, HF_OK);
        assert_int_equal(hf_build_summary(build).digests, 180180);
        assert_int_equal(hf_build_write(build, &bytes), HF_OK);
        hf_build_free(build);
        hf_buffer_u8(&messages, 0);
        assert_string_equal((char *)messages.data, "50050 100101 150152 ");
        if (threads == 1) {
            first = bytes;
            bytes = (struct hf_buffer){0};
        } else {
            assert_int_equal(first.len, bytes.len);
            assert_memory_equal(first.data, bytes.data, bytes.len);
        }
        hf_buffer_done(&bytes);
        hf_buffer_done(&messages);
    }
    hf_buffer_done(&first);
    hf_buffer_done(&text);
}

/* A list whose only line is longer than any piece. */
static void a_line_longer_than_a_piece_is_read_whole(void **state)
{
    (void)state;
    struct hf_buffer text = {0};
    hf_buffer_text(&text, MD5_A " 5 ");
    for (size_t i = 0; i < 9u << 20; i++)
        hf_buffer_u8(&text, 'x');
    hf_buffer_text(&text, "\n" SHA256_A " 6 Second\n");
    struct hf_build *build = hf_build_new(NULL, NULL);
    int fd = hf_memfd_of("text", hf_buffer_view(&text));
    assert_int_equal(hf_build_read_fd(build, "a.txt", fd), HF_OK);
    close(fd);
    assert_int_equal(hf_build_summary(build).digests, 2);
    hf_build_free(build);
    hf_buffer_done(&text);
}

static void a_file_is_replaced_as_a_whole_or_not_at_all(void **state)
{
    (void)state;
    struct folder f = make_folder(false);
    char path[128];
    snprintf(path, sizeof path, "%s/out.hfdb", f.path);
    write_file(&f, "out.hfdb", "old");
    struct hf_build *build = hf_build_new(NULL, NULL);
    assert_int_equal(hf_build_write_file(build, "/nowhere/at/all.hfdb"), HF_IO);
    assert_int_equal(hf_build_read_path(build, f.path), HF_OK);
    assert_int_equal(hf_build_write_file(build, path), HF_OK);
    hf_build_free(build);
    int fd = open(path, O_RDONLY);
    struct hf_db *db;
    assert_int_equal(hf_db_open(&fd, 1, &db), HF_OK);
    close(fd);
    assert_string_equal(found_name(db, MD5_A, 5), "B-1");
    hf_db_close(db);
    remove_folder(&f);
    assert_int_not_equal(access(f.path, F_OK), 0); /* nothing else was left there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lists_take_what_people_write),
        cmocka_unit_test(clamav_hashes_follow_its_grammar),
        cmocka_unit_test(ndb_and_ldb_are_read_by_their_front_ends),
        cmocka_unit_test(bad_lines_are_reported_with_their_place),
        cmocka_unit_test(formats_that_are_not_read_are_counted_by_kind),
        cmocka_unit_test(a_folder_gives_the_same_bytes_in_any_order),
        cmocka_unit_test(threads_and_pieces_do_not_change_the_result),
        cmocka_unit_test(a_line_longer_than_a_piece_is_read_whole),
        cmocka_unit_test(a_file_is_replaced_as_a_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
