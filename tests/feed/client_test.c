/* What an endpoint believes: updates that are good, and a table of attacks, each refused with its
 * own word and with the state as it was. */
#include "memory_feed.h"

enum { T0 = 1790000000 }; /* September 2026 */

/* An endpoint: its owner's rules and its state. */
struct endpoint {
    struct memory_feed *feed; /* that it is shown */
    struct hf_settings settings;
    struct hf_policy policy;
    struct hf_buffer policy_text, root;
    struct hf_skey witness[3];
    struct hf_state state;
    uint64_t now;
};

static void take_policy(struct endpoint *e, const char *rule)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer key = {0};
    hf_buffer_clear(&e->policy_text);
    for (size_t i = 0; i < 3; i++) {
        hf_buffer_format(&e->policy_text, "witness w%zu ", i);
        hf_vkey_write(&e->policy_text, &e->witness[i].verifier);
        hf_buffer_u8(&e->policy_text, '\n');
    }
    hf_buffer_text(&e->policy_text, rule);
    assert_accepted(hf_policy_read(hf_buffer_view(&e->policy_text), NULL, &e->policy));
}

static void pin_root(struct endpoint *e)
{
    hf_buffer_clear(&e->root);
    hf_buffer_bytes(&e->root, hf_buffer_view(&feed_file(e->feed, "root/1")->bytes));
}

static int setup(void **state)
{
    struct endpoint *e = calloc(1, sizeof *e);
    assert_non_null(e);
    e->feed = feed_new("org.example.feed", "example.org/log", 1, T0);
    for (uint8_t i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "witness%d.example", i);
        e->witness[i] = test_key(name, HF_KEY_COSIGNER, (uint8_t)(100 + i));
    }
    size_t line;
    assert_accepted(hf_settings_read(
        text("product org.example.feed\nsource /feed\ncapability detect\n"), &e->settings,
        &line));
    take_policy(e, "group g 2 w0 w1 w2\nquorum g\n");
    pin_root(e);
    e->now = T0 + 60;
    strcpy(e->state.product, "org.example.feed");
    strcpy(e->state.channel, "content");
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct endpoint *e = *state;
    feed_done(e->feed);
    hf_buffer_done(&e->policy_text);
    hf_buffer_done(&e->root);
    free(e);
    return 0;
}

static void witness_all(struct endpoint *e, struct memory_feed *feed, uint64_t time)
{
    feed_cosign(feed, &e->witness[0], time);
    feed_cosign(feed, &e->witness[1], time);
}

/* A release as it should be. */
static void publish(struct endpoint *e, uint64_t time)
{
    e->feed->now = time;
    feed_release(e->feed);
    witness_all(e, e->feed, time + 1);
}

/* Poll, prove the newest release when there is news, and say what came of it. */
static enum hf_refusal update(struct endpoint *e, struct hf_manifest *manifest)
{
    struct hf_feed_source source = {.get = feed_get, .user = e->feed};
    struct hf_client_options options = {.root_note = hf_buffer_view(&e->root),
                                        .policy = &e->policy,
                                        .settings = &e->settings,
                                        .source = &source,
                                        .engine = 1,
                                        .now = e->now};
    HF_AUTO(hf_client_release) struct hf_client *client = NULL;
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0}, proof = {0};
    size_t news;
    struct hf_state next = e->state;
    enum hf_refusal r = hf_client_new(&options, &client);
    if (r == HF_ACCEPTED)
        r = hf_client_poll(client, &next, &news);
    if (r == HF_ACCEPTED && news > 0) {
        struct hf_manifest own;
        r = hf_client_prove(client, &next, next.release_count - 1, &own, &note, &proof);
        if (manifest != NULL)
            *manifest = own;
    }
    if (r != HF_ACCEPTED)
        return r;
    hf_buffer_clear(&e->root);
    hf_buffer_bytes(&e->root, hf_client_root_note(client));
    e->state = next;
    return r;
}

static void test_a_first_update_and_the_next_are_taken(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.release_count, 1);
    assert_int_equal(e->state.releases[0].version, 1);
    publish(e, T0 + 20);
    publish(e, T0 + 30);
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.release_count, 3);
    assert_int_equal(e->state.size, 4);
    assert_int_equal(e->state.time, T0 + 31);
}

