/* pe_dialects_dump FILE... - what ClamAV and the Windows loader make of PE headers, as our
 * dialects have it, a line of JSON a file; @LIST names a list. For compare_pe_clamav.py. */
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "format/pe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static void add_reason(struct hf_buffer *out, const char *name, const char *reason)
{
    hf_buffer_format(out, ",\"%s\":", name);
    if (reason == NULL)
        hf_buffer_text(out, "null");
    else
        hf_json_string(out, hf_bytes_text(reason));
}

static void dump(const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK)
        return;
    struct hf_cursor file = hf_cursor_open(map.data, map.len, NULL);
    struct hf_pe pe = {0};
    enum hf_status st = hf_pe_read_headers(&file, arena, &pe);
    hf_buffer_text(&out, "{\"file\":");
    hf_json_string(&out, hf_bytes_text(path));
    hf_buffer_format(&out, ",\"status\":\"%s\",\"entry\":%lld,\"loader_entry\":%lld",
                     hf_status_text(st), (long long)hf_pe_clamav_offset(&pe, pe.entry_rva),
                     (long long)hf_pe_loader_offset(&pe, pe.entry_rva));
    add_reason(&out, "broken", hf_pe_clamav_broken(&pe));
    add_reason(&out, "refused", hf_pe_loader_refuses(&pe));
    hf_buffer_text(&out, ",\"sections\":[");
    for (size_t i = 0; i < pe.sections.count; i++) {
        struct hf_pe_extent e = hf_pe_clamav_section(&pe, i);
        hf_buffer_format(&out, "%s[%llu,%llu]", i == 0 ? "" : ",",
                         (unsigned long long)e.offset, (unsigned long long)e.size);
    }
    hf_buffer_text(&out, "]}\n");
    fwrite(out.data, 1, out.len, stdout);
}

static void dump_list(const char *list)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(list, "re");
    while (f != NULL && getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        dump(line);
    }
    free(line);
    if (f != NULL)
        fclose(f);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '@')
            dump_list(argv[i] + 1);
        else
            dump(argv[i]);
    }
    return 0;
}
