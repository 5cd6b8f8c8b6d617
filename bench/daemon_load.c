/* daemon_load.c - requests against a clamd or holdfastd, as its clients send them: one connection
 * a request, INSTREAM of a small file, the answer read to the end. Counts, and times each.
 *
 * usage: daemon_load SOCKET CLIENTS REQUESTS [BYTES [clean]]   prints: requests/s, p50, p99, max (ms), wrong
 * Every third request is the EICAR test file (none with clean), so that an answer that is not its own is seen. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t put_chunk(uint8_t *to, const void *data, uint32_t len)
{
    memcpy(to, "zINSTREAM", 10);
    uint8_t *p = to + 10;
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (uint8_t)(len >> shift);
    memcpy(p, data, len);
    memset(p + len, 0, 4);
    return (size_t)(p + len + 4 - to);
}

/* Returns whether the answer was the right one. */
static int ask(const char *path, const uint8_t *request, size_t len, int found)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char answer[256];
    size_t got = 0;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return 0;
    }
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, request + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    for (ssize_t n; got < sizeof answer - 1 &&
                    (n = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0;)
        got += (size_t)n;
    close(fd);
    answer[got] = 0;
    return found ? strstr(answer, " FOUND") != NULL : strcmp(answer, "stream: OK") == 0;
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int clients = atoi(argv[2]), total = atoi(argv[3]);
    uint32_t bytes = argc > 4 ? (uint32_t)atoi(argv[4]) : 4096;
    int each = total / clients;
    float *times = mmap(NULL, (size_t)(each * clients) * sizeof *times + 4096,
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *wrong = (int *)(void *)(times + each * clients);
    double begin = now();
    for (int c = 0; c < clients; c++) {
        if (fork() != 0)
            continue;
        uint8_t *data = malloc(bytes), *clean = malloc(bytes + 64), bad[200];
        char eicar[80];
        snprintf(eicar, sizeof eicar, "X5O!P%%@AP[4\\PZX54(P^)7CC)7}$%s%s",
                 "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*");
        size_t bad_len = put_chunk(bad, eicar, 68);
        srand((unsigned)c + 1);
        for (uint32_t i = 0; i < bytes; i++)
            data[i] = (uint8_t)(rand() >> 7);
        for (int i = 0; i < each; i++) {
            int found = argc < 6 && i % 3 == 2;
            memcpy(data, &i, sizeof i); /* each another one: nobody's cache may answer */
            size_t len = found ? bad_len : put_chunk(clean, data, bytes);
            double t = now();
            if (!ask(argv[1], found ? bad : clean, len, found))
                __atomic_add_fetch(wrong, 1, __ATOMIC_RELAXED);
            times[c * each + i] = (float)((now() - t) * 1e3);
        }
        _exit(0);
    }
    while (wait(NULL) > 0) {}
    double took = now() - begin;
    size_t n = (size_t)each * (size_t)clients;
    int bad = *wrong;
    qsort(times, n, sizeof *times, compare);
    printf("%.0f requests/s  p50 %.2f  p99 %.2f  max %.1f ms  %d wrong of %zu\n",
           (double)n / took, (double)times[n / 2], (double)times[n * 99 / 100],
           (double)times[n - 1], bad, n);
    return bad != 0;
}