static void test_a_poll_without_news_costs_less_than_two_kilobytes(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    struct hf_state before = e->state;
    e->feed->gets = e->feed->got_bytes = 0;
    assert_accepted(update(e, NULL));
    assert_int_equal(e->feed->gets, 1);
    assert_true(e->feed->got_bytes < 2048 - 600); /* 600: what HTTP adds */
    assert_int_equal(e->state.size, before.size);
}

static void test_logs_longer_than_a_tile_are_followed(void **state)
{
    struct endpoint *e = *state;
    for (unsigned i = 0; i < 250; i++)
        feed_release(e->feed);
    witness_all(e, e->feed, T0 + 5);
    assert_accepted(update(e, NULL));
    for (unsigned i = 0; i < 20; i++)
        feed_release(e->feed);
    witness_all(e, e->feed, T0 + 6);
    assert_accepted(update(e, NULL));
    assert_int_equal(hf_state_latest(&e->state)->version, 270);
    assert_int_equal(e->state.release_count, HF_STATE_RELEASES_MAX);
}

/* New root, signed by keys of the old and the new one, unless signers says otherwise. */
static void rotate(struct endpoint *e, uint64_t version, const struct hf_skey *signers,
                   size_t count, bool logged)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, note = {0};
    struct hf_feed_store store = feed_store(e->feed);
    feed_root_text(e->feed, version, &body);
    sign_all(&note, hf_buffer_view(&body), signers, count);
    char path[32];
    snprintf(path, sizeof path, "root/%d", (int)version);
    assert_accepted(feed_put(e->feed, path, hf_buffer_view(&note)));
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_entry entry = {text(e->feed->product), text("root"), version, {{0}}};
    assert_true(hf_hash_of(&m, hf_buffer_view(&body), &entry.hash));
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    if (!logged)
        entry.hash.bytes[0] ^= 1;
    hf_entry_write(&line, &entry);
    struct hf_bytes bytes = hf_buffer_view(&line);
    assert_accepted(
        hf_publisher_append(&store, &bytes, 1, e->feed->log, e->feed->log_count));
}

/* Root keys 0 and 1 are exchanged; both old and both new ones sign. */
static void change_root_keys(struct endpoint *e, struct hf_skey signers[4])
{
    signers[0] = e->feed->root[0];
    signers[1] = e->feed->root[1];
    signers[2] = e->feed->root[0] = feed_key("org.example.feed/new0", 60);
    signers[3] = e->feed->root[1] = feed_key("org.example.feed/new1", 61);
}

static void test_roots_rotate_by_old_and_new_keys(void **state)
{
    struct endpoint *e = *state;
    struct hf_skey signers[4];
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    change_root_keys(e, signers);
    e->feed->sign[0] = feed_key("org.example.feed/newsign", 62);
    rotate(e, 2, signers, 4, true);
    publish(e, T0 + 20);
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.root_version, 2);
    assert_int_equal(hf_state_latest(&e->state)->version, 2);
}

static void test_an_endpoint_that_starts_late_walks_all_roots(void **state)
{
    struct endpoint *e = *state;
    struct hf_skey signers[4];
    publish(e, T0 + 10);
    change_root_keys(e, signers);
    e->feed->sign[1] = feed_key("org.example.feed/newsign", 62);
    rotate(e, 2, signers, 4, true);
    publish(e, T0 + 20);
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.root_version, 2);
}

static void test_the_log_rotates_its_key(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    e->feed->log[0] = feed_key("example.org/log", 70);
    rotate(e, 2, e->feed->root, 2, true);
    publish(e, T0 + 20);
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.root_version, 2);
    assert_int_equal(hf_state_latest(&e->state)->version, 2);
}

static void test_a_new_log_continues_the_versions(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    /* The files of the old log are gone, as far as they have the same names. */
    struct memory_file *cp = feed_file(e->feed, "checkpoint");
    cp->path[0] = '-';
    e->feed->log[0] = feed_key("example.org/log2", 71);
    rotate(e, 2, e->feed->root, 2, true);
    publish(e, T0 + 20);
    assert_accepted(update(e, NULL));
    assert_string_equal(e->state.origin, "example.org/log2");
    assert_int_equal(hf_state_latest(&e->state)->version, 2);
}

