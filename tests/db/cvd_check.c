/* cvd_check.c - reads a container with keys of one's own, for tests/e2e/cvd_test.py.
 *   cvd_check DATABASE-MODULUS INFO-MODULUS FILE
 * Prints "name size" for each member, then "good" or why not. */
#include "base/auto.h"
#include "base/fd.h"
#include "db/cvd.h"

#include <fcntl.h>
#include <stdio.h>

static enum hf_status show(void *user, const char *name, struct hf_bytes text)
{
    (void)user;
    printf("%s %zu\n", name, text.len);
    return HF_OK;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const struct hf_cvd_key database = {argv[1], hf_cvd_key_database.exponent};
    const struct hf_cvd_key info = {argv[2], hf_cvd_key_info.exponent};
    const struct hf_cvd_keys keys = {&database, &info};
    HF_AUTO(hf_fd_release) int fd = open(argv[3], O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK)
        return 2;
    enum hf_status st = hf_cvd_read(hf_bytes_of(map.data, map.len), hf_cvd_kind_of(argv[3]),
                                    &keys, show, NULL, &why);
    hf_buffer_u8(&why, 0);
    puts(st == HF_OK ? "good" : (const char *)why.data);
    return st != HF_OK;
}
