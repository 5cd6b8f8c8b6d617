#include "base/auto.h"
#include "base/fd.h"
#include "compile.h"
#include "scan/asked.h"
#include "store/clean_cache.h"
#include "store/clean_table.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

#define MD5_A "00112233445566778899aabbccddeeff"

static char folder[] = "/tmp/holdfast-cache.XXXXXX";

static char *inside(const char *name)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/holdfast-cache.XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int drop_folder(void **state)
{
    (void)state;
    (void)unlink(inside("clean.key"));
    (void)unlink(inside("clean.cache"));
    return rmdir(folder);
}

static struct hf_clean_file file_of(uint64_t number)
{
    struct hf_clean_file file = {{0}};
    memcpy(file.bytes, &number, sizeof number);
    return file;
}

static struct hf_clean_cache *open_with(const struct hf_db *db, const char *options,
                                        size_t max)
{
    struct hf_clean_cache *cache = NULL;
    const struct hf_clean_cache_options o = {.folder = folder,
                                             .db = db,
                                             .judged_by = hf_bytes_text(options),
                                             .entries_max = max};
    assert_int_equal(hf_clean_cache_open(&cache, &o, NULL), HF_OK);
    return cache;
}

static bool knows(struct hf_clean_cache *cache, uint64_t number)
{
    struct hf_clean_file file = file_of(number);
    return hf_clean_cache_knows(cache, &file);
}

static void add(struct hf_clean_cache *cache, uint64_t number,
                const struct hf_report *report)
{
    struct hf_clean_file file = file_of(number);
    hf_clean_cache_add(cache, &file, report);
}

static void save_and_free(struct hf_clean_cache *cache)
{
    assert_int_equal(hf_clean_cache_save(cache), HF_OK);
    hf_clean_cache_free(cache);
}

static const struct hf_report clean = {.verdict = HF_CLEAN, .asked_cut = true, .worker = 1};

static void what_was_clean_is_known_the_next_time(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    struct hf_clean_cache *cache = open_with(c.db, "limits", 0);
    add(cache, 1, &clean);
    assert_true(knows(cache, 1));
    save_and_free(cache);
    cache = open_with(c.db, "limits", 0);
    assert_true(knows(cache, 1));
    assert_false(knows(cache, 2));
    hf_clean_cache_free(cache);
    cache = open_with(c.db, "other limits", 0);
    assert_false(knows(cache, 1));
    hf_clean_cache_free(cache);
    compiled_done(&c);
}

static void what_is_not_plainly_clean_is_not_kept(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    struct hf_clean_cache *cache = open_with(c.db, "", 0);
    struct hf_signature given_up = {0, 0};
    const struct hf_report reports[] = {
        {.verdict = HF_INFECTED},
        {.verdict = HF_UNSCANNABLE, .reasons = HF_REASON_LIMIT},
        {.verdict = HF_CLEAN, .reasons = HF_REASON_CHANGED},
        {.verdict = HF_CLEAN, .finding_count = 1},
        {.verdict = HF_CLEAN, .findings_dropped = 1},
        {.verdict = HF_CLEAN, .excused = true},
        {.verdict = HF_CLEAN, .suspended = &given_up, .suspended_count = 1},
    };
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        add(cache, i, &reports[i]);
        assert_false(knows(cache, i));
    }
    assert_int_equal(hf_clean_cache_count(cache), 0);
    hf_clean_cache_free(cache);
    compiled_done(&c);
}

/* A file of 100 bytes of which an MD5 was asked and that has another one, and one of 200 bytes of
 * which none was asked. */
