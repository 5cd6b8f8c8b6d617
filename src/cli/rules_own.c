/* rules_own.c - `holdfast rules allow|deny|ignore|own`: the owner's own word, kept as lines of text in
 * the folder of their own signatures (update/site.h), fit to be edited and read by every scan. Files
 * are hashed, nothing is parsed. */
#include "cli/rules_own.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/publishers.h"
#include "digest/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { OWN_BYTES_MAX = 256 << 20, SHA256_DIGITS = 64 };

/* The lists. One that says the contrary of another about the same digest gives way. */
enum own_list { LIST_ALLOW, LIST_DENY, LIST_IGNORE, LISTS };
static const struct {
    const char *command, *file, *name;
    enum own_list contrary;
} lists[LISTS] = {
    [LIST_ALLOW] = {"allow", "own/allow.sfp", "Owner.Allowed", LIST_DENY},
    [LIST_DENY] = {"deny", "own/deny.hsb", "Owner.Denied", LIST_ALLOW},
    [LIST_IGNORE] = {"ignore", "own/ignore.ign2", NULL, LIST_IGNORE},
};

enum { OWN_REMOVE, OWN_HOME, OWN_NAME };
#define REMOVE_OPTION [OWN_REMOVE] = {'r', "remove", HF_OPTION_FLAG, NULL, "take it back"}
#define HOME_OPTION                                                                        \
    [OWN_HOME] = {0,                                                                       \
                  "home",                                                                  \
                  HF_OPTION_TEXT,                                                          \
                  "DIR",                                                                   \
                  "keep trust and content below this folder",                              \
                  HF_COMPLETE_FILE}
static const struct hf_option ignore_options[] = {REMOVE_OPTION, HOME_OPTION};
static const struct hf_option digest_options[] = {
    REMOVE_OPTION,
    HOME_OPTION,
    [OWN_NAME] = {'n', "name", HF_OPTION_TEXT, "NAME",
                  "what it is to be called; default: Owner.Allowed, Owner.Denied"},
};
enum { LIST_HOME };
static const struct hf_option own_options[] = {
    [LIST_HOME] = {0, "home", HF_OPTION_TEXT, "DIR",
                   "keep trust and content below this folder", HF_COMPLETE_FILE},
};

static int run_list(const struct hf_arguments *arguments);
static int run_own(const struct hf_arguments *arguments);

#define DIGEST_DETAILS                                                                     \
    "An operand is a file, whose SHA-256 and size are noted, or a SHA-256 as 64 digits.\n" \
    "The owner's word stands above every publisher's."

const struct hf_command hf_command_rules_allow = {
    .name = "allow",
    .operands = "[OPTION]... FILE|SHA256...",
    .summary = "never report these files, whoever says otherwise",
    .details = DIGEST_DETAILS,
    .options = digest_options,
    .option_count = sizeof digest_options / sizeof *digest_options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_list,
};
const struct hf_command hf_command_rules_deny = {
    .name = "deny",
    .operands = "[OPTION]... FILE|SHA256...",
    .summary = "report these files as infected, whoever allows them",
    .details = DIGEST_DETAILS,
    .options = digest_options,
    .option_count = sizeof digest_options / sizeof *digest_options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_list,
};
const struct hf_command hf_command_rules_ignore = {
    .name = "ignore",
    .operands = "[OPTION]... NAME...",
    .summary = "do not report signatures of these names, whoever publishes them",
    .options = ignore_options,
    .option_count = sizeof ignore_options / sizeof *ignore_options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = run_list,
};
const struct hf_command hf_command_rules_own = {
    .name = "own",
    .operands = "[OPTION]...",
    .summary = "print what the owner allows, denies and ignores",
    .options = own_options,
    .option_count = sizeof own_options / sizeof *own_options,
    .run = run_own,
};

