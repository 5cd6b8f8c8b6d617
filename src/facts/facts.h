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

enum hf_fact_type {
    HF_FACT_INT, /* 64 bits, signed, as rule languages compute */
    HF_FACT_FLOAT,
    HF_FACT_BOOL,
    HF_FACT_STRING, /* bytes */
    HF_FACT_STRUCT,
    HF_FACT_ARRAY,
    HF_FACT_DICT, /* keys are strings */
    HF_FACT_FUNCTION
};

/* A value, or nothing: what rule languages call undefined. */
struct hf_value {
    bool defined;
    enum hf_fact_type type;
    union {
        int64_t integer; /* HF_FACT_INT, HF_FACT_BOOL (0 or 1) */
        double real;
        struct hf_bytes string;   /* borrowed from the object or its arena */
        const void *record;       /* HF_FACT_STRUCT: the struct that row->record describes */
        struct hf_fact_list {
            const void *items; /* elements one after another */
            size_t count;
        } list; /* HF_FACT_ARRAY, HF_FACT_DICT */
    };
};

/* How a scalar lies in its struct, or that it does not. */
enum hf_fact_repr {
    HF_REPR_NONE,     /* structs, arrays, dictionaries, functions */
    HF_REPR_U8,
    HF_REPR_U16,
    HF_REPR_U32,
    HF_REPR_U64, /* above INT64_MAX wraps to negative, as rule languages do */
    HF_REPR_I64,
    HF_REPR_BOOL,     /* bool */
    HF_REPR_DOUBLE,
    HF_REPR_BYTES,    /* struct hf_bytes; data == NULL is undefined, an empty string is not */
    HF_REPR_OPTIONAL, /* struct hf_optional */
    HF_REPR_CONSTANT, /* in the row itself */
    HF_REPR_COMPUTED  /* by row->compute */
};

struct hf_optional {
    bool defined;
    int64_t value;
};

struct hf_facts;
struct hf_fact_record;

/* Compute a field from its struct; out is undefined on entry. */
typedef void hf_fact_compute(const struct hf_facts *facts, const void *record,
                             struct hf_value *out);

/* Call a function with checked arguments (number and types as the row's signature says; an
 * undefined argument never reaches it: the result is then undefined). */
typedef void hf_fact_call(struct hf_facts *facts, const struct hf_value *args,
                          struct hf_value *out);

struct hf_fact_field {
    const char *name;
    enum hf_fact_type type;
    enum hf_fact_repr repr;
    uint8_t group;   /* of the module; 0 needs no parsing (constants, functions that ask) */
    size_t offset;   /* in the struct: of the scalar, the struct (embedded), or of an hf_fact_list */
    const struct hf_fact_record *record; /* STRUCT; ARRAY and DICT: element, NULL for scalars */
    enum hf_fact_type element;           /* ARRAY and DICT of scalars: their type */
    enum hf_fact_repr element_repr;      /* and how they lie in the list */
    int64_t constant;
    hf_fact_compute *compute;
    hf_fact_call *call;    /* FUNCTION; several rows of one name are overloads */
    const char *signature; /* FUNCTION: argument types, i f s r(egex) b, for example "si" */
    enum hf_fact_type result; /* FUNCTION */
    const char *help;      /* one line for the reference page: what, unit, range, source */
};

/* One struct type: its fields in order. A field's number is its place here. In an element of a
 * dictionary the first field is the key (HF_FACT_STRING). */
struct hf_fact_record {
    const char *name;
    size_t size; /* of the C struct */
    const struct hf_fact_field *fields;
    size_t field_count;
};

/* A module: the facts of one format (pe, elf, ...) or of bytes (hash, math). */
struct hf_fact_module {
    const char *name; /* as rules import it */
    const struct hf_fact_record *record; /* the top-level fields */
    unsigned group_count;                /* groups 1..group_count */
    /*
     * Parse one group into the module's struct.
     *
     * state  the module's top-level struct, record->size bytes, zeroed at first.
     * group  1..group_count; called at most once each for an object, and groups may ask for
     *        others through hf_facts_need.
     * What cannot be parsed stays undefined; the status is for notes and inspect.
     */
    enum hf_status (*parse)(struct hf_facts *facts, void *state, unsigned group);
};

enum { HF_FACT_MODULES_MAX = 24, HF_FACT_GROUPS_MAX = 15 };

/* The facts of one object: which modules exist, what was parsed so far. */
struct hf_facts {
    const struct hf_fact_module *const *modules; /* the schema: its modules in order */
    size_t module_count;                         /* <= HF_FACT_MODULES_MAX */
    struct hf_cursor object;                     /* the whole object; carries the budget */
    struct hf_arena *arena;                      /* borrowed; outlives the facts */
    struct hf_notes *notes;                      /* borrowed, may be NULL */
    void *state[HF_FACT_MODULES_MAX];            /* in the arena; NULL: not asked for yet */
    uint16_t parsed[HF_FACT_MODULES_MAX];        /* bit per group */
    enum hf_status status[HF_FACT_MODULES_MAX];  /* first failure of a group, for inspect */
};

/* Get ready; parses nothing. */
struct hf_facts hf_facts_of(const struct hf_fact_module *const *modules, size_t module_count,
                            struct hf_cursor object, struct hf_arena *arena,
                            struct hf_notes *notes);

/* The struct of a module with the given groups parsed (bit 1 << group); NULL when out of memory.
 * For code that knows the struct: other parsers, unpackers, dialects. */
void *hf_facts_need(struct hf_facts *facts, const struct hf_fact_module *module, unsigned groups);

/* A module's top-level field, parsing its group if need be. field < record->field_count. */
struct hf_value hf_facts_get(struct hf_facts *facts, size_t module, size_t field);

/* A field of a struct that another value gave. record_data may be NULL: undefined. */
struct hf_value hf_facts_member(const struct hf_facts *facts, const struct hf_fact_record *record,
                                const void *record_data, size_t field);

/* An element of an array or dictionary by index or key; undefined when there is none. field is
 * the row of the list. */
struct hf_value hf_facts_index(const struct hf_facts *facts, const struct hf_fact_field *field,
                               struct hf_value list, uint64_t index);
struct hf_value hf_facts_lookup(const struct hf_facts *facts, const struct hf_fact_field *field,
                                struct hf_value dict, struct hf_bytes key);

/* Find a field by name, for compilers; SIZE_MAX when there is none. Overloads: the first. */
size_t hf_fact_find(const struct hf_fact_record *record, struct hf_bytes name);

/* Append all defined facts of a module as one JSON object (constants and functions left out),
 * parsing all of its groups. Lists longer than list_max are cut, and say so by a member
 * "_cut": number of elements left out. */
void hf_facts_json(struct hf_facts *facts, size_t module, size_t list_max, struct hf_buffer *out);

/* Append the reference page of a module in Markdown: every row with type and help. */
void hf_facts_reference(const struct hf_fact_module *module, struct hf_buffer *out);

/* A fingerprint of the schema (names, types, order), stored in databases: a database compiled
 * against another schema is recompiled, not misread. 16 bytes. */
void hf_facts_fingerprint(const struct hf_fact_module *const *modules, size_t module_count,
                          uint8_t out[16]);

#endif
