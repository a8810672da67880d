#include "api.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 63 };

static DWORD layer_of(const GUID *key, enum bd_layer *layer) {
  for (int i = 0; i < BD_LAYERS; i++) {
    if (memcmp(&bd_layer_keys[i], key, sizeof(GUID)) != 0) continue;
    *layer = (enum bd_layer)i;
    return 0;
  }
  return E_LAYER_NOT_FOUND;
}

static DWORD field_of(const GUID *key, enum bd_layer layer, enum bd_field *field) {
  for (int i = 0; i < BD_FIELDS; i++) {
    if (memcmp(&bd_field_keys[i], key, sizeof(GUID)) != 0) continue;
    *field = (enum bd_field)i;
    return bd_layer_fields(layer) & (1u << i) ? 0 : E_CONDITION_NOT_FOUND;
  }
  return E_CONDITION_NOT_FOUND;
}

static BOOL is_v6(enum bd_layer layer) {
  return layer == BD_CONNECT_V6 || layer == BD_ACCEPT_V6 || layer == BD_LISTEN_V6 || layer == BD_ASSIGN_V6;
}

/** The type that a field's value has ("Filtering Conditions Available at Each Filtering Layer"). */
static FWP_DATA_TYPE type_of(enum bd_field field, enum bd_layer layer) {
  switch (field) {
    case BD_USER: return FWP_SECURITY_DESCRIPTOR_TYPE;
    case BD_APP: return FWP_BYTE_BLOB_TYPE;
    case BD_PROTOCOL: return FWP_UINT8;
    case BD_LOCAL_PORT:
    case BD_REMOTE_PORT: return FWP_UINT16;
    case BD_FLAGS: return FWP_UINT32;
    default: return is_v6(layer) ? FWP_BYTE_ARRAY16_TYPE : FWP_UINT32;
  }
}

static DWORD plain_value(FWP_DATA_TYPE type, const FWP_VALUE0 *value, bd_number *number) {
  if (value->type != type) return E_TYPE;
  switch (type) {
    case FWP_UINT8: *number = bd_number_of(value->uint8, 4); return 0;
    case FWP_UINT16: *number = bd_number_of(value->uint16, 4); return 0;
    case FWP_UINT32: *number = bd_number_of(value->uint32, 4); return 0;
    case FWP_BYTE_ARRAY16_TYPE:
      if (!value->byteArray16) return E_NULL_POINTER;
      memcpy(number->bytes, value->byteArray16->byteArray16, 16);
      return 0;
    default: return E_TYPE;
  }
}

static bd_number prefix_mask(int bits) {
  bd_number mask;
  for (int i = 0; i < 16; i++) mask.bytes[i] = bits >= 8 * (i + 1) ? 0xff : bits <= 8 * i ? 0 : (BYTE)(0xff00 >> (bits - 8 * i));
  return mask;
}

static DWORD address_under_mask(const FWP_CONDITION_VALUE0 *value, enum bd_layer layer, bd_condition *condition) {
  condition->masked = 1;
  if (condition->match != FWP_MATCH_EQUAL && condition->match != FWP_MATCH_NOT_EQUAL) return E_MATCH_TYPE;
  if (value->type == FWP_V4_ADDR_MASK && !is_v6(layer)) {
    condition->low = bd_number_of(value->v4AddrMask->addr, 4);
    condition->high = bd_number_of(value->v4AddrMask->mask, 4);
    return 0;
  }
  if (value->type == FWP_V6_ADDR_MASK && is_v6(layer)) {
    if (value->v6AddrMask->prefixLength > 128) return E_OUT_OF_BOUNDS;
    memcpy(condition->low.bytes, value->v6AddrMask->addr, 16);
    condition->high = prefix_mask(value->v6AddrMask->prefixLength);
    return 0;
  }
  return E_TYPE;
}

