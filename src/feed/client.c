#include "feed/client.h"

#include "base/auto.h"
#include "feed/client_internal.h"
#include "feed/proof.h"

#include <stdlib.h>

enum { ROOTS_AT_ONCE = 64, ARENA_BYTES = 16 << 20 };

static struct hf_bytes own_copy(struct hf_buffer *to, struct hf_bytes from)
{
    hf_buffer_clear(to);
    hf_buffer_bytes(to, from);
    return hf_buffer_view(to);
}

/* Read a note whose bytes live as long as the client. */
static enum hf_refusal read_note(struct hf_client *c, struct hf_bytes bytes,
                                 struct hf_signed_note *note)
{
    struct hf_bytes copy = hf_arena_copy(c->arena, bytes);
    if (copy.data == NULL)
        return HF_REFUSE_NOMEM;
    struct hf_cursor cursor = hf_cursor_open(copy.data, copy.len, &c->budget);
    return hf_note_read(&cursor, c->arena, note);
}

static enum hf_refusal take_root(struct hf_client *c, struct hf_bytes bytes, bool believed)
{
    struct hf_signed_note note;
    struct hf_root *next = hf_arena_alloc(c->arena, sizeof *next);
    enum hf_refusal r = next == NULL ? HF_REFUSE_NOMEM : read_note(c, bytes, &note);
    if (r == HF_ACCEPTED)
        r = hf_root_read(note.text, &c->budget, next);
    if (r == HF_ACCEPTED && !believed)
        r = hf_root_verify(c->root, &note, next);
    if (r != HF_ACCEPTED)
        return r;
    if (!hf_bytes_equal(next->product, c->options.settings->product))
        return HF_REFUSE_ROOT_PRODUCT;
    c->root = next;
    own_copy(&c->root_note, bytes);
    if (c->root_note.failed)
        return HF_REFUSE_NOMEM;
    return hf_hash_of(&c->merkle, note.text, &c->root_text) ? HF_ACCEPTED
                                                            : HF_REFUSE_CRYPTO;
}

enum hf_refusal hf_client_new(const struct hf_client_options *options,
                              struct hf_client **out)
{
    struct hf_client *c = calloc(1, sizeof *c);
    *out = NULL;
    if (c == NULL)
        return HF_REFUSE_NOMEM;
    c->options = *options;
    c->budget = hf_budget_unlimited();
    c->arena = hf_arena_new(ARENA_BYTES);
    c->merkle.hasher = hf_hasher_new();
    enum hf_refusal r = HF_REFUSE_NOMEM;
    if (c->arena != NULL && c->merkle.hasher != NULL)
        r = take_root(c, options->root_note, true);
    if (r == HF_ACCEPTED)
        *out = c;
    else
        hf_client_free(c);
    return r;
}

void hf_client_free(struct hf_client *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->tile_count; i++)
        hf_buffer_done(&c->tiles[i].bytes);
    free(c->tiles);
    hf_buffer_done(&c->root_note);
    hf_buffer_done(&c->checkpoint_note);
    hf_hasher_free(c->merkle.hasher);
    hf_arena_free(c->arena);
    free(c);
}

void hf_client_release(struct hf_client **client)
{
    hf_client_free(*client);
}

struct hf_bytes hf_client_root_note(const struct hf_client *c)
{
    return hf_buffer_view(&c->root_note);
}

uint64_t hf_client_root_version(const struct hf_client *c)
{
    return c->root->version;
}

enum hf_refusal hf_client_get(struct hf_client *c, const char *path, size_t max,
                              struct hf_buffer *out)
{
    enum hf_refusal r = c->options.source->get(c->options.source->user, path, max, out);
    if (r == HF_ACCEPTED && out->failed)
        r = HF_REFUSE_NOMEM;
    if (r == HF_ACCEPTED && out->len > max)
        r = HF_REFUSE_FETCH_LONG;
    return r;
}

/* Walk the chain of roots as far as the source has one. Each is believed only because of the one
 * before it. */
