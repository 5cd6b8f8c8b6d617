#include "facts/bytes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How often each byte value occurs in a range; the last few ranges are remembered. */
enum { REMEMBERED = 4 };

struct distribution {
    bool used;
    int64_t offset, length; /* as asked for */
    uint64_t total, count[256];
};

struct math_state {
    struct distribution *ranges; /* REMEMBERED of them, in the arena */
    unsigned next;
};

static void count_bytes(struct hf_bytes data, struct distribution *d)
{
    memset(d->count, 0, sizeof d->count);
    for (size_t i = 0; i < data.len; i++)
        d->count[data.data[i]]++;
    d->total = data.len;
}

/* The distribution of a range, NULL: undefined. */
static const struct distribution *range_of(struct hf_facts *facts, int64_t offset,
                                           int64_t length)
{
    struct math_state *state = hf_facts_need(facts, &hf_math_module, 0);
    struct hf_bytes data;
    if (state != NULL && state->ranges == NULL)
        state->ranges = hf_arena_array(facts->arena, REMEMBERED, sizeof *state->ranges);
    if (state == NULL || state->ranges == NULL)
        return NULL;
    for (unsigned i = 0; i < REMEMBERED; i++) {
        const struct distribution *d = &state->ranges[i];
        if (d->used && d->offset == offset && d->length == length)
            return d;
    }
    if (!hf_facts_range(facts, offset, length, &data))
        return NULL;
    struct distribution *d = &state->ranges[state->next++ % REMEMBERED];
    *d = (struct distribution){.used = true, .offset = offset, .length = length};
    count_bytes(data, d);
    return d;
}

static const struct distribution *whole(struct hf_facts *facts)
{
    return range_of(facts, 0, INT64_MAX);
}

/* YARA makes undefined what is no number, such as the mean of no bytes. */
static void give(double v, struct hf_value *out)
{
    if (!isnan(v))
        *out = hf_value_real(v);
}

static bool charge_string(const struct hf_facts *facts, const struct hf_value *arg)
{
    return hf_budget_work(facts->object.budget, arg->string.len / 1024 + 1);
}

static double entropy_of(const struct distribution *d)
{
    double entropy = 0;
    for (int i = 0; i < 256; i++) {
        if (d->count[i] == 0)
            continue;
        double x = (double)d->count[i] / (double)d->total;
        entropy -= x * log2(x);
    }
    return entropy;
}

static void entropy_of_range(struct hf_facts *facts, const struct hf_value *args,
                             struct hf_value *out)
{
    const struct distribution *d = range_of(facts, args[0].integer, args[1].integer);
    if (d != NULL)
        *out = hf_value_real(entropy_of(d));
}

static void entropy_of_string(struct hf_facts *facts, const struct hf_value *args,
                              struct hf_value *out)
{
    struct distribution d;
    if (!charge_string(facts, args))
        return;
    count_bytes(args[0].string, &d);
    *out = hf_value_real(entropy_of(&d));
}

static void deviation_of_range(struct hf_facts *facts, const struct hf_value *args,
                               struct hf_value *out)
{
    const struct distribution *d = range_of(facts, args[0].integer, args[1].integer);
    double sum = 0;
    if (d == NULL)
        return;
    for (int i = 0; i < 256; i++)
        sum += fabs((double)i - args[2].real) * (double)d->count[i];
    give(sum / (double)d->total, out);
}

static void mean_of_range(struct hf_facts *facts, const struct hf_value *args,
                          struct hf_value *out)
{
    const struct distribution *d = range_of(facts, args[0].integer, args[1].integer);
    double sum = 0;
    if (d == NULL)
        return;
    for (int i = 0; i < 256; i++)
        sum += (double)i * (double)d->count[i];
    give(sum / (double)d->total, out);
}

/* YARA takes the bytes of strings, but not those of ranges, as signed here and below (but not
 * for the entropy). */
static double signed_byte(uint8_t byte)
{
    return (double)(int8_t)byte;
}

static void deviation_of_string(struct hf_facts *facts, const struct hf_value *args,
                                struct hf_value *out)
{
    struct hf_bytes s = args[0].string;
    double sum = 0;
    if (!charge_string(facts, args))
        return;
    for (size_t i = 0; i < s.len; i++)
        sum += fabs(signed_byte(s.data[i]) - args[1].real);
    give(sum / (double)s.len, out);
}

static void mean_of_string(struct hf_facts *facts, const struct hf_value *args,
                           struct hf_value *out)
{
    struct hf_bytes s = args[0].string;
    double sum = 0;
    if (!charge_string(facts, args))
        return;
    for (size_t i = 0; i < s.len; i++)
        sum += signed_byte(s.data[i]);
    give(sum / (double)s.len, out);
}

/* How much each byte depends on the one before, the last one followed by itself. [ent; Knuth,
 * TAOCP 2, 3.3.2 K, but for the end] */