static void new_digest_signatures_are_looked_up_in_what_was_asked(void **state)
{
    (void)state;
    struct compiled first = compile_one("a.hdb", MD5_A ":100:A\n");
    struct compiled same = compile_one("a.hdb", MD5_A ":100:A\n" MD5_A ":300:B\n");
    struct compiled hits =
        compile_one("a.hdb", MD5_A ":100:A\nffffffffffffffffffffffffffffffff:100:C\n");
    struct compiled asks = compile_one("a.hdb", MD5_A ":100:A\n" MD5_A ":200:D\n");
    struct compiled rules = compile_one("a.ndb", "R:0:*:4142434445464748\n");
    struct hf_digests other = {.have = 1u << HF_MD5};
    memset(other.value[HF_MD5], 0xff, 16);
    HF_AUTO(hf_buffer_done) struct hf_buffer large = {0}, small = {0};
    hf_asked_put(&large, HF_DB_OBJECT, 100, &other, 1u << HF_MD5);
    hf_asked_put(&small, HF_DB_OBJECT, 200, &other, 0);
    struct hf_report of_100 = {.verdict = HF_CLEAN, .asked = hf_buffer_view(&large)};
    struct hf_report of_200 = {.verdict = HF_CLEAN, .asked = hf_buffer_view(&small)};

    struct hf_clean_cache *cache = open_with(first.db, "", 0);
    add(cache, 100, &of_100);
    add(cache, 200, &of_200);
    add(cache, 300, &clean); /* what was asked of it is not known */
    save_and_free(cache);

    cache = open_with(same.db, "", 0);
    assert_true(knows(cache, 100));
    assert_true(knows(cache, 200));
    assert_false(knows(cache, 300));
    hf_clean_cache_free(cache);
    cache = open_with(hits.db, "", 0);
    assert_false(knows(cache, 100)); /* its digest is one of those that are new */
    assert_true(knows(cache, 200));
    hf_clean_cache_free(cache);
    cache = open_with(asks.db, "", 0);
    assert_true(knows(cache, 100));
    assert_false(knows(cache, 200)); /* a digest is asked for that was not taken */
    assert_int_equal(hf_clean_cache_use(cache, rules.db), HF_OK);
    assert_false(knows(cache, 100)); /* rules are another matter */
    hf_clean_cache_free(cache);
    compiled_done(&first);
    compiled_done(&same);
    compiled_done(&hits);
    compiled_done(&asks);
    compiled_done(&rules);
}

static void what_a_worker_said_before_it_crashed_is_withdrawn(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    struct hf_clean_cache *cache = open_with(c.db, "", 0);
    struct hf_clean_cache *other = open_with(c.db, "", 0);
    struct hf_report second = clean;
    second.worker = 2;
    add(cache, 1, &clean);
    add(cache, 2, &second);
    assert_int_equal(hf_clean_cache_save(cache), HF_OK);
    add(other, 3, &clean);
    assert_int_equal(hf_clean_cache_save(other), HF_OK); /* has all three on disk now */
    hf_clean_cache_withdraw(cache, 1);
    assert_false(knows(cache, 1));
    save_and_free(cache);
    hf_clean_cache_free(other);
    cache = open_with(c.db, "", 0);
    assert_false(knows(cache, 1));
    assert_true(knows(cache, 2));
    assert_true(knows(cache, 3));
    hf_clean_cache_free(cache);
    compiled_done(&c);
}

static void two_processes_at_once_lose_nothing(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    enum { PROCESSES = 4, EACH = 50 };
    for (uint64_t p = 0; p < PROCESSES; p++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid > 0)
            continue;
        struct hf_clean_cache *cache = open_with(c.db, "", 0);
        for (uint64_t i = 0; i < EACH; i++) {
            add(cache, p * EACH + i, &clean);
            if (hf_clean_cache_save(cache) != HF_OK)
                _exit(1);
        }
        _exit(0);
    }
    for (int p = 0, status; p < PROCESSES; p++)
        assert_true(wait(&status) > 0 && status == 0);
    struct hf_clean_cache *cache = open_with(c.db, "", 0);
    for (uint64_t i = 0; i < PROCESSES * EACH; i++)
        assert_true(knows(cache, i));
    hf_clean_cache_free(cache);
    compiled_done(&c);
}

static void a_writer_that_is_killed_leaves_the_old_table_or_the_new(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    struct hf_clean_cache *cache = open_with(c.db, "", 0);
    add(cache, 0, &clean);
    save_and_free(cache);
    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            cache = open_with(c.db, "", 0);
            for (uint64_t i = 1;; i++) {
                add(cache, i, &clean);
                (void)!hf_clean_cache_save(cache);
            }
        }
        (void)usleep((useconds_t)(500 + round * 331));
        (void)kill(pid, SIGKILL);
        assert_true(waitpid(pid, NULL, 0) == pid);
        HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
        const struct hf_clean_cache_options o = {.folder = folder, .db = c.db};
        assert_int_equal(hf_clean_cache_open(&cache, &o, &note), HF_OK);
        assert_int_equal(note.len, 0);
        assert_true(knows(cache, 0));
        hf_clean_cache_free(cache);
    }
    (void)unlink(inside("clean.cache.new"));
    compiled_done(&c);
}

