/* trust_command.c - `holdfast trust`: whom this machine believes, and under which rules. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/publishers.h"
#include "update/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ADD_ROOT,
    ADD_FINGERPRINT,
    ADD_SOURCE,
    ADD_POLICY,
    ADD_CHANNEL,
    ADD_ALLOW,
    ADD_SET,
    ADD_HOME
};
static const struct hf_option add_options[] = {
    [ADD_ROOT] =
        {0, "root", HF_OPTION_TEXT, "FILE",
         "the publisher's root; without it it is fetched from the first source and must "
         "have the fingerprint",
         HF_COMPLETE_FILE},
    [ADD_FINGERPRINT] =
        {0, "fingerprint", HF_OPTION_TEXT, "SHA256",
         "what the root's fingerprint must be, as told by somebody you believe"},
    [ADD_SOURCE] = {0, "source", HF_OPTION_LIST, "SOURCE",
                    "where its feed is: an address or a folder; several are tried in order",
                    HF_COMPLETE_FILE},
    [ADD_POLICY] =
        {0, "policy", HF_OPTION_TEXT, "FILE",
         "which witnesses must have cosigned (c2sp.org/tlog-policy); default: none",
         HF_COMPLETE_FILE},
    [ADD_CHANNEL] = {0, "channel", HF_OPTION_TEXT, "NAME", "default: content"},
    [ADD_ALLOW] =
        {0, "allow", HF_OPTION_LIST, "ABILITY",
         "detect, allow, ignore, withdraw: what its content may do; default: detect "
         "and withdraw"},
    [ADD_SET] = {0, "set", HF_OPTION_LIST, "KEY=VALUE",
                 "hold, approve, pin, behind, delay, window, rate, largest, proxy, everywhere"},
    [ADD_HOME] = {0, "home", HF_OPTION_TEXT, "DIR",
                  "keep trust and content below this folder", HF_COMPLETE_FILE},
};

enum { SHOW_JSON, SHOW_HOME };
static const struct hf_option show_options[] = {
    [SHOW_JSON] = {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object a publisher"},
    [SHOW_HOME] = {0, "home", HF_OPTION_TEXT, "DIR",
                   "keep trust and content below this folder", HF_COMPLETE_FILE},
};

enum { REMOVE_HOME };
static const struct hf_option remove_options[] = {
    [REMOVE_HOME] = {0, "home", HF_OPTION_TEXT, "DIR",
                     "keep trust and content below this folder", HF_COMPLETE_FILE},
};

static int run_add(const struct hf_arguments *arguments);
static int run_replace(const struct hf_arguments *arguments);
static int run_rotate(const struct hf_arguments *arguments);
static int run_show(const struct hf_arguments *arguments);
static int run_remove(const struct hf_arguments *arguments);

static const struct hf_command command_add = {
    .name = "add",
    .operands = "[OPTION]... NAME",
    .summary = "trust a publisher, under a name of your choice",
    .details =
        "The root comes from a file, or from the source together with its fingerprint: one\n"
        "of the two must be given, nothing is believed because it came first.",
    .options = add_options,
    .option_count = sizeof add_options / sizeof *add_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_add,
};

static const struct hf_command command_replace = {
    .name = "replace",
    .operands = "[OPTION]... NAME",
    .summary =
        "exchange a publisher for another one; its content stays until the new one's is there",
    .details = "Options as of 'holdfast trust add'.",
    .options = add_options,
    .option_count = sizeof add_options / sizeof *add_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_replace,
};

static const struct hf_command command_rotate = {
    .name = "rotate",
    .operands = "[OPTION]... NAME",
    .summary =
        "change witnesses, sources, abilities or rules of a publisher, its root staying",
    .details = "Options as of 'holdfast trust add'; what is not given stays.",
    .options = add_options,
    .option_count = sizeof add_options / sizeof *add_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_rotate,
};

static const struct hf_command command_show = {
    .name = "show",
    .operands = "[OPTION]... [NAME]...",
    .summary = "show whom this machine believes, and what it has of them",
    .options = show_options,
    .option_count = sizeof show_options / sizeof *show_options,
    .operands_max = HF_PUBLISHERS_MAX,
    .run = run_show,
};

static const struct hf_command command_remove = {
    .name = "remove",
    .operands = "[OPTION]... NAME",
    .summary = "trust a publisher no longer, and remove its content",
    .options = remove_options,
    .option_count = sizeof remove_options / sizeof *remove_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_remove,
};

const struct hf_command hf_command_trust = {
    .name = "trust",
    .operands = "show|add|remove|replace|rotate [OPTION]... [OPERAND]...",
    .summary = "decide whose content this machine believes",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .subcommands =
        (const struct hf_command *const[]){&command_show, &command_add, &command_remove,
                                           &command_replace, &command_rotate, NULL},
};

static const char default_policy[] =
    "# Witnesses that must have cosigned what this publisher's log says (c2sp.org/tlog-policy).\n"
    "# There is none: a log that shows this machine something else than others is not noticed.\n"
    "quorum none\n";

struct adding {
    const struct hf_arguments *arguments;
    struct hf_site place;
    struct hf_buffer root, policy, settings;
    struct hf_arena *arena;
    struct hf_root *read;
};

static void adding_done(struct adding *a)
{
    hf_buffer_done(&a->root);
    hf_buffer_done(&a->policy);
    hf_buffer_done(&a->settings);
    hf_arena_free(a->arena);
    hf_site_done(&a->place);
}

static bool refuse(struct adding *a, const char *what, enum hf_refusal r)
{
    hf_complain(a->arguments, "%s: %s", what, hf_refusal_text(r));
    return false;
}

static bool fetch_root(struct adding *a)
{
    const struct hf_option_value *sources = &a->arguments->values[ADD_SOURCE];
    if (sources->count == 0 || a->arguments->values[ADD_FINGERPRINT].count == 0) {
        hf_complain(a->arguments,
                    "either --root, or --source and --fingerprint are needed");
        return false;
    }
    struct hf_settings settings = {.largest = HF_NOTE_FETCH_MAX};
    struct hf_source source;
    enum hf_refusal r = hf_source_open(&source, hf_bytes_text(sources->list[0]), &settings);
    struct hf_feed_source feed = hf_source_as_feed(&source);
    if (r == HF_ACCEPTED)
        r = feed.get(feed.user, "root/1", HF_NOTE_FETCH_MAX, &a->root);
    hf_source_done(&source);
    return r == HF_ACCEPTED || refuse(a, sources->list[0], r);
}

/* The fingerprint is the SHA-256 of the root's text: what its signatures are over. */
static bool check_fingerprint(struct adding *a, struct hf_bytes text)
{
    const char *given = a->arguments->values[ADD_FINGERPRINT].text;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_hash hash, expected;
    if (given == NULL)
        return true;
    if (hasher == NULL || !hf_hash_of(&m, text, &hash))
        return refuse(a, "fingerprint", HF_REFUSE_CRYPTO);
    if (hf_unhex(hf_bytes_text(given), expected.bytes, sizeof expected.bytes) !=
            sizeof expected.bytes ||
        !hf_hash_equal(&hash, &expected)) {
        hf_complain(a->arguments, "the root has another fingerprint: nothing is trusted");
        return false;
    }
    return true;
}

