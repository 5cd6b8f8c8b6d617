#include "cli/inspect_lines.h"

#include "base/auto.h"
#include "base/text.h"
#include "cli/fact_tree.h"
#include "cli/verdict_table.h"

#include <stdio.h>

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

enum { TREE_BYTES_MAX = 512 << 20, SHOWN_LIST = 12, SHOWN_STRING = 200 };

static void put_name(struct hf_buffer *out, const struct hf_db *db, struct hf_signature s)
{
    struct hf_buffer name = {0};
    if (hf_db_name(db, s, &name) == HF_OK && !name.failed)
        hf_escape(out, hf_buffer_view(&name));
    else
        hf_buffer_format(out, "(signature %u.%u)", s.segment, s.number);
    hf_buffer_done(&name);
}

/* ---- for people ---- */

static void put_label(struct hf_buffer *out, unsigned indent, const char *label)
{
    hf_buffer_format(out, "%*s%-8s", (int)(2 * indent), "", label);
}

static void put_format(struct hf_buffer *out, const struct hf_inspected *o)
{
    hf_buffer_text(out, hf_format_row(o->format)->name);
    for (size_t i = 0; i < o->also_count; i++)
        hf_buffer_format(out, ", also %s", hf_format_row(o->also[i])->name);
    hf_buffer_u8(out, '\n');
}

static void put_size(struct hf_buffer *out, uint64_t size)
{
    hf_format_size(out, size);
    if (size >= 1024)
        hf_buffer_format(out, " (%llu bytes)", (unsigned long long)size);
    hf_buffer_u8(out, '\n');
}

static enum hf_status put_facts(struct hf_buffer *out, const struct hf_inspect_lines *lines,
                                const struct hf_inspected *o, unsigned indent)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(TREE_BYTES_MAX);
    struct hf_fact_node *modules = NULL;
    if (arena == NULL)
        return HF_NOMEM;
    enum hf_status st = hf_fact_tree_read(o->facts, arena, &modules);
    const struct hf_fact_print how = {
        .colour = lines->colour,
        .whole = lines->all,
        .list_max = lines->all ? SIZE_MAX : SHOWN_LIST,
        .string_max = lines->all ? SIZE_MAX : SHOWN_STRING,
    };
    for (const struct hf_fact_node *m = modules; m != NULL; m = m->next)
        hf_fact_tree_print(out, &how, m, indent);
    if (o->facts_cut || st != HF_OK)
        hf_buffer_format(out, "%*s(more facts than fit)\n", (int)(2 * indent), "");
    return st == HF_NOMEM ? st : HF_OK;
}

static void put_object(struct hf_buffer *out, const struct hf_inspect_lines *lines,
                       struct hf_bytes path, const struct hf_inspected *o)
{
    unsigned indent = (unsigned)o->path.count;
    hf_buffer_format(out, "%*s%s", (int)(2 * indent), "", lines->colour ? BOLD : "");
    struct hf_bytes name = o->path.count == 0 ? path : o->path.names[o->path.count - 1];
    hf_escape(out, name);
    /* What a compressor packs has no name of its own. */
    hf_buffer_format(out, "%s%s\n", name.len == 0 ? "(contents)" : "",
                     lines->colour ? PLAIN : "");
    put_label(out, indent + 1, "format");
    put_format(out, o);
    put_label(out, indent + 1, "size");
    put_size(out, o->size);
    for (int k = 0; k < HF_DIGEST_KINDS; k++) {
        if ((o->digests.have >> k & 1u) == 0)
            continue;
        put_label(out, indent + 1, hf_digest_name((enum hf_digest_kind)k));
        hf_hex(out, hf_digest_bytes(&o->digests, (enum hf_digest_kind)k));
        hf_buffer_u8(out, '\n');
    }
}

static void put_verdict(struct hf_buffer *out, const struct hf_inspect_lines *lines,
                        const struct hf_report *report)
{
    const struct hf_verdict_row *row = hf_verdict_row(report->verdict, report->reasons);
    put_label(out, 1, "verdict");
    hf_buffer_format(out, "%s%s%s", lines->colour ? row->colour : "", row->text,
                     lines->colour ? PLAIN : "");
    for (size_t i = 0; i < hf_verdict_row_count; i++)
        if ((hf_verdict_rows[i].reason & report->reasons) != 0)
            hf_buffer_format(out, ", %s", hf_verdict_rows[i].reason_text);
    hf_buffer_u8(out, '\n');
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct hf_finding *f = &report->findings[i];
        put_label(out, 1, "found");
        put_name(out, lines->db, f->signature);
        for (size_t k = 0; k < f->path.count; k++) {
            hf_buffer_text(out, k == 0 ? " in " : "!");
            hf_escape(out, f->path.names[k]);
        }
        if (f->offset != HF_NO_OFFSET)
            hf_buffer_format(out, " at %llu", (unsigned long long)f->offset);
        hf_buffer_u8(out, '\n');
    }
}

