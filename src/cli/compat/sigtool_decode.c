/* sigtool_decode.c - `sigtool --decode-sigs`: body and logical signatures, explained. */
#include "cli/compat/sigtool.h"

#include "base/auto.h"
#include "base/text.h"
#include "db/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELDS_MAX = 80 };

static void put(struct hf_bytes text)
{
    fwrite(text.data, 1, text.len, stdout);
}

static void show(const char *title, struct hf_bytes text)
{
    fputs(title, stdout);
    put(text);
    putchar('\n');
}

static bool failed(void)
{
    fflush(stdout);
    fputs("ERROR: Decoding failed\n", stderr);
    return true;
}

static const char *target_name(uint64_t target)
{
    static const char *const names[] = {
        "ANY FILE",    "PE",       "OLE2", "HTML",
        "MAIL",        "GRAPHICS", "ELF",  "NORMALIZED ASCII TEXT",
        "DISASM DATA", "MACHO",    "PDF",  "FLASH",
        "JAVA CLASS"};
    return target < sizeof names / sizeof *names ? names[target] : NULL;
}

/* ---- hex strings ---- */

static int nibble(uint8_t c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* Bytes and wildcards without parts. False: malformed. */
static bool show_atoms(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len;) {
        uint8_t a = text.data[i], b = i + 1 < text.len ? text.data[i + 1] : 0;
        if (a == '?' && b == '?')
            fputs("{WILDCARD_IGNORE}", stdout);
        else if (b == '?' && nibble(a) >= 0)
            printf("{WILDCARD_NIBBLE_HIGH:0x%x}", (unsigned)nibble(a) << 4);
        else if (a == '?' && nibble(b) >= 0)
            printf("{WILDCARD_NIBBLE_LOW:0x%x}", (unsigned)nibble(b));
        else if (nibble(a) >= 0 && nibble(b) >= 0)
            putchar(nibble(a) << 4 | nibble(b));
        else
            return false;
        i += 2;
    }
    return true;
}

static bool is_hex(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (nibble(text.data[i]) < 0 && text.data[i] != '?')
            return false;
    return text.len % 2 == 0;
}

static size_t find(struct hf_bytes text, size_t from, uint8_t what)
{
    const uint8_t *at =
        from < text.len ? memchr(text.data + from, what, text.len - from) : NULL;
    return at != NULL ? (size_t)(at - text.data) : SIZE_MAX;
}

/* "(61|62)" from its parenthesis on. Returns where it ends; SIZE_MAX: malformed. */
static size_t show_alternatives(struct hf_bytes text, size_t at, bool negated)
{
    size_t end = find(text, at, ')');
    if (end == SIZE_MAX)
        return SIZE_MAX;
    struct hf_bytes inner = hf_bytes_of(text.data + at + 1, end - at - 1);
    if (inner.len == 1 && strchr("BLW", inner.data[0]) != NULL)
        return end + 1;
    fputs(negated ? "{EXCLUDING_STRING_ALTERNATIVE:" : "{STRING_ALTERNATIVE:", stdout);
    struct hf_bytes field[FIELDS_MAX];
    size_t count = hf_split(inner, '|', field, FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            putchar('|');
        if (!is_hex(field[i]) || !show_atoms(field[i]))
            return SIZE_MAX;
    }
    putchar('}');
    return end + 1;
}

/* "{2-4}" or "[2-4]" from its bracket on. */
static size_t show_gap(struct hf_bytes text, size_t at)
{
    size_t end = find(text, at, text.data[at] == '{' ? '}' : ']');
    if (end == SIZE_MAX)
        return SIZE_MAX;
    struct hf_bytes inner = hf_bytes_of(text.data + at + 1, end - at - 1);
    size_t dash = find(inner, 0, '-');
    uint64_t low = 0, high = 0;
    struct hf_bytes first = hf_bytes_of(inner.data, dash == SIZE_MAX ? inner.len : dash);
    struct hf_bytes last = {0};
    if (dash != SIZE_MAX)
        last = hf_bytes_of(inner.data + dash + 1, inner.len - dash - 1);
    if ((first.len > 0 && !hf_parse_uint(first, &low)) ||
        (last.len > 0 && !hf_parse_uint(last, &high)))
        return SIZE_MAX;
    fputs("{WILDCARD_ANY_STRING(LENGTH", stdout);
    if (dash == SIZE_MAX)
        printf("==%llu)}", (unsigned long long)low);
    else if (first.len > 0 && last.len > 0)
        printf(">=%llu&&<=%llu)}", (unsigned long long)low, (unsigned long long)high);
    else if (first.len > 0)
        printf(">=%llu)}", (unsigned long long)low);
    else
        printf("<=%llu)}", (unsigned long long)high);
    return end + 1;
}

