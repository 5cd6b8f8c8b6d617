/* verify_program.c - holdfast-verify: started by others, never by people. */
#include "update/verify.h"

int main(void)
{
    return hf_verify_main();
}
