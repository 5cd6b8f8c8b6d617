/* Messages: what is encoded decodes to the same, and nothing else decodes. */
#include "jail/protocol.h"

#include "base/auto.h"
#include "jail/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_message decode(const struct hf_buffer *b, struct hf_arena *arena)
{
    struct hf_cursor c = hf_cursor_open(b->data, b->len, NULL);
    struct hf_message m;
    assert_int_equal(hf_msg_next(&c, arena, &m), HF_OK);
    assert_int_equal(hf_msg_next(&c, arena, &(struct hf_message){0}), HF_NOTFOUND);
    return m;
}

static void test_control_messages_come_back_as_they_were(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_msg_config config = {.limits = {1, 2, 3, 4, 5, 6},
                                   .all_match = true,
                                   .flat = true,
                                   .tell = {.rules = true, .lines = true, .data_max = 9},
                                   .has_report = true,
                                   .has_externals = true,
                                   .externals = hf_bytes_text("values"),
                                   .memory = 7};
    hf_msg_put_config(&b, &config);
    struct hf_message m = decode(&b, arena);
    assert_int_equal(m.type, HF_MSG_CONFIG);
    assert_memory_equal(&m.config.limits, &config.limits, sizeof config.limits);
    assert_true(m.config.all_match);
    assert_int_equal(m.config.memory, 7);
    assert_true(m.config.flat && m.config.has_report && m.config.has_externals);
    assert_true(m.config.tell.rules && !m.config.tell.matches && m.config.tell.lines);
    assert_int_equal(m.config.tell.data_max, 9);
    assert_true(hf_bytes_equal(m.config.externals, hf_bytes_text("values")));
    hf_buffer_clear(&b);
    hf_msg_put_told(&b, &(struct hf_msg_told){78, hf_bytes_text("told")});
    m = decode(&b, arena);
    assert_int_equal(m.told.object, 78);
    assert_true(hf_bytes_equal(m.told.piece, hf_bytes_text("told")));
    hf_buffer_clear(&b);
    hf_msg_put_ready(&b, &(struct hf_msg_ready){HF_NOMEM, 5, hf_bytes_text("why")});
    m = decode(&b, arena);
    assert_int_equal(m.ready.status, HF_NOMEM);
    assert_int_equal(m.ready.layers, 5);
    assert_true(hf_bytes_equal(m.ready.text, hf_bytes_text("why")));
    hf_buffer_clear(&b);
    hf_msg_put_exited(&b, &(struct hf_msg_exited){9, -1});
    m = decode(&b, arena);
    assert_int_equal(m.exited.serial, 9);
    assert_int_equal(m.exited.wait_status, -1);
}

static void test_findings_come_back_with_their_paths(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_bytes names[] = {hf_bytes_text("a.zip"), hf_bytes_of("\0\n", 2), {0}};
    struct hf_msg_finding in = {
        .object = 77,
        .finding = {.signature = {1, 2},
                    .kind = HF_FINDING_SHA256,
                    .severity = HF_PUA,
                    .indicator = true,
                    .view = HF_VIEW_TEXT,
                    .offset = HF_NO_OFFSET,
                    .length = 3,
                    .path = {names, 3}},
    };
    hf_msg_put_finding(&b, &in);
    struct hf_message m = decode(&b, arena);
    const struct hf_finding *f = &m.finding.finding;
    assert_int_equal(m.finding.object, 77);
    assert_int_equal(f->signature.number, 2);
    assert_int_equal(f->kind, HF_FINDING_SHA256);
    assert_int_equal(f->severity, HF_PUA);
    assert_true(f->indicator);
    assert_int_equal(f->view, HF_VIEW_TEXT);
    assert_true(f->offset == HF_NO_OFFSET);
    assert_int_equal(f->path.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(hf_bytes_equal(f->path.names[i], names[i]));
}

static void test_inspected_objects_come_back_without_their_facts(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_bytes names[] = {hf_bytes_text("a.zip")};
    struct hf_msg_object in = {
        .object = 77,
        .seen = {.path = {names, 1},
                 .format = HF_FORMAT_ELF,
                 .also = {HF_FORMAT_ZIP},
                 .also_count = 1,
                 .size = 12345,
                 .digests = {.have = 1u << HF_MD5 | 1u << HF_SHA256},
                 .facts = {NULL, 999},
                 .facts_cut = true},
    };
    memset(in.seen.digests.value[HF_SHA256], 0xab, 32);
    hf_msg_put_object(&b, &in);
    struct hf_message m = decode(&b, arena);
    const struct hf_inspected *s = &m.seen_object.seen;
    assert_int_equal(m.type, HF_MSG_OBJECT);
    assert_int_equal(m.seen_object.object, 77);
    assert_int_equal(s->format, HF_FORMAT_ELF);
    assert_true(s->also_count == 1 && s->also[0] == HF_FORMAT_ZIP);
    assert_int_equal(s->size, 12345);
    assert_int_equal(s->digests.have, 1u << HF_MD5 | 1u << HF_SHA256);
    assert_memory_equal(s->digests.value[HF_SHA256], in.seen.digests.value[HF_SHA256], 32);
    assert_int_equal(s->facts.len, 999);
    assert_null(s->facts.data);
    assert_true(s->facts_cut && s->path.count == 1);
    hf_buffer_clear(&b);
    hf_msg_put_facts(&b, &(struct hf_msg_facts){77, hf_bytes_text("facts")});
    m = decode(&b, arena);
    assert_int_equal(m.type, HF_MSG_FACTS);
    assert_true(hf_bytes_equal(m.facts.piece, hf_bytes_text("facts")));
    hf_buffer_clear(&b);
    hf_msg_put_form(&b, &(struct hf_msg_form){77, 1, 5, hf_bytes_text("form")});
    m = decode(&b, arena);
    assert_int_equal(m.type, HF_MSG_FORM);
    assert_int_equal(m.form.part, 1);
    assert_int_equal(m.form.offset, 5);
    assert_true(hf_bytes_equal(m.form.piece, hf_bytes_text("form")));
}

static void test_the_longest_finding_fits_in_a_datagram(void **state)
{
    (void)state;
    static uint8_t name[4 * HF_INNER_NAME_MAX];
    struct hf_bytes names[2 * HF_INNER_DEPTH_MAX];
    for (size_t i = 0; i < 2 * HF_INNER_DEPTH_MAX; i++)
        names[i] = hf_bytes_of(name, sizeof name);
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_msg_finding in = {
        .finding = {.severity = HF_INFECTED, .path = {names, 2 * HF_INNER_DEPTH_MAX}}};
    hf_msg_put_finding(&b, &in);
    assert_true(b.len < HF_MESSAGE_MAX);
    assert_int_equal(decode(&b, arena).finding.finding.path.count, HF_INNER_DEPTH_MAX);
}

/* Each change of one byte either is refused or is another value, never read past the end. */
static void test_damaged_messages_are_refused(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_msg_put_batch(&b, &(struct hf_msg_batch){.first = 1, .count = 2});
    struct hf_message m;
    for (size_t cut = 1; cut < b.len; cut++) {
        struct hf_cursor c = hf_cursor_open(b.data, cut, NULL);
        assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED);
    }
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0},    {0, 99},
        {1, 1}, /* type */
        {4, 11},   {4, 13},
        {7, 0xff},                         /* length: shorter, longer, huge */
        {16, 0},   {16, HF_BATCH_MAX + 1}, /* count */
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t kept = b.data[changes[i].at];
        b.data[changes[i].at] = changes[i].value;
        struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
        assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED);
        b.data[changes[i].at] = kept;
    }
    hf_buffer_clear(&b);
    hf_msg_put_batch(&b, &(struct hf_msg_batch){.first = UINT64_MAX - 1, .count = 2});
    struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
    assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED); /* numbers would wrap */
}

