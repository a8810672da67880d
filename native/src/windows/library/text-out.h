/* Texts for JavaScript. */
#ifndef BULKHEAD_TEXT_OUT_H
#define BULKHEAD_TEXT_OUT_H

#include <stdint.h>
#include <wchar.h>

/*
 * Copies a text into a caller's buffer. `*length` is the room and then what is needed, in characters with the final 0. Returns 0, or
 * ERROR_MORE_DATA when it does not fit.
 */
uint32_t bh_text_out(const wchar_t *made, wchar_t *text, uint32_t *length);

#endif
