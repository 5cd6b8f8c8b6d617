#include "scan/source.h"

#include "base/auto.h"
#include "base/fd.h"
#include "scan/child_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int temporary(size_t size)
{
    char name[] = "source_test.XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    static const char data[4096] = "data";
    for (size_t at = 0; at < size; at += sizeof data) {
        size_t n = size - at < sizeof data ? size - at : sizeof data;
        assert_int_equal(hf_fd_write(fd, data, n), HF_OK);
    }
    return fd;
}

static void test_small_files_are_one_snapshot(void **state)
{
    (void)state;
    HF_AUTO(hf_fd_release) int fd = temporary(5000);
    HF_AUTO(hf_source_buffer_done) struct hf_source_buffer buffer = {0};
    struct hf_source s;
    assert_int_equal(hf_source_open(&s, fd, &buffer), HF_OK);
    assert_int_equal(s.bytes.len, 5000);
    assert_memory_equal(s.bytes.data, "data", 4);
    assert_int_equal(pwrite(fd, "evil", 4, 0), 4);
    assert_memory_equal(s.bytes.data, "data", 4);
    assert_int_equal(hf_source_close(&s), HF_CHANGED);
    assert_int_equal(hf_source_open(&s, fd, &buffer), HF_OK);
    assert_int_equal(hf_source_close(&s), HF_OK);
}

static void test_a_file_cut_while_mapped_reads_as_zeros(void **state)
{
    (void)state;
    size_t size = 3 << 20;
    HF_AUTO(hf_fd_release) int fd = temporary(size);
    HF_AUTO(hf_source_buffer_done) struct hf_source_buffer buffer = {0};
    struct hf_source s;
    assert_int_equal(hf_source_guard_faults(), HF_OK);
    assert_int_equal(hf_source_open(&s, fd, &buffer), HF_OK);
    assert_int_equal(s.bytes.len, size);
    assert_int_equal(ftruncate(fd, 4096), 0);
    uint64_t sum = 0;
    for (size_t i = 8192; i < size; i += 1000)
        sum += s.bytes.data[i];
    assert_int_equal(sum, 0);
    assert_int_equal(hf_source_close(&s), HF_CHANGED);
}

static void test_holes_of_sparse_files_are_known(void **state)
{
    (void)state;
    HF_AUTO(hf_fd_release) int fd = temporary(0);
    HF_AUTO(hf_source_buffer_done) struct hf_source_buffer buffer = {0};
    assert_int_equal(ftruncate(fd, 64 << 20), 0);
    assert_int_equal(pwrite(fd, "x", 1, 10 << 20), 1);
    assert_int_equal(lseek(fd, 77, SEEK_SET), 77);
    struct hf_source s;
    assert_int_equal(hf_source_open(&s, fd, &buffer), HF_OK);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 77);
    assert_int_equal(s.bytes.data[10 << 20], 'x');
    uint64_t covered = 0;
    bool has_x = s.extents == NULL;
    for (size_t i = 0; i < s.extent_count; i++) {
        covered += s.extents[i].length;
        has_x = has_x || (s.extents[i].offset <= 10 << 20 &&
                          s.extents[i].offset + s.extents[i].length > 10 << 20);
    }
    assert_true(has_x);
    assert_true(s.extents == NULL || covered < 8 << 20);
    assert_int_equal(hf_source_close(&s), HF_OK);
}

static void test_what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    HF_AUTO(hf_source_buffer_done) struct hf_source_buffer buffer = {0};
    struct hf_source s;
    assert_int_equal(hf_source_open(&s, pipe_fds[0], &buffer), HF_INVALID);
    assert_int_equal(hf_source_open(&s, -1, &buffer), HF_IO);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void fill(struct hf_child_store *store, size_t size, uint8_t seed)
{
    static uint8_t piece[100000];
    for (size_t at = 0; at < size;) {
        size_t n = size - at < sizeof piece ? size - at : sizeof piece;
        for (size_t i = 0; i < n; i++)
            piece[i] = (uint8_t)(seed + (at + i) % 251);
        assert_int_equal(hf_child_store_add(store, hf_bytes_of(piece, n), 1 << 30), HF_OK);
        at += n;
    }
}

static void assert_filled(const struct hf_child_store *store, size_t size, uint8_t seed)
{
    struct hf_bytes b = hf_child_store_bytes(store);
    assert_int_equal(b.len, size);
    for (size_t i = 0; i < size; i += 97)
        assert_int_equal(b.data[i], (uint8_t)(seed + i % 251));
}

static void test_large_children_nest_in_the_spool(void **state)
{
    (void)state;
    HF_AUTO(hf_fd_release) int fd = temporary(0);
    struct hf_spool spool = {.fd = fd};
    struct hf_child_store outer = {.spool = &spool}, inner = {.spool = &spool};
    fill(&outer, 40 << 20, 1);
    assert_non_null(outer.region);
    fill(&inner, 20 << 20, 2);
    assert_non_null(inner.region);
    assert_filled(&outer, 40 << 20, 1);
    assert_filled(&inner, 20 << 20, 2);
    hf_child_store_clear(&inner);
    fill(&inner, 1000, 3);
    assert_null(inner.region);
    assert_filled(&outer, 40 << 20, 1);
    hf_child_store_done(&inner);
    hf_child_store_done(&outer);
    assert_int_equal(spool.top, 0);
}

static void test_without_a_spool_children_stay_in_memory(void **state)
{
    (void)state;
    struct hf_spool spool = {.fd = -1};
    struct hf_child_store store = {.spool = &spool};
    fill(&store, 20 << 20, 5);
    assert_filled(&store, 20 << 20, 5);
    hf_child_store_done(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_files_are_one_snapshot),
        cmocka_unit_test(test_a_file_cut_while_mapped_reads_as_zeros),
        cmocka_unit_test(test_holes_of_sparse_files_are_known),
        cmocka_unit_test(test_what_is_no_regular_file_is_refused),
        cmocka_unit_test(test_large_children_nest_in_the_spool),
        cmocka_unit_test(test_without_a_spool_children_stay_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
