/* sigtool_list.c - names and lines of signatures in files, containers and folders. */
#include "cli/compat/sigtool.h"

#include "base/auto.h"
#include "base/fd.h"
#include "db/cvd.h"
#include "db/text.h"
#include "db/text_chunks.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

/* Where the name stands in a line, by the file's ending. */
static const struct place {
    const char *ending;
    char separator;
    size_t field;
} places[] = {
    {".db", '=', 0},  {".hdb", ':', 2}, {".hdu", ':', 2}, {".hsb", ':', 2},
    {".hsu", ':', 2}, {".mdb", ':', 2}, {".mdu", ':', 2}, {".msb", ':', 2},
    {".msu", ':', 2}, {".imp", ':', 2}, {".ndb", ':', 0}, {".ndu", ':', 0},
    {".sdb", ':', 0}, {".zmd", ':', 0}, {".rmd", ':', 0}, {".cdb", ':', 0},
    {".ldb", ';', 0}, {".ldu", ';', 0}, {".crb", ';', 0},
};

static const struct place *place_of(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t k = strlen(places[i].ending);
        if (n > k && strcasecmp(name + n - k, places[i].ending) == 0)
            return &places[i];
    }
    return NULL;
}

struct hf_bytes hf_sigtool_name_of(const char *file_name, struct hf_bytes line, bool *bad)
{
    const struct place *place = place_of(file_name);
    struct hf_bytes field[4];
    *bad = false;
    if (place == NULL || line.len == 0 || line.data[0] == '#')
        return (struct hf_bytes){0};
    size_t count = hf_split(line, place->separator, field, 4);
    *bad = count < (place->field > 0 ? place->field + 1 : 2);
    return *bad ? (struct hf_bytes){0} : field[place->field];
}

/* What is done with each text: a whole file, or a member of a container. */
struct listing {
    const char *path;    /* of the file, for messages */
    const regex_t *find; /* NULL: list names */
};

static enum hf_status list_names(const struct listing *l, const char *name,
                                 struct hf_bytes text)
{
    struct hf_bytes line;
    for (unsigned number = 1; hf_next_line(&text, &line); number++) {
        bool bad;
        struct hf_bytes found = hf_sigtool_name_of(name, line, &bad);
        if (bad) {
            printf("ERROR: listdb: Malformed pattern line %u (file %s)\n", number, l->path);
            return HF_MALFORMED;
        }
        if (found.len > 0)
            printf("%.*s\n", (int)found.len, found.data);
    }
    return HF_OK;
}

static enum hf_status find_lines(const struct listing *l, const char *name,
                                 struct hf_bytes text)
{
    struct hf_bytes line;
    HF_AUTO(hf_buffer_done) struct hf_buffer copy = {0};
    while (hf_next_line(&text, &line)) {
        hf_buffer_clear(&copy);
        hf_buffer_bytes(&copy, line);
        hf_buffer_u8(&copy, 0);
        if (copy.failed)
            return HF_NOMEM;
        if (regexec(l->find, (const char *)copy.data, 0, NULL, 0) == 0)
            printf("[%s] %s\n", name, (const char *)copy.data);
    }
    return HF_OK;
}

static enum hf_status on_text(void *user, const char *name, struct hf_bytes text)
{
    const struct listing *l = user;
    if (hf_text_format_of(name) == NULL)
        return HF_OK;
    return l->find != NULL ? find_lines(l, name, text) : list_names(l, name, text);
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static enum hf_status look_at_file(const char *path, const regex_t *find)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    struct listing l = {path, find};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK)
        return HF_IO;
    struct hf_bytes bytes = hf_bytes_of(map.data, map.len);
    if (hf_cvd_kind_of(path) != HF_CVD_NONE)
        return hf_cvd_unpack(bytes, on_text, &l, &why);
    return on_text(&l, last_name(path), bytes);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int look_at_folder(const char *folder, const regex_t *find)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, by_bytes), code = 0;
    if (n < 0) {
        printf("ERROR: listdir: Can't open directory %s\n", folder);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool known = hf_text_format_of(path) != NULL || hf_cvd_kind_of(path) != HF_CVD_NONE;
        if (code == 0 && known && entries[i]->d_name[0] != '.' &&
            look_at_file(path, find) != HF_OK) {
            printf("ERROR: listdb: Error listing database %s\n", path);
            code = 1;
        }
        free(entries[i]);
    }
    free((void *)entries);
    return code;
}

int hf_sigtool_list(const char *path, const char *folder)
{
    struct stat st;
    if (path == NULL)
        path = folder;
    if (stat(path, &st) != 0) {
        printf("--list-sigs: Can't get status of %s\n", path);
        return 1;
    }
    if (S_ISDIR(st.st_mode))
        return look_at_folder(path, NULL);
    if (strchr(path, '/') == NULL && hf_cvd_kind_of(path) == HF_CVD_NONE) {
        printf("ERROR: listdb: Invalid filename %s\n", path);
        return 1;
    }
    return look_at_file(path, NULL) != HF_OK;
}

int hf_sigtool_find(const char *expression, const char *folder)
{
    regex_t find;
    if (regcomp(&find, expression, REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "ERROR: --find-sigs: Can't compile regex: %s\n", expression);
        return 1;
    }
    int code = look_at_folder(folder, &find);
    regfree(&find);
    return code;
}
