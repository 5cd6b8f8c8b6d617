#include "cli/options.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdlib.h>

/* A word on its way through the parser. */
struct parser {
    struct hf_arguments *out;
    const struct hf_command *command;
    int argc, at; /* at: the next word */
    char *const *argv;
    struct hf_buffer *error;
};

bool hf_command_option(const struct hf_command *command, size_t index,
                       struct hf_option *option)
{
    if (index < command->option_count) {
        *option = command->options[index];
        return true;
    }
    index -= command->option_count;
    size_t limits = command->limits ? hf_limit_row_count : 0;
    if (index < limits) {
        const struct hf_limit_row *row = &hf_limit_rows[index];
        *option = (struct hf_option){.name = row->name,
                                     .kind = HF_OPTION_LIMIT,
                                     .metavar = row->metavar,
                                     .help = row->help};
        return true;
    }
    if (index > limits)
        return false;
    *option = (struct hf_option){
        .letter = 'h', .name = "help", .kind = HF_OPTION_HELP, .help = "show this help"};
    return true;
}

/* Letters to change, add or drop to make one word of the other; at most cap. */
static size_t distance(struct hf_bytes a, struct hf_bytes b, size_t cap)
{
    enum { LONGEST = 40 };
    size_t row[LONGEST + 1];
    if (a.len > LONGEST || b.len > LONGEST)
        return cap;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            size_t shorter = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;
            row[j] = changed < shorter ? changed : shorter;
        }
    }
    return row[b.len] < cap ? row[b.len] : cap;
}

/* Keeps the candidate nearest to a mistyped word. A third of the letters may be wrong. */
static void consider(struct hf_bytes word, const char *candidate, const char **best,
                     size_t *away)
{
    struct hf_bytes c = hf_bytes_text(candidate);
    size_t d = distance(word, c, *away);
    bool starts =
        word.len >= 3 && word.len < c.len && memcmp(word.data, c.data, word.len) == 0;
    if (starts)
        d = 1;
    if (d < *away && d <= 1 + c.len / 3) {
        *best = candidate;
        *away = d;
    }
}

static enum hf_status fail_unknown_option(struct parser *p, struct hf_bytes word,
                                          struct hf_bytes name)
{
    const char *best = NULL;
    size_t away = 5;
    struct hf_option option;
    if (name.len > 1)
        for (size_t i = 0; hf_command_option(p->command, i, &option); i++)
            consider(name, option.name, &best, &away);
    hf_buffer_text(p->error, "unknown option ");
    hf_escape(p->error, word);
    if (best != NULL)
        hf_buffer_format(p->error, "; did you mean --%s?", best);
    return HF_INVALID;
}

/* How an option was written, for messages: "--db" or "-d". */
static void name_option(struct hf_buffer *out, const struct hf_option *option,
                        bool by_letter)
{
    if (by_letter)
        hf_buffer_format(out, "-%c", option->letter);
    else
        hf_buffer_format(out, "--%s", option->name);
}

static enum hf_status fail_value(struct parser *p, const struct hf_option *option,
                                 bool by_letter, const char *wants, const char *value)
{
    name_option(p->error, option, by_letter);
    hf_buffer_format(p->error, " wants %s", wants);
    if (value != NULL) {
        hf_buffer_text(p->error, ", not '");
        hf_escape(p->error, hf_bytes_text(value));
        hf_buffer_text(p->error, "'");
    }
    return HF_INVALID;
}

static enum hf_status append(struct hf_option_value *value, const char *text)
{
    /* One reallocation an option given: command lines are short. */
    const char **list =
        realloc((void *)value->list, (value->count + 1) * sizeof *value->list);
    if (list == NULL)
        return HF_NOMEM;
    list[value->count] = text;
    value->list = list;
    return HF_OK;
}

/* Store an option's value (NULL for flags). index is its row. */
static enum hf_status store(struct parser *p, const struct hf_option *option, size_t index,
                            bool by_letter, const char *text)
{
    struct hf_arguments *out = p->out;
    if (option->kind == HF_OPTION_HELP) {
        out->help = true;
        return HF_OK;
    }
    if (option->kind == HF_OPTION_LIMIT) {
        if (hf_limits_set(&out->limits, option->name, hf_bytes_text(text)) != HF_OK)
            return fail_value(p, option, by_letter, "a number, perhaps with K, M, G or T",
                              text);
        return HF_OK;
    }
    struct hf_option_value *value = &out->values[index];
    value->text = text;
    if (option->kind == HF_OPTION_NUMBER &&
        !hf_parse_uint(hf_bytes_text(text), &value->number))
        return fail_value(p, option, by_letter, "a number", text);
    if (option->kind == HF_OPTION_SIZE &&
        !hf_parse_size(hf_bytes_text(text), &value->number))
        return fail_value(p, option, by_letter, "a size such as 100M", text);
    if (option->kind == HF_OPTION_LIST && append(value, text) != HF_OK)
        return HF_NOMEM;
    value->count++;
    return HF_OK;
}

