#include "feed/policy.h"

#include "base/text.h"

/* What a line gives word by word. Spaces and tabs separate, any number of them. */
static struct hf_bytes next_word(struct hf_bytes *rest)
{
    size_t from = 0, to;
    while (from < rest->len && (rest->data[from] == ' ' || rest->data[from] == '\t'))
        from++;
    for (to = from; to < rest->len && rest->data[to] != ' ' && rest->data[to] != '\t';)
        to++;
    struct hf_bytes word = hf_bytes_of(rest->data + from, to - from);
    *rest = hf_bytes_of(rest->data + to, rest->len - to);
    return word;
}

static bool is(struct hf_bytes word, const char *text)
{
    return hf_bytes_equal(word, hf_bytes_text(text));
}

static int find_name(const struct hf_policy *p, struct hf_bytes name)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (hf_bytes_equal(p->names[i].name, name))
            return (int)i;
    return -1;
}

static bool has_key(const struct hf_vkey *keys, size_t count, const struct hf_vkey *key)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(keys[i].bytes, key->bytes, sizeof key->bytes) == 0)
            return true;
    return false;
}

/* A key and perhaps an address end a line. */
static enum hf_refusal read_key(struct hf_bytes *rest, uint8_t type, struct hf_vkey *key)
{
    enum hf_refusal r = hf_vkey_read(next_word(rest), key);
    if (r != HF_ACCEPTED)
        return r;
    (void)next_word(rest); /* its address, which verification does not need */
    if (next_word(rest).len != 0)
        return HF_REFUSE_POLICY_FORM;
    return key->type == type ? HF_ACCEPTED : HF_REFUSE_POLICY_KEY;
}

static enum hf_refusal read_log(struct hf_policy *p, struct hf_bytes rest)
{
    struct hf_vkey key;
    if (p->log_count == HF_POLICY_LOGS_MAX)
        return HF_REFUSE_POLICY_LARGE;
    enum hf_refusal r = read_key(&rest, HF_KEY_ED25519, &key);
    if (r != HF_ACCEPTED)
        return r;
    if (has_key(p->logs, p->log_count, &key))
        return HF_REFUSE_POLICY_TWICE;
    p->logs[p->log_count++] = key;
    return HF_ACCEPTED;
}

/* A new name of a group or witness; NULL with the reason in *r. */
static struct hf_policy_name *new_name(struct hf_policy *p, struct hf_bytes name,
                                       enum hf_refusal *r)
{
    *r = HF_REFUSE_POLICY_FORM;
    if (name.len == 0 || is(name, "none"))
        return NULL;
    *r = HF_REFUSE_POLICY_TWICE;
    if (find_name(p, name) >= 0)
        return NULL;
    *r = HF_REFUSE_POLICY_LARGE;
    if (p->name_count == HF_POLICY_NAMES_MAX)
        return NULL;
    *r = HF_ACCEPTED;
    struct hf_policy_name *n = &p->names[p->name_count];
    *n = (struct hf_policy_name){.name = name};
    return n;
}

static enum hf_refusal read_witness(struct hf_policy *p, struct hf_bytes rest)
{
    struct hf_vkey key;
    enum hf_refusal r;
    struct hf_policy_name *n = new_name(p, next_word(&rest), &r);
    if (n == NULL)
        return r;
    if (p->witness_count == HF_POLICY_WITNESSES_MAX)
        return HF_REFUSE_POLICY_LARGE;
    r = read_key(&rest, HF_KEY_COSIGNER, &key);
    if (r != HF_ACCEPTED)
        return r;
    if (has_key(p->witnesses, p->witness_count, &key))
        return HF_REFUSE_POLICY_TWICE;
    n->witness = (uint8_t)p->witness_count;
    p->witnesses[p->witness_count++] = key;
    p->name_count++;
    return HF_ACCEPTED;
}

/* A name belongs to one group at most, so that each witness counts in one way. */
static bool is_member(const struct hf_policy *p, uint8_t number)
{
    for (size_t g = 0; g <= p->name_count && g < HF_POLICY_NAMES_MAX; g++)
        for (size_t i = 0; i < p->names[g].count; i++)
            if (p->names[g].members[i] == number)
                return true;
    return false;
}

static enum hf_refusal read_members(struct hf_policy *p, struct hf_policy_name *group,
                                    struct hf_bytes rest)
{
    for (struct hf_bytes word; (word = next_word(&rest)).len > 0;) {
        int number = find_name(p, word);
        if (number < 0)
            return HF_REFUSE_POLICY_NAME;
        if (is_member(p, (uint8_t)number))
            return HF_REFUSE_POLICY_TWICE;
        group->members[group->count++] = (uint8_t)number;
    }
    return group->count > 0 ? HF_ACCEPTED : HF_REFUSE_POLICY_FORM;
}

