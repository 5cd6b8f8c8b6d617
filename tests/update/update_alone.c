/* An update with protections switched off, for tests of what each of the others stops alone; no
 * program that is installed can do that.
 *   update_alone HOME NAME [no-validator] [no-selftest] [memory=BYTES] [ms=N] [fuse] */
#include "base/buffer.h"
#include "db/builtin.h"
#include "update/update.h"

#include <stdio.h>
#include <stdlib.h>

static int blow(const struct hf_site *place)
{
    char name[HF_CHANNEL_MAX + 1];
    bool reverted = false;
    enum hf_refusal r = hf_update_blame(place, HF_FUSE_CRASH, 0, name, &reverted);
    printf("%s %d %s\n", hf_refusal_name(r), reverted, name);
    return r == HF_ACCEPTED ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct hf_site place;
    struct hf_update_options options = {.builtin = hf_db_builtin()};
    struct hf_update_result result = {0};
    bool fuse = false;
    if (argc < 3 || hf_site_open(&place, argv[1]) != HF_OK)
        return 1;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "no-validator") == 0)
            options.without_validator = true;
        else if (strcmp(argv[i], "no-selftest") == 0)
            options.without_selftest = true;
        else if (strncmp(argv[i], "memory=", 7) == 0)
            options.selftest_memory = strtoull(argv[i] + 7, NULL, 10);
        else if (strncmp(argv[i], "ms=", 3) == 0)
            options.selftest_ms = strtoull(argv[i] + 3, NULL, 10);
        else if (strcmp(argv[i], "fuse") == 0)
            fuse = true;
        else
            return 1;
    }
    if (fuse)
        return blow(&place);
    enum hf_refusal r = hf_update_run(&place, argv[2], &options, &result);
    printf("%s %llu %s %.*s\n", hf_refusal_name(r), (unsigned long long)result.version,
           result.wait != HF_WAIT_NO ? "waits" : "-", (int)result.problem.len,
           result.problem.len > 0 ? (const char *)result.problem.data : "");
    hf_update_result_done(&result);
    hf_site_done(&place);
    return r == HF_ACCEPTED ? 0 : 2;
}
