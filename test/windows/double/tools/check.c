/*
 * double-check.exe <file>
 *
 * Evaluates the cases that test/windows/oracle writes down with the doubles' own code, and prints one line for each. Fields are separated by tabs:
 *
 *   access   id  SDDL  token…  desired  mapping            -> id status granted
 *   file     id  SDDL  parent's SDDL  token…  desired      -> id status granted
 *   inherit  id  parent's SDDL  file|directory  owner  own SDDL, may be empty    -> id SDDL
 *   clear                                                  forgets all sublayers and filters
 *   sublayer name  weight
 *   filter   layer  sublayer  weight class or "-"  block|permit  hard|soft  condition…       -> "refused" and the error, if it is
 *   flow     id  layer  token…  protocol  local address  local port  remote address  remote port  flags   -> id block|permit
 *
 * A token is five fields: user, groups, restricting SIDs, flags and integrity, privileges. Lists are separated by commas; `!` before a SID: deny-only,
 * `~`: disabled; flags: `w` for write-restricted, then the RID. A condition is `field match value`.
 */
#include "../wfp/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 40 };

static char *fields[MAX_FIELDS];
static int field_count;
static bd_objects objects;
static char sublayer_names[BD_WFP_SUBLAYERS][32];

static void fail(const char *what, const char *text) {
  fprintf(stderr, "double-check: %s: %s\n", what, text);
  exit(2);
}

static const char *field(int index) {
  if (index >= field_count) fail("too few fields", fields[1]);
  return fields[index];
}

static void parse_sd(const char *text, bd_sd *sd) {
  if (!bd_sddl_parse(text, sd)) fail("SDDL", text);
}

static bd_sid parse_sid(const char *text, const char *end) {
  bd_sid sid;
  if (!bd_sid_parse(text, end, &sid)) fail("SID", text);
  return sid;
}

static const char *end_of_item(const char *text) {
  const char *comma = strchr(text, ',');
  return comma ? comma : text + strlen(text);
}

static void parse_token(int at, bd_token *token) {
  memset(token, 0, sizeof(*token));
  const char *user = field(at);
  if (*user == '!') token->user_attributes = SE_GROUP_USE_FOR_DENY_ONLY;
  token->user = parse_sid(user + (*user == '!'), NULL);
  for (const char *item = field(at + 1); *item; item = *end_of_item(item) ? end_of_item(item) + 1 : end_of_item(item)) {
    bd_group *group = &token->groups[token->group_count++];
    group->attributes = *item == '!' ? SE_GROUP_USE_FOR_DENY_ONLY : *item == '~' ? 0 : SE_GROUP_ENABLED;
    group->sid = parse_sid(item + (*item == '!' || *item == '~'), end_of_item(item));
  }
  for (const char *item = field(at + 2); *item; item = *end_of_item(item) ? end_of_item(item) + 1 : end_of_item(item)) {
    token->restricted[token->restricted_count++] = parse_sid(item, end_of_item(item));
  }
  const char *flags = field(at + 3);
  if (*flags == 'w') token->flags |= BD_TOKEN_WRITE_RESTRICTED;
  token->integrity = strtoul(flags + (*flags == 'w'), NULL, 0);
  for (const char *item = field(at + 4); *item; item = *end_of_item(item) ? end_of_item(item) + 1 : end_of_item(item)) {
    token->privileges |= BD_PRIVILEGE(strtoul(item, NULL, 10));
  }
}

static const GENERIC_MAPPING *mapping(const char *name) {
  if (strcmp(name, "file") == 0) return &bd_map_file;
  if (strcmp(name, "process") == 0) return &bd_map_process;
  if (strcmp(name, "thread") == 0) return &bd_map_thread;
  if (strcmp(name, "token") == 0) return &bd_map_token;
  if (strcmp(name, "wfp") == 0) return &bd_map_wfp;
  fail("mapping", name);
  return NULL;
}

static void check_access(void) {
  bd_sd sd;
  bd_token token;
  ACCESS_MASK granted;
  parse_sd(field(2), &sd);
  parse_token(3, &token);
  NTSTATUS status = bd_access_check(&sd, &token, strtoul(field(8), NULL, 0), mapping(field(9)), &granted);
  printf("%s 0x%lx 0x%lx\n", field(1), (DWORD)status, granted);
}

static void check_file(void) {
  bd_sd sd, parent;
  bd_token token;
  ACCESS_MASK granted;
  parse_sd(field(2), &sd);
  parse_sd(field(3), &parent);
  parse_token(4, &token);
  NTSTATUS status = bd_file_check(&sd, bd_through_parent(&parent, &token), &token, strtoul(field(9), NULL, 0), &granted);
  printf("%s 0x%lx 0x%lx\n", field(1), (DWORD)status, granted);
}

