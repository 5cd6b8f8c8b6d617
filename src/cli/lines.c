#include "cli/lines.h"

#include "base/auto.h"
#include "base/text.h"
#include "cli/verdict_table.h"

#include <stdio.h>

#define PLAIN "\033[0m"

/* ---- one file ---- */

static void add_verdict(struct hf_buffer *out, const struct hf_lines *lines,
                        const struct hf_verdict_row *row)
{
    enum { WIDTH = 11 }; /* "unscannable": paths start in one column */
    hf_buffer_format(out, "%s%s%s%*s  ", lines->colour ? row->colour : "", row->text,
                     lines->colour ? PLAIN : "", (int)(WIDTH - strlen(row->text)), "");
}

static void add_place(struct hf_buffer *out, struct hf_bytes path,
                      const struct hf_inner_path *inner)
{
    hf_escape(out, path);
    for (size_t i = 0; i < inner->count; i++) {
        hf_buffer_u8(out, '!');
        hf_escape(out, inner->names[i]);
    }
}

static void add_reasons(struct hf_buffer *out, unsigned reasons)
{
    const char *gap = "  (";
    for (size_t i = 0; i < hf_verdict_row_count; i++)
        if ((hf_verdict_rows[i].reason & reasons) != 0) {
            hf_buffer_format(out, "%s%s", gap, hf_verdict_rows[i].reason_text);
            gap = ", ";
        }
    hf_buffer_u8(out, ')');
}

/* Take away the line that begins at start when the same one stands shortly before it: two
 * signatures of one name, say a digest and a pattern. from is where the file's lines begin. */
static void drop_repeated(struct hf_buffer *out, size_t from, size_t start)
{
    enum { LOOK_BACK = 8192 }; /* bounded: a file may have thousands of findings */
    if (out->failed || start - from == 0)
        return;
    if (start - from > LOOK_BACK)
        from = start - LOOK_BACK;
    const uint8_t *line = out->data + start;
    size_t len = out->len - start;
    for (size_t at = from; at < start; at++) {
        const uint8_t *same = memmem(out->data + at, start - at, line, len);
        if (same == NULL)
            return;
        at = (size_t)(same - out->data);
        if (at == from || out->data[at - 1] == '\n') {
            out->len = start;
            return;
        }
    }
}

static void add_finding(struct hf_buffer *out, const struct hf_lines *lines,
                        struct hf_bytes path, const struct hf_finding *finding)
{
    struct hf_buffer name = {0};
    add_verdict(out, lines, hf_verdict_row(finding->severity, 0));
    add_place(out, path, &finding->path);
    hf_buffer_text(out, "  ");
    if (hf_db_name(lines->db, finding->signature, &name) == HF_OK && !name.failed)
        hf_escape(out, hf_buffer_view(&name));
    else /* a number that the database does not know: a lying worker, or a damaged database */
        hf_buffer_format(out, "(signature %u.%u)", finding->signature.segment,
                         finding->signature.number);
    hf_buffer_u8(out, '\n');
    hf_buffer_done(&name);
}

/* Signatures that were given up in this file: who relies on one should know, whatever else the
 * file is. */
static void add_suspended(struct hf_buffer *out, const struct hf_lines *lines,
                          struct hf_bytes path, const struct hf_report *report)
{
    for (size_t i = 0; i < report->suspended_count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
        hf_buffer_text(out, "suspended    ");
        hf_escape(out, path);
        hf_buffer_text(out, "  ");
        if (hf_db_name(lines->db, report->suspended[i], &name) == HF_OK && !name.failed)
            hf_escape(out, hf_buffer_view(&name));
        hf_buffer_text(out, " (too costly here)\n");
    }
    if (report->suspended_dropped > 0)
        hf_buffer_format(out, "suspended    %llu more\n",
                         (unsigned long long)report->suspended_dropped);
}

/* Where something was not looked at; reasons without a known place are the file's. */
static void add_incidents(struct hf_buffer *out, const struct hf_lines *lines,
                          struct hf_bytes path, const struct hf_report *report)
{
    unsigned told = 0;
    for (size_t i = 0; lines->verbose && i < report->incident_count; i++) {
        const struct hf_incident *incident = &report->incidents[i];
        add_verdict(out, lines, hf_verdict_row(HF_UNSCANNABLE, (unsigned)incident->reason));
        add_place(out, path, &incident->path);
        add_reasons(out, (unsigned)incident->reason);
        hf_buffer_u8(out, '\n');
        told |= (unsigned)incident->reason;
    }
    if ((report->reasons & ~told) == 0)
        return;
    add_verdict(out, lines, hf_verdict_row(HF_UNSCANNABLE, report->reasons & ~told));
    hf_escape(out, path);
    add_reasons(out, report->reasons & ~told);
    hf_buffer_u8(out, '\n');
}

