/* feed_command.c - `holdfast feed`: for publishers of content. Keys, roots, signatures, publication;
 * the other subcommands have files of their own. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/feed_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { KEY_OUTPUT, KEY_WITNESS };
static const struct hf_option key_options[] = {
    [KEY_OUTPUT] = {'o', "output", HF_OPTION_TEXT, "FILE",
                    "write the private key here; the file must not be there yet",
                    HF_COMPLETE_FILE},
    [KEY_WITNESS] = {0, "witness", HF_OPTION_FLAG, NULL,
                     "a witness's key, which signs checkpoints with the time"},
};

enum {
    INIT_PRODUCT,
    INIT_ROOT,
    INIT_ROOT_THRESHOLD,
    INIT_OLD,
    INIT_LOG,
    INIT_CHANNEL,
    INIT_SIGN,
    INIT_SIGN_THRESHOLD,
    INIT_DAYS,
    INIT_OUTPUT,
    INIT_TIME
};
static const struct hf_option init_options[] = {
    [INIT_PRODUCT] = {0, "product", HF_OPTION_TEXT, "NAME",
                      "a name such as org.example.feed; can never change"},
    [INIT_ROOT] = {0, "root", HF_OPTION_LIST, "KEY", "a root key: its file or its text",
                   HF_COMPLETE_FILE},
    [INIT_ROOT_THRESHOLD] = {0, "root-threshold", HF_OPTION_NUMBER, "N",
                             "how many root keys must sign (default: more than half)"},
    [INIT_OLD] = {0, "old-root", HF_OPTION_LIST, "FILE",
                  "a private root key of the version before, to sign with it, too",
                  HF_COMPLETE_FILE},
    [INIT_LOG] =
        {0, "log", HF_OPTION_LIST, "FILE",
         "the log's private key; its name is the log's origin. Several while they rotate",
         HF_COMPLETE_FILE},
    [INIT_CHANNEL] = {0, "channel", HF_OPTION_TEXT, "NAME", "default: content"},
    [INIT_SIGN] = {0, "sign", HF_OPTION_LIST, "KEY",
                   "a key that signs releases: its file or its text", HF_COMPLETE_FILE},
    [INIT_SIGN_THRESHOLD] = {0, "sign-threshold", HF_OPTION_NUMBER, "N",
                             "how many of them must sign (default: more than half)"},
    [INIT_DAYS] = {0, "days", HF_OPTION_NUMBER, "N", "valid so long (default: 365)"},
    [INIT_OUTPUT] = {'o', "output", HF_OPTION_TEXT, "FILE",
                     "write the root here for others to sign, publish nothing",
                     HF_COMPLETE_FILE},
    [INIT_TIME] = {0, "time", HF_OPTION_NUMBER, "SECONDS",
                   "when it is made, in seconds since 1970 (default: now)"},
};

enum { SIGN_KEY };
static const struct hf_option sign_options[] = {
    [SIGN_KEY] = {0, "key", HF_OPTION_LIST, "FILE", "sign with this private key",
                  HF_COMPLETE_FILE},
};

enum { PUBLISH_LOG };
static const struct hf_option publish_options[] = {
    [PUBLISH_LOG] = {0, "log", HF_OPTION_LIST, "FILE", "the log's private key",
                     HF_COMPLETE_FILE},
};

static int run_key(const struct hf_arguments *arguments);
static int run_init(const struct hf_arguments *arguments);
static int run_sign(const struct hf_arguments *arguments);
static int run_publish(const struct hf_arguments *arguments);

static const struct hf_command command_key = {
    .name = "key",
    .operands = "-o FILE NAME",
    .summary = "make a key",
    .details =
        "NAME says whose key it is, without spaces and plus signs: example.org/anna.\n"
        "Prints the public key.",
    .options = key_options,
    .option_count = sizeof key_options / sizeof *key_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_key,
};

static const struct hf_command command_init = {
    .name = "init",
    .operands = "[OPTION]... FEED",
    .summary = "begin a feed, or rotate the keys of one",
    .details =
        "Makes the next root of the feed in the folder FEED: who may sign what. When enough\n"
        "private keys are given it is signed and published; else -o FILE and 'feed sign'.",
    .options = init_options,
    .option_count = sizeof init_options / sizeof *init_options,
    .operands_min = 1,
    .operands_max = 1,
    .complete = HF_COMPLETE_FILE,
    .run = run_init,
};

static const struct hf_command command_sign = {
    .name = "sign",
    .operands = "--key FILE... DRAFT",
    .summary = "sign a release or a root",
    .details =
        "Adds signatures to the file DRAFT, which 'feed build' or 'feed init -o' has made.",
    .options = sign_options,
    .option_count = sizeof sign_options / sizeof *sign_options,
    .operands_min = 1,
    .operands_max = 1,
    .complete = HF_COMPLETE_FILE,
    .run = run_sign,
};

static const struct hf_command command_publish = {
    .name = "publish",
    .operands = "--log FILE FEED DRAFT",
    .summary = "put a signed release or root into a feed and its log",
    .details =
        "Nothing is published that endpoints would refuse. Witnesses cosign afterwards.",
    .options = publish_options,
    .option_count = sizeof publish_options / sizeof *publish_options,
    .operands_min = 2,
    .operands_max = 2,
    .complete = HF_COMPLETE_FILE,
    .run = run_publish,
};

const struct hf_command hf_command_feed = {
    .name = "feed",
    .operands =
        "key|init|build|sign|publish|witness|verify|mirror|export|import [OPTION]... "
        "[OPERAND]...",
    .summary = "publish content: keys, releases, log, witnesses, mirrors",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .subcommands =
        (const struct hf_command *const[]){
            &command_key, &command_init, &hf_command_feed_build, &command_sign,
            &command_publish, &hf_command_feed_witness, &hf_command_feed_verify,
            &hf_command_feed_mirror, &hf_command_feed_export, &hf_command_feed_import,
            NULL},
};

int hf_feed_refuse(const struct hf_arguments *arguments, const char *what,
                   enum hf_refusal refusal)
{
    hf_complain(arguments, "%s: %s", what, hf_refusal_text(refusal));
    return HF_EXIT_ERROR;
}

/* A file's first line, or the text itself. */
static bool key_text(const char *given, struct hf_buffer *text)
{
    enum hf_status st = hf_file_read(AT_FDCWD, given, 4096, text);
    if (st == HF_NOTFOUND && strchr(given, '+') != NULL) {
        hf_buffer_text(text, given);
        return !text->failed;
    }
    while (text->len > 0 && (text->data[text->len - 1] == '\n'))
        text->len--;
    return st == HF_OK;
}

