/* config_read.c - the two forms of configuration files: sections and keys (inih), and clamd.conf,
 * one option a line. */
#include "daemon/config.h"

#include "base/auto.h"

#include <ini.h>
#include <stdlib.h>

struct reading {
    struct hf_config *config;
    const char *name;
    hf_config_on_note *on_note;
    void *user;
    struct hf_buffer *error;
    enum hf_status status;
    const char *text;
    size_t left;
    int line; /* last read */
};

static const struct hf_setting *find_setting(const char *section, const char *key)
{
    for (size_t i = 0; i < hf_setting_count; i++) {
        const struct hf_setting *row = &hf_settings[i];
        if (section == NULL ? row->clamd != NULL && strcasecmp(row->clamd, key) == 0
                            : row->section != NULL && strcmp(row->section, section) == 0 &&
                                  strcmp(row->key, key) == 0)
            return row;
    }
    return NULL;
}

/* Set, and say when that changes nothing. */
static enum hf_status set(struct reading *r, const struct hf_setting *row,
                          const char *value, int line)
{
    enum hf_status st = hf_config_set(r->config, row, value);
    if (st == HF_INVALID)
        hf_buffer_format(r->error, "%s:%d: '%s' is no value for %s", r->name, line, value,
                         row->key != NULL ? row->key : row->clamd);
    if (st == HF_OK && row->offset == SIZE_MAX && r->on_note != NULL) {
        HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
        hf_buffer_format(&note, "%s:%d: %s has no effect: %s", r->name, line, row->clamd,
                         row->help);
        hf_buffer_u8(&note, 0);
        if (!note.failed)
            r->on_note(r->user, (const char *)note.data);
    }
    return st;
}

static enum hf_status unknown(struct reading *r, const char *name, int line, bool clamd)
{
    const char *meant = hf_config_nearest(name, clamd);
    hf_buffer_format(r->error, "%s:%d: unknown option %s", r->name, line, name);
    if (meant != NULL)
        hf_buffer_format(r->error, "; is %s meant?", meant);
    return HF_INVALID;
}

static int on_entry(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    int line = r->line;
    const struct hf_setting *row = find_setting(section, key);
    if (r->status == HF_OK)
        r->status = row != NULL ? set(r, row, value, line) : unknown(r, key, line, false);
    return r->status == HF_OK;
}

static char *next_line(char *to, int room, void *stream)
{
    struct reading *r = stream;
    size_t n = 0;
    while (r->left > 0 && n + 1 < (size_t)room) {
        char c = *r->text++;
        r->left--;
        to[n++] = c;
        if (c == '\n')
            break;
    }
    to[n] = 0;
    r->line++;
    return n > 0 ? to : NULL;
}

enum hf_status hf_config_read(struct hf_config *config, const char *name,
                              struct hf_bytes text, hf_config_on_note *on_note, void *user,
                              struct hf_buffer *error)
{
    struct reading r = {.config = config,
                        .name = name,
                        .on_note = on_note,
                        .user = user,
                        .error = error,
                        .text = (const char *)text.data,
                        .left = text.len};
    int line = ini_parse_stream(next_line, &r, on_entry, &r);
    if (r.status != HF_OK)
        return r.status;
    if (line == 0)
        return HF_OK;
    hf_buffer_format(error, "%s:%d: neither [section] nor key = value", name, line);
    return HF_INVALID;
}

/* ---- clamd.conf ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

/* A value without blanks around it, and without quotes if it has them on both sides. */
static char *trim(char *text)
{
    while (is_blank(*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && is_blank(text[n - 1]))
        text[--n] = 0;
    if (n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0]) {
        text[n - 1] = 0;
        text++;
    }
    return text;
}

static enum hf_status read_clamd_line(struct reading *r, char *line, int number)
{
    line = trim(line);
    if (line[0] == 0 || line[0] == '#')
        return HF_OK;
    if (strcmp(line, "Example") == 0) {
        hf_buffer_format(r->error,
                         "%s:%d: edit the example before use, and remove this line",
                         r->name, number);
        return HF_INVALID;
    }
    char *value = line;
    while (*value != 0 && !is_blank(*value))
        value++;
    if (*value != 0)
        *value++ = 0;
    value = trim(value);
    const struct hf_setting *row = find_setting(NULL, line);
    if (row == NULL)
        return unknown(r, line, number, true);
    if (value[0] == 0) {
        hf_buffer_format(r->error, "%s:%d: %s needs a value", r->name, number, line);
        return HF_INVALID;
    }
    return set(r, row, value, number);
}

/* What clamd has otherwise than holdfast.conf when nothing is said. [clamd.conf(5)] */
static enum hf_status set_clamd_defaults(struct hf_config *config)
{
    static const struct {
        const char *name, *value;
    } defaults[] = {
        {"LogTime", "no"},       {"LogFileMaxSize", "1M"}, {"MaxThreads", "10"},
        {"MaxScanSize", "400M"}, {"MaxFileSize", "100M"},  {"MaxFiles", "10000"},
        {"DetectPUA", "no"},
    };
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const struct hf_setting *row = find_setting(NULL, defaults[i].name);
        enum hf_status st = hf_config_set(config, row, defaults[i].value);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}

enum hf_status hf_config_read_clamd(struct hf_config *config, const char *name,
                                    struct hf_bytes text, hf_config_on_note *on_note,
                                    void *user, struct hf_buffer *error)
{
    struct reading r = {.config = config,
                        .name = name,
                        .on_note = on_note,
                        .user = user,
                        .error = error,
                        .text = (const char *)text.data,
                        .left = text.len};
    enum hf_status st = set_clamd_defaults(config);
    char line[8192]; /* as much as clamd reads of one */
    for (int number = 1; st == HF_OK && next_line(line, sizeof line, &r) != NULL; number++)
        st = read_clamd_line(&r, line, number);
    if (st == HF_OK && config->databases.count == 0)
        st = hf_config_set(config, find_setting(NULL, "DatabaseDirectory"),
                           "/var/lib/clamav");
    return st;
}
