/* hostile.h - what the hostile engine reports, as numbers of findings. */
#ifndef HF_TESTS_JAIL_HOSTILE_H
#define HF_TESTS_JAIL_HOSTILE_H

enum { HOSTILE_REFUSED = 1 /* offset: errno */, HOSTILE_DONE = 2 /* offset: result */ };

#endif