static bool take_root(struct adding *a)
{
    const char *file = a->arguments->values[ADD_ROOT].text;
    struct hf_signed_note note;
    if (file != NULL) {
        if (hf_file_read(AT_FDCWD, file, HF_NOTE_FETCH_MAX, &a->root) != HF_OK) {
            hf_complain(a->arguments, "%s: %s", file, strerror(errno));
            return false;
        }
    } else if (!fetch_root(a)) {
        return false;
    }
    struct hf_cursor c = hf_cursor_open(a->root.data, a->root.len, NULL);
    enum hf_refusal r = hf_note_read(&c, a->arena, &note);
    if (r == HF_ACCEPTED)
        r = hf_root_read(note.text, NULL, a->read);
    if (r == HF_ACCEPTED)
        r = hf_root_verify(NULL, &note, a->read);
    return r == HF_ACCEPTED ? check_fingerprint(a, note.text) : refuse(a, "root", r);
}

static bool take_policy(struct adding *a, bool keep)
{
    const char *file = a->arguments->values[ADD_POLICY].text;
    struct hf_policy *policy = hf_arena_alloc(a->arena, sizeof *policy);
    if (policy == NULL)
        return refuse(a, "policy", HF_REFUSE_NOMEM);
    if (file == NULL && keep)
        return true;
    if (file == NULL)
        hf_buffer_text(&a->policy, default_policy);
    else if (hf_file_read(AT_FDCWD, file, HF_POLICY_BYTES_MAX, &a->policy) != HF_OK) {
        hf_complain(a->arguments, "%s: %s", file, strerror(errno));
        return false;
    }
    enum hf_refusal r = hf_policy_read(hf_buffer_view(&a->policy), NULL, policy);
    return r == HF_ACCEPTED || refuse(a, file != NULL ? file : "policy", r);
}

static void set_list(struct hf_buffer *out, const char *key,
                     const struct hf_option_value *list)
{
    for (size_t i = 0; i < list->count; i++)
        hf_buffer_format(out, "%s %s\n", key, list->list[i]);
}