static DWORD convert_condition(const FWPM_FILTER_CONDITION0 *given, enum bd_layer layer, bd_filter *filter, bd_condition *condition) {
  const FWP_CONDITION_VALUE0 *value = &given->conditionValue;
  FWP_VALUE0 plain;
  enum bd_field field;
  DWORD error = field_of(&given->fieldKey, layer, &field);
  if (error) return error;
  memset(condition, 0, sizeof(*condition));
  condition->field = (BYTE)field;
  condition->match = (BYTE)given->matchType;
  condition->type = (BYTE)value->type;
  if (given->matchType >= FWP_MATCH_TYPE_MAX) return E_MATCH_TYPE;
  if (field == BD_USER) {
    if (value->type != FWP_SECURITY_DESCRIPTOR_TYPE) return E_TYPE;
    if (given->matchType != FWP_MATCH_EQUAL && given->matchType != FWP_MATCH_NOT_EQUAL) return E_MATCH_TYPE;
    bd_sd sd;
    if (!value->sd || !value->sd->data || value->sd->size > BD_WFP_SD || !bd_sd_from(&sd, value->sd->data)) return ERROR_INVALID_SECURITY_DESCR;
    memcpy(filter->sd, value->sd->data, value->sd->size);
    return 0;
  }
  if (field == BD_APP) return value->type == FWP_BYTE_BLOB_TYPE ? 0 : E_TYPE;
  if (value->type == FWP_V4_ADDR_MASK || value->type == FWP_V6_ADDR_MASK) {
    if (field != BD_LOCAL_ADDRESS && field != BD_REMOTE_ADDRESS) return E_TYPE;
    return address_under_mask(value, layer, condition);
  }
  if (value->type == FWP_RANGE_TYPE) {
    if (given->matchType != FWP_MATCH_RANGE) return E_MATCH_TYPE;
    if (!value->rangeValue) return E_NULL_POINTER;
    error = plain_value(type_of(field, layer), &value->rangeValue->valueLow, &condition->low);
    return error ? error : plain_value(type_of(field, layer), &value->rangeValue->valueHigh, &condition->high);
  }
  if (given->matchType == FWP_MATCH_RANGE) return E_MATCH_TYPE;
  BOOL by_bits = given->matchType >= FWP_MATCH_FLAGS_ALL_SET && given->matchType <= FWP_MATCH_FLAGS_NONE_SET;
  if (by_bits && field != BD_FLAGS) return E_MATCH_TYPE;
  memcpy(&plain, value, sizeof(plain));
  return plain_value(type_of(field, layer), &plain, &condition->low);
}

/** "Filter Weight Assignment": a class 0-15 fills the highest four bits, and more conditions weigh more within it. */
static DWORD convert_weight(const FWP_VALUE0 *weight, DWORD conditions, ULONGLONG *value) {
  switch (weight->type) {
    case FWP_EMPTY: *value = (ULONGLONG)conditions << 32; return 0;
    case FWP_UINT8:
      if (weight->uint8 > 15) return E_INVALID_WEIGHT;
      *value = (ULONGLONG)weight->uint8 << 60 | (ULONGLONG)conditions << 32;
      return 0;
    case FWP_UINT64:
      if (!weight->uint64) return E_NULL_POINTER;
      *value = *weight->uint64;
      return 0;
    default: return E_INVALID_WEIGHT;
  }
}

