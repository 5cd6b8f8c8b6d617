/* facts.h - facts: values that format parsers yield, described by one schema.
 *
 * A parser keeps what it reads in plain structs. A schema table says, field by field, what is
 * called what, of which type it is and where in those structs it lies. From the table come the
 * checker of rules, the JSON of `inspect`, the reference page and evaluation at scan time; so a
 * fact is added by one row. Fields belong to groups; a group is parsed when somebody first asks
 * for one of its fields, once per object.
 *
 * format/ fills this, rules/ reads it by field number; neither includes the other. */
#ifndef HF_FACTS_FACTS_H
#define HF_FACTS_FACTS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cursor.h"
#include "base/notes.h"
#include "digest/digest.h"

enum hf_fact_type {
    HF_FACT_INT, /* 64 bits, signed, as rule languages compute */
    HF_FACT_FLOAT,
    HF_FACT_BOOL,
    HF_FACT_STRING, /* bytes */
    HF_FACT_STRUCT,
    HF_FACT_ARRAY,
    HF_FACT_DICT, /* keys are strings */
    HF_FACT_FUNCTION,
    HF_FACT_REGEX /* as an argument of functions only */
};

/* Elements one after another, or none. */
struct hf_fact_list {
    const void *items;
    size_t count;
};

/* A regular expression handed to a function by a rule; who compiles rules fills it. */
struct hf_fact_regex {
    bool (*matches)(const struct hf_fact_regex *regex, struct hf_bytes subject);
    /* Where the last match ends, -1: there is none; what YARA's modules call the result. NULL
     * where only matches is filled in. */
    int64_t (*end)(const struct hf_fact_regex *regex, struct hf_bytes subject);
    const void *program; /* borrowed; the callback's own */
};

/* A value, or nothing: what rule languages call undefined. */
struct hf_value {
    bool defined;
    enum hf_fact_type type;
    union {
        int64_t integer; /* HF_FACT_INT, HF_FACT_BOOL (0 or 1) */
        double real;
        struct hf_bytes string;            /* borrowed from the object or its arena */
        const void *record;                /* HF_FACT_STRUCT: what row->record describes */
        struct hf_fact_list list;          /* HF_FACT_ARRAY, HF_FACT_DICT */
        const struct hf_fact_regex *regex; /* HF_FACT_REGEX */
    };
};

static inline struct hf_value hf_value_int(int64_t v)
{
    return (struct hf_value){.defined = true, .type = HF_FACT_INT, .integer = v};
}
static inline struct hf_value hf_value_bool(bool v)
{
    return (struct hf_value){.defined = true, .type = HF_FACT_BOOL, .integer = v};
}
static inline struct hf_value hf_value_real(double v)
{
    return (struct hf_value){.defined = true, .type = HF_FACT_FLOAT, .real = v};
}
static inline struct hf_value hf_value_string(struct hf_bytes v)
{
    return (struct hf_value){.defined = true, .type = HF_FACT_STRING, .string = v};
}

/* How a scalar lies in its struct, or that it does not. */
enum hf_fact_repr {
    HF_REPR_NONE, /* structs, arrays, dictionaries, functions */
    HF_REPR_U8,
    HF_REPR_U16,
    HF_REPR_U32,
    HF_REPR_U64, /* above INT64_MAX wraps to negative, as rule languages do */
    HF_REPR_I32,
    HF_REPR_I64,
    HF_REPR_BOOL, /* bool */
    HF_REPR_DOUBLE,
    HF_REPR_BYTES, /* struct hf_bytes; data == NULL is undefined, an empty string is not */
    HF_REPR_OPTIONAL, /* struct hf_optional */
    HF_REPR_CONSTANT, /* in the row itself */
    HF_REPR_COMPUTED  /* by row->compute */
};

struct hf_optional {
    bool defined;
    int64_t value;
};

static inline struct hf_optional hf_optional_of(int64_t value)
{
    return (struct hf_optional){.defined = true, .value = value};
}

struct hf_facts;
struct hf_fact_record;

/* Compute a field from its struct; out is undefined on entry. */
typedef void hf_fact_compute(const struct hf_facts *facts, const void *record,
                             struct hf_value *out);