/* Change one byte of the table, or cut it. */
static void a_table_that_somebody_changed_is_begun_anew(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    for (off_t at = 0;; at += 7) {
        struct hf_clean_cache *cache = open_with(c.db, "", 0);
        add(cache, 1, &clean);
        add(cache, 2, &clean);
        save_and_free(cache);
        int fd = open(inside("clean.cache"), O_RDWR);
        uint8_t byte;
        if (pread(fd, &byte, 1, at) != 1) {
            close(fd);
            break;
        }
        byte ^= 0x10;
        if (at % 2 == 0)
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        else
            assert_int_equal(ftruncate(fd, at), 0);
        close(fd);
        HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
        const struct hf_clean_cache_options o = {.folder = folder, .db = c.db};
        assert_int_equal(hf_clean_cache_open(&cache, &o, &note), HF_OK);
        assert_true(note.len > 0);
        assert_false(knows(cache, 1));
        hf_clean_cache_free(cache);
        (void)unlink(inside("clean.cache"));
    }
    compiled_done(&c);
}

static void a_link_or_a_file_that_others_may_read_is_not_used(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    struct hf_clean_cache *cache = open_with(c.db, "", 0);
    add(cache, 1, &clean);
    save_and_free(cache);
    assert_int_equal(chmod(inside("clean.cache"), 0644), 0);
    cache = open_with(c.db, "", 0);
    assert_false(knows(cache, 1));
    hf_clean_cache_free(cache);
    assert_int_equal(chmod(inside("clean.cache"), 0600), 0);
    char real[64];
    (void)snprintf(real, sizeof real, "%s.real", folder);
    assert_int_equal(rename(inside("clean.cache"), real), 0);
    assert_int_equal(symlink(real, inside("clean.cache")), 0);
    cache = open_with(c.db, "", 0);
    assert_false(knows(cache, 1));
    hf_clean_cache_free(cache);
    (void)unlink(real);
    compiled_done(&c);
}

static void the_oldest_entries_make_room(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A\n");
    struct hf_clean_cache *cache = open_with(c.db, "", 4);
    for (uint64_t i = 0; i < 4; i++)
        add(cache, i, &clean);
    save_and_free(cache);
    cache = open_with(c.db, "", 4);
    assert_true(knows(cache, 1) && knows(cache, 3));
    add(cache, 10, &clean);
    add(cache, 11, &clean);
    save_and_free(cache);
    cache = open_with(c.db, "", 4);
    assert_int_equal(hf_clean_cache_count(cache), 4);
    assert_true(knows(cache, 1) && knows(cache, 3) && knows(cache, 10) && knows(cache, 11));
    hf_clean_cache_free(cache);
    compiled_done(&c);
}

static void many_generations_push_out_the_oldest(void **state)
{
    (void)state;
    struct hf_clean_table table = {0};
    uint8_t name[16] = {0}, tag[HF_CLEAN_TAG] = {0};
    for (unsigned i = 0; i < HF_CLEAN_GENERATIONS_MAX + 3; i++) {
        name[0] = (uint8_t)i;
        name[1] = (uint8_t)(i >> 8);
        tag[0] = name[0];
        tag[1] = name[1];
        uint16_t number = hf_clean_table_generation(&table, name);
        struct hf_clean_entry *entry = hf_clean_table_add(&table, tag);
        assert_non_null(entry);
        entry->generation = number;
    }
    assert_int_equal(table.count, HF_CLEAN_GENERATIONS_MAX);
    tag[0] = tag[1] = 0;
    assert_null(hf_clean_table_find(&table, tag));
    tag[0] = 3;
    assert_non_null(hf_clean_table_find(&table, tag));
    hf_clean_table_done(&table);
}

static void a_file_with_a_writer_is_told(void **state)
{
    (void)state;
    char *path = inside("clean.key");
    int writer = open(path, O_WRONLY | O_CREAT, 0600), reader = open(path, O_RDONLY);
    assert_true(writer >= 0 && reader >= 0);
    assert_false(hf_clean_file_has_no_writer(reader));
    close(writer);
    assert_true(hf_clean_file_has_no_writer(reader));
    close(reader);
}

