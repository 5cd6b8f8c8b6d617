/* The functions that rules call: pe.imports("kernel32.dll"), pe.exports(/^Dll/), ... They mean
 * what YARA 4.5's mean; texts compare without regard to case and end at a NUL. */
#include "format/pe_internal.h"

#include "base/text.h"

#include <strings.h>

enum { FLAG_DLL = 0x2000, IMPORT_STANDARD = 1, IMPORT_DELAYED = 2 };

/* The parsed state, or NULL when the object is no PE: results then stay undefined. */
static struct hf_pe *need(struct hf_facts *facts, enum hf_pe_group group)
{
    struct hf_pe *pe =
        hf_facts_need(facts, &hf_pe_module, 1U << HF_PE_HEADERS | 1U << (unsigned)group);
    return pe != NULL && hf_pe_yara_accepts(pe) ? pe : NULL;
}

static bool same(struct hf_bytes a, struct hf_bytes b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.data,
                                                        (const char *)b.data, a.len) == 0);
}

/* Up to the first NUL. */
static struct hf_bytes c_text(struct hf_bytes s)
{
    const uint8_t *nul = s.len == 0 ? NULL : memchr(s.data, 0, s.len);
    if (nul != NULL)
        s.len = (size_t)(nul - s.data);
    return s;
}

/* ---- headers ---- */

void hf_pe_call_is_dll(struct hf_facts *facts, const struct hf_value *args,
                       struct hf_value *out)
{
    (void)args;
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    if (pe != NULL)
        *out = hf_value_int(pe->characteristics & FLAG_DLL);
}

void hf_pe_call_is_32bit(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    (void)args;
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    if (pe != NULL)
        *out = hf_value_int(!pe->is_64);
}

void hf_pe_call_is_64bit(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    (void)args;
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    if (pe != NULL)
        *out = hf_value_int(pe->is_64);
}

void hf_pe_call_checksum(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    (void)args;
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    uint64_t sum;
    if (pe != NULL && hf_pe_checksum(pe, &facts->object, &sum))
        *out = hf_value_int((int64_t)sum);
}

void hf_pe_call_rva_to_offset(struct hf_facts *facts, const struct hf_value *args,
                              struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    int64_t at = pe == NULL ? -1 : hf_pe_yara_offset(pe, (uint64_t)args[0].integer);
    if (at >= 0)
        *out = hf_value_int(at);
}

void hf_pe_call_section_by_name(struct hf_facts *facts, const struct hf_value *args,
                                struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    if (pe == NULL)
        return;
    for (size_t i = 0; i < pe->sections.count && !out->defined; i++)
        if (hf_bytes_equal(c_text(args[0].string), c_text(hf_pe_sections(pe)[i].name)))
            *out = hf_value_int((int64_t)i);
}

void hf_pe_call_section_by_offset(struct hf_facts *facts, const struct hf_value *args,
                                  struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    if (pe == NULL || args[0].integer < 0)
        return;
    uint64_t at = (uint64_t)args[0].integer;
    for (size_t i = 0; i < pe->sections.count && !out->defined; i++) {
        const struct hf_pe_section *s = &hf_pe_sections(pe)[i];
        if (at >= s->raw_offset && at - s->raw_offset < s->raw_size)
            *out = hf_value_int((int64_t)i);
    }
}

/* ---- digests ---- */

/* Lower-case digits of a digest, in the arena. */
static void give_hex(struct hf_facts *facts, struct hf_bytes digest, struct hf_value *out)
{
    struct hf_buffer text = {0};
    hf_hex(&text, digest);
    struct hf_bytes kept = hf_arena_copy(facts->arena, hf_buffer_view(&text));
    if (!text.failed && kept.data != NULL)
        *out = hf_value_string(kept);
    hf_buffer_done(&text);
}

static void give_digest(struct hf_facts *facts, const struct hf_bytes *parts, size_t count,
                        enum hf_digest_kind kind, struct hf_value *out)
{
    struct hf_digests digests = {0};
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].len;
    if (facts->hasher == NULL || !hf_budget_work(facts->object.budget, size / 1024 + 1) ||
        hf_digest_add_parts(facts->hasher, parts, count, 1U << (unsigned)kind, &digests) !=
            HF_OK)
        return;
    give_hex(facts, hf_digest_bytes(&digests, kind), out);
}

void hf_pe_call_imphash(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    (void)args;
    struct hf_pe *pe = need(facts, HF_PE_IMPORTS);
    if (pe == NULL)
        return;
    if (pe->imphash.data == NULL) {
        struct hf_bytes text = hf_pe_imphash_text(pe, facts->arena);
        if (text.data == NULL)
            return;
        give_digest(facts, &text, 1, HF_MD5, out);
        pe->imphash = out->defined ? out->string : (struct hf_bytes){0};
        return;
    }
    *out = hf_value_string(pe->imphash);
}

