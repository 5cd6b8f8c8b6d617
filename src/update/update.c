#include "update/update.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "db/format.h"
#include "update/generation.h"
#include "update/source.h"
#include "update/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { VERIFY_TIMEOUT_MS = 120 * 1000, ANSWER_MAX = 4 << 20 };

static uint64_t clock_now(uint64_t given)
{
    time_t now = time(NULL);
    return given != 0 ? given : now > 0 ? (uint64_t)now : 1;
}

void hf_update_result_done(struct hf_update_result *result)
{
    hf_buffer_done(&result->problem);
}

static void say(struct hf_update_result *result, const char *who, enum hf_refusal r,
                const struct hf_buffer *why)
{
    if (result->problem.len > 0)
        hf_buffer_text(&result->problem, "; ");
    if (who != NULL && who[0] != 0) {
        hf_escape(&result->problem, hf_bytes_text(who));
        hf_buffer_text(&result->problem, ": ");
    }
    hf_buffer_text(&result->problem, hf_refusal_text(r));
    if (why != NULL && why->len > 0) {
        hf_buffer_text(&result->problem, " (");
        hf_buffer_bytes(&result->problem, hf_buffer_view(why));
        hf_buffer_text(&result->problem, ")");
    }
}

/* Texts as sealed memory files, for the jailed process. */
static bool make_given(const struct hf_endpoint *e, int fds[4])
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    HF_AUTO(hf_buffer_done) struct hf_buffer state = {0};
    struct hf_merkle m = {.hasher = hasher};
    if (hasher == NULL || hf_state_write(&m, &state, &e->state) != HF_ACCEPTED)
        return false;
    fds[0] = hf_memfd_of("root", hf_buffer_view(&e->root_note));
    fds[1] = hf_memfd_of("policy", hf_buffer_view(&e->policy_text));
    fds[2] = hf_memfd_of("settings", hf_buffer_view(&e->settings_text));
    fds[3] = hf_memfd_of("state", hf_buffer_view(&state));
    return fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0;
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hf_fd_release(&fds[i]);
}

/* Run the jailed process and read what it wrote. */
static enum hf_refusal ask(const char *word, uint64_t now, const int *fds, size_t count,
                           const struct hf_feed_source *source, struct hf_buffer *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    HF_AUTO(hf_fd_release) int spool = memfd_create("answer", MFD_CLOEXEC);
    uint64_t length;
    if (spool < 0)
        return HF_REFUSE_NOMEM;
    hf_buffer_format(&line, "%s %" PRIu64 " %d", word, now, HF_DB_VERSION);
    struct hf_jailed_call call = {.line = &line,
                                  .fds = fds,
                                  .fd_count = count,
                                  .spool = spool,
                                  .file_max = ANSWER_MAX,
                                  .source = source,
                                  .timeout_ms = VERIFY_TIMEOUT_MS};
    enum hf_refusal r = hf_jailed_run(&call, &length, NULL);
    if (r == HF_ACCEPTED && hf_fd_read_all(spool, ANSWER_MAX, out) != HF_OK)
        r = HF_REFUSE_JAIL;
    return r;
}

/* The state is gone: from the generations on disk, the newest that is proven. Never by believing
 * whatever the network says first. */