/* Call a function with checked arguments (number and types as the row's signature says; an
 * undefined argument never reaches it: the result is then undefined). out is undefined on
 * entry. */
typedef void hf_fact_call(struct hf_facts *facts, const struct hf_value *args,
                          struct hf_value *out);

/* The same for a function of a struct, such as an element of a list: record is the struct that the
 * row belongs to. */
typedef void hf_fact_method(const struct hf_facts *facts, const void *record,
                            const struct hf_value *args, struct hf_value *out);

struct hf_fact_field {
    const char *name;
    enum hf_fact_type type;
    enum hf_fact_repr repr;
    uint8_t group; /* of the module; 0 needs no parsing (constants, functions that ask) */
    size_t
        offset; /* in the struct: of the scalar, the struct (embedded), or an hf_fact_list */
    const struct hf_fact_record
        *record;                    /* STRUCT; ARRAY and DICT: element, NULL for scalars */
    enum hf_fact_type element;      /* ARRAY of scalars, DICT: the type of an element */
    enum hf_fact_repr element_repr; /* ARRAY of scalars: how they lie in the list */
    int64_t constant;
    hf_fact_compute *compute;
    hf_fact_call *call;     /* FUNCTION; several rows of one name are overloads */
    hf_fact_method *method; /* FUNCTION of a struct, in place of call */
    const char *signature; /* FUNCTION: argument types, i f s r(egex) b, for example "si" */
    enum hf_fact_type result; /* FUNCTION */
    const char *help; /* one line for the reference page: what, unit, range, source */
};

/* One struct type: its fields in order. A field's number is its place here. In an element of a
 * dictionary the first field is the key (HF_FACT_STRING); when the dictionary's element type is
 * no struct, the second field is the value and there is no third. */
struct hf_fact_record {
    const char *name;
    size_t size; /* of the C struct */
    const struct hf_fact_field *fields;
    size_t field_count;
};

/* Rows of a table, one line each. Type and representation follow from the C type of the member,
 * so that a row cannot disagree with its struct. S is the struct, M the member, NAME the fact's
 * name, GROUP the group that parses it (0 in nested records), REC a struct hf_fact_record. */
/* clang-format off */
#define HF_FACT_MEMBER_(S, M) (((const S *)NULL)->M)
#define HF_FACT_REPR_(X)                                                                         \
    _Generic((X), uint8_t: HF_REPR_U8, uint16_t: HF_REPR_U16, uint32_t: HF_REPR_U32,             \
             uint64_t: HF_REPR_U64, int32_t: HF_REPR_I32, int64_t: HF_REPR_I64,                  \
             bool: HF_REPR_BOOL, double: HF_REPR_DOUBLE, struct hf_bytes: HF_REPR_BYTES,         \
             struct hf_optional: HF_REPR_OPTIONAL)
#define HF_FACT_TYPE_(X)                                                                         \
    _Generic((X), bool: HF_FACT_BOOL, double: HF_FACT_FLOAT, struct hf_bytes: HF_FACT_STRING,    \
             default: HF_FACT_INT)

/* A scalar: integers of any width, bool, double, hf_bytes, hf_optional. */
#define HF_FACT_SCALAR(S, M, NAME, GROUP, HELP)                                                  \
    {.name = NAME, .type = HF_FACT_TYPE_(HF_FACT_MEMBER_(S, M)),                                 \
     .repr = HF_FACT_REPR_(HF_FACT_MEMBER_(S, M)), .group = GROUP, .offset = offsetof(S, M),     \
     .help = HELP}
/* A struct embedded in its parent. */
#define HF_FACT_RECORD(S, M, NAME, GROUP, REC, HELP)                                             \
    {.name = NAME, .type = HF_FACT_STRUCT, .group = GROUP, .offset = offsetof(S, M),             \
     .record = REC, .help = HELP}
/* An array of structs; M is an hf_fact_list of REC->size elements. */
#define HF_FACT_LIST(S, M, NAME, GROUP, REC, HELP)                                               \
    {.name = NAME, .type = HF_FACT_ARRAY, .group = GROUP, .offset = offsetof(S, M),              \
     .record = REC, .element = HF_FACT_STRUCT, .help = HELP}
