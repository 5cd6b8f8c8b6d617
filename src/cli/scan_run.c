/* scan_run.c - the window: what was begun and not printed yet, as a ring in the order of the
 * walk. A slot holds the path until its file is known to be clean, then nothing at all; only
 * lines that wait for an earlier file are kept. A file that takes long holds up printing, and
 * once the ring is full also the walk. */
#include "cli/scan_run.h"

#include "base/auto.h"
#include "base/fd.h"
#include "cli/inode_set.h"
#include "cli/standard_input.h"
#include "cli/verdict_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SLOTS = 8192,              /* power of two */
    PATH_BYTES_MAX = 64 << 20, /* of paths in the window: deep trees have long ones */
    CLEAN_LINKS_MAX = 1 << 16,
    TURN_MS = 100,     /* how soon a signal is noticed */
    SAVE_SECONDS = 300 /* of a long scan, so that little is lost when it is killed */
};

struct slot {
    bool done, to_stderr;
    struct hf_buffer path;          /* freed when the file turns out to need no line */
    struct hf_buffer text;          /* lines to print in its turn */
    struct hf_inode_key link;       /* of a file with several names; device 0: of one */
    struct stat st;                 /* of a file */
    struct hf_clean_file *known_by; /* owned; NULL: its verdict is not kept */
};

struct hf_scan_run {
    const struct hf_scan_setup *setup;
    struct hf_totals *totals;
    struct hf_buffer *error;
    struct hf_pool *pool;
    struct hf_walk *walk;
    struct slot *slots; /* owned, SLOTS of them */
    uint64_t head,
        tail; /* numbers of the first slot not printed, and of the next new one */
    size_t path_bytes;
    uint64_t bytes_done;
    struct hf_file_systems file_systems;
    struct hf_clean_file looked_at; /* by is_in_cache, of the entry at hand */
    double saved;
    struct hf_inode_set clean_links; /* files with several names, known to be clean */
    struct hf_buffer out;            /* for standard output, written once a turn */
    bool no_reader, failed, stdin_used;
    double last_turn;
};

static struct slot *slot_of(struct hf_scan_run *run, uint64_t number)
{
    return &run->slots[number & (SLOTS - 1)];
}

static bool must_end(const struct hf_scan_run *run)
{
    return *run->setup->stop != 0 || run->no_reader || run->failed;
}

static void fail(struct hf_scan_run *run, const char *text)
{
    if (!run->failed)
        hf_buffer_text(run->error, text);
    run->failed = true;
}

/* ---- printing ---- */

static void write_out(struct hf_scan_run *run)
{
    struct hf_buffer *out = &run->out;
    if (out->failed)
        fail(run, "out of memory");
    if (out->len == 0 || run->no_reader)
        return;
    hf_progress_hide(run->setup->progress);
    if (hf_fd_write(STDOUT_FILENO, out->data, out->len) != HF_OK) {
        run->no_reader = errno == EPIPE;
        if (!run->no_reader) {
            hf_buffer_format(run->error, "cannot write the output: %s", strerror(errno));
            run->failed = true;
        }
    }
    hf_buffer_clear(out);
}

static void free_slot(struct hf_scan_run *run, struct slot *slot)
{
    run->path_bytes -= slot->path.len;
    hf_buffer_done(&slot->path);
    hf_buffer_done(&slot->text);
    free(slot->known_by);
    *slot = (struct slot){0};
}

static void print_slot(struct hf_scan_run *run, struct slot *slot)
{
    if (slot->text.failed)
        fail(run, "out of memory");
    const struct hf_scan_printer *printer = run->setup->printer;
    if (printer != NULL &&
        !printer->printed(printer->user, hf_buffer_view(&slot->text), slot->to_stderr))
        return;
    if (slot->to_stderr) {
        write_out(run); /* both streams in order, for whom they are one terminal */
        hf_progress_hide(run->setup->progress);
        (void)!hf_fd_write(STDERR_FILENO, slot->text.data, slot->text.len);
    } else {
        hf_buffer_bytes(&run->out, hf_buffer_view(&slot->text));
    }
}

