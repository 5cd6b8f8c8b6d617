/* rules_why.h - a subcommand of `holdfast rules` in a file of its own. */
#ifndef HF_CLI_RULES_WHY_H
#define HF_CLI_RULES_WHY_H

#include "cli/commands.h"

extern const struct hf_command hf_command_rules_why;

#endif
