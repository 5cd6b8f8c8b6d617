#include "daemon/clamd.h"

/* In the order in which VERSIONCOMMANDS lists them, which is also that of the search: a name that
 * begins like another one counts as that. [facts/clamav.md 3.2, 3.9] */
const struct hf_clamd_row hf_clamd_rows[HF_CLAMD_COMMANDS] = {
    [HF_CLAMD_SCAN] = {"SCAN", true, true, true},
    [HF_CLAMD_QUIT] = {"QUIT", false, true, false},
    [HF_CLAMD_RELOAD] = {"RELOAD", false, true, false},
    [HF_CLAMD_PING] = {"PING", false, true, true},
    [HF_CLAMD_CONTSCAN] = {"CONTSCAN", true, true, false},
    [HF_CLAMD_VERSIONCOMMANDS] = {"VERSIONCOMMANDS", false, false, true},
    [HF_CLAMD_VERSION] = {"VERSION", false, true, true},
    [HF_CLAMD_END] = {"END", false, false, true},
    [HF_CLAMD_SHUTDOWN] = {"SHUTDOWN", false, true, false},
    [HF_CLAMD_MULTISCAN] = {"MULTISCAN", true, true, false},
    [HF_CLAMD_FILDES] = {"FILDES", false, true, true},
    [HF_CLAMD_STATS] = {"STATS", false, false, true},
    [HF_CLAMD_IDSESSION] = {"IDSESSION", false, false, false},
    [HF_CLAMD_INSTREAM] = {"INSTREAM", false, false, true},
    [HF_CLAMD_DETSTATSCLEAR] = {"DETSTATSCLEAR", false, true, false},
    [HF_CLAMD_DETSTATS] = {"DETSTATS", false, true, false},
    [HF_CLAMD_ALLMATCHSCAN] = {"ALLMATCHSCAN", true, false, false},
};

void hf_clamd_begin(struct hf_clamd_parser *parser, uint64_t stream_max)
{
    *parser = (struct hf_clamd_parser){.terminator = '\n', .stream_max = stream_max};
}

void hf_clamd_done(struct hf_clamd_parser *parser)
{
    hf_buffer_done(&parser->line);
}

void hf_clamd_deafen(struct hf_clamd_parser *parser)
{
    parser->state = HF_CLAMD_DEAF;
}

static struct hf_bytes take(struct hf_bytes *input, size_t n)
{
    struct hf_bytes front = hf_bytes_of(input->data, n);
    *input = hf_bytes_of(input->data + n, input->len - n);
    return front;
}

/* A command with an argument is its name and at least one byte more: clamd drops that byte
 * whatever it is. One without is its name, exactly. */
static enum hf_clamd_command find_command(struct hf_bytes line, bool old,
                                          struct hf_bytes *argument)
{
    *argument = hf_bytes_of(NULL, 0);
    for (unsigned i = 0; i < HF_CLAMD_COMMANDS; i++) {
        const struct hf_clamd_row *row = &hf_clamd_rows[i];
        size_t n = strlen(row->name);
        if ((old && !row->old) || line.len < n || memcmp(line.data, row->name, n) != 0 ||
            (row->argument ? line.len == n : line.len > n))
            continue;
        if (row->argument)
            *argument = hf_bytes_of(line.data + n + 1, line.len - n - 1);
        return (enum hf_clamd_command)i;
    }
    return HF_CLAMD_UNKNOWN;
}

static bool ends_with_return(struct hf_bytes line)
{
    return line.len > 0 && line.data[line.len - 1] == '\r';
}

/* What comes behind the command decides how the next bytes are read. */
static void say_command(struct hf_clamd_parser *parser, struct hf_bytes line, bool old,
                        struct hf_clamd_event *event)
{
    event->type = HF_CLAMD_COMMAND;
    event->command = find_command(line, old, &event->bytes);
    if (event->command == HF_CLAMD_INSTREAM) {
        parser->state = HF_CLAMD_AT_LENGTH;
        parser->stream_seen = 0;
        parser->length_seen = 0;
    } else if (event->command == HF_CLAMD_FILDES) {
        parser->state = HF_CLAMD_AT_DESCRIPTOR;
    }
}

/* Everything that one read gave; a newline or zero ends it. The line is copied: event.bytes
 * outlives the input. */
