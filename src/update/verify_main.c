/* verify_main.c - the process that judges. What it may do: read descriptors that were handed to it,
 * write into descriptor 4 through a mapping, talk over descriptor 3. Nothing else (jail/seal.h). */
#include "update/verify.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "db/db.h"
#include "feed/proof.h"
#include "jail/channel.h"
#include "jail/seal.h"
#include "update/content_check.h"
#include "update/delta.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_BROKEN = 1, FILE_BYTES_MAX = 16 << 20 };

struct request {
    char line[HF_VERIFY_DATAGRAM_MAX + 1];
    int fds[HF_VERIFY_FDS_MAX];
    size_t fd_count;
};

static bool receive(struct request *r)
{
    struct hf_datagram d = {.data = (uint8_t *)r->line,
                            .room = HF_VERIFY_DATAGRAM_MAX,
                            .fds = r->fds,
                            .fd_room = HF_VERIFY_FDS_MAX};
    if (hf_channel_receive(HF_CONTROL_FD, &d, true) != HF_OK)
        return false;
    r->line[d.len] = 0;
    r->fd_count = d.fd_count;
    return true;
}

static bool send_line(const struct hf_buffer *line)
{
    return !line->failed &&
           hf_channel_send(HF_CONTROL_FD, hf_buffer_view(line), NULL, 0, true) == HF_OK;
}

static int end(enum hf_refusal r, uint64_t length, const struct hf_buffer *why)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    if (r == HF_ACCEPTED)
        hf_buffer_format(&line, "done %llu", (unsigned long long)length);
    else
        hf_buffer_format(&line, "refused %d ", (int)r);
    if (why != NULL && r != HF_ACCEPTED)
        hf_buffer_bytes(&line, hf_bytes_of(why->data, why->len < 512 ? why->len : 512));
    return send_line(&line) ? EXIT_DONE : EXIT_BROKEN;
}

static enum hf_refusal read_fd(int fd, size_t max, struct hf_buffer *out)
{
    enum hf_status st = HF_IO; /* it was written to: from its beginning on */
    if (lseek(fd, 0, SEEK_SET) == 0)
        st = hf_fd_read_all(fd, max, out);
    close(fd);
    if (st == HF_LIMIT)
        return HF_REFUSE_FETCH_LONG;
    return st == HF_OK ? HF_ACCEPTED : st == HF_NOMEM ? HF_REFUSE_NOMEM : HF_REFUSE_FETCH;
}

/* Ask the parent, which answers for whatever the source is. */
static enum hf_refusal ask(void *user, const char *path, size_t max, struct hf_buffer *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    struct request *answer = user;
    hf_buffer_format(&line, "get %zu %s", max, path);
    if (!send_line(&line) || !receive(answer))
        return HF_REFUSE_FETCH;
    int number = 0;
    if (sscanf(answer->line, "no %d", &number) == 1 && number > 0 && number < HF_REFUSALS)
        return (enum hf_refusal)number;
    if (strcmp(answer->line, "ok") != 0 || answer->fd_count != 1)
        return HF_REFUSE_FETCH;
    return read_fd(answer->fds[0], max, out);
}

/* A shared mapping of the file at descriptor 4, made as long as said. NULL. */
static uint8_t *map_output(size_t size)
{
    if (ftruncate(HF_SPOOL_FD, (off_t)size) != 0)
        return NULL;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, HF_SPOOL_FD, 0);
    return at == MAP_FAILED ? NULL : at;
}

static enum hf_refusal write_output(const struct hf_buffer *bytes)
{
    if (bytes->failed)
        return HF_REFUSE_NOMEM;
    uint8_t *at = bytes->len > 0 ? map_output(bytes->len) : NULL;
    if (at == NULL)
        return HF_REFUSE_DISK;
    memcpy(at, bytes->data, bytes->len);
    munmap(at, bytes->len);
    return HF_ACCEPTED;
}

/* As hf_map_open, by calls that the jail has: fstat of today's C library is not among them. */
static bool map_input(int fd, struct hf_map *map)
{
    off_t size = lseek(fd, 0, SEEK_END);
    *map = (struct hf_map){0};
    if (size <= 0)
        return size == 0;
    void *at = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return false;
    *map = (struct hf_map){.data = at, .len = (size_t)size};
    return true;
}

