/* Lines about files whose names are the input's: whatever is in them, a line stays a line, the
 * terminal gets no control bytes, and JSON strings end where they should. */

#include "base/auto.h"
#include "base/cursor.h"
#include "base/text.h"
#include "cli/lines.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The database's names are the authors', which are hostile too. */
static struct hf_bytes signature_name;

enum hf_status hf_db_name(const struct hf_db *db, struct hf_signature signature,
                          struct hf_buffer *out)
{
    (void)db;
    hf_buffer_bytes(out, signature_name);
    return signature.number == 3 ? HF_NOTFOUND : HF_OK;
}

enum hf_status hf_db_source(const struct hf_db *db, struct hf_signature signature,
                            struct hf_bytes *source, struct hf_bytes *licence)
{
    (void)db;
    *source = *licence = signature_name;
    return signature.number == 3 ? HF_NOTFOUND : HF_OK;
}

void hf_db_generation(const struct hf_db *db, uint8_t out[16])
{
    (void)db;
    memset(out, 0, 16);
}

static size_t lines_in(const struct hf_buffer *out)
{
    size_t lines = 0;
    for (size_t i = 0; i < out->len; i++) {
        assert(out->data[i] >= 0x20 || out->data[i] == '\n');
        assert(out->data[i] != 0x7F);
        lines += out->data[i] == '\n';
    }
    assert(out->len == 0 || out->data[out->len - 1] == '\n');
    return lines;
}

/* Strings closed, brackets in pairs, nothing after the end. */
static void check_json(const struct hf_buffer *out)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i + 1 < out->len; i++) {
        uint8_t c = out->data[i];
        if (quoted) {
            quoted = c != '"';
            i += c == '\\';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            assert(depth > 0);
            depth--;
            assert(depth > 0 || i + 2 == out->len);
        }
    }
    assert(!quoted && depth == 0);
}

static struct hf_bytes some(struct hf_cursor *c)
{
    return hf_take_until(c, 0, 64, NULL);
}

static void fill(struct hf_cursor *c, struct hf_report *report, struct hf_finding *findings,
                 struct hf_incident *incidents, struct hf_bytes *names)
{
    static const enum hf_verdict severities[] = {HF_INFECTED, HF_SUSPICIOUS, HF_PUA};
    report->verdict = (enum hf_verdict)(hf_u8(c) % (HF_INFECTED + 1));
    report->reasons = hf_u8(c) & 0x7Fu;
    report->format = (enum hf_format)(hf_u8(c) % HF_FORMAT_COUNT);
    report->findings = findings;
    report->incidents = incidents;
    while (report->finding_count < 4 && hf_cursor_left(c) > 0) {
        struct hf_finding *f = &findings[report->finding_count++];
        uint8_t bits = hf_u8(c);
        *f = (struct hf_finding){.signature = {0, bits & 3},
                                 .severity = severities[bits % 3],
                                 .kind = (enum hf_finding_kind)(bits % 5),
                                 .offset = (bits & 8) != 0 ? HF_NO_OFFSET : bits};
        names[report->finding_count] = some(c);
        f->path = (struct hf_inner_path){names, (bits >> 4) % 4u};
    }
    while (report->incident_count < 2 && hf_cursor_left(c) > 0) {
        struct hf_incident *i = &incidents[report->incident_count++];
        *i = (struct hf_incident){(enum hf_reason)(1u << hf_u8(c) % 7),
                                  {names, hf_u8(c) % 4u}};
    }
}

static void check_lines(struct hf_cursor *c, struct hf_bytes path)
{
    struct hf_bytes names[8] = {{0}};
    struct hf_finding findings[4];
    struct hf_incident incidents[2];
    struct hf_report report = {0};
    uint8_t bits = hf_u8(c);
    struct hf_lines lines = {.verbose = (bits & 1) != 0,
                             .all_match = (bits & 2) != 0,
                             .strict = (bits & 4) != 0,
                             .quiet = (bits & 8) != 0};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    fill(c, &report, findings, incidents, names);
    hf_lines_report(&out, &lines, path, &report);
    assert(lines_in(&out) <= 4 + 1 + 3);
    hf_buffer_clear(&out);
    hf_lines_error(&out, &lines, path, "cannot open", bits);
    assert(lines_in(&out) == 1);
    lines.json = lines.verbose = true;
    hf_buffer_clear(&out);
    hf_lines_report(&out, &lines, path, &report);
    assert(lines_in(&out) == 1);
    check_json(&out);
    hf_buffer_clear(&out);
    hf_lines_error(&out, &lines, path, "cannot open", bits);
    assert(lines_in(&out) == 1);
    check_json(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    signature_name = some(&c);
    struct hf_bytes path = some(&c);
    check_lines(&c, path);
    return 0;
}
