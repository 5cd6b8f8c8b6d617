/* Signature text of every kind: whatever is written there, the build goes on, and what it
 * compiles opens and passes the full check. */
#include "base/auto.h"
#include "db/build.h"
#include "db/db.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"a.hdb", "a.mdb",  "a.imp", "a.fp",
                                    "a.ndb", "a.ign2", "a.txt", "a.ldb"};

static void check_compiled(const struct hf_buffer *bytes)
{
    size_t room = (bytes->len + 63) / 64 * 64;
    uint8_t *aligned = aligned_alloc(64, room);
    if (aligned == NULL)
        return;
    memcpy(aligned, bytes->data, bytes->len);
    HF_AUTO(hf_db_release) struct hf_db *db = NULL;
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    enum hf_status st = hf_db_open_memory(hf_bytes_of(aligned, bytes->len), &db);
    assert(st == HF_OK);
    st = hf_db_check(db, &note);
    assert(st == HF_OK);
    hf_db_release(&db);
    free(aligned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(NULL, NULL);
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    if (size == 0 || build == NULL)
        return 0;
    hf_build_withdraw(build, (data[0] & 16) != 0);
    struct hf_bytes text = hf_bytes_of(data + 1, size - 1);
    enum hf_status st = hf_build_read_text(build, names[data[0] % 8], text);
    assert(st == HF_OK);
    hf_build_withdraw(build, false);
    st = hf_build_write(build, &bytes);
    assert(st == HF_OK);
    check_compiled(&bytes);
    return 0;
}
