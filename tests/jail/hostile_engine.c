/* The engine of holdfast-worker-hostile: does what the object says, as an attacker would who has
 * taken over a worker. For tests only; never installed. An object is a text: a word and
 * arguments. Findings say how it went: number is one of hostile.h's outcomes. */
#include "hostile.h"

#include "format/libmagic.h"
#include "jail/channel.h"
#include "jail/protocol.h"
#include "scan/engine.h"
#include "unpack/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct hf_engine {
    struct hf_engine_options options;
    bool tainted;
};

static struct hf_worker_page *page;

/* An attacker knows where the page is; this engine learns it from the call that maps it. */
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *p = (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
    if (size == sizeof *page && p != MAP_FAILED)
        page = p;
    return p;
}

enum hf_status hf_db_open(const int *fds, size_t count, struct hf_db **out)
{
    (void)fds;
    *out = NULL;
    return count == 1 ? HF_OK : HF_MALFORMED;
}

bool hf_libmagic_prepare(void)
{
    return false;
}

struct hf_bytes hf_libmagic_describe(void *user, struct hf_bytes bytes, bool media_type,
                                     struct hf_arena *arena)
{
    (void)user, (void)bytes, (void)media_type, (void)arena;
    return (struct hf_bytes){0};
}

void hf_unpack_prepare(void)
{}

enum hf_status hf_engine_new(const struct hf_db *db,
                             const struct hf_engine_options *options,
                             struct hf_engine **out)
{
    (void)db;
    *out = calloc(1, sizeof **out);
    (*out)->options = *options;
    return HF_OK;
}

bool hf_engine_tainted(const struct hf_engine *engine)
{
    return engine->tainted;
}

void hf_engine_expect(struct hf_engine *engine, struct hf_source *source,
                      struct hf_stream *stream)
{
    (void)engine;
    (void)source;
    (void)stream;
}

void hf_engine_forget(struct hf_engine *engine, struct hf_source *source)
{
    (void)engine;
    (void)source;
}

static void found(struct hf_report *report, uint32_t number, uint64_t offset)
{
    struct hf_finding f = {.signature = {0, number},
                           .kind = HF_FINDING_PATTERN,
                           .severity = HF_INFECTED,
                           .offset = offset};
    hf_report_found(report, &f);
}

