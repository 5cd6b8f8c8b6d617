/* sigtool.c - `sigtool` as version 1.4 has it, as far as docs/compat-programs.md says. Reads the
 * user's own signatures; of files to be scanned it takes digests only. What needs more of them is
 * asked of a worker (sigtool_form.c). */
#include "cli/compat/sigtool.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/compat/arguments.h"
#include "cli/compat/compat.h"
#include "db/cvd.h"
#include "db/text_chunks.h"
#include "digest/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ST_HELP,
    ST_VERSION,
    ST_QUIET,
    ST_DEBUG,
    ST_STDOUT,
    ST_HEX_DUMP,
    ST_MD5,
    ST_SHA1,
    ST_SHA256,
    ST_ASCII,
    ST_UTF16,
    ST_HTML,
    ST_INFO,
    ST_UNPACK,
    ST_UNPACK_CURRENT,
    ST_LIST,
    ST_FIND,
    ST_DECODE,
    ST_DATADIR,
    ST_TEMPDIR,
    ST_LEAVE_TEMPS,
    ST_MDB,
    ST_IMP,
    ST_MISSING /* this and all behind it: known, and refused */
};
/* clang-format off */
static const struct hf_compat_option options[] = {
    [ST_HELP] = {"help", HF_COMPAT_FLAG, 'h'},
    [ST_VERSION] = {"version", HF_COMPAT_FLAG, 'V'},
    [ST_QUIET] = {"quiet", HF_COMPAT_FLAG},
    [ST_DEBUG] = {"debug", HF_COMPAT_FLAG},
    [ST_STDOUT] = {"stdout", HF_COMPAT_FLAG},
    [ST_HEX_DUMP] = {"hex-dump", HF_COMPAT_FLAG},
    [ST_MD5] = {"md5", HF_COMPAT_FLAG},
    [ST_SHA1] = {"sha1", HF_COMPAT_FLAG},
    [ST_SHA256] = {"sha256", HF_COMPAT_FLAG},
    [ST_ASCII] = {"ascii-normalise", HF_COMPAT_TEXT},
    [ST_UTF16] = {"utf16-decode", HF_COMPAT_TEXT},
    [ST_HTML] = {"html-normalise", HF_COMPAT_TEXT},
    [ST_INFO] = {"info", HF_COMPAT_TEXT, 'i'},
    [ST_UNPACK] = {"unpack", HF_COMPAT_TEXT, 'u'},
    [ST_UNPACK_CURRENT] = {"unpack-current", HF_COMPAT_TEXT},
    [ST_LIST] = {"list-sigs", HF_COMPAT_PERHAPS, 'l'},
    [ST_FIND] = {"find-sigs", HF_COMPAT_TEXT, 'f'},
    [ST_DECODE] = {"decode-sigs", HF_COMPAT_FLAG},
    [ST_DATADIR] = {"datadir", HF_COMPAT_TEXT},
    [ST_TEMPDIR] = {"tempdir", HF_COMPAT_TEXT},
    [ST_LEAVE_TEMPS] = {"leave-temps", HF_COMPAT_FLAG},
    [ST_MDB] = {"mdb", HF_COMPAT_FLAG},
    [ST_IMP] = {"imp", HF_COMPAT_FLAG},
    [ST_MISSING] = {"fuzzy-img", HF_COMPAT_FLAG},
    {"build", HF_COMPAT_TEXT, 'b'},
    {"max-bad-sigs", HF_COMPAT_NUMBER}, {"flevel", HF_COMPAT_NUMBER},
    {"cvd-version", HF_COMPAT_NUMBER}, {"no-cdiff", HF_COMPAT_FLAG},
    {"unsigned", HF_COMPAT_FLAG}, {"hybrid", HF_COMPAT_FLAG},
    {"print-certs", HF_COMPAT_TEXT}, {"server", HF_COMPAT_TEXT},
    {"test-sigs", HF_COMPAT_TEXT}, {"vba", HF_COMPAT_TEXT}, {"vba-hex", HF_COMPAT_TEXT},
    {"diff", HF_COMPAT_TEXT, 'd'}, {"compare", HF_COMPAT_TEXT, 'c'},
    {"run-cdiff", HF_COMPAT_TEXT, 'r'}, {"verify-cdiff", HF_COMPAT_TEXT},
};
/* clang-format on */
enum { OPTIONS = sizeof options / sizeof *options };

static int complain(const char *what, const char *text, const char *path)
{
    fflush(stdout);
    fprintf(stderr, "ERROR: %s: %s%s\n", what, text, path);
    return 1;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* ---- digests ---- */

static bool digest_of(struct hf_bytes bytes, enum hf_digest_kind kind,
                      struct hf_buffer *hex)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_digests digests = {0};
    if (hasher == NULL || hf_digest_add(hasher, bytes, 1u << kind, &digests) != HF_OK)
        return false;
    hf_hex(hex, hf_digest_bytes(&digests, kind));
    hf_buffer_u8(hex, 0);
    return !hex->failed;
}

