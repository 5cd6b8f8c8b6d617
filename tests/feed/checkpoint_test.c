/* Vectors: a checkpoint of a public staging log with the cosignatures of public witnesses, and
 * their published keys; the example of tlog-cosignature (whose keys are not published). */
#include "feed/checkpoint.h"

#include "support.h"

#define DASH   "\xe2\x80\x94 "
#define ORIGIN "arche2025h1.staging.ct.transparency.dev"
#define BODY   ORIGIN "\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n"
static const char cosigned[] = BODY
    "\n" DASH ORIGIN
    " zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEr"
    "oeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n" DASH ORIGIN
    " ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFW"
    "wQ=\n" DASH "transparency.dev/DEV:witness-little-garden "
    "2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44"
    "vdgJY096st5BQ==\n" DASH "witness1.smartit.nu/witness1 "
    "pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tg"
    "h0XwzdZsDsUAQ==\n" DASH "remora.n621.de "
    "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0W"
    "BxtqB0DrAWfBw==\n" DASH "witness.stagemole.eu "
    "Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiO"
    "vKFYe/TmN9DAg==\n";
static const char log_key[] =
    ORIGIN "+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
static const char *const witness_keys[] = {
    ("transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/"
     "MwYaGX4CPdiVEPM"),
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG", /* absent */
};
enum { WITNESSES = 5 };

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

static void test_a_public_log_s_cosigned_checkpoint_verifies(void **state)
{
    (void)state;
    struct hf_vkey log_vkey, witnesses[WITNESSES];
    assert_accepted(hf_vkey_read(text(log_key), &log_vkey));
    for (size_t i = 0; i < WITNESSES; i++)
        assert_accepted(hf_vkey_read(text(witness_keys[i]), &witnesses[i]));
    struct hf_log log = {.origin = text(ORIGIN), .keys = &log_vkey, .count = 1};
    struct hf_signed_note note;
    struct hf_note_seal seals[1 + WITNESSES];
    struct hf_checkpoint cp;
    assert_accepted(read_note(arena, text(cosigned), &note));
    assert_int_equal(note.count, 6);
    assert_accepted(
        hf_checkpoint_verify(&merkle, &note, &log, witnesses, WITNESSES, seals, &cp));
    assert_int_equal(cp.size, 1432088532);
    assert_true(seals[0].valid);
    for (size_t i = 1; i < WITNESSES; i++) {
        assert_true(seals[i].valid);
        assert_int_equal(seals[i].time, 0x6a122120);
    }
    assert_false(seals[WITNESSES].valid);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_note_write(&out, &note);
    assert_buffer(&out, text(cosigned));
    /* Witnesses alone do not make a log's checkpoint; nor does another log's name. */
    log.count = 0;
    assert_refusal(
        hf_checkpoint_verify(&merkle, &note, &log, witnesses, WITNESSES, seals, &cp),
        HF_REFUSE_CHECKPOINT_LOG);
    log = (struct hf_log){.origin = text("other.example"), .keys = &log_vkey, .count = 1};
    assert_refusal(
        hf_checkpoint_verify(&merkle, &note, &log, witnesses, WITNESSES, seals, &cp),
        HF_REFUSE_CHECKPOINT_OTHER);
    for (size_t i = 0; i <= WITNESSES; i++)
        assert_false(seals[i].valid);
}

