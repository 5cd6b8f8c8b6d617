#include "cli/progress.h"

#include "base/fd.h"
#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const double every = 0.1; /* seconds between two lines */

struct hf_progress {
    struct hf_walk_options walk;
    const char *const *operands;
    size_t count;
    pthread_t thread;
    bool threaded, shown;
    double begun, last;
    atomic_bool stop, counted;
    atomic_uint_fast64_t files, bytes; /* that there are; final once counted */
};

double hf_progress_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_operand(struct hf_progress *p, struct hf_walk *walk, const char *operand)
{
    struct hf_walk_entry entry;
    if (hf_walk_begin(walk, hf_bytes_text(operand)) != HF_OK)
        return;
    while (!atomic_load(&p->stop)) {
        enum hf_walk_kind kind = hf_walk_next(walk, &entry);
        if (kind == HF_WALK_END)
            break;
        if (kind == HF_WALK_BUSY)
            (void)hf_walk_give_up(walk, &entry);
        if (kind != HF_WALK_FILE)
            continue;
        atomic_fetch_add(&p->files, 1);
        atomic_fetch_add(&p->bytes, (uint64_t)entry.st.st_size);
    }
}

static void *count_all(void *user)
{
    struct hf_progress *p = user;
    struct hf_walk *walk = hf_walk_new(&p->walk);
    for (size_t i = 0; walk != NULL && i < p->count; i++)
        count_operand(p, walk, p->operands[i]);
    atomic_store(&p->counted, walk != NULL);
    hf_walk_free(walk);
    return NULL;
}

struct hf_progress *hf_progress_start(const struct hf_walk_options *walk,
                                      const char *const *operands, size_t count)
{
    const char *term = getenv("TERM");
    if (!isatty(STDERR_FILENO) || (term != NULL && strcmp(term, "dumb") == 0))
        return NULL;
    struct hf_progress *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->walk = *walk;
    p->walk.count_only = true;
    p->walk.folders_open = 4;
    p->operands = operands;
    p->count = count;
    p->begun = hf_progress_clock();
    p->threaded = count > 0 && pthread_create(&p->thread, NULL, count_all, p) == 0;
    return p;
}

void hf_progress_hide(struct hf_progress *progress)
{
    static const char clear[] = "\r\033[K";
    if (progress == NULL || !progress->shown)
        return;
    (void)!hf_fd_write(STDERR_FILENO, clear, sizeof clear - 1);
    progress->shown = false;
}

void hf_progress_end(struct hf_progress *progress)
{
    if (progress == NULL)
        return;
    hf_progress_hide(progress);
    atomic_store(&progress->stop, true);
    if (progress->threaded)
        pthread_join(progress->thread, NULL);
    free(progress);
}

static void add_duration(struct hf_buffer *out, double seconds)
{
    unsigned long s = seconds < 359999 ? (unsigned long)(seconds + 0.5) : 359999;
    if (s >= 3600)
        hf_buffer_format(out, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        hf_buffer_format(out, "%lu:%02lu", s / 60, s % 60);
}

void hf_progress_line(struct hf_buffer *out, uint64_t files, uint64_t bytes, uint64_t found,
                      uint64_t total_files, uint64_t total_bytes, double seconds)
{
    hf_buffer_format(out, "%llu", (unsigned long long)files);
    if (total_files >= files && total_files > 0)
        hf_buffer_format(out, " of %llu", (unsigned long long)total_files);
    hf_buffer_text(out, " files, ");
    hf_format_size(out, bytes);
    if (seconds > 0) {
        hf_buffer_text(out, ", ");
        hf_format_size(out, (uint64_t)((double)bytes / seconds));
        hf_buffer_text(out, "/s");
    }
    hf_buffer_format(out, ", %llu found", (unsigned long long)found);
    if (total_files == 0 || files == 0 || files > total_files)
        return;
    /* Small files cost by number, large ones by size: the mean of both shares. */
    double share = (double)files / (double)total_files;
    if (total_bytes > 0 && bytes <= total_bytes)
        share = (share + (double)bytes / (double)total_bytes) / 2;
    if (seconds > 1 && share > 0) {
        hf_buffer_text(out, ", ETA ");
        add_duration(out, seconds * (1 - share) / share);
    }
}

void hf_progress_show(struct hf_progress *progress, uint64_t files, uint64_t bytes,
                      uint64_t found)
{
    if (progress == NULL)
        return;
    double now = hf_progress_clock();
    if (now - progress->last < every)
        return;
    progress->last = now;
    bool counted = atomic_load(&progress->counted);
    struct hf_buffer line = {0};
    hf_buffer_text(&line, "\r");
    hf_progress_line(&line, files, bytes, found,
                     counted ? atomic_load(&progress->files) : 0,
                     counted ? atomic_load(&progress->bytes) : 0, now - progress->begun);
    hf_buffer_text(&line, "\033[K");
    (void)!hf_fd_write(STDERR_FILENO, line.data, line.len);
    hf_buffer_done(&line);
    progress->shown = true;
}
