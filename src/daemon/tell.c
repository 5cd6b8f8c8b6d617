/* tell.c - what the listener says of itself: STATS as clamdtop reads it, and over HTTP metrics
 * for Prometheus and a JSON object for `holdfast status`. */
#include "daemon/listener_internal.h"

#include "base/text.h"
#include "jail/layers.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct hf_pool_stats hf_tell_pool(const struct hf_listener *l)
{
    struct hf_pool_stats s = {0};
    if (l->pool != NULL)
        s = hf_pool_stats(l->pool);
    s.workers_started += l->counters.workers_started;
    s.crashes += l->counters.crashes;
    s.timeouts += l->counters.timeouts;
    s.retries += l->counters.retries;
    s.abandoned += l->counters.abandoned;
    s.templates_started += l->counters.templates;
    return s;
}

/* [facts/clamav.md 3.2, measured on 1.4.6] Memory is that of no allocator of ours to tell. */
void hf_tell_stats(struct hf_listener *l, struct hf_client *c, uint64_t number)
{
    struct hf_pool_stats s = hf_tell_pool(l);
    struct hf_buffer out = {0};
    uint64_t now = hf_daemon_us();
    hf_buffer_text(&out, "POOLS: 1\n\nSTATE: VALID PRIMARY\n");
    hf_buffer_format(&out, "THREADS: live %u  idle %u max %u idle-timeout %u\n", s.workers,
                     s.workers - s.busy, l->pool_options.workers, 30u);
    hf_buffer_format(&out, "QUEUE: %zu items", l->queue_count);
    if (l->queue != NULL) {
        double longest = (double)(now - l->queue->begun_us) / 1e6;
        hf_buffer_format(&out, " min_wait: %f max_wait: %f avg_wait: %f", 0.0, longest,
                         longest / 2);
    }
    hf_buffer_text(&out, "\n");
    for (const struct hf_client *other = l->clients; other != NULL; other = other->next)
        for (const struct hf_request *r = other->requests; r != NULL; r = r->next) {
            hf_buffer_format(&out, "\t%s %f ", hf_clamd_rows[r->command].name,
                             (double)(now - r->begun_us) / 1e6);
            hf_escape(&out, r->first != NULL ? r->first->label : hf_buffer_view(&r->path));
            hf_buffer_text(&out, "\n");
        }
    hf_buffer_format(&out, "\tSTATS %f \n", 0.000002);
    hf_buffer_text(&out, "\nMEMSTATS: heap N/A mmap N/A used N/A free N/A releasable N/A "
                         "pools 1 pools_used 0.000M pools_total 0.000M\nEND");
    hf_buffer_u8(&out, 0);
    if (!out.failed)
        hf_client_answer(c, number, c->parser.terminator, "%s", (const char *)out.data);
    hf_buffer_done(&out);
}

/* A part of what the supervisor said of updates: 0 text, 1 JSON, 2 metrics; NULL: nothing yet. */
static const char *standing_part(const struct hf_listener *l, unsigned part)
{
    const char *at = (const char *)l->standing.data, *end = at + l->standing.len;
    for (; part > 0 && at < end; part--)
        at += strlen(at) + 1;
    return at != NULL && at < end ? at : NULL;
}

/* ---- JSON ---- */

static void put_number(struct hf_buffer *out, const char *key, uint64_t value)
{
    hf_buffer_format(out, "\"%s\":%llu,", key, (unsigned long long)value);
}

