/* unpack_cli - run a decoder over files and print a line a child: for comparisons with other
 * unpackers and for measurements. Children are not kept, so bombs and large archives will do.
 *
 *   unpack_cli [-q] [-t TIMES] [-n] [-w WORK] [-b BYTES] [-o OBJECTS] FORMAT FILE ...
 *
 * FORMAT: zip tar gzip cpio. -q: totals only. -t: run so often, report the last (processor time).
 * -n: print notes. -w, -b, -o: limits. A line: size, CRC-32, how it ended, flags (d no file,
 * e encrypted, w whole), name. */
#include "base/auto.h"
#include "base/text.h"
#include "unpack/unpack.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

static const struct {
    const char *name;
    enum hf_format format;
} formats[] = {
    {"zip", HF_FORMAT_ZIP},
    {"tar", HF_FORMAT_TAR},
    {"gzip", HF_FORMAT_GZIP},
    {"cpio", HF_FORMAT_CPIO_NEWC},
};

struct printer {
    struct hf_sink sink; /* first */
    struct hf_budget *budget;
    bool quiet;
    struct hf_child child;
    char name[512];
    uint64_t size, children, bytes;
    uint32_t crc;
};

static struct printer *printer_of(struct hf_sink *sink)
{
    return (struct printer *)(void *)sink;
}

static void print(struct printer *p, bool whole, enum hf_status how)
{
    p->children++;
    p->bytes += p->size;
    if (p->quiet)
        return;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    hf_escape(&name, p->child.name);
    printf("%llu %08x %s %s%s%s %.*s\n", (unsigned long long)p->size, p->crc,
           hf_status_text(how), p->child.is_file ? "-" : "d",
           p->child.encrypted ? "e" : "-", whole ? "w" : "-", (int)name.len,
           (const char *)name.data);
}

static enum hf_status on_open(struct hf_sink *sink, const struct hf_child *child)
{
    struct printer *p = printer_of(sink);
    if (!hf_budget_object(p->budget))
        return HF_LIMIT;
    p->child = *child;
    p->size = 0;
    p->crc = 0;
    return HF_OK;
}

static enum hf_status on_write(struct hf_sink *sink, struct hf_bytes bytes)
{
    struct printer *p = printer_of(sink);
    if (!hf_budget_bytes(p->budget, bytes.len))
        return HF_LIMIT;
    p->size += bytes.len;
    if (!p->quiet)
        p->crc = libdeflate_crc32(p->crc, bytes.data, bytes.len);
    return HF_OK;
}

static enum hf_status on_close(struct hf_sink *sink, enum hf_status how)
{
    print(printer_of(sink), false, how);
    return HF_OK;
}

static enum hf_status on_whole(struct hf_sink *sink, const struct hf_child *child,
                               struct hf_bytes bytes, enum hf_status how)
{
    enum hf_status st = on_open(sink, child);
    if (st != HF_OK)
        return st;
    struct printer *p = printer_of(sink);
    p->size = bytes.len;
    p->crc = p->quiet ? 0 : libdeflate_crc32(0, bytes.data, bytes.len);
    print(p, true, how);
    return HF_OK;
}

struct options {
    enum hf_format format;
    bool quiet, notes;
    unsigned times;
    struct hf_limits limits;
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_once(const struct options *o, struct hf_bytes file, const char *path,
                     bool last)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)256 << 20);
    HF_AUTO(hf_arena_release) struct hf_arena *for_notes = hf_arena_new((size_t)1 << 20);
    struct hf_budget budget = hf_budget_of(&o->limits);
    struct hf_notes notes = {.arena = for_notes};
    struct printer p = {.sink = {on_open, on_write, on_close, on_whole},
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
    if (!last)
        return;
    if (o->notes)
        for (size_t i = 0; i < notes.count; i++)
            printf("note at %llu: %s\n", (unsigned long long)notes.items[i].at,
                   notes.items[i].text);
    printf("= %s: %llu children, %llu bytes, %.3f ms, work %llu, arena %zu: %s\n",
           hf_status_text(st), (unsigned long long)p.children, (unsigned long long)p.bytes,
           ms, (unsigned long long)(hf_budget_of(&o->limits).work - budget.work),
           hf_arena_used(arena), path);
}

static int run_file(const struct options *o, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK) {
        perror(path);
        return 1;
    }
    for (unsigned i = 0; i < o->times; i++)
        run_once(o, hf_bytes_of(map.data, map.len), path, i + 1 == o->times);
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.times = 1};
    for (int c; (c = getopt(argc, argv, "qnt:w:b:o:")) != -1;) {
        switch (c) {
        case 'q': o.quiet = true; break;
        case 'n': o.notes = true; break;
        case 't': o.times = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'w': o.limits.work = strtoull(optarg, NULL, 10); break;
        case 'b': o.limits.scan_bytes = strtoull(optarg, NULL, 10); break;
        case 'o': o.limits.objects = strtoull(optarg, NULL, 10); break;
        default: return 2;
        }
    }
    for (size_t i = 0; optind < argc && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, argv[optind]) == 0)
            o.format = formats[i].format;
    if (hf_unpacker_of(o.format) == NULL) {
        fprintf(stderr,
                "usage: unpack_cli [-qn] [-t TIMES] [-w WORK] [-b BYTES] [-o OBJECTS] "
                "zip|tar|gzip|cpio FILE ...\n");
        return 2;
    }
    hf_unpack_prepare();
    int worst = 0;
    for (int i = optind + 1; i < argc; i++)
        worst |= run_file(&o, argv[i]);
    return worst;
}
