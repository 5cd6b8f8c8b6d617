#include "base/status.h"

const char *hf_status_text(enum hf_status status)
{
    switch (status) {
    case HF_OK: return "ok";
    case HF_TRUNCATED: return "truncated";
    case HF_MALFORMED: return "malformed";
    case HF_UNSUPPORTED: return "not supported";
    case HF_ENCRYPTED: return "encrypted";
    case HF_LIMIT: return "limit reached";
    case HF_CHANGED: return "changed while being read";
    case HF_NOTFOUND: return "not found";
    case HF_NOMEM: return "out of memory";
    case HF_IO: return "input/output error";
    case HF_CRASHED: return "worker crashed";
    case HF_INVALID: return "invalid argument";
    case HF_STOPPED: return "stopped by the caller";
    }
    return "unknown status";
}

const char *hf_verdict_text(enum hf_verdict verdict)
{
    switch (verdict) {
    case HF_CLEAN: return "clean";
    case HF_UNSCANNABLE: return "unscannable";
    case HF_PUA: return "pua";
    case HF_SUSPICIOUS: return "suspicious";
    case HF_INFECTED: return "infected";
    }
    return "unknown verdict";
}

const char *hf_reason_text(enum hf_reason reason)
{
    switch (reason) {
    case HF_REASON_ENCRYPTED: return "encrypted";
    case HF_REASON_LIMIT: return "limit";
    case HF_REASON_MALFORMED: return "malformed";
    case HF_REASON_UNSUPPORTED: return "unsupported";
    case HF_REASON_CRASH: return "crash";
    case HF_REASON_TIMEOUT: return "timeout";
    case HF_REASON_CHANGED: return "changed";
    }
    return "unknown reason";
}

unsigned hf_status_reason(enum hf_status status)
{
    switch (status) {
    case HF_TRUNCATED:
    case HF_MALFORMED: return HF_REASON_MALFORMED;
    case HF_UNSUPPORTED: return HF_REASON_UNSUPPORTED;
    case HF_ENCRYPTED: return HF_REASON_ENCRYPTED;
    case HF_LIMIT:
    case HF_NOMEM:
    case HF_IO: return HF_REASON_LIMIT;
    case HF_CHANGED: return HF_REASON_CHANGED;
    case HF_CRASHED: return HF_REASON_CRASH;
    case HF_OK:
    case HF_NOTFOUND:
    case HF_INVALID:
    case HF_STOPPED: return 0;
    }
    return 0;
}
