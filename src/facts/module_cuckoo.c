/* module_cuckoo.c - what a program did in a sandbox, from the report that the user gives along.
 * [yara 4.5 libyara/modules/cuckoo; Cuckoo's report.json] Without a report every function is 0. */
#include "base/json.h"
#include "facts/modules.h"

enum { REPORT = 1, GET = 1, POST = 2 };

struct part {
    const struct hf_json *json; /* NULL: the report has none */
};

struct cuckoo {
    struct part network, registry, filesystem, sync;
};

static enum hf_status parse(struct hf_facts *facts, void *state, unsigned group)
{
    (void)group;
    struct cuckoo *cuckoo = state;
    const struct hf_json *report = NULL;
    if (facts->outside == NULL || facts->outside->cuckoo.len == 0)
        return HF_OK;
    struct hf_bytes text = facts->outside->cuckoo;
    struct hf_cursor c = hf_cursor_open(text.data, text.len, facts->object.budget);
    enum hf_status st = hf_json_read(&c, facts->arena, &report);
    if (st != HF_OK)
        return st;
    const struct hf_json *summary =
        hf_json_member(hf_json_member(report, "behavior"), "summary");
    cuckoo->network.json = hf_json_member(report, "network");
    cuckoo->registry.json = hf_json_member(summary, "keys");
    cuckoo->filesystem.json = hf_json_member(summary, "files");
    cuckoo->sync.json = hf_json_member(summary, "mutexes");
    return HF_OK;
}

/* ---- looking ---- */

/* A match that ends at 0 does not count, and a text ends at its first zero, as in YARA. */
static bool matches(const struct hf_value *regex, struct hf_bytes text)
{
    const uint8_t *zero = text.len == 0 ? NULL : memchr(text.data, 0, text.len);
    if (zero != NULL)
        text.len = (size_t)(zero - text.data);
    return regex->regex->end(regex->regex, text) > 0;
}

static bool text_of(const struct hf_json *object, const char *name, struct hf_bytes *text)
{
    const struct hf_json *value = hf_json_member(object, name);
    if (value == NULL || value->type != HF_JSON_STRING)
        return false;
    *text = value->string;
    return true;
}

static bool is_word(struct hf_bytes text, const char *word)
{
    return text.len == strlen(word) &&
           strncasecmp((const char *)text.data, word, text.len) == 0;
}

/* Whether one of a list of plain strings matches. */
static void any_string(const struct hf_json *list, const struct hf_value *regex,
                       struct hf_value *out)
{
    bool found = false;
    for (const struct hf_json *e = hf_json_elements(list); e != NULL && !found; e = e->next)
        found = e->type == HF_JSON_STRING && matches(regex, e->string);
    *out = hf_value_int(found);
}

/* Requests whose member `what` matches, of these methods (0: whatever they are). */
static void any_request(const struct part *network, const char *what, unsigned methods,
                        const struct hf_value *regex, struct hf_value *out)
{
    bool found = false;
    const struct hf_json *e = hf_json_elements(hf_json_member(network->json, "http"));
    for (; e != NULL && !found; e = e->next) {
        struct hf_bytes text, method = {0};
        if (!text_of(e, what, &text) || (methods != 0 && !text_of(e, "method", &method)))
            continue;
        bool wanted = methods == 0 || ((methods & GET) != 0 && is_word(method, "get")) ||
                      ((methods & POST) != 0 && is_word(method, "post"));
        found = wanted && matches(regex, text);
    }
    *out = hf_value_int(found);
}

/* Connections to a matching address and this port. */
static void any_connection(const struct part *network, const char *protocol,
                           const struct hf_value *args, struct hf_value *out)
{
    bool found = false;
    const struct hf_json *e = hf_json_elements(hf_json_member(network->json, protocol));
    for (; e != NULL && !found; e = e->next) {
        struct hf_bytes to;
        const struct hf_json *port = hf_json_member(e, "dport");
        found = port != NULL && port->type == HF_JSON_INTEGER && text_of(e, "dst", &to) &&
                matches(&args[0], to) && port->integer == args[1].integer;
    }
    *out = hf_value_int(found);
}

/* ---- functions ---- */