static void test_a_lost_state_is_made_again_from_a_generation(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    publish(e, T0 + 20);
    struct hf_feed_source source = {.get = feed_get, .user = e->feed};
    struct hf_client_options options = {.root_note = hf_buffer_view(&e->root),
                                        .policy = &e->policy,
                                        .settings = &e->settings,
                                        .source = &source,
                                        .engine = 1,
                                        .now = e->now};
    HF_AUTO(hf_client_release) struct hf_client *client = NULL;
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0}, proof = {0};
    struct hf_manifest manifest;
    struct hf_state fresh = e->state;
    size_t news;
    assert_accepted(hf_client_new(&options, &client));
    assert_accepted(hf_client_poll(client, &e->state, &news));
    assert_accepted(hf_client_prove(client, &e->state, 1, &manifest, &note, &proof));
    assert_accepted(hf_client_recover(client, hf_buffer_view(&note), hf_buffer_view(&proof),
                                      &fresh, &manifest));
    assert_int_equal(fresh.size, e->state.size);
    assert_int_equal(fresh.releases[0].version, 2);
    for (size_t i = 0; i < proof.len; i += 7) { /* nothing unproven is believed */
        struct hf_state again = {0};
        strcpy(again.product, "org.example.feed");
        proof.data[i] ^= 1;
        assert_int_not_equal(hf_client_recover(client, hf_buffer_view(&note),
                                               hf_buffer_view(&proof), &again, &manifest),
                             HF_ACCEPTED);
        proof.data[i] ^= 1;
        assert_int_equal(again.release_count, 0);
    }
}

/* Attacks. The endpoint has release 1; the feed has gone on to 2 in good order, is copied where an
 * attacker needs the past, and then broken. */

static void attack_arbitrary_checkpoint(struct endpoint *e)
{
    feed_put(e->feed, "checkpoint", text("whatever\n"));
}

static void attack_arbitrary_key(struct endpoint *e)
{
    struct memory_feed *other = feed_new("org.example.feed", "example.org/log", 150, T0);
    feed_release(other);
    witness_all(e, other, T0 + 100);
    feed_done(e->feed);
    e->feed = other;
}

static void attack_another_log(struct endpoint *e)
{
    struct memory_feed *other = feed_new("org.example.feed", "example.org/other", 1, T0);
    feed_release(other);
    witness_all(e, other, T0 + 100);
    feed_done(e->feed);
    e->feed = other;
}

static void attack_version_again(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.version = 2;
    feed_force(e->feed, &m);
    witness_all(e, e->feed, T0 + 100);
}

static void attack_fast_forward(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.version = UINT64_C(1) << 62;
    feed_force(e->feed, &m);
    witness_all(e, e->feed, T0 + 100);
}

static void attack_old_release_file(struct endpoint *e)
{
    char path[128] = "";
    struct hf_hash old = e->state.releases[0].manifest;
    HF_AUTO(hf_buffer_done) struct hf_buffer from = {0}, to = {0};
    hf_release_path(&from, &old);
    hf_release_path(&to, &e->feed->previous);
    hf_buffer_u8(&from, 0);
    hf_buffer_u8(&to, 0);
    snprintf(path, sizeof path, "%s", (const char *)to.data);
    feed_put(e->feed, path,
             hf_buffer_view(&feed_file(e->feed, (const char *)from.data)->bytes));
}

static void attack_one_signature(struct endpoint *e)
{
    e->feed->sign_count = 1;
    publish(e, T0 + 50);
}

static void attack_same_key_twice(struct endpoint *e)
{
    struct hf_skey second = e->feed->sign[1];
    e->feed->sign[1] = e->feed->sign[0];
    publish(e, T0 + 50);
    e->feed->sign[1] = second;
}

static void attack_foreign_signature(struct endpoint *e)
{
    e->feed->sign[1] = feed_key("org.example.feed/sign1", 99);
    publish(e, T0 + 50);
}

static void attack_log_key_for_release(struct endpoint *e)
{
    e->feed->sign[1] = e->feed->log[0];
    publish(e, T0 + 50);
}

static void attack_unchained_root(struct endpoint *e)
{
    struct hf_skey signers[4];
    change_root_keys(e, signers);
    rotate(e, 2, signers + 1, 3, true);
    publish(e, T0 + 50);
}

static void attack_root_without_its_own(struct endpoint *e)
{
    struct hf_skey signers[4];
    change_root_keys(e, signers);
    rotate(e, 2, signers, 2, true);
    publish(e, T0 + 50);
}

static void attack_root_of_other_product(struct endpoint *e)
{
    e->feed->product = "org.ultra.av";
    rotate(e, 2, e->feed->root, 2, true);
    e->feed->product = "org.example.feed";
    e->feed->log[0] = feed_key("example.org/log", 71);
    struct hf_feed_store store = feed_store(e->feed);
    assert_accepted(hf_publisher_append(&store, NULL, 0, e->feed->log, 1));
    witness_all(e, e->feed, T0 + 50);
}