static void file_systems_without_reliable_times_are_not_trusted(void **state)
{
    (void)state;
    assert_true(hf_file_system_type_is_trusted(0xEF53));
    static const unsigned long others[] = {0x01021994 /* tmpfs */, 0x6969 /* NFS */,
                                           0x65735546 /* FUSE */,  0x794c7630 /* overlay */,
                                           0x4d44 /* FAT */,       0xfe534d42 /* SMB */};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(hf_file_system_type_is_trusted(others[i]));
}

/* A small sysfs: a disk with a partition, a stick, an image, a volume over disk and stick. */
static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void disks_that_can_be_taken_away_are_told(void **state)
{
    (void)state;
    char command[1024];
    (void)snprintf(
        command, sizeof command,
        "cd %s && mkdir -p sys/dev/block sys/d/pci0/sda/sda1 sys/d/usb1/sdb "
        "sys/d/virtual/block/loop0 sys/d/virtual/block/dm-0/slaves "
        "sys/d/virtual/block/dm-1/slaves sys/d/mmc/mmcblk0/device && cd sys/dev/block && "
        "ln -s ../../d/pci0/sda/sda1 8:1 && ln -s ../../d/usb1/sdb 8:16 && "
        "ln -s ../../d/virtual/block/loop0 7:0 && ln -s ../../d/virtual/block/dm-0 253:0 && "
        "ln -s ../../d/virtual/block/dm-1 253:1 && ln -s ../../d/mmc/mmcblk0 179:0 && "
        "cd ../../d/virtual/block && ln -s ../../../../pci0/sda/sda1 dm-0/slaves/sda1 && "
        "ln -s ../../../../pci0/sda/sda1 dm-1/slaves/sda1 && "
        "ln -s ../../../../usb1/sdb dm-1/slaves/sdb",
        folder);
    assert_int_equal(system(command), 0);
    char sys[64], path[128];
    (void)snprintf(sys, sizeof sys, "%s/sys", folder);
    static const char *const zeros[] = {"pci0/sda", "usb1/sdb", "virtual/block/loop0",
                                        "mmc/mmcblk0"};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        (void)snprintf(path, sizeof path, "%s/d/%s/removable", sys, zeros[i]);
        write_file(path, "0\n");
    }
    (void)snprintf(path, sizeof path, "%s/d/pci0/sda/sda1/partition", sys);
    write_file(path, "1\n");
    (void)snprintf(path, sizeof path, "%s/d/mmc/mmcblk0/device/type", sys);
    write_file(path, "SD\n");
    assert_true(hf_disk_is_fixed(sys, 8, 1));
    assert_false(hf_disk_is_fixed(sys, 8, 16));
    assert_false(hf_disk_is_fixed(sys, 7, 0));
    assert_true(hf_disk_is_fixed(sys, 253, 0));
    assert_false(hf_disk_is_fixed(sys, 253, 1));
    assert_false(hf_disk_is_fixed(sys, 179, 0));
    assert_false(hf_disk_is_fixed(sys, 1, 1));
    (void)snprintf(path, sizeof path, "%s/d/pci0/sda/removable", sys);
    write_file(path, "1\n");
    assert_false(hf_disk_is_fixed(sys, 8, 1));
    (void)snprintf(command, sizeof command, "rm -r %s/sys", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_clean_is_known_the_next_time, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(what_is_not_plainly_clean_is_not_kept, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(
            new_digest_signatures_are_looked_up_in_what_was_asked, make_folder,
            drop_folder),
        cmocka_unit_test_setup_teardown(what_a_worker_said_before_it_crashed_is_withdrawn,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(two_processes_at_once_lose_nothing, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(
            a_writer_that_is_killed_leaves_the_old_table_or_the_new, make_folder,
            drop_folder),
        cmocka_unit_test_setup_teardown(a_table_that_somebody_changed_is_begun_anew,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_link_or_a_file_that_others_may_read_is_not_used,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(the_oldest_entries_make_room, make_folder,
                                        drop_folder),
        cmocka_unit_test(many_generations_push_out_the_oldest),
        cmocka_unit_test_setup_teardown(a_file_with_a_writer_is_told, make_folder,
                                        drop_folder),
        cmocka_unit_test(file_systems_without_reliable_times_are_not_trusted),
        cmocka_unit_test_setup_teardown(disks_that_can_be_taken_away_are_told, make_folder,
                                        drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
