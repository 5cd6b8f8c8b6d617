/* feed_verify.c - `holdfast feed verify`: everything that a feed has, as an endpoint would look at it
 * that starts today, and as nobody does: all releases, all objects. */
#include "cli/feed_tools.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "db/format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

enum { ROOT, POLICY, CHANNEL };
static const struct hf_option verify_options[] = {
    [ROOT] = {0, "root", HF_OPTION_TEXT, "FILE",
              "the root to begin with (default: the feed's own first one)",
              HF_COMPLETE_FILE},
    [POLICY] = {0, "policy", HF_OPTION_TEXT, "FILE", "witnesses that must have cosigned",
                HF_COMPLETE_FILE},
    [CHANNEL] = {0, "channel", HF_OPTION_TEXT, "NAME", "default: content"},
};

static int run_verify(const struct hf_arguments *arguments);

const struct hf_command hf_command_feed_verify = {
    .name = "verify",
    .operands = "[OPTION]... FEED",
    .summary = "check all of a feed: roots, log, releases, objects",
    .options = verify_options,
    .option_count = sizeof verify_options / sizeof *verify_options,
    .operands_min = 1,
    .operands_max = 1,
    .complete = HF_COMPLETE_FILE,
    .run = run_verify,
};

struct verifying {
    const struct hf_arguments *arguments;
    struct hf_feed_folder folder;
    struct hf_feed_store store;
    struct hf_merkle merkle;
    struct hf_arena *arena;
    struct hf_buffer root, policy_text;
    struct hf_root *first;
    struct hf_policy *policy;
    struct hf_settings settings;
    struct hf_state state;
    uint64_t releases, objects, bytes;
};

static enum hf_refusal check_object(struct verifying *v, uint64_t size,
                                    const struct hf_hash *hash)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    struct hf_map map = {0};
    struct hf_hash is;
    hf_object_path(&path, hash);
    hf_buffer_u8(&path, 0);
    HF_AUTO(hf_fd_release)
    int fd = path.failed ? -1 : hf_file_open(v->folder.dir, (const char *)path.data);
    if (fd < 0)
        return HF_REFUSE_FETCH;
    if (hf_map_open(fd, &map) != HF_OK)
        return HF_REFUSE_NOMEM;
    bool good = hf_hash_of(&v->merkle, hf_bytes_of(map.data, map.len), &is);
    size_t len = map.len;
    hf_map_release(&map);
    v->objects++;
    v->bytes += len;
    if (!good)
        return HF_REFUSE_CRYPTO;
    if (len != size)
        return HF_REFUSE_OBJECT_SIZE;
    return hf_hash_equal(&is, hash) ? HF_ACCEPTED : HF_REFUSE_OBJECT_HASH;
}

static enum hf_refusal check_objects(struct verifying *v, const struct hf_manifest *m)
{
    enum hf_refusal r = HF_ACCEPTED;
    for (size_t i = 0; r == HF_ACCEPTED && i < m->file_count; i++)
        r = check_object(v, m->files[i].size, &m->files[i].hash);
    for (size_t i = 0; r == HF_ACCEPTED && i < m->delta_count; i++)
        r = check_object(v, m->deltas[i].size, &m->deltas[i].hash);
    return r;
}

static enum hf_refusal verify(struct verifying *v)
{
    struct hf_client_options options = {.root_note = hf_buffer_view(&v->root),
                                        .policy = v->policy,
                                        .settings = &v->settings,
                                        .source = &v->store.read,
                                        .engine = HF_DB_VERSION,
                                        .now = (uint64_t)time(NULL)};
    HF_AUTO(hf_client_release) struct hf_client *client = NULL;
    size_t news;
    enum hf_refusal r = hf_client_new(&options, &client);
    if (r == HF_ACCEPTED)
        r = hf_client_poll(client, &v->state, &news);
    for (size_t i = 0; r == HF_ACCEPTED && i < v->state.release_count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer note = {0}, proof = {0};
        struct hf_manifest manifest;
        v->state.releases[i].approved = 1; /* what they may do is the owner's matter */
        r = hf_client_prove(client, &v->state, i, &manifest, &note, &proof);
        if (r == HF_ACCEPTED)
            r = check_objects(v, &manifest);
        v->releases += r == HF_ACCEPTED;
        if (r != HF_ACCEPTED)
            hf_complain(v->arguments, "release %" PRIu64, v->state.releases[i].version);
    }
    return r;
}

