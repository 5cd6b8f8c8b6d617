/* fact_print.c - facts for people. The schema is not at hand (it would bring the parsers along),
 * so how a number is shown follows from its name. */
#include "cli/fact_tree.h"

#include "base/text.h"

#include <stdio.h>
#include <time.h>

enum { COLUMNS_MAX = 24, WIDTH_MAX = 60, LABEL_MAX = 28 };

#define DIM   "\033[2m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static bool is_scalar(const struct hf_fact_node *node)
{
    return node->type != HF_FACT_STRUCT && node->type != HF_FACT_ARRAY &&
           node->type != HF_FACT_DICT;
}

static bool name_has(struct hf_bytes name, const char *const *words)
{
    for (; *words != NULL; words++)
        if (memmem(name.data, name.len, *words, strlen(*words)) != NULL)
            return true;
    return false;
}

/* Places and bit sets are read in hexadecimal. */
static bool is_hex(struct hf_bytes name)
{
    static const char *const words[] = {
        "address",    "offset",   "flags",           "rva",         "vmaddr",
        "image_base", "checksum", "characteristics", "entry_point", "magic",
        "sh_off",     "ph_off",   "fileoff",         NULL};
    static const char *const counts[] = {"number_of", "_size", "_count", NULL};
    return name.len > 0 && name_has(name, words) && !name_has(name, counts);
}

/* Types above the small ones are numbered by who defined them. */
static bool is_large_type(struct hf_bytes name, int64_t value)
{
    return value > UINT16_MAX && hf_bytes_equal(name, hf_bytes_text("type"));
}

static bool is_time(struct hf_bytes name)
{
    static const char *const words[] = {"timestamp", "_time", "not_before", "not_after",
                                        NULL};
    return name.len > 0 && name_has(name, words);
}

