#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char name[3];
  DWORD value;
} name_value;

static const name_value rights[] = {
    {"GA", GENERIC_ALL}, {"GR", GENERIC_READ}, {"GW", GENERIC_WRITE}, {"GX", GENERIC_EXECUTE}, {"RC", READ_CONTROL}, {"SD", DELETE},
    {"WD", WRITE_DAC},   {"WO", WRITE_OWNER},  {"CC", 0x1},           {"DC", 0x2},             {"LC", 0x4},          {"SW", 0x8},
    {"RP", 0x10},        {"WP", 0x20},         {"DT", 0x40},          {"LO", 0x80},            {"CR", 0x100},        {"FA", 0x1f01ff},
    {"FR", 0x120089},    {"FW", 0x120116},     {"FX", 0x1200a0},      {"KA", 0xf003f},         {"KR", 0x20019},      {"KW", 0x20006},
    {"KX", 0x20019},
};
static const name_value label_rights[] = {{"NW", 1}, {"NR", 2}, {"NX", 4}};
static const name_value ace_flags[] = {
    {"OI", OBJECT_INHERIT_ACE}, {"CI", CONTAINER_INHERIT_ACE}, {"NP", NO_PROPAGATE_INHERIT_ACE}, {"IO", INHERIT_ONLY_ACE}, {"ID", INHERITED_ACE},
};

/** Two-letter names one after the other, each of them known. */
static BOOL parse_names(const char *text, const char *end, const name_value *known, size_t count, DWORD *value) {
  *value = 0;
  for (; text < end; text += 2) {
    size_t i = 0;
    if (end - text < 2) return FALSE;
    while (i < count && memcmp(known[i].name, text, 2) != 0) i++;
    if (i == count) return FALSE;
    *value |= known[i].value;
  }
  return TRUE;
}

static BOOL parse_mask(const char *text, const char *end, BOOL label, DWORD *mask) {
  if (text < end && *text >= '0' && *text <= '9') {
    char *next;
    *mask = strtoul(text, &next, 0);
    return next == end;
  }
  if (label) return parse_names(text, end, label_rights, sizeof(label_rights) / sizeof(label_rights[0]), mask);
  return parse_names(text, end, rights, sizeof(rights) / sizeof(rights[0]), mask);
}

/** `type;flags;rights;;;sid` without its parentheses. */
static BOOL parse_ace(const char *text, const char *end, bd_sd *sd) {
  const char *field[7] = {text};
  DWORD flags, mask;
  bd_sid sid;
  int count = 1;
  for (const char *at = text; at < end; at++) {
    if (*at == ';' && count < 6) field[count++] = at + 1;
  }
  if (count != 6) return FALSE;
  field[6] = end + 1;
  BOOL label = field[1] - text == 3 && memcmp(text, "ML", 2) == 0;
  if (!parse_names(field[1], field[2] - 1, ace_flags, sizeof(ace_flags) / sizeof(ace_flags[0]), &flags)) return FALSE;
  if (field[4] - field[3] != 1 || field[5] - field[4] != 1) return FALSE;
  if (!parse_mask(field[2], field[3] - 1, label, &mask) || !bd_sid_parse(field[5], end, &sid)) return FALSE;
  if (label) {
    if (sid.bytes[1] != 1 || sid.bytes[7] != 16) return FALSE;
    sd->has_label = 1;
    sd->label_flags = (BYTE)flags;
    sd->label_policy = mask;
    memcpy(&sd->label_rid, sid.bytes + 8, 4);
    return TRUE;
  }
  if (field[1] - text != 2 || (*text != 'A' && *text != 'D')) return FALSE;
  return bd_add_ace(sd, *text == 'A' ? BD_ACE_ALLOW : BD_ACE_DENY, (BYTE)flags, mask, &sid);
}

static const char *parse_acl(const char *at, char part, bd_sd *sd) {
  if (part == 'D') sd->dacl = BD_DACL_PRESENT;
  while (*at && *at != '(') {
    if (strncmp(at, "NO_ACCESS_CONTROL", 17) == 0) {
      if (part == 'D') sd->dacl = BD_DACL_NULL;
      at += 17;
    } else if (at[0] == 'A' && (at[1] == 'I' || at[1] == 'R')) {
      if (part == 'D' && at[1] == 'I') sd->control |= SE_DACL_AUTO_INHERITED;
      at += 2;
    } else if (at[0] == 'P') {
      if (part == 'D') sd->control |= SE_DACL_PROTECTED;
      at++;
    } else {
      break;
    }
  }
  while (*at == '(') {
    const char *end = strchr(at, ')');
    if (!end || !parse_ace(at + 1, end, sd)) return NULL;
    at = end + 1;
  }
  return at;
}

BOOL bd_sddl_parse(const char *text, bd_sd *sd) {
  memset(sd, 0, sizeof(*sd));
  while (text && *text) {
    char part = *text;
    if (text[1] != ':') return FALSE;
    text += 2;
    if (part == 'O' || part == 'G') {
      const char *end = text;
      while (*end && !(end[0] && end[1] == ':')) end++;
      if (!bd_sid_parse(text, end, part == 'O' ? &sd->owner : &sd->group)) return FALSE;
      text = end;
    } else if (part == 'D' || part == 'S') {
      text = parse_acl(text, part, sd);
    } else {
      return FALSE;
    }
  }
  return text != NULL;
}

static const char *flag_text(BYTE flags, char text[16]) {
  text[0] = 0;
  for (size_t i = 0; i < sizeof(ace_flags) / sizeof(ace_flags[0]); i++) {
    if (flags & ace_flags[i].value) strcat(text, ace_flags[i].name);
  }
  return text;
}

size_t bd_sddl_print(const bd_sd *sd, char *text, size_t size) {
  char sid[BD_SID_TEXT], flags[16];
  size_t at = 0;
#define ADD(...) at += (size_t)snprintf(text + (at < size ? at : size), at < size ? size - at : 0, __VA_ARGS__)
  if (size) text[0] = 0;
  if (!bd_sid_none(&sd->owner)) {
    bd_sid_print(&sd->owner, sid);
    ADD("O:%s", sid);
  }
  if (!bd_sid_none(&sd->group)) {
    bd_sid_print(&sd->group, sid);
    ADD("G:%s", sid);
  }
  if (sd->dacl != BD_DACL_ABSENT) {
    ADD("D:%s%s%s", sd->control & SE_DACL_PROTECTED ? "P" : "", sd->control & SE_DACL_AUTO_INHERITED ? "AI" : "",
        sd->dacl == BD_DACL_NULL ? "NO_ACCESS_CONTROL" : "");
    for (int i = 0; i < sd->ace_count; i++) {
      bd_sid_print(&sd->aces[i].sid, sid);
      ADD("(%c;%s;0x%lx;;;%s)", sd->aces[i].type == BD_ACE_ALLOW ? 'A' : 'D', flag_text(sd->aces[i].flags, flags), sd->aces[i].mask, sid);
    }
  }
  if (sd->has_label) ADD("S:(ML;%s;0x%lx;;;S-1-16-%lu)", flag_text(sd->label_flags, flags), sd->label_policy, sd->label_rid);
#undef ADD
  return at < size ? at : 0;
}
