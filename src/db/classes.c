#include "db/classes.h"

#include "db/db_internal.h"

#include <stdlib.h>

const char *hf_pattern_class_name(enum hf_pattern_class class)
{
    static const char *const names[HF_CLASSES] = {
        [HF_CLASS_LONG] = "long",   [HF_CLASS_MIDDLE] = "middle",
        [HF_CLASS_SHORT] = "short", [HF_CLASS_GRAM] = "gram",
        [HF_CLASS_TINY] = "tiny",   [HF_CLASS_LOCATED] = "located",
        [HF_CLASS_LOOSE] = "loose",
    };
    return names[class];
}

/* ---- counting ---- */

struct needles {
    size_t shortest;
    uint64_t count;
};

static bool on_needle(void *user, const struct hf_needle *needle)
{
    struct needles *n = user;
    n->shortest = needle->bytes.len < n->shortest ? needle->bytes.len : n->shortest;
    n->count++;
    return true;
}

static enum hf_pattern_class class_of_length(size_t shortest)
{
    return shortest >= 9   ? HF_CLASS_LONG
           : shortest >= 7 ? HF_CLASS_MIDDLE
           : shortest >= 5 ? HF_CLASS_SHORT
           : shortest == 4 ? HF_CLASS_GRAM
                           : HF_CLASS_TINY;
}

static void count_forms(const struct hf_pattern *p, struct hf_class_counts *c)
{
    c->literals += p->kind == HF_PATTERN_LITERAL;
    c->hex += p->kind == HF_PATTERN_HEX;
    c->regexes += p->kind == HF_PATTERN_REGEX;
    c->wide += (p->flags & HF_PATTERN_WIDE) != 0;
    c->nocase += (p->flags & HF_PATTERN_NOCASE) != 0;
    c->xored += (p->flags & HF_PATTERN_XOR) != 0;
    c->base64 += (p->flags & (HF_PATTERN_BASE64 | HF_PATTERN_BASE64WIDE)) != 0;
}

/* Patterns that are not searched for, marked by their class. */
static void mark(const struct hf_db *db, uint32_t segment, uint8_t *marks, uint32_t count)
{
    const struct hf_segment *s = &db->segments[segment];
    const struct hf_bytes located = s->parts[HF_DB_LOCATED].bytes;
    const struct hf_bytes loose = s->parts[HF_DB_LOOSE].bytes;
    uint32_t number;
    for (uint32_t i = 0; (number = hf_located_pattern(located, i)) != UINT32_MAX; i++)
        if (number < count)
            marks[number] = HF_CLASS_LOCATED;
    for (uint32_t i = 0; (number = hf_loose_pattern(loose, i)) != UINT32_MAX; i++)
        if (number < count)
            marks[number] = HF_CLASS_LOOSE;
}

static uint64_t places_of(const struct hf_db *db, uint32_t segment)
{
    return hf_located_places(db->segments[segment].parts[HF_DB_LOCATED].bytes);
}

enum hf_status hf_db_count_classes(const struct hf_db *db, uint32_t segment,
                                   struct hf_class_counts *counts)
{
    *counts = (struct hf_class_counts){0};
    const uint32_t count = db->segments[segment].patterns.count;
    uint8_t *marks = calloc((size_t)count + 1, 1);
    if (marks == NULL)
        return HF_NOMEM;
    mark(db, segment, marks, count);
    counts->places = places_of(db, segment);
    enum hf_status st = HF_OK;
    for (uint32_t i = 0; i < count && st == HF_OK; i++) {
        struct hf_pattern pattern;
        struct needles needles = {.shortest = SIZE_MAX};
        uint32_t rule;
        st = hf_db_pattern(db, segment, i, &pattern, &rule);
        if (st != HF_OK)
            break;
        count_forms(&pattern, counts);
        enum hf_pattern_class class = (enum hf_pattern_class)marks[i];
        if (class == 0) {
            st = hf_pattern_needles(&pattern, on_needle, &needles);
            st = st == HF_NOTFOUND ? HF_OK : st;
            class = class_of_length(needles.shortest);
        }
        counts->patterns[class]++;
        counts->needles[class] += needles.count;
    }
    free(marks);
    return st;
}

