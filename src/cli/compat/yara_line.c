/* yara_line.c - the command line as yara reads it: short options stand alone or together, their
 * value is the next word; long ones have theirs behind an equals sign; everything else is an
 * operand, wherever it stands. */
#include "cli/compat/yara.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LETTERS_WIDTH = 5, NAME_WIDTH = 36, NAME_WIDTH_MIN = 33 };

static const struct yara_option *find_long(const struct yara_line *line, const char *word)
{
    size_t n = strcspn(word, "=");
    for (size_t i = 0; i < line->option_count; i++)
        if (strlen(line->options[i].name) == n &&
            strncmp(line->options[i].name, word, n) == 0)
            return &line->options[i];
    return NULL;
}

static const struct yara_option *find_letter(const struct yara_line *line, char letter)
{
    for (size_t i = 0; i < line->option_count; i++)
        if (line->options[i].letter == letter)
            return &line->options[i];
    return NULL;
}

static bool add_text(struct yara_value *value, const char *text)
{
    const char **more = realloc((void *)value->texts, (value->count + 1) * sizeof *more);
    if (more == NULL)
        return false;
    value->texts = more;
    value->texts[value->count] = text;
    return true;
}

/* text: the value, or NULL; word: the option as given, for messages. */
static bool set_value(struct yara_line *line, const struct yara_option *option,
                      const char *text, const char *word)
{
    struct yara_value *value = &line->values[option - line->options];
    char *end;
    if (option->kind == YARA_NUMBER) {
        errno = 0;
        value->number = text == NULL ? 0 : strtoll(text, &end, 0);
        if (text == NULL || *text == 0 || *end != 0 || errno != 0) {
            fprintf(stderr, "option `%s` requires an integer argument\n", word);
            return false;
        }
    } else if (option->kind == YARA_TEXT) {
        if (text == NULL) {
            fprintf(stderr, "option `%s` requires a string argument\n", word);
            return false;
        }
        if (value->count >= option->most) {
            fprintf(stderr, "too many `%s` options\n", word);
            return false;
        }
        if (!add_text(value, text))
            return false;
    }
    value->count++;
    return true;
}

static bool unknown(const char *word)
{
    fprintf(stderr, "unknown option `%s`\n", word);
    return false;
}

/* A word of letters. *used: the next word was the value of the last of them. */
static bool take_letters(struct yara_line *line, const char *word, const char *next,
                         bool *used)
{
    for (const char *at = word + 1; *at != 0; at++) {
        const struct yara_option *option = find_letter(line, *at);
        if (option == NULL)
            return unknown(word);
        const char *text = NULL;
        if (option->kind != YARA_FLAG && at[1] == 0) {
            text = next;
            *used = next != NULL;
        }
        if (!set_value(line, option, text, word))
            return false;
    }
    return true;
}

static bool take_long(struct yara_line *line, const char *word)
{
    const struct yara_option *option = find_long(line, word + 2);
    const char *equals = strchr(word, '=');
    if (option == NULL)
        return unknown(word);
    return set_value(line, option, equals == NULL ? NULL : equals + 1, word);
}

bool hf_yara_line_parse(struct yara_line *line, const struct yara_option *options,
                        size_t count, int argc, char **argv)
{
    *line = (struct yara_line){
        .program = argc > 0 ? argv[0] : "", .options = options, .option_count = count};
    line->values = calloc(count, sizeof *line->values);
    line->operands = calloc((size_t)argc + 1, sizeof *line->operands);
    if (line->values == NULL || line->operands == NULL)
        return false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool used = false;
        if (strncmp(word, "--", 2) == 0 && word[2] != 0) {
            if (!take_long(line, word))
                return false;
        } else if (word[0] == '-' && word[1] != 0 && word[1] != '-') {
            if (!take_letters(line, word, i + 1 < argc ? argv[i + 1] : NULL, &used))
                return false;
        } else {
            line->operands[line->operand_count++] = word;
        }
        i += used;
    }
    return true;
}

void hf_yara_line_done(struct yara_line *line)
{
    for (size_t i = 0; line->values != NULL && i < line->option_count; i++)
        free((void *)line->values[i].texts);
    free(line->values);
    free((void *)line->operands);
    *line = (struct yara_line){0};
}

void hf_yara_line_help(const struct yara_line *line, const char *title,
                       const char *operands)
{
    printf(
        "%sUsage: %s [OPTION]... %s\n\n%s", title, line->program, operands,
        title[0] != 0
            ? "Mandatory arguments to long options are mandatory for short options too.\n\n"
            : "");
    for (size_t i = 0; i < line->option_count; i++) {
        const struct yara_option *o = &line->options[i];
        char letter[8] = "", name[64];
        if (o->letter != 0)
            snprintf(letter, sizeof letter, "-%c,", o->letter);
        snprintf(name, sizeof name, "--%s%s%s", o->name, o->metavar == NULL ? "" : "=",
                 o->metavar == NULL ? "" : o->metavar);
        printf("  %-*s%-*s%s\n", LETTERS_WIDTH, letter,
               title[0] != 0 ? NAME_WIDTH : NAME_WIDTH_MIN, name, o->help);
    }
    puts("\nHoldfast " HOLDFAST_VERSION " behaves so under this name; "
         "docs/compat-programs.md says more.");
}

int hf_yara_line_wrong_count(const struct yara_line *line, const char *operands)
{
    fprintf(stderr,
            "%s: wrong number of arguments\nUsage: %s [OPTION]... %s\n\nTry `--help` for "
            "more options\n",
            line->program, line->program, operands);
    return 1;
}

/* ---- -d ---- */

static bool is_integer(const char *text)
{
    text += *text == '-';
    return *text != 0 && text[strspn(text, "0123456789")] == 0;
}

static bool is_real(const char *text)
{
    text += *text == '-';
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;
    return *rest == '.' && rest[1 + strspn(rest + 1, "0123456789")] == 0 &&
           strlen(text) > 1;
}

static struct hf_value value_of(const char *text)
{
    if (is_real(text))
        return hf_value_real(strtod(text, NULL));
    if (is_integer(text))
        return hf_value_int(strtoll(text, NULL, 10));
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return hf_value_bool(text[0] == 't');
    return hf_value_string(hf_bytes_text(text));
}

/* A word without an equals sign ends the list with a complaint, and no harm, as in yara. */
bool hf_yara_externals_read(struct yara_externals *externals,
                            const struct yara_value *given)
{
    *externals = (struct yara_externals){0};
    externals->items = calloc((size_t)given->count + 1, sizeof *externals->items);
    if (externals->items == NULL)
        return false;
    for (unsigned i = 0; i < given->count; i++) {
        const char *equals = strchr(given->texts[i], '=');
        if (equals == NULL) {
            fprintf(stderr, "error: wrong syntax for `-d` option.\n");
            return true;
        }
        char *name = strndup(given->texts[i], (size_t)(equals - given->texts[i]));
        if (name == NULL)
            return false;
        for (size_t k = 0; k < externals->count; k++)
            if (strcmp(externals->items[k].name, name) == 0) {
                fprintf(stderr, "error: 56\n"); /* libyara's number for it */
                free(name);
                return false;
            }
        externals->items[externals->count++] =
            (struct hf_yara_external){.name = name, .value = value_of(equals + 1)};
    }
    return true;
}

void hf_yara_externals_done(struct yara_externals *externals)
{
    for (size_t i = 0; i < externals->count; i++)
        free((char *)(uintptr_t)externals->items[i].name);
    free(externals->items);
    *externals = (struct yara_externals){0};
}