static enum hf_refusal walk_roots(struct hf_client *c, size_t *adopted)
{
    *adopted = 0;
    for (size_t i = 0; i < ROOTS_AT_ONCE; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, bytes = {0};
        if (c->root->version == UINT64_MAX)
            return HF_ACCEPTED;
        hf_root_path(&path, c->root->version + 1);
        hf_buffer_u8(&path, 0);
        if (path.failed)
            return HF_REFUSE_NOMEM;
        enum hf_refusal r =
            hf_client_get(c, (const char *)path.data, HF_NOTE_FETCH_MAX, &bytes);
        if (r == HF_REFUSE_FETCH)
            return HF_ACCEPTED; /* this was the newest */
        if (r == HF_ACCEPTED)
            r = take_root(c, hf_buffer_view(&bytes), false);
        if (r != HF_ACCEPTED)
            return r;
        (*adopted)++;
    }
    return HF_ACCEPTED;
}

/* The owner may name the logs that he accepts; none named: the publisher's root decides. */
static bool owner_accepts(const struct hf_policy *policy, const struct hf_role *log)
{
    for (size_t i = 0; i < policy->log_count; i++)
        for (size_t k = 0; k < log->count; k++)
            if (memcmp(policy->logs[i].bytes, log->keys[k].bytes, HF_ED25519_PUBLIC) == 0)
                return true;
    return policy->log_count == 0;
}

enum hf_refusal hf_client_check_checkpoint(const struct hf_client *client,
                                           struct hf_merkle *m,
                                           const struct hf_signed_note *note,
                                           struct hf_checkpoint *checkpoint, uint64_t *time)
{
    const struct hf_policy *policy = client->options.policy;
    const struct hf_role *role = &client->root->roles[1];
    struct hf_note_seal seals[HF_ROLE_KEYS_MAX + HF_POLICY_WITNESSES_MAX];
    struct hf_log log = {hf_vkey_name(&role->keys[0]), role->keys, role->count};
    if (!owner_accepts(policy, role))
        return HF_REFUSE_POLICY_LOG;
    enum hf_refusal r = hf_checkpoint_verify(m, note, &log, policy->witnesses,
                                             policy->witness_count, seals, checkpoint);
    if (r != HF_ACCEPTED)
        return r;
    uint64_t signers = 0;
    for (size_t i = 0; i < role->count; i++)
        signers += seals[i].valid;
    if (signers < role->threshold)
        return HF_REFUSE_ROLE_THRESHOLD;
    return hf_policy_judge(policy, seals + role->count, time);
}

/* Refusals that a newer root may turn into acceptance: another log, other keys of it. */
static bool may_be_rotated(enum hf_refusal r)
{
    return r == HF_REFUSE_CHECKPOINT_OTHER || r == HF_REFUSE_CHECKPOINT_LOG ||
           r == HF_REFUSE_NOTE_UNKNOWN || r == HF_REFUSE_ROLE_THRESHOLD;
}

static enum hf_refusal fetch_checkpoint(struct hf_client *c, struct hf_checkpoint *out,
                                        uint64_t *time, size_t *adopted)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    struct hf_signed_note note;
    *adopted = 0;
    enum hf_refusal r = hf_client_get(c, "checkpoint", HF_NOTE_FETCH_MAX, &bytes);
    if (r == HF_ACCEPTED)
        r = read_note(c, hf_buffer_view(&bytes), &note);
    if (r == HF_ACCEPTED)
        r = hf_client_check_checkpoint(c, &c->merkle, &note, out, time);
    if (may_be_rotated(r)) {
        enum hf_refusal walked = walk_roots(c, adopted);
        if (walked != HF_ACCEPTED)
            return walked;
        if (*adopted > 0)
            r = hf_client_check_checkpoint(c, &c->merkle, &note, out, time);
    }
    own_copy(&c->checkpoint_note, hf_buffer_view(&bytes));
    c->note = note;
    return r;
}

uint64_t hf_client_clock(struct hf_state *state, uint64_t now)
{
    bool wrong = now < HF_CLOCK_MIN ||
                 (state->time > HF_STALE_SLACK && now < state->time - HF_STALE_SLACK);
    if (wrong && state->alarms[HF_ALARM_CLOCK] == 0)
        state->alarms[HF_ALARM_CLOCK] = state->time > now ? state->time : now + 1;
    if (!wrong)
        state->alarms[HF_ALARM_CLOCK] = 0;
    return now > state->time ? now : state->time;
}

