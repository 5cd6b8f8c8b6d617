/* yarac.c - `yarac`: rules compiled to a file for `yara -C`. The file is our own form
 * (db/rule_set.h), not libyara's. */
#include "base/auto.h"
#include "base/fd.h"
#include "cli/compat/compat.h"
#include "cli/compat/yara.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char operands[] = "[NAMESPACE:]SOURCE_FILE... OUTPUT_FILE";

enum {
    YC_ATOMS,
    YC_DEFINE,
    YC_FAIL,
    YC_HELP,
    YC_STRINGS,
    YC_NO_WARNINGS,
    YC_STRICT,
    YC_VERSION
};

/* clang-format off */
static const struct yara_option options[] = {
    [YC_ATOMS] = {0, "atom-quality-table", "FILE", YARA_TEXT, 1, "path to a file with the atom quality table (without effect)"},
    [YC_DEFINE] = {'d', "define", "VAR=VALUE", YARA_TEXT, 512, "define external variable"},
    [YC_FAIL] = {0, "fail-on-warnings", NULL, YARA_FLAG, 0, "fail on warnings"},
    [YC_HELP] = {'h', "help", NULL, YARA_FLAG, 0, "show this help and exit"},
    [YC_STRINGS] = {0, "max-strings-per-rule", "NUMBER", YARA_NUMBER, 0, "set maximum number of strings per rule (default=10000)"},
    [YC_NO_WARNINGS] = {'w', "no-warnings", NULL, YARA_FLAG, 0, "disable warnings"},
    [YC_STRICT] = {'E', "strict-escape", NULL, YARA_FLAG, 0, "warn on unknown escape sequences (without effect)"},
    [YC_VERSION] = {'v', "version", NULL, YARA_FLAG, 0, "show version information"},
};
/* clang-format on */

static int write_file(const struct hf_rule_set *set, const char *path)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    HF_AUTO(hf_fd_release)
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0 || hf_rule_set_write(set, &out) != HF_OK ||
        hf_fd_write(fd, out.data, out.len) != HF_OK) {
        fprintf(stderr, "error: could not write file: %s\n", path);
        return 1;
    }
    return 0;
}

static int compile(const struct yara_line *line)
{
    HF_AUTO(hf_yara_externals_done) struct yara_externals externals;
    HF_AUTO(hf_rule_set_done) struct hf_rule_set set = {.fd = -1};
    if (!hf_yara_externals_read(&externals, &line->values[YC_DEFINE]))
        return 1;
    const struct yara_compiling how = {
        .externals = &externals,
        .no_warnings = line->values[YC_NO_WARNINGS].count > 0,
        .fail_on_warnings = line->values[YC_FAIL].count > 0,
        .strings_per_rule = (uint32_t)line->values[YC_STRINGS].number,
    };
    size_t sources = line->operand_count - 1;
    if (!hf_yara_compile_files(&set, &how, line->operands, sources))
        return 1;
    return write_file(&set, line->operands[sources]);
}

int hf_yarac_main(int argc, char **argv)
{
    HF_AUTO(hf_yara_line_done) struct yara_line line;
    if (!hf_yara_line_parse(&line, options, sizeof options / sizeof *options, argc, argv))
        return 1;
    if (line.values[YC_VERSION].count > 0) {
        puts(HF_COMPAT_YARA_VERSION);
        return 0;
    }
    if (line.values[YC_HELP].count > 0) {
        hf_yara_line_help(&line, "", operands);
        return 0;
    }
    if (line.operand_count < 2)
        return hf_yara_line_wrong_count(&line, operands);
    return compile(&line);
}
