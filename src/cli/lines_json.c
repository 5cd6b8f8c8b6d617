/* lines_json.c - reports and summary as JSON; every key is described in docs/json.md and
 * docs/scan.schema.json. */
#include "cli/lines.h"

#include "base/text.h"
#include "cli/verdict_table.h"

#include <stdio.h>

static void add_number(struct hf_buffer *out, const char *key, uint64_t value)
{
    hf_buffer_format(out, ",\"%s\":%llu", key, (unsigned long long)value);
}

static void add_string(struct hf_buffer *out, const char *key, struct hf_bytes value)
{
    hf_buffer_format(out, ",\"%s\":", key);
    hf_json_string(out, value);
}

static void add_text(struct hf_buffer *out, const char *key, const char *value)
{
    add_string(out, key, hf_bytes_text(value));
}

static void add_name(struct hf_buffer *out, const struct hf_db *db,
                     struct hf_signature signature)
{
    struct hf_buffer name = {0};
    if (hf_db_name(db, signature, &name) == HF_OK && !name.failed)
        hf_json_string(out, hf_buffer_view(&name));
    else
        hf_buffer_text(out, "null");
    hf_buffer_done(&name);
}

static void add_inner(struct hf_buffer *out, const struct hf_inner_path *path)
{
    hf_buffer_text(out, ",\"inner\":[");
    for (size_t i = 0; i < path->count; i++) {
        if (i > 0)
            hf_buffer_u8(out, ',');
        hf_json_string(out, path->names[i]);
    }
    hf_buffer_u8(out, ']');
}

static void add_finding(struct hf_buffer *out, const struct hf_db *db,
                        const struct hf_finding *finding)
{
    struct hf_bytes source = {0}, licence = {0};
    hf_buffer_text(out, "{\"name\":");
    add_name(out, db, finding->signature);
    add_text(out, "verdict", hf_verdict_row(finding->severity, 0)->text);
    if (hf_db_source(db, finding->signature, &source, &licence) == HF_OK) {
        add_string(out, "source", source);
        add_string(out, "licence", licence);
    } else {
        hf_buffer_text(out, ",\"source\":null,\"licence\":null");
    }
    add_inner(out, &finding->path);
    if (finding->offset != HF_NO_OFFSET) {
        add_number(out, "offset", finding->offset);
        add_number(out, "length", finding->length);
    } else {
        hf_buffer_text(out, ",\"offset\":null,\"length\":null");
    }
    add_text(out, "view", hf_view_name(finding->view));
    add_text(out, "kind", hf_finding_kind_name(finding->kind));
    hf_buffer_u8(out, '}');
}

static void add_reasons(struct hf_buffer *out, unsigned reasons)
{
    const char *gap = "";
    hf_buffer_text(out, ",\"reason\":[");
    for (size_t i = 0; i < hf_verdict_row_count; i++)
        if ((hf_verdict_rows[i].reason & reasons) != 0) {
            hf_buffer_format(out, "%s\"%s\"", gap, hf_verdict_rows[i].reason_text);
            gap = ",";
        }
    hf_buffer_u8(out, ']');
}