static void attack_root_skips(struct endpoint *e)
{
    e->feed->log[0] = feed_key("example.org/log", 71);
    rotate(e, 3, e->feed->root, 2, true);
    feed_put(e->feed, "root/2", hf_buffer_view(&feed_file(e->feed, "root/3")->bytes));
    witness_all(e, e->feed, T0 + 50);
}

static void attack_unlogged_root(struct endpoint *e)
{
    rotate(e, 2, e->feed->root, 2, false);
    publish(e, T0 + 50);
}

static void attack_forked_log(struct endpoint *e)
{
    /* Another history of the same length plus one, by the log's own key. */
    struct memory_feed *other = feed_new("org.example.feed", "example.org/log", 1, T0);
    other->now = T0 + 11;
    feed_release(other);
    other->now = T0 + 21;
    feed_release(other);
    feed_release(other);
    witness_all(e, other, T0 + 100);
    feed_done(e->feed);
    e->feed = other;
}

static void attack_fork_of_equal_size(struct endpoint *e)
{
    struct memory_feed *other = feed_new("org.example.feed", "example.org/log", 1, T0);
    other->now = T0 + 11;
    feed_release(other);
    witness_all(e, other, T0 + 100);
    feed_done(e->feed);
    e->feed = other;
}

static void attack_shrunk_log(struct endpoint *e)
{
    struct memory_feed *other = feed_new("org.example.feed", "example.org/log", 1, T0);
    witness_all(e, other, T0 + 100);
    feed_done(e->feed);
    e->feed = other;
}

/* The log's key signs a tree whose bundle says something else. */
static void attack_bundle_differs(struct endpoint *e)
{
    struct memory_file *bundle = feed_file(e->feed, "tile/entries/000.p/3");
    bundle->bytes.data[bundle->bytes.len - 3] ^= 1;
}

static void attack_tile_differs(struct endpoint *e)
{
    struct memory_file *tile = feed_file(e->feed, "tile/0/000.p/3");
    tile->bytes.data[70] ^= 1; /* the newest entry's hash */
}

static void attack_short_tile(struct endpoint *e)
{
    feed_file(e->feed, "tile/0/000.p/3")->bytes.len -= 32;
}

static void attack_not_logged(struct endpoint *e)
{
    /* A release for this victim only: signed well, but its entry is in no tree that witnesses have
     * seen; the tiles are made up to fit it. */
    struct memory_feed *victim = feed_copy(e->feed);
    feed_release(victim);
    feed_put(victim, "checkpoint",
             hf_buffer_view(&feed_file(e->feed, "checkpoint")->bytes));
    /* the checkpoint is the good one with 3 entries; the 3rd is exchanged */
    HF_AUTO(hf_buffer_done) struct hf_buffer bundle = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    struct memory_file *old = feed_file(victim, "tile/entries/000.p/3");
    struct hf_cursor c = hf_cursor_open(old->bytes.data, old->bytes.len, NULL);
    for (int i = 0; i < 2; i++) {
        struct hf_bytes entry;
        assert_accepted(hf_bundle_next(&c, &entry));
        assert_accepted(hf_bundle_add(&bundle, entry));
    }
    struct hf_entry entry = {text(victim->product), text("content"), 2, victim->previous};
    hf_entry_write(&line, &entry);
    assert_accepted(hf_bundle_add(&bundle, hf_buffer_view(&line)));
    feed_put(victim, "tile/entries/000.p/3", hf_buffer_view(&bundle));
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_hash leaf = hf_merkle_leaf(&m, hf_buffer_view(&line));
    memcpy(feed_file(victim, "tile/0/000.p/3")->bytes.data + 64, leaf.bytes, 32);
    feed_done(e->feed);
    e->feed = victim;
}

/* The whole log is shown to one victim: no witness has seen it. */
static void attack_shown_to_one(struct endpoint *e)
{
    e->feed->now = T0 + 50;
    feed_release(e->feed);
}

static void attack_one_witness(struct endpoint *e)
{
    e->feed->now = T0 + 50;
    feed_release(e->feed);
    feed_cosign(e->feed, &e->witness[2], T0 + 51);
}

static void attack_false_witness(struct endpoint *e)
{
    struct hf_skey liar = e->witness[1];
    e->feed->now = T0 + 50;
    feed_release(e->feed);
    feed_cosign(e->feed, &e->witness[0], T0 + 51);
    liar.seed[0] ^= 1;
    feed_cosign(e->feed, &liar, T0 + 51);
}