static bool show_hex(struct hf_bytes text)
{
    size_t at = 0;
    while (at < text.len) {
        uint8_t c = text.data[at];
        size_t next = at;
        if (c == '*') {
            fputs("{WILDCARD_ANY_STRING}", stdout);
            next = at + 1;
        } else if (c == '{' || c == '[') {
            next = show_gap(text, at);
        } else if (c == '(') {
            next = show_alternatives(text, at, false);
        } else if (c == '!' && at + 1 < text.len && text.data[at + 1] == '(') {
            next = show_alternatives(text, at + 1, true);
        } else {
            while (next < text.len && strchr("*{[(!", text.data[next]) == NULL)
                next++;
            struct hf_bytes run = hf_bytes_of(text.data + at, next - at);
            if (run.len % 2 != 0 || !show_atoms(run)) {
                fflush(stdout);
                fprintf(
                    stderr,
                    "LibClamAV Error: cli_hex2ui(): Malformed hexstring: %.*s (length: %zu)\n",
                    (int)run.len, run.data, run.len);
                return failed();
            }
        }
        if (next == SIZE_MAX)
            return failed();
        at = next;
    }
    putchar('\n');
    return true;
}

/* ---- logical signatures ---- */

/* Split at ';', but not within regular expressions. */
static size_t split_logical(struct hf_bytes line, struct hf_bytes *field)
{
    size_t count = 0, from = 0;
    bool within = false;
    for (size_t i = 0; i <= line.len && count < FIELDS_MAX; i++) {
        bool end = i == line.len;
        if (!end && line.data[i] == '/' && count > 2 &&
            (i == 0 || line.data[i - 1] != '\\'))
            within = !within;
        if (end || (line.data[i] == ';' && !within)) {
            field[count++] = hf_bytes_of(line.data + from, i - from);
            from = i + 1;
        }
    }
    return count;
}

/* One more than the highest number of a subsignature in an expression. */
static uint64_t subsignatures(struct hf_bytes expression)
{
    uint64_t most = 0;
    bool compared = false;
    for (size_t i = 0; i < expression.len; i++) {
        uint8_t c = expression.data[i];
        if (!isdigit(c)) {
            compared = c == '=' || c == '<' || c == '>' || (compared && c == ',');
            continue;
        }
        uint64_t n = 0;
        for (; i < expression.len && isdigit(expression.data[i]) && n < 1000; i++)
            n = n * 10 + (uint64_t)(expression.data[i] - '0');
        i--;
        if (!compared && n + 1 > most)
            most = n + 1;
    }
    return most;
}

static void show_modifiers(struct hf_bytes mods)
{
    static const struct {
        char letter;
        const char *name;
    } names[] = {{'i', "NOCASE"}, {'f', "FULLWORD"}, {'w', "WIDE"}, {'a', "ASCII"}};
    const char *gap = "";
    fputs(" +-> SIGMOD: ", stdout);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mods.len > 0 && memchr(mods.data, names[i].letter, mods.len) != NULL) {
            printf("%s%s", gap, names[i].name);
            gap = " ";
        }
    puts(*gap == 0 ? "NONE" : "");
}

