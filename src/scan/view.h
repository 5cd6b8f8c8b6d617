/* view.h - the views of an object: forms of its bytes, besides the raw ones, that rules see
 * (rules/rule.h, struct hf_scope). Each is matched on its own: places and sizes are the view's,
 * counts are per view, a name counts once per object.
 *
 * What belongs to what (one table in view.c): text of any encoding has a TEXT view; HTML has HTML,
 * HTML_NOTAGS and HTML_SCRIPT views. Rules whose scope names views of markup do not see the raw
 * bytes of markup. [facts/clamav.md 1.7, 4.4] */
#ifndef HF_SCAN_VIEW_H
#define HF_SCAN_VIEW_H

#include "base/arena.h"
#include "base/cursor.h"
#include "format/format.h"
#include "rules/rule.h"

/* Called with each view as it is made; bytes live until the arena is rewound. Returning false ends
 * it. */
typedef bool hf_on_view(void *user, enum hf_view_kind kind, struct hf_bytes bytes);

/* The views that objects of a format have, raw ones not counted: bits 1 << enum hf_view_kind. */
uint32_t hf_views_of(enum hf_format format);

/*
 * Make the views of an object.
 *
 * object  the whole of it; not advanced; carries the budget.
 * wanted  bits of hf_views_of that some rule sees; others are not made.
 * arena   owns the bytes.
 * Returns HF_OK; HF_LIMIT (budget, or larger than what is normalised: the views made so far were
 * given); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_views_make(const struct hf_cursor *object,
                                         enum hf_format format, uint32_t wanted,
                                         struct hf_arena *arena, hf_on_view *on_view,
                                         void *user);

#endif