static void attack_stale_cosignatures(struct endpoint *e)
{
    e->state.time = T0 + 10 * 86400; /* seen at that time */
    e->now = e->state.time + 60;
}

static void attack_clock_set_back(struct endpoint *e)
{
    /* Old cosignatures look fresh to the clock, but not to what was seen. */
    e->state.time = T0 + 10 * 86400;
    e->now = T0 + 30;
}

static void attack_from_the_future(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.created = T0 + 30 * 86400;
    m.expires = m.created + 86400;
    feed_force(e->feed, &m);
    witness_all(e, e->feed, T0 + 50);
}

static void attack_swap_in_entry(struct endpoint *e)
{
    /* Signed by the right keys, under our name in the log, but another product's manifest. */
    struct hf_manifest m = feed_manifest(e->feed);
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, note = {0}, path = {0}, line = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle merkle = {.hasher = hasher};
    struct hf_hash hash;
    struct hf_feed_store store = feed_store(e->feed);
    m.product = text("com.ultra.av");
    assert_accepted(hf_manifest_write(&body, &m));
    sign_all(&note, hf_buffer_view(&body), e->feed->sign, 2);
    assert_true(hf_hash_of(&merkle, hf_buffer_view(&body), &hash));
    hf_release_path(&path, &hash);
    hf_buffer_u8(&path, 0);
    assert_accepted(feed_put(e->feed, (const char *)path.data, hf_buffer_view(&note)));
    struct hf_entry entry = {text(e->feed->product), m.channel, m.version, hash};
    hf_entry_write(&line, &entry);
    struct hf_bytes bytes = hf_buffer_view(&line);
    assert_accepted(hf_publisher_append(&store, &bytes, 1, e->feed->log, 1));
    witness_all(e, e->feed, T0 + 50);
}

static void attack_other_version_in_entry(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.version++;
    struct memory_feed *aside = feed_copy(e->feed);
    feed_force(aside, &m);
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, line = {0};
    hf_release_path(&path, &aside->previous);
    hf_buffer_u8(&path, 0);
    assert_accepted(
        feed_put(e->feed, (const char *)path.data,
                 hf_buffer_view(&feed_file(aside, (const char *)path.data)->bytes)));
    struct hf_entry entry = {text(e->feed->product), m.channel, m.version - 1,
                             aside->previous};
    struct hf_feed_store store = feed_store(e->feed);
    hf_entry_write(&line, &entry);
    struct hf_bytes bytes = hf_buffer_view(&line);
    assert_accepted(hf_publisher_append(&store, &bytes, 1, e->feed->log, 1));
    witness_all(e, e->feed, T0 + 50);
    feed_done(aside);
}

static void attack_grown_capabilities(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.capabilities[m.capability_count++] = text("execute");
    feed_force(e->feed, &m);
    witness_all(e, e->feed, T0 + 50);
}

static void attack_other_engine(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.engine_min = m.engine_max = 2;
    feed_force(e->feed, &m);
    witness_all(e, e->feed, T0 + 50);
}

static void attack_broken_chain(struct endpoint *e)
{
    struct hf_manifest m = feed_manifest(e->feed);
    m.previous.bytes[5] ^= 1;
    feed_force(e->feed, &m);
    witness_all(e, e->feed, T0 + 50);
}

static void attack_endless_checkpoint(struct endpoint *e)
{
    struct hf_buffer huge = {0};
    for (unsigned i = 0; i < 1 << 20; i++)
        hf_buffer_u8(&huge, 'a');
    feed_put(e->feed, "checkpoint", hf_buffer_view(&huge));
    hf_buffer_done(&huge);
}

static void attack_missing_release(struct endpoint *e)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    hf_release_path(&path, &e->feed->previous);
    hf_buffer_u8(&path, 0);
    feed_file(e->feed, (const char *)path.data)->path[0] = '-';
}

static void attack_junk_in_log(struct endpoint *e)
{
    struct hf_feed_store store = feed_store(e->feed);
    struct hf_bytes junk = text("come and run me\n");
    assert_accepted(hf_publisher_append(&store, &junk, 1, e->feed->log, 1));
    witness_all(e, e->feed, T0 + 50);
}

static void attack_owner_log(struct endpoint *e)
{
    struct hf_skey other = feed_key("example.org/log", 222);
    e->policy.logs[e->policy.log_count++] = other.verifier;
}

