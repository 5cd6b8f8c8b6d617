/* unpack_file - run one decoder over a file: for comparisons with other unpackers.
 *
 *   unpack_file FORMAT FILE [FOLDER]
 *
 * FORMAT is a name of formats[] below. Prints the decoder's status, then one line a child: number,
 * status, size, flags (f file, e encrypted, w whole), name; its bytes go to FOLDER/NUMBER. */
#include "collect.h"

#include "base/auto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum hf_format format;
} formats[] = {
    {"bzip2", HF_FORMAT_BZIP2}, {"xz", HF_FORMAT_XZ},       {"lzma", HF_FORMAT_LZMA},
    {"lzip", HF_FORMAT_LZIP},   {"zstd", HF_FORMAT_ZSTD},   {"lz4", HF_FORMAT_LZ4},
    {"Z", HF_FORMAT_COMPRESS},  {"7z", HF_FORMAT_7Z},       {"rar", HF_FORMAT_RAR},
    {"cab", HF_FORMAT_CAB},     {"iso", HF_FORMAT_ISO9660}, {"ar", HF_FORMAT_AR},
    {"rpm", HF_FORMAT_RPM},     {"xar", HF_FORMAT_XAR},     {"arj", HF_FORMAT_ARJ},
    {"lha", HF_FORMAT_LHA},     {"chm", HF_FORMAT_CHM},     {"szdd", HF_FORMAT_SZDD},
};

static enum hf_format format_of(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].format;
    return HF_FORMAT_BINARY;
}

static struct hf_bytes read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        return (struct hf_bytes){0};
    long size = ftell(f);
    rewind(f);
    uint8_t *data = malloc((size_t)size + 1);
    size_t n = data == NULL ? 0 : fread(data, 1, (size_t)size, f);
    (void)fclose(f);
    return hf_bytes_of(data, n);
}

static void keep(const char *folder, size_t number, struct hf_bytes bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%zu", folder, number);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes.data, 1, bytes.len, f) != bytes.len)
        fprintf(stderr, "unpack_file: %s: %s\n", path, strerror(errno));
    if (f != NULL)
        (void)fclose(f);
}

int main(int argc, char **argv)
{
    enum hf_format format = argc >= 3 ? format_of(argv[1]) : HF_FORMAT_BINARY;
    const struct hf_unpacker_row *row = hf_unpacker_of(format);
    if (row == NULL) {
        fprintf(stderr, "usage: unpack_file FORMAT FILE [FOLDER]\n");
        return 2;
    }
    hf_unpack_prepare();
    struct hf_bytes file = read_file(argv[2]);
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)4 << 30);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){
        .work = 50000000, .scan_bytes = (uint64_t)2 << 30, .objects = 100000});
    struct collect c;
    collect_init(&c, arena, &budget);
    enum hf_status st = collect_unpack(&c, row->unpack, format, file);
    printf("%d\n", (int)st);
    for (size_t i = 0; i < c.count; i++) {
        const struct collected *item = &c.items[i];
        printf("%zu %d %zu %s%s%s ", i, (int)item->how, item->bytes.len,
               item->child.is_file ? "f" : "-", item->child.encrypted ? "e" : "-",
               item->was_whole ? "w" : "-");
        (void)fwrite(item->child.name.data, 1, item->child.name.len, stdout);
        printf("\n");
        if (argc > 3)
            keep(argv[3], i, item->bytes);
    }
    collect_done(&c);
    free((void *)(uintptr_t)file.data);
    return 0;
}
