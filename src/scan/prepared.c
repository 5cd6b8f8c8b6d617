#include "scan/prepared.h"

#include "rules/machine_ops.h"

#include <stdlib.h>

void hf_prepared_done(struct hf_prepared_table *table)
{
    free(table->slots);
    *table = (struct hf_prepared_table){0};
}

static size_t slot_of(const struct hf_prepared_table *t, uint32_t segment, uint32_t needle)
{
    uint64_t h = (((uint64_t)segment << 32) + needle) * UINT64_C(0x9E3779B97F4A7C15);
    size_t mask = t->room - 1, at = (size_t)(h >> 32) & mask;
    while (t->slots[at].used &&
           (t->slots[at].needle != needle || t->slots[at].segment != segment))
        at = (at + 1) & mask;
    return at;
}

/* Keep the table at most half full; at its cap begin anew. */
static bool make_room(struct hf_prepared_table *t)
{
    if (2 * (t->count + 1) <= t->room)
        return true;
    if (t->count >= HF_PREPARED_MAX) {
        memset(t->slots, 0, t->room * sizeof *t->slots);
        t->count = 0;
        return true;
    }
    struct hf_prepared_table more = {
        .room = t->room == 0 ? 256 : 2 * t->room, .count = t->count, .object = t->object};
    more.slots = calloc(more.room, sizeof *more.slots);
    if (more.slots == NULL)
        return false;
    for (size_t i = 0; i < t->room; i++)
        if (t->slots[i].used)
            more.slots[slot_of(&more, t->slots[i].segment, t->slots[i].needle)] =
                t->slots[i];
    free(t->slots);
    *t = more;
    return true;
}

/* Whether a condition asks for more of a pattern than whether it matched. */
static bool wants_all(const struct hf_rule *rule, uint32_t pattern)
{
    if (rule->condition != HF_CONDITION_PROGRAM)
        return false;
    if ((rule->flags & HF_RULE_CHAINED) != 0)
        return true;
    struct hf_cursor c = hf_cursor_open(rule->program.data, rule->program.len, NULL);
    while (hf_cursor_left(&c) > 0) {
        uint8_t op = hf_u8(&c);
        const struct hf_op_shape *shape = hf_op_shape(op);
        size_t length, pops;
        if (shape == NULL ||
            !hf_op_operands(&c, shape, rule->pattern_count, &length, &pops))
            return true;
        struct hf_cursor operand = c;
        bool here =
            shape->has_range || (shape->has_pattern && hf_u32le(&operand) == pattern);
        if ((here && op != HF_OP_MATCHED && op != HF_OP_DISTINCT) ||
            (op >= HF_OP_COUNT_OF && op <= HF_OP_DISTINCT_IN && !shape->has_pattern))
            return true;
        hf_skip(&c, length);
    }
    return false;
}

/* Patterns stand in the same table behind all needles, of which there are at most INT32_MAX. */
#define PATTERN UINT32_C(0x80000000)

static bool find_number(struct hf_prepared *p, const struct hf_db *db, uint16_t *variant)
{
    *variant = 0;
    p->number = p->needle & ~PATTERN;
    return (p->needle & PATTERN) != 0 ||
           hf_db_needle(db, p->segment, p->needle, &p->number, variant) == HF_OK;
}

static void prepare(struct hf_prepared *p, const struct hf_db *db)
{
    struct hf_pattern pattern;
    struct hf_rule rule;
    uint32_t signature;
    uint16_t variant;
    p->broken = !find_number(p, db, &variant) ||
                hf_db_pattern(db, p->segment, p->number, &pattern, &p->rule) != HF_OK ||
                hf_db_rule(db, p->segment, p->rule, &rule, &signature) != HF_OK ||
                hf_confirm_prepare(&pattern, variant, &p->confirm) != HF_OK;
    p->confirm.program.id = ((uint64_t)p->segment << 32 | p->number) + 1;
    p->wants_all = !p->broken && wants_all(&rule, p->number - rule.pattern_first);
}

struct hf_prepared *hf_prepared_find(struct hf_prepared_table *table,
                                     const struct hf_db *db, uint32_t segment,
                                     uint32_t needle)
{
    if (table->room > 0) {
        struct hf_prepared *p = &table->slots[slot_of(table, segment, needle)];
        if (p->used)
            return p;
    }
    if (!make_room(table))
        return NULL;
    struct hf_prepared *p = &table->slots[slot_of(table, segment, needle)];
    *p = (struct hf_prepared){.segment = segment, .needle = needle, .used = true};
    prepare(p, db);
    table->count++;
    return p;
}

struct hf_prepared *hf_prepared_find_pattern(struct hf_prepared_table *table,
                                             const struct hf_db *db, uint32_t segment,
                                             uint32_t pattern)
{
    return hf_prepared_find(table, db, segment, pattern | PATTERN);
}