static const struct attack {
    const char *name;
    void (*make)(struct endpoint *e);
    enum hf_refusal expected;
} attacks[] = {
    {"arbitrary content", attack_arbitrary_checkpoint, HF_REFUSE_NOTE_UNSIGNED},
    {"arbitrary key", attack_arbitrary_key, HF_REFUSE_CHECKPOINT_LOG},
    {"endless data", attack_endless_checkpoint, HF_REFUSE_FETCH_LONG},
    {"another log", attack_another_log, HF_REFUSE_CHECKPOINT_OTHER},
    {"a log the owner does not accept", attack_owner_log, HF_REFUSE_POLICY_LOG},
    {"rollback: a version again", attack_version_again, HF_REFUSE_UPDATE_ROLLBACK},
    {"rollback: a shorter log", attack_shrunk_log, HF_REFUSE_UPDATE_BEHIND},
    {"fast-forward", attack_fast_forward, HF_REFUSE_UPDATE_JUMP},
    {"mix and match: an old release's file", attack_old_release_file,
     HF_REFUSE_UPDATE_MIXED},
    {"mix and match: another version's file", attack_other_version_in_entry,
     HF_REFUSE_UPDATE_MIXED},
    {"keys below threshold", attack_one_signature, HF_REFUSE_ROLE_THRESHOLD},
    {"one key twice", attack_same_key_twice, HF_REFUSE_ROLE_THRESHOLD},
    {"a stranger's key", attack_foreign_signature, HF_REFUSE_ROLE_THRESHOLD},
    {"the log's key for a release", attack_log_key_for_release, HF_REFUSE_ROLE_THRESHOLD},
    {"unchained root", attack_unchained_root, HF_REFUSE_ROOT_UNCHAINED},
    {"root not signed by its own", attack_root_without_its_own, HF_REFUSE_ROLE_THRESHOLD},
    {"root of another product", attack_root_of_other_product, HF_REFUSE_ROOT_PRODUCT},
    {"root that skips one", attack_root_skips, HF_REFUSE_ROOT_VERSION},
    {"root that is not logged", attack_unlogged_root, HF_REFUSE_ROOT_UNLOGGED},
    {"forked log", attack_forked_log, HF_REFUSE_PROOF_NEW},
    {"forked log of equal size", attack_fork_of_equal_size, HF_REFUSE_PROOF_FORK},
    {"bundle that differs", attack_bundle_differs, HF_REFUSE_BUNDLE_ENTRY},
    {"tile that differs", attack_tile_differs, HF_REFUSE_PROOF_NEW},
    {"tile cut", attack_short_tile, HF_REFUSE_TILE_LENGTH},
    {"release not logged", attack_not_logged, HF_REFUSE_PROOF_NEW},
    {"release logged but shown to one only", attack_shown_to_one, HF_REFUSE_POLICY_QUORUM},
    {"missing witness", attack_one_witness, HF_REFUSE_POLICY_QUORUM},
    {"false witness", attack_false_witness, HF_REFUSE_NOTE_SIGNATURE},
    {"stale cosignatures", attack_stale_cosignatures, HF_REFUSE_UPDATE_STALE},
    {"clock set back", attack_clock_set_back, HF_REFUSE_UPDATE_STALE},
    {"from the future", attack_from_the_future, HF_REFUSE_UPDATE_FUTURE},
    {"the swap: another product", attack_swap_in_entry, HF_REFUSE_UPDATE_PRODUCT},
    {"grown capabilities", attack_grown_capabilities, HF_REFUSE_UPDATE_CAPABILITY},
    {"another engine", attack_other_engine, HF_REFUSE_UPDATE_ENGINE},
    {"chain of releases broken", attack_broken_chain, HF_REFUSE_UPDATE_CHAIN},
    {"release withheld", attack_missing_release, HF_REFUSE_FETCH},
    {"junk in the log", attack_junk_in_log, HF_REFUSE_ENTRY_FORM},
};

static void test_every_attack_is_refused_and_the_state_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        void *own;
        setup(&own);
        struct endpoint *e = own;
        publish(e, T0 + 10);
        assert_accepted(update(e, NULL));
        publish(e, T0 + 20);
        attacks[i].make(e);
        struct hf_state before = e->state;
        enum hf_refusal r = update(e, NULL);
        if (r != attacks[i].expected)
            print_error("%s: %s, expected %s\n", attacks[i].name, hf_refusal_name(r),
                        hf_refusal_name(attacks[i].expected));
        assert_refusal(r, attacks[i].expected);
        assert_memory_equal(&before, &e->state, sizeof before);
        teardown(&own);
    }
}