/* A line is about an entry when it begins with it and ends there or at a colon. */
static bool is_about(struct hf_bytes line, struct hf_bytes entry)
{
    return line.len >= entry.len && memcmp(line.data, entry.data, entry.len) == 0 &&
           (line.len == entry.len || line.data[entry.len] == ':');
}

/* Copy all lines but those about an entry. Returns how many those were. */
static size_t copy_others(struct hf_buffer *out, struct hf_bytes text,
                          struct hf_bytes entry)
{
    size_t left_out = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t n = end != NULL ? (size_t)(end - text.data) : text.len;
        size_t used = end != NULL ? n + 1 : n;
        struct hf_bytes line = hf_bytes_of(text.data, n);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        if (is_about(line, entry)) {
            left_out++;
        } else {
            hf_buffer_bytes(out, line);
            hf_buffer_u8(out, '\n');
        }
        text = hf_bytes_of(text.data + used, text.len - used);
    }
    return left_out;
}

struct change {
    const struct hf_arguments *arguments;
    struct hf_site place;
    enum own_list list;
    bool remove;
    struct hf_buffer entry; /* what a line begins with: digits of a digest, or a name */
    struct hf_buffer line;  /* what is to stand there */
};

static bool failed(const struct change *c, const char *what, enum hf_status st)
{
    hf_complain(c->arguments, "%s: %s", what,
                st == HF_IO ? strerror(errno) : hf_status_text(st));
    return false;
}

/* Replace a list by itself without the entry, and with the line. */
static bool change_list(const struct change *c, enum own_list list, struct hf_bytes line,
                        size_t *removed)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer old = {0}, now = {0};
    enum hf_status st =
        hf_file_read(c->place.config_dir, lists[list].file, OWN_BYTES_MAX, &old);
    if (st != HF_OK && st != HF_NOTFOUND)
        return failed(c, lists[list].file, st);
    *removed = copy_others(&now, hf_buffer_view(&old), hf_buffer_view(&c->entry));
    if (line.len == 0 && *removed == 0)
        return true;
    hf_buffer_bytes(&now, line);
    if (now.failed)
        st = HF_NOMEM;
    else if (now.len ==
             0) /* a list without a line is none: scans would ask what it is for */
        st = hf_file_remove_all(c->place.config_dir, lists[list].file);
    else
        st = hf_file_replace(c->place.config_dir, lists[list].file, hf_buffer_view(&now),
                             0644);
    return st == HF_OK || failed(c, lists[list].file, st);
}

static bool is_digest(const char *text)
{
    uint8_t bytes[32];
    return strlen(text) == SHA256_DIGITS &&
           hf_unhex(hf_bytes_text(text), bytes, sizeof bytes) == sizeof bytes;
}

static bool is_name(struct hf_bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] == ':' || name.data[i] >= 0x7f ||
            (i == 0 && name.data[i] == '#'))
            return false;
    return name.len > 0 && name.len <= 1024;
}

/* Entry and line of a file, or of a digest of any size. */
static bool digest_entry(struct change *c, const char *operand)
{
    const char *name = c->arguments->values[OWN_NAME].text;
    HF_AUTO(hf_fd_release) int fd = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_digests d = {0};
    if (name == NULL)
        name = lists[c->list].name;
    if (!is_name(hf_bytes_text(name))) {
        hf_complain(c->arguments, "'%s' cannot be a name", name);
        return false;
    }
    if (fd < 0 && errno == ENOENT && is_digest(operand)) {
        for (const char *p = operand; *p != 0; p++)
            hf_buffer_u8(&c->entry, (uint8_t)(*p >= 'A' && *p <= 'F' ? *p + 32 : *p));
        hf_buffer_bytes(&c->line, hf_buffer_view(&c->entry));
        hf_buffer_format(&c->line, ":*:%s:73\n", name);
        return true;
    }
    enum hf_status st = fd < 0 ? HF_IO : hf_map_open(fd, &map);
    if (st == HF_OK)
        st = hasher == NULL ? HF_NOMEM
                            : hf_digest_add(hasher, hf_bytes_of(map.data, map.len),
                                            1u << HF_SHA256, &d);
    if (st != HF_OK)
        return failed(c, operand, st);
    if (map.len == 0) {
        hf_complain(c->arguments, "%s: an empty file is like every other one", operand);
        return false;
    }
    hf_hex(&c->entry, hf_digest_bytes(&d, HF_SHA256));
    hf_buffer_bytes(&c->line, hf_buffer_view(&c->entry));
    hf_buffer_format(&c->line, ":%zu:%s\n", map.len, name);
    return true;
}