static void test_values_out_of_range_are_refused(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_message m;
    hf_msg_put_incident(&b, &(struct hf_msg_incident){.incident.reason = 3});
    struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
    assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED); /* two reasons */
    hf_buffer_clear(&b);
    hf_msg_put_finding(&b, &(struct hf_msg_finding){.finding.severity = HF_CLEAN});
    c = hf_cursor_open(b.data, b.len, NULL);
    assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED);
    hf_buffer_clear(&b);
    hf_msg_put_done(&b, &(struct hf_msg_done){.verdict = HF_INFECTED + 1});
    c = hf_cursor_open(b.data, b.len, NULL);
    assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED);
    hf_buffer_clear(&b);
    hf_msg_put_done(&b, &(struct hf_msg_done){.format = HF_FORMAT_COUNT});
    c = hf_cursor_open(b.data, b.len, NULL);
    assert_int_equal(hf_msg_next(&c, arena, &m), HF_MALFORMED);
}

static void test_the_last_words_of_a_peer_that_left_mail_unread_arrive(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(hf_channel_send(ends[0], hf_bytes_text("unread"), NULL, 0, false),
                     HF_OK);
    assert_int_equal(hf_channel_send(ends[1], hf_bytes_text("last"), NULL, 0, false),
                     HF_OK);
    close(ends[1]);
    uint8_t room[16];
    struct hf_datagram d = {.data = room, .room = sizeof room};
    assert_int_equal(hf_channel_receive(ends[0], &d, false), HF_OK);
    assert_int_equal(d.len, 4);
    assert_int_equal(hf_channel_receive(ends[0], &d, false), HF_NOTFOUND);
    close(ends[0]);
}

static void test_unwanted_descriptors_and_long_datagrams_are_refused(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    uint8_t room[4];
    struct hf_datagram none = {.data = room, .room = sizeof room};
    assert_int_equal(hf_channel_send(ends[1], hf_bytes_text("fd"), ends, 1, false), HF_OK);
    assert_int_equal(hf_channel_receive(ends[0], &none, false), HF_MALFORMED);
    int fd, two[] = {ends[0], ends[1]};
    struct hf_datagram one = {.data = room, .room = sizeof room, .fds = &fd, .fd_room = 1};
    assert_int_equal(hf_channel_send(ends[1], hf_bytes_text("two"), two, 2, false), HF_OK);
    assert_int_equal(hf_channel_receive(ends[0], &one, false), HF_MALFORMED);
    assert_int_equal(one.fd_count, 0);
    assert_int_equal(hf_channel_send(ends[1], hf_bytes_text("too long"), NULL, 0, false),
                     HF_OK);
    assert_int_equal(hf_channel_receive(ends[0], &none, false), HF_MALFORMED);
    int next = dup(0); /* nothing was left open */
    assert_int_equal(next, ends[1] + 1);
    close(next);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_messages_come_back_as_they_were),
        cmocka_unit_test(test_findings_come_back_with_their_paths),
        cmocka_unit_test(test_inspected_objects_come_back_without_their_facts),
        cmocka_unit_test(test_the_longest_finding_fits_in_a_datagram),
        cmocka_unit_test(test_damaged_messages_are_refused),
        cmocka_unit_test(test_values_out_of_range_are_refused),
        cmocka_unit_test(test_the_last_words_of_a_peer_that_left_mail_unread_arrive),
        cmocka_unit_test(test_unwanted_descriptors_and_long_datagrams_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
