#include "daemon/answer.h"

/* Reasons in the order of their gravity, and what each comes to. A reason that says nothing
 * about the object but much about the scan is an ERROR under every policy: clean it is not. */
static const struct {
    enum hf_reason reason;
    bool always_error;
    const char *error; /* as clamd words it, where it does */
    const char *name;  /* for policy found */
} rows[] = {
    {HF_REASON_CRASH, true, "Scanner crashed on it, twice", NULL},
    {HF_REASON_TIMEOUT, true, "Exceeded time limit",
     "Heuristics.Limits.Exceeded.MaxScanTime"},
    {HF_REASON_LIMIT, false, "Exceeded a limit", "Heuristics.Limits.Exceeded"},
    {HF_REASON_CHANGED, false, "Changed while it was read",
     "Heuristics.Unscannable.Changed"},
    {HF_REASON_ENCRYPTED, false, "Encrypted", "Heuristics.Encrypted"},
    {HF_REASON_UNSUPPORTED, false, "Not supported", "Heuristics.Unscannable.Unsupported"},
    {HF_REASON_MALFORMED, false, "Malformed", "Heuristics.Unscannable.Malformed"},
};

static bool ends_with(struct hf_bytes text, const char *ending)
{
    size_t n = strlen(ending);
    return text.len >= n && memcmp(text.data + text.len - n, ending, n) == 0;
}

/* [facts/clamav.md 1.0: cli_virname, name prefixes] */
enum hf_status hf_answer_name(struct hf_buffer *out, const struct hf_db *db,
                              struct hf_signature signature)
{
    struct hf_bytes source = {0}, licence;
    (void)!hf_db_source(db, signature, &source, &licence);
    bool yara = ends_with(source, ".yar") || ends_with(source, ".yara");
    bool official = ends_with(source, ".cvd") || ends_with(source, ".cld");
    size_t start = out->len;
    if (yara)
        hf_buffer_text(out, "YARA.");
    size_t name_at = out->len;
    enum hf_status st = hf_db_name(db, signature, out);
    if (st != HF_OK || out->failed)
        return st != HF_OK ? st : HF_NOMEM;
    struct hf_bytes name = hf_bytes_of(out->data + name_at, out->len - name_at);
    bool has_prefix = yara && name.len > 5 && memcmp(name.data, "YARA.", 5) == 0;
    if (has_prefix) {
        memmove(out->data + start, out->data + name_at, name.len);
        out->len -= 5;
    }
    /* A name that could forge a line would be the publisher's doing; it is not passed on. */
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] < 0x20 || out->data[i] == 0x7f)
            out->data[i] = '_';
    if (!official && !ends_with(hf_buffer_view(out), ".UNOFFICIAL"))
        hf_buffer_text(out, ".UNOFFICIAL");
    return out->failed ? HF_NOMEM : HF_OK;
}

static enum hf_answer_kind say(struct hf_buffer *out, enum hf_answer_kind kind,
                               const char *text)
{
    hf_buffer_text(out, text);
    hf_buffer_u8(out, 0);
    return kind;
}

static enum hf_answer_kind unscannable(struct hf_buffer *out, unsigned reasons,
                                       const struct hf_answer_policy *policy)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if ((rows[i].reason & reasons) == 0)
            continue;
        if (rows[i].always_error)
            return say(out, HF_ANSWER_ERROR, rows[i].error);
        bool alert = policy->unscannable == HF_POLICY_FOUND ||
                     (policy->alert_limits && rows[i].reason == HF_REASON_LIMIT) ||
                     (policy->alert_encrypted && rows[i].reason == HF_REASON_ENCRYPTED);
        if (alert)
            return say(out, HF_ANSWER_FOUND, rows[i].name);
        if (policy->unscannable == HF_POLICY_ERROR)
            return say(out, HF_ANSWER_ERROR, rows[i].error);
    }
    /* A reason that this table does not know is no reason to call it clean. */
    return reasons != 0 ? say(out, HF_ANSWER_OK, "")
                        : say(out, HF_ANSWER_ERROR, "Scan failed");
}

enum hf_answer_kind hf_answer_text(struct hf_buffer *out, const struct hf_db *db,
                                   enum hf_status status, const struct hf_report *report,
                                   size_t index, const struct hf_answer_policy *policy)
{
    if (status != HF_OK)
        return say(out, HF_ANSWER_ERROR, "Can't read file");
    if (report->verdict == HF_CLEAN)
        return say(out, HF_ANSWER_OK, "");
    if (report->verdict == HF_UNSCANNABLE)
        return unscannable(out, report->reasons, policy);
    if (index >= report->finding_count || db == NULL)
        return say(out, HF_ANSWER_ERROR, "Scan failed");
    if (hf_answer_name(out, db, report->findings[index].signature) != HF_OK) {
        hf_buffer_clear(out);
        return say(out, HF_ANSWER_FOUND, "Unnamed.UNOFFICIAL");
    }
    hf_buffer_u8(out, 0);
    return HF_ANSWER_FOUND;
}
