/* Files of Microsoft's COMPRESS (SZDD, also in QBasic's form) and its successor (KWAJ) through
 * libmspack. One child; only KWAJ may know its name. The two interfaces differ in their types
 * alone. */
#include "unpack/decoders.h"
#include "unpack/lib_mspack.h"

/* An opened file: its one child, and how to get it. */
static enum hf_status push_child(struct hf_mspack *m, struct hf_child child,
                                 hf_mspack_extract *extract, void *lib, void *header)
{
    enum hf_status st = hf_pusher_begin(&m->out, child);
    if (st != HF_OK || !m->out.wanted)
        return st;
    enum hf_status how = hf_mspack_status(m, extract(lib, header));
    st = hf_pusher_end(&m->out, how);
    return st == HF_OK ? how : st;
}

static int extract_szdd(void *user, void *header)
{
    struct msszdd_decompressor *lib = user;
    return lib->extract(lib, header, hf_mspack_child);
}

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
        st = push_child(m, child, extract_szdd, lib, header);
        lib->close(lib, header);
    }
    mspack_destroy_szdd_decompressor(lib);
    return st;
}

static int extract_kwaj(void *user, void *header)
{
    struct mskwaj_decompressor *lib = user;
    return lib->extract(lib, header, hf_mspack_child);
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
        st = push_child(m, child, extract_kwaj, lib, header);
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