static bool write_settings(struct adding *a, const struct hf_settings *old)
{
    static const char *const abilities[] = {"detect", "withdraw"};
    const struct hf_option_value *v = a->arguments->values;
    struct hf_settings first = {.product = a->read->product,
                                .channel = hf_bytes_text("content")};
    if (old != NULL)
        first = *old;
    if (v[ADD_CHANNEL].text != NULL)
        first.channel = hf_bytes_text(v[ADD_CHANNEL].text);
    if (v[ADD_SOURCE].count > 0)
        first.source_count = 0;
    if (v[ADD_ALLOW].count > 0)
        first.capability_count = 0;
    for (size_t i = 0; old == NULL && v[ADD_ALLOW].count == 0 && i < 2; i++)
        first.capabilities[first.capability_count++] = hf_bytes_text(abilities[i]);
    if (old == NULL) {
        struct hf_settings initial;
        if (hf_settings_read(hf_bytes_text("product a.b\n"), &initial, NULL) == HF_ACCEPTED)
            first.largest = initial.largest;
    }
    hf_settings_write(&a->settings, &first);
    set_list(&a->settings, "source", &v[ADD_SOURCE]);
    set_list(&a->settings, "capability", &v[ADD_ALLOW]);
    for (size_t i = 0; i < v[ADD_SET].count; i++) {
        const char *equals = strchr(v[ADD_SET].list[i], '=');
        if (equals == NULL) {
            hf_complain(a->arguments, "'%s' is not of the form KEY=VALUE",
                        v[ADD_SET].list[i]);
            return false;
        }
        hf_buffer_format(&a->settings, "%.*s %s\n", (int)(equals - v[ADD_SET].list[i]),
                         v[ADD_SET].list[i], equals + 1);
    }
    struct hf_settings again;
    size_t line = 0;
    if (a->settings.failed ||
        hf_settings_read(hf_buffer_view(&a->settings), &again, &line) != HF_ACCEPTED) {
        hf_complain(a->arguments, "these settings do not fit together (line %zu of:\n%.*s)",
                    line, (int)a->settings.len, (const char *)a->settings.data);
        return false;
    }
    return true;
}

/* What the publisher before has left: it stays in use until something newer is there, and any
 * version is newer. */
static void keep_generations(struct hf_state *to, const struct hf_state *from)
{
    const struct hf_state_generation *active = hf_state_active(from);
    if (active == NULL)
        return;
    to->generations[0] = *active;
    to->generations[0].version = 0;
    to->generation_count = 1;
    to->active = active->manifest;
}

/* The first state, so that a missing one is noticed later. */
static bool begin_state(struct adding *a, const char *name, const struct hf_state *before)
{
    struct hf_endpoint e;
    enum hf_refusal r = hf_endpoint_open(&a->place, name, &e);
    if (r == HF_ACCEPTED && (e.state_lost || before != NULL)) {
        hf_endpoint_restart(&e);
        if (before != NULL)
            keep_generations(&e.state, before);
        r = hf_endpoint_commit(&e, &e.state, hf_buffer_view(&e.root_note));
    }
    hf_endpoint_done(&e);
    return r == HF_ACCEPTED || refuse(a, name, r);
}

static bool put(struct adding *a, const char *name, const char *file,
                const struct hf_buffer *bytes)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    hf_buffer_format(&path, "trust/%s/%s", name, file);
    hf_buffer_u8(&path, 0);
    if (!path.failed && hf_file_replace(a->place.config_dir, (const char *)path.data,
                                        hf_buffer_view(bytes), 0644) == HF_OK)
        return true;
    hf_complain(a->arguments, "%s/%s: %s", name, file, strerror(errno));
    return false;
}

static bool begin(struct adding *a, const struct hf_arguments *arguments)
{
    *a = (struct adding){.arguments = arguments};
    a->place.config_dir = a->place.content_dir = -1;
    if (!hf_tag_valid(hf_bytes_text(arguments->operands[0]))) {
        hf_complain(arguments, "'%s': a name has a-z, 0-9, dots and dashes",
                    arguments->operands[0]);
        return false;
    }
    if (hf_publishers_open(arguments, arguments->values[ADD_HOME].text, &a->place) !=
        HF_EXIT_OK)
        return false;
    a->arena = hf_arena_new(4 << 20);
    a->read = a->arena == NULL ? NULL : hf_arena_alloc(a->arena, sizeof *a->read);
    return a->read != NULL || refuse(a, "memory", HF_REFUSE_NOMEM);
}