/* Print what has become printable, and free it. */
static void print_ready(struct hf_scan_run *run)
{
    while (run->head < run->tail && slot_of(run, run->head)->done) {
        struct slot *slot = slot_of(run, run->head);
        if (slot->text.len > 0 || slot->text.failed)
            print_slot(run, slot);
        free_slot(run, slot);
        run->head++;
    }
    write_out(run);
    const struct hf_totals *t = run->totals;
    hf_progress_show(run->setup->progress, t->files, t->file_bytes,
                     t->by_verdict[HF_INFECTED] + t->by_verdict[HF_SUSPICIOUS] +
                         t->by_verdict[HF_PUA]);
}

/* ---- the window ---- */

static struct slot *new_slot(struct hf_scan_run *run)
{
    struct slot *slot = slot_of(run, run->tail++);
    *slot = (struct slot){0};
    return slot;
}

/* What is known at once and printed in its turn. */
static void add_failed(struct hf_scan_run *run, const struct hf_walk_entry *entry)
{
    struct slot *slot = new_slot(run);
    const struct hf_scan_printer *printer = run->setup->printer;
    slot->to_stderr = printer->error(printer->user, &slot->text, entry);
    slot->done = true;
    run->totals->errors++;
}

static void add_error(struct hf_scan_run *run, struct hf_bytes path, const char *why,
                      int error)
{
    if (run->setup->printer != NULL) {
        add_failed(run, &(struct hf_walk_entry){.path = path, .why = why, .error = error});
        return;
    }
    struct slot *slot = new_slot(run);
    hf_lines_error(&slot->text, &run->setup->lines, path, why, error);
    slot->to_stderr = !run->setup->lines.json;
    slot->done = true;
    run->totals->errors++;
}

static void add_skipped(struct hf_scan_run *run, const struct hf_walk_entry *entry)
{
    const struct hf_scan_printer *printer = run->setup->printer;
    if ((printer == NULL && !run->setup->lines.verbose) || entry->why == NULL)
        return;
    struct slot *slot = new_slot(run);
    if (printer != NULL)
        slot->to_stderr = printer->skipped(printer->user, &slot->text, entry);
    else
        hf_lines_skipped(&slot->text, &run->setup->lines, entry->path, entry->why);
    slot->done = true;
}

/* ---- the cache of clean files ---- */

/* Before a file is opened. */
static bool is_in_cache(void *user, int at, const char *name, int flags,
                        struct hf_walk_entry *entry)
{
    struct hf_scan_run *run = user;
    return hf_clean_file_look(&run->file_systems, at, name, flags, &run->looked_at,
                              &entry->st) &&
           hf_clean_cache_knows(run->setup->cache, &run->looked_at);
}

/* What an open file is recognised by, when its verdict may be kept: nobody else can be writing it
 * unseen. NULL otherwise. */
static struct hf_clean_file *recognise(struct hf_scan_run *run, int fd)
{
    struct hf_clean_file file;
    if (run->setup->cache == NULL ||
        !hf_clean_file_look(&run->file_systems, fd, "", AT_EMPTY_PATH, &file, NULL) ||
        !hf_clean_file_has_no_writer(fd))
        return NULL;
    struct hf_clean_file *kept = malloc(sizeof *kept);
    if (kept != NULL)
        *kept = file;
    return kept;
}

/* Keep a verdict when the file is what it was before it was read: the same under its name. */
static void keep(struct hf_scan_run *run, const struct slot *slot,
                 const struct hf_report *report)
{
    struct hf_clean_file now;
    if (slot->known_by == NULL || slot->path.failed ||
        !hf_clean_file_look(&run->file_systems, AT_FDCWD, (const char *)slot->path.data, 0,
                            &now, NULL) ||
        memcmp(now.bytes, slot->known_by->bytes, sizeof now.bytes) != 0)
        return;
    hf_clean_cache_add(run->setup->cache, &now, report);
}

static void on_misbehaved(void *user, uint32_t worker)
{
    struct hf_scan_run *run = user;
    if (run->setup->cache != NULL)
        hf_clean_cache_withdraw(run->setup->cache, worker);
}

