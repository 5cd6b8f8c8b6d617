/* exchange.c - our half of the exchange with Go's sumdb/note and sumdb/tlog.
 *
 *   exchange write     keys, a signed checkpoint, proofs and tiles of ours, to standard output
 *   exchange check     the same of the other side, from standard input; prints how many it took
 *
 * Lines: "skey TEXT", "vkey TEXT", "note BASE64", "inclusion SIZE INDEX ROOT LEAF [HASHES]",
 * "consistency OLD NEW ROOT ROOT [HASHES]", "tile PATH BASE64" (of the tree of the note's size). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/proof.h"
#include "feed/tile.h"

enum { ENTRIES = 70000, SIZES_STEP = 7 };
#define ORIGIN "go.sum database tree" /* what Go's tlog writes and reads */

static struct hf_merkle merkle;

static void must(enum hf_refusal r, const char *what)
{
    if (r == HF_ACCEPTED)
        return;
    fprintf(stderr, "exchange: %s: %s\n", what, hf_refusal_text(r));
    exit(1);
}

static void put(const char *word, struct hf_bytes bytes)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_base64_write(&b, bytes);
    printf("%s%.*s", word, (int)b.len, (const char *)b.data);
}

static void put_hash(const struct hf_hash *h)
{
    put(" ", hf_bytes_of(h->bytes, sizeof h->bytes));
}

static struct hf_hash entry_hash(uint64_t i)
{
    char entry[32];
    int n = snprintf(entry, sizeof entry, "entry %" PRIu64, i);
    return hf_merkle_leaf(&merkle, hf_bytes_of(entry, (size_t)n));
}

static void write_proofs(const struct hf_tree_source *tree, uint64_t size)
{
    struct hf_hash path[HF_PROOF_MAX], root, old;
    size_t n;
    must(hf_tree_root(&merkle, tree, size, &root), "root");
    for (uint64_t i = 0; i < size; i += 1 + size / 9) {
        struct hf_hash leaf = entry_hash(i);
        must(hf_inclusion_make(&merkle, tree, i, size, path, &n), "inclusion");
        printf("inclusion %" PRIu64 " %" PRIu64, size, i);
        put_hash(&root);
        put_hash(&leaf);
        for (size_t k = 0; k < n; k++)
            put_hash(&path[k]);
        must(hf_tree_root(&merkle, tree, i + 1, &old), "root");
        must(hf_consistency_make(&merkle, tree, i + 1, size, path, &n), "consistency");
        printf("\nconsistency %" PRIu64 " %" PRIu64, i + 1, size);
        put_hash(&old);
        put_hash(&root);
        for (size_t k = 0; k < n; k++)
            put_hash(&path[k]);
        putchar('\n');
    }
}

static void write_tiles(const struct hf_tree_source *tree)
{
    for (unsigned level = 0; level < 8; level++)
        for (uint64_t i = 0; hf_tile_width(ENTRIES, level, i) > 0; i++) {
            HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, data = {0};
            struct hf_tile t = {.level = (uint8_t)level,
                                .index = i,
                                .width = (uint16_t)hf_tile_width(ENTRIES, level, i)};
            must(hf_tile_path_write(&path, &t), "tile path");
            must(hf_tile_write(&data, tree, &t), "tile");
            printf("tile %.*s", (int)path.len, (const char *)path.data);
            put(" ", hf_buffer_view(&data));
            putchar('\n');
        }
}

static void write_all(void)
{
    struct hf_tree tree = {0};
    struct hf_tree_source source = hf_tree_as_source(&tree);
    struct hf_skey key;
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, note = {0}, b = {0};
    struct hf_checkpoint cp = {.origin = hf_bytes_text(ORIGIN), .size = ENTRIES};
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct hf_hash leaf = entry_hash(i);
        must(hf_tree_append(&merkle, &tree, &leaf), "append");
    }
    must(hf_skey_make(hf_bytes_text("ours.example/log"), HF_KEY_ED25519, NULL, &key),
         "key");
    must(hf_tree_root(&merkle, &source, ENTRIES, &cp.root), "root");
    must(hf_checkpoint_write(&merkle, &body, &cp), "checkpoint");
    must(hf_note_begin(&note, hf_buffer_view(&body)), "note");
    must(hf_note_sign(&note, hf_buffer_view(&body), &key), "sign");
    hf_buffer_text(&b, "skey ");
    hf_skey_write(&b, &key);
    hf_buffer_text(&b, "\nvkey ");
    hf_vkey_write(&b, &key.verifier);
    printf("%.*s\n", (int)b.len, (const char *)b.data);
    put("note ", hf_buffer_view(&note));
    putchar('\n');
    for (uint64_t size = 1; size <= 300; size += SIZES_STEP)
        write_proofs(&source, size);
    write_proofs(&source, ENTRIES);
    write_tiles(&source);
    hf_tree_done(&tree);
}

/* ---- checking ---- */

struct checker {
    struct hf_arena *arena;
    struct hf_skey skey;
    struct hf_vkey vkey;
    struct hf_checkpoint checkpoint;
    struct hf_tree tree;
    unsigned counts[6];
};

static struct hf_bytes word(struct hf_cursor *c)
{
    return hf_take_until(c, ' ', SIZE_MAX, NULL);
}

