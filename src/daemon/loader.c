#include "daemon/loader.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/databases.h"
#include "daemon/messages.h"
#include "update/site.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void send_note(void *user, bool important, const char *text)
{
    const int *channel = user;
    struct hf_daemon_message m = {
        .type = HF_DAEMON_NOTE, .number = important, .text = hf_bytes_text(text)};
    (void)!hf_daemon_send(*channel, &m, NULL, 0, true);
}

/* A field of a CVD's header: "ClamAV-VDB:date:version:signatures:...:time", padded with blanks.
 * [facts/clamav.md 1.6] */
static struct hf_bytes header_field(struct hf_bytes header, unsigned index)
{
    const uint8_t *at = header.data, *end = header.data + header.len;
    for (; index > 0 && at < end; at++)
        index -= *at == ':';
    const uint8_t *stop = at;
    while (stop < end && *stop != ':' && *stop != ' ')
        stop++;
    return hf_bytes_of(at, (size_t)(stop - at));
}

/* "/version/time" of the daily database in a folder, as VERSION shows it. */
static bool describe_daily(struct hf_buffer *out, const char *folder, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return false;
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    free(path);
    uint8_t header[512];
    size_t got = 0;
    static const char magic[] = "ClamAV-VDB:";
    if (fd < 0 || hf_fd_read_at(fd, header, sizeof header, 0, &got) != HF_OK ||
        got < sizeof header || memcmp(header, magic, sizeof magic - 1) != 0)
        return false;
    struct hf_bytes all = hf_bytes_of(header, sizeof header);
    uint64_t version, when;
    if (!hf_parse_uint(header_field(all, 2), &version) ||
        !hf_parse_uint(header_field(all, 8), &when) || when > INT32_MAX)
        return false;
    char text[32];
    time_t t = (time_t)when;
    if (ctime_r(&t, text) == NULL)
        return false;
    text[strcspn(text, "\n")] = 0;
    hf_buffer_format(out, "/%llu/%s", (unsigned long long)version, text);
    return true;
}

static void describe(struct hf_buffer *out, const struct hf_config *config)
{
    for (size_t i = 0; i < config->databases.count; i++)
        if (describe_daily(out, config->databases.items[i], "daily.cld") ||
            describe_daily(out, config->databases.items[i], "daily.cvd"))
            return;
}

int hf_loader_run(const struct hf_config *config, int channel)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0}, text = {0};
    struct hf_databases databases;
    const struct hf_text_list *kinds =
        config->pua_exclude.count > 0 ? &config->pua_exclude : &config->pua_include;
    const struct hf_pua pua = {.none = !config->pua,
                               .all_but = config->pua_exclude.count > 0,
                               .kinds = (const char *const *)kinds->items,
                               .count = kinds->count};
    enum hf_status st = hf_databases_open_published(
        &databases, (const char *const *)config->databases.items, config->databases.count,
        &pua, config->update_home, send_note, &channel, &error);
    struct hf_daemon_message m = {.type = HF_DAEMON_DATABASE, .extra = st};
    if (st == HF_OK) {
        describe(&text, config);
        m.number = databases.signatures;
        m.text = hf_buffer_view(&text);
    } else {
        if (error.len == 0)
            hf_buffer_text(&error, hf_status_text(st));
        m.text = hf_buffer_view(&error);
    }
    enum hf_status sent =
        hf_daemon_send(channel, &m, databases.fds, st == HF_OK ? databases.count : 0, true);
    hf_databases_done(&databases);
    return sent == HF_OK ? 0 : 1;
}

static void mix(uint64_t *hash, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ p[i]) * UINT64_C(1099511628211);
}

static void mix_file(uint64_t *hash, int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, 0) != 0)
        return;
    uint64_t facts[] = {st.st_dev, st.st_ino, (uint64_t)st.st_size,
                        (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
    /* Files of a folder come in any order: their numbers are added. */
    uint64_t one = UINT64_C(14695981039346656037);
    mix(&one, name, strlen(name));
    if (S_ISREG(st.st_mode))
        mix(&one, facts, sizeof facts);
    *hash += one;
}

/* Of what publishers' generations are active, and of the owner's own files. */
static void mix_published(uint64_t *hash, const struct hf_config *config)
{
    struct hf_site place = {.config_dir = -1, .content_dir = -1};
    struct hf_publisher_names names = {0};
    char path[64];
    if (hf_site_look(&place, config->update_home) == HF_OK &&
        hf_site_publishers(&place, &names) != HF_OK)
        names.count = 0;
    for (size_t i = 0; i < names.count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer state = {0};
        (void)snprintf(path, sizeof path, "trust/%s/settings", names.names[i]);
        mix_file(hash, place.config_dir, path);
        (void)snprintf(path, sizeof path, "feeds/%s/state", names.names[i]);
        if (hf_file_read(place.content_dir, path, HF_STATE_BYTES_MAX, &state) != HF_OK)
            continue;
        /* The line "active": the state itself changes with each look at a source. */
        const uint8_t *line = memmem(state.data, state.len, "\nactive ", 8);
        size_t left = line != NULL ? (size_t)(state.data + state.len - line) : 0;
        mix(hash, names.names[i], strlen(names.names[i]));
        mix(hash, line, left < 72 ? left : 72);
    }
    hf_publisher_names_done(&names);
    int own = place.config_dir >= 0
                  ? openat(place.config_dir, "own", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                  : -1;
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    if (dir == NULL)
        hf_fd_release(&own);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            mix_file(hash, dirfd(dir), e->d_name);
    if (dir != NULL)
        closedir(dir);
    hf_site_done(&place);
}

uint64_t hf_loader_fingerprint(const struct hf_config *config)
{
    uint64_t hash = config->databases.count;
    mix_published(&hash, config);
    for (size_t i = 0; i < config->databases.count; i++) {
        const char *path = config->databases.items[i];
        mix_file(&hash, AT_FDCWD, path);
        DIR *dir = opendir(path);
        if (dir == NULL)
            continue;
        for (struct dirent *e; (e = readdir(dir)) != NULL;)
            if (e->d_name[0] != '.')
                mix_file(&hash, dirfd(dir), e->d_name);
        closedir(dir);
    }
    return hash;
}
