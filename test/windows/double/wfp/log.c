/* Filters as they were passed, before anything is judged: a test reads from this what the product asked for. */
#include "api.h"

#include <stdio.h>
#include <string.h>

static const char *const layers[BD_LAYERS] = {"connect-v4", "connect-v6", "accept-v4", "accept-v6", "listen-v4", "listen-v6", "assign-v4", "assign-v6"};
static const char *const fields[BD_FIELDS] = {"user", "app", "protocol", "local-address", "local-port", "remote-address", "remote-port", "flags"};
static const char *const matches[] = {"equal", "greater", "less", "greater-or-equal", "less-or-equal", "range",
                                      "all-set", "any-set", "none-set", "equal-case-insensitive", "not-equal"};

static void put_layer(bd_record *record, const GUID *key) {
  for (int i = 0; i < BD_LAYERS; i++) {
    if (memcmp(&bd_layer_keys[i], key, sizeof(GUID)) == 0) {
      bd_put_text(record, "layer", layers[i]);
      return;
    }
  }
  bd_put_guid(record, "layer", key);
}

static void put_field(bd_record *record, const GUID *key) {
  for (int i = 0; i < BD_FIELDS; i++) {
    if (memcmp(&bd_field_keys[i], key, sizeof(GUID)) == 0) {
      bd_put_text(record, "field", fields[i]);
      return;
    }
  }
  bd_put_guid(record, "field", key);
}

static void put_v4(bd_record *record, const char *name, UINT32 address) {
  char text[20];
  snprintf(text, sizeof(text), "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
  bd_put_text(record, name, text);
}

static void put_v6(bd_record *record, const char *name, const UINT8 *bytes) {
  char text[40];
  for (int i = 0; i < 16; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  bd_put_text(record, name, text);
}

static void put_value(bd_record *record, const GUID *field, const FWP_CONDITION_VALUE0 *value) {
  bd_sd sd;
  char text[4096];
  BOOL address = memcmp(field, &bd_field_keys[BD_REMOTE_ADDRESS], sizeof(GUID)) == 0 || memcmp(field, &bd_field_keys[BD_LOCAL_ADDRESS], sizeof(GUID)) == 0;
  bd_put_number(record, "type", value->type);
  switch (value->type) {
    case FWP_UINT8: bd_put_number(record, "value", value->uint8); break;
    case FWP_UINT16: bd_put_number(record, "value", value->uint16); break;
    case FWP_UINT32:
      if (address) put_v4(record, "value", value->uint32);
      else bd_put_number(record, "value", value->uint32);
      break;
    case FWP_BYTE_ARRAY16_TYPE: put_v6(record, "value", value->byteArray16->byteArray16); break;
    case FWP_V4_ADDR_MASK:
      put_v4(record, "value", value->v4AddrMask->addr);
      put_v4(record, "mask", value->v4AddrMask->mask);
      break;
    case FWP_V6_ADDR_MASK:
      put_v6(record, "value", value->v6AddrMask->addr);
      bd_put_number(record, "prefix", value->v6AddrMask->prefixLength);
      break;
    case FWP_SECURITY_DESCRIPTOR_TYPE:
      if (value->sd && value->sd->data && bd_sd_from(&sd, value->sd->data) && bd_sddl_print(&sd, text, sizeof(text))) bd_put_text(record, "value", text);
      break;
    case FWP_RANGE_TYPE:
      if (value->rangeValue->valueLow.type != FWP_UINT16) break;
      bd_put_number(record, "low", value->rangeValue->valueLow.uint16);
      bd_put_number(record, "high", value->rangeValue->valueHigh.uint16);
      break;
    default: break;
  }
}

void bd_api_log_filter(bd_record *record, const FWPM_FILTER0 *filter) {
  if (!filter) return;
  bd_put_guid(record, "key", &filter->filterKey);
  bd_put_wide(record, "name", filter->displayData.name, -1);
  put_layer(record, &filter->layerKey);
  bd_put_guid(record, "sublayer", &filter->subLayerKey);
  bd_put_guid(record, "provider", filter->providerKey);
  bd_put_hex(record, "flags", filter->flags);
  bd_put_number(record, "weightType", filter->weight.type);
  bd_put_number(record, "weight", filter->weight.type == FWP_UINT8 ? filter->weight.uint8 : filter->weight.type == FWP_UINT64 ? *filter->weight.uint64 : 0);
  bd_put_text(record, "action", filter->action.type == FWP_ACTION_BLOCK ? "block" : filter->action.type == FWP_ACTION_PERMIT ? "permit" : "other");
  bd_put_open(record, "conditions", '[');
  for (UINT32 i = 0; i < filter->numFilterConditions; i++) {
    const FWPM_FILTER_CONDITION0 *condition = &filter->filterCondition[i];
    bd_put_open(record, NULL, '{');
    put_field(record, &condition->fieldKey);
    bd_put_text(record, "match", condition->matchType < 11 ? matches[condition->matchType] : "other");
    put_value(record, &condition->fieldKey, &condition->conditionValue);
    bd_put_close(record, '}');
  }
  bd_put_close(record, ']');
}
