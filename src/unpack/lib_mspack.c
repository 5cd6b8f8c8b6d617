#include "unpack/lib_mspack.h"

#include <stdio.h>
#include <stdlib.h>

const char hf_mspack_object[] = "object";
const char hf_mspack_child[] = "child";

/* The decoder that runs in this thread. The library hands no context to its allocator: it even
 * calls it with a copy of the system. Decoders nest (a child is scanned as soon as it is whole),
 * so each remembers the one outside it. */
static _Thread_local struct hf_mspack *current;

/* The library passes this around as struct mspack_file, whose contents are ours. */
struct file {
    struct hf_mspack *owner;
    struct hf_cursor in;
    uint64_t written;
    bool is_child;
};

/* After a folder whose start could not be reached, the library goes on without a file for the
 * next one [0.11, cabd_extract]: callbacks accept NULL and fail. */

static struct file *file_of(struct mspack_file *file)
{
    return (struct file *)(void *)file;
}

static void *on_alloc(struct mspack_system *self, size_t bytes)
{
    (void)self;
    void *block = hf_library_alloc(&current->memory, 1, bytes);
    /* Zeroed: the library frees members of a KWAJ header that it has not filled in yet when the
     * header is cut. Found by fuzz_engine. */
    return block == NULL ? NULL : memset(block, 0, bytes);
}

static struct mspack_file *on_open(struct mspack_system *self, const char *filename,
                                   int mode)
{
    bool is_child = filename == hf_mspack_child;
    if (mode != (is_child ? MSPACK_SYS_OPEN_WRITE : MSPACK_SYS_OPEN_READ))
        return NULL;
    struct file *f = on_alloc(self, sizeof *f);
    if (f == NULL)
        return NULL;
    struct hf_mspack *m = current;
    const struct hf_cursor *object = &m->unpack->object;
    *f = (struct file){
        .owner = m,
        .in = hf_cursor_clip(object, object->pos, UINT64_MAX),
        .is_child = is_child,
    };
    return (struct mspack_file *)(void *)f;
}

static void on_close(struct mspack_file *file)
{
    hf_library_free(file);
}

static int on_read(struct mspack_file *file, void *buffer, int bytes)
{
    struct file *f = file_of(file);
    if (f == NULL || f->is_child)
        return -1;
    size_t left = hf_cursor_left(&f->in);
    size_t n = bytes < 0 ? 0 : (size_t)bytes < left ? (size_t)bytes : left;
    if (!hf_cursor_charge(&f->in, n / 1024 + 1))
        return -1;
    hf_copy(&f->in, buffer, n);
    return (int)n;
}

static int on_write(struct mspack_file *file, void *buffer, int bytes)
{
    struct file *f = file_of(file);
    if (f == NULL || !f->is_child || bytes < 0)
        return -1;
    if (hf_pusher_push(&f->owner->out, buffer, (size_t)bytes) != HF_OK)
        return -1;
    f->written += (uint64_t)bytes;
    return bytes;
}

static int on_seek(struct mspack_file *file, off_t offset, int mode)
{
    struct file *f = file_of(file);
    if (f == NULL || f->is_child)
        return -1;
    off_t end = (off_t)f->in.len;
    off_t base = mode == MSPACK_SYS_SEEK_START ? 0
                 : mode == MSPACK_SYS_SEEK_CUR ? (off_t)f->in.pos
                                               : end;
    if (offset < -base || offset > end - base)
        return -1;
    f->in = hf_cursor_at(&f->in, (uint64_t)(base + offset));
    return 0;
}

static off_t on_tell(struct mspack_file *file)
{
    struct file *f = file_of(file);
    if (f == NULL)
        return 0;
    return f->is_child ? (off_t)f->written : (off_t)f->in.pos;
}

static void on_message(struct mspack_file *file, const char *format, ...)
{
    (void)file; /* its warnings are for people at a terminal */
    (void)format;
}

static void on_copy(void *src, void *dest, size_t bytes)
{
    memcpy(dest, src, bytes);
}

void hf_mspack_init(struct hf_mspack *m, struct hf_unpack *unpack)
{
    *m = (struct hf_mspack){
        .system = {.open = on_open,
                   .close = on_close,
                   .read = on_read,
                   .write = on_write,
                   .seek = on_seek,
                   .tell = on_tell,
                   .message = on_message,
                   .alloc = on_alloc,
                   .free = hf_library_free,
                   .copy = on_copy},
        .unpack = unpack,
        .memory = hf_library_memory_of(HF_MSPACK_MEMORY),
        .out = hf_pusher_of(unpack),
        .outside = current,
    };
    current = m;
}

void hf_mspack_done(struct hf_mspack *m)
{
    hf_library_memory_trim(&m->memory);
    current = m->outside;
}

enum hf_status hf_mspack_status(const struct hf_mspack *m, int error)
{
    if (m->out.stop != HF_OK)
        return m->out.stop;
    if (hf_cursor_status(&m->unpack->object) == HF_LIMIT)
        return HF_LIMIT;
    switch (error) {
    case MSPACK_ERR_OK: return HF_OK;
    case MSPACK_ERR_READ:
    case MSPACK_ERR_SEEK: return HF_TRUNCATED;
    case MSPACK_ERR_NOMEMORY: return HF_NOMEM;
    default: return HF_MALFORMED;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct hf_mspack_item *x = a, *y = b;
    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* What decoding up to an item costs beside the item: all from the start of its stream when the
 * decoder stands behind it already, else from where it stands. */
static bool pay_way(struct hf_mspack *m, const struct hf_mspack_item *before,
                    const struct hf_mspack_item *item)
{
    uint64_t at = 0;
    if (before != NULL && before->stream == item->stream &&
        item->offset - before->offset >= before->length)
        at = before->offset + before->length;
    return item->offset == at ||
           hf_budget_bytes(m->unpack->object.budget, item->offset - at);
}

enum hf_status hf_mspack_push_items(struct hf_mspack *m, struct hf_mspack_item *items,
                                    size_t count, hf_mspack_extract *extract, void *user)
{
    enum hf_status all = HF_OK;
    if (count > 0)
        qsort(items, count, sizeof *items, by_place);
    for (size_t i = 0; i < count; i++) {
        struct hf_child child = hf_child_unknown();
        child.name = hf_bytes_text(items[i].name);
        child.declared = items[i].length;
        child.is_file = !items[i].is_folder;
        enum hf_status st = hf_pusher_begin(&m->out, child);
        if (st != HF_OK)
            return st;
        if (!m->out.wanted || items[i].length == 0) {
            st = hf_pusher_end(&m->out, HF_OK);
        } else if (!pay_way(m, i == 0 ? NULL : &items[i - 1], &items[i])) {
            st = HF_LIMIT;
        } else {
            enum hf_status how = hf_mspack_status(m, extract(user, items[i].file));
            if (how == HF_LIMIT || how == HF_STOPPED)
                return how;
            all = all == HF_OK ? how : all;
            st = hf_pusher_end(&m->out, how);
        }
        if (st != HF_OK)
            return st;
    }
    return all;
}