static bool is_there(const struct adding *a, const char *name)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    struct stat st;
    hf_buffer_format(&path, "trust/%s/settings", name);
    hf_buffer_u8(&path, 0);
    return !path.failed &&
           fstatat(a->place.config_dir, (const char *)path.data, &st, 0) == 0;
}

static bool add(struct adding *a, const char *name, const struct hf_state *before)
{
    return take_root(a) && take_policy(a, false) && write_settings(a, NULL) &&
           put(a, name, "root", &a->root) && put(a, name, "policy", &a->policy) &&
           put(a, name, "settings", &a->settings) && begin_state(a, name, before);
}

static int run_add(const struct hf_arguments *arguments)
{
    struct adding a;
    const char *name = arguments->operands[0];
    bool good = begin(&a, arguments);
    if (good && is_there(&a, name)) {
        hf_complain(arguments, "'%s' is trusted already; see 'holdfast trust replace'",
                    name);
        good = false;
    }
    good = good && add(&a, name, NULL);
    adding_done(&a);
    return good ? HF_EXIT_OK : HF_EXIT_ERROR;
}

static int run_replace(const struct hf_arguments *arguments)
{
    struct adding a;
    const char *name = arguments->operands[0];
    bool good = begin(&a, arguments);
    if (good && !is_there(&a, name)) {
        hf_complain(arguments, "'%s' is not trusted; see 'holdfast trust add'", name);
        good = false;
    }
    struct hf_endpoint e;
    struct hf_state before = {0};
    if (good && hf_endpoint_open(&a.place, name, &e) == HF_ACCEPTED)
        before = e.state;
    if (good)
        hf_endpoint_done(&e);
    good = good && add(&a, name, &before);
    adding_done(&a);
    return good ? HF_EXIT_OK : HF_EXIT_ERROR;
}

static int run_rotate(const struct hf_arguments *arguments)
{
    struct adding a;
    const char *name = arguments->operands[0];
    bool good = begin(&a, arguments);
    struct hf_endpoint e = {.trust_dir = -1, .feed_dir = -1};
    enum hf_refusal r = good ? hf_endpoint_open(&a.place, name, &e) : HF_ACCEPTED;
    if (r != HF_ACCEPTED)
        good = refuse(&a, name, r);
    good = good && take_policy(&a, true) && write_settings(&a, &e.settings) &&
           (a.policy.len == 0 || put(&a, name, "policy", &a.policy)) &&
           put(&a, name, "settings", &a.settings);
    hf_endpoint_done(&e);
    adding_done(&a);
    return good ? HF_EXIT_OK : HF_EXIT_ERROR;
}

static int run_remove(const struct hf_arguments *arguments)
{
    struct hf_site place;
    const char *name = arguments->operands[0];
    HF_AUTO(hf_buffer_done) struct hf_buffer trust = {0}, feed = {0};
    int code = hf_publishers_open(arguments, arguments->values[REMOVE_HOME].text, &place);
    if (code != HF_EXIT_OK)
        return code;
    struct stat st;
    hf_buffer_format(&trust, "trust/%s", name);
    hf_buffer_format(&feed, "feeds/%s", name);
    hf_buffer_u8(&trust, 0);
    hf_buffer_u8(&feed, 0);
    errno = ENOMEM;
    if (!hf_tag_valid(hf_bytes_text(name)) || trust.failed || feed.failed ||
        fstatat(place.config_dir, (const char *)trust.data, &st, 0) != 0 ||
        hf_file_remove_all(place.config_dir, (const char *)trust.data) != HF_OK ||
        hf_file_remove_all(place.content_dir, (const char *)feed.data) != HF_OK) {
        hf_complain(arguments, "%s: %s", name, strerror(errno));
        code = HF_EXIT_ERROR;
    }
    hf_site_done(&place);
    return code;
}

static void show_json(struct hf_buffer *out, const struct hf_endpoint *e, uint64_t now)
{
    const struct hf_state *s = &e->state;
    const struct hf_state_generation *active = hf_state_active(s);
    hf_buffer_text(out, "{\"publisher\":");
    hf_json_string(out, hf_bytes_text(e->name));
    hf_buffer_text(out, ",\"product\":");
    hf_json_string(out, e->settings.product);
    hf_buffer_text(out, ",\"channel\":");
    hf_json_string(out, e->settings.channel);
    hf_buffer_format(out,
                     ",\"version\":%" PRIu64 ",\"root_version\":%" PRIu64
                     ",\"log_size\":%" PRIu64 ",\"age\":%" PRIu64
                     ",\"witnesses\":%zu,\"quorum\":%s,\"generations\":[",
                     active != NULL ? active->version : 0, s->root_version, s->size,
                     s->time > 0 ? hf_state_age(s, now) : 0, e->policy->witness_count,
                     e->policy->quorum >= 0 ? "true" : "false");
    for (size_t i = 0; i < s->generation_count; i++)
        hf_buffer_format(out, "%s%" PRIu64, i > 0 ? "," : "", s->generations[i].version);
    hf_buffer_text(out, "],\"alarms\":[");
    for (size_t i = 0, n = 0; i < HF_ALARMS; i++)
        if (s->alarms[i] != 0)
            hf_buffer_format(out, "%s\"%s\"", n++ > 0 ? "," : "",
                             hf_state_alarm_name((enum hf_state_alarm)i));
    hf_buffer_text(out, "]}\n");
}