static enum hf_refusal recover(struct hf_endpoint *e, uint64_t now)
{
    int fds[4 + 2 * 5] = {-1, -1, -1, -1};
    size_t count = 4;
    int dir = openat(e->feed_dir, "gen", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = dir >= 0 ? fdopendir(dir) : NULL;
    bool good = make_given(e, fds);
    for (struct dirent *d; good && all != NULL && (d = readdir(all)) != NULL;) {
        HF_AUTO(hf_buffer_done) struct hf_buffer release = {0}, proof = {0}, root = {0};
        hf_buffer_format(&release, "%s/release", d->d_name);
        hf_buffer_format(&proof, "%s/proof", d->d_name);
        hf_buffer_u8(&release, 0);
        hf_buffer_u8(&proof, 0);
        if (d->d_name[0] == '.' || release.failed || proof.failed ||
            count + 2 > sizeof fds / sizeof *fds)
            continue;
        fds[count] = hf_file_open(dirfd(all), (const char *)release.data);
        fds[count + 1] = hf_file_open(dirfd(all), (const char *)proof.data);
        if (fds[count] >= 0 && fds[count + 1] >= 0)
            count += 2;
        else
            close_all(fds + count, 2);
    }
    if (all != NULL)
        closedir(all);
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    enum hf_refusal r = good && hasher != NULL ? HF_ACCEPTED : HF_REFUSE_NOMEM;
    struct hf_state found;
    if (r == HF_ACCEPTED && count > 4)
        r = ask("recover", now, fds, count, NULL, &text);
    else if (r == HF_ACCEPTED)
        r = HF_REFUSE_STATE_DAMAGED;
    close_all(fds, count);
    if (r == HF_ACCEPTED)
        r = hf_state_read(&m, hf_buffer_view(&text), &found);
    if (r == HF_ACCEPTED)
        e->state = found;
    /* Without any: from the owner's root on, as on the first day, and with the alarm. */
    e->state.alarms[HF_ALARM_STATE_LOST] = now;
    return hf_endpoint_commit(e, &e->state, hf_buffer_view(&e->root_note));
}

struct run {
    struct hf_endpoint e;
    const struct hf_update_options *options;
    struct hf_update_result *result;
    uint64_t now;
    struct hf_buffer answer_bytes;
    struct hf_verdict_answer answer;
};

/* Ask one source what it has, and commit what was learned. */
static enum hf_refusal poll_source(struct run *run, struct hf_source *source)
{
    int fds[4] = {-1, -1, -1, -1};
    struct hf_feed_source feed = hf_source_as_feed(source);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_state next;
    hf_buffer_clear(&run->answer_bytes);
    enum hf_refusal r = HF_REFUSE_NOMEM;
    if (hasher != NULL && make_given(&run->e, fds))
        r = ask("poll", run->now, fds, 4, &feed, &run->answer_bytes);
    close_all(fds, 4);
    if (r != HF_ACCEPTED)
        return r;
    if (!hf_answer_read(hf_buffer_view(&run->answer_bytes), &run->answer))
        return HF_REFUSE_JAIL;
    r = hf_state_read(&m, run->answer.state, &next);
    if (r != HF_ACCEPTED || (run->answer.take && run->answer.release >= next.release_count))
        return HF_REFUSE_JAIL;
    next.alarms[HF_ALARM_REFUSED] = 0;
    r = hf_endpoint_commit(&run->e, &next, run->answer.root_note);
    hf_buffer_clear(&run->e.root_note);
    hf_buffer_bytes(&run->e.root_note, run->answer.root_note);
    return r;
}

static enum hf_refusal take(struct run *run, struct hf_source *source)
{
    struct hf_generation_job job = {
        .endpoint = &run->e,
        .source = source,
        .release = &run->e.state.releases[run->answer.release],
        .note = run->answer.note,
        .proof = run->answer.proof,
        .builtin = run->options->builtin,
        .without_validator = run->options->without_validator,
        .without_selftest = run->options->without_selftest,
        .selftest_memory = run->options->selftest_memory,
        .selftest_ms = run->options->selftest_ms,
        .why = &source->problem,
    };
    hf_buffer_clear(&source->problem);
    enum hf_refusal r = hf_generation_make(&job);
    struct hf_state next = run->e.state;
    if (r != HF_ACCEPTED && hf_generation_is_fault(r)) {
        /* Proven to be the publisher's, and bad: it stays bad wherever it comes from. */
        hf_state_refuse(&next, &job.release->manifest);
        next.alarms[HF_ALARM_REFUSED] = run->now;
        (void)!hf_endpoint_commit(&run->e, &next, hf_buffer_view(&run->e.root_note));
        return r;
    }
    if (r != HF_ACCEPTED)
        return r;
    struct hf_state_generation generation = {job.release->version, job.release->index,
                                             job.release->manifest, run->now};
    hf_state_activate(&next, &generation);
    r = hf_endpoint_commit(&run->e, &next, hf_buffer_view(&run->e.root_note));
    if (r != HF_ACCEPTED)
        return r;
    run->result->news = true;
    hf_endpoint_clean(&run->e);
    return HF_ACCEPTED;
}

static enum hf_refusal use_source(struct run *run, struct hf_bytes address)
{
    struct hf_source source;
    enum hf_refusal r = hf_source_open(&source, address, &run->e.settings);
    if (r == HF_ACCEPTED)
        r = poll_source(run, &source);
    if (r == HF_ACCEPTED && run->answer.take && !run->options->check_only)
        r = take(run, &source);
    run->result->fetched += source.fetched;
    if (r != HF_ACCEPTED)
        say(run->result, source.address, r, &source.problem);
    hf_source_done(&source);
    return r;
}

/* A source that shows nothing new for days may be frozen: then the others are asked, too. */
static bool is_enough(const struct run *run)
{
    return run->result->news || run->answer.take ||
           hf_state_age(&run->e.state, run->now) <= HF_WARN_AGE;
}

static enum hf_refusal use_sources(struct run *run)
{
    const struct hf_settings *s = &run->e.settings;
    enum hf_refusal r = HF_REFUSE_FETCH;
    bool one = false;
    if (run->options->from != NULL)
        return use_source(run, hf_bytes_text(run->options->from));
    for (size_t i = 0; i < s->source_count; i++) {
        enum hf_refusal this = use_source(run, s->sources[i]);
        one = one || this == HF_ACCEPTED;
        if (this == HF_ACCEPTED && is_enough(run))
            return HF_ACCEPTED;
        if (this != HF_ACCEPTED)
            r = this;
    }
    if (s->source_count == 0)
        hf_buffer_text(&run->result->problem, "no source is set");
    return one ? HF_ACCEPTED : r;
}

static void describe(struct run *run)
{
    struct hf_update_result *result = run->result;
    const struct hf_state *s = &run->e.state;
    const struct hf_state_generation *active = hf_state_active(s);
    const struct hf_state_release *latest = hf_state_latest(s);
    result->version = active != NULL ? active->version : 0;
    result->newest = latest != NULL ? latest->version : 0;
    result->age = hf_state_age(s, run->now > s->time ? run->now : s->time);
    result->wait = (enum hf_wait)run->answer.wait;
    result->when = run->answer.when;
    result->release_refusal = (enum hf_refusal)run->answer.refusal;
    if (result->release_refusal != HF_ACCEPTED)
        say(result, "the newest release", result->release_refusal, NULL);
}

static enum hf_refusal begin(struct run *run, const struct hf_site *place, const char *name)
{
    enum hf_refusal r = hf_endpoint_open(place, name, &run->e);
    if (r != HF_ACCEPTED) {
        hf_buffer_bytes(&run->result->problem, hf_buffer_view(&run->e.problem));
        return r;
    }
    if (!hf_endpoint_lock(&run->e)) {
        hf_buffer_text(&run->result->problem, "another update runs");
        return HF_REFUSE_DISK;
    }
    return HF_ACCEPTED;
}

enum hf_refusal hf_update_run(const struct hf_site *place, const char *name,
                              const struct hf_update_options *options,
                              struct hf_update_result *result)
{
    struct run run = {.options = options, .result = result};
    *result = (struct hf_update_result){0};
    run.now = clock_now(options->now);
    enum hf_refusal r = begin(&run, place, name);
    if (r == HF_ACCEPTED && run.e.state_lost)
        r = recover(&run.e, run.now);
    if (r == HF_ACCEPTED)
        r = use_sources(&run);
    if (r != HF_ACCEPTED && r != HF_REFUSE_FETCH && run.e.feed_dir >= 0 &&
        run.e.state.alarms[HF_ALARM_REFUSED] == 0 && hf_refusal_status(r) == HF_MALFORMED) {
        struct hf_state next = run.e.state;
        next.alarms[HF_ALARM_REFUSED] = run.now;
        (void)!hf_endpoint_commit(&run.e, &next, hf_buffer_view(&run.e.root_note));
    }
    describe(&run);
    hf_buffer_done(&run.answer_bytes);
    hf_endpoint_done(&run.e);
    return r;
}

enum hf_refusal hf_update_rollback(const struct hf_site *place, const char *name,
                                   struct hf_update_result *result)
{
    struct run run = {.result = result};
    *result = (struct hf_update_result){0};
    run.now = clock_now(0);
    enum hf_refusal r = begin(&run, place, name);
    struct hf_state next = run.e.state;
    if (r == HF_ACCEPTED && !hf_state_revert(&next)) {
        hf_buffer_text(&result->problem, "there is no generation before this one");
        r = HF_REFUSE_ARGUMENT;
    }
    if (r == HF_ACCEPTED)
        r = hf_endpoint_commit(&run.e, &next, hf_buffer_view(&run.e.root_note));
    result->news = r == HF_ACCEPTED;
    describe(&run);
    hf_endpoint_done(&run.e);
    return r;
}

enum hf_refusal hf_update_approve(const struct hf_site *place, const char *name,
                                  uint64_t version, struct hf_update_result *result)
{
    struct run run = {.result = result};
    *result = (struct hf_update_result){0};
    run.now = clock_now(0);
    enum hf_refusal r = begin(&run, place, name);
    struct hf_state next = run.e.state;
    bool found = false;
    for (size_t i = 0; i < next.release_count; i++)
        if (next.releases[i].version == version ||
            (version == 0 && i + 1 == next.release_count)) {
            next.releases[i].approved = 1;
            found = true;
        }
    if (r == HF_ACCEPTED && !found) {
        hf_buffer_text(&result->problem, "no such release is known; try --check first");
        r = HF_REFUSE_ARGUMENT;
    }
    if (r == HF_ACCEPTED)
        r = hf_endpoint_commit(&run.e, &next, hf_buffer_view(&run.e.root_note));
    describe(&run);
    hf_endpoint_done(&run.e);
    return r;
}
