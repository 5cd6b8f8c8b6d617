/* facts_reference - writes docs/facts.md to its output; with a file, says whether that is the
 * same (exit 0) or not (1). */
#include "base/auto.h"
#include "base/fd.h"
#include "format/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char introduction[] =
    "# Facts\n"
    "\n"
    "What parsers tell of an object, under the names that rules use. This page is generated from\n"
    "the schema: `make facts-reference` writes it, a test compares it.\n"
    "\n"
    "A fact that the object does not have is undefined: any comparison with it is false. Integers\n"
    "have 64 bits and are signed. Offsets and sizes are in bytes. Functions are undefined when one\n"
    "of their arguments is. Names, types and meanings are those of YARA 4.5 where YARA has them.\n";

static void write_page(struct hf_buffer *out)
{
    hf_buffer_text(out, introduction);
    for (size_t i = 0; i < hf_fact_module_count; i++) {
        if (strncmp(hf_fact_modules[i]->name, "test", 4) == 0)
            continue; /* of builds with tests only */
        hf_buffer_u8(out, '\n');
        hf_facts_reference(hf_fact_modules[i], out);
    }
}

int main(int argc, char **argv)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer page = {0}, there = {0};
    write_page(&page);
    if (argc < 2)
        return hf_fd_write(STDOUT_FILENO, page.data, page.len) == HF_OK ? 0 : 2;
    HF_AUTO(hf_fd_release) int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || hf_fd_read_all(fd, 1 << 24, &there) != HF_OK) {
        fprintf(stderr, "facts_reference: cannot read %s\n", argv[1]);
        return 2;
    }
    bool same = hf_bytes_equal(hf_buffer_view(&page), hf_buffer_view(&there));
    puts(same ? "current" : "not current: make facts-reference");
    return same ? 0 : 1;
}