static int hash_stdin(enum hf_digest_kind kind)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer all = {0}, hex = {0};
    if (hf_fd_read_all(STDIN_FILENO, SIZE_MAX, &all) != HF_OK ||
        !digest_of(hf_buffer_view(&all), kind, &hex))
        return complain("hashsig", "Can't generate hash for ", "stdin");
    puts((const char *)hex.data);
    return 0;
}

static int hash_file(const char *path, enum hf_digest_kind kind)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "hashsig: %s\n", strerror(errno));
        return complain("hashsig", "Can't access file ", path);
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer hex = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK ||
        !digest_of(hf_bytes_of(map.data, map.len), kind, &hex))
        return complain("hashsig", "Can't open file ", path);
    printf("%s:%zu:%s\n", (const char *)hex.data, map.len, last_name(path));
    return 0;
}

static int hash_files(const struct hf_compat_arguments *a, enum hf_digest_kind kind)
{
    if (a->operand_count == 0)
        return hash_stdin(kind);
    for (size_t i = 0; i < a->operand_count; i++)
        if (hash_file(a->operands[i], kind) != 0)
            return 1;
    return 0;
}

static int hex_dump(void)
{
    uint8_t block[4096];
    for (ssize_t n; (n = read(STDIN_FILENO, block, sizeof block)) != 0;) {
        HF_AUTO(hf_buffer_done) struct hf_buffer hex = {0};
        if (n < 0 && errno == EINTR)
            continue;
        hf_hex(&hex, hf_bytes_of(block, n < 0 ? 0 : (size_t)n));
        if (n < 0 || hex.failed || hf_fd_write(STDOUT_FILENO, hex.data, hex.len) != HF_OK)
            return complain("hexdump", strerror(errno), "");
    }
    return 0;
}

/* ---- forms of text: made in a worker ---- */

static int decode_utf16(const char *path)
{
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s.ascii", last_name(path));
    const char *names[] = {name};
    return hf_sigtool_write_forms("utf16decode", HF_FORM_UTF16, path, names, 1);
}

static int normalise(const char *path)
{
    static const char *const names[] = {"normalised_text"};
    return hf_sigtool_write_forms("asciinorm", HF_FORM_TEXT, path, names, 1);
}

static int normalise_html(const char *path)
{
    static const char *const names[] = {"nocomment.html", "notags.html"};
    return hf_sigtool_write_forms("htmlnorm", HF_FORM_PAGE, path, names, 2);
}

/* ---- containers ---- */

static enum hf_status pass_over(void *user, const char *name, struct hf_bytes text)
{
    (void)user;
    (void)name;
    (void)text;
    return HF_OK;
}

static int show_info(const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0}, time = {0};
    struct hf_cvd_header h;
    const char *text;
    bool open = fd >= 0 && hf_map_open(fd, &map) == HF_OK;
    if (!open)
        fprintf(stderr, "LibClamAV Error: cl_cvdhead: Can't open file %s\n", path);
    else if (hf_cvd_read_header(hf_bytes_of(map.data, map.len), &h, &text) != HF_OK)
        fprintf(stderr, "LibClamAV Error: cli_cvdparse: Not a CVD file\n");
    if (!open || hf_cvd_read_header(hf_bytes_of(map.data, map.len), &h, &text) != HF_OK)
        return complain("cvdinfo", "Can't read/parse CVD header of ", path);
    hf_buffer_bytes(&time, h.time);
    uint8_t *dash = time.len > 0 ? memchr(time.data, '-', time.len) : NULL;
    if (dash != NULL)
        *dash = ':';
    printf("File: %s\nBuild time: %.*s\nVersion: %llu\nSignatures: %llu\n"
           "Functionality level: %llu\nBuilder: %.*s\n",
           path, (int)time.len, time.data, (unsigned long long)h.version,
           (unsigned long long)h.signatures, (unsigned long long)h.level,
           (int)h.builder.len, h.builder.data);
    enum hf_cvd_kind kind = hf_cvd_kind_of(path);
    if (kind == HF_CVD_UNSIGNED) {
        puts("Verification: Unsigned container");
        return 0;
    }
    if (kind == HF_CVD_PUBLISHED || kind == HF_CVD_NONE)
        printf("MD5: %.*s\nDigital signature: %.*s\n", (int)h.md5.len, h.md5.data,
               (int)h.digits.len, h.digits.data);
    if (hf_cvd_read(hf_bytes_of(map.data, map.len), kind, &hf_cvd_keys_clamav, pass_over,
                    NULL, &why) != HF_OK)
        return complain("cvdinfo", "Verification: Can't verify database integrity", "");
    puts("Verification OK.");
    return 0;
}