static void check_inheritance(void) {
  bd_sd parent, own, child;
  char text[16384];
  BOOL container = strcmp(field(3), "directory") == 0;
  const bd_sid none = {{0}};
  parse_sd(field(2), &parent);
  const char *given = field_count > 5 ? field(5) : "";
  if (*given) {
    parse_sd(given, &own);
    own.owner = parse_sid(field(4), NULL);
    if (!bd_merge(&own, &parent, container, &child)) fail("merge", field(1));
  } else {
    bd_sid owner = parse_sid(field(4), NULL);
    if (!bd_inherit(&parent, container, &owner, &none, &child)) fail("inherit", field(1));
  }
  if (!bd_sddl_print(&child, text, sizeof(text))) fail("print", field(1));
  printf("%s %s\n", field(1), text);
}

static const char *const layer_names[BD_LAYERS] = {"connect-v4", "connect-v6", "accept-v4", "accept-v6", "listen-v4", "listen-v6", "assign-v4", "assign-v6"};
static const char *const field_names[BD_FIELDS] = {"user", "app", "protocol", "local-address", "local-port", "remote-address", "remote-port", "flags"};
static const char *const match_names[] = {"equal", "greater", "less", "greater-or-equal", "less-or-equal", "range",
                                          "all-set", "any-set", "none-set", "equal-case-insensitive", "not-equal"};

static int index_of(const char *text, size_t length, const char *const *names, int count) {
  for (int i = 0; i < count; i++) {
    if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) return i;
  }
  fail("name", text);
  return 0;
}

static GUID sublayer_key(const char *name) {
  GUID key = {0x5b1a0000, 0, 0, {0}};
  for (int i = 0; i < BD_WFP_SUBLAYERS; i++) {
    if (!sublayer_names[i][0]) strncpy(sublayer_names[i], name, 31);
    if (strcmp(sublayer_names[i], name) == 0) {
      key.Data2 = (USHORT)i;
      return key;
    }
  }
  fail("sublayer", name);
  return key;
}

static bd_number parse_address(const char *text) {
  unsigned a, b, c, d;
  bd_number number;
  if (sscanf(text, "%u.%u.%u.%u", &a, &b, &c, &d) == 4) return bd_number_of((ULONGLONG)a << 24 | b << 16 | c << 8 | d, 4);
  /* IPv6 is written as 32 digits, so that nobody has to agree on abbreviations. */
  memset(&number, 0, sizeof(number));
  for (int i = 0; i < 16; i++) {
    char digits[3] = {text[2 * i], text[2 * i] ? text[2 * i + 1] : 0, 0};
    number.bytes[i] = (BYTE)strtoul(digits, NULL, 16);
  }
  return number;
}

/** Memory that the API's structures point to; a test program may keep it. */
static void *keep(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) exit(3);
  return memory;
}

static UINT32 v4(const bd_number *number) {
  return (UINT32)number->bytes[12] << 24 | number->bytes[13] << 16 | number->bytes[14] << 8 | number->bytes[15];
}

static void address_value(const char *text, FWP_CONDITION_VALUE0 *value) {
  BOOL v6 = strchr(text, '.') == NULL;
  const char *slash = strchr(text, '/');
  bd_number number = parse_address(text);
  if (!slash && v6) {
    value->type = FWP_BYTE_ARRAY16_TYPE;
    value->byteArray16 = keep(16);
    memcpy(value->byteArray16->byteArray16, number.bytes, 16);
  } else if (!slash) {
    value->type = FWP_UINT32;
    value->uint32 = v4(&number);
  } else if (v6) {
    value->type = FWP_V6_ADDR_MASK;
    value->v6AddrMask = keep(sizeof(*value->v6AddrMask));
    memcpy(value->v6AddrMask->addr, number.bytes, 16);
    value->v6AddrMask->prefixLength = (UINT8)atoi(slash + 1);
  } else {
    value->type = FWP_V4_ADDR_MASK;
    value->v4AddrMask = keep(sizeof(*value->v4AddrMask));
    value->v4AddrMask->addr = v4(&number);
    value->v4AddrMask->mask = atoi(slash + 1) ? 0xffffffffu << (32 - atoi(slash + 1)) : 0;
  }
}

static void user_value(const char *text, FWP_CONDITION_VALUE0 *value) {
  bd_sd sd;
  parse_sd(text, &sd);
  SECURITY_INFORMATION all = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
  ULONG size = bd_sd_to(&sd, all, NULL, 0);
  value->type = FWP_SECURITY_DESCRIPTOR_TYPE;
  value->sd = keep(sizeof(*value->sd));
  value->sd->data = keep(size);
  value->sd->size = size;
  bd_sd_to(&sd, all, value->sd->data, size);
}

static void port_range(const char *text, FWP_CONDITION_VALUE0 *value) {
  value->type = FWP_RANGE_TYPE;
  value->rangeValue = keep(sizeof(*value->rangeValue));
  value->rangeValue->valueLow.type = value->rangeValue->valueHigh.type = FWP_UINT16;
  value->rangeValue->valueLow.uint16 = (UINT16)atoi(text);
  value->rangeValue->valueHigh.uint16 = (UINT16)atoi(strchr(text, '-') ? strchr(text, '-') + 1 : text);
}

