#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *root, *variable, *below_home;
} places[] = {
    [HF_PATH_CONFIG] = {"/etc/holdfast", "XDG_CONFIG_HOME", ".config"},
    [HF_PATH_CONTENT] = {"/var/lib/holdfast", "XDG_DATA_HOME", ".local/share"},
    [HF_PATH_CACHE] = {"/var/cache/holdfast", "XDG_CACHE_HOME", ".cache"},
};

char *hf_path_dir(enum hf_path which)
{
    char *dir = NULL;
    if (geteuid() == 0)
        return strdup(places[which].root);
    const char *base = getenv(places[which].variable);
    if (base != NULL && base[0] == '/')
        return asprintf(&dir, "%s/holdfast", base) < 0 ? NULL : dir;
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/')
        return NULL;
    return asprintf(&dir, "%s/%s/holdfast", home, places[which].below_home) < 0 ? NULL
                                                                                : dir;
}

enum hf_status hf_path_make(const char *dir)
{
    char *path = strdup(dir);
    if (path == NULL)
        return HF_NOMEM;
    int failed = 0;
    for (char *slash = strchr(path + 1, '/'); !failed; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = 0;
        failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        if (slash == NULL)
            break;
        *slash = '/';
    }
    free(path);
    return failed ? HF_IO : HF_OK;
}

int hf_path_spool_open(void)
{
    const char *dirs[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    int fd = -1;
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && fd < 0; i++)
        if (dirs[i] != NULL && dirs[i][0] == '/')
            fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd;
}
