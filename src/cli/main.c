/* main.c - chooses the program by the name it was called with. Parses no hostile bytes: that is
 * what holdfast-worker is for. */
#include "cli/commands.h"
#include "cli/compat/compat.h"

#include <signal.h>
#include <string.h>

/* Programs of others that this one is under their names; under every other name it is holdfast. */
static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} programs[] = {
    {"clamdscan", hf_clamdscan_main}, {"clamscan", hf_clamscan_main},
    {"sigtool", hf_sigtool_main},     {"yara", hf_yara_main},
    {"yarac", hf_yarac_main},
};

int main(int argc, char **argv)
{
    /* A reader that goes away is seen where the write fails, so that a scan ends in order. */
    (void)signal(SIGPIPE, SIG_IGN);
    const char *called = argc > 0 ? argv[0] : "";
    const char *slash = strrchr(called, '/');
    const char *name = slash != NULL ? slash + 1 : called;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (strcmp(programs[i].name, name) == 0)
            return programs[i].main(argc, argv);
    return hf_command_main(&hf_program_holdfast, hf_program_holdfast.name, argc, argv);
}