static void parse_condition(const char *text, FWPM_FILTER_CONDITION0 *condition) {
  const char *match = strchr(text, ' '), *value = match ? strchr(match + 1, ' ') : NULL;
  if (!value) fail("condition", text);
  int which = index_of(text, (size_t)(match - text), field_names, BD_FIELDS);
  condition->fieldKey = bd_field_keys[which];
  condition->matchType = index_of(match + 1, (size_t)(value - match - 1), match_names, 11);
  value++;
  FWP_CONDITION_VALUE0 *to = &condition->conditionValue;
  if (which == BD_USER) user_value(value, to);
  else if (which == BD_LOCAL_ADDRESS || which == BD_REMOTE_ADDRESS) address_value(value, to);
  else if (condition->matchType == FWP_MATCH_RANGE) port_range(value, to);
  else if (which == BD_PROTOCOL) {
    to->type = FWP_UINT8;
    to->uint8 = (UINT8)strtoul(value, NULL, 0);
  } else if (which == BD_FLAGS) {
    to->type = FWP_UINT32;
    to->uint32 = strtoul(value, NULL, 0);
  } else {
    to->type = FWP_UINT16;
    to->uint16 = (UINT16)strtoul(value, NULL, 0);
  }
}

static void add_sublayer(void) {
  for (int i = 0; i < BD_WFP_SUBLAYERS; i++) {
    bd_sublayer *sublayer = &objects.sublayers[i];
    if (sublayer->used) continue;
    sublayer->used = 1;
    sublayer->key = sublayer_key(field(1));
    sublayer->weight = (WORD)strtoul(field(2), NULL, 0);
    return;
  }
}

static void add_filter(void) {
  static WCHAR name[] = L"case";
  FWPM_FILTER_CONDITION0 conditions[BD_WFP_CONDITIONS];
  FWPM_FILTER0 filter;
  memset(&filter, 0, sizeof(filter));
  memset(conditions, 0, sizeof(conditions));
  filter.displayData.name = name;
  filter.layerKey = bd_layer_keys[index_of(field(1), strlen(field(1)), layer_names, BD_LAYERS)];
  filter.subLayerKey = sublayer_key(field(2));
  if (strcmp(field(3), "-") != 0) {
    filter.weight.type = FWP_UINT8;
    filter.weight.uint8 = (UINT8)atoi(field(3));
  }
  filter.action.type = strcmp(field(4), "block") == 0 ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT;
  filter.flags = strcmp(field(5), "hard") == 0 ? FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT : 0;
  filter.filterCondition = conditions;
  for (int i = 6; i < field_count && filter.numFilterConditions < BD_WFP_CONDITIONS; i++) {
    if (*field(i)) parse_condition(field(i), &conditions[filter.numFilterConditions++]);
  }
  for (int i = 0; i < BD_WFP_FILTERS; i++) {
    if (objects.filters[i].used) continue;
    DWORD error = bd_api_filter(&filter, &objects.filters[i]);
    objects.filters[i].used = error == 0;
    objects.filters[i].id = (ULONGLONG)i + 1;
    if (error) printf("refused 0x%lx\n", error);
    return;
  }
}

static void check_flow(void) {
  bd_token token;
  ULONGLONG by;
  bd_flow flow = {.token = &token};
  flow.layer = index_of(field(2), strlen(field(2)), layer_names, BD_LAYERS);
  parse_token(3, &token);
  flow.protocol = strtoul(field(8), NULL, 0);
  flow.local = parse_address(field(9));
  flow.local_port = strtoul(field(10), NULL, 0);
  flow.remote = parse_address(field(11));
  flow.remote_port = strtoul(field(12), NULL, 0);
  flow.flags = strtoul(field(13), NULL, 0);
  printf("%s %s\n", field(1), bd_wfp_blocks(&objects, &flow, &by) ? "block" : "permit");
}

static void split(char *line) {
  field_count = 0;
  for (char *at = line; at && field_count < MAX_FIELDS;) {
    fields[field_count++] = at;
    at = strchr(at, '\t');
    if (at) *at++ = 0;
  }
}

static void evaluate(void) {
  const char *kind = fields[0];
  if (strcmp(kind, "access") == 0) check_access();
  else if (strcmp(kind, "file") == 0) check_file();
  else if (strcmp(kind, "inherit") == 0) check_inheritance();
  else if (strcmp(kind, "clear") == 0) memset(&objects, 0, sizeof(objects));
  else if (strcmp(kind, "sublayer") == 0) add_sublayer();
  else if (strcmp(kind, "filter") == 0) add_filter();
  else if (strcmp(kind, "flow") == 0) check_flow();
  else fail("kind", kind);
}

int wmain(int count, WCHAR **arguments);

int wmain(int count, WCHAR **arguments) {
  static char line[16384];
  FILE *file = count == 2 ? _wfopen(arguments[1], L"rb") : NULL;
  if (!file) fail("usage", "double-check <file>");
  while (fgets(line, sizeof(line), file)) {
    line[strcspn(line, "\r\n")] = 0;
    if (!line[0]) continue;
    split(line);
    evaluate();
  }
  /* A crash inside Wine can end with 0: without this line the run does not count. */
  printf("double-check: end\n");
  return 0;
}