uint64_t hf_state_age(const struct hf_state *state, uint64_t now)
{
    return now > state->time ? now - state->time : 0;
}

/* The same log as before has grown, or is as it was. */
static enum hf_refusal check_growth(struct hf_client *c, const struct hf_state *s)
{
    struct hf_hash path[HF_PROOF_MAX];
    size_t count = 0;
    if (s->size == 0)
        return HF_ACCEPTED;
    if (c->checkpoint.size < s->size)
        return HF_REFUSE_UPDATE_BEHIND;
    enum hf_refusal r = HF_ACCEPTED;
    struct hf_tree_source tree = hf_client_tree(c);
    if (c->checkpoint.size > s->size)
        r = hf_consistency_make(&c->merkle, &tree, s->size, c->checkpoint.size, path,
                                &count);
    if (r != HF_ACCEPTED)
        return hf_client_tree_refusal(c, r);
    return hf_consistency_check(&c->merkle, s->size, &s->root, c->checkpoint.size,
                                &c->checkpoint.root, path, count);
}

/* Start over with the log that a new root has named: only its releases' versions still bind. */
static bool log_changed(struct hf_state *s, struct hf_bytes origin)
{
    if (hf_bytes_equal(hf_bytes_text(s->origin), origin))
        return false;
    memset(s->origin, 0, sizeof s->origin);
    memcpy(s->origin, origin.data, origin.len); /* a key's name: at most HF_KEY_NAME_MAX */
    s->size = 0;
    return true;
}

/* Roots that came since must be in the log, as everything that people act on. */
static enum hf_refusal follow_roots(struct hf_client *c, struct hf_scan *scan,
                                    size_t *adopted)
{
    if (scan->root_version > c->root->version && *adopted == 0) {
        uint64_t time;
        enum hf_refusal r = walk_roots(c, adopted);
        if (r == HF_ACCEPTED && *adopted > 0)
            r = hf_client_check_checkpoint(c, &c->merkle, &c->note, &c->checkpoint, &time);
        if (r != HF_ACCEPTED)
            return r;
    }
    if (*adopted == 0)
        return HF_ACCEPTED;
    return scan->root_version == c->root->version &&
                   hf_hash_equal(&scan->root_hash, &c->root_text)
               ? HF_ACCEPTED
               : HF_REFUSE_ROOT_UNLOGGED;
}

static enum hf_refusal poll(struct hf_client *c, struct hf_state *s, size_t *news)
{
    size_t first = 0, adopted = 0;
    uint64_t time;
    enum hf_refusal r = HF_ACCEPTED;
    if (s->size == 0) /* nothing of the log is known that could say whether there is one */
        r = walk_roots(c, &first);
    if (r == HF_ACCEPTED)
        r = fetch_checkpoint(c, &c->checkpoint, &time, &adopted);
    if (r != HF_ACCEPTED)
        return r;
    adopted += first;
    if (time != 0 && s->time > HF_STALE_SLACK && time < s->time - HF_STALE_SLACK)
        return HF_REFUSE_UPDATE_STALE;
    bool restarted = log_changed(s, c->checkpoint.origin) && s->release_count > 0;
    r = check_growth(c, s);
    if (r != HF_ACCEPTED)
        return r;
    struct hf_scan scan = {.whole = adopted > 0 && s->size == 0, .restarted = restarted};
    if (c->checkpoint.size > s->size)
        r = hf_client_scan(c, s, &scan);
    if (r == HF_ACCEPTED)
        r = follow_roots(c, &scan, &adopted);
    if (r != HF_ACCEPTED)
        return r;
    if (time > s->time)
        s->time = time;
    s->size = c->checkpoint.size;
    s->root = c->checkpoint.root;
    s->root_version = c->root->version;
    if (!hf_hash_of(&c->merkle, hf_buffer_view(&c->root_note), &s->root_note))
        return HF_REFUSE_CRYPTO;
    s->checked = c->options.now;
    *news = scan.news;
    return HF_ACCEPTED;
}

