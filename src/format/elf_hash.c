#include "format/elf_internal.h"

#include "base/text.h"
#include "digest/tlsh.h"

#include <stdlib.h>

/* The two digests of symbol names that YARA offers. Both take the dynamic symbols, or the static
 * ones when there are none, in lower case, sorted, with commas between. Memory for the names is
 * capped, since a hostile table can name one long string a million times. */

enum { NAMES_BYTES_MAX = 16 << 20 };

struct names {
    struct hf_bytes *items; /* in the arena */
    size_t count, bytes;
};

typedef bool symbol_test(const struct hf_elf_symbol *symbol, bool big_endian);

static bool starts_with(struct hf_bytes name, const char *text)
{
    size_t n = strlen(text);
    return name.len >= n && memcmp(name.data, text, n) == 0;
}

/* Which symbols telfhash takes: visible global functions, without those that depend on compiler
 * and processor. YARA loses the visibility in big-endian files, where all count as visible.
 * [trendmicro/telfhash README; yara 4.5] */
static bool taken_by_telfhash(const struct hf_elf_symbol *s, bool big)
{
    static const char *const never[] = {
        "__libc_start_main", "main", "abort", "cachectl",
        "cacheflush",        "puts", "atol",  "malloc_trim"};
    if (s->bind != HF_ELF_STB_GLOBAL || s->type != HF_ELF_STT_FUNC ||
        (s->visibility != 0 && !big))
        return false;
    if (starts_with(s->name, ".") || starts_with(s->name, "_") ||
        starts_with(s->name, "str") || starts_with(s->name, "mem"))
        return false;
    if (s->name.len >= 2 && memcmp(s->name.data + s->name.len - 2, "64", 2) == 0)
        return false;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (hf_bytes_equal(s->name, hf_bytes_text(never[i])))
            return false;
    return true;
}

static bool taken_by_import_md5(const struct hf_elf_symbol *s, bool big)
{
    (void)big;
    return s->shndx == HF_ELF_SHN_UNDEF && s->name.len > 0;
}

static struct hf_bytes lower_case(struct hf_arena *arena, struct hf_bytes name)
{
    uint8_t *copy = hf_arena_alloc(arena, name.len);
    if (copy == NULL)
        return (struct hf_bytes){0};
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    return hf_bytes_of(copy, name.len);
}

static int by_bytes(const void *a, const void *b)
{
    const struct hf_bytes *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = n == 0 ? 0 : memcmp(x->data, y->data, n);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The symbols' names as they are digested. False: nothing to digest, or too much. */
static bool collect(struct hf_facts *facts, struct hf_fact_list list, bool big,
                    symbol_test *taken, struct names *names)
{
    const struct hf_elf_symbol *symbols = list.items;
    names->items = hf_arena_array(facts->arena, list.count, sizeof *names->items);
    if (names->items == NULL)
        return false;
    for (size_t i = 0; i < list.count; i++) {
        if (symbols[i].name.data == NULL || !taken(&symbols[i], big))
            continue;
        if (symbols[i].name.len > NAMES_BYTES_MAX - names->bytes)
            return false;
        struct hf_bytes name = lower_case(facts->arena, symbols[i].name);
        if (name.data == NULL)
            return false;
        names->bytes += name.len;
        names->items[names->count++] = name;
    }
    /* Sorting compares each name some 20 times. */
    if (!hf_budget_work(facts->object.budget, names->count + names->bytes / 50))
        return false;
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, by_bytes);
    return names->count > 0;
}

/* The names joined by commas, in the arena; NULL when there are none or they are too many. */
static struct hf_bytes joined(struct hf_facts *facts, const struct hf_elf *elf,
                              symbol_test *taken)
{
    struct hf_bytes none = {0};
    struct names names = {0};
    struct hf_fact_list list = elf->dynsym_entries.defined ? elf->dynsym : elf->symtab;
    if (!collect(facts, list, elf->header.big, taken, &names))
        return none;
    size_t size = names.bytes + names.count - 1, at = 0;
    uint8_t *text = hf_arena_alloc(facts->arena, size);
    if (text == NULL)
        return none;
    for (size_t i = 0; i < names.count; i++) {
        if (i > 0)
            text[at++] = ',';
        if (names.items[i].len > 0)
            memcpy(text + at, names.items[i].data, names.items[i].len);
        at += names.items[i].len;
    }
    return hf_bytes_of(text, size);
}

static struct hf_elf *symbols_of(struct hf_facts *facts)
{
    struct hf_elf *elf = hf_facts_need(facts, &hf_elf_module, 1u << HF_ELF_SYMBOLS);
    return hf_facts_present(facts, &hf_elf_module, HF_ELF_SYMBOLS) ? elf : NULL;
}

void hf_elf_call_telfhash(struct hf_facts *facts, const struct hf_value *args,
                          struct hf_value *out)
{
    (void)args;
    struct hf_elf *elf = symbols_of(facts);
    if (elf == NULL)
        return;
    if (elf->telfhash.data == NULL) {
        struct hf_bytes text = joined(facts, elf, taken_by_telfhash);
        char digest[HF_TLSH_TEXT] = "";
        if (text.data == NULL)
            return;
        /* Too short or too uniform for the digest: YARA answers with an empty string. */
        size_t n = hf_tlsh(text, digest) ? sizeof digest : 0;
        elf->telfhash = hf_arena_copy(facts->arena, hf_bytes_of(digest, n));
    }
    if (elf->telfhash.data != NULL)
        *out = hf_value_string(elf->telfhash);
}

void hf_elf_call_import_md5(struct hf_facts *facts, const struct hf_value *args,
                            struct hf_value *out)
{
    (void)args;
    struct hf_elf *elf = symbols_of(facts);
    if (elf == NULL || facts->hasher == NULL)
        return;
    if (elf->import_md5.data == NULL) {
        struct hf_bytes text = joined(facts, elf, taken_by_import_md5);
        struct hf_digests digests = {0};
        struct hf_buffer hex = {0};
        if (text.data == NULL ||
            hf_digest_add(facts->hasher, text, 1u << HF_MD5, &digests) != HF_OK)
            return;
        hf_hex(&hex, hf_digest_bytes(&digests, HF_MD5));
        if (!hex.failed)
            elf->import_md5 = hf_arena_copy(facts->arena, hf_buffer_view(&hex));
        hf_buffer_done(&hex);
    }
    if (elf->import_md5.data != NULL)
        *out = hf_value_string(elf->import_md5);
}
