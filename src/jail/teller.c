#include "jail/teller.h"

enum { MATCH_OVERHEAD = 32 };

void hf_teller_begin(struct hf_teller *teller)
{
    hf_buffer_clear(&teller->out);
    teller->cut = false;
}

static bool has_room(struct hf_teller *teller, size_t size)
{
    if (size <= HF_TOLD_BYTES_MAX - teller->out.len)
        return true;
    teller->cut = true;
    return false;
}

static struct hf_bytes first_bytes(const struct hf_teller *teller, struct hf_bytes view,
                                   const struct hf_match *m)
{
    uint64_t max = teller->options.data_max;
    if (max > HF_TOLD_DATA_MAX)
        max = HF_TOLD_DATA_MAX;
    uint64_t n = m->length < max ? m->length : max;
    if (m->offset > view.len || n > view.len - m->offset)
        return (struct hf_bytes){0};
    return hf_bytes_of(view.data + m->offset, (size_t)n);
}

static void tell_matches(struct hf_teller *teller, const struct hf_true_rule *rule,
                         uint32_t pattern)
{
    const struct hf_match *matches;
    size_t count = hf_true_rule_matches(rule, pattern, &matches);
    for (size_t i = 0; i < count && !teller->cut; i++) {
        struct hf_bytes data = first_bytes(teller, rule->view, &matches[i]);
        if (has_room(teller, data.len + MATCH_OVERHEAD))
            hf_told_put_match(&teller->out, pattern, matches[i].offset, matches[i].length,
                              data);
    }
}

void hf_teller_rule(void *user, const struct hf_true_rule *rule)
{
    struct hf_teller *teller = user;
    if (!has_room(teller, MATCH_OVERHEAD))
        return;
    hf_told_put_rule(&teller->out, rule->segment, rule->rule);
    for (uint32_t i = 0; i < rule->pattern_count && teller->options.matches; i++)
        tell_matches(teller, rule, i);
}

void hf_teller_line(void *user, struct hf_bytes line)
{
    struct hf_teller *teller = user;
    if (has_room(teller, line.len + MATCH_OVERHEAD))
        hf_told_put_line(&teller->out, line);
}
