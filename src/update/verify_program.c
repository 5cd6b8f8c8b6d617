/* verify_program.c - holdfast-verify: started by others, never by people. */
#include "update/verify.h"

#include "base/fd.h"

int main(int argc, char **argv)
{
    if (argc != 2 || !hf_fd_limit_files(argv[1]))
        return 1;
    return hf_verify_main();
}