static enum hf_refusal read_group(struct hf_policy *p, struct hf_bytes rest)
{
    enum hf_refusal r;
    struct hf_policy_name *group = new_name(p, next_word(&rest), &r);
    if (group == NULL)
        return r;
    group->group = true;
    struct hf_bytes k = next_word(&rest);
    r = read_members(p, group, rest);
    uint64_t threshold = 0;
    if (is(k, "all"))
        threshold = group->count;
    else if (is(k, "any"))
        threshold = 1;
    else if (!hf_parse_uint(k, &threshold))
        threshold = 0;
    if (r == HF_ACCEPTED && (threshold == 0 || threshold > group->count))
        r = HF_REFUSE_POLICY_THRESHOLD;
    if (r != HF_ACCEPTED)
        return r;
    group->threshold = (uint8_t)threshold;
    p->name_count++;
    return HF_ACCEPTED;
}

enum { QUORUM_UNSAID = -2 };

static enum hf_refusal read_quorum(struct hf_policy *p, struct hf_bytes rest)
{
    struct hf_bytes name = next_word(&rest);
    if (p->quorum != QUORUM_UNSAID)
        return HF_REFUSE_POLICY_TWICE;
    if (name.len == 0 || next_word(&rest).len > 0)
        return HF_REFUSE_POLICY_FORM;
    p->quorum = is(name, "none") ? HF_POLICY_QUORUM_NONE : find_name(p, name);
    return p->quorum >= 0 || is(name, "none") ? HF_ACCEPTED : HF_REFUSE_POLICY_NAME;
}

static enum hf_refusal read_line(struct hf_policy *p, struct hf_bytes line)
{
    static const struct {
        const char *word;
        enum hf_refusal (*read)(struct hf_policy *p, struct hf_bytes rest);
    } kinds[] = {{"log", read_log},
                 {"witness", read_witness},
                 {"group", read_group},
                 {"quorum", read_quorum}};
    for (size_t i = 0; i < line.len; i++)
        if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            return HF_REFUSE_POLICY_CONTROL;
    struct hf_bytes word = next_word(&line);
    if (word.len == 0 || word.data[0] == '#')
        return HF_ACCEPTED;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(word, kinds[i].word))
            return kinds[i].read(p, line);
    return HF_REFUSE_POLICY_FORM;
}

enum hf_refusal hf_policy_read(struct hf_bytes text, struct hf_budget *budget,
                               struct hf_policy *policy)
{
    struct hf_cursor c = hf_cursor_open(text.data, text.len, budget);
    *policy = (struct hf_policy){.quorum = QUORUM_UNSAID};
    if (text.len > HF_POLICY_BYTES_MAX)
        return HF_REFUSE_POLICY_LARGE;
    enum hf_refusal r = HF_ACCEPTED;
    while (r == HF_ACCEPTED && hf_cursor_left(&c) > 0) {
        struct hf_bytes line;
        if (!hf_cursor_charge(&c, 1))
            r = HF_REFUSE_BUDGET;
        else
            r = hf_line_read(&c, &line) ? read_line(policy, line) : HF_REFUSE_POLICY_FORM;
    }
    if (r == HF_ACCEPTED && hf_cursor_status(&c) != HF_OK)
        r = HF_REFUSE_BUDGET;
    if (r == HF_ACCEPTED && policy->quorum == QUORUM_UNSAID)
        r = HF_REFUSE_POLICY_NO_QUORUM;
    if (r != HF_ACCEPTED)
        *policy = (struct hf_policy){.quorum = QUORUM_UNSAID};
    return r;
}

/* Since when a group has seen it: the k-th newest of its members' times. */
static bool judge_group(const struct hf_policy_name *group, const bool *good,
                        const uint64_t *times, uint64_t *time)
{
    uint64_t newest[HF_POLICY_NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (!good[group->members[i]])
            continue;
        size_t at = n++;
        for (; at > 0 && newest[at - 1] < times[group->members[i]]; at--)
            newest[at] = newest[at - 1];
        newest[at] = times[group->members[i]];
    }
    if (n < group->threshold)
        return false;
    *time = newest[group->threshold - 1];
    return true;
}

enum hf_refusal hf_policy_judge(const struct hf_policy *p, const struct hf_note_seal *seals,
                                uint64_t *time)
{
    bool good[HF_POLICY_NAMES_MAX] = {0};
    uint64_t times[HF_POLICY_NAMES_MAX] = {0};
    *time = 0;
    if (p->quorum == HF_POLICY_QUORUM_NONE)
        return HF_ACCEPTED;
    if (p->quorum < 0 || (size_t)p->quorum >= p->name_count)
        return HF_REFUSE_POLICY_QUORUM;
    for (size_t i = 0; i < p->name_count; i++) { /* members stand before their group */
        const struct hf_policy_name *n = &p->names[i];
        if (n->group) {
            good[i] = judge_group(n, good, times, &times[i]);
        } else {
            good[i] = seals[n->witness].valid;
            times[i] = seals[n->witness].time;
        }
    }
    if (!good[p->quorum])
        return HF_REFUSE_POLICY_QUORUM;
    *time = times[p->quorum];
    return HF_ACCEPTED;
}