void hf_lines_report(struct hf_buffer *out, const struct hf_lines *lines,
                     struct hf_bytes path, const struct hf_report *report)
{
    bool found = report->verdict > HF_UNSCANNABLE;
    if (lines->json) {
        if (report->verdict != HF_CLEAN || report->suspended_count > 0 || lines->verbose)
            hf_json_report(out, lines->db, path, report);
        return;
    }
    size_t from = out->len;
    for (size_t i = 0; i < report->finding_count && (i == 0 || lines->all_match); i++) {
        size_t start = out->len;
        add_finding(out, lines, path, &report->findings[i]);
        drop_repeated(out, from, start);
    }
    if (found && report->finding_count == 0) {
        /* Found, but the evidence had no room: never silent. */
        add_verdict(out, lines, hf_verdict_row(report->verdict, 0));
        hf_escape(out, path);
        hf_buffer_text(out, "  (no evidence kept)\n");
    }
    if (lines->quiet)
        return;
    add_suspended(out, lines, path, report);
    if (report->reasons != 0 && (lines->verbose || (lines->strict && !found)))
        add_incidents(out, lines, path, report);
    if (report->verdict == HF_CLEAN && lines->verbose) {
        add_verdict(out, lines, hf_verdict_row(HF_CLEAN, 0));
        hf_escape(out, path);
        hf_buffer_u8(out, '\n');
    }
}

void hf_lines_error(struct hf_buffer *out, const struct hf_lines *lines,
                    struct hf_bytes path, const char *why, int error)
{
    const char *colon = error != 0 ? ": " : "";
    const char *detail = error != 0 ? strerror(error) : "";
    if (lines->json) {
        struct hf_buffer text = {0};
        hf_buffer_format(&text, "%s%s%s", why, colon, detail);
        hf_buffer_text(out, "{\"path\":");
        hf_json_string(out, path);
        hf_buffer_text(out, ",\"error\":");
        hf_json_string(out, hf_buffer_view(&text));
        hf_buffer_text(out, "}\n");
        hf_buffer_done(&text);
        return;
    }
    hf_buffer_text(out, "holdfast scan: ");
    hf_escape(out, path);
    hf_buffer_format(out, ": %s%s%s\n", why, colon, detail);
}

void hf_lines_skipped(struct hf_buffer *out, const struct hf_lines *lines,
                      struct hf_bytes path, const char *why)
{
    if (!lines->verbose || lines->quiet)
        return;
    if (lines->json) {
        hf_buffer_text(out, "{\"path\":");
        hf_json_string(out, path);
        hf_buffer_text(out, ",\"skipped\":");
        hf_json_string(out, hf_bytes_text(why));
        hf_buffer_text(out, "}\n");
        return;
    }
    hf_buffer_text(out, "skipped      ");
    hf_escape(out, path);
    hf_buffer_format(out, "  (%s)\n", why);
}

/* ---- totals ---- */

void hf_totals_add(struct hf_totals *totals, const struct hf_report *report)
{
    totals->files++;
    totals->objects += report->objects;
    totals->bytes += report->bytes;
    totals->by_verdict[hf_verdict_row(report->verdict, report->reasons)->verdict]++;
    totals->incomplete += report->reasons != 0;
    for (unsigned bit = 0; bit < 8; bit++)
        totals->by_reason[bit] += report->reasons >> bit & 1;
}

enum hf_exit hf_totals_exit(const struct hf_totals *totals, bool strict)
{
    enum hf_exit code = totals->errors > 0 ? HF_EXIT_ERROR : HF_EXIT_OK;
    for (size_t i = 0; i < hf_verdict_row_count; i++) {
        const struct hf_verdict_row *row = &hf_verdict_rows[i];
        if (totals->by_verdict[row->verdict] > 0)
            code = hf_exit_worse(code, strict ? row->exit_strict : row->exit);
    }
    return code;
}

/* ---- summary for people ---- */

/* "1,234,567" */
static void add_count(struct hf_buffer *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            hf_buffer_u8(out, ',');
        hf_buffer_u8(out, (uint8_t)digits[i]);
    }
}

