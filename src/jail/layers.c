#include "jail/layers.h"

const struct hf_layer_row hf_layer_rows[] = {
    {HF_LAYER_SECCOMP, "seccomp",
     "system calls are refused unless a scan needs them; dangerous ones end the process"},
    {HF_LAYER_LANDLOCK, "landlock", "no file can be opened, listed or changed by its path"},
    {HF_LAYER_USER_NS, "namespaces",
     "own user, network, IPC and host name: no network interface, no rights outside"},
    {HF_LAYER_NO_CAPS, "no-capabilities",
     "no privilege of root is left, also when root scans"},
    {HF_LAYER_NO_NEW_PRIVS, "no-new-privileges",
     "no program started from here could gain rights"},
    {HF_LAYER_RLIMITS, "resource-limits",
     "private memory, file sizes and processes are bounded; no core dumps"},
    {HF_LAYER_NOT_DUMPABLE, "not-dumpable",
     "other processes of the user cannot read or trace the worker"},
};
const size_t hf_layer_row_count = sizeof hf_layer_rows / sizeof *hf_layer_rows;

void hf_jail_describe(uint32_t layers, struct hf_buffer *out)
{
    for (size_t i = 0; i < hf_layer_row_count; i++) {
        const struct hf_layer_row *row = &hf_layer_rows[i];
        hf_buffer_format(out, "%-3s  %-18s %s\n", (layers & row->layer) != 0 ? "yes" : "no",
                         row->name, row->what);
    }
}

bool hf_layers_confine(uint32_t layers)
{
    return (layers & (HF_LAYER_SECCOMP | HF_LAYER_LANDLOCK)) != 0;
}
