#include "feed/proof.h"

#include "support.h"

static struct hf_arena *arena;
static struct hf_hasher *hasher;
static struct hf_merkle merkle;

static int setup(void **state)
{
    (void)state;
    arena = hf_arena_new(8 << 20);
    hasher = hf_hasher_new();
    merkle = (struct hf_merkle){.hasher = hasher};
    return arena == NULL || hasher == NULL;
}

static int teardown(void **state)
{
    (void)state;
    hf_arena_release(&arena);
    hf_hasher_release(&hasher);
    return 0;
}

static struct hf_skey log_secret, witness_secret;
static struct hf_log known_log;

static void make_keys(void)
{
    log_secret = test_key("log.example", HF_KEY_ED25519, 1);
    witness_secret = test_key("witness.example", HF_KEY_COSIGNER, 2);
    known_log = (struct hf_log){
        .origin = text("log.example"), .keys = &log_secret.verifier, .count = 1};
}

/* A proof file for "entry INDEX" in a log of size entries. */
static void make_file(struct hf_buffer *out, uint64_t index, uint64_t size,
                      struct hf_bytes extra)
{
    struct hf_tree tree = {0};
    struct hf_tree_source source = hf_tree_as_source(&tree);
    struct hf_proof proof = {.extra = extra, .index = index};
    struct hf_checkpoint cp = {.origin = text("log.example"), .size = size};
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, note = {0};
    make_keys();
    test_grow(&merkle, &tree, size);
    assert_accepted(hf_tree_root(&merkle, &source, size, &cp.root));
    assert_accepted(
        hf_inclusion_make(&merkle, &source, index, size, proof.path, &proof.count));
    assert_accepted(hf_checkpoint_write(&merkle, &body, &cp));
    struct hf_bytes b = hf_buffer_view(&body);
    assert_accepted(hf_note_begin(&note, b));
    assert_accepted(hf_note_sign(&note, b, &log_secret));
    assert_accepted(hf_checkpoint_cosign(&merkle, &note, b, 1790000000, &witness_secret));
    assert_accepted(read_note(arena, hf_buffer_view(&note), &proof.checkpoint));
    assert_accepted(hf_proof_write(out, &proof));
    hf_tree_done(&tree);
}

static enum hf_refusal read_file(struct hf_bytes file, struct hf_proof *proof)
{
    struct hf_cursor c = hf_cursor_open(file.data, file.len, NULL);
    return hf_proof_read(&c, arena, proof);
}

static enum hf_refusal verify_file(struct hf_bytes file, const char *entry)
{
    struct hf_proof proof;
    struct hf_note_seal seals[2];
    struct hf_checkpoint cp;
    enum hf_refusal r = read_file(file, &proof);
    if (r != HF_ACCEPTED)
        return r;
    r = hf_proof_verify(&merkle, &proof, text(entry), &known_log, &witness_secret.verifier,
                        1, seals, &cp);
    if (r == HF_ACCEPTED)
        assert_true(seals[0].valid);
    else
        assert_false(seals[0].valid || seals[1].valid);
    return r;
}

static void test_a_proof_file_verifies_and_is_written_again_the_same(void **state)
{
    (void)state;
    static const uint64_t cases[][2] = {{0, 1}, {0, 2}, {73, 109}, {255, 256}, {299, 300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int extra = 0; extra < 2; extra++) {
            HF_AUTO(hf_buffer_done) struct hf_buffer file = {0}, again = {0};
            char entry[32];
            make_file(&file, cases[i][0], cases[i][1], text(extra ? "anything" : ""));
            snprintf(entry, sizeof entry, "entry %d", (int)cases[i][0]);
            assert_accepted(verify_file(hf_buffer_view(&file), entry));
            assert_refusal(verify_file(hf_buffer_view(&file), "entry"),
                           HF_REFUSE_PROOF_INCLUSION);
            struct hf_proof proof;
            assert_accepted(read_file(hf_buffer_view(&file), &proof));
            assert_int_equal(proof.extra.len, extra ? 8 : 0);
            assert_accepted(hf_proof_write(&again, &proof));
            assert_buffer(&again, hf_buffer_view(&file));
        }
}

/* The witness's line and the extra data may change without harm (a stranger's line is ignored);
 * all else is proven. */
static void test_no_flipped_bit_and_no_cut_is_accepted(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer file = {0};
    make_file(&file, 2, 5, (struct hf_bytes){0});
    size_t witness_line = 0;
    for (size_t i = 0; i + 15 < file.len; i++)
        if (memcmp(file.data + i, "witness.example", 15) == 0)
            witness_line = i;
    for (size_t i = 0; i < file.len * 8; i++) {
        struct hf_arena_mark mark = hf_arena_mark(arena);
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
        enum hf_refusal r = verify_file(hf_buffer_view(&file), "entry 2");
        if (r == HF_ACCEPTED)
            assert_true(i / 8 >= witness_line);
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
        hf_arena_rewind(arena, mark);
    }
    for (size_t len = 0; len < file.len; len++) {
        enum hf_refusal r = verify_file(hf_bytes_of(file.data, len), "entry 2");
        if (r == HF_ACCEPTED) /* cut exactly before the witness's line */
            assert_int_equal(len, witness_line - 4);
    }
}

static void test_each_fault_of_a_proof_file_has_its_message(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_refusal refusal;
    } bad[] = {
        {"", HF_REFUSE_FILE_HEADER},
        {"c2sp.org/tlog-proof@v2\nindex 0\n\n", HF_REFUSE_FILE_HEADER},
        {"c2sp.org/tlog-proof@v1", HF_REFUSE_FILE_HEADER},
        {"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n", HF_REFUSE_FILE_EXTRA},
        {"c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\n", HF_REFUSE_FILE_EXTRA},
        {"c2sp.org/tlog-proof@v1\nextra AAA=\nextra AAA=\n", HF_REFUSE_FILE_INDEX},
        {"c2sp.org/tlog-proof@v1\n\n", HF_REFUSE_FILE_INDEX},
        {"c2sp.org/tlog-proof@v1\nindex 00\n\n", HF_REFUSE_FILE_INDEX},
        {"c2sp.org/tlog-proof@v1\nindex -5\n\n", HF_REFUSE_FILE_INDEX},
        {"c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\n", HF_REFUSE_FILE_INDEX},
        {"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n", HF_REFUSE_FILE_HASH},
        {"c2sp.org/tlog-proof@v1\nindex 0\n", HF_REFUSE_FILE_CUT},
        {"c2sp.org/tlog-proof@v1\nindex 0\n\n", HF_REFUSE_NOTE_UNSIGNED},
    };
    struct hf_proof proof;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refusal(read_file(text(bad[i].text), &proof), bad[i].refusal);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_buffer_text(&b, "c2sp.org/tlog-proof@v1\nindex 0\n");
    for (int i = 0; i < HF_PROOF_MAX + 1; i++)
        hf_buffer_text(&b, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    assert_refusal(read_file(hf_buffer_view(&b), &proof), HF_REFUSE_FILE_HASHES);
    while (b.len <= HF_PROOF_BYTES_MAX)
        hf_buffer_text(&b, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    assert_refusal(read_file(hf_buffer_view(&b), &proof), HF_REFUSE_FILE_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proof_file_verifies_and_is_written_again_the_same),
        cmocka_unit_test(test_no_flipped_bit_and_no_cut_is_accepted),
        cmocka_unit_test(test_each_fault_of_a_proof_file_has_its_message),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