static void put_date(struct hf_buffer *out, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (seconds > 0 && seconds < INT64_C(253402300800) && gmtime_r(&t, &tm) != NULL)
        hf_buffer_format(out, " (%04d-%02d-%02d %02d:%02d:%02d UTC)", tm.tm_year + 1900,
                         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_string(struct hf_buffer *out, const struct hf_fact_print *how,
                       const struct hf_fact_node *node)
{
    struct hf_bytes s = node->value.string;
    uint64_t hidden = node->left_out;
    if (s.len > how->string_max) {
        hidden += s.len - how->string_max;
        s.len = how->string_max;
    }
    hf_escape(out, s);
    if (hidden > 0)
        hf_buffer_format(out, " ... (%llu more bytes)", (unsigned long long)hidden);
}

/* name: the field's; elements of a list have their list's. */
static void put_scalar(struct hf_buffer *out, const struct hf_fact_print *how,
                       const struct hf_fact_node *node, struct hf_bytes name, bool brief)
{
    const struct hf_value *v = &node->value;
    if (!v->defined)
        hf_buffer_u8(out, '-');
    else if (brief && v->type == HF_FACT_INT && node->label.len > 0)
        hf_escape(out, node->label); /* in tables there is no room for both */
    else if (v->type == HF_FACT_STRING)
        put_string(out, how, node);
    else if (v->type == HF_FACT_BOOL)
        hf_buffer_text(out, v->integer != 0 ? "yes" : "no");
    else if (v->type == HF_FACT_FLOAT)
        hf_buffer_format(out, "%g", v->real);
    else if (is_hex(name) || is_large_type(name, v->integer))
        hf_buffer_format(out, "0x%llx", (unsigned long long)v->integer);
    else
        hf_buffer_format(out, "%lld", (long long)v->integer);
    if (v->defined && v->type == HF_FACT_INT && is_time(name))
        put_date(out, v->integer);
    if (v->defined && !brief && node->label.len > 0) {
        hf_buffer_text(out, "  ");
        hf_escape(out, node->label);
    }
}

static void put_indent(struct hf_buffer *out, unsigned indent)
{
    hf_buffer_format(out, "%*s", (int)(2 * indent), "");
}

/* Columns that a text takes: its code points; what hf_escape leaves is printable. */
static size_t width_of(struct hf_bytes text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += (text.data[i] & 0xc0) != 0x80;
    return width;
}

static void put_padded(struct hf_buffer *out, struct hf_bytes text, size_t width,
                       bool right)
{
    size_t have = width_of(text);
    int gap = have < width ? (int)(width - have) : 0;
    if (right)
        hf_buffer_format(out, "%*s", gap, "");
    hf_buffer_bytes(out, text);
    if (!right)
        hf_buffer_format(out, "%*s", gap, "");
}

static void put_name(struct hf_buffer *out, struct hf_bytes name, size_t width)
{
    struct hf_buffer escaped = {0};
    hf_escape(&escaped, name);
    put_padded(out, hf_buffer_view(&escaped), width, false);
    hf_buffer_done(&escaped);
}

/* ---- lists of structs: a table ---- */

struct column {
    struct hf_bytes name;
    size_t width;
    bool right;   /* numbers */
    bool telling; /* some row has more than a zero, or than what the column before has */
};

struct table {
    struct column columns[COLUMNS_MAX];
    size_t count;
    size_t label_width; /* of the rows' own names */
};

static size_t find_column(const struct table *t, struct hf_bytes name)
{
    size_t i = 0;
    while (i < t->count && !hf_bytes_equal(t->columns[i].name, name))
        i++;
    return i;
}

static bool same_text(const struct hf_fact_node *a, const struct hf_fact_node *b)
{
    return a != NULL && b != NULL && a->type == HF_FACT_STRING &&
           b->type == HF_FACT_STRING && a->value.defined && b->value.defined &&
           hf_bytes_equal(a->value.string, b->value.string);
}

static bool tells(const struct hf_fact_node *cell, const struct hf_fact_node *before)
{
    if (cell->type == HF_FACT_INT)
        return cell->value.defined && (cell->value.integer != 0 || cell->label.len > 0);
    return !same_text(cell, before);
}

static void measure_row(struct table *t, const struct hf_fact_print *how,
                        const struct hf_fact_node *row)
{
    struct hf_buffer cell = {0};
    const struct hf_fact_node *before = NULL;
    if (width_of(row->label) > t->label_width)
        t->label_width = width_of(row->label);
    for (const struct hf_fact_node *f = row->first; f != NULL; f = f->next) {
        size_t c = find_column(t, f->name);
        if (!is_scalar(f) || c == COLUMNS_MAX)
            continue;
        if (c == t->count)
            t->columns[t->count++] = (struct column){.name = f->name,
                                                     .width = width_of(f->name),
                                                     .right = f->type != HF_FACT_STRING};
        t->columns[c].telling = t->columns[c].telling || tells(f, before);
        t->columns[c].right = t->columns[c].right && f->label.len == 0;
        before = f;
        hf_buffer_clear(&cell);
        put_scalar(&cell, how, f, f->name, true);
        size_t width = width_of(hf_buffer_view(&cell));
        if (width > t->columns[c].width)
            t->columns[c].width = width < WIDTH_MAX ? width : WIDTH_MAX;
    }
    hf_buffer_done(&cell);
}

/* A wide table is easier to read without the columns that tell nothing. */
static void drop_columns(struct table *t)
{
    enum { NARROW = 5 };
    size_t kept = 0;
    if (t->count <= NARROW)
        return;
    for (size_t c = 0; c < t->count; c++)
        if (t->columns[c].telling)
            t->columns[kept++] = t->columns[c];
    t->count = kept;
}

static const struct hf_fact_node *cell_of(const struct hf_fact_node *row,
                                          struct hf_bytes name)
{
    for (const struct hf_fact_node *f = row->first; f != NULL; f = f->next)
        if (is_scalar(f) && hf_bytes_equal(f->name, name))
            return f;
    return NULL;
}

static void trim_line(struct hf_buffer *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->len--;
    hf_buffer_u8(out, '\n');
}

static void put_row(struct hf_buffer *out, const struct hf_fact_print *how,
                    const struct table *t, const struct hf_fact_node *row)
{
    struct hf_buffer cell = {0};
    for (size_t c = 0; c < t->count; c++) {
        const struct hf_fact_node *f = cell_of(row, t->columns[c].name);
        hf_buffer_clear(&cell);
        if (f != NULL)
            put_scalar(&cell, how, f, f->name, true);
        put_padded(out, hf_buffer_view(&cell), t->columns[c].width, t->columns[c].right);
        hf_buffer_text(out, "  ");
    }
    trim_line(out);
    hf_buffer_done(&cell);
}

static void put_header(struct hf_buffer *out, const struct hf_fact_print *how,
                       const struct table *t, unsigned indent, int number_width)
{
    put_indent(out, indent);
    hf_buffer_text(out, how->colour ? DIM : "");
    hf_buffer_format(out, "%*s  ", number_width, "#");
    hf_buffer_format(out, "%*s", (int)(t->label_width > 0 ? t->label_width + 2 : 0), "");
    for (size_t c = 0; c < t->count; c++) {
        struct hf_buffer name = {0};
        hf_escape(&name, t->columns[c].name);
        put_padded(out, hf_buffer_view(&name), t->columns[c].width, t->columns[c].right);
        hf_buffer_done(&name);
        hf_buffer_text(out, "  ");
    }
    hf_buffer_text(out, how->colour ? PLAIN : "");
    if (how->colour)
        hf_buffer_u8(out, '\n');
    else
        trim_line(out);
}

static void put_more(struct hf_buffer *out, uint64_t hidden, unsigned indent)
{
    if (hidden == 0)
        return;
    put_indent(out, indent);
    hf_buffer_format(out, "... %llu more\n", (unsigned long long)hidden);
}

static void put_inner(struct hf_buffer *out, const struct hf_fact_print *how,
                      const struct hf_fact_node *row, unsigned indent);

static void print_table(struct hf_buffer *out, const struct hf_fact_print *how,
                        const struct hf_fact_node *list, unsigned indent)
{
    struct table t = {.count = 0};
    size_t shown = 0;
    const struct hf_fact_node *row;
    for (row = list->first; row != NULL && shown < how->list_max; row = row->next, shown++)
        measure_row(&t, how, row);
    if (!how->whole)
        drop_columns(&t);
    int number_width = snprintf(NULL, 0, "%zu", shown);
    if (t.count > 0)
        put_header(out, how, &t, indent, number_width);
    size_t i = 0;
    for (row = list->first; row != NULL && i < shown; row = row->next, i++) {
        put_indent(out, indent);
        hf_buffer_format(out, "%*zu  ", number_width, i);
        if (t.label_width > 0)
            put_name(out, row->label, t.label_width + 2);
        put_row(out, how, &t, row);
        put_inner(out, how, row, indent + 2);
    }
    put_more(out, list->count - shown + list->left_out, indent);
}

static void print_scalars(struct hf_buffer *out, const struct hf_fact_print *how,
                          const struct hf_fact_node *list, unsigned indent)
{
    size_t shown = 0;
    for (const struct hf_fact_node *e = list->first; e != NULL && shown < how->list_max;
         e = e->next, shown++) {
        put_indent(out, indent);
        put_scalar(out, how, e, list->name, false);
        hf_buffer_u8(out, '\n');
    }
    put_more(out, list->count - shown + list->left_out, indent);
}

/* ---- structs and dictionaries ---- */

/* {major, minor}: shown as 1.2 in the line of its name. */
static const struct hf_fact_node *minor_of(const struct hf_fact_node *node)
{
    const struct hf_fact_node *major = node->first;
    if (node->type != HF_FACT_STRUCT || node->count != 2 || major == NULL ||
        !hf_bytes_equal(major->name, hf_bytes_text("major")) ||
        major->type != HF_FACT_INT || major->next->type != HF_FACT_INT ||
        !hf_bytes_equal(major->next->name, hf_bytes_text("minor")))
        return NULL;
    return major->next;
}

static bool is_line(const struct hf_fact_node *node)
{
    return is_scalar(node) || minor_of(node) != NULL;
}

static size_t label_width(const struct hf_fact_node *node)
{
    size_t width = 0;
    for (const struct hf_fact_node *f = node->first; f != NULL; f = f->next)
        if (is_line(f) && f->name.len > width)
            width = f->name.len < LABEL_MAX ? f->name.len : LABEL_MAX;
    return width;
}

static void print_members(struct hf_buffer *out, const struct hf_fact_print *how,
                          const struct hf_fact_node *node, unsigned indent)
{
    size_t width = label_width(node), lines = 0, hidden = 0;
    for (const struct hf_fact_node *f = node->first; f != NULL; f = f->next) {
        if (!is_line(f))
            continue;
        if (node->type == HF_FACT_DICT && lines++ >= how->list_max) {
            hidden++;
            continue;
        }
        put_indent(out, indent);
        put_name(out, f->name, width);
        hf_buffer_text(out, "  ");
        if (is_scalar(f))
            put_scalar(out, how, f, f->name, false);
        else
            hf_buffer_format(out, "%lld.%lld", (long long)f->first->value.integer,
                             (long long)f->first->next->value.integer);
        hf_buffer_u8(out, '\n');
    }
    put_inner(out, how, node, indent);
    put_more(out, hidden + node->left_out, indent);
}

/* A list that YARA has its own way, beside one of ours that has more of the same. */
static bool is_said_again(const struct hf_fact_node *parent, struct hf_bytes name)
{
    static const struct {
        const char *short_one, *full_one;
    } pairs[] = {
        {"sections", "section_headers"},
        {"segments", "program_headers"},
        {"dynsym", "dynamic_symbols"},
        {"version_info_list", "version_info"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!hf_bytes_equal(name, hf_bytes_text(pairs[i].short_one)))
            continue;
        for (const struct hf_fact_node *f = parent->first; f != NULL; f = f->next)
            if (hf_bytes_equal(f->name, hf_bytes_text(pairs[i].full_one)))
                return true;
    }
    return false;
}

/* A part that says of itself that it is not there. */
static bool is_absent(const struct hf_fact_node *node)
{
    const struct hf_fact_node *f = node->first;
    return node->type == HF_FACT_STRUCT && f != NULL && f->type == HF_FACT_BOOL &&
           hf_bytes_equal(f->name, hf_bytes_text("present")) && f->value.integer == 0;
}

/* What is no scalar stands below what is. */
static void put_inner(struct hf_buffer *out, const struct hf_fact_print *how,
                      const struct hf_fact_node *row, unsigned indent)
{
    for (const struct hf_fact_node *f = row->first; f != NULL; f = f->next)
        if (!is_line(f) && (how->whole || (!is_said_again(row, f->name) && !is_absent(f))))
            hf_fact_tree_print(out, how, f, indent);
}

void hf_fact_tree_print(struct hf_buffer *out, const struct hf_fact_print *how,
                        const struct hf_fact_node *node, unsigned indent)
{
    put_indent(out, indent);
    hf_buffer_text(out, how->colour ? BOLD : "");
    put_name(out, node->name, 0);
    hf_buffer_text(out, how->colour ? PLAIN : "");
    if (node->type == HF_FACT_ARRAY)
        hf_buffer_format(out, " (%llu)",
                         (unsigned long long)(node->count + node->left_out));
    hf_buffer_u8(out, '\n');
    if (node->type != HF_FACT_ARRAY)
        print_members(out, how, node, indent + 1);
    else if (node->first != NULL && is_scalar(node->first))
        print_scalars(out, how, node, indent + 1);
    else
        print_table(out, how, node, indent + 1);
}
