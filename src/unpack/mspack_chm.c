/* Compiled help (CHM) through libmspack: the files of its directory, stored or in one LZX stream
 * that can be entered at regular places. */
#include "unpack/decoders.h"
#include "unpack/lib_mspack.h"

static int extract(void *user, void *file)
{
    struct mschm_decompressor *lib = user;
    return lib->extract(lib, file, hf_mspack_child);
}

static enum hf_status push_files(struct hf_mspack *m, struct mschm_decompressor *lib,
                                 const struct mschmd_header *chm)
{
    struct hf_mspack_item *items = NULL;
    size_t count = 0;
    for (struct mschmd_file *f = chm->files; f != NULL; f = f->next, count++) {
        struct hf_mspack_item *more =
            hf_arena_grow(m->unpack->arena, items, count, sizeof *items);
        if (more == NULL)
            return HF_NOMEM;
        items = more;
        size_t name = strlen(f->filename);
        items[count] = (struct hf_mspack_item){
            .name = f->filename,
            .stream = f->section == NULL ? 0 : f->section->id,
            .offset = f->offset < 0 ? 0 : (uint64_t)f->offset,
            .length = f->length < 0 ? 0 : (uint64_t)f->length,
            .number = count,
            .is_folder = name > 0 && f->filename[name - 1] == '/',
            .file = f,
        };
    }
    return hf_mspack_push_items(m, items, count, extract, lib);
}

static enum hf_status run(struct hf_mspack *m)
{
    struct mschm_decompressor *lib = mspack_create_chm_decompressor(&m->system);
    if (lib == NULL)
        return HF_NOMEM;
    enum hf_status st;
    struct mschmd_header *chm = lib->open(lib, hf_mspack_object);
    if (chm == NULL) {
        st = hf_mspack_status(m, lib->last_error(lib));
    } else {
        st = push_files(m, lib, chm);
        lib->close(lib, chm);
    }
    mspack_destroy_chm_decompressor(lib);
    return st;
}

enum hf_status hf_unpack_chm(struct hf_unpack *unpack)
{
    struct hf_mspack m;
    if (!hf_peek_equal(&unpack->object, "ITSF", 4))
        return HF_NOTFOUND;
    hf_mspack_init(&m, unpack);
    enum hf_status st = run(&m);
    hf_mspack_done(&m);
    return st;
}