DWORD bd_api_filter(const FWPM_FILTER0 *given, bd_filter *filter) {
  enum bd_layer layer;
  if (!given) return E_NULL_POINTER;
  memset(filter, 0, sizeof(*filter));
  if (!given->displayData.name) return E_NULL_NAME;
  DWORD error = layer_of(&given->layerKey, &layer);
  if (error) return error;
  if (given->action.type != FWP_ACTION_BLOCK && given->action.type != FWP_ACTION_PERMIT) return E_INVALID_ACTION;
  if (given->numFilterConditions > BD_WFP_CONDITIONS) return ERROR_NOT_ENOUGH_MEMORY;
  if (given->numFilterConditions && !given->filterCondition) return E_NULL_POINTER;
  BOOL user = FALSE;
  for (UINT32 i = 0; i < given->numFilterConditions; i++) {
    bd_condition *condition = &filter->conditions[filter->condition_count++];
    error = convert_condition(&given->filterCondition[i], layer, filter, condition);
    if (error) return error;
    /* One descriptor is kept; two would have to be told apart. */
    if (condition->field == BD_USER && user) return E_DUPLICATE_CONDITION;
    user |= condition->field == BD_USER;
  }
  error = convert_weight(&given->weight, filter->condition_count, &filter->weight);
  if (error) return error;
  filter->layer = layer;
  filter->layer_key = given->layerKey;
  filter->key = given->filterKey;
  filter->sublayer = given->subLayerKey;
  filter->action = given->action.type;
  filter->flags = given->flags;
  filter->has_provider = given->providerKey != NULL;
  if (given->providerKey) filter->provider = *given->providerKey;
  wcsncpy(filter->name, given->displayData.name, MAX_NAME);
  return 0;
}

FWPM_FILTER0 *bd_api_filter_copy(const bd_filter *filter) {
  struct {
    FWPM_FILTER0 filter;
    GUID provider;
    WCHAR name[64];
    UINT64 weight;
    FWPM_FILTER_CONDITION0 conditions[BD_WFP_CONDITIONS];
    FWP_BYTE_BLOB sd;
    FWP_BYTE_ARRAY16 arrays[BD_WFP_CONDITIONS];
    BYTE sd_bytes[BD_WFP_SD];
  } *copy = calloc(1, sizeof(*copy));
  if (!copy) return NULL;
  copy->filter.filterKey = filter->key;
  wcscpy(copy->name, filter->name);
  copy->filter.displayData.name = copy->name;
  copy->filter.flags = filter->flags;
  copy->provider = filter->provider;
  copy->filter.providerKey = filter->has_provider ? &copy->provider : NULL;
  copy->filter.layerKey = filter->layer_key;
  copy->filter.subLayerKey = filter->sublayer;
  copy->weight = filter->weight;
  copy->filter.weight.type = FWP_UINT64;
  copy->filter.weight.uint64 = &copy->weight;
  copy->filter.effectiveWeight = copy->filter.weight;
  copy->filter.action.type = filter->action;
  copy->filter.filterId = filter->id;
  copy->filter.numFilterConditions = filter->condition_count;
  copy->filter.filterCondition = copy->conditions;
  for (DWORD i = 0; i < filter->condition_count; i++) {
    const bd_condition *from = &filter->conditions[i];
    FWPM_FILTER_CONDITION0 *to = &copy->conditions[i];
    ULONGLONG number = 0;
    for (int b = 8; b < 16; b++) number = number << 8 | from->low.bytes[b];
    to->fieldKey = bd_field_keys[from->field];
    to->matchType = from->match;
    to->conditionValue.type = from->type;
    if (from->type == FWP_UINT8) to->conditionValue.uint8 = (UINT8)number;
    else if (from->type == FWP_UINT16) to->conditionValue.uint16 = (UINT16)number;
    else if (from->type == FWP_UINT32) to->conditionValue.uint32 = (UINT32)number;
    else if (from->type == FWP_BYTE_ARRAY16_TYPE) {
      memcpy(copy->arrays[i].byteArray16, from->low.bytes, 16);
      to->conditionValue.byteArray16 = &copy->arrays[i];
    } else if (from->type == FWP_SECURITY_DESCRIPTOR_TYPE) {
      memcpy(copy->sd_bytes, filter->sd, BD_WFP_SD);
      copy->sd.data = copy->sd_bytes;
      copy->sd.size = GetSecurityDescriptorLength(copy->sd_bytes);
      to->conditionValue.sd = &copy->sd;
    } else {
      /* Masks, ranges and names are not given back; saying nothing is better than something else. */
      to->conditionValue.type = FWP_EMPTY;
    }
  }
  return &copy->filter;
}
