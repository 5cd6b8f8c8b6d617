/* parts.c - digests of parts of executables: each section's bytes, the list of imports. Computed
 * only when some signature of that size could use them. [facts/clamav.md 1.1] */
#include "format/pe.h"
#include "scan/judge.h"

static bool on_digest(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    hf_judge_found(user, &(struct hf_finding){
                             .signature = signature,
                             .kind = (enum hf_finding_kind)kind,
                             .severity = HF_INFECTED,
                             .view = HF_VIEW_RAW,
                             .offset = HF_NO_OFFSET,
                             .part = true,
                         });
    return true;
}

/* Whether the database has digests of a kind of part at all. */
static bool has_any(const struct hf_db *db, enum hf_db_scope scope)
{
    enum hf_db_section first =
        scope == HF_DB_SECTION ? HF_DB_SECTION_MD5 : HF_DB_IMPORTS_MD5;
    uint64_t count;
    for (uint32_t s = 0; s < hf_db_segment_count(db); s++)
        for (unsigned k = 0; k < HF_DIGEST_KINDS; k++)
            if (hf_db_section(db, s, first + (enum hf_db_section)k, &count).len > 0)
                return true;
    return false;
}

static void judge_bytes(struct hf_judging *j, enum hf_db_scope scope, struct hf_bytes bytes)
{
    struct hf_engine *engine = j->engine;
    struct hf_digests digests = {0};
    unsigned wanted = hf_db_scope_wanted(engine->db, scope, bytes.len);
    if (bytes.len == 0)
        return;
    if (wanted == 0)
        hf_scan_asked(engine, scope, bytes.len, &digests, 0);
    else if (!hf_budget_work(&engine->budget, bytes.len / 1024 + 1))
        hf_scan_incident(engine, j->object, HF_LIMIT);
    else if (hf_digest_add(engine->hasher, bytes, wanted, &digests) != HF_OK)
        hf_scan_incident(engine, j->object, HF_NOMEM);
    else {
        hf_scan_asked(engine, scope, bytes.len, &digests, wanted);
        hf_db_scope_find(engine->db, scope, bytes.len, &digests, on_digest, j);
    }
}

static void judge_sections(struct hf_judging *j)
{
    const struct hf_layout *layout = hf_judge_layout(j);
    struct hf_bytes all = j->object->bytes;
    for (size_t i = 0; i < layout->section_count; i++) {
        struct hf_layout_section s = layout->sections[i];
        if (s.offset <= all.len && s.size <= all.len - s.offset)
            judge_bytes(j, HF_DB_SECTION, hf_bytes_of(all.data + s.offset, (size_t)s.size));
    }
}

static void judge_imports(struct hf_judging *j)
{
    struct hf_facts *facts = hf_judge_facts(j);
    const struct hf_pe *pe =
        hf_facts_need(facts, &hf_pe_module, 1u << HF_PE_HEADERS | 1u << HF_PE_IMPORTS);
    if (pe != NULL && pe->found)
        judge_bytes(j, HF_DB_IMPORTS, hf_pe_imphash_text(pe, facts->arena));
}

void hf_judge_parts(struct hf_judging *j)
{
    const struct hf_db *db = j->engine->db;
    if (j->object->format != HF_FORMAT_PE)
        return;
    bool noted = j->engine->options.note_digests; /* another database may ask */
    if (noted || has_any(db, HF_DB_SECTION))
        judge_sections(j);
    if ((noted || has_any(db, HF_DB_IMPORTS)) && hf_judge_layout(j)->readable)
        judge_imports(j);
}