static void authenticode(struct hf_facts *facts, enum hf_digest_kind kind,
                         struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_HEADERS);
    if (pe == NULL)
        return;
    struct hf_pe_extent extents[HF_PE_AUTHENTICODE_PARTS];
    struct hf_bytes parts[HF_PE_AUTHENTICODE_PARTS];
    size_t count = hf_pe_authenticode_parts(pe, extents);
    for (size_t i = 0; i < count; i++) {
        struct hf_cursor c = hf_cursor_at(&facts->object, extents[i].offset);
        parts[i] = hf_take(&c, extents[i].size);
    }
    if (count > 0)
        give_digest(facts, parts, count, kind, out);
}

void hf_pe_call_authenticode_md5(struct hf_facts *facts, const struct hf_value *args,
                                 struct hf_value *out)
{
    (void)args;
    authenticode(facts, HF_MD5, out);
}

void hf_pe_call_authenticode_sha1(struct hf_facts *facts, const struct hf_value *args,
                                  struct hf_value *out)
{
    (void)args;
    authenticode(facts, HF_SHA1, out);
}

void hf_pe_call_authenticode_sha256(struct hf_facts *facts, const struct hf_value *args,
                                    struct hf_value *out)
{
    (void)args;
    authenticode(facts, HF_SHA256, out);
}

/* ---- what a name, an ordinal or an expression asks for ---- */

/* One of these is set. */
struct wanted {
    const struct hf_bytes *name;
    const struct hf_fact_regex *regex;
    const int64_t *ordinal;
};

static struct wanted wanted_of(const struct hf_value *arg)
{
    struct wanted w = {0};
    if (arg->type == HF_FACT_STRING)
        w.name = &arg->string;
    else if (arg->type == HF_FACT_REGEX)
        w.regex = arg->regex;
    else
        w.ordinal = &arg->integer;
    return w;
}

static bool fits(const struct wanted *w, struct hf_bytes name, struct hf_optional ordinal)
{
    if (w->ordinal != NULL)
        return ordinal.defined && ordinal.value == *w->ordinal;
    if (name.data == NULL)
        return false;
    if (w->name != NULL)
        return same(*w->name, name);
    return w->regex != NULL && w->regex->matches(w->regex, name);
}

/* ---- exports ---- */

static void find_export(struct hf_facts *facts, const struct hf_value *arg, bool index,
                        struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_EXPORTS);
    if (pe == NULL)
        return;
    const struct hf_pe_export *e = pe->exports.items;
    struct wanted w = wanted_of(arg);
    /* YARA looks for ordinals up to the number of exports only, whatever the base is. */
    bool possible =
        w.ordinal == NULL || (*w.ordinal != 0 && *w.ordinal <= pe->export_count);
    for (size_t i = 0; possible && i < pe->exports.count; i++) {
        if (!fits(&w, e[i].name, hf_optional_of(e[i].ordinal)))
            continue;
        *out = hf_value_int(index ? (int64_t)i : 1);
        return;
    }
    if (!index)
        *out = hf_value_int(0);
}

void hf_pe_call_exports(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    find_export(facts, &args[0], false, out);
}

void hf_pe_call_exports_index(struct hf_facts *facts, const struct hf_value *args,
                              struct hf_value *out)
{
    find_export(facts, &args[0], true, out);
}

/* ---- imports ---- */

/* How many functions of the libraries fit; function NULL: all of them. */
static int64_t count_imports(struct hf_fact_list libraries, const struct wanted *library,
                             const struct wanted *function)
{
    const struct hf_pe_library *l = libraries.items;
    int64_t n = 0;
    for (size_t i = 0; i < libraries.count; i++) {
        if (!fits(library, l[i].name, (struct hf_optional){0}))
            continue;
        const struct hf_pe_function *f = l[i].functions.items;
        if (function == NULL)
            n += l[i].function_count;
        else
            for (size_t k = 0; k < l[i].functions.count; k++)
                n += fits(function, f[k].name, f[k].ordinal);
    }
    return n;
}

/* Names and ordinals give whether there is one; expressions and whole libraries how many. */
static void find_imports(struct hf_facts *facts, int64_t flags,
                         const struct hf_value *library, const struct hf_value *function,
                         struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_IMPORTS);
    if (pe == NULL)
        return;
    struct wanted l = wanted_of(library), f = {0};
    if (function != NULL)
        f = wanted_of(function);
    int64_t n = 0;
    if ((flags & IMPORT_STANDARD) != 0)
        n += count_imports(pe->imports, &l, function == NULL ? NULL : &f);
    if ((flags & IMPORT_DELAYED) != 0)
        n += count_imports(pe->delayed_imports, &l, function == NULL ? NULL : &f);
    bool counted = function == NULL || f.regex != NULL;
    *out = hf_value_int(counted ? n : n > 0);
}

