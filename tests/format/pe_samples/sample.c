/* A library (or, with PLAIN, a program) that does nothing, with all kinds of tables. */
#include <windows.h>

#ifndef PLAIN
void late_one(void);
void late_two(void);
void by_number_one(void);
void by_number_known(void);
void by_number_unknown(void);

int exported_data = 5;

static void NTAPI callback(PVOID module, DWORD reason, PVOID reserved)
{
    (void)module, (void)reason, (void)reserved;
}
ULONG _tls_index = 0;
__attribute__((section(".CRT$XLB"), used)) PIMAGE_TLS_CALLBACK tls_callbacks[] = {callback, 0};
__attribute__((section(".tls"), used)) char tls_start[4] = "tls";
__attribute__((section(".rdata$T"), used)) const IMAGE_TLS_DIRECTORY _tls_used = {
    (ULONG_PTR)tls_start, (ULONG_PTR)(tls_start + 4), (ULONG_PTR)&_tls_index,
    (ULONG_PTR)tls_callbacks};

void exported_one(void)
{
    late_one();
    by_number_one();
}
void exported_two(void)
{
    late_two();
    by_number_known();
}
void exported_hidden(void)
{
    by_number_unknown();
}

/* What delayed libraries call; the linker wants it, nobody runs it. */
void *__delayLoadHelper2(void *descriptor, void *slot)
{
    (void)descriptor, (void)slot;
    return 0;
}
#endif

int WINAPI sample_entry(void)
{
    MessageBoxA(0, "nothing to see", "sample", MB_OK);
    ExitProcess(0);
}