bool hf_feed_key_read(const struct hf_arguments *arguments, const char *given,
                      struct hf_key_text *key)
{
    struct hf_buffer text = {0};
    *key = (struct hf_key_text){0};
    if (!key_text(given, &text)) {
        hf_complain(arguments, "%s: %s", given, strerror(errno));
        hf_buffer_done(&text);
        return false;
    }
    enum hf_refusal r = hf_skey_read(hf_buffer_view(&text), &key->secret);
    key->has_secret = r == HF_ACCEPTED;
    if (key->has_secret)
        key->public_key = key->secret.verifier;
    else
        r = hf_vkey_read(hf_buffer_view(&text), &key->public_key);
    if (text.len > 0)
        explicit_bzero(text.data, text.len);
    hf_buffer_done(&text);
    if (r != HF_ACCEPTED)
        (void)hf_feed_refuse(arguments, given, r);
    return r == HF_ACCEPTED;
}

bool hf_feed_signers_read(const struct hf_arguments *arguments,
                          const struct hf_option_value *list,
                          struct hf_feed_signers *signers)
{
    *signers = (struct hf_feed_signers){0};
    for (size_t i = 0; i < list->count; i++) {
        struct hf_key_text key;
        if (signers->count == HF_FEED_SIGNERS_MAX) {
            hf_complain(arguments, "more than %d keys", HF_FEED_SIGNERS_MAX);
            return false;
        }
        if (!hf_feed_key_read(arguments, list->list[i], &key))
            return false;
        if (!key.has_secret) {
            hf_complain(arguments, "%s: this is a public key, no private one",
                        list->list[i]);
            return false;
        }
        signers->keys[signers->count++] = key.secret;
        hf_skey_done(&key.secret);
    }
    return true;
}

void hf_feed_signers_done(struct hf_feed_signers *signers)
{
    for (size_t i = 0; i < signers->count; i++)
        hf_skey_done(&signers->keys[i]);
}

bool hf_feed_open(const struct hf_arguments *arguments, const char *path, bool make,
                  struct hf_feed_folder *folder)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer inside = {0};
    hf_buffer_format(&inside, "%s/.", path);
    hf_buffer_u8(&inside, 0);
    if (make && !inside.failed)
        (void)!hf_file_make_parents(AT_FDCWD, (const char *)inside.data);
    *folder =
        (struct hf_feed_folder){.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder->dir < 0)
        hf_complain(arguments, "%s: %s", path, strerror(errno));
    return folder->dir >= 0;
}

