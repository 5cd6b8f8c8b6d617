/* feed_build.c - `holdfast feed build`: a database from sources, as the next release of a channel:
 * objects into the feed's folder, the manifest as a draft to be signed. */
#include "cli/feed_tools.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "db/build.h"
#include "db/format.h"
#include "db/jobs.h"
#include "format/schema.h"
#include "update/content_check.h"
#include "update/delta.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OUTPUT, CHANNEL, SEGMENT, WITHDRAW, RING, DAYS, DELTAS, TIME, WITH };
static const struct hf_option build_options[] = {
    [OUTPUT] = {'o', "output", HF_OPTION_TEXT, "DRAFT",
                "write the manifest here, to be signed", HF_COMPLETE_FILE},
    [CHANNEL] = {0, "channel", HF_OPTION_TEXT, "NAME", "default: content"},
    [SEGMENT] = {0, "segment", HF_OPTION_FLAG, NULL,
                 "keep the files of the release before and add what is new as one more"},
    [WITHDRAW] = {0, "withdraw", HF_OPTION_LIST, "SOURCE",
                  "with --segment: take back the signatures in this source",
                  HF_COMPLETE_FILE},
    [RING] =
        {0, "ring", HF_OPTION_LIST, "PERCENT:SECONDS",
         "so many of all endpoints may take it after that time (default: all at once)"},
    [DAYS] = {0, "days", HF_OPTION_NUMBER, "N", "out of date after so long (default: 7)"},
    [DELTAS] = {0, "deltas", HF_OPTION_NUMBER, "N",
                "make deltas from this many releases before (default: 3)"},
    [TIME] = {0, "time", HF_OPTION_NUMBER, "SECONDS",
              "when it is made, in seconds since 1970 (default: now)"},
    [WITH] = {0, "database", HF_OPTION_TEXT, "FILE",
              "a database that is built already, instead of sources", HF_COMPLETE_FILE},
};

static int run_build(const struct hf_arguments *arguments);

const struct hf_command hf_command_feed_build = {
    .name = "build",
    .operands = "-o DRAFT [OPTION]... FEED [SOURCE]...",
    .summary = "compile sources into the next release of a feed",
    .details =
        "Sources as of 'holdfast db build'. Then: feed sign, feed publish, feed witness.",
    .options = build_options,
    .option_count = sizeof build_options / sizeof *build_options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_build,
};

struct building {
    const struct hf_arguments *arguments;
    struct hf_feed_folder folder;
    struct hf_feed_store store;
    struct hf_merkle merkle;
    struct hf_arena *arena;
    struct hf_root *root;
    struct hf_buffer root_note;
    struct hf_manifest next;
    struct hf_manifest *before; /* the releases before, newest first */
    size_t before_count;
    struct hf_buffer file; /* the new database */
    struct hf_buffer name;
    char text[64];
};

static void show_message(void *user, const char *file, uint64_t line, const char *text)
{
    const struct building *b = user;
    hf_complain(b->arguments, "%s:%" PRIu64 ": %s", file, line, text);
}

static bool refuse(const struct building *b, const char *what, enum hf_refusal r)
{
    (void)hf_feed_refuse(b->arguments, what, r);
    return false;
}

static bool compile(struct building *b)
{
    const struct hf_option_value *withdraw = &b->arguments->values[WITHDRAW];
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(show_message, b);
    enum hf_status st = build == NULL ? HF_NOMEM : HF_OK;
    if (st == HF_OK)
        st = hf_build_use_threads(build, hf_jobs_default());
    if (st == HF_OK)
        hf_build_use_modules(build, hf_fact_modules, hf_fact_module_count);
    if (st == HF_OK && withdraw->count > 0) {
        hf_build_withdraw(build, true);
        st = hf_build_read_paths(build, withdraw->list, withdraw->count);
        hf_build_withdraw(build, false);
    }
    if (st == HF_OK)
        st = hf_build_read_paths(build, (const char *const *)b->arguments->operands + 1,
                                 b->arguments->operand_count - 1);
    if (st == HF_OK)
        st = hf_build_write(build, &b->file);
    if (st != HF_OK)
        hf_complain(b->arguments, "nothing built: %s", hf_status_text(st));
    return st == HF_OK;
}