static bool show_regex(struct hf_bytes text)
{
    size_t first = find(text, 0, '/'), last = text.len;
    while (last > first + 1 && text.data[last - 1] != '/')
        last--;
    if (last <= first + 1)
        return failed();
    show("     +-> TRIGGER: ", hf_bytes_of(text.data, first));
    show("     +-> REGEX: ", hf_bytes_of(text.data + first + 1, last - first - 2));
    struct hf_bytes flags = hf_bytes_of(text.data + last, text.len - last);
    show("     +-> CFLAGS: ", flags.len > 0 ? flags : hf_bytes_text("null"));
    return true;
}

static bool show_subsignature(size_t number, struct hf_bytes text)
{
    struct hf_bytes mods = {0}, offset = hf_bytes_text("ANY");
    size_t slash = find(text, 0, '/'), colon = find(text, 0, ':');
    const uint8_t *pair = memmem(text.data, text.len, "::", 2);
    if (pair != NULL && slash == SIZE_MAX) {
        size_t at = (size_t)(pair - text.data);
        mods = hf_bytes_of(pair + 2, text.len - at - 2);
        text.len = at;
        colon = find(text, 0, ':');
    }
    if (colon != SIZE_MAX && colon < slash) {
        offset = hf_bytes_of(text.data, colon);
        text = hf_bytes_of(text.data + colon + 1, text.len - colon - 1);
    }
    printf(" * SUBSIG ID %zu\n", number);
    show(" +-> OFFSET: ", offset);
    show_modifiers(mods);
    puts(" +-> DECODED SUBSIGNATURE:");
    return slash != SIZE_MAX ? show_regex(text) : show_hex(text);
}

static bool refuse(const char *text)
{
    fflush(stdout);
    fprintf(stderr, "ERROR: decodesig: %s\n", text);
    return false;
}

static bool show_logical(struct hf_bytes line)
{
    struct hf_bytes field[FIELDS_MAX];
    size_t count = split_logical(line, field);
    if (count < 4)
        return refuse("Invalid or not supported signature format");
    show("VIRUS NAME: ", field[0]);
    show("TDB: ", field[1]);
    show("LOGICAL EXPRESSION: ", field[2]);
    uint64_t wanted = subsignatures(field[2]);
    if (wanted != count - 3) {
        char text[160];
        snprintf(text, sizeof text,
                 "The number of subsignatures (==%zu) doesn't match the IDs in the logical "
                 "expression (==%llu)",
                 count - 3, (unsigned long long)wanted);
        return refuse(text);
    }
    for (size_t i = 3; i < count; i++)
        if (!show_subsignature(i - 3, field[i]))
            return false;
    return true;
}

/* ---- body signatures ---- */

static bool show_body(struct hf_bytes line)
{
    struct hf_bytes f[FIELDS_MAX];
    size_t count = hf_split(line, ':', f, FIELDS_MAX);
    if (count < 4 || count > 6) {
        printf("TOKENS COUNT: %zu\n", count);
        return refuse("Invalid or not supported signature format");
    }
    show("VIRUS NAME: ", f[0]);
    if (count == 5)
        printf("FUNCTIONALITY LEVEL: >=%.*s\n", (int)f[4].len, f[4].data);
    if (count == 6)
        printf("FUNCTIONALITY LEVEL: %.*s..%.*s\n", (int)f[4].len, f[4].data, (int)f[5].len,
               f[5].data);
    uint64_t target;
    if (!hf_parse_uint(f[1], &target))
        return refuse("Invalid target type");
    fputs("TARGET TYPE: ", stdout);
    if (target_name(target) == NULL)
        return refuse("Invalid target type");
    puts(target_name(target));
    show("OFFSET: ", f[2]);
    puts("DECODED SIGNATURE:");
    return show_hex(f[3]);
}

bool hf_sigtool_decode(struct hf_bytes line)
{
    if (find(line, 0, ';') != SIZE_MAX)
        return show_logical(line);
    if (find(line, 0, ':') != SIZE_MAX)
        return show_body(line);
    size_t sign = find(line, 0, '=');
    if (sign == SIZE_MAX) {
        puts("decodesig: Not supported signature format");
        return false;
    }
    show("VIRUS NAME: ", hf_bytes_of(line.data, sign));
    puts("DECODED SIGNATURE:");
    return show_hex(hf_bytes_of(line.data + sign + 1, line.len - sign - 1));
}