static double correlation_of(struct hf_bytes data, bool is_signed)
{
    double now = 0, last = 0, products = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < data.len; i++) {
        now = is_signed ? signed_byte(data.data[i]) : (double)data.data[i];
        products += last * now;
        sum += now;
        squares += now * now;
        last = now;
    }
    products += last * now;
    sum *= sum;
    double n = (double)data.len, divisor = n * squares - sum;
    return divisor == 0 ? -100000 : (n * products - sum) / divisor;
}

static void correlation_of_range(struct hf_facts *facts, const struct hf_value *args,
                                 struct hf_value *out)
{
    struct hf_bytes data;
    if (hf_facts_range(facts, args[0].integer, args[1].integer, &data))
        *out = hf_value_real(correlation_of(data, false));
}

static void correlation_of_string(struct hf_facts *facts, const struct hf_value *args,
                                  struct hf_value *out)
{
    if (charge_string(facts, args))
        *out = hf_value_real(correlation_of(args[0].string, true));
}

/* Six bytes are a point in a square; how far the share of points inside the circle is from what
 * pi says. Undefined for fewer than six bytes. */
static void monte_carlo_of(struct hf_bytes data, bool is_signed, struct hf_value *out)
{
    static const double pi = 3.141592653589793;
    const double radius = pow(pow(256.0, 3.0) - 1, 2.0);
    uint64_t points = 0, inside = 0;
    for (size_t i = 0; data.len - i >= 6; i += 6) {
        double x[2] = {0, 0};
        for (size_t j = 0; j < 6; j++) {
            uint8_t byte = data.data[i + j];
            uint32_t v = is_signed ? (uint32_t)(int8_t)byte : byte;
            x[j / 3] = x[j / 3] * 256.0 + v;
        }
        points++;
        inside += x[0] * x[0] + x[1] * x[1] <= radius;
    }
    if (points > 0)
        *out = hf_value_real(fabs((4.0 * ((double)inside / (double)points) - pi) / pi));
}

static void monte_carlo_of_range(struct hf_facts *facts, const struct hf_value *args,
                                 struct hf_value *out)
{
    struct hf_bytes data;
    if (hf_facts_range(facts, args[0].integer, args[1].integer, &data))
        monte_carlo_of(data, false, out);
}

static void monte_carlo_of_string(struct hf_facts *facts, const struct hf_value *args,
                                  struct hf_value *out)
{
    if (charge_string(facts, args))
        monte_carlo_of(args[0].string, true, out);
}

static void in_range(struct hf_facts *facts, const struct hf_value *args,
                     struct hf_value *out)
{
    (void)facts;
    *out = hf_value_int(args[1].real <= args[0].real && args[0].real <= args[2].real);
}

/* YARA compares unsigned: -1 is the largest. */
static void minimum(struct hf_facts *facts, const struct hf_value *args,
                    struct hf_value *out)
{
    (void)facts;
    bool first = (uint64_t)args[0].integer < (uint64_t)args[1].integer;
    *out = hf_value_int(args[first ? 0 : 1].integer);
}

static void maximum(struct hf_facts *facts, const struct hf_value *args,
                    struct hf_value *out)
{
    (void)facts;
    bool first = (uint64_t)args[0].integer > (uint64_t)args[1].integer;
    *out = hf_value_int(args[first ? 0 : 1].integer);
}

static void absolute(struct hf_facts *facts, const struct hf_value *args,
                     struct hf_value *out)
{
    (void)facts;
    int64_t v = args[0].integer;
    *out = hf_value_int(v < 0 ? (int64_t)(0 - (uint64_t)v) : v);
}

static void to_number(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    (void)facts;
    *out = hf_value_int(args[0].integer != 0);
}

static void count_in(const struct distribution *d, int64_t byte, struct hf_value *out)
{
    if (d != NULL)
        *out = hf_value_int((int64_t)d->count[(uint8_t)byte]);
}

/* In single precision, as YARA has it. */
static void percentage_in(const struct distribution *d, int64_t byte, struct hf_value *out)
{
    if (d != NULL)
        give((double)((float)d->count[(uint8_t)byte] / (float)d->total), out);
}

static void mode_in(const struct distribution *d, struct hf_value *out)
{
    if (d == NULL)
        return;
    int64_t mode = 0;
    for (int64_t i = 0; i < 256; i++)
        if (d->count[i] > d->count[mode])
            mode = i;
    *out = hf_value_int(mode);
}

static void count_of_range(struct hf_facts *facts, const struct hf_value *args,
                           struct hf_value *out)
{
    count_in(range_of(facts, args[1].integer, args[2].integer), args[0].integer, out);
}

static void count_of_all(struct hf_facts *facts, const struct hf_value *args,
                         struct hf_value *out)
{
    count_in(whole(facts), args[0].integer, out);
}

static void percentage_of_range(struct hf_facts *facts, const struct hf_value *args,
                                struct hf_value *out)
{
    percentage_in(range_of(facts, args[1].integer, args[2].integer), args[0].integer, out);
}

static void percentage_of_all(struct hf_facts *facts, const struct hf_value *args,
                              struct hf_value *out)
{
    percentage_in(whole(facts), args[0].integer, out);
}

