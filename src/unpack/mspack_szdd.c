/* Files of Microsoft's COMPRESS (SZDD, also in QBasic's form) and its successor (KWAJ) through
 * libmspack. One child; only KWAJ may know its name. */
#include "unpack/decoders.h"
#include "unpack/lib_mspack.h"

static enum hf_status push_szdd(struct hf_mspack *m)
{
    struct msszdd_decompressor *lib = mspack_create_szdd_decompressor(&m->system);
    if (lib == NULL)
        return HF_NOMEM;
    struct msszddd_header *header = lib->open(lib, hf_mspack_object);
    enum hf_status st = hf_mspack_status(m, lib->last_error(lib));
    if (header != NULL) {
        struct hf_child child = hf_child_unknown();
        child.declared = (uint64_t)header->length;
        st = hf_pusher_begin(&m->out, child);
        if (st == HF_OK && m->out.wanted) {
            enum hf_status how =
                hf_mspack_status(m, lib->extract(lib, header, hf_mspack_child));
            st = hf_pusher_end(&m->out, how);
            st = st == HF_OK ? how : st;
        }
        lib->close(lib, header);
    }
    mspack_destroy_szdd_decompressor(lib);
    return st;
}

static enum hf_status push_kwaj(struct hf_mspack *m)
{
    struct mskwaj_decompressor *lib = mspack_create_kwaj_decompressor(&m->system);
    if (lib == NULL)
        return HF_NOMEM;
    struct mskwajd_header *header = lib->open(lib, hf_mspack_object);
    enum hf_status st = hf_mspack_status(m, lib->last_error(lib));
    if (header != NULL) {
        struct hf_child child = hf_child_unknown();
        if (header->filename != NULL)
            child.name = hf_bytes_text(header->filename);
        if ((header->headers & MSKWAJ_HDR_HASLENGTH) != 0)
            child.declared = (uint64_t)header->length;
        st = hf_pusher_begin(&m->out, child);
        if (st == HF_OK && m->out.wanted) {
            enum hf_status how =
                hf_mspack_status(m, lib->extract(lib, header, hf_mspack_child));
            st = hf_pusher_end(&m->out, how);
            st = st == HF_OK ? how : st;
        }
        lib->close(lib, header);
    }
    mspack_destroy_kwaj_decompressor(lib);
    return st;
}

enum hf_status hf_unpack_szdd(struct hf_unpack *unpack)
{
    struct hf_mspack m;
    bool kwaj = hf_peek_equal(&unpack->object, "KWAJ", 4);
    if (!kwaj && !hf_peek_equal(&unpack->object, "SZ", 2))
        return HF_NOTFOUND;
    hf_mspack_init(&m, unpack);
    enum hf_status st = kwaj ? push_kwaj(&m) : push_szdd(&m);
    hf_mspack_done(&m);
    return st;
}
