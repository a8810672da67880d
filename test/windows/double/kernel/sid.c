#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  char name[3];
  const char *sid;
} names[] = {
    {"WD", "S-1-1-0"},      {"CO", "S-1-3-0"},      {"CG", "S-1-3-1"},      {"OW", "S-1-3-4"},      {"NU", "S-1-5-2"},
    {"IU", "S-1-5-4"},      {"SU", "S-1-5-6"},      {"AN", "S-1-5-7"},      {"PS", "S-1-5-10"},     {"AU", "S-1-5-11"},
    {"RC", "S-1-5-12"},     {"SY", "S-1-5-18"},     {"LS", "S-1-5-19"},     {"NS", "S-1-5-20"},     {"WR", "S-1-5-33"},
    {"BA", "S-1-5-32-544"}, {"BU", "S-1-5-32-545"}, {"BG", "S-1-5-32-546"}, {"PU", "S-1-5-32-547"}, {"AC", "S-1-15-2-1"},
    {"LW", "S-1-16-4096"},  {"ME", "S-1-16-8192"},  {"MP", "S-1-16-8448"},  {"HI", "S-1-16-12288"}, {"SI", "S-1-16-16384"},
};

BOOL bd_sid_none(const bd_sid *sid) {
  return sid->bytes[0] == 0;
}

DWORD bd_sid_length(const bd_sid *sid) {
  return 8 + 4u * sid->bytes[1];
}

BOOL bd_sid_equal(const bd_sid *one, const bd_sid *other) {
  return !bd_sid_none(one) && one->bytes[1] == other->bytes[1] && memcmp(one->bytes, other->bytes, bd_sid_length(one)) == 0;
}

BOOL bd_sid_from(bd_sid *to, const void *sid) {
  const BYTE *bytes = sid;
  memset(to, 0, sizeof(*to));
  if (!bytes || bytes[0] != 1 || bytes[1] > 15) return FALSE;
  memcpy(to->bytes, bytes, 8 + 4u * bytes[1]);
  return TRUE;
}

bd_sid bd_sid_make(BYTE authority, int count, ...) {
  bd_sid sid;
  va_list list;
  memset(&sid, 0, sizeof(sid));
  sid.bytes[0] = 1;
  sid.bytes[1] = (BYTE)count;
  sid.bytes[7] = authority;
  va_start(list, count);
  for (int i = 0; i < count; i++) {
    DWORD part = va_arg(list, DWORD);
    memcpy(sid.bytes + 8 + 4 * i, &part, 4);
  }
  va_end(list);
  return sid;
}

static BOOL parse_numbers(const char *text, const char *end, bd_sid *sid) {
  char *next;
  unsigned long long authority;
  if (end - text < 5 || (text[0] != 'S' && text[0] != 's') || strncmp(text + 1, "-1-", 3) != 0) return FALSE;
  memset(sid, 0, sizeof(*sid));
  sid->bytes[0] = 1;
  authority = strtoull(text + 4, &next, 0);
  for (int i = 0; i < 6; i++) sid->bytes[7 - i] = (BYTE)(authority >> (8 * i));
  while (next < end && *next == '-') {
    const char *from = next + 1;
    unsigned long long value = strtoull(from, &next, 10);
    DWORD part = (DWORD)value;
    if (next == from || value > 0xffffffffull || sid->bytes[1] == 15) return FALSE;
    memcpy(sid->bytes + 8 + 4 * sid->bytes[1]++, &part, 4);
  }
  return next == end && sid->bytes[1] > 0;
}

BOOL bd_sid_parse(const char *text, const char *end, bd_sid *sid) {
  if (!end) end = text + strlen(text);
  if (end - text == 2) {
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
      if (memcmp(names[i].name, text, 2) == 0) return parse_numbers(names[i].sid, names[i].sid + strlen(names[i].sid), sid);
    }
    return FALSE;
  }
  return parse_numbers(text, end, sid);
}

void bd_sid_print(const bd_sid *sid, char text[BD_SID_TEXT]) {
  unsigned long long authority = 0;
  int at;
  if (bd_sid_none(sid)) {
    strcpy(text, "-");
    return;
  }
  for (int i = 2; i < 8; i++) authority = authority << 8 | sid->bytes[i];
  at = snprintf(text, BD_SID_TEXT, "S-1-%llu", authority);
  for (int i = 0; i < sid->bytes[1]; i++) {
    DWORD part;
    memcpy(&part, sid->bytes + 8 + 4 * i, 4);
    at += snprintf(text + at, BD_SID_TEXT - (size_t)at, "-%lu", part);
  }
}