static enum hf_status report_text(struct hf_buffer *out,
                                  const struct hf_inspect_lines *lines,
                                  struct hf_bytes path, const struct hf_report *report)
{
    enum hf_status worst = HF_OK;
    if (report->inspected_count == 0) { /* a worker died of it, or it is empty */
        hf_escape(out, path);
        hf_buffer_u8(out, '\n');
    }
    for (size_t i = 0; i < report->inspected_count; i++) {
        const struct hf_inspected *o = &report->inspected[i];
        put_object(out, lines, path, o);
        if (i == 0)
            put_verdict(out, lines, report);
        enum hf_status st = put_facts(out, lines, o, (unsigned)o->path.count + 1);
        worst = worst != HF_OK ? worst : st;
    }
    if (report->inspected_count == 0)
        put_verdict(out, lines, report);
    if (report->inspected_dropped > 0)
        hf_buffer_format(out, "  ... %llu more objects\n",
                         (unsigned long long)report->inspected_dropped);
    return worst;
}

/* ---- JSON ---- */

static void json_strings(struct hf_buffer *out, const struct hf_inner_path *path)
{
    hf_buffer_u8(out, '[');
    for (size_t i = 0; i < path->count; i++) {
        hf_buffer_text(out, i > 0 ? "," : "");
        hf_json_string(out, path->names[i]);
    }
    hf_buffer_u8(out, ']');
}

/* {"elf":{...},...}. False: what came was no facts. */
static bool json_facts(struct hf_buffer *out, struct hf_bytes facts)
{
    struct hf_fact_wire_reader reader = hf_fact_wire_open(facts);
    struct hf_fact_json json = {.out = out};
    struct hf_fact_event event;
    enum hf_status st;
    const char *gap = "";
    hf_buffer_u8(out, '{');
    while ((st = hf_fact_wire_next(&reader, &event)) == HF_OK) {
        if (json.depth == 0) {
            hf_buffer_text(out, gap);
            hf_json_string(out, event.name);
            hf_buffer_u8(out, ':');
            gap = ",";
        }
        if (!hf_fact_json_visit(&json, &event))
            break;
    }
    while (json.depth > 0 && json.depth <= HF_FACT_DEPTH_MAX)
        hf_buffer_u8(out, json.in_list[--json.depth] ? ']' : '}');
    hf_buffer_u8(out, '}');
    return st == HF_NOTFOUND;
}

static void json_object(struct hf_buffer *out, const struct hf_inspected *o)
{
    hf_buffer_text(out, "{\"inner\":");
    json_strings(out, &o->path);
    hf_buffer_format(out, ",\"format\":\"%s\",\"also\":[", hf_format_row(o->format)->name);
    for (size_t i = 0; i < o->also_count; i++)
        hf_buffer_format(out, "%s\"%s\"", i > 0 ? "," : "",
                         hf_format_row(o->also[i])->name);
    hf_buffer_format(out, "],\"size\":%llu", (unsigned long long)o->size);
    for (int k = 0; k < HF_DIGEST_KINDS; k++) {
        if ((o->digests.have >> k & 1u) == 0)
            continue;
        hf_buffer_format(out, ",\"%s\":\"", hf_digest_name((enum hf_digest_kind)k));
        hf_hex(out, hf_digest_bytes(&o->digests, (enum hf_digest_kind)k));
        hf_buffer_u8(out, '"');
    }
    hf_buffer_text(out, ",\"facts\":");
    bool whole = json_facts(out, o->facts) && !o->facts_cut;
    hf_buffer_format(out, ",\"facts_complete\":%s}", whole ? "true" : "false");
}

/* The line that `scan --json` has, and the objects behind it. */
static void report_json(struct hf_buffer *out, const struct hf_inspect_lines *lines,
                        struct hf_bytes path, const struct hf_report *report)
{
    static const char end[] = "}\n";
    hf_json_report(out, lines->db, path, report);
    if (out->failed || out->len < sizeof end - 1)
        return;
    out->len -= sizeof end - 1;
    hf_buffer_text(out, ",\"inspected\":[");
    for (size_t i = 0; i < report->inspected_count; i++) {
        hf_buffer_text(out, i > 0 ? "," : "");
        json_object(out, &report->inspected[i]);
    }
    hf_buffer_format(out, "],\"inspected_dropped\":%llu%s",
                     (unsigned long long)report->inspected_dropped, end);
}

enum hf_status hf_inspect_report(struct hf_buffer *out,
                                 const struct hf_inspect_lines *lines, struct hf_bytes path,
                                 const struct hf_report *report)
{
    enum hf_status st = HF_OK;
    if (lines->json)
        report_json(out, lines, path, report);
    else
        st = report_text(out, lines, path, report);
    return out->failed ? HF_NOMEM : st;
}
