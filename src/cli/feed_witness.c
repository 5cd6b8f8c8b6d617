/* feed_witness.c - `holdfast feed witness`: cosigns a feed's checkpoint when its log has only grown
 * since this witness last looked; or answers one request of the public protocol. */
#include "cli/feed_tools.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "feed/tile.h"
#include "feed/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { KEY, STATE, LOG, REQUEST, TIME };
static const struct hf_option witness_options[] = {
    [KEY] = {0, "key", HF_OPTION_TEXT, "FILE", "the witness's private key",
             HF_COMPLETE_FILE},
    [STATE] = {0, "state", HF_OPTION_TEXT, "DIR",
               "where the witness remembers what it has seen", HF_COMPLETE_FILE},
    [LOG] = {0, "log", HF_OPTION_LIST, "KEY",
             "a key of the log, by file or text (default: those of the feed's root)",
             HF_COMPLETE_FILE},
    [REQUEST] =
        {0, "request", HF_OPTION_FLAG, NULL,
         "answer an add-checkpoint request (c2sp.org/tlog-witness) on standard input: "
         "status and body on standard output"},
    [TIME] = {0, "time", HF_OPTION_NUMBER, "SECONDS",
              "the time to sign with, in seconds since 1970 (default: now)"},
};

static int run_witness(const struct hf_arguments *arguments);

const struct hf_command hf_command_feed_witness = {
    .name = "witness",
    .operands = "--key FILE --state DIR [FEED]",
    .summary = "cosign a feed's checkpoint, if its log has only grown",
    .details =
        "Cosigns nothing that contradicts what this witness has cosigned before, whoever asks.",
    .options = witness_options,
    .option_count = sizeof witness_options / sizeof *witness_options,
    .operands_max = 1,
    .complete = HF_COMPLETE_FILE,
    .run = run_witness,
};

enum { KEYS_MAX = 16, TILES_MAX = 256 };

struct witnessing {
    const struct hf_arguments *arguments;
    struct hf_key_text key;
    struct hf_vkey log_keys[KEYS_MAX];
    struct hf_log log;
    int state;
    struct hf_merkle merkle;
    struct hf_feed_folder folder;
    struct hf_buffer tile; /* the one that was fetched last */
};

/* "SIZE ROOT" in a file by the log's name. */
static bool remember(struct witnessing *w, const struct hf_witnessed *known,
                     const char *name)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_format(&text, "witnessed %" PRIu64 " ", known->size);
    hf_put_hash(&text, &known->root);
    hf_buffer_u8(&text, '\n');
    return !text.failed &&
           hf_file_replace(w->state, name, hf_buffer_view(&text), 0644) == HF_OK;
}

static bool recall(struct witnessing *w, struct hf_witnessed *known, const char *name)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    *known = (struct hf_witnessed){0};
    enum hf_status st = hf_file_read(w->state, name, 256, &text);
    if (st == HF_NOTFOUND)
        return true;
    struct hf_fields f = {.c = hf_cursor_open(text.data, text.len, NULL)};
    hf_fields_line(&f, "witnessed");
    known->size = hf_field_number(&f);
    known->root = hf_field_hash(&f);
    return st == HF_OK && hf_fields_end(&f);
}

/* One at a time: between looking and remembering nobody else may cosign. */
static int judge(struct witnessing *w, struct hf_bytes request, struct hf_witnessed *known,
                 const char *name, struct hf_buffer *answer)
{
    int status = hf_witness_judge(&w->merkle, request, &w->log, &w->key.secret,
                                  hf_feed_time(&w->arguments->values[TIME]), known, answer);
    if (status == 200 && !remember(w, known, name))
        status = 500;
    return status;
}

static bool fetch_tile(void *user, const struct hf_tile *which, struct hf_bytes *data)
{
    struct witnessing *w = user;
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    hf_buffer_clear(&w->tile);
    if (hf_tile_path_write(&path, which) != HF_ACCEPTED)
        return false;
    hf_buffer_u8(&path, 0);
    if (path.failed || hf_file_read(w->folder.dir, (const char *)path.data,
                                    HF_TILE_WIDTH * HF_HASH_BYTES, &w->tile) != HF_OK)
        return false;
    *data = hf_buffer_view(&w->tile);
    return true;
}

/* The request that the feed itself would send. */
static enum hf_refusal make_request(struct witnessing *w, const struct hf_witnessed *known,
                                    struct hf_buffer *request)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(2 << 20);
    struct hf_signed_note note;
    struct hf_checkpoint cp;
    struct hf_hash proof[HF_PROOF_MAX];
    size_t count = 0;
    if (arena == NULL ||
        hf_file_read(w->folder.dir, "checkpoint", HF_NOTE_FETCH_MAX, &bytes) != HF_OK)
        return HF_REFUSE_FETCH;
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    enum hf_refusal r = hf_note_read(&c, arena, &note);
    if (r == HF_ACCEPTED)
        r = hf_checkpoint_read(&w->merkle, note.text, &cp);
    if (r == HF_ACCEPTED && known->size > 0 && cp.size > known->size) {
        struct hf_tile_store store = {
            .merkle = &w->merkle, .size = cp.size, .fetch = fetch_tile, .user = w};
        struct hf_tree_source tree = hf_tile_store_as_source(&store);
        r = hf_consistency_make(&w->merkle, &tree, known->size, cp.size, proof, &count);
    }
    if (r == HF_ACCEPTED)
        hf_witness_request(request, known->size, proof, count, hf_buffer_view(&bytes));
    return r;
}

