#include "scan/report.h"

#include <stdlib.h>

const char *hf_finding_kind_name(enum hf_finding_kind kind)
{
    switch (kind) {
    case HF_FINDING_MD5: return "md5";
    case HF_FINDING_SHA1: return "sha1";
    case HF_FINDING_SHA256: return "sha256";
    case HF_FINDING_PATTERN: return "pattern";
    case HF_FINDING_RULE: return "rule";
    }
    return "unknown";
}

struct hf_report hf_report_begin(struct hf_arena *arena)
{
    return (struct hf_report){.arena = arena};
}

static struct hf_bytes cut_name(struct hf_arena *arena, struct hf_bytes name)
{
    if (name.len > HF_INNER_NAME_MAX)
        name.len = HF_INNER_NAME_MAX;
    return hf_arena_copy(arena, name);
}

/* False when out of memory. */
static bool copy_path(struct hf_arena *arena, const struct hf_inner_path *from,
                      struct hf_inner_path *to)
{
    size_t count = from->count < HF_INNER_DEPTH_MAX ? from->count : HF_INNER_DEPTH_MAX;
    to->count = 0;
    to->names = hf_arena_array(arena, count, sizeof *to->names);
    if (to->names == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t which =
            i + 1 == count ? from->count - 1 : i; /* the innermost is always kept */
        to->names[i] = cut_name(arena, from->names[which]);
        if (to->names[i].data == NULL)
            return false;
    }
    to->count = count;
    return true;
}

/* A signature that holds for several views of an object counts once: what came first stays. */
static bool is_known(const struct hf_report *report, const struct hf_finding *finding)
{
    for (size_t i = report->finding_count; i-- > 0;) {
        const struct hf_finding *f = &report->findings[i];
        if (f->order != finding->order)
            return false;
        if (f->signature.segment == finding->signature.segment &&
            f->signature.number == finding->signature.number && f->view != finding->view)
            return true;
    }
    return false;
}

void hf_report_found(struct hf_report *report, const struct hf_finding *finding)
{
    if (is_known(report, finding))
        return;
    struct hf_finding *items = NULL;
    if (report->finding_count < HF_FINDINGS_MAX)
        items = hf_arena_grow(report->arena, report->findings, report->finding_count,
                              sizeof *items);
    struct hf_inner_path path;
    if (items == NULL || !copy_path(report->arena, &finding->path, &path)) {
        report->findings_dropped++;
        /* The verdict must not depend on room for evidence. */
        if (finding->severity > report->verdict)
            report->verdict = finding->severity;
        return;
    }
    report->findings = items;
    items[report->finding_count] = *finding;
    items[report->finding_count].path = path;
    report->finding_count++;
}

static bool same_path(const struct hf_inner_path *a, const struct hf_inner_path *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!hf_bytes_equal(a->names[i], b->names[i]))
            return false;
    return true;
}

void hf_report_incident(struct hf_report *report, enum hf_reason reason,
                        const struct hf_inner_path *path)
{
    static const struct hf_inner_path itself = {0};
    report->reasons |= (unsigned)reason;
    if (path == NULL)
        path = &itself;
    for (size_t i = 0; i < report->incident_count; i++)
        if (report->incidents[i].reason == reason &&
            same_path(&report->incidents[i].path, path))
            return;
    if (report->incident_count == HF_INCIDENTS_MAX)
        return;
    struct hf_incident *items = hf_arena_grow(report->arena, report->incidents,
                                              report->incident_count, sizeof *items);
    if (items == NULL)
        return;
    report->incidents = items;
    struct hf_incident *new = &items[report->incident_count];
    new->reason = reason;
    if (copy_path(report->arena, path, &new->path))
        report->incident_count++;
}

static int compare_signatures(struct hf_signature a, struct hf_signature b)
{
    if (a.segment != b.segment)
        return a.segment < b.segment ? -1 : 1;
    return (a.number > b.number) - (a.number < b.number);
}

void hf_report_suspended(struct hf_report *report, struct hf_signature signature)
{
    size_t at = report->suspended_count;
    for (size_t i = 0; i < report->suspended_count; i++)
        if (compare_signatures(report->suspended[i], signature) == 0)
            return;
    struct hf_signature *items = NULL;
    if (at < HF_SUSPENDED_MAX)
        items = hf_arena_grow(report->arena, report->suspended, at, sizeof *items);
    if (items == NULL) {
        report->suspended_dropped++;
        return;
    }
    for (; at > 0 && compare_signatures(items[at - 1], signature) > 0; at--)
        items[at] = items[at - 1];
    items[at] = signature;
    report->suspended = items;
    report->suspended_count++;
}

void hf_report_inspected(struct hf_report *report, const struct hf_inspected *object)
{
    struct hf_inspected *items = NULL, new = *object;
    if (report->inspected_count < HF_INSPECTED_MAX)
        items = hf_arena_grow(report->arena, report->inspected, report->inspected_count,
                              sizeof *items);
    new.facts = hf_arena_copy(report->arena, object->facts);
    if (items == NULL || !copy_path(report->arena, &object->path, &new.path) ||
        new.facts.data == NULL) {
        report->inspected_dropped++;
        return;
    }
    report->inspected = items;
    items[report->inspected_count++] = new;
}

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Body before digest before rule before digests of parts, as ClamAV reports them; members are told before
 * they are unpacked. [facts/clamav.md 1.2, 1.5] */
static unsigned rank_of(const struct hf_finding *f)
{
    if (f->member || f->body)
        return f->member ? 0 : 1;
    enum hf_finding_kind kind = f->kind == HF_FINDING_PATTERN ? HF_FINDING_RULE : f->kind;
    return 2 + (unsigned)kind + (f->part ? 1 + (unsigned)HF_FINDING_RULE : 0);
}

static int compare_findings(const void *left, const void *right)
{
    const struct hf_finding *a = left, *b = right;
    const int keys[] = {
        by_number(a->indicator, b->indicator),
        by_number(a->order, b->order),
        by_number(a->view, b->view),
        by_number(rank_of(a), rank_of(b)),
        by_number(a->general, b->general),
        by_number(a->signature.segment, b->signature.segment),
        by_number(a->signature.number, b->signature.number),
        by_number(a->offset, b->offset),
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i] != 0)
            return keys[i];
    return 0;
}

void hf_report_finish(struct hf_report *report)
{
    if (report->finding_count > 1)
        qsort(report->findings, report->finding_count, sizeof *report->findings,
              compare_findings);
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].severity > report->verdict)
            report->verdict = report->findings[i].severity;
    if (report->first_only && report->finding_count > 1)
        report->finding_count = 1;
    if (report->verdict == HF_CLEAN && report->reasons != 0)
        report->verdict = HF_UNSCANNABLE;
}
