/* unpack_file - run a decoder over a file: for comparisons with other unpackers, for measurements,
 * and for damage without end.
 *
 *   unpack_file [-qn] [-k FOLDER] [-t TIMES] [-d COPIES] [-w WORK] [-b BYTES] [-o OBJECTS]
 *               FORMAT FILE ...
 *
 * FORMAT is a name of formats[] below. Prints a line a child: number, status (enum hf_status), size,
 * CRC-32, flags (f file, e encrypted, w whole), name; then a line that begins with "=": status, and
 * what it took. Children are not kept, so bombs and large archives will do.
 *
 * -q totals only; -n notes; -k bytes of each child into FOLDER/NUMBER; -t run so often and report the
 * last (processor time); -d after that, over as many cut and as many damaged copies, said by
 * one line; -w -b -o limits. */
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "unpack/unpack.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    enum hf_format format;
} formats[] = {
    {"zip", HF_FORMAT_ZIP},        {"tar", HF_FORMAT_TAR},     {"gzip", HF_FORMAT_GZIP},
    {"cpio", HF_FORMAT_CPIO_NEWC}, {"bzip2", HF_FORMAT_BZIP2}, {"xz", HF_FORMAT_XZ},
    {"lzma", HF_FORMAT_LZMA},      {"lzip", HF_FORMAT_LZIP},   {"zstd", HF_FORMAT_ZSTD},
    {"lz4", HF_FORMAT_LZ4},        {"Z", HF_FORMAT_COMPRESS},  {"7z", HF_FORMAT_7Z},
    {"rar", HF_FORMAT_RAR},        {"cab", HF_FORMAT_CAB},     {"iso", HF_FORMAT_ISO9660},
    {"ar", HF_FORMAT_AR},          {"rpm", HF_FORMAT_RPM},     {"xar", HF_FORMAT_XAR},
    {"arj", HF_FORMAT_ARJ},        {"lha", HF_FORMAT_LHA},     {"chm", HF_FORMAT_CHM},
    {"szdd", HF_FORMAT_SZDD},
};

struct options {
    enum hf_format format;
    bool quiet, notes;
    const char *folder;
    unsigned times, copies;
    struct hf_limits limits;
};

struct printer {
    struct hf_sink sink; /* first */
    const struct options *options;
    struct hf_budget *budget;
    bool quiet;
    FILE *kept; /* the child's file, or NULL */
    struct hf_child child;
    uint64_t size, children, bytes;
    uint32_t crc;
};

static struct printer *printer_of(struct hf_sink *sink)
{
    return (struct printer *)(void *)sink;
}

static enum hf_status on_open(struct hf_sink *sink, const struct hf_child *child)
{
    struct printer *p = printer_of(sink);
    if (!hf_budget_object(p->budget))
        return HF_LIMIT;
    p->child = *child;
    p->size = 0;
    p->crc = 0;
    if (p->quiet || p->options->folder == NULL)
        return HF_OK;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%llu", p->options->folder,
                   (unsigned long long)p->children);
    p->kept = fopen(path, "wb");
    if (p->kept == NULL) {
        perror(path);
        exit(1);
    }
    return HF_OK;
}

static void take(struct printer *p, struct hf_bytes bytes)
{
    p->size += bytes.len;
    if (!p->quiet && bytes.len > 0)
        p->crc = libdeflate_crc32(p->crc, bytes.data, bytes.len);
    if (p->kept != NULL && fwrite(bytes.data, 1, bytes.len, p->kept) != bytes.len) {
        perror("unpack_file");
        exit(1);
    }
}

static enum hf_status on_write(struct hf_sink *sink, struct hf_bytes bytes)
{
    struct printer *p = printer_of(sink);
    if (!hf_budget_bytes(p->budget, bytes.len))
        return HF_LIMIT;
    take(p, bytes);
    return HF_OK;
}

static void end(struct printer *p, bool whole, enum hf_status how)
{
    if (p->kept != NULL && fclose(p->kept) != 0)
        perror("unpack_file");
    p->kept = NULL;
    p->bytes += p->size;
    if (!p->quiet) {
        HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
        hf_escape(&name, p->child.name);
        printf("%llu %d %llu %08x %s%s%s %.*s\n", (unsigned long long)p->children, (int)how,
               (unsigned long long)p->size, p->crc, p->child.is_file ? "f" : "-",
               p->child.encrypted ? "e" : "-", whole ? "w" : "-", (int)name.len,
               (const char *)name.data);
    }
    p->children++;
}

static enum hf_status on_close(struct hf_sink *sink, enum hf_status how)
{
    end(printer_of(sink), false, how);
    return HF_OK;
}