static void test_each_fault_of_a_checkpoint_has_its_message(void **state)
{
    (void)state;
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    static const struct {
        const char *text;
        enum hf_refusal refusal;
    } cases[] = {
        {"example.com/behind-the-sofa\n20852163\n" ROOT, HF_ACCEPTED},
        {"o\n9223372036854775807\n" ROOT, HF_ACCEPTED},
        {"o\n1\n" ROOT "more\nlines\n", HF_ACCEPTED},
        {"o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", HF_ACCEPTED},
        {"", HF_REFUSE_CHECKPOINT_LINES},
        {"o\n1\n", HF_REFUSE_CHECKPOINT_LINES},
        {"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", HF_REFUSE_CHECKPOINT_LINES},
        {"\n1\n" ROOT, HF_REFUSE_CHECKPOINT_ORIGIN},
        {"o\n01\n" ROOT, HF_REFUSE_CHECKPOINT_SIZE},
        {"o\n+1\n" ROOT, HF_REFUSE_CHECKPOINT_SIZE},
        {"o\n\n" ROOT, HF_REFUSE_CHECKPOINT_SIZE},
        {"o\n1 \n" ROOT, HF_REFUSE_CHECKPOINT_SIZE},
        {"o\n99999999999999999999\n" ROOT, HF_REFUSE_CHECKPOINT_SIZE},
        {"o\n9223372036854775808\n" ROOT, HF_REFUSE_CHECKPOINT_HUGE},
        {"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", HF_REFUSE_CHECKPOINT_ROOT},
        {"o\n1\nAAAA\n", HF_REFUSE_CHECKPOINT_ROOT},
        {"o\n1\n\n", HF_REFUSE_CHECKPOINT_ROOT},
        {"o\n0\n" ROOT, HF_REFUSE_CHECKPOINT_EMPTY},
        {"o\n1\n" ROOT "\n", HF_REFUSE_CHECKPOINT_EXTENSION},
        {"o\n1\n" ROOT "cut", HF_REFUSE_CHECKPOINT_EXTENSION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hf_checkpoint cp;
        assert_refusal(hf_checkpoint_read(&merkle, text(cases[i].text), &cp),
                       cases[i].refusal);
        HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
        if (cases[i].refusal != HF_ACCEPTED)
            continue;
        assert_accepted(hf_checkpoint_write(&merkle, &out, &cp));
        assert_buffer(&out, text(cases[i].text));
    }
    char long_origin[HF_ORIGIN_MAX + 64];
    memset(long_origin, 'a', sizeof long_origin);
    memcpy(long_origin + HF_ORIGIN_MAX + 1, "\n1\n" ROOT, sizeof "\n1\n" ROOT);
    struct hf_checkpoint cp;
    assert_refusal(hf_checkpoint_read(&merkle, text(long_origin), &cp),
                   HF_REFUSE_CHECKPOINT_ORIGIN);
}

static void test_writing_refuses_what_would_read_as_something_else(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_checkpoint cp = {.origin = text("o\n5"), .size = 1};
    assert_refusal(hf_checkpoint_write(&merkle, &out, &cp), HF_REFUSE_ARGUMENT);
    cp = (struct hf_checkpoint){.origin = text("o"), .size = UINT64_MAX};
    assert_refusal(hf_checkpoint_write(&merkle, &out, &cp), HF_REFUSE_ARGUMENT);
    cp = (struct hf_checkpoint){.origin = text("o"), .size = 1, .extensions = text("cut")};
    assert_refusal(hf_checkpoint_write(&merkle, &out, &cp), HF_REFUSE_ARGUMENT);
    assert_int_equal(out.len, 0);
}

/* The bytes of tlog-cosignature's example: its keys are unknown, the signed message is not. */
static void test_the_example_of_the_cosignature_specification_is_read(void **state)
{
    (void)state;
    struct hf_signed_note note;
    assert_accepted(read_note(
        arena,
        text(
            "example.com/behind-the-sofa\n20852163\n" ROOT "\n" DASH
            "example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7"
            "u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" DASH
            "witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9d"
            "lrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"),
        &note));
    assert_int_equal(note.signatures[1].bytes.len, 72);
    struct hf_cursor c = hf_cursor_open(note.signatures[1].bytes.data, 8, NULL);
    assert_int_equal(hf_u64be(&c), 1679315147);
    struct hf_skey stranger = test_key("witness.example.com/w1", HF_KEY_COSIGNER, 9);
    struct hf_note_seal seal;
    struct hf_checkpoint cp;
    struct hf_log log = {.origin = text("example.com/behind-the-sofa")};
    /* Same name, other id: unknown, and to be ignored. */
    assert_refusal(
        hf_checkpoint_verify(&merkle, &note, &log, &stranger.verifier, 1, &seal, &cp),
        HF_REFUSE_NOTE_UNKNOWN);
}

static void test_cosignatures_of_several_times_count_once_with_the_newest(void **state)
{
    (void)state;
    struct hf_skey log_secret = test_key("l", HF_KEY_ED25519, 1),
                   witness = test_key("w", HF_KEY_COSIGNER, 2);
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, out = {0};
    struct hf_checkpoint cp = {
        .origin = text("l"), .size = 1, .root = test_leaf(&merkle, 0)};
    assert_accepted(hf_checkpoint_write(&merkle, &body, &cp));
    struct hf_bytes b = hf_buffer_view(&body);
    assert_accepted(hf_note_begin(&out, b));
    assert_accepted(hf_note_sign(&out, b, &log_secret));
    assert_accepted(hf_checkpoint_cosign(&merkle, &out, b, 200, &witness));
    assert_accepted(hf_checkpoint_cosign(&merkle, &out, b, 100, &witness));
    assert_refusal(hf_checkpoint_cosign(&merkle, &out, b, 1, &log_secret),
                   HF_REFUSE_KEY_ALGORITHM);
    assert_refusal(hf_checkpoint_cosign(&merkle, &out, b, UINT64_MAX, &witness),
                   HF_REFUSE_NOTE_TIME);
    assert_refusal(
        hf_checkpoint_cosign(&merkle, &out, text("no checkpoint\n"), 1, &witness),
        HF_REFUSE_CHECKPOINT_LINES);
    assert_refusal(hf_note_sign(&out, b, &witness), HF_REFUSE_KEY_COSIGNER);
    struct hf_signed_note note;
    struct hf_note_seal seals[2];
    struct hf_log log = {.origin = text("l"), .keys = &log_secret.verifier, .count = 1};
    assert_accepted(read_note(arena, hf_buffer_view(&out), &note));
    assert_accepted(
        hf_checkpoint_verify(&merkle, &note, &log, &witness.verifier, 1, seals, &cp));
    assert_true(seals[0].valid && seals[1].valid);
    assert_int_equal(seals[1].time, 200);
    /* A flipped bit anywhere in a witness's line, its time included, is refused or unknown. */
    size_t line = body.len + 1, lines = 0;
    for (size_t i = line; i < out.len && lines < 1; i++, line++)
        lines += out.data[i] == '\n';
    for (size_t i = line * 8; i < out.len * 8; i++) {
        out.data[i / 8] ^= (uint8_t)(1u << i % 8);
        enum hf_refusal r = read_note(arena, hf_buffer_view(&out), &note);
        if (r == HF_ACCEPTED)
            r = hf_checkpoint_verify(&merkle, &note, &log, &witness.verifier, 1, seals,
                                     &cp);
        /* One of the two lines may have become a stranger's; the other one then still stands. */
        if (r == HF_ACCEPTED)
            assert_true(seals[1].time == 100 || seals[1].time == 200);
        out.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_public_log_s_cosigned_checkpoint_verifies),
        cmocka_unit_test(test_each_fault_of_a_checkpoint_has_its_message),
        cmocka_unit_test(test_writing_refuses_what_would_read_as_something_else),
        cmocka_unit_test(test_the_example_of_the_cosignature_specification_is_read),
        cmocka_unit_test(test_cosignatures_of_several_times_count_once_with_the_newest),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