/* ---- showing ---- */

/* About what a class costs, in ns a byte, once it has members; measured with AVX-512 on a server of
 * 2024 (docs/matcher.md). Tiny ones cost their hits besides, located ones only a look a place
 * and object. */
static double cost_of(enum hf_pattern_class class, const struct hf_class_counts *c)
{
    static const double costs[HF_CLASSES] = {
        [HF_CLASS_LONG] = 0.40, [HF_CLASS_MIDDLE] = 0.18, [HF_CLASS_SHORT] = 0.30,
        [HF_CLASS_GRAM] = 0.13, [HF_CLASS_TINY] = 0.55,   [HF_CLASS_LOOSE] = 1.5,
    };
    const uint64_t blocks = (c->patterns[class] + HF_LOOSE_BLOCK - 1) / HF_LOOSE_BLOCK;
    if (c->patterns[class] == 0)
        return 0;
    if (class == HF_CLASS_GRAM && c->needles[class] > 128)
        return 0.5; /* too many for byte shuffles */
    return class == HF_CLASS_LOOSE ? costs[class] * (double)blocks : costs[class];
}

void hf_db_classes_text(const struct hf_db *db, uint32_t segment, struct hf_buffer *out)
{
    struct hf_class_counts c;
    if (hf_db_count_classes(db, segment, &c) != HF_OK) {
        hf_buffer_text(out, "  classes: damaged\n");
        return;
    }
    hf_buffer_text(out, "  patterns by class  patterns      needles  about s/GB\n");
    for (int k = 0; k < HF_CLASSES; k++)
        hf_buffer_format(out, "  %-16s %10llu %12llu %11.2f\n",
                         hf_pattern_class_name((enum hf_pattern_class)k),
                         (unsigned long long)c.patterns[k],
                         (unsigned long long)c.needles[k],
                         cost_of((enum hf_pattern_class)k, &c));
    hf_buffer_format(out,
                     "  places looked at in each object %llu\n"
                     "  of all: literals %llu, hex strings %llu, regular expressions %llu; "
                     "wide %llu, nocase %llu, xor %llu, base64 %llu\n",
                     (unsigned long long)c.places, (unsigned long long)c.literals,
                     (unsigned long long)c.hex, (unsigned long long)c.regexes,
                     (unsigned long long)c.wide, (unsigned long long)c.nocase,
                     (unsigned long long)c.xored, (unsigned long long)c.base64);
}

void hf_db_classes_json(const struct hf_db *db, uint32_t segment, struct hf_buffer *out)
{
    struct hf_class_counts c;
    if (hf_db_count_classes(db, segment, &c) != HF_OK) {
        hf_buffer_text(out, "null");
        return;
    }
    for (int k = 0; k < HF_CLASSES; k++)
        hf_buffer_format(
            out, "%s\"%s\":{\"patterns\":%llu,\"needles\":%llu,\"seconds_per_gb\":%.2f}",
            k == 0 ? "{" : ",", hf_pattern_class_name((enum hf_pattern_class)k),
            (unsigned long long)c.patterns[k], (unsigned long long)c.needles[k],
            cost_of((enum hf_pattern_class)k, &c));
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {{"places", c.places},   {"literals", c.literals}, {"hex", c.hex},
                {"regexes", c.regexes}, {"wide", c.wide},         {"nocase", c.nocase},
                {"xor", c.xored},       {"base64", c.base64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        hf_buffer_format(out, ",\"%s\":%llu", rows[i].key,
                         (unsigned long long)rows[i].value);
    hf_buffer_u8(out, '}');
}
