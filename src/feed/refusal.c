#include "feed/refusal.h"

/* clang-format off */
static const struct {
    const char *name, *text;
    enum hf_status status;
} refusals[HF_REFUSALS] = {
    [HF_ACCEPTED] = {"accepted", "accepted", HF_OK},

    [HF_REFUSE_NOMEM] = {"out-of-memory", "out of memory", HF_NOMEM},
    [HF_REFUSE_BUDGET] = {"budget", "the work budget ran out", HF_LIMIT},
    [HF_REFUSE_ARGUMENT] = {"argument", "what was to be written does not fit the format", HF_INVALID},
    [HF_REFUSE_CRYPTO] = {"crypto", "the cryptographic library refused to work", HF_INVALID},

    [HF_REFUSE_KEY_FORM] = {"key-form", "a key is not of the form name+id+data", HF_MALFORMED},
    [HF_REFUSE_KEY_NAME] = {"key-name", "a key's name is empty, too long or has a space or plus sign", HF_MALFORMED},
    [HF_REFUSE_KEY_BASE64] = {"key-base64", "a key's data is not canonical base64", HF_MALFORMED},
    [HF_REFUSE_KEY_ALGORITHM] = {"key-algorithm", "a key is of an algorithm that is not supported", HF_UNSUPPORTED},
    [HF_REFUSE_KEY_LENGTH] = {"key-length", "a key's data has the wrong length for its algorithm", HF_MALFORMED},
    [HF_REFUSE_KEY_ID] = {"key-id", "a key's id does not belong to its name and data", HF_MALFORMED},
    [HF_REFUSE_KEY_WEAK] = {"key-weak", "a key is one for which anybody can sign", HF_MALFORMED},
    [HF_REFUSE_KEY_AMBIGUOUS] = {"key-ambiguous", "two trusted keys share name and id", HF_INVALID},
    [HF_REFUSE_KEY_COSIGNER] = {"key-cosigner", "a cosigner's key is good for checkpoints only", HF_INVALID},

    [HF_REFUSE_NOTE_LONG] = {"note-long", "the signed note is larger than allowed", HF_LIMIT},
    [HF_REFUSE_NOTE_UTF8] = {"note-utf8", "the signed note is not valid UTF-8", HF_MALFORMED},
    [HF_REFUSE_NOTE_CONTROL] = {"note-control", "the signed note has a control character", HF_MALFORMED},
    [HF_REFUSE_NOTE_TEXT] = {"note-text", "the signed note has no text before its blank line", HF_MALFORMED},
    [HF_REFUSE_NOTE_UNSIGNED] = {"note-unsigned", "the note has no signature lines", HF_MALFORMED},
    [HF_REFUSE_NOTE_CUT] = {"note-cut", "the signed note does not end with a newline", HF_TRUNCATED},
    [HF_REFUSE_NOTE_LINE] = {"note-line", "a signature line is not of the form dash, name, data", HF_MALFORMED},
    [HF_REFUSE_NOTE_NAME] = {"note-name", "a signature line's key name is empty, too long or has a space or plus sign", HF_MALFORMED},
    [HF_REFUSE_NOTE_BASE64] = {"note-base64", "a signature is not canonical base64", HF_MALFORMED},
    [HF_REFUSE_NOTE_SHORT] = {"note-short", "a signature is shorter than a key id and one byte", HF_MALFORMED},
    [HF_REFUSE_NOTE_BULKY] = {"note-bulky", "a signature is longer than any known algorithm makes", HF_LIMIT},
    [HF_REFUSE_NOTE_CROWDED] = {"note-crowded", "the note has more signatures than allowed", HF_LIMIT},
    [HF_REFUSE_NOTE_LENGTH] = {"note-length", "a trusted key's signature has the wrong length", HF_MALFORMED},
    [HF_REFUSE_NOTE_SIGNATURE] = {"note-signature", "a trusted key's signature does not match", HF_MALFORMED},
    [HF_REFUSE_NOTE_UNKNOWN] = {"note-unknown", "no trusted key has signed the note", HF_MALFORMED},
    [HF_REFUSE_NOTE_TIME] = {"note-time", "a cosignature's time is beyond all calendars", HF_MALFORMED},

    [HF_REFUSE_CHECKPOINT_LINES] = {"checkpoint-lines", "the checkpoint has fewer than three lines", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_ORIGIN] = {"checkpoint-origin", "the checkpoint's origin is empty or too long", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_OTHER] = {"checkpoint-other", "the checkpoint is another log's", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_SIZE] = {"checkpoint-size", "the checkpoint's size is not a canonical decimal number", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_HUGE] = {"checkpoint-huge", "the checkpoint's size is beyond what a log can have", HF_LIMIT},
    [HF_REFUSE_CHECKPOINT_ROOT] = {"checkpoint-root", "the checkpoint's root is not the base64 of 32 bytes", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_EMPTY] = {"checkpoint-empty", "the checkpoint claims no entries, and a root that only entries can give", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_EXTENSION] = {"checkpoint-extension", "the checkpoint has an empty line", HF_MALFORMED},
    [HF_REFUSE_CHECKPOINT_LOG] = {"checkpoint-log", "the log itself has not signed the checkpoint", HF_MALFORMED},

    [HF_REFUSE_PROOF_INDEX] = {"proof-index", "the proof is for an entry beyond the end of the log", HF_MALFORMED},
    [HF_REFUSE_PROOF_SHORT] = {"proof-short", "the proof has too few hashes", HF_MALFORMED},
    [HF_REFUSE_PROOF_LONG] = {"proof-long", "the proof has too many hashes", HF_MALFORMED},
    [HF_REFUSE_PROOF_INCLUSION] = {"proof-inclusion", "the proof does not lead from the entry to the log's root", HF_MALFORMED},
    [HF_REFUSE_PROOF_SHRUNK] = {"proof-shrunk", "the log has become shorter", HF_MALFORMED},
    [HF_REFUSE_PROOF_FORK] = {"proof-fork", "two roots of the log differ at the same size", HF_MALFORMED},
    [HF_REFUSE_PROOF_OLD] = {"proof-old", "the consistency proof does not lead to the root known before", HF_MALFORMED},
    [HF_REFUSE_PROOF_NEW] = {"proof-new", "the consistency proof does not lead to the new root", HF_MALFORMED},
    [HF_REFUSE_TREE_HASH] = {"tree-hash", "a hash of the tree could not be read", HF_MALFORMED},

    [HF_REFUSE_FILE_LONG] = {"proof-file-long", "the proof file is larger than allowed", HF_LIMIT},
    [HF_REFUSE_FILE_HEADER] = {"proof-file-header", "this is not a tlog-proof file of version 1", HF_UNSUPPORTED},
    [HF_REFUSE_FILE_EXTRA] = {"proof-file-extra", "the proof file's extra data is empty or not canonical base64", HF_MALFORMED},
    [HF_REFUSE_FILE_INDEX] = {"proof-file-index", "the proof file has no canonical index line", HF_MALFORMED},
    [HF_REFUSE_FILE_HASH] = {"proof-file-hash", "a line of the proof file is not the base64 of 32 bytes", HF_MALFORMED},
    [HF_REFUSE_FILE_HASHES] = {"proof-file-hashes", "the proof file has more hashes than any log needs", HF_LIMIT},
    [HF_REFUSE_FILE_CUT] = {"proof-file-cut", "the proof file ends before its checkpoint", HF_TRUNCATED},

    [HF_REFUSE_TILE_PATH] = {"tile-path", "this is not the path of a tile", HF_MALFORMED},
    [HF_REFUSE_TILE_LEVEL] = {"tile-level", "the tile's level is not a canonical number from 0 to 63", HF_MALFORMED},
    [HF_REFUSE_TILE_NUMBER] = {"tile-number", "the tile's number is not in canonical groups of three digits", HF_MALFORMED},
    [HF_REFUSE_TILE_WIDTH] = {"tile-width", "the tile's width is not a canonical number from 1 to 255", HF_MALFORMED},
    [HF_REFUSE_TILE_LENGTH] = {"tile-length", "the tile has not 32 bytes for each of its hashes", HF_MALFORMED},
    [HF_REFUSE_BUNDLE_CUT] = {"bundle-cut", "the entry bundle ends within an entry", HF_TRUNCATED},
    [HF_REFUSE_BUNDLE_COUNT] = {"bundle-count", "the entry bundle has another number of entries than its name says", HF_MALFORMED},
    [HF_REFUSE_BUNDLE_ENTRY] = {"bundle-entry", "an entry of the bundle is not the one that the log has hashed", HF_MALFORMED},

    [HF_REFUSE_MANIFEST_LONG] = {"manifest-long", "the release's manifest is larger than allowed", HF_LIMIT},
    [HF_REFUSE_MANIFEST_FORM] = {"manifest-form", "this is not a manifest of version 1", HF_MALFORMED},
    [HF_REFUSE_MANIFEST_ORDER] = {"manifest-order", "a list of the manifest is too long, out of order or has a line twice", HF_MALFORMED},
    [HF_REFUSE_ENTRY_FORM] = {"entry-form", "an entry of the log is not of the form of a release", HF_MALFORMED},
    [HF_REFUSE_ROOT_LONG] = {"root-long", "the root is larger than allowed", HF_LIMIT},
    [HF_REFUSE_ROOT_FORM] = {"root-form", "this is not a root of version 1", HF_MALFORMED},
    [HF_REFUSE_ROOT_ROLE] = {"root-role", "the root's roles are missing, out of order or there twice", HF_MALFORMED},
    [HF_REFUSE_ROOT_KEYS] = {"root-keys", "a role of the root has a key twice, or fewer keys than must sign", HF_MALFORMED},
    [HF_REFUSE_ROOT_PRODUCT] = {"root-product", "the root is of another product", HF_MALFORMED},
    [HF_REFUSE_ROOT_VERSION] = {"root-version", "the root's version does not follow the one before", HF_MALFORMED},
    [HF_REFUSE_ROOT_UNCHAINED] = {"root-unchained", "too few keys of the root before have signed the new root", HF_MALFORMED},
    [HF_REFUSE_ROOT_UNLOGGED] = {"root-unlogged", "the new root is not in the log", HF_MALFORMED},
    [HF_REFUSE_ROLE_THRESHOLD] = {"role-threshold", "fewer keys have signed than the role demands", HF_MALFORMED},

    [HF_REFUSE_POLICY_LARGE] = {"policy-large", "the policy has more lines of a kind than supported", HF_LIMIT},
    [HF_REFUSE_POLICY_FORM] = {"policy-form", "a line of the policy is not of its form", HF_INVALID},
    [HF_REFUSE_POLICY_CONTROL] = {"policy-control", "the policy has a control character", HF_INVALID},
    [HF_REFUSE_POLICY_KEY] = {"policy-key", "a key of the policy is not of the kind that its line needs", HF_INVALID},
    [HF_REFUSE_POLICY_NAME] = {"policy-name", "the policy uses a name that no line before has defined", HF_INVALID},
    [HF_REFUSE_POLICY_TWICE] = {"policy-twice", "the policy has a key, a name, a member or the quorum twice", HF_INVALID},
    [HF_REFUSE_POLICY_THRESHOLD] = {"policy-threshold", "a group's threshold is not between 1 and its number of members", HF_INVALID},
    [HF_REFUSE_POLICY_NO_QUORUM] = {"policy-no-quorum", "the policy does not say what its quorum is", HF_INVALID},
    [HF_REFUSE_POLICY_QUORUM] = {"policy-quorum", "fewer witnesses have cosigned the checkpoint than the policy demands", HF_MALFORMED},
    [HF_REFUSE_POLICY_LOG] = {"policy-log", "the publisher's log is none of those in the policy", HF_MALFORMED},

    [HF_REFUSE_STATE_FORM] = {"state-form", "the state file is not one of version 1", HF_MALFORMED},
    [HF_REFUSE_STATE_DAMAGED] = {"state-damaged", "the state file does not fit its own digest", HF_MALFORMED},
    [HF_REFUSE_STATE_ROOT] = {"state-root", "the stored root is not the one that the state names", HF_MALFORMED},
    [HF_REFUSE_SETTINGS] = {"settings", "a line of the publisher's settings is not understood", HF_INVALID},

    [HF_REFUSE_FETCH] = {"fetch", "a file of the feed could not be fetched", HF_IO},
    [HF_REFUSE_FETCH_LONG] = {"fetch-long", "a file of the feed is longer than it may be", HF_LIMIT},
    [HF_REFUSE_FETCH_SLOW] = {"fetch-slow", "the source sends too slowly", HF_LIMIT},
    [HF_REFUSE_UPDATE_STALE] = {"update-stale", "the cosignatures are older than those seen before", HF_MALFORMED},
    [HF_REFUSE_UPDATE_FUTURE] = {"update-future", "the release is of a time that has not come", HF_MALFORMED},
    [HF_REFUSE_UPDATE_ROLLBACK] = {"update-rollback", "the log has a release that is not newer than the one before it", HF_MALFORMED},
    [HF_REFUSE_UPDATE_JUMP] = {"update-jump", "the log has a release whose version skips others", HF_MALFORMED},
    [HF_REFUSE_UPDATE_CHAIN] = {"update-chain", "the release does not name the one before it", HF_MALFORMED},
    [HF_REFUSE_UPDATE_PRODUCT] = {"update-product", "the release is of another product", HF_MALFORMED},
    [HF_REFUSE_UPDATE_CHANNEL] = {"update-channel", "the publisher's root has no role for this channel", HF_MALFORMED},
    [HF_REFUSE_UPDATE_MIXED] = {"update-mixed", "the release is not the one that the log has", HF_MALFORMED},
    [HF_REFUSE_UPDATE_ENGINE] = {"update-engine", "the release is for other versions of the program", HF_UNSUPPORTED},
    [HF_REFUSE_UPDATE_CAPABILITY] = {"update-capability", "the release wants abilities that the owner has not approved", HF_MALFORMED},
    [HF_REFUSE_UPDATE_BEHIND] = {"update-behind", "the source has less than was seen before", HF_MALFORMED},
    [HF_REFUSE_UPDATE_FUSED] = {"update-fused", "this release was taken back before and is not taken again", HF_INVALID},
    [HF_REFUSE_OBJECT_SIZE] = {"object-size", "a file of the release has another size than its manifest says", HF_MALFORMED},
    [HF_REFUSE_OBJECT_HASH] = {"object-hash", "a file of the release has another digest than its manifest says", HF_MALFORMED},
    [HF_REFUSE_DELTA_FORM] = {"delta-form", "a delta cannot be applied", HF_MALFORMED},
    [HF_REFUSE_DELTA_SIZE] = {"delta-size", "a delta unpacks to another size than the manifest says", HF_LIMIT},
    [HF_REFUSE_CONTENT_FORM] = {"content-form", "the content is damaged or no database", HF_MALFORMED},
    [HF_REFUSE_CONTENT_CAPABILITY] = {"content-capability", "the content uses abilities that its manifest does not declare", HF_MALFORMED},
    [HF_REFUSE_TEST_BAD] = {"test-bad", "self-test: what must be found was not found", HF_MALFORMED},
    [HF_REFUSE_TEST_GOOD] = {"test-good", "self-test: something harmless was found to be malicious", HF_MALFORMED},
    [HF_REFUSE_TEST_CRASH] = {"test-crash", "self-test: a worker crashed", HF_MALFORMED},
    [HF_REFUSE_TEST_TIME] = {"test-time", "self-test: a scan took too long", HF_LIMIT},
    [HF_REFUSE_TEST_MEMORY] = {"test-memory", "self-test: a scan took too much memory", HF_LIMIT},
    [HF_REFUSE_DISK] = {"disk", "the new generation could not be written", HF_IO},
    [HF_REFUSE_JAIL] = {"jail", "the jailed process that verifies did not work", HF_CRASHED},
};
/* clang-format on */

const char *hf_refusal_name(enum hf_refusal refusal)
{
    return refusals[refusal].name;
}

const char *hf_refusal_text(enum hf_refusal refusal)
{
    return refusals[refusal].text;
}

enum hf_status hf_refusal_status(enum hf_refusal refusal)
{
    return refusals[refusal].status;
}