uint64_t hf_feed_time(const struct hf_option_value *option)
{
    return option->count > 0 ? option->number : (uint64_t)time(NULL);
}

static int run_key(const struct hf_arguments *arguments)
{
    const char *path = arguments->values[KEY_OUTPUT].text;
    uint8_t type =
        arguments->values[KEY_WITNESS].count > 0 ? HF_KEY_COSIGNER : HF_KEY_ED25519;
    HF_AUTO(hf_skey_done) struct hf_skey key = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    struct hf_buffer secret = {0};
    if (path == NULL) {
        hf_complain(arguments, "no output: -o FILE is needed");
        return HF_EXIT_ERROR;
    }
    enum hf_refusal r =
        hf_skey_make(hf_bytes_text(arguments->operands[0]), type, NULL, &key);
    if (r != HF_ACCEPTED)
        return hf_feed_refuse(arguments, arguments->operands[0], r);
    /* Never over another key: there would be no way back. */
    HF_AUTO(hf_fd_release)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    hf_skey_write(&secret, &key);
    hf_buffer_u8(&secret, '\n');
    bool written = fd >= 0 && !secret.failed &&
                   hf_fd_write(fd, secret.data, secret.len) == HF_OK && fsync(fd) == 0;
    int error = errno;
    if (secret.data != NULL)
        explicit_bzero(secret.data, secret.len);
    hf_buffer_done(&secret);
    if (!written) {
        hf_complain(arguments, "%s: %s", path, strerror(error));
        return HF_EXIT_ERROR;
    }
    hf_vkey_write(&line, &key.verifier);
    hf_buffer_u8(&line, '\n');
    return hf_print(arguments, &line);
}

struct initing {
    const struct hf_arguments *arguments;
    struct hf_feed_folder folder;
    struct hf_arena *arena;
    struct hf_root *old, *next;
    struct hf_buffer old_note, note;
    struct hf_feed_signers old_signers, signers, log;
};

static void initing_done(struct initing *n)
{
    hf_fd_release(&n->folder.dir);
    hf_buffer_done(&n->old_note);
    hf_buffer_done(&n->note);
    hf_arena_free(n->arena);
    hf_feed_signers_done(&n->old_signers);
    hf_feed_signers_done(&n->signers);
    hf_feed_signers_done(&n->log);
}

/* A role from keys on the command line; private ones sign, when signers is given. */
static bool fill_role(struct initing *n, struct hf_role *role, const char *name, int option,
                      uint64_t threshold, struct hf_feed_signers *signers)
{
    const struct hf_option_value *list = &n->arguments->values[option];
    role->name = hf_bytes_text(name);
    if (list->count == 0 || list->count > HF_ROLE_KEYS_MAX) {
        hf_complain(n->arguments, "the role '%s' needs 1 to %d keys", name,
                    HF_ROLE_KEYS_MAX);
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct hf_key_text key;
        if (!hf_feed_key_read(n->arguments, list->list[i], &key))
            return false;
        role->keys[role->count++] = key.public_key;
        if (key.has_secret && signers != NULL && signers->count < HF_FEED_SIGNERS_MAX)
            signers->keys[signers->count++] = key.secret;
        hf_skey_done(&key.secret);
    }
    role->threshold = threshold != 0 ? threshold : role->count / 2 + 1;
    return true;
}

/* The roles of the version before stay as far as no key is given for them. */
static bool fill(struct initing *n)
{
    const struct hf_option_value *v = n->arguments->values;
    const char *channel = v[INIT_CHANNEL].count > 0 ? v[INIT_CHANNEL].text : "content";
    struct hf_root *next = n->next;
    *next = *n->old; /* zeros for the first */
    next->version++;
    if (next->version == 1)
        next->product =
            hf_bytes_text(v[INIT_PRODUCT].count > 0 ? v[INIT_PRODUCT].text : "");
    next->created = hf_feed_time(&v[INIT_TIME]);
    next->expires =
        next->created + (v[INIT_DAYS].count > 0 ? v[INIT_DAYS].number : 365) * 86400;
    struct {
        const char *name;
        int option;
        uint64_t threshold;
        struct hf_feed_signers *signers;
    } roles[] = {{"root", INIT_ROOT, v[INIT_ROOT_THRESHOLD].number, &n->signers},
                 {"log", INIT_LOG, 1, &n->log},
                 {channel, INIT_SIGN, v[INIT_SIGN_THRESHOLD].number, NULL}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        size_t at = 0;
        while (at < next->role_count &&
               !hf_bytes_equal(next->roles[at].name, hf_bytes_text(roles[i].name)))
            at++;
        if (at < next->role_count && v[roles[i].option].count == 0)
            continue;
        if (at == next->role_count) {
            if (next->role_count == HF_ROLES_MAX)
                return false;
            next->role_count++;
        }
        next->roles[at] = (struct hf_role){0};
        if (!fill_role(n, &next->roles[at], roles[i].name, roles[i].option,
                       roles[i].threshold, roles[i].signers))
            return false;
    }
    return true;
}

