/* Vectors: the example of C2SP signed-note (example.com/foo) and those in the documentation and
 * tests of golang.org/x/mod/sumdb/note (PeterNeumann, EnochRoot), BSD licensed; their private key
 * is a published example. */
#include "feed/note.h"

#include "support.h"

#define DASH "\xe2\x80\x94 "
static const char foo_key[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char foo_note[] =
    "This is an example message.\n\n" DASH
    "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmR"
    "KuwHjG1Yu72IneyaQM=\n";
static const char peter_secret[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char peter_key[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char enoch_key[] =
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
#define PETER_TEXT                                                                         \
    "If you think cryptography is the answer to your problem,\n"                           \
    "then you don't know what your problem is.\n"
#define PETER_LINE                                                                            \
    DASH                                                                                      \
        "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd" \
        "ngotpRZb6KE6RyyBwJnAM=\n"
#define ENOCH_LINE                                                                            \
    DASH                                                                                      \
        "EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGw" \
        "nWLox33WWd1RvMc+QQ=\n"

static struct hf_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = hf_arena_new(1 << 20);
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    hf_arena_release(&arena);
    return 0;
}

static struct hf_vkey vkey(const char *s)
{
    struct hf_vkey key;
    assert_accepted(hf_vkey_read(text(s), &key));
    return key;
}

/* Read and verify with up to two keys. */
static enum hf_refusal open_note(struct hf_bytes bytes, const struct hf_vkey *keys,
                                 size_t count, struct hf_note_seal *seals)
{
    struct hf_signed_note note;
    enum hf_refusal r = read_note(arena, bytes, &note);
    return r == HF_ACCEPTED ? hf_note_verify(&note, keys, count, seals) : r;
}

static void test_the_specification_s_example_verifies(void **state)
{
    (void)state;
    struct hf_vkey key = vkey(foo_key);
    assert_int_equal(key.id, 0x530d903a);
    struct hf_note_seal seal;
    assert_accepted(open_note(text(foo_note), &key, 1, &seal));
    assert_true(seal.valid);
    struct hf_signed_note note;
    assert_accepted(read_note(arena, text(foo_note), &note));
    assert_true(hf_bytes_equal(note.text, text("This is an example message.\n")));
}

static void test_go_s_examples_are_signed_and_verified_byte_for_byte(void **state)
{
    (void)state;
    struct hf_skey peter;
    assert_accepted(hf_skey_read(text(peter_secret), &peter));
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    assert_accepted(hf_note_begin(&out, text(PETER_TEXT)));
    assert_accepted(hf_note_sign(&out, text(PETER_TEXT), &peter));
    assert_buffer(&out, text(PETER_TEXT "\n" PETER_LINE));
    hf_buffer_clear(&out);
    hf_skey_write(&out, &peter);
    assert_buffer(&out, text(peter_secret));
    hf_buffer_clear(&out);
    hf_vkey_write(&out, &peter.verifier);
    assert_buffer(&out, text(peter_key));
    struct hf_vkey keys[] = {vkey(peter_key), vkey(enoch_key)};
    struct hf_note_seal seals[2];
    assert_accepted(open_note(text(PETER_TEXT "\n" PETER_LINE ENOCH_LINE), keys, 2, seals));
    assert_true(seals[0].valid && seals[1].valid);
    assert_accepted(open_note(text(PETER_TEXT "\n" PETER_LINE), keys, 2, seals));
    assert_true(seals[0].valid && !seals[1].valid);
    hf_skey_done(&peter);
}

static void test_every_part_and_every_change_of_a_key_is_refused(void **state)
{
    (void)state;
    const char *const keys[] = {foo_key, peter_key};
    struct hf_vkey key;
    for (size_t k = 0; k < 2; k++) {
        size_t len = strlen(keys[k]);
        for (size_t i = 0; i <= len; i++)
            for (size_t j = i; j <= len; j++)
                if (i != 0 || j != len)
                    assert_int_not_equal(
                        hf_vkey_read(hf_bytes_of(keys[k] + i, j - i), &key), 0);
        char copy[128];
        memcpy(copy, keys[k], len + 1);
        for (size_t i = 0; i < len * 8; i++) {
            copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
            assert_int_not_equal(hf_vkey_read(hf_bytes_of(copy, len), &key), HF_ACCEPTED);
            copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        }
    }
}

static void test_each_fault_of_a_key_has_its_message(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_refusal refusal;
    } bad[] = {
        {"", HF_REFUSE_KEY_FORM},
        {"name", HF_REFUSE_KEY_FORM},
        {"name+00000000", HF_REFUSE_KEY_FORM},
        {"name+0000000+AA==", HF_REFUSE_KEY_FORM},
        {"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         HF_REFUSE_KEY_FORM},
        {"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", HF_REFUSE_KEY_NAME},
        {"Peter\xc2\xa0N+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         HF_REFUSE_KEY_NAME},
        {"name+00000000+", HF_REFUSE_KEY_BASE64},
        {"name+00000000+AR", HF_REFUSE_KEY_BASE64},
        {"name+00000000+AR==", HF_REFUSE_KEY_BASE64}, /* bits behind the byte */
        {"PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         HF_REFUSE_KEY_ALGORITHM},
        {"PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEQ==",
         HF_REFUSE_KEY_LENGTH},
        {"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         HF_REFUSE_KEY_ID},
        {"PeterNeumann+c74f20a3+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         HF_REFUSE_KEY_WEAK},
    };
    struct hf_vkey key;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refusal(hf_vkey_read(text(bad[i].text), &key), bad[i].refusal);
}

/* With R = the neutral element and S = 0 a signature fits when the hash is a multiple of the
 * key's order: so anybody can find one under each key that hf_vkey_make refuses as weak. */
static void test_keys_refused_as_weak_accept_forgeries(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        uint8_t point[32], signature[64] = {1};
        for (size_t b = 0; b < 32; b++) {
            unsigned v;
            assert_int_equal(sscanf(points[i] + 2 * b, "%2x", &v), 1);
            point[b] = (uint8_t)v;
        }
        int forged = 0;
        for (int n = 0; n < 256; n++) {
            char message[16];
            snprintf(message, sizeof message, "%d", n);
            forged += hf_ed25519_verify(point, text(message), signature) == HF_ACCEPTED;
        }
        assert_in_range(forged, 1, 256);
        struct hf_vkey key;
        assert_refusal(hf_vkey_make(text("n"), HF_KEY_ED25519, point, &key),
                       HF_REFUSE_KEY_WEAK);
    }
}

static void test_each_fault_of_a_note_has_its_message(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_refusal refusal;
    } bad[] = {
        {"", HF_REFUSE_NOTE_UNSIGNED},
        {PETER_TEXT, HF_REFUSE_NOTE_UNSIGNED},
        {PETER_TEXT PETER_LINE, HF_REFUSE_NOTE_UNSIGNED}, /* no blank line */
        {PETER_TEXT "\n", HF_REFUSE_NOTE_UNSIGNED},
        {"\n\n" PETER_LINE, HF_REFUSE_NOTE_TEXT},
        {PETER_TEXT "\n" PETER_LINE "x", HF_REFUSE_NOTE_CUT},
        {PETER_TEXT "\r\n" PETER_LINE, HF_REFUSE_NOTE_CONTROL},
        {"a\x80z\n\n" PETER_LINE, HF_REFUSE_NOTE_UTF8},
        {"a\xc0\xaf\n\n" PETER_LINE, HF_REFUSE_NOTE_UTF8},
        {"a\tb\n\n" PETER_LINE, HF_REFUSE_NOTE_CONTROL},
        {PETER_TEXT "\n- PeterNeumann AAAAAAA=\n", HF_REFUSE_NOTE_LINE},
        {PETER_TEXT "\n" DASH "PeterNeumann\n", HF_REFUSE_NOTE_LINE},
        {PETER_TEXT "\n" DASH " AAAAAAA=\n", HF_REFUSE_NOTE_NAME},
        {PETER_TEXT "\n" DASH "Pe+ter AAAAAAA=\n", HF_REFUSE_NOTE_NAME},
        {PETER_TEXT "\n" DASH "Pe\xe2\x80\x83ter AAAAAAA=\n", HF_REFUSE_NOTE_NAME},
        {PETER_TEXT "\n" DASH "Peter AAAAAAA\n", HF_REFUSE_NOTE_BASE64},
        {PETER_TEXT "\n" DASH "Peter  AAAAAAA=\n", HF_REFUSE_NOTE_BASE64},
        {PETER_TEXT "\n" DASH "Peter AAAAAAB=\n", HF_REFUSE_NOTE_BASE64},
        {PETER_TEXT "\n" DASH "Peter AAAA_AA=\n", HF_REFUSE_NOTE_BASE64},
        {PETER_TEXT "\n" DASH "Peter AAAAAA==\n", HF_REFUSE_NOTE_SHORT},
        {PETER_TEXT "\n" DASH "Peter \n", HF_REFUSE_NOTE_SHORT},
    };
    struct hf_signed_note note;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        print_message("# case %zu\n", i);
        assert_refusal(read_note(arena, text(bad[i].text), &note), bad[i].refusal);
        assert_int_equal(note.count, 0);
    }
}

static void test_caps_on_bytes_and_signatures_hold(void **state)
{
    (void)state;
    struct hf_signed_note note;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    for (size_t count = 64; count <= 65; count++) {
        hf_buffer_clear(&b);
        hf_buffer_text(&b, "t\n\n");
        for (size_t i = 0; i < count; i++)
            hf_buffer_text(&b, DASH "n AAAAAAA=\n");
        assert_refusal(read_note(arena, hf_buffer_view(&b), &note),
                       count == 64 ? HF_ACCEPTED : HF_REFUSE_NOTE_CROWDED);
    }
    hf_buffer_clear(&b);
    hf_buffer_text(&b, "t\n\n" DASH "n ");
    for (size_t i = 0; i < 3000; i++)
        hf_buffer_text(&b, "AAAA");
    hf_buffer_text(&b, "\n");
    assert_refusal(read_note(arena, hf_buffer_view(&b), &note), HF_REFUSE_NOTE_BULKY);
    hf_buffer_clear(&b);
    uint8_t *filler = hf_buffer_reserve(&b, HF_NOTE_BYTES_MAX);
    memset(filler, 'a', HF_NOTE_BYTES_MAX);
    b.len = HF_NOTE_BYTES_MAX;
    hf_buffer_text(&b, "\n\n" DASH "n AAAAAAA=\n");
    assert_refusal(read_note(arena, hf_buffer_view(&b), &note), HF_REFUSE_NOTE_LONG);
}

static void test_a_budget_that_runs_out_is_said(void **state)
{
    (void)state;
    struct hf_budget budget = hf_budget_unlimited();
    budget.work = 1;
    struct hf_cursor c = hf_cursor_open(foo_note, strlen(foo_note), &budget);
    struct hf_signed_note note;
    assert_refusal(hf_note_read(&c, arena, &note), HF_REFUSE_BUDGET);
}

static void test_verification_refuses_forged_unknown_and_ambiguous(void **state)
{
    (void)state;
    struct hf_vkey peter = vkey(peter_key), enoch = vkey(enoch_key);
    struct hf_vkey both[] = {peter, enoch}, twice[] = {peter, peter};
    struct hf_note_seal seals[2];
    /* One good signature does not save a note with a bad one by a trusted key. */
    static const char forged[] = PETER_TEXT
        "\n" PETER_LINE DASH
        "EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01"
        "oOTGwnWLox33WWd1RvMc+QA=\n";
    assert_refusal(open_note(text(forged), both, 2, seals), HF_REFUSE_NOTE_SIGNATURE);
    assert_false(seals[0].valid || seals[1].valid);
    assert_accepted(
        open_note(text(forged), &peter, 1, seals)); /* and is nobody's otherwise */
    assert_refusal(
        open_note(text(PETER_TEXT "\n" DASH "PeterNeumann x08gowA=\n"), both, 2, seals),
        HF_REFUSE_NOTE_LENGTH);
    assert_refusal(open_note(text(PETER_TEXT "\n" PETER_LINE), &enoch, 1, seals),
                   HF_REFUSE_NOTE_UNKNOWN);
    assert_refusal(open_note(text(PETER_TEXT "\n" PETER_LINE), NULL, 0, seals),
                   HF_REFUSE_NOTE_UNKNOWN);
    assert_refusal(open_note(text(PETER_TEXT "\n" PETER_LINE), twice, 2, seals),
                   HF_REFUSE_KEY_AMBIGUOUS);
    struct hf_skey witness = test_key("w", HF_KEY_COSIGNER, 1);
    assert_refusal(open_note(text(foo_note), &witness.verifier, 1, seals),
                   HF_REFUSE_KEY_COSIGNER);
}

static void test_no_flipped_bit_of_a_note_verifies(void **state)
{
    (void)state;
    struct hf_vkey key = vkey(foo_key);
    struct hf_note_seal seal;
    char copy[sizeof foo_note];
    memcpy(copy, foo_note, sizeof copy);
    size_t len = strlen(foo_note);
    for (size_t i = 0; i < len * 8; i++) {
        struct hf_arena_mark mark = hf_arena_mark(arena);
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        assert_int_not_equal(open_note(hf_bytes_of(copy, len), &key, 1, &seal),
                             HF_ACCEPTED);
        assert_false(seal.valid);
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        hf_arena_rewind(arena, mark);
    }
    for (size_t i = 0; i < len; i++)
        assert_int_not_equal(open_note(hf_bytes_of(copy, i), &key, 1, &seal), HF_ACCEPTED);
}

static void test_every_refusal_has_its_own_name_and_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < HF_REFUSALS; i++) {
        assert_non_null(hf_refusal_name((enum hf_refusal)i));
        assert_non_null(hf_refusal_text((enum hf_refusal)i));
        assert_true((hf_refusal_status((enum hf_refusal)i) == HF_OK) == (i == HF_ACCEPTED));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(hf_refusal_name((enum hf_refusal)i),
                                    hf_refusal_name((enum hf_refusal)j));
            assert_string_not_equal(hf_refusal_text((enum hf_refusal)i),
                                    hf_refusal_text((enum hf_refusal)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_specification_s_example_verifies, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_go_s_examples_are_signed_and_verified_byte_for_byte, setup, teardown),
        cmocka_unit_test(test_every_part_and_every_change_of_a_key_is_refused),
        cmocka_unit_test(test_each_fault_of_a_key_has_its_message),
        cmocka_unit_test(test_keys_refused_as_weak_accept_forgeries),
        cmocka_unit_test_setup_teardown(test_each_fault_of_a_note_has_its_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_caps_on_bytes_and_signatures_hold, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_budget_that_runs_out_is_said, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_verification_refuses_forged_unknown_and_ambiguous, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_flipped_bit_of_a_note_verifies, setup,
                                        teardown),
        cmocka_unit_test(test_every_refusal_has_its_own_name_and_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