/* What polls and recoveries are given. */
struct given {
    struct hf_buffer root, policy_text, settings_text, state_text;
    struct hf_policy policy;
    struct hf_settings settings;
    struct hf_state state;
};

static void given_done(struct given *g)
{
    hf_buffer_done(&g->root);
    hf_buffer_done(&g->policy_text);
    hf_buffer_done(&g->settings_text);
    hf_buffer_done(&g->state_text);
}

static enum hf_refusal take_given(struct request *r, struct given *g)
{
    struct hf_buffer *to[] = {&g->root, &g->policy_text, &g->settings_text, &g->state_text};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    if (r->fd_count < 4 || hasher == NULL)
        return HF_REFUSE_ARGUMENT;
    for (size_t i = 0; i < 4; i++) {
        enum hf_refusal read = read_fd(r->fds[i], HF_POLICY_BYTES_MAX, to[i]);
        if (read != HF_ACCEPTED)
            return read;
    }
    enum hf_refusal st = hf_policy_read(hf_buffer_view(&g->policy_text), NULL, &g->policy);
    if (st == HF_ACCEPTED)
        st = hf_settings_read(hf_buffer_view(&g->settings_text), &g->settings, NULL);
    if (st == HF_ACCEPTED)
        st = hf_state_read(&m, hf_buffer_view(&g->state_text), &g->state);
    return st;
}

static struct hf_client_options options_of(const struct given *g, const char *line,
                                           const struct hf_feed_source *source)
{
    unsigned long long now = 0, engine = 0;
    (void)sscanf(line, "%*s %llu %llu", &now, &engine);
    return (struct hf_client_options){.root_note = hf_buffer_view(&g->root),
                                      .policy = &g->policy,
                                      .settings = &g->settings,
                                      .source = source,
                                      .engine = engine,
                                      .now = now};
}

static int serve_poll(struct request *r)
{
    static struct given g; /* large; the process serves one request */
    static struct request answer;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_feed_source source = {.get = ask, .user = &answer};
    struct hf_poll_result result = {0};
    enum hf_refusal st = take_given(r, &g);
    if (st == HF_ACCEPTED) {
        struct hf_client_options options = options_of(&g, r->line, &source);
        st = hf_poll_run(&options, &g.state, &result);
    }
    if (st == HF_ACCEPTED) {
        hf_answer_write(&out, &result.answer);
        st = write_output(&out);
    }
    hf_poll_done(&result);
    given_done(&g);
    return end(st, out.len, NULL);
}

/* Of all generations that are whole the newest one is what the state begins anew with. */
static int serve_recover(struct request *r)
{
    static struct given g;
    HF_AUTO(hf_client_release) struct hf_client *client = NULL;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_feed_source nothing = {0};
    enum hf_refusal st = hasher == NULL ? HF_REFUSE_NOMEM : take_given(r, &g);
    if (st == HF_ACCEPTED) {
        struct hf_client_options options = options_of(&g, r->line, &nothing);
        st = hf_client_new(&options, &client);
    }
    uint64_t best = 0;
    for (size_t i = 4; st == HF_ACCEPTED && i + 1 < r->fd_count; i += 2) {
        HF_AUTO(hf_buffer_done) struct hf_buffer release = {0}, proof = {0};
        struct hf_manifest manifest;
        struct hf_state one = g.state;
        if (read_fd(r->fds[i], HF_NOTE_FETCH_MAX, &release) != HF_ACCEPTED ||
            read_fd(r->fds[i + 1], HF_PROOF_BYTES_MAX, &proof) != HF_ACCEPTED ||
            hf_client_recover(client, hf_buffer_view(&release), hf_buffer_view(&proof),
                              &one, &manifest) != HF_ACCEPTED ||
            manifest.version <= best)
            continue;
        best = manifest.version;
        struct hf_state_release *known = &one.releases[one.release_count - 1];
        struct hf_state_generation generation = {known->version, known->index,
                                                 known->manifest, 0};
        hf_buffer_clear(&out);
        hf_state_activate(&one, &generation);
        st = hf_state_write(&m, &out, &one);
    }
    if (st == HF_ACCEPTED && best == 0)
        st = HF_REFUSE_STATE_DAMAGED;
    if (st == HF_ACCEPTED)
        st = write_output(&out);
    given_done(&g);
    return end(st, out.len, NULL);
}