/* An array of scalars of a C type. */
#define HF_FACT_SCALARS(S, M, NAME, GROUP, CTYPE, HELP)                                          \
    {.name = NAME, .type = HF_FACT_ARRAY, .group = GROUP, .offset = offsetof(S, M),              \
     .element = HF_FACT_TYPE_(*(const CTYPE *)NULL),                                             \
     .element_repr = HF_FACT_REPR_(*(const CTYPE *)NULL), .help = HELP}
/* A dictionary; ELEMENT is HF_FACT_STRUCT, or the scalar type of REC's second field. */
#define HF_FACT_MAP(S, M, NAME, GROUP, REC, ELEMENT, HELP)                                       \
    {.name = NAME, .type = HF_FACT_DICT, .group = GROUP, .offset = offsetof(S, M),               \
     .record = REC, .element = ELEMENT, .help = HELP}
#define HF_FACT_CONSTANT(NAME, VALUE, HELP)                                                      \
    {.name = NAME, .type = HF_FACT_INT, .repr = HF_REPR_CONSTANT, .constant = VALUE, .help = HELP}
#define HF_FACT_COMPUTED(NAME, TYPE, GROUP, COMPUTE, HELP)                                       \
    {.name = NAME, .type = TYPE, .repr = HF_REPR_COMPUTED, .group = GROUP, .compute = COMPUTE,   \
     .help = HELP}
#define HF_FACT_CALL(NAME, SIGNATURE, RESULT, CALL, HELP)                                        \
    {.name = NAME, .type = HF_FACT_FUNCTION, .signature = SIGNATURE, .result = RESULT,           \
     .call = CALL, .help = HELP}
#define HF_FACT_METHOD(NAME, SIGNATURE, RESULT, METHOD, HELP)                                    \
    {.name = NAME, .type = HF_FACT_FUNCTION, .signature = SIGNATURE, .result = RESULT,           \
     .method = METHOD, .help = HELP}
#define HF_FACT_TABLE(NAME, S, ROWS)                                                             \
    {.name = NAME, .size = sizeof(S), .fields = ROWS, .field_count = sizeof(ROWS) / sizeof *(ROWS)}
/* clang-format on */

/* A field whose numbers have names among the module's constants, for people who read them. */
struct hf_fact_naming {
    const struct hf_fact_record *record; /* that the field is a row of */
    const char *field;                   /* of an array of structs: its places have names */
    const char *constants; /* how the names of the constants start; not shown */
    const char *help;      /* how their help lines start; NULL: any */
    bool bits;             /* several constants or-ed */
};

/* A module: the facts of one format (pe, elf, ...) or of bytes (hash, math). */
struct hf_fact_module {
    const char *name;                    /* as rules import it */
    const struct hf_fact_record *record; /* the top-level fields */
    unsigned group_count;                /* groups 1..group_count, <= HF_FACT_GROUPS_MAX */
    /*
     * Parse one group into the module's struct. NULL when there are no groups.
     *
     * state  the module's top-level struct, record->size bytes, zeroed at first.
     * group  1..group_count; called at most once each for an object, and groups may ask for
     *        others through hf_facts_need.
     * Returns HF_OK; HF_NOTFOUND when the object has nothing of this kind (not this format): all
     * fields of the group are then undefined, lists empty; anything else when something is there
     * and wrong: what was filled in counts, and the status is for notes and inspect.
     */
    enum hf_status (*parse)(struct hf_facts *facts, void *state, unsigned group);
    const char *const *group_names; /* by group, for notes; may be NULL */
    const struct hf_fact_naming *namings;
    size_t naming_count;
};

enum { HF_FACT_MODULES_MAX = 24, HF_FACT_GROUPS_MAX = 15 };

/* What is known so far of one module for one object. */
struct hf_fact_state {
    void *data;      /* the module's struct, in the arena; NULL: not asked for yet */
    uint16_t parsed; /* bit 1 << group */
    uint16_t absent; /* groups whose parser said HF_NOTFOUND */
    enum hf_status
        status; /* first failure of a group other than HF_NOTFOUND, for inspect */
};