static void test_every_file_cut_or_flipped_is_refused_or_changes_nothing(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    publish(e, T0 + 20);
    struct hf_state good = e->state;
    HF_AUTO(hf_buffer_done) struct hf_buffer root = {0};
    hf_buffer_bytes(&root, hf_buffer_view(&e->root));
    struct hf_manifest true_one;
    assert_accepted(update(e, &true_one));
    struct hf_state after = e->state;
    for (size_t f = 0; f < e->feed->count; f++) {
        struct hf_buffer *b = &e->feed->files[f].bytes;
        for (size_t i = 0; i < 2 * b->len; i += 1 + b->len / 40) {
            e->state = good;
            hf_buffer_clear(&e->root);
            hf_buffer_bytes(&e->root, hf_buffer_view(&root));
            size_t len = b->len;
            if (i < len)
                b->data[i] ^= (uint8_t)(1 << (i % 8));
            else
                b->len = i - len;
            enum hf_refusal r = update(e, NULL);
            if (i < len)
                b->data[i] ^= (uint8_t)(1 << (i % 8));
            b->len = len;
            /* A flipped bit in a line of a signature that is not needed may change nothing. */
            if (r == HF_ACCEPTED)
                assert_true(hf_hash_equal(&e->state.root, &after.root) &&
                            hf_hash_equal(&e->state.releases[1].manifest,
                                          &after.releases[1].manifest));
            else
                assert_memory_equal(&e->state, &good, sizeof good);
        }
    }
}

static void test_a_frozen_source_is_seen_by_its_age(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    e->now = T0 + 4 * 86400;
    assert_accepted(update(e, NULL));
    assert_true(hf_state_age(&e->state, e->now) > HF_WARN_AGE);
    e->now = T0 + 8 * 86400;
    assert_accepted(update(e, NULL));
    assert_true(hf_state_age(&e->state, e->now) > HF_ALARM_AGE);
}

static void test_a_wrong_clock_is_noticed_and_does_not_stop_updates(void **state)
{
    struct endpoint *e = *state;
    publish(e, T0 + 10);
    e->now = 100;
    assert_accepted(update(e, NULL));
    assert_int_not_equal(e->state.alarms[HF_ALARM_CLOCK], 0);
    publish(e, T0 + 20);
    e->now = T0 - 30 * 86400;
    assert_accepted(update(e, NULL));
    assert_int_not_equal(e->state.alarms[HF_ALARM_CLOCK], 0);
    e->now = T0 + 30;
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.alarms[HF_ALARM_CLOCK], 0);
    e->now = T0 + 3650 * (uint64_t)86400; /* far ahead: all is old, nothing is refused */
    publish(e, T0 + 40);
    assert_accepted(update(e, NULL));
}

static void test_without_witnesses_a_release_vouches_for_the_time(void **state)
{
    struct endpoint *e = *state;
    take_policy(e, "quorum none\n");
    e->feed->now = T0 + 10;
    feed_release(e->feed);
    assert_accepted(update(e, NULL));
    assert_int_equal(e->state.time, T0 + 10);
}

static void test_state_is_written_and_read_and_damage_is_noticed(void **state)
{
    struct endpoint *e = *state;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_merkle m = {.hasher = hasher};
    struct hf_state again;
    publish(e, T0 + 10);
    assert_accepted(update(e, NULL));
    struct hf_state_generation g = {1, 1, e->state.releases[0].manifest, T0 + 70};
    hf_state_activate(&e->state, &g);
    hf_state_refuse(&e->state, &e->state.root_note);
    e->state.alarms[HF_ALARM_FUSE] = 5;
    assert_accepted(hf_state_write(&m, &out, &e->state));
    assert_accepted(hf_state_read(&m, hf_buffer_view(&out), &again));
    assert_memory_equal(&again, &e->state, sizeof again);
    for (size_t i = 0; i < out.len; i++) {
        out.data[i] ^= 4;
        assert_int_not_equal(hf_state_read(&m, hf_buffer_view(&out), &again), HF_ACCEPTED);
        out.data[i] ^= 4;
        assert_int_not_equal(hf_state_read(&m, hf_bytes_of(out.data, i), &again),
                             HF_ACCEPTED);
    }
}