static bool is_flag(const struct hf_option *option)
{
    return option->kind == HF_OPTION_FLAG || option->kind == HF_OPTION_HELP;
}

/* Take the next word as the value of an option. */
static enum hf_status store_next(struct parser *p, const struct hf_option *option,
                                 size_t index, bool by_letter)
{
    if (p->at == p->argc) {
        name_option(p->error, option, by_letter);
        hf_buffer_format(p->error, " wants a value: %s", option->metavar);
        return HF_INVALID;
    }
    return store(p, option, index, by_letter, p->argv[p->at++]);
}

/* --name, --name=VALUE */
static enum hf_status parse_long(struct parser *p, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    struct hf_bytes name = hf_bytes_of(word + 2, len - 2);
    struct hf_option option;
    for (size_t i = 0; hf_command_option(p->command, i, &option); i++) {
        if (!hf_bytes_equal(name, hf_bytes_text(option.name)))
            continue;
        if (is_flag(&option)) {
            if (equals == NULL)
                return store(p, &option, i, false, NULL);
            hf_buffer_format(p->error, "--%s takes no value", option.name);
            return HF_INVALID;
        }
        return equals != NULL ? store(p, &option, i, false, equals + 1)
                              : store_next(p, &option, i, false);
    }
    return fail_unknown_option(p, hf_bytes_of(word, len), name);
}

/* -x, -xVALUE, -xyz */
static enum hf_status parse_letters(struct parser *p, const char *word)
{
    for (const char *letter = word + 1; *letter != 0; letter++) {
        struct hf_option option;
        size_t i = 0;
        while (hf_command_option(p->command, i, &option) && option.letter != *letter)
            i++;
        if (!hf_command_option(p->command, i, &option)) {
            const char shown[] = {'-', *letter, 0};
            return fail_unknown_option(p, hf_bytes_text(shown), hf_bytes_of(letter, 1));
        }
        if (!is_flag(&option))
            return letter[1] != 0 ? store(p, &option, i, true, letter + 1)
                                  : store_next(p, &option, i, true);
        enum hf_status st = store(p, &option, i, true, NULL);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}

static enum hf_status check_operands(struct parser *p)
{
    const struct hf_arguments *out = p->out;
    if (out->help || p->command->subcommands != NULL)
        return HF_OK;
    if (out->operand_count < p->command->operands_min) {
        hf_buffer_format(p->error, "something is missing: %s", p->command->operands);
        return HF_INVALID;
    }
    if (out->operand_count > p->command->operands_max) {
        hf_buffer_text(p->error, "too many operands: '");
        hf_escape(p->error, hf_bytes_text(out->operands[p->command->operands_max]));
        hf_buffer_text(p->error, "'");
        return HF_INVALID;
    }
    return HF_OK;
}

enum hf_status hf_arguments_parse(struct hf_arguments *out,
                                  const struct hf_command *command, int argc,
                                  char *const *argv, struct hf_buffer *error)
{
    *out = (struct hf_arguments){.command = command};
    hf_limits_default(&out->limits);
    out->operands = calloc((size_t)argc + 1, sizeof *out->operands);
    if (out->operands == NULL)
        return HF_NOMEM;
    struct parser p = {out, command, argc, 1, argv, error};
    bool only_operands = false;
    while (p.at < argc) {
        const char *word = argv[p.at++];
        enum hf_status st = HF_OK;
        if (only_operands || word[0] != '-' || word[1] == 0) {
            out->operands[out->operand_count++] = word;
            /* What follows a subcommand's name is for its table, not for this one. */
            if (command->subcommands != NULL && out->operand_count == 1)
                while (p.at < argc)
                    out->operands[out->operand_count++] = argv[p.at++];
        } else if (word[1] != '-') {
            st = parse_letters(&p, word);
        } else if (word[2] == 0) {
            only_operands = true;
        } else {
            st = parse_long(&p, word);
        }
        if (st != HF_OK)
            return st;
    }
    return check_operands(&p);
}

void hf_arguments_done(struct hf_arguments *arguments)
{
    for (size_t i = 0; i < HF_OPTIONS_MAX; i++)
        free((void *)arguments->values[i].list);
    free((void *)arguments->operands);
    *arguments = (struct hf_arguments){0};
}
