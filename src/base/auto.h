/* auto.h - the one cleanup macro: HF_AUTO(release) on a declaration calls release(&variable)
 * when the variable's scope ends, on every path. Releases accept empty values. */
#ifndef HF_BASE_AUTO_H
#define HF_BASE_AUTO_H

#define HF_AUTO(release) __attribute__((cleanup(release)))

#endif