static void mode_of_range(struct hf_facts *facts, const struct hf_value *args,
                          struct hf_value *out)
{
    mode_in(range_of(facts, args[0].integer, args[1].integer), out);
}

static void mode_of_all(struct hf_facts *facts, const struct hf_value *args,
                        struct hf_value *out)
{
    (void)args;
    mode_in(whole(facts), out);
}

static void text_of(struct hf_facts *facts, int64_t v, int64_t base, struct hf_value *out)
{
    char text[32];
    int n = base == 10   ? snprintf(text, sizeof text, "%" PRId64, v)
            : base == 8  ? snprintf(text, sizeof text, "%" PRIo64, (uint64_t)v)
            : base == 16 ? snprintf(text, sizeof text, "%" PRIx64, (uint64_t)v)
                         : 0;
    struct hf_bytes copy = {0};
    if (n > 0)
        copy = hf_arena_copy(facts->arena, hf_bytes_of(text, (size_t)n));
    if (copy.data != NULL)
        *out = hf_value_string(copy);
}

static void to_string(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    text_of(facts, args[0].integer, 10, out);
}

static void to_string_of_base(struct hf_facts *facts, const struct hf_value *args,
                              struct hf_value *out)
{
    text_of(facts, args[0].integer, args[1].integer, out);
}

static void mean_bytes(const struct hf_facts *facts, const void *record,
                       struct hf_value *out)
{
    (void)facts;
    (void)record;
    *out = hf_value_real(127.5);
}

/* clang-format off */
static const struct hf_fact_field math_rows[] = {
    HF_FACT_COMPUTED("MEAN_BYTES", HF_FACT_FLOAT, 0, mean_bytes, "127.5, the mean of random bytes"),
    HF_FACT_CALL("in_range", "fff", HF_FACT_INT, in_range, "1 when the first is between the others, borders included"),
    HF_FACT_CALL("deviation", "iif", HF_FACT_FLOAT, deviation_of_range, "mean distance of the bytes of (offset, length) from a value"),
    HF_FACT_CALL("deviation", "sf", HF_FACT_FLOAT, deviation_of_string, "of a string; bytes are signed"),
    HF_FACT_CALL("mean", "ii", HF_FACT_FLOAT, mean_of_range, "mean of the bytes of (offset, length)"),
    HF_FACT_CALL("mean", "s", HF_FACT_FLOAT, mean_of_string, "of a string; bytes are signed"),
    HF_FACT_CALL("serial_correlation", "ii", HF_FACT_FLOAT, correlation_of_range, "how much bytes depend on the one before, about 0 for random ones"),
    HF_FACT_CALL("serial_correlation", "s", HF_FACT_FLOAT, correlation_of_string, "of a string; bytes are signed"),
    HF_FACT_CALL("monte_carlo_pi", "ii", HF_FACT_FLOAT, monte_carlo_of_range, "relative error of pi found with the bytes as points, about 0 for random ones"),
    HF_FACT_CALL("monte_carlo_pi", "s", HF_FACT_FLOAT, monte_carlo_of_string, "of a string; bytes are signed"),
    HF_FACT_CALL("entropy", "ii", HF_FACT_FLOAT, entropy_of_range, "bits a byte of (offset, length), 0 to 8"),
    HF_FACT_CALL("entropy", "s", HF_FACT_FLOAT, entropy_of_string, "bits a byte of a string"),
    HF_FACT_CALL("min", "ii", HF_FACT_INT, minimum, "the smaller, compared unsigned"),
    HF_FACT_CALL("max", "ii", HF_FACT_INT, maximum, "the larger, compared unsigned"),
    HF_FACT_CALL("to_number", "b", HF_FACT_INT, to_number, "1 for true, 0 for false"),
    HF_FACT_CALL("abs", "i", HF_FACT_INT, absolute, "without its sign"),
    HF_FACT_CALL("count", "iii", HF_FACT_INT, count_of_range, "how often a byte occurs in (offset, length)"),
    HF_FACT_CALL("count", "i", HF_FACT_INT, count_of_all, "how often a byte occurs"),
    HF_FACT_CALL("percentage", "iii", HF_FACT_FLOAT, percentage_of_range, "a byte's share in (offset, length), 0 to 1"),
    HF_FACT_CALL("percentage", "i", HF_FACT_FLOAT, percentage_of_all, "a byte's share, 0 to 1"),
    HF_FACT_CALL("mode", "ii", HF_FACT_INT, mode_of_range, "the most frequent byte of (offset, length), the lowest of several"),
    HF_FACT_CALL("mode", "", HF_FACT_INT, mode_of_all, "the most frequent byte"),
    HF_FACT_CALL("to_string", "i", HF_FACT_STRING, to_string, "decimal digits"),
    HF_FACT_CALL("to_string", "ii", HF_FACT_STRING, to_string_of_base, "digits in base 8, 10 or 16"),
};
/* clang-format on */
static const struct hf_fact_record math_record =
    HF_FACT_TABLE("math", struct math_state, math_rows);
const struct hf_fact_module hf_math_module = {.name = "math", .record = &math_record};