static int serve_rebuild(struct request *r)
{
    unsigned long long size = 0;
    struct hf_map object = {0}, from = {0};
    enum hf_refusal st = HF_REFUSE_ARGUMENT;
    if (sscanf(r->line, "%*s %llu", &size) == 1 && r->fd_count >= 1 && size > 0 &&
        size <= (UINT64_C(1) << 32) && map_input(r->fds[0], &object) &&
        (r->fd_count < 2 || map_input(r->fds[1], &from))) {
        uint8_t *out = map_output((size_t)size);
        st = out == NULL
                 ? HF_REFUSE_DISK
                 : hf_delta_apply(hf_bytes_of(from.data, from.len),
                                  hf_bytes_of(object.data, object.len), out, (size_t)size);
    }
    return end(st, size, NULL);
}

/* The database as a whole, twice: by the second reader, and by the one that scans use. */
static enum hf_refusal validate(struct request *r, struct hf_buffer *why)
{
    struct hf_map map = {0};
    unsigned abilities = 0;
    if (r->fd_count != 1 || !map_input(r->fds[0], &map))
        return HF_REFUSE_DISK;
    struct hf_bytes bytes = hf_bytes_of(map.data, map.len);
    enum hf_refusal st = hf_content_check(bytes, &abilities, why);
    if (st != HF_ACCEPTED)
        return st;
    for (unsigned i = 0; i < HF_ABILITY_KINDS; i++) {
        char word[32];
        snprintf(word, sizeof word, " %s ", hf_ability_name(i));
        if ((abilities & 1u << i) != 0 && strstr(r->line, word) == NULL) {
            hf_buffer_format(why, "it can '%s'", hf_ability_name(i));
            return HF_REFUSE_CONTENT_CAPABILITY;
        }
    }
    HF_AUTO(hf_db_release) struct hf_db *db = NULL;
    if (hf_db_open_memory(bytes, &db) != HF_OK) {
        hf_buffer_text(why, "it cannot be opened");
        return HF_REFUSE_CONTENT_FORM;
    }
    return hf_db_check(db, why) == HF_OK ? HF_ACCEPTED : HF_REFUSE_CONTENT_FORM;
}

static int serve_validate(struct request *r)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    enum hf_refusal st = validate(r, &why);
    return end(st, 0, &why);
}

/* What libraries fetch from files at their first use must be fetched before the seal. */
static bool prepare(void)
{
    struct hf_skey key;
    uint8_t signature[HF_ED25519_SIGNATURE], seed[HF_ED25519_SEED] = {1};
    struct hf_bytes message = hf_bytes_text("once");
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    unsigned abilities;
    (void)!hf_content_check(message, &abilities, &why);
    return hasher != NULL &&
           hf_skey_make(hf_bytes_text("self"), HF_KEY_ED25519, seed, &key) == HF_ACCEPTED &&
           hf_ed25519_sign(seed, message, signature) == HF_ACCEPTED &&
           hf_ed25519_verify(key.verifier.bytes, message, signature) == HF_ACCEPTED;
}

int hf_verify_main(void)
{
    static const struct {
        const char *word;
        int (*serve)(struct request *r);
    } kinds[] = {{"poll ", serve_poll},
                 {"recover ", serve_recover},
                 {"rebuild ", serve_rebuild},
                 {"validate ", serve_validate}};
    static struct request request;
    struct hf_seal seal;
    hf_close_from(HF_SPOOL_FD + 1);
    /* Descriptor 4 carries a right: nothing that is received may get its number. */
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null > HF_SPOOL_FD)
        close(null);
    if (!prepare() || hf_seal_begin(&seal, getenv("HOLDFAST_JAIL")) != HF_OK ||
        hf_seal_template(&seal, HF_VERIFY_MEMORY, 0) != HF_OK ||
        hf_seal_worker(&seal) != HF_OK)
        return end(HF_REFUSE_JAIL, 0, NULL);
    if (!receive(&request))
        return EXIT_BROKEN;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(request.line, kinds[i].word, strlen(kinds[i].word)) == 0)
            return kinds[i].serve(&request);
    return EXIT_BROKEN;
}
