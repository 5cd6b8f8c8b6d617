/* clamav_match SIGNATURES FILE...: which signatures hold for which files, as "FILE NAME" lines; what
 * was not taken as "! line: why". For comparisons with clamscan; knows raw bytes only. */
#include "base/auto.h"
#include "run_rule.h"

#include <stdio.h>
#include <stdlib.h>

static struct hf_bytes read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(2);
    }
    struct hf_buffer b = {0};
    size_t n;
    do {
        uint8_t *room = hf_buffer_reserve(&b, 65536);
        n = fread(room, 1, 65536, f);
        b.len += n;
    } while (n > 0);
    fclose(f);
    return hf_buffer_view(&b);
}

static void run_line(struct hf_bytes line, bool logical, char **paths,
                     const struct hf_bytes *files, int count)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(256 << 20);
    struct hf_clamav_signature s;
    enum hf_clamav_result r =
        logical ? hf_clamav_read_ldb(line, arena, &s) : hf_clamav_read_ndb(line, arena, &s);
    if (r != HF_CLAMAV_RULE) {
        printf("! %.*s: %s\n", (int)line.len, (const char *)line.data, s.why);
        return;
    }
    for (int i = 0; i < count; i++)
        if (run_rule(&s, files[i], NULL))
            printf("%s %.*s\n", paths[i], (int)s.name.len, (const char *)s.name.data);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct hf_bytes text = read_file(argv[1]);
    bool logical =
        strlen(argv[1]) > 4 && strcmp(argv[1] + strlen(argv[1]) - 4, ".ldb") == 0;
    struct hf_bytes *files = calloc((size_t)argc, sizeof *files);
    for (int i = 2; i < argc; i++)
        files[i - 2] = read_file(argv[i]);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        run_line(hf_bytes_of(text.data, len), logical, argv + 2, files, argc - 2);
        size_t step = end == NULL ? len : len + 1;
        text = hf_bytes_of(text.data + step, text.len - step);
    }
    return 0;
}
