#include "cli/publishers.h"

#include "base/auto.h"
#include "base/files.h"
#include "feed/encode.h"

#include <errno.h>

int hf_publishers_open(const struct hf_arguments *arguments, const char *home,
                       struct hf_site *place)
{
    enum hf_status st = hf_site_open(place, home);
    if (st == HF_OK)
        return HF_EXIT_OK;
    hf_complain(arguments, "the folders for trust and content: %s",
                st == HF_IO ? strerror(errno) : hf_status_text(st));
    hf_site_done(place);
    return HF_EXIT_ERROR;
}

/* All lines but those of the key. */
static void copy_others(struct hf_buffer *out, struct hf_bytes text, const char *key)
{
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    struct hf_bytes line;
    size_t n = strlen(key);
    while (hf_line_read(&c, &line)) {
        if (line.len > n && memcmp(line.data, key, n) == 0 && line.data[n] == ' ')
            continue;
        hf_buffer_bytes(out, line);
        hf_buffer_u8(out, '\n');
    }
}

int hf_publisher_set(const struct hf_arguments *arguments, const struct hf_site *place,
                     const char *name, const char *key, const char *value)
{
    struct hf_endpoint e;
    struct hf_settings settings;
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    enum hf_refusal r = hf_endpoint_open(place, name, &e);
    if (r == HF_ACCEPTED) {
        copy_others(&text, hf_buffer_view(&e.settings_text), key);
        hf_buffer_format(&text, "%s %s\n", key, value);
        r = text.failed ? HF_REFUSE_NOMEM
                        : hf_settings_read(hf_buffer_view(&text), &settings, NULL);
    }
    if (r == HF_ACCEPTED &&
        hf_file_replace(e.trust_dir, "settings", hf_buffer_view(&text), 0644) != HF_OK)
        r = HF_REFUSE_DISK;
    if (r != HF_ACCEPTED)
        hf_complain(arguments, "%s: %s%s%.*s", name, hf_refusal_text(r),
                    e.problem.len > 0 ? ": " : "", (int)e.problem.len,
                    e.problem.len > 0 ? (const char *)e.problem.data : "");
    hf_endpoint_done(&e);
    return r == HF_ACCEPTED ? HF_EXIT_OK : HF_EXIT_ERROR;
}