static enum hf_status write_member(void *user, const char *name, struct hf_bytes text)
{
    (void)user;
    HF_AUTO(hf_fd_release)
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    return fd < 0 ? HF_IO : hf_fd_write(fd, text.data, text.len);
}

static int unpack(const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    enum hf_cvd_kind kind = hf_cvd_kind_of(path);
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK)
        return complain("unpack", "Can't open ", path);
    struct hf_bytes file = hf_bytes_of(map.data, map.len);
    /* Verified as a whole before anything is written. */
    if (hf_cvd_read(file, kind, &hf_cvd_keys_clamav, pass_over, NULL, &why) != HF_OK) {
        fprintf(stderr, "ERROR: unpack: %s is not a valid CVD\n", path);
        return 1;
    }
    if (hf_cvd_unpack(file, write_member, NULL, &why) != HF_OK)
        return complain("unpack", "Can't unpack file ", path);
    return 0;
}

static int unpack_current(const char *name, const char *folder)
{
    static const char *const endings[] = {"cld", "cvd"};
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s.%s", folder, name, endings[i]);
        if (access(path, R_OK) == 0)
            return unpack(path);
    }
    fprintf(stderr, "ERROR: unpack: Couldn't find %s CLD/CVD database in %s\n", name,
            folder);
    return 1;
}

/* ---- the rest ---- */

static int decode_lines(void)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer all = {0};
    struct hf_bytes text, line;
    if (hf_fd_read_all(STDIN_FILENO, SIZE_MAX, &all) != HF_OK)
        return 1;
    for (text = hf_buffer_view(&all); hf_next_line(&text, &line);)
        if (line.len > 0 && !hf_sigtool_decode(line))
            return 1;
    return 0;
}

static int show_help(void)
{
    puts("\n"
         "                      Clam AntiVirus: Signature Tool " HF_COMPAT_VERSION "\n"
         "           as Holdfast " HOLDFAST_VERSION " behaves under this name\n"
         "\n"
         "    sigtool [options]\n");
    for (size_t i = 0; i < ST_MISSING; i++)
        printf("    --%s\n", options[i].name);
    puts("\nOther options of ClamAV's sigtool are not there yet.");
    return 0;
}

static int run(const struct hf_compat_arguments *a)
{
    const struct hf_compat_value *v = a->values;
    const char *folder = v[ST_DATADIR].count > 0 ? v[ST_DATADIR].text : HF_COMPAT_DATABASES;
    for (size_t i = ST_MISSING; i < OPTIONS; i++)
        if (v[i].count > 0) {
            fprintf(stderr, "ERROR: --%s is not implemented in this sigtool\n",
                    options[i].name);
            return 1;
        }
    if (v[ST_HELP].on)
        return show_help();
    if (v[ST_VERSION].on)
        return puts("ClamAV " HF_COMPAT_VERSION) < 0;
    if (v[ST_HEX_DUMP].on)
        return hex_dump();
    if (v[ST_MD5].on)
        return hash_files(a, HF_MD5);
    if (v[ST_SHA1].on)
        return hash_files(a, HF_SHA1);
    if (v[ST_SHA256].on)
        return hash_files(a, HF_SHA256);
    if (v[ST_MDB].on)
        return hf_sigtool_show_parts(HF_FORM_SECTIONS, a->operands, a->operand_count);
    if (v[ST_IMP].on)
        return hf_sigtool_show_parts(HF_FORM_IMPORTS, a->operands, a->operand_count);
    if (v[ST_ASCII].count > 0)
        return normalise(v[ST_ASCII].text);
    if (v[ST_UTF16].count > 0)
        return decode_utf16(v[ST_UTF16].text);
    if (v[ST_HTML].count > 0)
        return normalise_html(v[ST_HTML].text);
    if (v[ST_UNPACK].count > 0)
        return unpack(v[ST_UNPACK].text);
    if (v[ST_UNPACK_CURRENT].count > 0)
        return unpack_current(v[ST_UNPACK_CURRENT].text, folder);
    if (v[ST_INFO].count > 0)
        return show_info(v[ST_INFO].text);
    if (v[ST_LIST].count > 0)
        return hf_sigtool_list(v[ST_LIST].text, folder);
    if (v[ST_FIND].count > 0)
        return hf_sigtool_find(v[ST_FIND].text, folder);
    if (v[ST_DECODE].on)
        return decode_lines();
    (void)show_help();
    return 1;
}

int hf_sigtool_main(int argc, char **argv)
{
    struct hf_compat_arguments arguments;
    int code = 1;
    if (hf_compat_parse(&arguments, "sigtool", options, OPTIONS, argc, argv))
        code = run(&arguments);
    hf_compat_done(&arguments);
    return fflush(stdout) == 0 ? code : 1;
}
