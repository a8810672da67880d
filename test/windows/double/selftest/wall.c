/*
 * wall.exe <user SDDL> <port> [option …] -- <command line>
 *
 * In one transaction of a dynamic session: provider, sublayer, a filter that blocks connecting on IPv4 and IPv6 and one that permits TCP to
 * 127.0.0.1:<port>, for whom the SDDL text matches. Then runs the command line and ends with its exit code. Options:
 *   --abort        aborts the transaction instead        --close        closes the session before the command
 *   --static       not a dynamic session                 --no-command   ends after the transaction
 */
#include <windows.h>

#include <fwpmu.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const GUID connect_v4 = {0xc38d57d1, 0x05a7, 0x4c33, {0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82}};
static const GUID connect_v6 = {0x4a72393b, 0x319f, 0x44bc, {0x84, 0xc3, 0xba, 0x54, 0xdc, 0xb3, 0xb6, 0xb4}};
static const GUID user_field = {0xaf043a0a, 0xb34d, 0x4f86, {0x97, 0x9c, 0xc9, 0x03, 0x71, 0xaf, 0x6e, 0x66}};
static const GUID protocol_field = {0x3971ef2b, 0x623e, 0x4f9a, {0x8c, 0xb1, 0x6e, 0x79, 0xb8, 0x06, 0xb9, 0xa7}};
static const GUID address_field = {0xb235ae9a, 0x1d64, 0x49b8, {0xa4, 0x4c, 0x5f, 0xf3, 0xd9, 0x09, 0x50, 0x45}};
static const GUID port_field = {0xc35a604d, 0xd22b, 0x4e1a, {0x91, 0xb4, 0x68, 0xf6, 0x74, 0xee, 0x67, 0x4b}};
static const GUID own_provider = {0x11111111, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}}, own_sublayer = {0x22222222, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static WCHAR name[] = L"selftest";

static void must(const char *what, DWORD error) {
  if (!error) return;
  fprintf(stderr, "wall: %s: 0x%lx\n", what, error);
  exit(200);
}

static void add_filter(HANDLE engine, const GUID *layer, FWP_BYTE_BLOB *user, UINT16 port) {
  GUID provider = own_provider;
  FWPM_FILTER_CONDITION0 conditions[4];
  FWPM_FILTER0 filter;
  UINT64 id;
  memset(conditions, 0, sizeof(conditions));
  memset(&filter, 0, sizeof(filter));
  conditions[0].fieldKey = user_field;
  conditions[0].conditionValue.type = FWP_SECURITY_DESCRIPTOR_TYPE;
  conditions[0].conditionValue.sd = user;
  conditions[1].fieldKey = protocol_field;
  conditions[1].conditionValue.type = FWP_UINT8;
  conditions[1].conditionValue.uint8 = 6;
  conditions[2].fieldKey = address_field;
  conditions[2].conditionValue.type = FWP_UINT32;
  conditions[2].conditionValue.uint32 = 0x7f000001;
  conditions[3].fieldKey = port_field;
  conditions[3].conditionValue.type = FWP_UINT16;
  conditions[3].conditionValue.uint16 = port;
  filter.displayData.name = name;
  filter.providerKey = &provider;
  filter.layerKey = *layer;
  filter.subLayerKey = own_sublayer;
  filter.weight.type = FWP_UINT8;
  filter.weight.uint8 = port ? 8 : 1;
  filter.numFilterConditions = port ? 4 : 1;
  filter.filterCondition = conditions;
  filter.action.type = port ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
  must("FwpmFilterAdd0", FwpmFilterAdd0(engine, &filter, NULL, &id));
}

static void build(HANDLE engine, FWP_BYTE_BLOB *user, UINT16 port) {
  FWPM_PROVIDER0 provider;
  FWPM_SUBLAYER0 sublayer;
  GUID key = own_provider;
  memset(&provider, 0, sizeof(provider));
  memset(&sublayer, 0, sizeof(sublayer));
  provider.providerKey = own_provider;
  provider.displayData.name = name;
  sublayer.subLayerKey = own_sublayer;
  sublayer.displayData.name = name;
  sublayer.providerKey = &key;
  sublayer.weight = 0x8000;
  must("FwpmTransactionBegin0", FwpmTransactionBegin0(engine, 0));
  must("FwpmProviderAdd0", FwpmProviderAdd0(engine, &provider, NULL));
  must("FwpmSubLayerAdd0", FwpmSubLayerAdd0(engine, &sublayer, NULL));
  add_filter(engine, &connect_v4, user, 0);
  add_filter(engine, &connect_v6, user, 0);
  add_filter(engine, &connect_v4, user, port);
}

static DWORD run(WCHAR *line) {
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION info;
  DWORD code = 200;
  if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info)) must("CreateProcessW", GetLastError());
  WaitForSingleObject(info.hProcess, INFINITE);
  GetExitCodeProcess(info.hProcess, &code);
  return code;
}

int wmain(int count, WCHAR **arguments);

int wmain(int count, WCHAR **arguments) {
  BOOL abort_it = FALSE, close_it = FALSE, no_command = FALSE;
  FWPM_SESSION0 session;
  FWP_BYTE_BLOB user;
  PSECURITY_DESCRIPTOR descriptor;
  ULONG size;
  HANDLE engine;
  int i = 3;
  memset(&session, 0, sizeof(session));
  session.flags = 1 /* FWPM_SESSION_FLAG_DYNAMIC */;
  for (; i < count && wcscmp(arguments[i], L"--") != 0; i++) {
    if (wcscmp(arguments[i], L"--abort") == 0) abort_it = TRUE;
    else if (wcscmp(arguments[i], L"--close") == 0) close_it = TRUE;
    else if (wcscmp(arguments[i], L"--static") == 0) session.flags = 0;
    else if (wcscmp(arguments[i], L"--no-command") == 0) no_command = TRUE;
  }
  if (count < 3 || (!no_command && i + 1 >= count)) return 201;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(arguments[1], 1, &descriptor, &size)) must("SDDL", GetLastError());
  user.data = descriptor;
  user.size = size;
  must("FwpmEngineOpen0", FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine));
  build(engine, &user, (UINT16)wcstoul(arguments[2], NULL, 10));
  if (abort_it) must("FwpmTransactionAbort0", FwpmTransactionAbort0(engine));
  else must("FwpmTransactionCommit0", FwpmTransactionCommit0(engine));
  if (close_it) must("FwpmEngineClose0", FwpmEngineClose0(engine));
  return no_command ? 0 : (int)run(arguments[i + 1]);
}