/* "3 encrypted" in a list; nothing for 0. */
static void add_part(struct hf_buffer *out, const char **gap, uint64_t n, const char *what)
{
    if (n == 0)
        return;
    hf_buffer_text(out, *gap);
    add_count(out, n);
    hf_buffer_format(out, " %s", what);
    *gap = ", ";
}

static void add_found(struct hf_buffer *out, const struct hf_totals *totals)
{
    const char *gap = "";
    hf_buffer_text(out, "Found        ");
    add_part(out, &gap, totals->by_verdict[HF_INFECTED], "infected");
    add_part(out, &gap, totals->by_verdict[HF_SUSPICIOUS], "suspicious");
    add_part(out, &gap, totals->by_verdict[HF_PUA], "pua");
    hf_buffer_text(out, gap[0] == 0 ? "nothing\n" : "\n");
}

static void add_not_scanned(struct hf_buffer *out, const struct hf_totals *totals)
{
    if (totals->incomplete > 0) {
        const char *gap = ": ";
        hf_buffer_text(out, "Incomplete   ");
        add_count(out, totals->incomplete);
        for (size_t i = 0; i < hf_verdict_row_count; i++)
            if (hf_verdict_rows[i].reason != 0)
                add_part(out, &gap,
                         totals->by_reason[__builtin_ctz(hf_verdict_rows[i].reason)],
                         hf_verdict_rows[i].reason_text);
        hf_buffer_u8(out, '\n');
    }
    if (totals->errors > 0) {
        hf_buffer_text(out, "Errors       ");
        add_count(out, totals->errors);
        hf_buffer_u8(out, '\n');
    }
    const char *gap = "Skipped      ";
    for (int i = 0; i < HF_SKIP_COUNT; i++)
        add_part(out, &gap, totals->skipped[i], hf_walk_skip_text((enum hf_walk_skip)i));
    if (gap[0] == ',')
        hf_buffer_u8(out, '\n');
}

static void add_database(struct hf_buffer *out, const struct hf_lines *lines,
                         const struct hf_summary *summary)
{
    uint8_t generation[16];
    hf_db_generation(lines->db, generation);
    hf_buffer_text(out, "Database     ");
    hf_escape(out, hf_bytes_text(summary->database));
    hf_buffer_text(out, ", generation ");
    hf_hex(out,
           hf_bytes_of(generation, 6)); /* enough to tell two apart; JSON has all of it */
    hf_buffer_text(out, ", ");
    add_count(out, summary->signatures);
    hf_buffer_text(out, " signatures");
    if (summary->signatures_skipped > 0) {
        hf_buffer_text(out, " (");
        add_count(out, summary->signatures_skipped);
        hf_buffer_text(out, " more of kinds that are not evaluated)");
    }
    hf_buffer_u8(out, '\n');
}

void hf_lines_summary(struct hf_buffer *out, const struct hf_lines *lines,
                      const struct hf_summary *summary)
{
    if (lines->json) {
        hf_json_summary(out, lines->db, summary);
        return;
    }
    const struct hf_totals *totals = summary->totals;
    hf_buffer_text(out, summary->interrupted ? "\nScanned      (interrupted) "
                                             : "\nScanned      ");
    add_count(out, totals->files);
    hf_buffer_text(out, totals->files == 1 ? " file, " : " files, ");
    hf_format_size(out, totals->file_bytes);
    hf_buffer_text(out, "; with what is inside ");
    add_count(out, totals->objects);
    hf_buffer_text(out, totals->objects == 1 ? " object, " : " objects, ");
    hf_format_size(out, totals->bytes);
    hf_buffer_u8(out, '\n');
    if (totals->known > 0) {
        hf_buffer_text(out, "Known clean  ");
        add_count(out, totals->known);
        hf_buffer_text(out, " of them, not read again\n");
    }
    add_found(out, totals);
    add_not_scanned(out, totals);
    add_database(out, lines, summary);
    hf_buffer_format(out, "Time         %.2f s", summary->seconds);
    if (summary->seconds > 0) {
        hf_buffer_text(out, ", ");
        hf_format_size(out, (uint64_t)((double)totals->file_bytes / summary->seconds));
        hf_buffer_text(out, "/s, ");
        add_count(out, (uint64_t)((double)totals->files / summary->seconds));
        hf_buffer_text(out, " files/s");
    }
    hf_buffer_u8(out, '\n');
}