static void sort_channels(struct hf_root *root)
{
    for (size_t i = 3; i < root->role_count; i++)
        for (size_t k = i;
             k > 2 && hf_bytes_order(root->roles[k - 1].name, root->roles[k].name) > 0;
             k--) {
            struct hf_role role = root->roles[k];
            root->roles[k] = root->roles[k - 1];
            root->roles[k - 1] = role;
        }
}

static enum hf_refusal sign_root(struct initing *n)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    sort_channels(n->next);
    enum hf_refusal r = hf_root_write(&text, n->next);
    if (r == HF_ACCEPTED)
        r = hf_note_begin(&n->note, hf_buffer_view(&text));
    for (size_t i = 0; r == HF_ACCEPTED && i < n->signers.count; i++)
        r = hf_note_sign(&n->note, hf_buffer_view(&text), &n->signers.keys[i]);
    for (size_t i = 0; r == HF_ACCEPTED && i < n->old_signers.count; i++) {
        bool again = false;
        for (size_t k = 0; k < n->signers.count; k++)
            again = again ||
                    memcmp(n->signers.keys[k].verifier.bytes,
                           n->old_signers.keys[i].verifier.bytes, HF_ED25519_PUBLIC) == 0;
        if (!again)
            r = hf_note_sign(&n->note, hf_buffer_view(&text), &n->old_signers.keys[i]);
    }
    return r;
}

static int write_draft(const struct hf_arguments *arguments, const char *path,
                       const struct hf_buffer *bytes)
{
    if (!bytes->failed &&
        hf_file_replace(AT_FDCWD, path, hf_buffer_view(bytes), 0644) == HF_OK)
        return HF_EXIT_OK;
    hf_complain(arguments, "%s: %s", path, strerror(errno));
    return HF_EXIT_ERROR;
}

static int print_fingerprint(struct initing *n)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_signed_note note;
    struct hf_hash hash;
    struct hf_cursor c = hf_cursor_open(n->note.data, n->note.len, NULL);
    if (hasher == NULL || hf_note_read(&c, n->arena, &note) != HF_ACCEPTED ||
        !hf_hash_of(&m, note.text, &hash))
        return HF_EXIT_ERROR;
    hf_buffer_format(&line, "root version %" PRIu64 ", fingerprint ", n->next->version);
    hf_put_hash(&line, &hash);
    hf_buffer_u8(&line, '\n');
    return hf_print(n->arguments, &line);
}

static int init(struct initing *n)
{
    const struct hf_arguments *arguments = n->arguments;
    struct hf_feed_store store = hf_feed_folder_store(&n->folder);
    n->arena = hf_arena_new(4 << 20);
    n->old = n->arena == NULL ? NULL : hf_arena_alloc(n->arena, sizeof *n->old);
    n->next = n->arena == NULL ? NULL : hf_arena_alloc(n->arena, sizeof *n->next);
    if (n->old == NULL || n->next == NULL)
        return hf_feed_refuse(arguments, "memory", HF_REFUSE_NOMEM);
    enum hf_refusal r = hf_publisher_root(&store, n->arena, &n->old_note, n->old);
    if (r != HF_ACCEPTED && r != HF_REFUSE_FETCH)
        return hf_feed_refuse(arguments, arguments->operands[0], r);
    if (!hf_feed_signers_read(arguments, &arguments->values[INIT_OLD], &n->old_signers) ||
        !fill(n))
        return HF_EXIT_ERROR;
    r = sign_root(n);
    if (r != HF_ACCEPTED)
        return hf_feed_refuse(arguments, "root", r);
    if (arguments->values[INIT_OUTPUT].text != NULL)
        return write_draft(arguments, arguments->values[INIT_OUTPUT].text, &n->note);
    r = hf_publisher_add_root(&store, hf_buffer_view(&n->note), n->log.keys, n->log.count);
    return r == HF_ACCEPTED ? print_fingerprint(n) : hf_feed_refuse(arguments, "root", r);
}

