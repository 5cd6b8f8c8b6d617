/* text_cvd.c - the members of ClamAV's containers as sources: "daily.cvd:daily.ndb". */
#include "db/cvd.h"
#include "db/text.h"

#include "base/auto.h"
#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct container {
    struct hf_build *build;
    const char *file_name;
};

static enum hf_status on_member(void *user, const char *name, struct hf_bytes text)
{
    const struct container *c = user;
    char *source = NULL;
    if (asprintf(&source, "%s:%s", c->file_name, name) < 0)
        return HF_NOMEM;
    enum hf_status st = hf_build_read_text(c->build, source, text);
    free(source);
    if (st != HF_UNSUPPORTED)
        return st;
    hf_build_skip(c->build, "members of containers that are no signatures");
    return HF_OK;
}

enum hf_status hf_build_read_container(struct hf_build *build, const char *file_name,
                                       int fd)
{
    enum hf_cvd_kind kind = hf_cvd_kind_of(file_name);
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    enum hf_status st = hf_map_open(fd, &map);
    if (st != HF_OK)
        return st;
    struct container c = {build, file_name};
    st = hf_cvd_read(hf_bytes_of(map.data, map.len), kind, &hf_cvd_keys_clamav, on_member,
                     &c, &why);
    if (why.len > 0) {
        hf_buffer_u8(&why, 0);
        hf_build_say(build, file_name, why.failed ? "damaged" : (const char *)why.data);
    } else if (st == HF_OK && kind == HF_CVD_UNSIGNED) {
        hf_build_say(build, file_name, "taken, though nobody has signed it (.cud)");
    }
    return st;
}
