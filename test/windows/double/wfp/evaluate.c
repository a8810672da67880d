/*
 * Filter arbitration as documented ("Filter Arbitration", "Filter Weight Assignment"): within a sublayer the heaviest filter that matches decides;
 * sublayers are asked from the heaviest down; a block overrides a permit, unless the permit took away the right to change it.
 */
#include "wfp.h"

#include <string.h>

#define KEY(l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) {0x##l, 0x##w1, 0x##w2, {0x##b1, 0x##b2, 0x##b3, 0x##b4, 0x##b5, 0x##b6, 0x##b7, 0x##b8}}

/* fwpmu.h of the Windows SDK: FWPM_LAYER_ALE_* and FWPM_CONDITION_*. Written down apart from the product's list, so that a slip in one shows. */
const GUID bd_layer_keys[BD_LAYERS] = {
    [BD_CONNECT_V4] = KEY(c38d57d1, 05a7, 4c33, 90, 4f, 7f, bc, ee, e6, 0e, 82),
    [BD_CONNECT_V6] = KEY(4a72393b, 319f, 44bc, 84, c3, ba, 54, dc, b3, b6, b4),
    [BD_ACCEPT_V4] = KEY(e1cd9fe7, f4b5, 4273, 96, c0, 59, 2e, 48, 7b, 86, 50),
    [BD_ACCEPT_V6] = KEY(a3b42c97, 9f04, 4672, b8, 7e, ce, e9, c4, 83, 25, 7f),
    [BD_LISTEN_V4] = KEY(88bb5dad, 76d7, 4227, 9c, 71, df, 0a, 3e, d7, be, 7e),
    [BD_LISTEN_V6] = KEY(7ac9de24, 17dd, 4814, b4, bd, a9, fb, c9, 5a, 32, 1b),
    [BD_ASSIGN_V4] = KEY(1247d66d, 0b60, 4a15, 8d, 44, 71, 55, d0, f5, 3a, 0c),
    [BD_ASSIGN_V6] = KEY(55a650e1, 5f0a, 4eca, a6, 53, 88, f5, 3b, 26, aa, 8c),
};
const GUID bd_field_keys[BD_FIELDS] = {
    [BD_USER] = KEY(af043a0a, b34d, 4f86, 97, 9c, c9, 03, 71, af, 6e, 66),
    [BD_APP] = KEY(d78e1e87, 8644, 4ea5, 94, 37, d8, 09, ec, ef, c9, 71),
    [BD_PROTOCOL] = KEY(3971ef2b, 623e, 4f9a, 8c, b1, 6e, 79, b8, 06, b9, a7),
    [BD_LOCAL_ADDRESS] = KEY(d9ee00de, c1ef, 4617, bf, e3, ff, d8, f5, a0, 89, 57),
    [BD_LOCAL_PORT] = KEY(0c1ba1af, 5765, 453f, af, 22, a8, f7, 91, ac, 77, 5b),
    [BD_REMOTE_ADDRESS] = KEY(b235ae9a, 1d64, 49b8, a4, 4c, 5f, f3, d9, 09, 50, 45),
    [BD_REMOTE_PORT] = KEY(c35a604d, d22b, 4e1a, 91, b4, 68, f6, 74, ee, 67, 4b),
    [BD_FLAGS] = KEY(632ce23b, 5167, 435c, 86, d7, e9, 03, 68, 4a, a8, 0c),
};

DWORD bd_layer_fields(enum bd_layer layer) {
  const DWORD always = 1u << BD_USER | 1u << BD_APP | 1u << BD_LOCAL_ADDRESS | 1u << BD_LOCAL_PORT | 1u << BD_FLAGS;
  switch (layer) {
    case BD_LISTEN_V4:
    case BD_LISTEN_V6: return always;
    case BD_ASSIGN_V4:
    case BD_ASSIGN_V6: return always | 1u << BD_PROTOCOL;
    default: return always | 1u << BD_PROTOCOL | 1u << BD_REMOTE_ADDRESS | 1u << BD_REMOTE_PORT;
  }
}

bd_number bd_number_of(ULONGLONG value, int bytes) {
  bd_number number;
  memset(&number, 0, sizeof(number));
  for (int i = 0; i < bytes; i++) number.bytes[15 - i] = (BYTE)(value >> (8 * i));
  return number;
}