static void save(struct hf_scan_run *run)
{
    if (run->setup->cache != NULL && hf_clean_cache_save(run->setup->cache) != HF_OK)
        run->totals->cache_errno = errno != 0 ? errno : ENOMEM;
    run->saved = hf_progress_clock();
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct hf_scan_run *run = user;
    if (id < run->head || id >= run->tail || slot_of(run, id)->done) {
        fail(run, "a result came for a file that was not asked about");
        return;
    }
    struct slot *slot = slot_of(run, id);
    const struct hf_scan_printer *printer = run->setup->printer;
    struct hf_bytes path = hf_buffer_view(&slot->path);
    slot->done = true;
    if (status != HF_OK && printer != NULL) {
        printer->report(printer->user, &slot->text, path, &slot->st, report, true);
        run->totals->errors++;
    } else if (status != HF_OK) {
        hf_lines_error(&slot->text, &run->setup->lines, path, "cannot be read",
                       status == HF_IO ? EIO : 0);
        slot->to_stderr = !run->setup->lines.json;
        run->totals->errors++;
    } else {
        hf_totals_add(run->totals, report);
        run->totals->file_bytes += (uint64_t)slot->st.st_size;
        if (printer != NULL)
            printer->report(printer->user, &slot->text, path, &slot->st, report, false);
        else
            hf_lines_report(&slot->text, &run->setup->lines, path, report);
        keep(run, slot, report);
        if (report->verdict == HF_CLEAN && slot->link.device != 0 &&
            run->clean_links.count < CLEAN_LINKS_MAX)
            (void)!hf_inode_set_add(&run->clean_links,
                                    slot->link); /* lost: scanned again */
    }
    run->path_bytes -= slot->path.len;
    hf_buffer_done(&slot->path);
}

/* Let the pool work for at most timeout_ms, and print. */
static void turn(struct hf_scan_run *run, int timeout_ms)
{
    hf_pool_flush(run->pool);
    enum hf_status st = hf_pool_wait(run->pool, timeout_ms);
    if (st != HF_OK)
        fail(run, st == HF_CRASHED ? "no worker can be started any more"
                                   : "the workers cannot be reached");
    print_ready(run);
    run->last_turn = hf_progress_clock();
    if (run->setup->cache != NULL && run->last_turn - run->saved > (double)SAVE_SECONDS)
        save(run);
}

/* Wait until one more file can be taken. */
static void make_room(struct hf_scan_run *run)
{
    if (run->tail - run->head >= SLOTS / 2)
        print_ready(run);
    /* A walk that meets little to scan must not hold back what was found. */
    if (hf_progress_clock() - run->last_turn > (double)TURN_MS / 1000)
        turn(run, 0);
    while (!must_end(run) &&
           (hf_pool_room(run->pool) == 0 || run->tail - run->head >= SLOTS - 1 ||
            run->path_bytes > PATH_BYTES_MAX)) {
        if (hf_pool_pending(run->pool) == 0) {
            print_ready(run);
            if (hf_pool_room(run->pool) == 0)
                fail(run, "the workers take no file");
        } else {
            turn(run, TURN_MS);
        }
    }
}

