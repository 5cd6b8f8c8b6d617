/* update_command.c - `holdfast update`: fetches, proves and activates new content of the publishers
 * that are trusted. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/text.h"
#include "cli/publishers.h"
#include "db/builtin.h"
#include "update/update.h"

#include <errno.h>
#include <inttypes.h>

enum { CHECK, FROM, ROLLBACK, APPROVE, HOLD, JSON, QUIET, HOME };
static const struct hf_option update_options[] = {
    [CHECK] = {0, "check", HF_OPTION_FLAG, NULL, "look what is new, take nothing"},
    [FROM] =
        {0, "from", HF_OPTION_TEXT, "SOURCE",
         "a folder, bundle or address instead of the publisher's sources; proven as any",
         HF_COMPLETE_FILE},
    [ROLLBACK] = {0, "rollback", HF_OPTION_FLAG, NULL,
                  "go back to the generation before; the present one is never taken again"},
    [APPROVE] = {0, "approve", HF_OPTION_NUMBER, "VERSION",
                 "approve this release (0: the newest) with the abilities it wants"},
    [HOLD] = {0, "hold", HF_OPTION_TEXT, "yes|no", "take nothing new, or go on"},
    [JSON] = {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object a publisher"},
    [QUIET] = {'q', "quiet", HF_OPTION_FLAG, NULL, "say nothing when all is well"},
    [HOME] = {0, "home", HF_OPTION_TEXT, "DIR", "keep trust and content below this folder",
              HF_COMPLETE_FILE},
};

static int run_update(const struct hf_arguments *arguments);

const struct hf_command hf_command_update = {
    .name = "update",
    .operands = "[OPTION]... [PUBLISHER]...",
    .summary = "fetch, prove and activate new content of trusted publishers",
    .details =
        "Without PUBLISHER: all of them. What cannot be proven is refused and named; what\n"
        "is active stays active, however old it becomes.\n"
        "Exit codes: 0 up to date, 2 something was refused or failed, 3 nothing was\n"
        "refused, but what is known is older than three days.",
    .options = update_options,
    .option_count = sizeof update_options / sizeof *update_options,
    .operands_max = HF_PUBLISHERS_MAX,
    .run = run_update,
};

static void write_json(struct hf_buffer *out, const char *name, enum hf_refusal r,
                       const struct hf_update_result *result)
{
    hf_buffer_text(out, "{\"publisher\":");
    hf_json_string(out, hf_bytes_text(name));
    hf_buffer_format(out,
                     ",\"result\":\"%s\",\"updated\":%s,\"version\":%" PRIu64
                     ",\"newest\":%" PRIu64 ",\"age\":%" PRIu64 ",\"fetched\":%" PRIu64
                     ",\"waits\":",
                     hf_refusal_name(r), result->news ? "true" : "false", result->version,
                     result->newest, result->age, result->fetched);
    if (result->wait != HF_WAIT_NO)
        hf_json_string(out, hf_bytes_text(hf_wait_text(result->wait)));
    else
        hf_buffer_text(out, "null");
    hf_buffer_format(out, ",\"waits_until\":%" PRIu64 ",\"release\":\"%s\",\"problem\":",
                     result->when, hf_refusal_name(result->release_refusal));
    if (result->problem.len > 0)
        hf_json_string(out, hf_buffer_view(&result->problem));
    else
        hf_buffer_text(out, "null");
    hf_buffer_text(out, "}\n");
}

static void write_text(struct hf_buffer *out, const char *name, enum hf_refusal r,
                       const struct hf_update_result *result)
{
    hf_buffer_format(out, "%s: ", name);
    if (result->version == 0)
        hf_buffer_text(out, "no content yet");
    else
        hf_buffer_format(out, "version %" PRIu64 "%s", result->version,
                         result->news ? ", new" : "");
    if (result->newest > result->version)
        hf_buffer_format(out, "; version %" PRIu64 " is known%s%s", result->newest,
                         result->wait != HF_WAIT_NO ? ": " : "",
                         result->wait != HF_WAIT_NO ? hf_wait_text(result->wait) : "");
    if (r == HF_ACCEPTED && result->age > HF_ALARM_AGE)
        hf_buffer_format(out,
                         "; ALARM: nothing newer has been vouched for in %" PRIu64 " days",
                         result->age / 86400);
    else if (r == HF_ACCEPTED && result->age > HF_WARN_AGE)
        hf_buffer_format(out, "; nothing newer has been vouched for in %" PRIu64 " days",
                         result->age / 86400);
    hf_buffer_u8(out, '\n');
}

static enum hf_refusal act(const struct hf_arguments *arguments,
                           const struct hf_site *place, const char *name,
                           struct hf_update_result *result)
{
    const struct hf_option_value *v = arguments->values;
    if (v[ROLLBACK].count > 0)
        return hf_update_rollback(place, name, result);
    if (v[APPROVE].count > 0) {
        enum hf_refusal r = hf_update_approve(place, name, v[APPROVE].number, result);
        if (r != HF_ACCEPTED)
            return r;
        hf_update_result_done(result);
    }
    struct hf_update_options options = {
        .check_only = v[CHECK].count > 0, .from = v[FROM].text, .builtin = hf_db_builtin()};
    return hf_update_run(place, name, &options, result);
}

static int update_one(const struct hf_arguments *arguments, const struct hf_site *place,
                      const char *name, struct hf_buffer *out)
{
    struct hf_update_result result = {0};
    const struct hf_option_value *v = arguments->values;
    enum hf_refusal r = act(arguments, place, name, &result);
    int code = r != HF_ACCEPTED || result.release_refusal != HF_ACCEPTED ? HF_EXIT_ERROR
               : result.age > HF_WARN_AGE ? HF_EXIT_INCOMPLETE
                                          : HF_EXIT_OK;
    if (v[JSON].count > 0)
        write_json(out, name, r, &result);
    else if (v[QUIET].count == 0 || code != HF_EXIT_OK)
        write_text(out, name, r, &result);
    if (v[JSON].count == 0 && result.problem.len > 0)
        hf_complain(arguments, "%s: %.*s", name, (int)result.problem.len,
                    (const char *)result.problem.data);
    hf_update_result_done(&result);
    return code;
}

static int worse(int a, int b)
{
    if (a == HF_EXIT_ERROR || b == HF_EXIT_ERROR)
        return HF_EXIT_ERROR;
    return a > b ? a : b;
}

static int run_update(const struct hf_arguments *arguments)
{
    struct hf_site place;
    struct hf_publisher_names names = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    int code = hf_publishers_open(arguments, arguments->values[HOME].text, &place);
    if (code != HF_EXIT_OK)
        return code;
    const char *hold = arguments->values[HOLD].text;
    if (arguments->operand_count == 0 && hf_site_publishers(&place, &names) != HF_OK) {
        hf_complain(arguments, "%s: %s", place.config, strerror(errno));
        code = HF_EXIT_ERROR;
    }
    const char *const *chosen = arguments->operand_count > 0
                                    ? (const char *const *)arguments->operands
                                    : (const char *const *)names.names;
    size_t count = arguments->operand_count > 0 ? arguments->operand_count : names.count;
    if (count == 0 && code == HF_EXIT_OK) {
        hf_complain(arguments, "no publisher is trusted; see 'holdfast trust add --help'");
        code = HF_EXIT_ERROR;
    }
    for (size_t i = 0; i < count; i++)
        code = worse(code, hold != NULL ? hf_publisher_set(arguments, &place, chosen[i],
                                                           "hold", hold)
                                        : update_one(arguments, &place, chosen[i], &out));
    hf_publisher_names_done(&names);
    hf_site_done(&place);
    return worse(code, hf_print(arguments, &out));
}
