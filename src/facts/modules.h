/* modules.h - fact modules that are about no format: what rules may say (console), ask of the
 * clock (time), of a sandbox's report (cuckoo), of libmagic (magic), under YARA's names and with
 * its rules. [yara 4.5 libyara/modules] What they need from elsewhere is in hf_fact_outside. */
#ifndef HF_FACTS_MODULES_H
#define HF_FACTS_MODULES_H

#include "facts/facts.h"

extern const struct hf_fact_module hf_console_module, hf_time_module, hf_cuckoo_module,
    hf_magic_module;

#ifdef HF_TEST_MODULES
/* Modules of YARA's and YARA-X's own tests, in builds with tests only. */
extern const struct hf_fact_module hf_tests_module, hf_test_proto2_module,
    hf_test_proto3_module;
#endif

#endif
