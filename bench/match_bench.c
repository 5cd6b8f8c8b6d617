/* match_bench.c - the literal matcher's speed on a set of literals and a text, beside
 * vectorscan's on the same.
 *
 * usage: match_bench [-k KERNEL] [-r ROUNDS] [-c CHUNK] [-n LITERALS] [-v CACHE] [-w IMAGE] LITERALS TEXT
 *
 * LITERALS  one per line, hexadecimal; " i" behind it: ASCII letters match in either case
 * TEXT      a file, searched in chunks of CHUNK bytes (1 MiB), none across their borders
 * -w IMAGE  write the image to a file, for comparing builds
 * -v CACHE  run vectorscan too, its compiled database kept in CACHE
 *
 * Rounds alternate between the two; rates are bytes / CPU seconds of this thread, so that other
 * jobs of the machine disturb them less. */
#include "yardstick.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct set {
    struct hf_literal *literals;
    size_t count;
    uint8_t *pool;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct hf_bytes read_file(const char *path)
{
    struct hf_map map;
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK) {
        perror(path);
        exit(2);
    }
    /* A copy: anonymous memory, all present, so that no round pays for page faults. */
    uint8_t *copy = malloc(map.len + 1);
    if (copy == NULL)
        exit(2);
    memcpy(copy, map.data, map.len);
    struct hf_bytes bytes = hf_bytes_of(copy, map.len);
    hf_map_release(&map);
    return bytes;
}

static struct set read_literals(const char *path, size_t most)
{
    struct hf_bytes text = read_file(path);
    struct set s = {.pool = malloc(text.len / 2 + 1),
                    .literals = calloc(text.len / 2 + 1, sizeof *s.literals)};
    size_t used = 0;
    if (s.pool == NULL || s.literals == NULL)
        exit(2);
    for (size_t at = 0; at < text.len && s.count < most;) {
        const uint8_t *line = text.data + at, *end = memchr(line, '\n', text.len - at);
        size_t len = end == NULL ? text.len - at : (size_t)(end - line);
        at += len + 1;
        bool nocase = len > 2 && line[len - 1] == 'i';
        len -= nocase ? 2 : 0;
        size_t n = hf_unhex(hf_bytes_of(line, len), s.pool + used, len / 2);
        if (n == 0 || n == SIZE_MAX)
            continue;
        s.literals[s.count] = (struct hf_literal){.bytes = hf_bytes_of(s.pool + used, n),
                                                  .nocase = nocase,
                                                  .id = (uint32_t)s.count};
        s.count++;
        used += n;
    }
    return s;
}

static bool on_literal(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    struct tally *t = user;
    t->matches++;
    t->sum += tally_hash(id, start + length);
    return true;
}

static double rate(const struct hf_matcher *m, struct yardstick *y, struct hf_bytes text,
                   size_t chunk, struct tally *tally)
{
    *tally = (struct tally){0};
    double begin = cpu_seconds();
    for (size_t at = 0; at < text.len; at += chunk) {
        struct hf_bytes part = {text.data + at,
                                text.len - at < chunk ? text.len - at : chunk};
        if (y != NULL)
            yardstick_scan(y, part, at, tally);
        else
            (void)hf_matcher_search(m, part, at, on_literal, tally);
    }
    return (double)text.len / (cpu_seconds() - begin) / 1e6;
}

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare);
    return v[n / 2];
}

/* Images are mapped from files in a scanner; huge pages are asked for here as there. */
static struct hf_bytes place_image(const struct hf_buffer *image)
{
    size_t size = (image->len + ((size_t)2 << 20)) & ~(((size_t)2 << 20) - 1);
    uint8_t *at = aligned_alloc((size_t)2 << 20, size);
    if (at == NULL)
        exit(2);
    (void)madvise(at, size, MADV_HUGEPAGE);
    memcpy(at, image->data, image->len);
    return hf_bytes_of(at, image->len);
}

int main(int argc, char **argv)
{
    size_t rounds = 5, chunk = (size_t)1 << 20, most = SIZE_MAX;
    const char *cache = NULL, *image_path = NULL;
    for (int o; (o = getopt(argc, argv, "k:r:c:n:v:w:")) != -1;) {
        switch (o) {
        case 'k':
            if (!hf_matcher_use_kernel(optarg))
                return 2;
            break;
        case 'r': rounds = strtoul(optarg, NULL, 0); break;
        case 'c': chunk = strtoul(optarg, NULL, 0); break;
        case 'n': most = strtoul(optarg, NULL, 0); break;
        case 'v': cache = optarg; break;
        case 'w': image_path = optarg; break;
        default: return 2;
        }
    }
    if (argc - optind != 2 || rounds == 0 || chunk == 0)
        return 2;
    struct set set = read_literals(argv[optind], most);
    struct hf_bytes text = read_file(argv[optind + 1]);
    HF_AUTO(hf_buffer_done) struct hf_buffer built = {0};
    struct hf_matcher m;
    double begin = cpu_seconds();
    if (hf_matcher_build(set.literals, set.count, &built) != HF_OK)
        return 2;
    double took = cpu_seconds() - begin;
    FILE *f = image_path == NULL ? NULL : fopen(image_path, "wb");
    if (f != NULL && (fwrite(built.data, 1, built.len, f) != built.len || fclose(f) != 0))
        return 2;
    struct hf_bytes image = place_image(&built);
    if (hf_matcher_open(image, &m) != HF_OK || hf_matcher_check(&m) != HF_OK)
        return 2;
    printf("literals %zu  build %.2f s  image %.1f MiB  kernel %s\n", set.count, took,
           (double)image.len / 1048576, hf_matcher_kernel());
    struct yardstick *y =
        cache == NULL ? NULL : yardstick_open(set.literals, set.count, cache);
    double *ours = calloc(rounds, sizeof *ours), *theirs = calloc(rounds, sizeof *theirs);
    double *ratios = calloc(rounds, sizeof *ratios);
    struct tally a = {0}, b = {0};
    if (ours == NULL || theirs == NULL || ratios == NULL)
        return 2;
    for (size_t r = 0; r < rounds; r++) {
        ours[r] = rate(&m, NULL, text, chunk, &a);
        theirs[r] = y == NULL ? 0 : rate(&m, y, text, chunk, &b);
        ratios[r] = y == NULL ? 0 : ours[r] / theirs[r];
    }
    printf("ours %.0f MB/s  matches %llu  sum %016llx\n", median(ours, rounds),
           (unsigned long long)a.matches, (unsigned long long)a.sum);
    if (y != NULL)
        printf("vectorscan %.0f MB/s  matches %llu  sum %016llx\nratio %.2f  %s\n",
               median(theirs, rounds), (unsigned long long)b.matches,
               (unsigned long long)b.sum, median(ratios, rounds),
               a.matches == b.matches && a.sum == b.sum ? "equal matches"
                                                        : "MATCHES DIFFER");
    yardstick_close(y);
    return y != NULL && (a.matches != b.matches || a.sum != b.sum);
}
