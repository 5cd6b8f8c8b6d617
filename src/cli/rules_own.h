/* rules_own.h - subcommands of `holdfast rules` in a file of their own: the owner's lists. */
#ifndef HF_CLI_RULES_OWN_H
#define HF_CLI_RULES_OWN_H

#include "cli/commands.h"

extern const struct hf_command hf_command_rules_allow, hf_command_rules_deny,
    hf_command_rules_ignore, hf_command_rules_own;

#endif