static void put_json(struct hf_listener *l, struct hf_buffer *out)
{
    const struct hf_counters *n = &l->counters;
    struct hf_pool_stats s = hf_tell_pool(l);
    uint64_t now = hf_daemon_ms();
    hf_buffer_text(out, "{\"version\":\"" HOLDFAST_VERSION "\",");
    put_number(out, "uptime_s", (now - l->started_ms) / 1000);
    hf_buffer_text(out, "\"generations\":[");
    const char *comma = "";
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++) {
        const struct hf_generation *g = &l->generations[i];
        if (g->db == NULL)
            continue;
        uint8_t id[16];
        hf_db_generation(g->db, id);
        hf_buffer_format(out, "%s{", comma);
        put_number(out, "number", g->id);
        put_number(out, "signatures", g->signatures);
        put_number(out, "active_since", g->wall_s);
        hf_buffer_text(out, "\"id\":\"");
        hf_hex(out, hf_bytes_of(id, sizeof id));
        hf_buffer_format(out, "\",\"active\":%s}", g->active ? "true" : "false");
        comma = ",";
    }
    hf_buffer_text(out, "],\"jail\":{");
    for (size_t i = 0; i < hf_layer_row_count; i++)
        hf_buffer_format(out, "%s\"%s\":%s", i > 0 ? "," : "", hf_layer_rows[i].name,
                         (s.layers & hf_layer_rows[i].layer) != 0 ? "true" : "false");
    hf_buffer_text(out, "},\"workers\":{");
    put_number(out, "alive", s.workers);
    put_number(out, "busy", s.busy);
    put_number(out, "started", s.workers_started);
    put_number(out, "templates_started", s.templates_started);
    put_number(out, "crashes", s.crashes);
    put_number(out, "timeouts", s.timeouts);
    put_number(out, "retries", s.retries);
    hf_buffer_format(
        out, "\"abandoned\":%llu,\"ready\":%s},", (unsigned long long)s.abandoned,
        l->pool != NULL && hf_pool_state(l->pool) == HF_POOL_READY ? "true" : "false");
    hf_buffer_text(out, "\"requests\":{");
    put_number(out, "connections", n->connections);
    put_number(out, "open", l->client_count);
    put_number(out, "evicted", n->evicted);
    put_number(out, "client_timeouts", n->timeouts_of_clients);
    put_number(out, "commands", n->requests);
    put_number(out, "queued", l->queue_count);
    put_number(out, "objects", n->objects);
    put_number(out, "bytes", n->bytes);
    put_number(out, "found", n->found);
    put_number(out, "clean", n->clean);
    put_number(out, "unscannable", n->unscannable);
    put_number(out, "stream_bytes_held", l->stream_bytes);
    put_number(out, "openers_lost", n->openers);
    put_number(out, "reloads", n->reloads);
    put_number(out, "reloads_refused", n->reloads_refused);
    hf_buffer_format(out, "\"errors\":%llu},\"last_errors\":[",
                     (unsigned long long)n->errors);
    unsigned kept = l->error_count < HF_ERRORS_KEPT ? l->error_count : HF_ERRORS_KEPT;
    for (unsigned i = 0; i < kept; i++) {
        const char *text = l->errors[(l->error_count - 1 - i) % HF_ERRORS_KEPT];
        if (i > 0)
            hf_buffer_text(out, ",");
        hf_json_string(out, hf_bytes_text(text));
    }
    const char *updates = standing_part(l, 1);
    hf_buffer_format(out, "],\"updates\":%s}\n", updates != NULL ? updates : "null");
}

/* ---- for people ---- */

static void put_text(struct hf_listener *l, struct hf_buffer *out)
{
    const struct hf_counters *n = &l->counters;
    struct hf_pool_stats s = hf_tell_pool(l);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    hf_buffer_format(out, "daemon   holdfastd " HOLDFAST_VERSION ", up %llu s\n",
                     (unsigned long long)((hf_daemon_ms() - l->started_ms) / 1000));
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++) {
        const struct hf_generation *g = &l->generations[i];
        if (g->db != NULL && g->active)
            hf_buffer_format(
                out, "database generation %llu, %llu signatures, active for %llu s\n",
                (unsigned long long)g->id, (unsigned long long)g->signatures,
                (unsigned long long)((uint64_t)t.tv_sec - g->wall_s));
        else if (g->db != NULL)
            hf_buffer_format(out,
                             "         generation %llu, loading or in its last scans\n",
                             (unsigned long long)g->id);
    }
    hf_buffer_format(
        out, "workers  %u alive, %u busy, %llu started, %llu crashes, %llu timeouts\n",
        s.workers, s.busy, (unsigned long long)s.workers_started,
        (unsigned long long)s.crashes, (unsigned long long)s.timeouts);
    hf_buffer_text(out, "layers  ");
    for (size_t i = 0; i < hf_layer_row_count; i++)
        if ((s.layers & hf_layer_rows[i].layer) != 0)
            hf_buffer_format(out, " %s", hf_layer_rows[i].name);
    hf_buffer_format(
        out,
        "\nrequests %llu commands on %llu connections, %zu open; %zu objects wait\n"
        "objects  %llu: %llu found, %llu clean, %llu errors, %llu not looked at "
        "completely\n",
        (unsigned long long)n->requests, (unsigned long long)n->connections,
        l->client_count, l->queue_count, (unsigned long long)n->objects,
        (unsigned long long)n->found, (unsigned long long)n->clean,
        (unsigned long long)n->errors, (unsigned long long)n->unscannable);
    const char *updates = standing_part(l, 0);
    if (updates != NULL)
        hf_buffer_text(out, updates);
    unsigned kept = l->error_count < HF_ERRORS_KEPT ? l->error_count : HF_ERRORS_KEPT;
    for (unsigned i = 0; i < kept; i++) {
        hf_buffer_text(out, i == 0 ? "errors   " : "         ");
        hf_escape(out, hf_bytes_text(l->errors[(l->error_count - 1 - i) % HF_ERRORS_KEPT]));
        hf_buffer_text(out, "\n");
    }
}

/* ---- Prometheus [text exposition format 0.0.4] ---- */

static void put_metric(struct hf_buffer *out, const char *name, const char *type,
                       const char *help, uint64_t value)
{
    hf_buffer_format(out,
                     "# HELP holdfast_%s %s\n# TYPE holdfast_%s %s\nholdfast_%s %llu\n",
                     name, help, name, type, name, (unsigned long long)value);
}