static bool load(struct verifying *v)
{
    const struct hf_option_value *o = v->arguments->values;
    struct hf_signed_note note;
    v->arena = hf_arena_new(4 << 20);
    v->first = v->arena == NULL ? NULL : hf_arena_alloc(v->arena, sizeof *v->first);
    v->policy = v->arena == NULL ? NULL : hf_arena_alloc(v->arena, sizeof *v->policy);
    if (v->first == NULL || v->policy == NULL)
        return false;
    int dir = o[ROOT].text != NULL ? AT_FDCWD : v->folder.dir;
    const char *path = o[ROOT].text != NULL ? o[ROOT].text : "root/1";
    if (hf_file_read(dir, path, HF_NOTE_FETCH_MAX, &v->root) != HF_OK) {
        hf_complain(v->arguments, "%s: %s", path, strerror(errno));
        return false;
    }
    struct hf_cursor c = hf_cursor_open(v->root.data, v->root.len, NULL);
    enum hf_refusal r = hf_note_read(&c, v->arena, &note);
    if (r == HF_ACCEPTED)
        r = hf_root_read(note.text, NULL, v->first);
    if (r == HF_ACCEPTED)
        r = hf_root_verify(NULL, &note, v->first);
    if (r != HF_ACCEPTED) {
        (void)hf_feed_refuse(v->arguments, path, r);
        return false;
    }
    if (o[POLICY].text == NULL)
        hf_buffer_text(&v->policy_text, "quorum none\n");
    else if (hf_file_read(AT_FDCWD, o[POLICY].text, HF_POLICY_BYTES_MAX, &v->policy_text) !=
             HF_OK) {
        hf_complain(v->arguments, "%s: %s", o[POLICY].text, strerror(errno));
        return false;
    }
    r = hf_policy_read(hf_buffer_view(&v->policy_text), NULL, v->policy);
    if (r != HF_ACCEPTED)
        (void)hf_feed_refuse(v->arguments, "policy", r);
    v->settings.product = v->first->product;
    v->settings.channel = hf_bytes_text(o[CHANNEL].count > 0 ? o[CHANNEL].text : "content");
    return r == HF_ACCEPTED;
}

static int run(struct verifying *v)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    v->store = hf_feed_folder_store(&v->folder);
    if (!load(v))
        return HF_EXIT_ERROR;
    enum hf_refusal r = verify(v);
    if (r != HF_ACCEPTED)
        return hf_feed_refuse(v->arguments, v->arguments->operands[0], r);
    hf_buffer_format(&out,
                     "root version %" PRIu64 ", %" PRIu64 " entries in the log, %" PRIu64
                     " releases and %" PRIu64 " objects checked, %" PRIu64 " bytes\n",
                     v->state.root_version, v->state.size, v->releases, v->objects,
                     v->bytes);
    return hf_print(v->arguments, &out);
}

static int run_verify(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    static struct verifying v; /* large; one a process */
    v = (struct verifying){
        .arguments = arguments, .folder = {.dir = -1}, .merkle = {.hasher = hasher}};
    int code = HF_EXIT_ERROR;
    if (hasher != NULL && hf_feed_open(arguments, arguments->operands[0], false, &v.folder))
        code = run(&v);
    hf_fd_release(&v.folder.dir);
    hf_buffer_done(&v.root);
    hf_buffer_done(&v.policy_text);
    hf_arena_free(v.arena);
    return code;
}