static enum hf_status next_old(struct hf_clamd_parser *parser, struct hf_bytes *input,
                               struct hf_clamd_event *event)
{
    struct hf_bytes packet = take(input, input->len);
    parser->terminator = '\n';
    if (parser->session) {
        event->type = HF_CLAMD_OLD_IN_SESSION;
        parser->state = HF_CLAMD_DEAF;
        return HF_OK;
    }
    size_t n = 0;
    while (n < packet.len && packet.data[n] != '\n' && packet.data[n] != 0)
        n++;
    event->extra = n + 1 < packet.len;
    /* FILDES: the byte that brings the descriptor may be behind the newline already. */
    size_t used = n < packet.len ? n + 1 : n;
    struct hf_bytes line = hf_bytes_of(packet.data, n);
    if (ends_with_return(line))
        line.len--;
    if (line.len >= HF_CLAMD_COMMAND_MAX)
        line.len = 0; /* no command is so long */
    hf_buffer_bytes(&parser->line, line);
    parser->line_used = true;
    if (parser->line.failed)
        return HF_NOMEM;
    say_command(parser, hf_buffer_view(&parser->line), true, event);
    if (event->command == HF_CLAMD_FILDES)
        *input = hf_bytes_of(packet.data + used, packet.len - used);
    return HF_OK;
}

static enum hf_status next_command(struct hf_clamd_parser *parser, struct hf_bytes *input,
                                   struct hf_clamd_event *event)
{
    struct hf_buffer *line = &parser->line;
    uint8_t first = line->len > 0 ? line->data[0] : input->data[0];
    if (first != 'n' && first != 'z')
        return next_old(parser, input, event);
    char end = first == 'n' ? '\n' : 0;
    const uint8_t *at = memchr(input->data, end, input->len);
    size_t n = at != NULL ? (size_t)(at - input->data) : input->len;
    if (n > HF_CLAMD_COMMAND_MAX || line->len > HF_CLAMD_COMMAND_MAX - n) {
        event->type = HF_CLAMD_TOO_LONG;
        parser->state = HF_CLAMD_DEAF;
        (void)take(input, input->len);
        return HF_OK;
    }
    hf_buffer_bytes(line, take(input, n));
    if (line->failed)
        return HF_NOMEM;
    if (at == NULL)
        return HF_OK;
    (void)take(input, 1);
    parser->terminator = end;
    parser->line_used = true;
    struct hf_bytes command = hf_bytes_of(line->data + 1, line->len - 1);
    if (first == 'n' && ends_with_return(command)) {
        command.len--;
        event->extra = true;
    }
    say_command(parser, command, false, event);
    return HF_OK;
}

static void next_length(struct hf_clamd_parser *parser, struct hf_bytes *input,
                        struct hf_clamd_event *event)
{
    while (input->len > 0 && parser->length_seen < 4)
        parser->length[parser->length_seen++] = *take(input, 1).data;
    if (parser->length_seen < 4)
        return;
    const uint8_t *l = parser->length;
    parser->chunk_left =
        (uint32_t)l[0] << 24 | (uint32_t)l[1] << 16 | (uint32_t)l[2] << 8 | (uint32_t)l[3];
    parser->length_seen = 0;
    if (parser->chunk_left == 0) {
        event->type = HF_CLAMD_STREAM_END;
        parser->state = HF_CLAMD_AT_COMMAND;
    } else if (parser->stream_max != 0 &&
               parser->chunk_left > parser->stream_max - parser->stream_seen) {
        event->type = HF_CLAMD_STREAM_OVER;
        parser->state = HF_CLAMD_DEAF;
    } else {
        parser->state = HF_CLAMD_AT_CHUNK;
    }
}

static void next_data(struct hf_clamd_parser *parser, struct hf_bytes *input,
                      struct hf_clamd_event *event)
{
    size_t n = input->len < parser->chunk_left ? input->len : parser->chunk_left;
    event->type = HF_CLAMD_DATA;
    event->bytes = take(input, n);
    parser->chunk_left -= (uint32_t)n;
    parser->stream_seen += n;
    if (parser->chunk_left == 0)
        parser->state = HF_CLAMD_AT_LENGTH;
}

enum hf_status hf_clamd_next(struct hf_clamd_parser *parser, struct hf_bytes *input,
                             struct hf_clamd_event *event)
{
    enum hf_status st = HF_OK;
    *event =
        (struct hf_clamd_event){.type = HF_CLAMD_NEEDS_MORE, .command = HF_CLAMD_UNKNOWN};
    if (parser->line_used) {
        hf_buffer_clear(&parser->line);
        parser->line_used = false;
    }
    while (input->len > 0 && st == HF_OK && event->type == HF_CLAMD_NEEDS_MORE) {
        switch (parser->state) {
        case HF_CLAMD_AT_COMMAND: st = next_command(parser, input, event); break;
        case HF_CLAMD_AT_LENGTH: next_length(parser, input, event); break;
        case HF_CLAMD_AT_CHUNK: next_data(parser, input, event); break;
        case HF_CLAMD_AT_DESCRIPTOR:
            (void)take(input, 1);
            event->type = HF_CLAMD_DESCRIPTOR;
            parser->state = HF_CLAMD_AT_COMMAND;
            break;
        case HF_CLAMD_DEAF: (void)take(input, input->len); break;
        }
    }
    if (st != HF_OK)
        parser->state = HF_CLAMD_DEAF;
    return st;
}