/* What modules learn from elsewhere than from the object. Everything may be NULL or empty. */
struct hf_fact_outside {
    /* What console.log and console.hex say: a line, printable. */
    void (*log)(void *user, struct hf_bytes line);
    /* What libmagic says of bytes, for the module magic: a name or a media type, in the arena;
     * data NULL: nothing. Only processes that may run libmagic have it. */
    struct hf_bytes (*describe)(void *user, struct hf_bytes bytes, bool media_type,
                                struct hf_arena *arena);
    void *user;
    struct hf_bytes cuckoo; /* a behaviour report (JSON) for the module cuckoo */
    struct hf_bytes tests;  /* what tests.module_data shows */
    int64_t now;            /* seconds since 1970 for time.now(); 0: the clock's */
};

/* The facts of one object: which modules exist, what was parsed so far. */
struct hf_facts {
    const struct hf_fact_module *const *modules; /* the schema: its modules in order */
    size_t module_count;                         /* <= HF_FACT_MODULES_MAX */
    struct hf_cursor object;                     /* the whole object; carries the budget */
    struct hf_arena *arena;                      /* borrowed; outlives the facts */
    struct hf_notes *notes;                      /* borrowed, may be NULL */
    struct hf_hasher
        *hasher; /* borrowed, may be NULL: digests are then undefined. Set by the
                               * owner after hf_facts_of. */
    const struct hf_fact_outside
        *outside; /* borrowed, may be NULL; likewise set afterwards */
    struct hf_fact_state state[HF_FACT_MODULES_MAX];
};

/* Get ready; parses nothing. Modules past HF_FACT_MODULES_MAX are left out. */
struct hf_facts hf_facts_of(const struct hf_fact_module *const *modules,
                            size_t module_count, struct hf_cursor object,
                            struct hf_arena *arena, struct hf_notes *notes);

/* The struct of a module with the given groups parsed (bit 1 << group); NULL when out of memory
 * or when the module is none of this schema. For code that knows the struct: other parsers,
 * unpackers, dialects, the module's own functions. */
void *hf_facts_need(struct hf_facts *facts, const struct hf_fact_module *module,
                    unsigned groups);

/* Whether a group was parsed and the object has something of that kind. */
bool hf_facts_present(const struct hf_facts *facts, const struct hf_fact_module *module,
                      unsigned group);

/* A module's top-level field, parsing its group if need be. field < record->field_count. */
struct hf_value hf_facts_get(struct hf_facts *facts, size_t module, size_t field);

/* A field of a struct that another value gave. record_data may be NULL: undefined. */
struct hf_value hf_facts_member(const struct hf_facts *facts,
                                const struct hf_fact_record *record,
                                const void *record_data, size_t field);

/* An element of an array by its place, undefined when there is none; of a dictionary by its
 * place, with its key (may be NULL), for loops over it; of a dictionary by its key. field is the
 * row of the list. A key that occurs twice gives its last element, as in YARA. */
struct hf_value hf_facts_index(const struct hf_facts *facts,
                               const struct hf_fact_field *field, struct hf_value list,
                               uint64_t index);
struct hf_value hf_facts_entry(const struct hf_facts *facts,
                               const struct hf_fact_field *field, struct hf_value dict,
                               uint64_t index, struct hf_value *key);
struct hf_value hf_facts_lookup(const struct hf_facts *facts,
                                const struct hf_fact_field *field, struct hf_value dict,
                                struct hf_bytes key);

/* Call a function row. args as many as its signature has, of its types (bool passes for i);
 * any of them undefined: the result is undefined. */
struct hf_value hf_facts_call(struct hf_facts *facts, const struct hf_fact_field *function,
                              const struct hf_value *args);

/* Call a function row of a struct that a value gave (for rows with a method; others do not need
 * the struct). record_data may be NULL: undefined. */
struct hf_value hf_facts_call_on(struct hf_facts *facts,
                                 const struct hf_fact_field *function,
                                 const void *record_data, const struct hf_value *args);

/* Find a field by name, for compilers; SIZE_MAX when there is none. Overloads: the first. */
size_t hf_fact_find(const struct hf_fact_record *record, struct hf_bytes name);