/* Reports have "domains" (domain), older ones "dns" (hostname); newer ones have both. */
static void dns_lookup(const struct hf_facts *facts, const void *record,
                       const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    const struct part *network = record;
    const struct hf_json *list = hf_json_member(network->json, "domains");
    const char *name = "domain";
    if (list == NULL) {
        list = hf_json_member(network->json, "dns");
        name = "hostname";
    }
    bool found = false;
    for (const struct hf_json *e = hf_json_elements(list); e != NULL && !found;
         e = e->next) {
        struct hf_bytes address, host;
        found = text_of(e, "ip", &address) && text_of(e, name, &host) &&
                matches(&args[0], host);
    }
    *out = hf_value_int(found);
}

static void http_get(const struct hf_facts *facts, const void *record,
                     const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    any_request(record, "uri", GET, args, out);
}

static void http_post(const struct hf_facts *facts, const void *record,
                      const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    any_request(record, "uri", POST, args, out);
}

static void http_request(const struct hf_facts *facts, const void *record,
                         const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    any_request(record, "uri", GET | POST, args, out);
}

static void http_user_agent(const struct hf_facts *facts, const void *record,
                            const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    any_request(record, "user-agent", 0, args, out);
}

static void host(const struct hf_facts *facts, const void *record,
                 const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    const struct part *network = record;
    any_string(hf_json_member(network->json, "hosts"), args, out);
}

static void tcp(const struct hf_facts *facts, const void *record,
                const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    any_connection(record, "tcp", args, out);
}

static void udp(const struct hf_facts *facts, const void *record,
                const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    any_connection(record, "udp", args, out);
}

static void any_of_part(const struct hf_facts *facts, const void *record,
                        const struct hf_value *args, struct hf_value *out)
{
    (void)facts;
    const struct part *part = record;
    any_string(part->json, args, out);
}

/* ---- schema ---- */

static const struct hf_fact_field network_rows[] = {
    HF_FACT_METHOD("dns_lookup", "r", HF_FACT_INT, dns_lookup,
                   "1: it asked for such a name"),
    HF_FACT_METHOD("http_get", "r", HF_FACT_INT, http_get, "1: it fetched such an address"),
    HF_FACT_METHOD("http_post", "r", HF_FACT_INT, http_post,
                   "1: it posted to such an address"),
    HF_FACT_METHOD("http_request", "r", HF_FACT_INT, http_request, "1: one of both"),
    HF_FACT_METHOD("http_user_agent", "r", HF_FACT_INT, http_user_agent,
                   "1: it called itself so"),
    HF_FACT_METHOD("host", "r", HF_FACT_INT, host, "1: it talked to such a host"),
    HF_FACT_METHOD("tcp", "ri", HF_FACT_INT, tcp, "1: to such a host, at this TCP port"),
    HF_FACT_METHOD("udp", "ri", HF_FACT_INT, udp, "1: to such a host, at this UDP port"),
};
static const struct hf_fact_record network_record =
    HF_FACT_TABLE("network", struct part, network_rows);

static const struct hf_fact_field registry_rows[] = {
    HF_FACT_METHOD("key_access", "r", HF_FACT_INT, any_of_part, "1: it used such a key"),
};
static const struct hf_fact_record registry_record =
    HF_FACT_TABLE("registry", struct part, registry_rows);

static const struct hf_fact_field filesystem_rows[] = {
    HF_FACT_METHOD("file_access", "r", HF_FACT_INT, any_of_part, "1: it used such a file"),
};
static const struct hf_fact_record filesystem_record =
    HF_FACT_TABLE("filesystem", struct part, filesystem_rows);

static const struct hf_fact_field sync_rows[] = {
    HF_FACT_METHOD("mutex", "r", HF_FACT_INT, any_of_part, "1: it made such a mutex"),
};
static const struct hf_fact_record sync_record =
    HF_FACT_TABLE("sync", struct part, sync_rows);

static const struct hf_fact_field cuckoo_rows[] = {
    HF_FACT_RECORD(struct cuckoo, network, "network", REPORT, &network_record, "network"),
    HF_FACT_RECORD(struct cuckoo, registry, "registry", REPORT, &registry_record,
                   "registry"),
    HF_FACT_RECORD(struct cuckoo, filesystem, "filesystem", REPORT, &filesystem_record,
                   "files"),
    HF_FACT_RECORD(struct cuckoo, sync, "sync", REPORT, &sync_record, "synchronisation"),
};
static const struct hf_fact_record cuckoo_record =
    HF_FACT_TABLE("cuckoo", struct cuckoo, cuckoo_rows);
const struct hf_fact_module hf_cuckoo_module = {
    .name = "cuckoo", .record = &cuckoo_record, .group_count = 1, .parse = parse};