static int run_init(const struct hf_arguments *arguments)
{
    struct initing n = {.arguments = arguments, .folder = {.dir = -1}};
    int code = HF_EXIT_ERROR;
    if (hf_feed_open(arguments, arguments->operands[0], true, &n.folder))
        code = init(&n);
    initing_done(&n);
    return code;
}

static enum hf_refusal add_signatures(struct hf_buffer *draft,
                                      const struct hf_feed_signers *signers)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(4 << 20);
    struct hf_signed_note note = {0};
    struct hf_buffer out = {0};
    if (arena == NULL)
        return HF_REFUSE_NOMEM;
    struct hf_cursor c = hf_cursor_open(draft->data, draft->len, NULL);
    enum hf_refusal r = hf_note_read(&c, arena, &note);
    if (r != HF_ACCEPTED) { /* not signed by anybody yet */
        note.text = hf_buffer_view(draft);
        r = hf_note_begin(&out, note.text);
    } else {
        hf_note_write(&out, &note);
    }
    for (size_t i = 0; r == HF_ACCEPTED && i < signers->count; i++)
        r = hf_note_sign(&out, note.text, &signers->keys[i]);
    if (r == HF_ACCEPTED && out.failed)
        r = HF_REFUSE_NOMEM;
    if (r == HF_ACCEPTED) {
        hf_buffer_done(draft);
        *draft = out;
    } else {
        hf_buffer_done(&out);
    }
    return r;
}

static int run_sign(const struct hf_arguments *arguments)
{
    const char *path = arguments->operands[0];
    HF_AUTO(hf_buffer_done) struct hf_buffer draft = {0};
    HF_AUTO(hf_feed_signers_done) struct hf_feed_signers signers = {0};
    if (arguments->values[SIGN_KEY].count == 0) {
        hf_complain(arguments, "no key: --key FILE is needed");
        return HF_EXIT_ERROR;
    }
    if (!hf_feed_signers_read(arguments, &arguments->values[SIGN_KEY], &signers))
        return HF_EXIT_ERROR;
    if (hf_file_read(AT_FDCWD, path, HF_NOTE_FETCH_MAX, &draft) != HF_OK) {
        hf_complain(arguments, "%s: %s", path, strerror(errno));
        return HF_EXIT_ERROR;
    }
    enum hf_refusal r = add_signatures(&draft, &signers);
    return r == HF_ACCEPTED ? write_draft(arguments, path, &draft)
                            : hf_feed_refuse(arguments, path, r);
}

static int run_publish(const struct hf_arguments *arguments)
{
    struct hf_feed_folder folder = {.dir = -1};
    HF_AUTO(hf_buffer_done) struct hf_buffer draft = {0};
    HF_AUTO(hf_feed_signers_done) struct hf_feed_signers log = {0};
    const char *path = arguments->operands[1];
    if (!hf_feed_signers_read(arguments, &arguments->values[PUBLISH_LOG], &log))
        return HF_EXIT_ERROR;
    if (hf_file_read(AT_FDCWD, path, HF_NOTE_FETCH_MAX, &draft) != HF_OK) {
        hf_complain(arguments, "%s: %s", path, strerror(errno));
        return HF_EXIT_ERROR;
    }
    if (log.count == 0) {
        hf_complain(arguments, "no key of the log: --log FILE is needed");
        return HF_EXIT_ERROR;
    }
    if (!hf_feed_open(arguments, arguments->operands[0], false, &folder))
        return HF_EXIT_ERROR;
    struct hf_feed_store store = hf_feed_folder_store(&folder);
    static const char root_word[] = "holdfast-root ";
    bool root = draft.len > sizeof root_word &&
                memcmp(draft.data, root_word, sizeof root_word - 1) == 0;
    enum hf_refusal r =
        root
            ? hf_publisher_add_root(&store, hf_buffer_view(&draft), log.keys, log.count)
            : hf_publisher_add_release(&store, hf_buffer_view(&draft), log.keys, log.count);
    hf_fd_release(&folder.dir);
    return r == HF_ACCEPTED ? HF_EXIT_OK : hf_feed_refuse(arguments, path, r);
}
