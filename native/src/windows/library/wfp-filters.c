#include "wfp-filters.h"

#include <sddl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What the system reads is these bytes, whatever a header calls them: "Windows Filtering Platform", learn.microsoft.com; x64. */
#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member)
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
SIZE(FWPM_FILTER0, 200);
AT(FWPM_FILTER0, flags, 32);
AT(FWPM_FILTER0, providerKey, 40);
AT(FWPM_FILTER0, layerKey, 64);
AT(FWPM_FILTER0, subLayerKey, 80);
AT(FWPM_FILTER0, weight, 96);
AT(FWPM_FILTER0, numFilterConditions, 112);
AT(FWPM_FILTER0, filterCondition, 120);
AT(FWPM_FILTER0, action, 128);
AT(FWPM_FILTER0, rawContext, 152);
AT(FWPM_FILTER0, filterId, 176);
AT(FWPM_FILTER0, effectiveWeight, 184);
SIZE(FWPM_FILTER_CONDITION0, 40);
AT(FWPM_FILTER_CONDITION0, matchType, 16);
AT(FWPM_FILTER_CONDITION0, conditionValue, 24);
SIZE(FWP_CONDITION_VALUE0, 16);
AT(FWP_CONDITION_VALUE0, uint32, 8);
SIZE(FWP_VALUE0, 16);
SIZE(FWP_BYTE_BLOB, 16);
SIZE(FWPM_ACTION0, 20);
SIZE(FWPM_DISPLAY_DATA0, 16);
SIZE(FWPM_SUBLAYER0, 72);
AT(FWPM_SUBLAYER0, flags, 32);
AT(FWPM_SUBLAYER0, providerKey, 40);
AT(FWPM_SUBLAYER0, weight, 64);
SIZE(FWPM_PROVIDER0, 64);
SIZE(FWPM_SESSION0, 72);
AT(FWPM_SESSION0, flags, 32);
_Static_assert(FWP_UINT8 == 1 && FWP_UINT16 == 2 && FWP_UINT32 == 3 && FWP_SECURITY_DESCRIPTOR_TYPE == 14, "FWP_DATA_TYPE");
_Static_assert(FWP_MATCH_EQUAL == 0 && FWP_MATCH_FLAGS_ANY_SET == 7, "FWP_MATCH_TYPE");
_Static_assert(FWP_ACTION_BLOCK == 0x1001 && FWP_ACTION_PERMIT == 0x1002, "FWP_ACTION_TYPE");

/* fwpmu.h of the Windows SDK; the values are "Management Filtering Layer Identifiers" and "Filtering Condition Identifiers". */
#define KEY(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  static const GUID name = {0x##l, 0x##w1, 0x##w2, {0x##b1, 0x##b2, 0x##b3, 0x##b4, 0x##b5, 0x##b6, 0x##b7, 0x##b8}}
KEY(connect_v4, c38d57d1, 05a7, 4c33, 90, 4f, 7f, bc, ee, e6, 0e, 82);
KEY(connect_v6, 4a72393b, 319f, 44bc, 84, c3, ba, 54, dc, b3, b6, b4);
KEY(accept_v4, e1cd9fe7, f4b5, 4273, 96, c0, 59, 2e, 48, 7b, 86, 50);
KEY(accept_v6, a3b42c97, 9f04, 4672, b8, 7e, ce, e9, c4, 83, 25, 7f);
KEY(listen_v4, 88bb5dad, 76d7, 4227, 9c, 71, df, 0a, 3e, d7, be, 7e);
KEY(listen_v6, 7ac9de24, 17dd, 4814, b4, bd, a9, fb, c9, 5a, 32, 1b);
KEY(assign_v4, 1247d66d, 0b60, 4a15, 8d, 44, 71, 55, d0, f5, 3a, 0c);
KEY(assign_v6, 55a650e1, 5f0a, 4eca, a6, 53, 88, f5, 3b, 26, aa, 8c);
KEY(user_id, af043a0a, b34d, 4f86, 97, 9c, c9, 03, 71, af, 6e, 66);
KEY(ip_protocol, 3971ef2b, 623e, 4f9a, 8c, b1, 6e, 79, b8, 06, b9, a7);
KEY(remote_address, b235ae9a, 1d64, 49b8, a4, 4c, 5f, f3, d9, 09, 50, 45);
KEY(remote_port, c35a604d, d22b, 4e1a, 91, b4, 68, f6, 74, ee, 67, 4b);
KEY(endpoint_flags, 632ce23b, 5167, 435c, 86, d7, e9, 03, 68, 4a, a8, 0c);

/* fwpmtypes.h: the veto of this filter stands whatever another sublayer permits. */
#define FILTER_FLAG_CLEAR_ACTION_RIGHT 0x00000008

/* Weight classes of a filter within its sublayer, 0-15: the highest that matches decides. */
enum { EVERYTHING = 1, EXCEPT = 8, NEVERTHELESS = 15 };

enum what { ALL, GATEWAY, TCP, RAW };