enum hf_refusal hf_client_poll(struct hf_client *c, struct hf_state *state, size_t *news)
{
    struct hf_state next = *state;
    *news = 0;
    (void)hf_client_clock(&next, c->options.now);
    enum hf_refusal r = poll(c, &next, news);
    if (r == HF_ACCEPTED && c->merkle.failed)
        r = HF_REFUSE_CRYPTO;
    if (r == HF_ACCEPTED) {
        (void)hf_client_clock(&next,
                              c->options.now); /* what we learned may say it is wrong */
        *state = next;
    }
    return r;
}

static bool is_approved(const struct hf_settings *settings, struct hf_bytes capability)
{
    for (size_t i = 0; i < settings->capability_count; i++)
        if (hf_bytes_equal(settings->capabilities[i], capability))
            return true;
    return false;
}

/* What a manifest must be beyond its signatures. */
static enum hf_refusal judge_manifest(const struct hf_client *c, const struct hf_state *s,
                                      const struct hf_state_release *release,
                                      const struct hf_manifest *m)
{
    const struct hf_settings *settings = c->options.settings;
    uint64_t now = c->options.now > s->time ? c->options.now : s->time;
    if (!hf_bytes_equal(m->product, settings->product))
        return HF_REFUSE_UPDATE_PRODUCT;
    if (m->version != release->version || !hf_bytes_equal(m->channel, settings->channel))
        return HF_REFUSE_UPDATE_MIXED;
    if (m->engine_min > c->options.engine || m->engine_max < c->options.engine)
        return HF_REFUSE_UPDATE_ENGINE;
    for (size_t i = 0; i < m->capability_count && release->approved == 0; i++)
        if (!is_approved(settings, m->capabilities[i]))
            return HF_REFUSE_UPDATE_CAPABILITY;
    if (m->created > now && m->created - now > HF_STALE_SLACK)
        return HF_REFUSE_UPDATE_FUTURE;
    for (size_t i = 0; i < s->release_count; i++)
        if (s->releases[i].version == m->version - 1 &&
            !hf_hash_equal(&s->releases[i].manifest, &m->previous))
            return HF_REFUSE_UPDATE_CHAIN;
    return HF_ACCEPTED;
}

/* The signed release: the text that the log has, with enough signatures. */
static enum hf_refusal check_release(struct hf_client *c, struct hf_bytes bytes,
                                     const struct hf_hash *expected,
                                     struct hf_manifest *manifest)
{
    struct hf_signed_note note;
    struct hf_hash hash;
    const struct hf_role *role = hf_root_role(c->root, c->options.settings->channel);
    if (role == NULL)
        return HF_REFUSE_UPDATE_CHANNEL;
    enum hf_refusal r = read_note(c, bytes, &note);
    if (r != HF_ACCEPTED)
        return r;
    if (!hf_hash_of(&c->merkle, note.text, &hash))
        return HF_REFUSE_CRYPTO;
    if (expected != NULL && !hf_hash_equal(&hash, expected))
        return HF_REFUSE_UPDATE_MIXED;
    r = hf_role_verify(role, &note);
    return r == HF_ACCEPTED ? hf_manifest_read(note.text, &c->budget, manifest) : r;
}

static void write_entry(const struct hf_manifest *m, const struct hf_hash *hash,
                        struct hf_buffer *entry)
{
    struct hf_entry e = {m->product, m->channel, m->version, *hash};
    hf_entry_write(entry, &e);
}

static enum hf_refusal make_proof(struct hf_client *c, uint64_t index,
                                  struct hf_bytes entry, struct hf_buffer *out)
{
    struct hf_proof proof = {.index = index, .checkpoint = c->note};
    struct hf_hash leaf = hf_merkle_leaf(&c->merkle, entry);
    struct hf_tree_source tree = hf_client_tree(c);
    enum hf_refusal r = hf_inclusion_make(&c->merkle, &tree, index, c->checkpoint.size,
                                          proof.path, &proof.count);
    if (r != HF_ACCEPTED)
        return hf_client_tree_refusal(c, r);
    r = hf_inclusion_check(&c->merkle, &leaf, index, c->checkpoint.size,
                           &c->checkpoint.root, proof.path, proof.count);
    return r == HF_ACCEPTED ? hf_proof_write(out, &proof) : r;
}