static void test_rings_are_even_and_rules_of_the_owner_hold(void **state)
{
    struct endpoint *e = *state;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_state s = {0};
    struct hf_manifest manifest = feed_manifest(e->feed);
    uint64_t when;
    for (uint64_t v = 1; v <= 3; v++) {
        struct hf_state_release r = {.version = v, .index = v, .since = T0};
        r.manifest.bytes[0] = (uint8_t)v;
        hf_state_add_release(&s, &r);
    }
    manifest.ring_count = 2;
    manifest.rings[0] = (struct hf_manifest_ring){10, 0};
    manifest.rings[1] = (struct hf_manifest_ring){100, 3600};
    unsigned early = 0;
    for (unsigned i = 0; i < 2000; i++) {
        memcpy(s.endpoint, &i, sizeof i);
        early += hf_settings_judge(&m, &e->settings, &s, 2, &manifest, T0 + 60, &when) ==
                 HF_WAIT_NO;
        assert_int_equal(
            hf_settings_judge(&m, &e->settings, &s, 2, &manifest, T0 + 3600, &when),
            HF_WAIT_NO);
    }
    assert_in_range(early, 140, 260);
    struct hf_settings own = e->settings;
    own.behind = 1;
    assert_int_equal(hf_settings_judge(&m, &own, &s, 2, NULL, T0, &when), HF_WAIT_BEHIND);
    assert_int_equal(hf_settings_judge(&m, &own, &s, 1, NULL, T0, &when), HF_WAIT_NO);
    own.pin = 3;
    assert_int_equal(hf_settings_judge(&m, &own, &s, 1, NULL, T0, &when), HF_WAIT_PINNED);
    assert_int_equal(hf_settings_judge(&m, &own, &s, 2, NULL, T0, &when), HF_WAIT_NO);
    own = e->settings;
    own.hold = true;
    assert_int_equal(hf_settings_judge(&m, &own, &s, 2, NULL, T0, &when), HF_WAIT_HELD);
    own = e->settings;
    own.approve = true;
    assert_int_equal(hf_settings_judge(&m, &own, &s, 2, NULL, T0, &when), HF_WAIT_APPROVAL);
    s.releases[2].approved = 1;
    assert_int_equal(hf_settings_judge(&m, &own, &s, 2, NULL, T0, &when), HF_WAIT_NO);
    hf_state_refuse(&s, &s.releases[2].manifest);
    assert_int_equal(hf_settings_judge(&m, &own, &s, 2, NULL, T0, &when), HF_WAIT_REFUSED);
}

static void test_a_generation_taken_back_is_never_taken_again(void **state)
{
    (void)state;
    struct hf_state s = {0};
    struct hf_state_generation g[4] = {
        {1, 1, {{1}}, 1}, {2, 2, {{2}}, 2}, {3, 3, {{3}}, 3}, {4, 4, {{4}}, 4}};
    assert_false(hf_state_revert(&s));
    for (size_t i = 0; i < 4; i++)
        hf_state_activate(&s, &g[i]);
    assert_int_equal(s.generation_count, 3);
    assert_true(hf_state_revert(&s));
    assert_int_equal(hf_state_active(&s)->version, 3);
    assert_true(hf_state_is_refused(&s, &g[3].manifest));
    assert_true(hf_state_revert(&s));
    assert_int_equal(hf_state_active(&s)->version, 2);
    assert_false(hf_state_revert(&s)); /* never none */
    assert_int_equal(hf_state_active(&s)->version, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_a_first_update_and_the_next_are_taken),
        CASE(test_a_poll_without_news_costs_less_than_two_kilobytes),
        CASE(test_logs_longer_than_a_tile_are_followed),
        CASE(test_roots_rotate_by_old_and_new_keys),
        CASE(test_an_endpoint_that_starts_late_walks_all_roots),
        CASE(test_the_log_rotates_its_key),
        CASE(test_a_new_log_continues_the_versions),
        CASE(test_a_lost_state_is_made_again_from_a_generation),
        CASE(test_every_attack_is_refused_and_the_state_stays),
        CASE(test_every_file_cut_or_flipped_is_refused_or_changes_nothing),
        CASE(test_a_frozen_source_is_seen_by_its_age),
        CASE(test_a_wrong_clock_is_noticed_and_does_not_stop_updates),
        CASE(test_without_witnesses_a_release_vouches_for_the_time),
        CASE(test_state_is_written_and_read_and_damage_is_noticed),
        CASE(test_rings_are_even_and_rules_of_the_owner_hold),
        CASE(test_a_generation_taken_back_is_never_taken_again),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
