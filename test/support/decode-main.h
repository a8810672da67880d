/* What decode-linux.c and decode-windows.c share with decode-main.c. Which `spec.h` that is, the include path says. */
#ifndef DECODE_MAIN_H
#define DECODE_MAIN_H

#include "bulkhead.h"
#include "spec.h"
#include "wire.h"

/* The body of the frame that the specification came from. */
void encode(struct bh_writer *w, const struct bh_spec *spec);

void write_u64(struct bh_writer *w, uint64_t value);
void write_texts(struct bh_writer *w, char *const *list);
void write_limit(struct bh_writer *w, bool limited, uint64_t value);

#endif
