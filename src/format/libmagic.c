#include "format/libmagic.h"

#include "base/auto.h"
#include "base/fd.h"

#include <fcntl.h>
#include <magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const places[] = {"/usr/share/misc/magic.mgc",
                                     "/usr/lib/file/magic.mgc"};

/* One for the process: it is mapped once, and workers inherit the mapping. */
static void *signatures;
static size_t signatures_size;

bool hf_libmagic_prepare(void)
{
    for (size_t i = 0; i < sizeof places / sizeof *places && signatures == NULL; i++) {
        struct stat about;
        HF_AUTO(hf_fd_release) int fd = open(places[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &about) != 0 || about.st_size <= 0)
            continue;
        void *map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            continue;
        signatures = map;
        signatures_size = (size_t)about.st_size;
    }
    return signatures != NULL;
}

/* Opened when first asked for, kept for the life of the process. */
static magic_t library(void)
{
    static magic_t cookie;
    static bool tried;
    if (tried || signatures == NULL)
        return cookie;
    tried = true;
    cookie = magic_open(MAGIC_NONE);
    if (cookie != NULL &&
        magic_load_buffers(cookie, &signatures, &signatures_size, 1) != 0) {
        magic_close(cookie);
        cookie = NULL;
    }
    return cookie;
}

struct hf_bytes hf_libmagic_describe(void *user, struct hf_bytes bytes, bool media_type,
                                     struct hf_arena *arena)
{
    (void)user;
    magic_t cookie = library();
    if (cookie == NULL ||
        magic_setflags(cookie, media_type ? MAGIC_MIME_TYPE : MAGIC_NONE) != 0)
        return (struct hf_bytes){0};
    const char *text = magic_buffer(cookie, bytes.data, bytes.len);
    if (text == NULL)
        return (struct hf_bytes){0};
    return hf_arena_copy(arena, hf_bytes_text(text));
}
