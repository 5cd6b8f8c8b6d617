/* main.c - chooses the program by the name it was called with. Parses no hostile bytes: that is
 * what holdfast-worker is for. */
#include "cli/commands.h"

#include <signal.h>

static const struct hf_command *const programs[] = {
    &hf_program_holdfast, /* also for every name that is not in the table */
};

static const struct hf_command *program_of(const char *called)
{
    const char *slash = strrchr(called, '/');
    const char *name = slash != NULL ? slash + 1 : called;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (strcmp(programs[i]->name, name) == 0)
            return programs[i];
    return programs[0];
}

int main(int argc, char **argv)
{
    /* A reader that goes away is seen where the write fails, so that a scan ends in order. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct hf_command *program = program_of(argc > 0 ? argv[0] : "");
    return hf_command_main(program, program->name, argc, argv);
}
