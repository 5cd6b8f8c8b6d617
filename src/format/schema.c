#include "format/schema.h"

#include "facts/bytes.h"
#include "facts/modules.h"
#include "format/authenticode.h"
#include "format/dex.h"
#include "format/dotnet.h"
#include "format/elf.h"
#include "format/lnk.h"
#include "format/macho.h"
#include "format/pe.h"

const struct hf_fact_module *const hf_fact_modules[] = {
    &hf_pe_module,     &hf_elf_module,         &hf_hash_module,        &hf_math_module,
    &hf_string_module, &hf_macho_module,       &hf_lnk_module,         &hf_dex_module,
    &hf_dotnet_module, &hf_catalogue_module,   &hf_console_module,     &hf_time_module,
    &hf_cuckoo_module, &hf_magic_module,
#ifdef HF_TEST_MODULES
    &hf_tests_module,  &hf_test_proto2_module, &hf_test_proto3_module,
#endif
};
const size_t hf_fact_module_count = sizeof hf_fact_modules / sizeof *hf_fact_modules;
_Static_assert(sizeof hf_fact_modules / sizeof *hf_fact_modules <= HF_FACT_MODULES_MAX,
               "struct hf_facts has a place for each");

size_t hf_fact_module_find(struct hf_bytes name)
{
    for (size_t i = 0; i < hf_fact_module_count; i++)
        if (hf_bytes_equal(name, hf_bytes_text(hf_fact_modules[i]->name)))
            return i;
    return SIZE_MAX;
}
