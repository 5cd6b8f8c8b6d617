/* embed_main.c - hf-embed OUT.c SOURCE...: compiles signature sources and writes the database as
 * a C array. Runs while Holdfast is built; a source that is not wholly understood ends the
 * build. */
#include "base/auto.h"
#include "db/build.h"

#include <stdio.h>

static void print_message(void *user, const char *file, uint64_t line, const char *text)
{
    (void)user;
    fprintf(stderr, "%s:%llu: %s\n", file, (unsigned long long)line, text);
}

static bool write_array(const char *path, struct hf_bytes db)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return false;
    fputs("/* Made by hf-embed from content/. */\n#include \"db/builtin.h\"\n\n"
          "static const uint8_t database[] __attribute__((aligned(64))) = {",
          f);
    for (size_t i = 0; i < db.len; i++)
        fprintf(f, "%s%u,", i % 24 == 0 ? "\n" : "", db.data[i]);
    fputs("\n};\n\nstruct hf_bytes hf_db_builtin(void)\n{\n"
          "    return hf_bytes_of(database, sizeof database);\n}\n",
          f);
    bool good = ferror(f) == 0;
    return fclose(f) == 0 && good;
}

int main(int argc, char **argv)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(print_message, NULL);
    HF_AUTO(hf_buffer_done) struct hf_buffer db = {0};
    if (argc < 3 || build == NULL)
        return 2;
    for (int i = 2; i < argc; i++)
        if (hf_build_read_path(build, argv[i]) != HF_OK)
            return 2;
    struct hf_build_summary summary = hf_build_summary(build);
    if (summary.bad_lines + summary.skipped > 0 || hf_build_write(build, &db) != HF_OK)
        return 2;
    return write_array(argv[1], hf_buffer_view(&db)) ? 0 : 2;
}
