/* commands.h - the commands of `holdfast`, each defined in the file of its name. */
#ifndef HF_CLI_COMMANDS_H
#define HF_CLI_COMMANDS_H

#include "cli/options.h"

extern const struct hf_command hf_program_holdfast; /* holdfast.c: the program itself */

extern const struct hf_command hf_command_scan;    /* scan_command.c */
extern const struct hf_command hf_command_inspect; /* inspect_command.c */
extern const struct hf_command hf_command_db;      /* db_command.c: build, info, check */
extern const struct hf_command hf_command_config;
extern const struct hf_command hf_command_rules;      /* rules_command.c: check, fmt, ... */
extern const struct hf_command hf_command_status;     /* status_command.c */
extern const struct hf_command hf_command_update;     /* update_command.c */
extern const struct hf_command hf_command_trust;      /* trust_command.c */
extern const struct hf_command hf_command_feed;       /* feed_command.c: for publishers */
extern const struct hf_command hf_command_version;    /* holdfast.c */
extern const struct hf_command hf_command_help;       /* holdfast.c */
extern const struct hf_command hf_command_completion; /* holdfast.c */

#endif