static void put_latency(const struct hf_counters *n, struct hf_buffer *out)
{
    static const char name[] = "holdfast_request_seconds";
    hf_buffer_format(out, "# HELP %s time from command to answer\n# TYPE %s histogram\n",
                     name, name);
    uint64_t limit = 100, sum = 0;
    for (unsigned i = 0; i < HF_LATENCY_BUCKETS; i++, limit *= 4) {
        sum += n->latency[i];
        hf_buffer_format(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)limit / 1e6,
                         (unsigned long long)sum);
    }
    sum += n->latency[HF_LATENCY_BUCKETS];
    hf_buffer_format(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %f\n%s_count %llu\n", name,
                     (unsigned long long)sum, name, (double)n->latency_us / 1e6, name,
                     (unsigned long long)sum);
}

static void put_metrics(struct hf_listener *l, struct hf_buffer *out)
{
    const struct hf_counters *n = &l->counters;
    const struct hf_generation *g = hf_listener_active(l);
    struct hf_pool_stats s = hf_tell_pool(l);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"connections_total", "counter", "connections accepted", n->connections},
        {"connections_open", "gauge", "connections now", l->client_count},
        {"connections_evicted_total", "counter", "silent ones that made room", n->evicted},
        {"client_timeouts_total", "counter", "clients that took too long",
         n->timeouts_of_clients},
        {"queue_length", "gauge", "objects that wait for a worker", l->queue_count},
        {"objects_total", "counter", "objects scanned", n->objects},
        {"bytes_total", "counter", "bytes scanned, children included", n->bytes},
        {"found_total", "counter", "objects answered FOUND", n->found},
        {"clean_total", "counter", "objects answered OK", n->clean},
        {"errors_total", "counter", "objects answered ERROR", n->errors},
        {"unscannable_total", "counter", "objects not looked at completely",
         n->unscannable},
        {"workers", "gauge", "workers alive", s.workers},
        {"workers_busy", "gauge", "workers with something to do", s.busy},
        {"workers_started_total", "counter", "workers started", s.workers_started},
        {"worker_crashes_total", "counter", "workers that died of an object", s.crashes},
        {"worker_timeouts_total", "counter", "workers that took too long", s.timeouts},
        {"templates_started_total", "counter", "templates started", s.templates_started},
        {"openers_lost_total", "counter", "opener processes that ended", n->openers},
        {"stream_bytes", "gauge", "bytes of streams held", l->stream_bytes},
        {"reloads_total", "counter", "database generations activated by reload",
         n->reloads},
        {"reloads_refused_total", "counter", "databases that could not be used",
         n->reloads_refused},
        {"database_generation", "gauge", "number of the active generation",
         g != NULL ? g->id : 0},
        {"database_signatures", "gauge", "signatures of the active generation",
         g != NULL ? g->signatures : 0},
        {"database_active_since_seconds", "gauge", "unix time of its activation",
         g != NULL ? g->wall_s : 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_metric(out, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
    hf_buffer_text(out, "# HELP holdfast_commands_total commands by name\n"
                        "# TYPE holdfast_commands_total counter\n");
    for (unsigned i = 0; i <= HF_CLAMD_COMMANDS; i++)
        hf_buffer_format(out, "holdfast_commands_total{command=\"%s\"} %llu\n",
                         i < HF_CLAMD_COMMANDS ? hf_clamd_rows[i].name : "unknown",
                         (unsigned long long)n->by_command[i]);
    put_latency(n, out);
    const char *updates = standing_part(l, 2);
    if (updates != NULL)
        hf_buffer_text(out, updates);
}

/* ---- HTTP/1.0, as much as a scraper needs ---- */

static bool begins(struct hf_bytes text, const char *with)
{
    size_t n = strlen(with);
    return text.len >= n && memcmp(text.data, with, n) == 0;
}

void hf_tell_http(struct hf_listener *l, struct hf_client *c, struct hf_bytes request)
{
    struct hf_buffer body = {0}, out = {0};
    const char *status = "200 OK", *type = "text/plain; version=0.0.4";
    if (c->closing)
        return;
    if (begins(request, "GET /metrics")) {
        put_metrics(l, &body);
    } else if (begins(request, "GET /status.txt")) {
        put_text(l, &body);
        type = "text/plain; charset=utf-8";
    } else if (begins(request, "GET /status")) {
        put_json(l, &body);
        type = "application/json";
    } else {
        status = "404 Not Found";
        hf_buffer_text(&body, "there are /metrics, /status and /status.txt\n");
    }
    hf_buffer_format(&out,
                     "HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n",
                     status, type, body.len);
    hf_buffer_bytes(&out, hf_buffer_view(&body));
    if (!body.failed && !out.failed)
        hf_client_say(c, hf_buffer_view(&out));
    c->closing = c->linger = true;
    hf_buffer_done(&body);
    hf_buffer_done(&out);
}