/* Find the overload of a function by its argument types; SIZE_MAX when there is none. */
size_t hf_fact_find_call(const struct hf_fact_record *record, struct hf_bytes name,
                         const char *signature);

/* What a walk meets. Structs and lists come as an opening and a closing event. */
enum hf_fact_event_kind {
    HF_FACT_EVENT_OPEN,  /* a struct, array or dictionary begins; its members follow */
    HF_FACT_EVENT_VALUE, /* a scalar */
    HF_FACT_EVENT_CLOSE  /* the innermost open one ends; left_out says how much was cut */
};

struct hf_fact_event {
    enum hf_fact_event_kind kind;
    enum hf_fact_type type; /* of the value, or STRUCT, ARRAY, DICT */
    struct hf_bytes
        name; /* of the field or the dictionary's key; empty for array elements */
    const struct hf_fact_field *field; /* the row it came by; NULL for the module itself */
    struct hf_value value; /* HF_FACT_EVENT_VALUE; a cut string is marked below */
    uint64_t left_out;     /* CLOSE of a list: elements; VALUE: bytes of the string */
    struct hf_bytes
        label; /* names of the value, or of an opened element's place; mostly empty;
                            * borrowed for the call only */
};

/* The names of a number by a naming of the module: constants, of several bits with spaces between
 * them, what has no name in hexadecimal. Empty when it has none. Writes to room when it must. */
enum { HF_FACT_LABEL_MAX = 256 };
struct hf_bytes hf_fact_label(const struct hf_fact_module *module,
                              const struct hf_fact_naming *naming, int64_t value,
                              char room[HF_FACT_LABEL_MAX]);

/* How much a walk shows. */
struct hf_fact_bounds {
    size_t list_max;   /* elements of one list */
    size_t string_max; /* bytes of one string */
};

/* Called for each; false ends the walk. */
typedef bool hf_fact_visit(void *user, const struct hf_fact_event *event);

/* Tell notes as an array "notes" of structs (offset, text), nothing when there are none. Returns
 * false when the visitor ended it. */
bool hf_facts_walk_notes(const struct hf_notes *notes, hf_fact_visit *visit, void *user);

/* Go through all defined facts of a module in schema order, parsing all of its groups. Constants
 * (also computed ones of group 0 such as math.MEAN_BYTES) and functions are left out, but for
 * functions without arguments that give a text (pe.imphash()). Of equal keys of a dictionary the
 * last is told. Structs and lists without any content are left out too. The budget is charged
 * for every element. Returns false when the visitor ended it or the budget ran out. */
bool hf_facts_walk(struct hf_facts *facts, size_t module, struct hf_fact_bounds bounds,
                   hf_fact_visit *visit, void *user);

/* A writer of JSON from such events, for those who get them from elsewhere. Zeroed at first, out
 * set. A list NAME that was cut is followed by a member "NAME_cut": elements left out; so is a
 * cut string. Deeper than HF_FACT_DEPTH_MAX is left out. */
enum { HF_FACT_DEPTH_MAX = 12 };
struct hf_fact_json {
    struct hf_buffer *out;
    unsigned depth;
    bool more[HF_FACT_DEPTH_MAX];    /* per open level: a comma comes first */
    bool in_list[HF_FACT_DEPTH_MAX]; /* per open level: an array, so no names */
    struct hf_bytes name[HF_FACT_DEPTH_MAX];
};
bool hf_fact_json_visit(void *json, const struct hf_fact_event *event);

/* Append all defined facts of a module as one JSON object, by the two above. An object without
 * any gives {}. */
void hf_facts_json(struct hf_facts *facts, size_t module, size_t list_max,
                   struct hf_buffer *out);

/* Append the reference page of a module in Markdown: every row with type and help. */
void hf_facts_reference(const struct hf_fact_module *module, struct hf_buffer *out);

/* A fingerprint of the schema (names, types, order), stored in databases: a database compiled
 * against another schema is recompiled, not misread. Guards against accidents only. 16 bytes. */
void hf_facts_fingerprint(const struct hf_fact_module *const *modules, size_t module_count,
                          uint8_t out[16]);

#endif
