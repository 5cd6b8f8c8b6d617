/* Reads any bytes as JSON: bounded, and what is a tree has names only in objects, strings that are
 * UTF-8, and no more values than bytes. */
#include "base/auto.h"
#include "base/json.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA = 64 << 20, WORK = 1 << 20 };

static size_t walk(const struct hf_json *value, bool member, unsigned depth)
{
    size_t count = 0;
    for (; value != NULL; value = value->next) {
        assert(depth < HF_JSON_DEPTH_MAX && (value->name.data != NULL) == member);
        assert(value->type != HF_JSON_STRING || value->string.data != NULL);
        assert(value->first == NULL || value->type >= HF_JSON_ARRAY);
        count += 1 + walk(value->first, value->type == HF_JSON_OBJECT, depth + 1);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = WORK});
    struct hf_cursor c = hf_cursor_open(data, size, &budget);
    const struct hf_json *tree;
    if (hf_json_read(&c, arena, &tree) == HF_OK)
        assert(walk(tree, false, 0) <= size);
    else
        assert(tree == NULL);
    return 0;
}
