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

/* One operation of a program. */
struct operation {
    uint8_t op;
    int64_t value; /* INT: the number */
    const struct hf_op_shape *shape;
    struct hf_cursor operands;
};

/* Take the next operation. False: the end, or (failed) no operation. */
static bool next_operation(struct hf_cursor *c, const struct hf_rule *rule,
                           struct operation *o, bool *failed)
{
    size_t length, pops;
    *o = (struct operation){.op = HF_OP_END};
    if (hf_cursor_left(c) == 0)
        return false;
    o->op = hf_u8(c);
    o->shape = hf_op_shape(o->op);
    *failed = o->shape == NULL ||
              !hf_op_operands(c, o->shape, rule->pattern_count, &length, &pops);
    if (*failed)
        return false;
    o->operands = *c;
    struct hf_cursor value = *c;
    o->value = o->op == HF_OP_INT ? (int64_t)hf_u64le(&value) : 0;
    hf_skip(c, length);
    return true;
}

static bool compares(uint8_t op)
{
    return op >= HF_OP_EQ && op <= HF_OP_GE;
}

/* How many matches tell the answer of a comparison of their number with a constant: one more
 * than that. */
static uint32_t wanted_for(int64_t constant)
{
    if (constant < 1)
        return 1;
    return constant < HF_PREPARED_COUNTED_MAX ? (uint32_t)constant + 1 : HF_PREPARED_ALL;
}

/* How much of the matches of a pattern a condition asks for. Constants stand beside the count
 * that they are compared with, on either side. */
static uint32_t wanted_of(const struct hf_rule *rule, uint32_t pattern)
{
    uint32_t wanted = 1;
    bool failed = false;
    if (rule->condition != HF_CONDITION_PROGRAM)
        return 1;
    if ((rule->flags & HF_RULE_CHAINED) != 0)
        return HF_PREPARED_ALL;
    struct hf_cursor c = hf_cursor_open(rule->program.data, rule->program.len, NULL);
    struct operation o, last = {.op = HF_OP_END};
    for (; next_operation(&c, rule, &o, &failed); last = o) {
        struct hf_cursor operand = o.operands, ahead = c;
        struct operation second, third;
        uint32_t here = 1;
        const bool mine =
            o.shape->has_range || (o.shape->has_pattern && hf_u32le(&operand) == pattern);
        if (o.op >= HF_OP_COUNT_OF && o.op <= HF_OP_DISTINCT_IN && !o.shape->has_pattern)
            return HF_PREPARED_ALL;
        if (!mine || o.op == HF_OP_MATCHED || o.op == HF_OP_DISTINCT)
            continue;
        if (o.op != HF_OP_COUNT || !next_operation(&ahead, rule, &second, &failed))
            return HF_PREPARED_ALL;
        if (compares(second.op) && last.op == HF_OP_INT)
            here = wanted_for(last.value);
        else if (second.op == HF_OP_INT && next_operation(&ahead, rule, &third, &failed) &&
                 compares(third.op))
            here = wanted_for(second.value);
        else
            return HF_PREPARED_ALL;
        wanted = here > wanted ? here : wanted;
    }
    return failed ? HF_PREPARED_ALL : wanted;
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
    if (p->broken)
        return;
    p->wanted = wanted_of(&rule, p->number - rule.pattern_first);
    if (hf_pattern_is_every(&pattern))
        p->wanted = HF_PREPARED_ALL;
    p->costly = (p->needle & PATTERN) != 0
                    ? !hf_pattern_is_placed(&pattern)
                    : pattern.kind != HF_PATTERN_LITERAL &&
                          p->confirm.plan.anchor_length < HF_PREPARED_ANCHOR_GOOD;
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