static bool get_database(struct building *b)
{
    const char *path = b->arguments->values[WITH].text;
    if (path == NULL)
        return compile(b);
    if (hf_file_read(AT_FDCWD, path, (size_t)2 << 30, &b->file) == HF_OK)
        return true;
    hf_complain(b->arguments, "%s: %s", path, strerror(errno));
    return false;
}

/* The releases before, along the chain of manifests. */
static bool read_before(struct building *b, const struct hf_hash *latest, size_t wanted)
{
    struct hf_hash hash = *latest;
    static const struct hf_hash none;
    b->before = hf_arena_array(b->arena, wanted + 1, sizeof *b->before);
    if (b->before == NULL)
        return refuse(b, "memory", HF_REFUSE_NOMEM);
    while (b->before_count < wanted && !hf_hash_equal(&hash, &none)) {
        HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, bytes = {0};
        struct hf_signed_note note;
        hf_release_path(&path, &hash);
        hf_buffer_u8(&path, 0);
        enum hf_refusal r =
            path.failed ? HF_REFUSE_NOMEM
                        : b->store.read.get(b->store.read.user, (const char *)path.data,
                                            HF_NOTE_FETCH_MAX, &bytes);
        struct hf_bytes copy = hf_arena_copy(b->arena, hf_buffer_view(&bytes));
        struct hf_cursor c = hf_cursor_open(copy.data, copy.len, NULL);
        if (r == HF_ACCEPTED)
            r = hf_note_read(&c, b->arena, &note);
        if (r == HF_ACCEPTED)
            r = hf_manifest_read(note.text, NULL, &b->before[b->before_count]);
        if (r != HF_ACCEPTED)
            return b->before_count > 0 || refuse(b, "the release before", r);
        hash = b->before[b->before_count++].previous;
    }
    return true;
}

static bool put_object(struct building *b, struct hf_bytes bytes, struct hf_hash *hash)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    if (!hf_hash_of(&b->merkle, bytes, hash))
        return refuse(b, "digest", HF_REFUSE_CRYPTO);
    hf_object_path(&path, hash);
    hf_buffer_u8(&path, 0);
    enum hf_refusal r = path.failed
                            ? HF_REFUSE_NOMEM
                            : b->store.put(b->store.user, (const char *)path.data, bytes);
    return r == HF_ACCEPTED || refuse(b, "an object", r);
}

static bool is_known(const struct hf_manifest *m, uint64_t file, const struct hf_hash *from)
{
    for (size_t i = 0; i < m->delta_count; i++)
        if (m->deltas[i].file == file && hf_hash_equal(&m->deltas[i].from, from))
            return true;
    return false;
}

/* A delta that is worth it: smaller than the file, and than the one from nothing. */
static bool add_delta(struct building *b, uint64_t file, struct hf_bytes from,
                      const struct hf_hash *from_hash)
{
    struct hf_manifest *m = &b->next;
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    if (m->delta_count == HF_MANIFEST_DELTAS_MAX || is_known(m, file, from_hash))
        return true;
    enum hf_refusal r = hf_delta_make(from, hf_buffer_view(&b->file), &bytes);
    if (r != HF_ACCEPTED)
        return refuse(b, "a delta", r);
    if (bytes.len >= b->file.len - b->file.len / 50)
        return true;
    struct hf_manifest_delta *d = &m->deltas[m->delta_count];
    *d = (struct hf_manifest_delta){.file = file, .from = *from_hash, .size = bytes.len};
    if (!put_object(b, hf_buffer_view(&bytes), &d->hash))
        return false;
    m->delta_count++;
    return true;
}