void hf_json_report(struct hf_buffer *out, const struct hf_db *db, struct hf_bytes path,
                    const struct hf_report *report)
{
    const struct hf_format_row *format = hf_format_row(report->format);
    hf_buffer_text(out, "{\"path\":");
    hf_json_string(out, path);
    add_text(out, "verdict", hf_verdict_row(report->verdict, report->reasons)->text);
    add_reasons(out, report->reasons);
    hf_buffer_text(out, ",\"name\":");
    if (report->finding_count > 0)
        add_name(out, db, report->findings[0].signature);
    else
        hf_buffer_text(out, "null");
    add_text(out, "format", format != NULL ? format->name : "binary");
    add_number(out, "objects", report->objects);
    add_number(out, "rules_evaluated", report->rules);
    add_number(out, "bytes", report->bytes);
    hf_buffer_text(out, ",\"evidence\":[");
    for (size_t i = 0; i < report->finding_count; i++) {
        if (i > 0)
            hf_buffer_u8(out, ',');
        add_finding(out, db, &report->findings[i]);
    }
    hf_buffer_u8(out, ']');
    add_number(out, "evidence_dropped", report->findings_dropped);
    hf_buffer_text(out, ",\"incidents\":[");
    for (size_t i = 0; i < report->incident_count; i++) {
        const struct hf_incident *incident = &report->incidents[i];
        unsigned reason = (unsigned)incident->reason;
        hf_buffer_format(out, "%s{\"reason\":\"%s\"", i > 0 ? "," : "",
                         hf_verdict_row(HF_UNSCANNABLE, reason)->reason_text);
        add_inner(out, &incident->path);
        hf_buffer_u8(out, '}');
    }
    hf_buffer_text(out, "],\"suspended\":[");
    for (size_t i = 0; i < report->suspended_count; i++) {
        hf_buffer_text(out, i > 0 ? "," : "");
        add_name(out, db, report->suspended[i]);
    }
    hf_buffer_u8(out, ']');
    add_number(out, "suspended_dropped", report->suspended_dropped);
    hf_buffer_text(out, "}\n");
}

static void add_key_of(struct hf_buffer *out, const char *words, uint64_t value, bool first)
{
    hf_buffer_text(out, first ? "\"" : ",\"");
    for (; *words != 0; words++)
        hf_buffer_u8(out, *words == ' ' ? '_' : (uint8_t)*words);
    hf_buffer_format(out, "\":%llu", (unsigned long long)value);
}

void hf_json_summary(struct hf_buffer *out, const struct hf_db *db,
                     const struct hf_summary *summary)
{
    const struct hf_totals *totals = summary->totals;
    uint8_t generation[16];
    hf_buffer_text(out, "{\"summary\":true,\"version\":\"" HOLDFAST_VERSION "\"");
    add_number(out, "files", totals->files);
    add_number(out, "file_bytes", totals->file_bytes);
    add_number(out, "objects", totals->objects);
    add_number(out, "bytes", totals->bytes);
    hf_buffer_text(out, ",\"verdicts\":{");
    for (int v = HF_INFECTED; v >= HF_CLEAN; v--)
        add_key_of(out, hf_verdict_text((enum hf_verdict)v), totals->by_verdict[v],
                   v == HF_INFECTED);
    hf_buffer_u8(out, '}');
    add_number(out, "incomplete", totals->incomplete);
    hf_buffer_text(out, ",\"reasons\":{");
    bool first = true;
    for (size_t i = 0; i < hf_verdict_row_count; i++) {
        const struct hf_verdict_row *row = &hf_verdict_rows[i];
        if (row->reason == 0)
            continue;
        add_key_of(out, row->reason_text, totals->by_reason[__builtin_ctz(row->reason)],
                   first);
        first = false;
    }
    hf_buffer_u8(out, '}');
    add_number(out, "known_clean", totals->known);
    add_number(out, "errors", totals->errors);
    hf_buffer_text(out, ",\"skipped\":{");
    for (int i = 0; i < HF_SKIP_COUNT; i++)
        add_key_of(out, hf_walk_skip_text((enum hf_walk_skip)i), totals->skipped[i],
                   i == 0);
    hf_buffer_text(out, "},\"database\":{\"name\":");
    hf_json_string(out, hf_bytes_text(summary->database));
    hf_db_generation(db, generation);
    hf_buffer_text(out, ",\"generation\":\"");
    hf_hex(out, hf_bytes_of(generation, sizeof generation));
    hf_buffer_u8(out, '"');
    add_number(out, "signatures", summary->signatures);
    add_number(out, "signatures_skipped", summary->signatures_skipped);
    hf_buffer_format(out, "},\"workers\":{\"crashes\":%llu,\"timeouts\":%llu}",
                     (unsigned long long)totals->crashes,
                     (unsigned long long)totals->timeouts);
    hf_buffer_format(out, ",\"seconds\":%.3f,\"interrupted\":%s,\"exit_code\":%d}\n",
                     summary->seconds, summary->interrupted ? "true" : "false",
                     summary->exit_code);
}