static struct hf_inode_key link_key(const struct stat *st)
{
    uint64_t stamp =
        (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
    return (struct hf_inode_key){st->st_dev, st->st_ino, stamp};
}

static void submit(struct hf_scan_run *run, struct hf_bytes path, int fd,
                   const struct stat *st)
{
    uint64_t id = run->tail;
    struct slot *slot = new_slot(run);
    hf_buffer_bytes(&slot->path, path);
    hf_buffer_u8(&slot->path, 0);
    slot->path.len -= !slot->path.failed; /* a zero behind it: a name for the system too */
    run->path_bytes += slot->path.len;
    slot->st = *st;
    if (st->st_nlink > 1)
        slot->link = link_key(st);
    if (slot->path.failed)
        fail(run, "out of memory");
    const struct hf_scan_printer *printer = run->setup->printer;
    if (printer != NULL && !printer->before(printer->user, &slot->text, path, st)) {
        close(fd);
        slot->done = true;
        return;
    }
    slot->known_by = recognise(run, fd);
    static const struct hf_report nothing;
    enum hf_status sent = hf_pool_submit(run->pool, fd, id);
    if (sent != HF_OK)
        on_done(run, id, sent, &nothing);
}

/* A file that is known to be clean counts as one that was scanned. */
static void add_known(struct hf_scan_run *run, const struct hf_walk_entry *entry)
{
    struct hf_report report = {.verdict = HF_CLEAN, .objects = 1};
    const struct stat *st = &entry->st;
    run->totals->file_bytes += (uint64_t)st->st_size;
    hf_totals_add(run->totals, &report);
    const struct hf_scan_printer *printer = run->setup->printer;
    if (printer != NULL) {
        struct slot *slot = new_slot(run);
        slot->done = true;
        if (printer->before(printer->user, &slot->text, entry->path, st))
            printer->report(printer->user, &slot->text, entry->path, st, &report, false);
    } else if (run->setup->lines.verbose) {
        struct slot *slot = new_slot(run);
        hf_lines_report(&slot->text, &run->setup->lines, entry->path, &report);
        slot->done = true;
    }
}

/* A file with several names that was clean under another one counts without a second look. Its
 * change time is part of what is known, so it is the same content. */
static bool known_clean(struct hf_scan_run *run, const struct hf_walk_entry *entry)
{
    const struct stat *st = &entry->st;
    if (st->st_nlink < 2 || !hf_inode_set_has(&run->clean_links, link_key(st)))
        return false;
    add_known(run, entry);
    return true;
}

/* ---- paths ---- */

static void take_entry(struct hf_scan_run *run, enum hf_walk_kind kind,
                       struct hf_walk_entry *entry)
{
    switch (kind) {
    case HF_WALK_FILE:
        if (known_clean(run, entry))
            close(entry->fd);
        else
            submit(run, entry->path, entry->fd, &entry->st);
        break;
    case HF_WALK_KNOWN:
        run->totals->known++;
        add_known(run, entry);
        break;
    case HF_WALK_SKIPPED: add_skipped(run, entry); break;
    case HF_WALK_ERROR:
        if (run->setup->printer != NULL)
            add_failed(run, entry);
        else
            add_error(run, entry->path, entry->why, entry->error);
        break;
    case HF_WALK_BUSY:
        if (hf_pool_pending(run->pool) > 0) {
            turn(run, TURN_MS);
        } else {
            (void)hf_walk_give_up(run->walk, entry);
            add_error(run, entry->path, entry->why, entry->error);
        }
        break;
    case HF_WALK_END: break;
    }
}

static void scan_path(struct hf_scan_run *run, struct hf_bytes path)
{
    if (memchr(path.data, 0, path.len) != NULL) {
        add_error(run, path, "cannot open", EINVAL);
        return;
    }
    if (hf_walk_begin(run->walk, path) != HF_OK) {
        fail(run, "out of memory");
        return;
    }
    struct hf_walk_entry entry;
    enum hf_walk_kind kind = HF_WALK_SKIPPED;
    while (kind != HF_WALK_END && !must_end(run)) {
        make_room(run);
        if (must_end(run))
            break;
        kind = hf_walk_next(run->walk, &entry);
        take_entry(run, kind, &entry);
    }
}

static void scan_standard_input(struct hf_scan_run *run, struct hf_bytes path)
{
    int fd;
    bool spooling;
    if (run->stdin_used) {
        add_error(run, path, "standard input is read once only", 0);
        return;
    }
    run->stdin_used = true;
    /* It may take as long as its writer likes: what was begun comes first. */
    while (!must_end(run) && hf_pool_pending(run->pool) > 0)
        turn(run, TURN_MS);
    make_room(run);
    uint64_t max = run->setup->pool.limits.scan_bytes;
    enum hf_status st = hf_standard_input_open(&fd, max, run->setup->stop, &spooling);
    if (st == HF_OK) {
        struct stat about = {0};
        (void)fstat(fd, &about);
        submit(run, path, fd, &about);
    } else if (st == HF_LIMIT) {
        add_error(run, path, "standard input is longer than --max-scansize", 0);
    } else if (st != HF_STOPPED) {
        add_error(run, path,
                  spooling ? "no room to keep standard input (TMPDIR, /var/tmp, /tmp)"
                           : "cannot read standard input",
                  st == HF_NOMEM ? ENOMEM : errno);
    }
}

/* A list may come from a program that is still writing it: results do not wait for its end. */
static enum hf_status next_path(struct hf_scan_run *run, struct hf_bytes *path)
{
    enum hf_status st = HF_STOPPED;
    while (st == HF_STOPPED && !must_end(run)) {
        bool pending = hf_pool_pending(run->pool) > 0;
        if (hf_path_list_ready(run->setup->paths, pending ? 0 : TURN_MS))
            st = hf_path_list_next(run->setup->paths, path);
        else if (pending)
            turn(run, TURN_MS);
        else
            print_ready(run);
    }
    return st;
}

static void scan_all(struct hf_scan_run *run)
{
    struct hf_bytes path;
    enum hf_status st;
    while ((st = next_path(run, &path)) == HF_OK) {
        make_room(run);
        if (path.len == 1 && path.data[0] == '-')
            scan_standard_input(run, path);
        else
            scan_path(run, path);
    }
    if (st != HF_NOTFOUND && st != HF_STOPPED)
        add_error(run, hf_bytes_text("--files-from"), "cannot read the list",
                  st == HF_IO      ? errno
                  : st == HF_LIMIT ? ENAMETOOLONG
                                   : ENOMEM);
    while (!must_end(run) && hf_pool_pending(run->pool) > 0)
        turn(run, TURN_MS);
    print_ready(run);
}

static bool set_up(struct hf_scan_run *run)
{
    const struct hf_scan_setup *setup = run->setup;
    run->slots = calloc(SLOTS, sizeof *run->slots);
    struct hf_walk_options walk = setup->walk;
    struct hf_pool_options pool = setup->pool;
    if (setup->cache != NULL) {
        walk.known = is_in_cache;
        walk.known_user = run;
        pool.note_digests = true;
        pool.on_misbehaved = on_misbehaved;
        run->saved = hf_progress_clock();
    }
    run->walk = hf_walk_new(&walk);
    if (run->slots == NULL || run->walk == NULL) {
        fail(run, "out of memory");
        return false;
    }
    enum hf_status st = hf_pool_open(&run->pool, &pool, on_done, run, run->error);
    if (st == HF_OK)
        return true;
    if (run->error->len == 0)
        hf_buffer_format(run->error, "the workers do not start: %s", hf_status_text(st));
    run->failed = true;
    return false;
}

static void count_skipped(struct hf_scan_run *run)
{
    struct hf_walk_counts counts = hf_walk_counts(run->walk);
    struct hf_pool_stats stats = hf_pool_stats(run->pool);
    memcpy(run->totals->skipped, counts.skipped, sizeof counts.skipped);
    run->totals->folders = counts.folders;
    run->totals->crashes = stats.crashes;
    run->totals->timeouts = stats.timeouts;
}

enum hf_scan_end hf_scan_run(const struct hf_scan_setup *setup, struct hf_totals *totals,
                             struct hf_buffer *error)
{
    struct hf_scan_run run = {.setup = setup, .totals = totals, .error = error};
    *totals = (struct hf_totals){0};
    if (set_up(&run)) {
        scan_all(&run);
        count_skipped(&run);
        save(&run);
    }
    hf_pool_close(run.pool);
    hf_walk_free(run.walk);
    for (uint64_t i = run.head; i < run.tail; i++)
        free_slot(&run, slot_of(&run, i));
    free(run.slots);
    hf_inode_set_done(&run.clean_links);
    hf_buffer_done(&run.out);
    return run.failed          ? HF_SCAN_FAILED
           : run.no_reader     ? HF_SCAN_NO_READER
           : *setup->stop != 0 ? HF_SCAN_STOPPED
                               : HF_SCAN_DONE;
}