static uint64_t number(struct hf_cursor *c)
{
    uint64_t v;
    if (!hf_decimal_read(word(c), &v))
        must(HF_REFUSE_ARGUMENT, "number");
    return v;
}

static struct hf_hash hash_of(struct hf_cursor *c)
{
    struct hf_hash h;
    if (!hf_hash_read(word(c), &h))
        must(HF_REFUSE_ARGUMENT, "hash");
    return h;
}

static void check_proof(struct hf_cursor *c, bool inclusion)
{
    uint64_t a = number(c), b = number(c);
    struct hf_hash first = hash_of(c), second = hash_of(c), path[HF_PROOF_MAX];
    size_t n = 0;
    while (hf_cursor_left(c) > 0 && n < HF_PROOF_MAX)
        path[n++] = hash_of(c);
    if (inclusion)
        must(hf_inclusion_check(&merkle, &second, b, a, &first, path, n),
             "their inclusion");
    else
        must(hf_consistency_check(&merkle, a, &first, b, &second, path, n),
             "their consistency");
}

static struct hf_bytes decoded(struct checker *k, struct hf_bytes text)
{
    uint8_t *bytes = hf_arena_alloc(k->arena, hf_base64_room(text.len));
    size_t n =
        bytes == NULL ? SIZE_MAX : hf_base64_read(text, bytes, hf_base64_room(text.len));
    if (n == SIZE_MAX)
        must(HF_REFUSE_ARGUMENT, "base64");
    return hf_bytes_of(bytes, n);
}

static void check_note(struct checker *k, struct hf_bytes bytes)
{
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    struct hf_signed_note note;
    struct hf_note_seal seal;
    struct hf_log log = {.origin = hf_bytes_text(ORIGIN), .keys = &k->vkey, .count = 1};
    must(hf_note_read(&c, k->arena, &note), "their note");
    must(hf_checkpoint_verify(&merkle, &note, &log, NULL, 0, &seal, &k->checkpoint),
         "their checkpoint");
    HF_AUTO(hf_buffer_done) struct hf_buffer again = {0};
    must(hf_note_begin(&again, note.text), "note");
    must(hf_note_sign(&again, note.text, &k->skey), "sign with their key");
    if (!hf_bytes_equal(hf_buffer_view(&again), bytes))
        must(HF_REFUSE_NOTE_SIGNATURE, "signed by us, the note differs");
    while (k->tree.size < k->checkpoint.size) {
        struct hf_hash leaf = entry_hash(k->tree.size);
        must(hf_tree_append(&merkle, &k->tree, &leaf), "append");
    }
}

static void check_tile(struct checker *k, struct hf_cursor *c)
{
    struct hf_tile tile;
    struct hf_tree_source source = hf_tree_as_source(&k->tree);
    HF_AUTO(hf_buffer_done) struct hf_buffer ours = {0};
    must(hf_tile_path_read(word(c), &tile), "their tile's path");
    struct hf_bytes data = decoded(k, word(c));
    must(hf_tile_check(&tile, data), "their tile");
    must(hf_tile_write(&ours, &source, &tile), "tile");
    if (!hf_bytes_equal(hf_buffer_view(&ours), data))
        must(HF_REFUSE_TREE_HASH, "their tile differs");
}

static void check_line(struct checker *k, struct hf_bytes line)
{
    static const char *const words[] = {"skey",      "vkey",        "note",
                                        "inclusion", "consistency", "tile"};
    struct hf_cursor c = hf_cursor_open(line.data, line.len, NULL);
    struct hf_bytes first = word(&c);
    size_t i = 0;
    while (i < 6 && !hf_bytes_equal(first, hf_bytes_text(words[i])))
        i++;
    switch (i) {
    case 0: must(hf_skey_read(hf_take_rest(&c), &k->skey), "their private key"); break;
    case 1: must(hf_vkey_read(hf_take_rest(&c), &k->vkey), "their key"); break;
    case 2: check_note(k, decoded(k, word(&c))); break;
    case 3: check_proof(&c, true); break;
    case 4: check_proof(&c, false); break;
    case 5: check_tile(k, &c); break;
    default: must(HF_REFUSE_ARGUMENT, "unknown line");
    }
    k->counts[i]++;
}

static void check_all(void)
{
    struct checker k = {.arena = hf_arena_new(64 << 20)};
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, stdin)) > 0)
        check_line(&k, hf_bytes_of(line, (size_t)n - 1));
    free(line);
    printf("ours took from Go: %u private key, %u key, %u checkpoint, %u inclusion, %u "
           "consistency proofs, %u tiles\n",
           k.counts[0], k.counts[1], k.counts[2], k.counts[3], k.counts[4], k.counts[5]);
    hf_tree_done(&k.tree);
    hf_arena_free(k.arena);
    for (int i = 0; i < 6; i++)
        if (k.counts[i] == 0)
            must(HF_REFUSE_ARGUMENT, "something was missing");
}

int main(int argc, char **argv)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    merkle.hasher = hasher;
    if (argc == 2 && strcmp(argv[1], "write") == 0)
        write_all();
    else if (argc == 2 && strcmp(argv[1], "check") == 0)
        check_all();
    else
        return 2;
    return 0;
}
