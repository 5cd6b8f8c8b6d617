#include "scan/office.h"

#include "rules/clamav/types.h"
#include "unpack/zip.h"

enum {
    HEADERS = 3,  /* are looked at in any ZIP, */
    NEAR = 30000, /*   as far as they stand near the beginning */
    FOLDERS = 4
};

static bool begins(struct hf_bytes name, const char *with)
{
    size_t n = strlen(with);
    return name.len >= n && memcmp(name.data, with, n) == 0;
}

/* The type that the name of one member tells; NULL. */
static const char *told_by(struct hf_bytes name)
{
    static const struct {
        const char *folder, *type;
    } rows[FOLDERS] = {{"word/", "CL_TYPE_OOXML_WORD"},
                       {"ppt/", "CL_TYPE_OOXML_PPT"},
                       {"xl/", "CL_TYPE_OOXML_XL"},
                       {"Contents/content.hpf", "CL_TYPE_OOXML_HWP"}};
    for (size_t i = 0; i < FOLDERS; i++)
        if (begins(name, rows[i].folder))
            return rows[i].type;
    return NULL;
}

/* Members that office documents begin with: where they are, it is worth looking further. Measured with
 * clamscan 1.4.6; _rels/ is none of them. */
static bool is_likely(struct hf_bytes name)
{
    return begins(name, "[Content_Types].xml") || begins(name, "docProps/") ||
           begins(name, "mimetype") || begins(name, "version.xml");
}

/* Headers are found by their signature, as ClamAV finds them: sizes may stand behind the data. */
static const char *document_type(const struct hf_cursor *whole)
{
    static const uint8_t signature[] = {'P', 'K', 3, 4};
    struct hf_cursor c = hf_cursor_at(whole, 0);
    bool likely = false;
    for (uint64_t seen = 0; hf_cursor_charge(&c, 1); seen++) {
        bool early = seen < HEADERS && c.pos < NEAR;
        size_t left = c.len - c.pos;
        size_t span = early && !likely && left > NEAR - c.pos ? NEAR - c.pos : left;
        if (!early && !likely)
            return NULL;
        size_t at = hf_find(&c, signature, sizeof signature, span);
        struct hf_zip_member m;
        if (at == SIZE_MAX)
            return NULL;
        hf_seek(&c, at);
        if (hf_zip_read_local(&c, &m) != HF_OK)
            return NULL;
        const char *type = told_by(m.name);
        if (type != NULL)
            return type;
        likely = likely || (seen < HEADERS && is_likely(m.name));
    }
    return NULL;
}

uint16_t hf_office_type(const struct hf_cursor *whole, enum hf_format format)
{
    const char *type = format == HF_FORMAT_ZIP ? document_type(whole) : NULL;
    return hf_clamav_type(
        hf_bytes_text(type != NULL ? type : hf_format_row(format)->cl_type));
}
