/* answer.h - from a report to what clamd would say of it: the verdict table of this interface
 * (docs/verdicts.md), and names as ClamAV has them. */
#ifndef HF_DAEMON_ANSWER_H
#define HF_DAEMON_ANSWER_H

#include "daemon/config.h"
#include "db/db.h"
#include "scan/report.h"

enum hf_answer_kind { HF_ANSWER_OK, HF_ANSWER_FOUND, HF_ANSWER_ERROR };

struct hf_answer_policy {
    enum hf_unscannable_policy unscannable;
    bool alert_limits, alert_encrypted;
};

/*
 * The words of one finding of a report, or of the report when it has none: the name for FOUND,
 * the reason for ERROR, nothing for OK; zero-ended.
 *
 * db      of the report's generation; NULL: names cannot be had, which is an ERROR
 * status  as hf_pool_on_done has it
 * index   of the finding; 0 also when there is none
 */
enum hf_answer_kind hf_answer_text(struct hf_buffer *out, const struct hf_db *db,
                                   enum hf_status status, const struct hf_report *report,
                                   size_t index, const struct hf_answer_policy *policy);

/* A signature's name as ClamAV would print it: YARA rules with their prefix, what comes from no
 * official database with its ending. */
HF_MUST_USE enum hf_status hf_answer_name(struct hf_buffer *out, const struct hf_db *db,
                                          struct hf_signature signature);

#endif
