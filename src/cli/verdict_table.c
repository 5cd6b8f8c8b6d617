#include "cli/verdict_table.h"

#define RED    "\033[1;31m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"
#define GREEN  "\033[32m"

/* clang-format off */
const struct hf_verdict_row hf_verdict_rows[] = {
    {HF_INFECTED,    0,                     "infected",    NULL,          HF_EXIT_FOUND, HF_EXIT_FOUND,      RED},
    {HF_SUSPICIOUS,  0,                     "suspicious",  NULL,          HF_EXIT_FOUND, HF_EXIT_FOUND,      YELLOW},
    {HF_PUA,         0,                     "pua",         NULL,          HF_EXIT_FOUND, HF_EXIT_FOUND,      YELLOW},
    {HF_UNSCANNABLE, HF_REASON_CRASH,       "unscannable", "crash",       HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_UNSCANNABLE, HF_REASON_TIMEOUT,     "unscannable", "timeout",     HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_UNSCANNABLE, HF_REASON_LIMIT,       "unscannable", "limit",       HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_UNSCANNABLE, HF_REASON_CHANGED,     "unscannable", "changed",     HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_UNSCANNABLE, HF_REASON_ENCRYPTED,   "unscannable", "encrypted",   HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_UNSCANNABLE, HF_REASON_UNSUPPORTED, "unscannable", "unsupported", HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_UNSCANNABLE, HF_REASON_MALFORMED,   "unscannable", "malformed",   HF_EXIT_OK,    HF_EXIT_INCOMPLETE, CYAN},
    {HF_CLEAN,       0,                     "clean",       NULL,          HF_EXIT_OK,    HF_EXIT_OK,         GREEN},
};
/* clang-format on */
const size_t hf_verdict_row_count = sizeof hf_verdict_rows / sizeof *hf_verdict_rows;

const struct hf_verdict_row *hf_verdict_row(enum hf_verdict verdict, unsigned reasons)
{
    const struct hf_verdict_row *last = NULL;
    for (size_t i = 0; i < hf_verdict_row_count; i++) {
        const struct hf_verdict_row *row = &hf_verdict_rows[i];
        if (row->verdict != verdict)
            continue;
        last = row;
        if (row->reason == 0 || (row->reason & reasons) != 0)
            break;
    }
    /* A number that is no verdict comes from nowhere but a broken worker. */
    return last != NULL ? last : hf_verdict_row(HF_UNSCANNABLE, HF_REASON_CRASH);
}

enum hf_exit hf_exit_worse(enum hf_exit a, enum hf_exit b)
{
    static const int weight[] = {[HF_EXIT_OK] = 0,
                                 [HF_EXIT_INCOMPLETE] = 1,
                                 [HF_EXIT_ERROR] = 2,
                                 [HF_EXIT_FOUND] = 3};
    return weight[a] >= weight[b] ? a : b;
}
