/*
 * rules.exe
 *
 * Breaks the documented rules of the filtering platform one by one, and prints `name TAB result` for each, the result in hexadecimal.
 */
#include <windows.h>

#include <fwpmu.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

static const GUID connect_v4 = {0xc38d57d1, 0x05a7, 0x4c33, {0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82}};
static const GUID listen_v4 = {0x88bb5dad, 0x76d7, 0x4227, {0x9c, 0x71, 0xdf, 0x0a, 0x3e, 0xd7, 0xbe, 0x7e}};
static const GUID protocol_field = {0x3971ef2b, 0x623e, 0x4f9a, {0x8c, 0xb1, 0x6e, 0x79, 0xb8, 0x06, 0xb9, 0xa7}};
static const GUID port_field = {0xc35a604d, 0xd22b, 0x4e1a, {0x91, 0xb4, 0x68, 0xf6, 0x74, 0xee, 0x67, 0x4b}};
static const GUID key_one = {0x33333333, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}}, key_two = {0x44444444, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static const GUID unknown = {0x55555555, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static WCHAR name[] = L"rules";

static void say(const char *what, DWORD result) {
  printf("%s\t0x%lx\n", what, result);
  fflush(stdout);
}

static HANDLE open_engine(UINT32 flags) {
  FWPM_SESSION0 session;
  HANDLE engine = NULL;
  memset(&session, 0, sizeof(session));
  session.flags = flags;
  session.txnWaitTimeoutInMSec = 100;
  if (FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine)) say("open", 1);
  return engine;
}

static DWORD add_provider(HANDLE engine, const GUID *key, UINT32 flags, WCHAR *text) {
  FWPM_PROVIDER0 provider;
  memset(&provider, 0, sizeof(provider));
  provider.providerKey = *key;
  provider.displayData.name = text;
  provider.flags = flags;
  return FwpmProviderAdd0(engine, &provider, NULL);
}

static DWORD add_sublayer(HANDLE engine, const GUID *key, const GUID *provider) {
  FWPM_SUBLAYER0 sublayer;
  GUID owner = provider ? *provider : key_one;
  memset(&sublayer, 0, sizeof(sublayer));
  sublayer.subLayerKey = *key;
  sublayer.displayData.name = name;
  sublayer.providerKey = provider ? &owner : NULL;
  return FwpmSubLayerAdd0(engine, &sublayer, NULL);
}

/** A filter that is right in every way; what is wrong is changed by the caller. */
static FWPM_FILTER0 right_filter(FWPM_FILTER_CONDITION0 *condition) {
  FWPM_FILTER0 filter;
  memset(&filter, 0, sizeof(filter));
  memset(condition, 0, sizeof(*condition));
  condition->fieldKey = port_field;
  condition->conditionValue.type = FWP_UINT16;
  condition->conditionValue.uint16 = 80;
  filter.displayData.name = name;
  filter.layerKey = connect_v4;
  filter.subLayerKey = key_two;
  filter.weight.type = FWP_UINT8;
  filter.numFilterConditions = 1;
  filter.filterCondition = condition;
  filter.action.type = FWP_ACTION_BLOCK;
  return filter;
}

static DWORD add(HANDLE engine, FWPM_FILTER0 *filter) {
  UINT64 id;
  return FwpmFilterAdd0(engine, filter, NULL, &id);
}

static void transactions(HANDLE engine) {
  say("commit without a transaction", FwpmTransactionCommit0(engine));
  say("abort without a transaction", FwpmTransactionAbort0(engine));
  say("begin", FwpmTransactionBegin0(engine, 0));
  say("begin again", FwpmTransactionBegin0(engine, 0));
  say("abort", FwpmTransactionAbort0(engine));
  say("begin to read", FwpmTransactionBegin0(engine, 1));
  say("add while reading", add_provider(engine, &unknown, 0, name));
  say("end reading", FwpmTransactionCommit0(engine));
}

static void objects(HANDLE engine) {
  say("provider", add_provider(engine, &key_one, 0, name));
  say("provider again", add_provider(engine, &key_one, 0, name));
  say("provider without a name", add_provider(engine, &unknown, 0, NULL));
  say("persistent provider in a dynamic session", add_provider(engine, &unknown, 1, name));
  say("sublayer of an unknown provider", add_sublayer(engine, &key_two, &unknown));
  say("sublayer", add_sublayer(engine, &key_two, &key_one));
  say("sublayer again", add_sublayer(engine, &key_two, &key_one));
}

static void filters(HANDLE engine) {
  FWPM_FILTER_CONDITION0 condition;
  FWPM_FILTER0 filter = right_filter(&condition);
  filter.layerKey = unknown;
  say("filter at an unknown layer", add(engine, &filter));
  filter = right_filter(&condition);
  filter.subLayerKey = unknown;
  say("filter in an unknown sublayer", add(engine, &filter));
  filter = right_filter(&condition);
  filter.displayData.name = NULL;
  say("filter without a name", add(engine, &filter));
  filter = right_filter(&condition);
  filter.action.type = 0;
  say("filter without an action", add(engine, &filter));
  filter = right_filter(&condition);
  filter.weight.uint8 = 16;
  say("filter too heavy", add(engine, &filter));
  filter = right_filter(&condition);
  filter.flags = 1;
  say("persistent filter in a dynamic session", add(engine, &filter));
  filter = right_filter(&condition);
  condition.fieldKey = unknown;
  say("condition on an unknown field", add(engine, &filter));
  filter = right_filter(&condition);
  filter.layerKey = listen_v4;
  say("condition that the layer has not", add(engine, &filter));
  filter = right_filter(&condition);
  condition.fieldKey = protocol_field;
  say("condition of another type", add(engine, &filter));
  filter = right_filter(&condition);
  condition.matchType = FWP_MATCH_FLAGS_ANY_SET;
  say("condition with another match", add(engine, &filter));
  filter = right_filter(&condition);
  filter.filterKey = key_one;
  say("filter", add(engine, &filter));
  say("filter again", add(engine, &filter));
}

static void removal(HANDLE engine, HANDLE other) {
  say("remove a provider in use", FwpmProviderDeleteByKey0(engine, &key_one));
  say("remove a sublayer in use", FwpmSubLayerDeleteByKey0(engine, &key_two));
  say("remove another session’s filter", FwpmFilterDeleteByKey0(other, &key_one));
  say("remove a filter", FwpmFilterDeleteByKey0(engine, &key_one));
  say("remove it again", FwpmFilterDeleteByKey0(engine, &key_one));
  say("remove a sublayer", FwpmSubLayerDeleteByKey0(engine, &key_two));
  say("remove a provider", FwpmProviderDeleteByKey0(engine, &key_one));
  say("remove an unknown filter by number", FwpmFilterDeleteById0(engine, 1));
}

static void sessions(HANDLE engine, HANDLE other) {
  PACL dacl = NULL;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  SECURITY_INFORMATION part = DACL_SECURITY_INFORMATION;
  say("read the engine’s list", FwpmEngineGetSecurityInfo0(engine, part, NULL, NULL, &dacl, NULL, &descriptor));
  say("write it in a dynamic session", FwpmEngineSetSecurityInfo0(engine, part, NULL, NULL, dacl, NULL));
  say("write it in another", FwpmEngineSetSecurityInfo0(other, part, NULL, NULL, dacl, NULL));
  say("close", FwpmEngineClose0(engine));
  say("use what was closed", FwpmTransactionBegin0(engine, 0));
}

int wmain(void);

int wmain(void) {
  HANDLE engine = open_engine(1), other = open_engine(0);
  transactions(engine);
  objects(engine);
  filters(engine);
  removal(engine, other);
  sessions(engine, other);
  FwpmEngineClose0(other);
  return 0;
}
