/* Microsoft cabinets through libmspack, which knows all their methods (stored, MSZIP, Quantum,
 * LZX) and goes on behind broken blocks. One cabinet at a time: files that begin or end in another
 * cabinet of a set cannot be had. */
#include "unpack/decoders.h"
#include "unpack/lib_mspack.h"

struct cab {
    struct mscab_decompressor *lib;
    struct hf_mspack mspack;
};

static int extract(void *user, void *file)
{
    struct mscab_decompressor *lib = user;
    return lib->extract(lib, file, hf_mspack_child);
}

static uint64_t place_of(const struct mscabd_cabinet *cabinet,
                         const struct mscabd_folder *folder)
{
    uint64_t n = 0;
    for (const struct mscabd_folder *f = cabinet->folders; f != NULL && f != folder;
         f = f->next)
        n++;
    return n;
}

static enum hf_status push_cabinet(struct cab *cab, const struct mscabd_cabinet *cabinet)
{
    struct hf_unpack *unpack = cab->mspack.unpack;
    struct hf_mspack_item *items = NULL;
    size_t count = 0;
    const struct mscabd_folder *folder = NULL;
    uint64_t place = 0;
    for (struct mscabd_file *f = cabinet->files; f != NULL; f = f->next, count++) {
        struct hf_mspack_item *more =
            hf_arena_grow(unpack->arena, items, count, sizeof *items);
        if (more == NULL)
            return HF_NOMEM;
        items = more;
        if (f->folder != folder) { /* few changes: files are listed by folder */
            folder = f->folder;
            place = place_of(cabinet, folder);
            if (!hf_budget_work(unpack->object.budget, place / 64 + 1))
                return HF_LIMIT;
        }
        items[count] = (struct hf_mspack_item){
            .name = f->filename,
            .stream = place,
            .offset = f->offset,
            .length = f->length,
            .number = count,
            .file = f,
        };
    }
    return hf_mspack_push_items(&cab->mspack, items, count, extract, cab->lib);
}

static enum hf_status push_cabinets(struct cab *cab)
{
    struct mscab_decompressor *lib = cab->lib;
    /* Behind a self-extractor's stub a cabinet has to be searched for. */
    bool plain = hf_peek_equal(&cab->mspack.unpack->object, "MSCF", 4);
    struct mscabd_cabinet *list =
        plain ? lib->open(lib, hf_mspack_object) : lib->search(lib, hf_mspack_object);
    if (list == NULL) {
        enum hf_status st = hf_mspack_status(&cab->mspack, lib->last_error(lib));
        return st == HF_OK ? HF_NOTFOUND : st;
    }
    enum hf_status all = HF_OK;
    for (struct mscabd_cabinet *c = list; c != NULL; c = c->next) {
        enum hf_status st = push_cabinet(cab, c);
        all = all == HF_OK || st == HF_LIMIT || st == HF_STOPPED ? st : all;
        if (st == HF_LIMIT || st == HF_STOPPED)
            break;
    }
    lib->close(lib, list);
    return all;
}

static enum hf_status run(struct cab *cab)
{
    cab->lib = mspack_create_cab_decompressor(&cab->mspack.system);
    if (cab->lib == NULL)
        return HF_NOMEM;
    (void)cab->lib->set_param(cab->lib, MSCABD_PARAM_SALVAGE, 1);
    (void)cab->lib->set_param(cab->lib, MSCABD_PARAM_FIXMSZIP, 1);
    enum hf_status st = push_cabinets(cab);
    mspack_destroy_cab_decompressor(cab->lib);
    return st;
}

enum hf_status hf_unpack_cab(struct hf_unpack *unpack)
{
    struct cab cab;
    hf_mspack_init(&cab.mspack, unpack);
    enum hf_status st = run(&cab);
    hf_mspack_done(&cab.mspack);
    return st;
}