static enum hf_status on_whole(struct hf_sink *sink, const struct hf_child *child,
                               struct hf_bytes bytes, enum hf_status how)
{
    enum hf_status st = on_open(sink, child);
    if (st != HF_OK)
        return st;
    take(printer_of(sink), bytes);
    end(printer_of(sink), true, how);
    return HF_OK;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Decode once. Returns milliseconds. */
static double run_once(const struct options *o, struct hf_bytes file, const char *path,
                       bool last)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)256 << 20);
    HF_AUTO(hf_arena_release) struct hf_arena *for_notes = hf_arena_new((size_t)1 << 20);
    struct hf_budget budget = hf_budget_of(&o->limits);
    struct hf_notes notes = {.arena = for_notes};
    struct printer p = {.sink = {on_open, on_write, on_close, on_whole},
                        .options = o,
                        .budget = &budget,
                        .quiet = o->quiet || !last};
    struct hf_unpack u = {.object = hf_cursor_open(file.data, file.len, &budget),
                          .format = o->format,
                          .sink = &p.sink,
                          .arena = arena,
                          .notes = &notes};
    double start = now();
    enum hf_status st = hf_unpacker_of(o->format)->unpack(&u);
    double ms = 1e3 * (now() - start);
    if (p.kept != NULL)
        (void)fclose(p.kept);
    if (!last)
        return ms;
    if (o->notes)
        for (size_t i = 0; i < notes.count; i++)
            printf("note at %llu: %s\n", (unsigned long long)notes.items[i].at,
                   notes.items[i].text);
    printf("= %d %s: %llu children, %llu bytes, %.3f ms, work %llu, arena %zu: %s\n",
           (int)st, hf_status_text(st), (unsigned long long)p.children,
           (unsigned long long)p.bytes, ms,
           (unsigned long long)(hf_budget_of(&o->limits).work - budget.work),
           hf_arena_used(arena), path);
    return ms;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

/* Starts of the file, then copies with 1, 4, 16 or 64 bits turned over. */
static void run_damaged(const struct options *o, struct hf_bytes file, const char *path)
{
    static const unsigned flips[] = {1, 4, 16, 64};
    double worst = 0;
    uint64_t random = file.len;
    for (unsigned i = 0; i < 2 * o->copies && file.len > 0; i++) {
        size_t len = i < o->copies ? file.len * i / o->copies : file.len;
        uint8_t *copy = malloc(len + 1); /* of its own size: a sanitizer sees its end */
        if (copy == NULL)
            exit(1);
        memcpy(copy, file.data, len);
        for (unsigned n = 0; i >= o->copies && n < flips[i % 4]; n++) {
            uint64_t at = next_random(&random) % len;
            copy[at] ^= (uint8_t)(1U << next_random(&random) % 8);
        }
        double ms = run_once(o, hf_bytes_of(copy, len), path, false);
        worst = ms > worst ? ms : worst;
        free(copy);
    }
    printf("damaged: %u copies, at most %.3f ms: %s\n", 2 * o->copies, worst, path);
}

static int run_file(const struct options *o, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK) {
        perror(path);
        return 1;
    }
    struct hf_bytes file = hf_bytes_of(map.data, map.len);
    for (unsigned i = 0; i < o->times; i++)
        (void)run_once(o, file, path, i + 1 == o->times);
    if (o->copies > 0)
        run_damaged(o, file, path);
    return 0;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    for (int c; (c = getopt(argc, argv, "qnk:t:d:w:b:o:")) != -1;) {
        switch (c) {
        case 'q': o->quiet = true; break;
        case 'n': o->notes = true; break;
        case 'k': o->folder = optarg; break;
        case 't': o->times = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'd': o->copies = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'w': o->limits.work = strtoull(optarg, NULL, 10); break;
        case 'b': o->limits.scan_bytes = strtoull(optarg, NULL, 10); break;
        case 'o': o->limits.objects = strtoull(optarg, NULL, 10); break;
        default: return false;
        }
    }
    for (size_t i = 0; optind < argc && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, argv[optind]) == 0)
            o->format = formats[i].format;
    return hf_unpacker_of(o->format) != NULL && optind + 1 < argc;
}

int main(int argc, char **argv)
{
    struct options o = {
        .format = HF_FORMAT_BINARY,
        .times = 1,
        .limits = {.work = 50000000, .scan_bytes = (uint64_t)2 << 30, .objects = 200000}};
    if (!read_options(&o, argc, argv)) {
        fprintf(stderr,
                "usage: unpack_file [-qn] [-k FOLDER] [-t TIMES] [-d COPIES] [-w WORK] "
                "[-b BYTES] [-o OBJECTS] FORMAT FILE ...\nformats:");
        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
            fprintf(stderr, " %s", formats[i].name);
        fprintf(stderr, "\n");
        return 2;
    }
    hf_unpack_prepare();
    int worst = 0;
    for (int i = optind + 1; i < argc; i++)
        worst |= run_file(&o, argv[i]);
    return worst;
}