static bd_number value_of(const bd_flow *flow, enum bd_field field) {
  switch (field) {
    case BD_PROTOCOL: return bd_number_of(flow->protocol, 4);
    case BD_LOCAL_ADDRESS: return flow->local;
    case BD_LOCAL_PORT: return bd_number_of(flow->local_port, 4);
    case BD_REMOTE_ADDRESS: return flow->remote;
    case BD_REMOTE_PORT: return bd_number_of(flow->remote_port, 4);
    case BD_FLAGS: return bd_number_of(flow->flags, 4);
    default: return bd_number_of(0, 0);
  }
}

static BOOL equal_under(const bd_number *value, const bd_number *wanted, const bd_number *mask) {
  for (int i = 0; i < 16; i++) {
    if ((value->bytes[i] ^ wanted->bytes[i]) & mask->bytes[i]) return FALSE;
  }
  return TRUE;
}

static BOOL matches(const bd_filter *filter, const bd_condition *condition, const bd_flow *flow) {
  if (condition->field == BD_USER) {
    bd_sd sd;
    ACCESS_MASK granted;
    return bd_sd_from(&sd, filter->sd) && bd_access_check(&sd, flow->token, FWP_ACTRL_MATCH_FILTER, &bd_map_wfp, &granted) == 0;
  }
  /* What application asks is not emulated: a filter for one application matches none. */
  if (condition->field == BD_APP) return FALSE;
  bd_number value = value_of(flow, condition->field);
  int low = memcmp(value.bytes, condition->low.bytes, 16);
  if (condition->masked) {
    BOOL equal = equal_under(&value, &condition->low, &condition->high);
    return condition->match == FWP_MATCH_NOT_EQUAL ? !equal : equal;
  }
  DWORD bits = 0, wanted = 0;
  for (int i = 12; i < 16; i++) {
    bits = bits << 8 | value.bytes[i];
    wanted = wanted << 8 | condition->low.bytes[i];
  }
  switch (condition->match) {
    case FWP_MATCH_EQUAL: return low == 0;
    case FWP_MATCH_NOT_EQUAL: return low != 0;
    case FWP_MATCH_GREATER: return low > 0;
    case FWP_MATCH_LESS: return low < 0;
    case FWP_MATCH_GREATER_OR_EQUAL: return low >= 0;
    case FWP_MATCH_LESS_OR_EQUAL: return low <= 0;
    case FWP_MATCH_RANGE: return low >= 0 && memcmp(value.bytes, condition->high.bytes, 16) <= 0;
    case FWP_MATCH_FLAGS_ALL_SET: return (bits & wanted) == wanted;
    case FWP_MATCH_FLAGS_ANY_SET: return (bits & wanted) != 0;
    case FWP_MATCH_FLAGS_NONE_SET: return (bits & wanted) == 0;
    default: return FALSE;
  }
}

/** Conditions on one field are alternatives; every field that is named must match. */
static BOOL filter_matches(const bd_filter *filter, const bd_flow *flow) {
  DWORD named = 0, matched = 0;
  for (DWORD i = 0; i < filter->condition_count; i++) {
    DWORD bit = 1u << filter->conditions[i].field;
    named |= bit;
    if (!(matched & bit) && matches(filter, &filter->conditions[i], flow)) matched |= bit;
  }
  return named == matched;
}

static const bd_filter *heaviest(const bd_objects *objects, const GUID *sublayer, const bd_flow *flow) {
  const bd_filter *best = NULL;
  for (int i = 0; i < BD_WFP_FILTERS; i++) {
    const bd_filter *filter = &objects->filters[i];
    if (!filter->used || filter->layer != (DWORD)flow->layer || memcmp(&filter->sublayer, sublayer, sizeof(GUID)) != 0) continue;
    if ((best && best->weight >= filter->weight) || !filter_matches(filter, flow)) continue;
    best = filter;
  }
  return best;
}

BOOL bd_wfp_blocks(const bd_objects *objects, const bd_flow *flow, ULONGLONG *by) {
  BYTE asked[BD_WFP_SUBLAYERS] = {0};
  BOOL block = FALSE;
  *by = 0;
  for (;;) {
    int next = -1;
    for (int i = 0; i < BD_WFP_SUBLAYERS; i++) {
      const bd_sublayer *sublayer = &objects->sublayers[i];
      if (sublayer->used && !asked[i] && (next < 0 || sublayer->weight > objects->sublayers[next].weight)) next = i;
    }
    if (next < 0) return block;
    asked[next] = 1;
    const bd_filter *filter = heaviest(objects, &objects->sublayers[next].key, flow);
    if (!filter) continue;
    if (filter->action == FWP_ACTION_BLOCK) {
      block = TRUE;
      *by = filter->id;
    } else if (!block) {
      *by = filter->id;
    }
    /* Nobody after a block or after a permit that stands can change it. */
    if (block || (filter->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT)) return block;
  }
}