static bool add_deltas(struct building *b, uint64_t file)
{
    static const struct hf_hash nothing;
    if (!add_delta(b, file, (struct hf_bytes){0}, &nothing))
        return false;
    for (size_t i = 0; i < b->before_count; i++)
        for (size_t k = 0; k < b->before[i].file_count; k++) {
            const struct hf_manifest_file *old = &b->before[i].files[k];
            HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
            struct hf_map map = {0};
            if (!hf_bytes_equal(old->name, b->next.files[file].name) ||
                hf_hash_equal(&old->hash, &b->next.files[file].hash))
                continue;
            hf_object_path(&path, &old->hash);
            hf_buffer_u8(&path, 0);
            HF_AUTO(hf_fd_release)
            int fd =
                path.failed ? -1 : hf_file_open(b->folder.dir, (const char *)path.data);
            if (fd < 0 || hf_map_open(fd, &map) != HF_OK)
                continue; /* an old object that is gone: no delta from it */
            bool good = add_delta(b, file, hf_bytes_of(map.data, map.len), &old->hash);
            hf_map_release(&map);
            if (!good)
                return false;
        }
    return true;
}

static int by_file(const void *a, const void *b)
{
    const struct hf_manifest_delta *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return memcmp(x->from.bytes, y->from.bytes, sizeof x->from.bytes);
}

/* What the content can do, by the second reader; with what older segments can. */
static bool add_capabilities(struct building *b, bool segment)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    struct hf_manifest *m = &b->next;
    unsigned abilities;
    enum hf_refusal r = hf_content_check(hf_buffer_view(&b->file), &abilities, &why);
    hf_buffer_u8(&why, 0);
    if (r != HF_ACCEPTED)
        return refuse(b, why.failed ? "the database" : (const char *)why.data, r);
    static const unsigned order[] = {1, 0, 2,
                                     3}; /* by name: allow, detect, ignore, withdraw */
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct hf_bytes name = hf_bytes_text(hf_ability_name(order[i]));
        bool has = (abilities & 1u << order[i]) != 0;
        for (size_t k = 0;
             segment && b->before_count > 0 && k < b->before[0].capability_count; k++)
            has = has || hf_bytes_equal(b->before[0].capabilities[k], name);
        if (has)
            m->capabilities[m->capability_count++] = name;
    }
    return true;
}

static bool add_rings(struct building *b)
{
    const struct hf_option_value *list = &b->arguments->values[RING];
    struct hf_manifest *m = &b->next;
    for (size_t i = 0; i < list->count && i < HF_MANIFEST_RINGS_MAX; i++) {
        struct hf_manifest_ring *ring = &m->rings[m->ring_count++];
        if (sscanf(list->list[i], "%" SCNu64 ":%" SCNu64, &ring->percent, &ring->delay) !=
            2) {
            hf_complain(b->arguments, "'%s' is not of the form PERCENT:SECONDS",
                        list->list[i]);
            return false;
        }
    }
    if (m->ring_count == 0)
        m->rings[m->ring_count++] = (struct hf_manifest_ring){100, 0};
    return true;
}

/* The new file among those that stay. Names of segments sort in the order of their age. */
static bool add_file(struct building *b, bool segment, uint64_t *number)
{
    struct hf_manifest *m = &b->next;
    struct hf_manifest_file file = {.size = b->file.len};
    if (segment && b->before_count > 0) {
        memcpy(m->files, b->before[0].files, sizeof m->files);
        m->file_count = b->before[0].file_count;
    }
    if (m->file_count == HF_RELEASE_DATABASES_MAX)
        return refuse(b, "too many segments for endpoints; build without --segment",
                      HF_REFUSE_ARGUMENT);
    if (m->file_count == 0)
        snprintf(b->text, sizeof b->text, "main.hfdb");
    else
        snprintf(b->text, sizeof b->text, "part-%010" PRIu64 ".hfdb", m->version);
    file.name = hf_bytes_text(b->text);
    *number = m->file_count;
    if (!put_object(b, hf_buffer_view(&b->file), &file.hash))
        return false;
    m->files[m->file_count++] = file;
    return true;
}