static const struct {
  const GUID *layer;
  enum what what;
  uint8_t weight;
} table[BH_WFP_FILTERS] = {
    {&connect_v4, ALL, EVERYTHING},
    {&connect_v6, ALL, EVERYTHING},
    {&accept_v4, ALL, EVERYTHING},
    {&accept_v6, ALL, EVERYTHING},
    {&listen_v4, ALL, EVERYTHING},
    {&listen_v6, ALL, EVERYTHING},
    {&assign_v4, ALL, EVERYTHING},
    {&assign_v6, ALL, EVERYTHING},
    /*
     * Connecting takes a local port first, and that is asked for at this layer, implicitly or (ConnectEx needs it) by bind. So TCP ports can
     * be had; what may be done with one is decided at the layers above. Everything else, datagrams foremost, ends here.
     */
    {&assign_v4, TCP, EXCEPT},
    {&assign_v6, TCP, EXCEPT},
    {&assign_v4, RAW, NEVERTHELESS},
    {&assign_v6, RAW, NEVERTHELESS},
    {&connect_v4, GATEWAY, EXCEPT},
};

/*
 * The account must be granted by itself. The two others are for its restricted tokens, which the system checks twice (Win32: "Restricted
 * Tokens"): the second check knows the restricting SIDs alone. RESTRICTED and WRITE RESTRICTED are never among the ordinary groups of a
 * token, so nobody but the account passes the first check by them.
 */
DWORD bh_wfp_subject(const wchar_t *account, struct bh_wfp_subject *subject) {
  static const wchar_t format[] = L"D:P(A;;0x%x;;;%ls)(A;;0x%x;;;S-1-5-12)(A;;0x%x;;;S-1-5-33)";
  PSID sid = NULL;
  wchar_t *canonical = NULL;
  wchar_t text[512];
  PSECURITY_DESCRIPTOR descriptor = NULL;
  ULONG size = 0;
  memset(subject, 0, sizeof(*subject));
  if (!ConvertStringSidToSidW(account, &sid)) return GetLastError();
  DWORD error = ConvertSidToStringSidW(sid, &canonical) ? 0 : GetLastError();
  LocalFree(sid);
  if (error != 0) return error;
  const unsigned match = FWP_ACTRL_MATCH_FILTER;
  const int length = _snwprintf(text, sizeof(text) / sizeof(*text), format, match, canonical, match, match);
  LocalFree(canonical);
  if (length < 0 || (size_t)length >= sizeof(text) / sizeof(*text)) return ERROR_INVALID_SID;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, &size)) return GetLastError();
  subject->blob.data = descriptor;
  subject->blob.size = size;
  return 0;
}

static FWPM_FILTER_CONDITION0 *add(struct bh_wfp_filter *built, const GUID *field, FWP_MATCH_TYPE match, FWP_DATA_TYPE type) {
  FWPM_FILTER_CONDITION0 *condition = &built->conditions[built->filter.numFilterConditions++];
  condition->fieldKey = *field;
  condition->matchType = match;
  condition->conditionValue.type = type;
  return condition;
}

void bh_wfp_filter(struct bh_wfp_filter *built, size_t index, struct bh_wfp_subject *subject, uint16_t port, GUID *provider,
                   const GUID *sublayer) {
  static wchar_t blocked[] = L"Bulkhead: an agent reaches nothing", open[] = L"Bulkhead: an agent reaches its gateway";
  const enum what what = table[index].what;
  memset(built, 0, sizeof(*built));
  FWPM_FILTER0 *filter = &built->filter;
  filter->providerKey = provider;
  filter->layerKey = *table[index].layer;
  filter->subLayerKey = *sublayer;
  filter->weight.type = FWP_UINT8;
  filter->weight.uint8 = table[index].weight;
  filter->filterCondition = built->conditions;
  const bool permit = what == GATEWAY || what == TCP;
  filter->displayData.name = permit ? open : blocked;
  filter->action.type = permit ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
  /* A permission is left to be vetoed by others: the user's own firewall still has its say. */
  filter->flags = permit ? 0 : FILTER_FLAG_CLEAR_ACTION_RIGHT;
  add(built, &user_id, FWP_MATCH_EQUAL, FWP_SECURITY_DESCRIPTOR_TYPE)->conditionValue.sd = &subject->blob;
  if (permit) add(built, &ip_protocol, FWP_MATCH_EQUAL, FWP_UINT8)->conditionValue.uint8 = IPPROTO_TCP;
  if (what == RAW) add(built, &endpoint_flags, FWP_MATCH_FLAGS_ANY_SET, FWP_UINT32)->conditionValue.uint32 = FWP_CONDITION_FLAG_IS_RAW_ENDPOINT;
  if (what == GATEWAY) {
    add(built, &remote_address, FWP_MATCH_EQUAL, FWP_UINT32)->conditionValue.uint32 = 0x7f000001;
    add(built, &remote_port, FWP_MATCH_EQUAL, FWP_UINT16)->conditionValue.uint16 = port;
  }
}
