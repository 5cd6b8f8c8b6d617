#include "cli/compat/arguments.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct parsing {
    struct hf_compat_arguments *out;
    const char *program;
    const struct hf_compat_option *table;
    size_t count;
    int argc, at; /* at: the word being read */
    char *const *argv;
};

static bool complain(const char *text)
{
    fprintf(stderr, "ERROR: %s\nERROR: Can't parse command line options\n", text);
    return false;
}

static bool bad_format(const struct hf_compat_option *option)
{
    char text[128];
    if (option->letter != 0)
        snprintf(text, sizeof text, "Incorrect argument format for option --%s (-%c)",
                 option->name, option->letter);
    else
        snprintf(text, sizeof text, "Incorrect argument format for option --%s",
                 option->name);
    return complain(text);
}

static bool is_yes(const char *text)
{
    return strcmp(text, "1") == 0 || strcasecmp(text, "yes") == 0 ||
           strcasecmp(text, "true") == 0;
}

static bool is_no(const char *text)
{
    return strcmp(text, "0") == 0 || strcasecmp(text, "no") == 0 ||
           strcasecmp(text, "false") == 0;
}

static bool read_number(const char *text, bool size, uint64_t *number)
{
    size_t n = strlen(text), shift = 0;
    if (size && n > 0 && (text[n - 1] == 'K' || text[n - 1] == 'k'))
        shift = 10;
    else if (size && n > 0 && (text[n - 1] == 'M' || text[n - 1] == 'm'))
        shift = 20;
    else if (size && n > 0 && (text[n - 1] == 'G' || text[n - 1] == 'g'))
        shift = 30;
    uint64_t v;
    if (!hf_parse_uint(hf_bytes_of(text, n - (shift != 0)), &v) || v > UINT64_MAX >> shift)
        return false;
    *number = v << shift;
    return true;
}

static bool keep(struct parsing *p, size_t row, const char *text)
{
    const struct hf_compat_option *option = &p->table[row];
    struct hf_compat_value *value = &p->out->values[row];
    if (option->kind == HF_COMPAT_FLAG) {
        value->on = text == NULL || is_yes(text);
        if (text != NULL && !is_yes(text) && !is_no(text))
            return bad_format(option);
    } else if (option->kind == HF_COMPAT_NUMBER || option->kind == HF_COMPAT_SIZE) {
        if (!read_number(text, option->kind == HF_COMPAT_SIZE, &value->number))
            return bad_format(option);
    } else if (text != NULL) {
        const char **list =
            reallocarray((void *)value->list, value->count + 1, sizeof *list);
        if (list == NULL)
            return complain("Can't allocate memory");
        value->list = list;
        list[value->count] = text;
    }
    value->text = text;
    value->count++;
    if (option->deprecated)
        fprintf(stderr, "WARNING: Ignoring deprecated option --%s\n", option->name);
    return true;
}

static bool takes_text(const struct hf_compat_option *option)
{
    return option->kind != HF_COMPAT_FLAG && option->kind != HF_COMPAT_PERHAPS;
}

/* The row that a name, perhaps cut, stands for; SIZE_MAX: none; SIZE_MAX - 1: several. */
static size_t find_name(const struct parsing *p, const char *name, size_t length)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < p->count; i++) {
        if (strncmp(p->table[i].name, name, length) != 0)
            continue;
        if (p->table[i].name[length] == 0)
            return i;
        found = found == SIZE_MAX ? i : SIZE_MAX - 1;
    }
    return found;
}

static bool read_long(struct parsing *p, const char *word)
{
    size_t length = strcspn(word, "=");
    const char *text = word[length] == '=' ? word + length + 1 : NULL;
    size_t row = find_name(p, word, length);
    if (row >= SIZE_MAX - 1) {
        fprintf(stderr,
                row == SIZE_MAX ? "%s: unrecognized option `--%.*s'\n"
                                : "%s: option `--%.*s' is ambiguous\n",
                p->program, (int)length, word);
        return complain("Unknown option passed");
    }
    if (text == NULL && takes_text(&p->table[row])) {
        if (p->at + 1 == p->argc) {
            fprintf(stderr, "%s: option `--%s' requires an argument\n", p->program,
                    p->table[row].name);
            return complain("Incomplete option passed (missing argument)");
        }
        text = p->argv[++p->at];
    }
    return keep(p, row, text);
}

static bool read_letters(struct parsing *p, const char *letters)
{
    for (; *letters != 0; letters++) {
        size_t row = 0;
        while (row < p->count && p->table[row].letter != *letters)
            row++;
        if (row == p->count) {
            fprintf(stderr, "%s: illegal option -- %c\n", p->program, *letters);
            return complain("Unknown option passed");
        }
        bool perhaps = p->table[row].kind == HF_COMPAT_PERHAPS;
        if (!takes_text(&p->table[row]) && !perhaps) {
            if (!keep(p, row, NULL))
                return false;
            continue;
        }
        const char *text = letters[1] != 0 ? letters + 1 : NULL;
        if (text == NULL && !perhaps) {
            if (p->at + 1 == p->argc) {
                fprintf(stderr, "%s: option requires an argument -- %c\n", p->program,
                        *letters);
                return complain("Incomplete option passed (missing argument)");
            }
            text = p->argv[++p->at];
        }
        return keep(p, row, text);
    }
    return true;
}

bool hf_compat_parse(struct hf_compat_arguments *out, const char *program,
                     const struct hf_compat_option *table, size_t count, int argc,
                     char *const *argv)
{
    *out = (struct hf_compat_arguments){0};
    out->operands = reallocarray(NULL, (size_t)argc + 1, sizeof *out->operands);
    if (out->operands == NULL || count > HF_COMPAT_OPTIONS_MAX)
        return complain("Can't allocate memory");
    struct parsing p = {out, program, table, count, argc, 1, argv};
    bool options = true;
    for (; p.at < argc; p.at++) {
        const char *word = argv[p.at];
        bool good = true;
        if (!options || word[0] != '-' || word[1] == 0)
            out->operands[out->operand_count++] = word;
        else if (strcmp(word, "--") == 0)
            options = false;
        else if (word[1] == '-')
            good = read_long(&p, word + 2);
        else
            good = read_letters(&p, word + 1);
        if (!good)
            return false;
    }
    return true;
}

void hf_compat_done(struct hf_compat_arguments *arguments)
{
    for (size_t i = 0; i < HF_COMPAT_OPTIONS_MAX; i++)
        free((void *)arguments->values[i].list);
    free((void *)arguments->operands);
    *arguments = (struct hf_compat_arguments){0};
}
