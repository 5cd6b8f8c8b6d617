/* holdfast-worker: started by the programs and the library of Holdfast, never by hand. Becomes
 * the template, which forks the workers that scan. */
#include "jail/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int type = 0;
    socklen_t len = sizeof type;
    if (getsockopt(HF_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        type != SOCK_SEQPACKET) {
        fputs("holdfast-worker: scans for holdfast and libholdfast, which start it;"
              " it does nothing by itself\n",
              stderr);
        return HF_WORKER_EXIT_USAGE;
    }
    _exit(hf_template_run(
        getenv("HOLDFAST_JAIL"))); /* no exit handlers of libraries: sealed */
}