static int witness_feed(struct witnessing *w, const char *name)
{
    struct hf_witnessed known;
    HF_AUTO(hf_buffer_done) struct hf_buffer request = {0}, answer = {0};
    const char *feed = w->arguments->operands[0];
    struct hf_feed_store store = hf_feed_folder_store(&w->folder);
    if (!recall(w, &known, name)) {
        hf_complain(w->arguments, "what was witnessed cannot be read: nothing is cosigned");
        return HF_EXIT_ERROR;
    }
    enum hf_refusal r = make_request(w, &known, &request);
    if (r != HF_ACCEPTED)
        return hf_feed_refuse(w->arguments, feed, r);
    int status = judge(w, hf_buffer_view(&request), &known, name, &answer);
    if (status != 200) {
        hf_complain(w->arguments, "%s: not cosigned: %s", feed,
                    status == 409   ? "it contradicts what was cosigned before"
                    : status == 422 ? "the log has not only grown"
                    : status == 403 ? "the log has not signed it"
                    : status == 404 ? "this is another log"
                                    : "it cannot be read or remembered");
        return HF_EXIT_ERROR;
    }
    r = hf_publisher_cosign(&store, hf_buffer_view(&answer));
    return r == HF_ACCEPTED ? HF_EXIT_OK : hf_feed_refuse(w->arguments, feed, r);
}

static int answer_request(struct witnessing *w, const char *name)
{
    struct hf_witnessed known;
    HF_AUTO(hf_buffer_done) struct hf_buffer request = {0}, answer = {0}, out = {0};
    int status = 400;
    if (hf_fd_read_all(STDIN_FILENO, HF_NOTE_FETCH_MAX, &request) == HF_OK)
        status = recall(w, &known, name)
                     ? judge(w, hf_buffer_view(&request), &known, name, &answer)
                     : 500;
    hf_buffer_format(&out, "%d\n", status);
    hf_buffer_bytes(&out, hf_buffer_view(&answer));
    return hf_print(w->arguments, &out);
}

/* The log's keys: as given, or as the feed's newest root says. */
static bool take_log(struct witnessing *w)
{
    const struct hf_option_value *list = &w->arguments->values[LOG];
    w->log.keys = w->log_keys;
    for (size_t i = 0; i < list->count && i < KEYS_MAX; i++) {
        struct hf_key_text key;
        if (!hf_feed_key_read(w->arguments, list->list[i], &key))
            return false;
        hf_skey_done(&key.secret);
        w->log_keys[w->log.count++] = key.public_key;
    }
    if (list->count == 0 && w->folder.dir >= 0) {
        HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(4 << 20);
        HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
        struct hf_feed_store store = hf_feed_folder_store(&w->folder);
        struct hf_root *root = arena == NULL ? NULL : hf_arena_alloc(arena, sizeof *root);
        enum hf_refusal r =
            root == NULL ? HF_REFUSE_NOMEM : hf_publisher_root(&store, arena, &note, root);
        if (r != HF_ACCEPTED) {
            (void)hf_feed_refuse(w->arguments, "the feed's root", r);
            return false;
        }
        memcpy(w->log_keys, root->roles[1].keys, sizeof w->log_keys);
        w->log.count = root->roles[1].count;
    }
    if (w->log.count == 0) {
        hf_complain(w->arguments, "which log? --log KEY, or a feed");
        return false;
    }
    w->log.origin = hf_vkey_name(&w->log_keys[0]);
    return true;
}

static int run(struct witnessing *w)
{
    const struct hf_option_value *v = w->arguments->values;
    struct hf_hash hash;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0}, path = {0};
    bool request = v[REQUEST].count > 0;
    if (v[KEY].text == NULL || v[STATE].text == NULL ||
        (w->arguments->operand_count == 1) == request) {
        hf_complain(w->arguments,
                    "--key, --state and either a feed or --request are needed");
        return HF_EXIT_ERROR;
    }
    hf_buffer_format(&path, "%s/.", v[STATE].text);
    hf_buffer_u8(&path, 0);
    if (path.failed || hf_file_make_parents(AT_FDCWD, (const char *)path.data) != HF_OK ||
        (w->state = open(v[STATE].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
        flock(w->state, LOCK_EX) != 0) {
        hf_complain(w->arguments, "%s: %s", v[STATE].text, strerror(errno));
        return HF_EXIT_ERROR;
    }
    if (!hf_feed_key_read(w->arguments, v[KEY].text, &w->key) ||
        (!request &&
         !hf_feed_open(w->arguments, w->arguments->operands[0], false, &w->folder)) ||
        !take_log(w))
        return HF_EXIT_ERROR;
    if (!w->key.has_secret || w->key.public_key.type != HF_KEY_COSIGNER) {
        hf_complain(w->arguments, "%s: no witness's private key (feed key --witness)",
                    v[KEY].text);
        return HF_EXIT_ERROR;
    }
    if (!hf_hash_of(&w->merkle, w->log.origin, &hash))
        return hf_feed_refuse(w->arguments, "digest", HF_REFUSE_CRYPTO);
    hf_put_hash(&name, &hash);
    hf_buffer_u8(&name, 0);
    if (name.failed)
        return HF_EXIT_ERROR;
    return request ? answer_request(w, (const char *)name.data)
                   : witness_feed(w, (const char *)name.data);
}

static int run_witness(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct witnessing w = {.arguments = arguments,
                           .state = -1,
                           .folder = {.dir = -1},
                           .merkle = {.hasher = hasher}};
    int code = hasher == NULL ? HF_EXIT_ERROR : run(&w);
    hf_skey_done(&w.key.secret);
    hf_fd_release(&w.state);
    hf_fd_release(&w.folder.dir);
    hf_buffer_done(&w.tile);
    return code;
}
