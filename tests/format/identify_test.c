#include "format/format.h"
#include "format/mail_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static enum hf_format identify(const void *bytes, size_t n)
{
    struct hf_cursor c = hf_cursor_open(bytes, n, NULL);
    return hf_identify(&c);
}

#define IDENTIFY(literal) identify(literal, sizeof(literal) - 1)

static void test_magics_are_recognised(void **state)
{
    (void)state;
    assert_int_equal(IDENTIFY("MZ\x90"), HF_FORMAT_PE);
    assert_int_equal(IDENTIFY("\x7f"
                              "ELF\2\1\1"),
                     HF_FORMAT_ELF);
    assert_int_equal(IDENTIFY("PK\3\4...."), HF_FORMAT_ZIP);
    assert_int_equal(IDENTIFY("\x1f\x8b\x08\0"), HF_FORMAT_GZIP);
    assert_int_equal(IDENTIFY("\x54\x2a\x4d\x18"), HF_FORMAT_ZSTD); /* skippable frame 4 */
    assert_int_equal(IDENTIFY("070701000"), HF_FORMAT_CPIO_NEWC);
    assert_int_equal(IDENTIFY("\xca\xfe\xba\xbe\0\0\0\x34"), HF_FORMAT_JAVA);
    assert_int_equal(IDENTIFY("\xca\xfe\xba\xbe\0\0\0\x02"), HF_FORMAT_MACHO_FAT);
}

static void test_short_and_empty_objects_are_binary_or_text(void **state)
{
    (void)state;
    assert_int_equal(IDENTIFY(""), HF_FORMAT_BINARY);
    assert_int_equal(IDENTIFY("P"), HF_FORMAT_TEXT_ASCII);
    assert_int_equal(IDENTIFY("\0"), HF_FORMAT_BINARY);
}

static void test_text_is_told_by_its_bytes(void **state)
{
    (void)state;
    assert_int_equal(IDENTIFY("plain words\n"), HF_FORMAT_TEXT_ASCII);
    assert_int_equal(IDENTIFY("gr\xc3\xbc\xc3\x9f gott\n"), HF_FORMAT_TEXT_UTF8);
    assert_int_equal(IDENTIFY("broken \xff byte"), HF_FORMAT_BINARY);
    assert_int_equal(IDENTIFY("h\0e\0l\0l\0o\0"), HF_FORMAT_TEXT_UTF16LE);
    assert_int_equal(IDENTIFY("\0h\0e\0l\0l\0o"), HF_FORMAT_TEXT_UTF16BE);
    assert_int_equal(IDENTIFY("#!/bin/sh\n"), HF_FORMAT_SCRIPT);
    assert_int_equal(IDENTIFY("\n <!DOCTYPE HTML>"), HF_FORMAT_HTML);
    assert_int_equal(IDENTIFY("From: a@b\nTo: c@d\nSubject: x\n\nhello"), HF_FORMAT_MAIL);
    assert_int_equal(IDENTIFY("From: here to there\n"), HF_FORMAT_TEXT_ASCII);
}

static void test_mail_is_told_by_its_header(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_text, is_mail;
    } cases[] = {
        {"From: a\nTo: b\n\nx", true, true},
        {"X-Any: y\r\n folded\r\nSubject: b\r\nDate: c\r\n\r\n\xff", false, true},
        {"\n \nReceived: from x\n\n", true, true},
        {"Subject: x\n\n\x01", false, false},
        {"Note: a\nTo: b\n", true, false},
        {"From a Mon\nSubject: x\n", true, true},
        {"--x\nContent-Type: a/b\n", true, true},
        {"hello\n--x\nContent-Type: a/b\n", true, true},
        {"Dear reader,\nFrom: a\nTo: b\n", true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hf_mail_kind(hf_bytes_text(cases[i].text), cases[i].is_text),
                         cases[i].is_mail);
}

static void test_tar_needs_a_good_checksum(void **state)
{
    (void)state;
    uint8_t block[512] = "file.txt";
    memcpy(block + 100, "0000644", 7);
    uint32_t sum = 8 * ' ';
    for (size_t i = 0; i < sizeof block; i++)
        sum += block[i];
    char text[8];
    snprintf(text, sizeof text, "%06o", sum);
    memcpy(block + 148, text, 7);
    block[155] = ' ';
    assert_int_equal(identify(block, sizeof block), HF_FORMAT_TAR);
    block[0] = 'g';
    assert_int_not_equal(identify(block, sizeof block), HF_FORMAT_TAR);
}

static void test_archives_behind_other_things_are_seen(void **state)
{
    (void)state;
    static uint8_t file[0x9000];
    memcpy(file, "\xff\xd8\xff\xe0", 4);
    memcpy(file + 0x8001, "CD001", 5);
    static const uint8_t eocd[22] = {'P', 'K', 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 60};
    memcpy(file + sizeof file - sizeof eocd, eocd, sizeof eocd);
    struct hf_cursor c = hf_cursor_open(file, sizeof file, NULL);
    enum hf_format also[HF_ALSO_MAX];
    assert_int_equal(hf_identify(&c), HF_FORMAT_JPEG);
    assert_int_equal(hf_identify_also(&c, HF_FORMAT_JPEG, also), 2);
    assert_int_equal(also[0], HF_FORMAT_ZIP);
    assert_int_equal(also[1], HF_FORMAT_ISO9660);
    assert_int_equal(hf_identify_also(&c, HF_FORMAT_ZIP, also), 1);
}

static void test_every_format_has_a_row_and_a_name_for_authors(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HF_FORMAT_COUNT; i++) {
        const struct hf_format_row *row = hf_format_row((enum hf_format)i);
        assert_int_equal(row->id, i);
        assert_ptr_equal(hf_format_by_cl_type(hf_bytes_text(row->cl_type)), row);
    }
    assert_null(hf_format_row(HF_FORMAT_COUNT));
    assert_null(hf_format_by_cl_type(hf_bytes_text("CL_TYPE_NONSENSE")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magics_are_recognised),
        cmocka_unit_test(test_short_and_empty_objects_are_binary_or_text),
        cmocka_unit_test(test_text_is_told_by_its_bytes),
        cmocka_unit_test(test_mail_is_told_by_its_header),
        cmocka_unit_test(test_tar_needs_a_good_checksum),
        cmocka_unit_test(test_archives_behind_other_things_are_seen),
        cmocka_unit_test(test_every_format_has_a_row_and_a_name_for_authors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