static void show_text(struct hf_buffer *out, const struct hf_endpoint *e, uint64_t now)
{
    const struct hf_state *s = &e->state;
    const struct hf_state_generation *active = hf_state_active(s);
    hf_buffer_format(out, "%s\n  product     ", e->name);
    hf_escape(out, e->settings.product);
    hf_buffer_text(out, "\n  sources     ");
    for (size_t i = 0; i < e->settings.source_count; i++) {
        hf_buffer_text(out, i > 0 ? ", " : "");
        hf_escape(out, e->settings.sources[i]);
    }
    hf_buffer_text(out, "\n  may         ");
    for (size_t i = 0; i < e->settings.capability_count; i++) {
        hf_buffer_text(out, i > 0 ? ", " : "");
        hf_escape(out, e->settings.capabilities[i]);
    }
    if (e->policy->quorum >= 0)
        hf_buffer_format(out, "\n  witnesses   a quorum of %zu that you named\n",
                         e->policy->witness_count);
    else
        hf_buffer_text(out,
                       "\n  witnesses   none: nobody but the publisher vouches for what "
                       "this machine is shown\n");
    if (active == NULL)
        hf_buffer_text(out, "  content     none yet\n");
    else
        hf_buffer_format(out, "  content     version %" PRIu64 ", %zu generations kept\n",
                         active->version, s->generation_count);
    if (s->time > 0)
        hf_buffer_format(out, "  vouched     %" PRIu64 " hours ago%s\n",
                         hf_state_age(s, now) / 3600,
                         hf_state_age(s, now) > HF_ALARM_AGE  ? " - ALARM: out of date"
                         : hf_state_age(s, now) > HF_WARN_AGE ? " - out of date"
                                                              : "");
    if (e->settings.hold)
        hf_buffer_text(out, "  held        nothing new is taken\n");
    if (e->settings.pin != 0)
        hf_buffer_format(out, "  pinned      version %" PRIu64 "\n", e->settings.pin);
    if (e->state_lost)
        hf_buffer_text(out, "  ALARM       its state is lost or damaged\n");
    for (size_t i = 0; i < HF_ALARMS; i++)
        if (s->alarms[i] != 0)
            hf_buffer_format(out, "  ALARM       %s\n",
                             hf_state_alarm_text((enum hf_state_alarm)i));
}

static int run_show(const struct hf_arguments *arguments)
{
    struct hf_site place;
    struct hf_publisher_names names = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    int code = hf_publishers_open(arguments, arguments->values[SHOW_HOME].text, &place);
    if (code != HF_EXIT_OK)
        return code;
    if (hf_site_publishers(&place, &names) != HF_OK)
        code = HF_EXIT_ERROR;
    size_t count = arguments->operand_count > 0 ? arguments->operand_count : names.count;
    for (size_t i = 0; i < count; i++) {
        struct hf_endpoint e;
        const char *name =
            arguments->operand_count > 0 ? arguments->operands[i] : names.names[i];
        enum hf_refusal r = hf_endpoint_open(&place, name, &e);
        uint64_t now = (uint64_t)time(NULL);
        if (r != HF_ACCEPTED) {
            hf_complain(arguments, "%s: %.*s", name, (int)e.problem.len,
                        e.problem.len > 0 ? (const char *)e.problem.data : "");
            code = HF_EXIT_ERROR;
        } else if (arguments->values[SHOW_JSON].count > 0) {
            show_json(&out, &e, now);
        } else {
            show_text(&out, &e, now);
        }
        hf_endpoint_done(&e);
    }
    if (count == 0 && arguments->values[SHOW_JSON].count == 0)
        hf_buffer_text(&out, "no publisher is trusted; only built-in content is used\n");
    hf_publisher_names_done(&names);
    hf_site_done(&place);
    int printed = hf_print(arguments, &out);
    return code != HF_EXIT_OK ? code : printed;
}
