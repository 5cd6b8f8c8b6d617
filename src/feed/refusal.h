/* refusal.h - every reason for which a signed update is not believed, each with a name for
 * machines, a sentence for people and the status that callers act on. A refusal is never
 * partial: what was refused must not be used. */
#ifndef HF_FEED_REFUSAL_H
#define HF_FEED_REFUSAL_H

#include "base/status.h"

enum hf_refusal {
    HF_ACCEPTED = 0,

    /* us, not the input */
    HF_REFUSE_NOMEM,
    HF_REFUSE_BUDGET,
    HF_REFUSE_ARGUMENT,
    HF_REFUSE_CRYPTO,

    /* keys */
    HF_REFUSE_KEY_FORM,
    HF_REFUSE_KEY_NAME,
    HF_REFUSE_KEY_BASE64,
    HF_REFUSE_KEY_ALGORITHM,
    HF_REFUSE_KEY_LENGTH,
    HF_REFUSE_KEY_ID,
    HF_REFUSE_KEY_WEAK,
    HF_REFUSE_KEY_AMBIGUOUS,
    HF_REFUSE_KEY_COSIGNER,

    /* signed notes */
    HF_REFUSE_NOTE_LONG,
    HF_REFUSE_NOTE_UTF8,
    HF_REFUSE_NOTE_CONTROL,
    HF_REFUSE_NOTE_TEXT,
    HF_REFUSE_NOTE_UNSIGNED,
    HF_REFUSE_NOTE_CUT,
    HF_REFUSE_NOTE_LINE,
    HF_REFUSE_NOTE_NAME,
    HF_REFUSE_NOTE_BASE64,
    HF_REFUSE_NOTE_SHORT,
    HF_REFUSE_NOTE_BULKY,
    HF_REFUSE_NOTE_CROWDED,
    HF_REFUSE_NOTE_LENGTH,
    HF_REFUSE_NOTE_SIGNATURE,
    HF_REFUSE_NOTE_UNKNOWN,
    HF_REFUSE_NOTE_TIME,

    /* checkpoints */
    HF_REFUSE_CHECKPOINT_LINES,
    HF_REFUSE_CHECKPOINT_ORIGIN,
    HF_REFUSE_CHECKPOINT_OTHER,
    HF_REFUSE_CHECKPOINT_SIZE,
    HF_REFUSE_CHECKPOINT_HUGE,
    HF_REFUSE_CHECKPOINT_ROOT,
    HF_REFUSE_CHECKPOINT_EMPTY,
    HF_REFUSE_CHECKPOINT_EXTENSION,
    HF_REFUSE_CHECKPOINT_LOG,

    /* Merkle proofs */
    HF_REFUSE_PROOF_INDEX,
    HF_REFUSE_PROOF_SHORT,
    HF_REFUSE_PROOF_LONG,
    HF_REFUSE_PROOF_INCLUSION,
    HF_REFUSE_PROOF_SHRUNK,
    HF_REFUSE_PROOF_FORK,
    HF_REFUSE_PROOF_OLD,
    HF_REFUSE_PROOF_NEW,
    HF_REFUSE_TREE_HASH,

    /* tlog-proof files */
    HF_REFUSE_FILE_LONG,
    HF_REFUSE_FILE_HEADER,
    HF_REFUSE_FILE_EXTRA,
    HF_REFUSE_FILE_INDEX,
    HF_REFUSE_FILE_HASH,
    HF_REFUSE_FILE_HASHES,
    HF_REFUSE_FILE_CUT,

    /* tiles and entry bundles */
    HF_REFUSE_TILE_PATH,
    HF_REFUSE_TILE_LEVEL,
    HF_REFUSE_TILE_NUMBER,
    HF_REFUSE_TILE_WIDTH,
    HF_REFUSE_TILE_LENGTH,
    HF_REFUSE_BUNDLE_CUT,
    HF_REFUSE_BUNDLE_COUNT,
    HF_REFUSE_BUNDLE_ENTRY,

    HF_REFUSALS
};

/* A word for logs, JSON and tests ("note-signature"), stable once released; and a sentence
 * without a full stop. "accepted" for HF_ACCEPTED. */
const char *hf_refusal_name(enum hf_refusal refusal);
const char *hf_refusal_text(enum hf_refusal refusal);

/* HF_OK, HF_NOMEM, HF_LIMIT (a cap or the budget), HF_TRUNCATED, HF_MALFORMED, HF_UNSUPPORTED,
 * or HF_INVALID (arguments, local keys). What is well formed and not proven is HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_refusal_status(enum hf_refusal refusal);

#endif
