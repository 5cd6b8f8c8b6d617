/* A scanner in thirty lines: scans the files given, says what is bad. */
#include <fcntl.h>
#include <holdfast.h>
#include <stdio.h>
#include <unistd.h>

static int on_found(void *user, const struct hf_detection *found)
{
    printf("%s: %s\n", (const char *)user, found->name);
    return 0;
}

int main(int argc, char **argv)
{
    struct hf_context *context;
    if (hf_context_open(&context, NULL, NULL) != HF_OK) {
        fprintf(stderr, "%s\n", hf_last_error());
        return 2;
    }
    int worst = 0;
    for (int i = 1; i < argc; i++) {
        struct hf_result result = {0};
        int fd = open(argv[i], O_RDONLY);
        if (fd < 0 || hf_scan_fd(context, fd, on_found, argv[i], &result) != HF_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], hf_last_error());
            worst = 2;
        } else if (result.verdict > HF_UNSCANNABLE && worst == 0) {
            worst = 1;
        }
        close(fd);
    }
    hf_context_close(context);
    return worst;
}