void hf_pe_call_imports(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    find_imports(facts, IMPORT_STANDARD, &args[0], &args[1], out);
}

void hf_pe_call_imports_library(struct hf_facts *facts, const struct hf_value *args,
                                struct hf_value *out)
{
    find_imports(facts, IMPORT_STANDARD, &args[0], NULL, out);
}

void hf_pe_call_imports_flags(struct hf_facts *facts, const struct hf_value *args,
                              struct hf_value *out)
{
    find_imports(facts, args[0].integer, &args[1], &args[2], out);
}

void hf_pe_call_imports_flags_library(struct hf_facts *facts, const struct hf_value *args,
                                      struct hf_value *out)
{
    find_imports(facts, args[0].integer, &args[1], NULL, out);
}

static void find_slot(struct hf_facts *facts, bool delayed, const struct hf_value *args,
                      struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_IMPORTS);
    if (pe == NULL)
        return;
    struct hf_fact_list libraries = delayed ? pe->delayed_imports : pe->imports;
    const struct hf_pe_library *l = libraries.items;
    struct wanted library = wanted_of(&args[0]), function = wanted_of(&args[1]);
    for (size_t i = 0; i < libraries.count; i++) {
        if (!fits(&library, l[i].name, (struct hf_optional){0}))
            continue;
        const struct hf_pe_function *f = l[i].functions.items;
        for (size_t k = 0; k < l[i].functions.count; k++) {
            if (!fits(&function, f[k].name, f[k].ordinal))
                continue;
            if (f[k].rva.defined)
                *out = hf_value_int(f[k].rva.value);
            return;
        }
    }
}

void hf_pe_call_import_rva(struct hf_facts *facts, const struct hf_value *args,
                           struct hf_value *out)
{
    find_slot(facts, false, args, out);
}

void hf_pe_call_delayed_import_rva(struct hf_facts *facts, const struct hf_value *args,
                                   struct hf_value *out)
{
    find_slot(facts, true, args, out);
}

/* ---- resources ---- */

static void find_language(struct hf_facts *facts, int64_t mask, int64_t wanted,
                          struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_RESOURCES);
    if (pe == NULL)
        return;
    const struct hf_pe_resource *r = pe->resources.items;
    bool found = false;
    for (size_t i = 0; i < pe->resources.count && !found; i++)
        found = r[i].language.defined && (r[i].language.value & mask) == wanted;
    *out = hf_value_int(found);
}

void hf_pe_call_locale(struct hf_facts *facts, const struct hf_value *args,
                       struct hf_value *out)
{
    find_language(facts, 0xffff, args[0].integer, out);
}

void hf_pe_call_language(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    find_language(facts, 0xff, args[0].integer, out);
}

/* ---- rich header ---- */

/* Sum of the use counts of entries with this build and tool; -1: any. */
static void count_rich(struct hf_facts *facts, int64_t version, int64_t tool,
                       struct hf_value *out)
{
    const struct hf_pe *pe = need(facts, HF_PE_DEBUG);
    if (pe == NULL || pe->rich.clear_data.data == NULL)
        return;
    struct hf_cursor c = hf_cursor_open(pe->rich.clear_data.data, pe->rich.clear_data.len,
                                        facts->object.budget);
    hf_skip(&c, 16);
    int64_t n = 0;
    while (hf_cursor_left(&c) >= 8) {
        uint16_t v = hf_u16le(&c), t = hf_u16le(&c);
        uint32_t times = hf_u32le(&c);
        if ((version == -1 || version == v) && (tool == -1 || tool == t))
            n += times;
    }
    *out = hf_value_int(n);
}

/* A negative number asked for is in no entry; -1 must not mean "any" by accident. */
static int64_t asked(const struct hf_value *arg)
{
    return arg->integer < 0 ? INT64_MAX : arg->integer;
}

void hf_pe_call_rich_version(struct hf_facts *facts, const struct hf_value *args,
                             struct hf_value *out)
{
    count_rich(facts, asked(&args[0]), -1, out);
}

void hf_pe_call_rich_version_toolid(struct hf_facts *facts, const struct hf_value *args,
                                    struct hf_value *out)
{
    count_rich(facts, asked(&args[0]), asked(&args[1]), out);
}

void hf_pe_call_rich_toolid(struct hf_facts *facts, const struct hf_value *args,
                            struct hf_value *out)
{
    count_rich(facts, -1, asked(&args[0]), out);
}

void hf_pe_call_rich_toolid_version(struct hf_facts *facts, const struct hf_value *args,
                                    struct hf_value *out)
{
    count_rich(facts, asked(&args[1]), asked(&args[0]), out);
}