/* "call NUMBER A B C D E F": a system call; 'p' arguments point to some zeros. */
static void make_call(const char *text, struct hf_report *report)
{
    static char zeros[4096];
    memset(zeros, 0, sizeof zeros); /* as a path: none; never one that a call left there */
    long args[7] = {0};
    char *end = NULL, *at = strdup(text);
    char *word = strtok_r(at, " ", &end);
    for (int i = 0; i < 7 && word != NULL; i++, word = strtok_r(NULL, " ", &end))
        args[i] = word[0] == 'p' ? (long)zeros : strtol(word, NULL, 0);
    errno = 0;
    long result = syscall(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
    if (result == -1)
        found(report, HOSTILE_REFUSED, (uint64_t)errno);
    else
        found(report, HOSTILE_DONE, (uint64_t)result);
}

static void spin(long ms)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    do
        clock_gettime(CLOCK_MONOTONIC, &b);
    while ((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < ms);
}

static enum hf_status eat_memory(void)
{
    for (unsigned i = 0; i < 4096; i++) {
        volatile char *p = malloc(64 << 20);
        if (p == NULL)
            return HF_NOMEM;
        p[0] = 1;
    }
    return HF_OK; /* 256 GiB: nothing stopped it */
}

static void send_bytes(const void *data, size_t size)
{
    if (hf_channel_send(HF_CONTROL_FD, hf_bytes_of(data, size), NULL, 0, true) != HF_OK)
        _exit(1);
}

/* Claims that other objects are clean or infected. */
static void lie(long distance)
{
    struct hf_buffer b = {0};
    struct hf_msg_done done = {.object = atomic_load(&page->object) + (uint64_t)distance};
    hf_msg_put_done(&b, &done);
    send_bytes(b.data, b.len);
    hf_buffer_done(&b);
}

/* Sends records of its own object, without end. */
static void flood(void)
{
    struct hf_buffer b = {0};
    struct hf_msg_incident m = {.object = atomic_load(&page->object),
                                .incident.reason = HF_REASON_LIMIT};
    hf_msg_put_incident(&b, &m);
    for (;;)
        send_bytes(b.data, b.len);
}

/* "form PART OFFSET": a piece that is out of place unless it is 0 0. */
static void send_form_piece(const char *arguments)
{
    struct hf_buffer b = {0};
    char *end = NULL;
    struct hf_msg_form m = {.object = atomic_load(&page->object),
                            .part = (uint32_t)strtol(arguments, &end, 10),
                            .offset = (uint64_t)strtol(end, NULL, 10),
                            .piece = hf_bytes_text("piece")};
    hf_msg_put_form(&b, &m);
    send_bytes(b.data, b.len);
    hf_buffer_done(&b);
}

static void many(struct hf_report *report, long count)
{
    static uint8_t name[HF_INNER_NAME_MAX];
    struct hf_bytes names[HF_INNER_DEPTH_MAX];
    memset(name, 'n', sizeof name);
    for (size_t i = 0; i < HF_INNER_DEPTH_MAX; i++)
        names[i] = hf_bytes_of(name, sizeof name);
    for (long i = 0; i < count; i++) {
        struct hf_finding f = {.signature = {0, (uint32_t)i},
                               .kind = HF_FINDING_PATTERN,
                               .severity = HF_PUA,
                               .path = {names, HF_INNER_DEPTH_MAX}};
        hf_report_found(report, &f);
    }
}

/* Every descriptor that is open besides those of the protocol and the one of the object. */
static void count_descriptors(struct hf_report *report)
{
    uint64_t open_ones = 0;
    for (int fd = HF_SPOOL_FD + 1; fd < 1024; fd++)
        open_ones += fcntl(fd, F_GETFD) >= 0;
    found(report, HOSTILE_DONE, open_ones);
}

static bool use_spool(int fd)
{
    if (fallocate(fd, 0, 0, 1 << 20) != 0)
        return false;
    uint8_t *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return false;
    memset(p, 0x5a, 1 << 20);
    uint8_t back[16] = {0};
    bool same = pread(fd, back, sizeof back, 4096) == sizeof back && back[15] == 0x5a;
    munmap(p, 1 << 20);
    return same;
}

/* Takes its own spool's place for an object, to get its rights: must not work. */
static void steal_number(struct hf_report *report)
{
    long closed = syscall(SYS_close, HF_SPOOL_FD);
    if (closed != 0)
        closed = syscall(SYS_close, (long)((UINT64_C(1) << 32) | HF_SPOOL_FD));
    found(report, closed == 0 ? HOSTILE_DONE : HOSTILE_REFUSED, (uint64_t)errno);
}

/* Writes to the descriptor of its own object in every way that there is. */
static void write_object(int fd, struct hf_report *report)
{
    char text[] = "overwritten";
    struct iovec iov = {text, sizeof text};
    off_t zero = 0;
    long wrote = 0;
    wrote += syscall(SYS_write, fd, text, sizeof text) > 0;
    wrote += syscall(SYS_pwrite64, fd, text, sizeof text, 0) > 0;
    wrote += syscall(SYS_writev, fd, &iov, 1) > 0;
    wrote += syscall(SYS_pwritev, fd, &iov, 1, 0, 0) > 0;
    wrote += syscall(SYS_pwritev2, fd, &iov, 1, 0, 0, 0) > 0;
    wrote += syscall(SYS_ftruncate, fd, 0) == 0;
    wrote += syscall(SYS_fallocate, fd, 0, 0, 4096) == 0;
    wrote += syscall(SYS_sendfile, fd, fd, &zero, 4) > 0;
    wrote += syscall(SYS_copy_file_range, fd, &zero, fd, NULL, 4, 0) > 0;
    wrote += syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != -1;
    wrote += syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != -1;
    found(report, wrote == 0 ? HOSTILE_REFUSED : HOSTILE_DONE, (uint64_t)wrote);
}

#ifdef __x86_64__
static void foreign_call(bool i386)
{
    long result = 20; /* getpid of i386 */
    if (i386)
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    else
        result = syscall(0x40000000 | SYS_getpid);
}
#endif

static bool is(const char *text, const char *word, const char **rest)
{
    size_t n = strlen(word);
    *rest = text + n + (text[n] == ' ');
    return strncmp(text, word, n) == 0 && (text[n] == 0 || text[n] == ' ');
}

static enum hf_status attack(struct hf_engine *engine, int fd, const char *text,
                             struct hf_report *report)
{
    const char *rest;
    if (is(text, "call", &rest))
        make_call(rest, report);
    else if (is(text, "crash", &rest))
        __builtin_trap();
    else if (is(text, "loop", &rest))
        for (volatile int i = 0;; i++) {}
    else if (is(text, "spin", &rest))
        spin(strtol(rest, NULL, 10));
    else if (is(text, "memory", &rest))
        return eat_memory();
    else if (is(text, "exit", &rest))
        _exit(0);
    else if (is(text, "taint", &rest))
        engine->tainted = true;
    else if (is(text, "garbage", &rest))
        send_bytes("\x99garbage", 8);
    else if (is(text, "lie", &rest))
        lie(strtol(rest, NULL, 10));
    else if (is(text, "flood", &rest))
        flood();
    else if (is(text, "form", &rest))
        send_form_piece(rest);
    else if (is(text, "many", &rest))
        many(report, strtol(rest, NULL, 10));
    else if (is(text, "descriptors", &rest))
        count_descriptors(report);
    else if (is(text, "spool", &rest))
        found(report, use_spool(engine->options.spool_fd) ? HOSTILE_DONE : HOSTILE_REFUSED,
              0);
    else if (is(text, "steal", &rest))
        steal_number(report);
    else if (is(text, "write", &rest))
        write_object(fd, report);
    else if (is(text, "blame", &rest)) { /* another, then die */
        atomic_store(&page->object,
                     atomic_load(&page->object) + (uint64_t)strtol(rest, NULL, 10));
        __builtin_trap();
    } else if (is(text, "nobody", &rest)) {
        atomic_store(&page->object, UINT64_MAX);
        __builtin_trap();
    }
#ifdef __x86_64__
    else if (is(text, "i386", &rest))
        foreign_call(true);
    else if (is(text, "x32", &rest))
        foreign_call(false);
#endif
    return HF_OK;
}

enum hf_status hf_engine_scan(struct hf_engine *engine, const struct hf_source *source,
                              struct hf_report *report)
{
    char text[256] = "";
    size_t n = source->bytes.len < sizeof text - 1 ? source->bytes.len : sizeof text - 1;
    memcpy(text, source->bytes.data, n);
    report->objects = 1;
    report->bytes = source->bytes.len;
    return attack(engine, source->fd, text, report);
}

/* Nothing is ever told. */
size_t hf_true_rule_matches(const struct hf_true_rule *rule, uint32_t pattern,
                            const struct hf_match **matches)
{
    (void)rule;
    (void)pattern;
    *matches = NULL;
    return 0;
}
