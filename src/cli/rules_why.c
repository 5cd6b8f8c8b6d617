/* rules_why.c - `holdfast rules why NAME`: where a signature comes from: publisher and generation,
 * source, licence. Reads databases only. */
#include "cli/rules_why.h"

#include "base/auto.h"
#include "base/text.h"
#include "cli/databases.h"
#include "cli/rules_what.h"
#include "update/site.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WHY_DB, WHY_JSON, WHY_HOME };
static const struct hf_option why_options[] = {
    [WHY_DB] = {'d', "db", HF_OPTION_LIST, "PATH",
                "look in this database instead of all that a scan uses", HF_COMPLETE_FILE},
    [WHY_JSON] = {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object a signature"},
    [WHY_HOME] = {0, "home", HF_OPTION_TEXT, "DIR",
                  "trust and content are below this folder", HF_COMPLETE_FILE},
};

static int run_why(const struct hf_arguments *arguments);

const struct hf_command hf_command_rules_why = {
    .name = "why",
    .operands = "[OPTION]... NAME",
    .summary =
        "say what a signature is and where it comes from: publisher, generation, source",
    .details =
        "Exit codes: 0 found, 1 no signature has this name, 2 not all could be read.",
    .options = why_options,
    .option_count = sizeof why_options / sizeof *why_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_why,
};

/* Whose a segment is. */
struct origin {
    char path[4096];     /* of its file, or what it is */
    char publisher[64];  /* "": nobody's feed */
    uint64_t version;    /* of the publisher's release; 0: not known */
    char generation[65]; /* the manifest's hash */
};

/* ".../feeds/NAME/gen/HASH/FILE", as update/site.h lays them out. */
static struct origin origin_of(int fd, const char *home)
{
    struct origin o = {0};
    char link[32];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, o.path, sizeof o.path - 1);
    o.path[n > 0 ? n : 0] = 0;
    if (strncmp(o.path, "/memfd:holdfast-content", 23) == 0)
        (void)snprintf(o.path, sizeof o.path, "built-in");
    for (const char *feed = o.path; (feed = strstr(feed, "/feeds/")) != NULL; feed++) {
        if (sscanf(feed, "/feeds/%63[^/]/gen/%64[0-9a-f]/", o.publisher, o.generation) == 2)
            break;
        o.publisher[0] = o.generation[0] = 0;
    }
    struct hf_site place = {.config_dir = -1, .content_dir = -1};
    struct hf_endpoint e = {.trust_dir = -1, .feed_dir = -1};
    struct hf_hash hash;
    if (o.publisher[0] != 0 && hf_site_look(&place, home) == HF_OK &&
        hf_endpoint_open(&place, o.publisher, &e) == HF_ACCEPTED &&
        hf_unhex(hf_bytes_text(o.generation), hash.bytes, sizeof hash.bytes) ==
            sizeof hash.bytes)
        for (size_t i = 0; i < e.state.generation_count; i++)
            if (hf_hash_equal(&hash, &e.state.generations[i].manifest))
                o.version = e.state.generations[i].version;
    hf_endpoint_done(&e);
    hf_site_done(&place);
    return o;
}

/* One signature that has the name. */
struct hit {
    const char *name;
    const struct hf_db *db;
    struct hf_signature signature;
    struct origin origin;
    struct hf_bytes source, licence;
    bool withdrawn;
};

static void put_json(struct hf_buffer *out, const struct hit *h)
{
    const struct origin *o = &h->origin;
    hf_buffer_text(out, "{\"name\":");
    hf_json_string(out, hf_bytes_text(h->name));
    hf_buffer_text(out, ",\"database\":");
    hf_json_string(out, hf_bytes_text(o->path));
    hf_buffer_text(out, ",\"publisher\":");
    if (o->publisher[0] != 0)
        hf_json_string(out, hf_bytes_text(o->publisher));
    else
        hf_buffer_text(out, "null");
    hf_buffer_format(out, ",\"version\":%" PRIu64 ",\"generation\":\"%s\",\"source\":",
                     o->version, o->generation);
    hf_json_string(out, h->source);
    hf_buffer_text(out, ",\"licence\":");
    hf_json_string(out, h->licence);
    hf_buffer_format(out, ",\"withdrawn\":%s", h->withdrawn ? "true" : "false");
    hf_rules_what_json(out, h->db, h->signature);
    hf_buffer_text(out, "}\n");
}

static void put_text(struct hf_buffer *out, const struct hit *h)
{
    const struct origin *o = &h->origin;
    hf_escape(out, hf_bytes_text(h->name));
    hf_buffer_text(out, h->withdrawn ? " (withdrawn)\n" : "\n");
    if (o->publisher[0] != 0)
        hf_buffer_format(out, "  publisher  %s, version %" PRIu64 ", generation %.16s\n",
                         o->publisher, o->version, o->generation);
    hf_buffer_text(out, "  database   ");
    hf_escape(out, hf_bytes_text(o->path));
    hf_buffer_text(out, "\n  source     ");
    hf_escape(out, h->source);
    hf_buffer_text(out, "\n  licence    ");
    if (h->licence.len > 0)
        hf_escape(out, h->licence);
    else
        hf_buffer_text(out, "not stated");
    hf_buffer_u8(out, '\n');
    hf_rules_what_text(out, h->db, h->signature);
}

static uint64_t look(const struct hf_arguments *arguments,
                     const struct hf_databases *databases, struct hf_buffer *out)
{
    const char *name = arguments->operands[0];
    HF_AUTO(hf_buffer_done) struct hf_buffer is = {0};
    uint64_t found = 0;
    for (uint32_t segment = 0; segment < hf_db_segment_count(databases->db); segment++) {
        struct hf_signature s = {segment, 0};
        for (enum hf_status st = HF_OK; st != HF_NOTFOUND; s.number++) {
            hf_buffer_clear(&is);
            st = hf_db_name(databases->db, s, &is);
            if (st != HF_OK || !hf_bytes_equal(hf_buffer_view(&is), hf_bytes_text(name)))
                continue;
            struct hit h = {.name = name, .db = databases->db, .signature = s};
            h.origin = origin_of(databases->fds[segment], arguments->values[WHY_HOME].text);
            h.withdrawn = hf_db_withdrawn(databases->db, s);
            if (hf_db_source(databases->db, s, &h.source, &h.licence) != HF_OK)
                continue;
            (arguments->values[WHY_JSON].count > 0 ? put_json : put_text)(out, &h);
            found++;
        }
    }
    return found;
}

static void on_note(void *user, bool important, const char *text)
{
    if (important)
        hf_complain(user, "%s", text);
}

static int run_why(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_databases_done) struct hf_databases databases;
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0}, out = {0};
    const struct hf_option_value *db = &arguments->values[WHY_DB];
    const struct hf_pua pua = {0};
    void *user = (void *)(uintptr_t)arguments;
    enum hf_status st =
        db->count > 0
            ? hf_databases_open(&databases, db->list, db->count, on_note, user, &error)
            : hf_databases_open_published(&databases, NULL, 0, &pua,
                                          arguments->values[WHY_HOME].text, on_note, user,
                                          &error);
    if (st != HF_OK) {
        hf_complain(arguments, "%.*s", (int)error.len,
                    error.len > 0 ? (const char *)error.data : "");
        return HF_EXIT_ERROR;
    }
    uint64_t found = look(arguments, &databases, &out);
    if (found == 0)
        hf_complain(arguments, "no signature has the name '%s'", arguments->operands[0]);
    int printed = hf_print(arguments, &out);
    return found == 0 ? 1 : printed;
}