static bool name_entry(struct change *c, const char *operand)
{
    if (!is_name(hf_bytes_text(operand))) {
        hf_complain(c->arguments, "'%s' cannot be a name", operand);
        return false;
    }
    hf_buffer_text(&c->entry, operand);
    hf_buffer_format(&c->line, "%s\n", operand);
    return true;
}

static bool take_operand(struct change *c, const char *operand)
{
    size_t removed = 0;
    hf_buffer_clear(&c->entry);
    hf_buffer_clear(&c->line);
    if (!(c->list == LIST_IGNORE ? name_entry : digest_entry)(c, operand))
        return false;
    if (c->entry.failed || c->line.failed)
        return failed(c, operand, HF_NOMEM);
    struct hf_bytes line = c->remove ? (struct hf_bytes){0} : hf_buffer_view(&c->line);
    if (!change_list(c, c->list, line, &removed))
        return false;
    if (c->remove && removed == 0) {
        hf_complain(c->arguments, "%s: it is not in the list", operand);
        return false;
    }
    enum own_list contrary = lists[c->list].contrary;
    return c->remove || contrary == c->list ||
           change_list(c, contrary, (struct hf_bytes){0}, &removed);
}

static int run_list(const struct hf_arguments *arguments)
{
    struct change c = {.arguments = arguments,
                       .remove = arguments->values[OWN_REMOVE].count > 0};
    while (strcmp(lists[c.list].command, arguments->command->name) != 0)
        c.list++;
    if (hf_publishers_open(arguments, arguments->values[OWN_HOME].text, &c.place) !=
        HF_EXIT_OK)
        return HF_EXIT_ERROR;
    /* Two that change a list at once would lose what one of them adds. */
    bool good = flock(c.place.config_dir, LOCK_EX) == 0;
    for (size_t i = 0; i < arguments->operand_count; i++)
        good = take_operand(&c, arguments->operands[i]) && good;
    hf_buffer_done(&c.entry);
    hf_buffer_done(&c.line);
    hf_site_done(&c.place);
    return good ? HF_EXIT_OK : HF_EXIT_ERROR;
}

static int run_own(const struct hf_arguments *arguments)
{
    struct change c = {.arguments = arguments};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    bool good = true;
    if (hf_publishers_open(arguments, arguments->values[LIST_HOME].text, &c.place) !=
        HF_EXIT_OK)
        return HF_EXIT_ERROR;
    for (size_t i = 0; i < LISTS; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
        enum hf_status st =
            hf_file_read(c.place.config_dir, lists[i].file, OWN_BYTES_MAX, &text);
        if (st != HF_OK && st != HF_NOTFOUND)
            good = failed(&c, lists[i].file, st);
        struct hf_bytes rest = hf_buffer_view(&text);
        while (rest.len > 0) {
            const uint8_t *end = memchr(rest.data, '\n', rest.len);
            size_t n = end != NULL ? (size_t)(end - rest.data) : rest.len;
            size_t used = end != NULL ? n + 1 : n;
            hf_buffer_format(&out, "%-7s", lists[i].command);
            hf_escape(&out, hf_bytes_of(rest.data, n));
            hf_buffer_u8(&out, '\n');
            rest = hf_bytes_of(rest.data + used, rest.len - used);
        }
    }
    hf_site_done(&c.place);
    int printed = hf_print(arguments, &out);
    return good ? printed : HF_EXIT_ERROR;
}