static bool fill(struct building *b)
{
    const struct hf_option_value *v = b->arguments->values;
    struct hf_manifest *m = &b->next;
    bool segment = v[SEGMENT].count > 0;
    uint64_t version = 0, number;
    m->product = b->root->product;
    m->channel = hf_bytes_text(v[CHANNEL].count > 0 ? v[CHANNEL].text : "content");
    enum hf_refusal r =
        hf_publisher_latest(&b->store, m->product, m->channel, &version, &m->previous);
    if (r != HF_ACCEPTED)
        return refuse(b, "the log", r);
    m->version = version + 1;
    m->created = hf_feed_time(&v[TIME]);
    m->expires = m->created + (v[DAYS].count > 0 ? v[DAYS].number : 7) * 86400;
    m->engine_min = m->engine_max = HF_DB_VERSION;
    size_t wanted = v[DELTAS].count > 0 ? (size_t)v[DELTAS].number : 3;
    if (wanted > 16)
        wanted = 16;
    if (segment && wanted == 0)
        wanted = 1;
    if (!read_before(b, &m->previous, wanted) || !add_rings(b) ||
        !add_capabilities(b, segment) || !add_file(b, segment, &number))
        return false;
    if (v[DELTAS].count > 0 && v[DELTAS].number == 0)
        b->before_count = 0;
    /* Deltas of files that stay go on being of use to those who have not got them. */
    for (size_t i = 0; segment && b->before_count > 0 && i < b->before[0].delta_count; i++)
        m->deltas[m->delta_count++] = b->before[0].deltas[i];
    if (!add_deltas(b, number))
        return false;
    qsort(m->deltas, m->delta_count, sizeof *m->deltas, by_file);
    return true;
}

static bool build(struct building *b)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer draft = {0};
    const char *output = b->arguments->values[OUTPUT].text;
    b->store = hf_feed_folder_store(&b->folder);
    b->arena = hf_arena_new(16 << 20);
    b->root = b->arena == NULL ? NULL : hf_arena_alloc(b->arena, sizeof *b->root);
    b->merkle.hasher = hf_hasher_new();
    if (b->root == NULL || b->merkle.hasher == NULL)
        return refuse(b, "memory", HF_REFUSE_NOMEM);
    enum hf_refusal r = hf_publisher_root(&b->store, b->arena, &b->root_note, b->root);
    if (r != HF_ACCEPTED)
        return refuse(b, "the feed has no root; see 'holdfast feed init'", r);
    if (!get_database(b) || !fill(b))
        return false;
    r = hf_manifest_write(&draft, &b->next);
    if (r != HF_ACCEPTED)
        return refuse(b, "manifest", r);
    if (hf_file_replace(AT_FDCWD, output, hf_buffer_view(&draft), 0644) == HF_OK)
        return true;
    hf_complain(b->arguments, "%s: %s", output, strerror(errno));
    return false;
}

static int run_build(const struct hf_arguments *arguments)
{
    struct building *b = calloc(1, sizeof *b);
    if (b == NULL)
        return hf_feed_refuse(arguments, "memory", HF_REFUSE_NOMEM);
    b->arguments = arguments;
    b->folder.dir = -1;
    bool good = arguments->values[OUTPUT].text != NULL;
    if (!good)
        hf_complain(arguments, "no output: -o DRAFT is needed");
    if (good && arguments->operand_count < 2 && arguments->values[WITH].count == 0 &&
        arguments->values[WITHDRAW].count == 0) {
        hf_complain(arguments, "no source: name files or folders of signatures");
        good = false;
    }
    good = good && hf_feed_open(arguments, arguments->operands[0], false, &b->folder) &&
           build(b);
    hf_fd_release(&b->folder.dir);
    hf_buffer_done(&b->root_note);
    hf_buffer_done(&b->file);
    hf_hasher_free(b->merkle.hasher);
    hf_arena_free(b->arena);
    free(b);
    return good ? HF_EXIT_OK : HF_EXIT_ERROR;
}