enum hf_refusal hf_client_prove(struct hf_client *c, struct hf_state *state, size_t number,
                                struct hf_manifest *manifest, struct hf_buffer *note,
                                struct hf_buffer *proof)
{
    const struct hf_state_release *release = &state->releases[number];
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, entry = {0};
    hf_release_path(&path, &release->manifest);
    hf_buffer_u8(&path, 0);
    if (path.failed)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = hf_client_get(c, (const char *)path.data, HF_NOTE_FETCH_MAX, note);
    if (r == HF_ACCEPTED)
        r = check_release(c, hf_buffer_view(note), &release->manifest, manifest);
    if (r == HF_ACCEPTED)
        r = judge_manifest(c, state, release, manifest);
    if (r != HF_ACCEPTED)
        return r;
    write_entry(manifest, &release->manifest, &entry);
    r = entry.failed ? HF_REFUSE_NOMEM
                     : make_proof(c, release->index, hf_buffer_view(&entry), proof);
    if (r == HF_ACCEPTED && c->options.policy->quorum == HF_POLICY_QUORUM_NONE &&
        manifest->created > state->time)
        state->time = manifest->created; /* nobody else vouches for a moment */
    return r == HF_ACCEPTED && c->merkle.failed ? HF_REFUSE_CRYPTO : r;
}

enum hf_refusal hf_client_recover(const struct hf_client *client, struct hf_bytes release,
                                  struct hf_bytes proof_bytes, struct hf_state *state,
                                  struct hf_manifest *manifest)
{
    /* The client's own memory is used, its beliefs are not changed. */
    struct hf_client *c = (struct hf_client *)(uintptr_t)client;
    struct hf_state s = *state;
    struct hf_hash hash = {0};
    struct hf_signed_note note;
    HF_AUTO(hf_buffer_done) struct hf_buffer entry = {0};
    enum hf_refusal r = check_release(c, release, NULL, manifest);
    if (r == HF_ACCEPTED)
        r = read_note(c, release, &note);
    if (r == HF_ACCEPTED && !hf_hash_of(&c->merkle, note.text, &hash))
        r = HF_REFUSE_CRYPTO;
    struct hf_proof *proof = hf_arena_alloc(c->arena, sizeof *proof);
    struct hf_bytes copy = hf_arena_copy(c->arena, proof_bytes);
    if (r == HF_ACCEPTED && (proof == NULL || copy.data == NULL))
        r = HF_REFUSE_NOMEM;
    if (r != HF_ACCEPTED)
        return r;
    struct hf_cursor cursor = hf_cursor_open(copy.data, copy.len, &c->budget);
    struct hf_checkpoint checkpoint;
    uint64_t time = 0;
    r = hf_proof_read(&cursor, c->arena, proof);
    if (r == HF_ACCEPTED)
        r = hf_client_check_checkpoint(c, &c->merkle, &proof->checkpoint, &checkpoint,
                                       &time);
    if (r != HF_ACCEPTED)
        return r;
    write_entry(manifest, &hash, &entry);
    struct hf_hash leaf = hf_merkle_leaf(&c->merkle, hf_buffer_view(&entry));
    r = hf_inclusion_check(&c->merkle, &leaf, proof->index, checkpoint.size,
                           &checkpoint.root, proof->path, proof->count);
    struct hf_state_release known = {
        .version = manifest->version, .index = proof->index, .manifest = hash};
    if (r == HF_ACCEPTED)
        r = judge_manifest(c, &s, &known, manifest);
    if (r != HF_ACCEPTED)
        return r;
    (void)log_changed(&s, checkpoint.origin);
    if (checkpoint.size > s.size) {
        s.size = checkpoint.size;
        s.root = checkpoint.root;
    }
    if (time == 0)
        time = manifest->created;
    if (time > s.time)
        s.time = time;
    if (hf_state_release_find(&s, &hash) == NULL)
        hf_state_add_release(&s, &known);
    *state = s;
    return HF_ACCEPTED;
}
