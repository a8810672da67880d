#include "wfp-api.h"

#include <stddef.h>
#include <string.h>

static const struct {
  const char *name;
  size_t offset;
} functions[] = {
    {"FwpmEngineOpen0", offsetof(struct bh_wfp_api, engine_open)},
    {"FwpmEngineClose0", offsetof(struct bh_wfp_api, engine_close)},
    {"FwpmTransactionBegin0", offsetof(struct bh_wfp_api, transaction_begin)},
    {"FwpmTransactionCommit0", offsetof(struct bh_wfp_api, transaction_commit)},
    {"FwpmTransactionAbort0", offsetof(struct bh_wfp_api, transaction_abort)},
    {"FwpmProviderAdd0", offsetof(struct bh_wfp_api, provider_add)},
    {"FwpmSubLayerAdd0", offsetof(struct bh_wfp_api, sublayer_add)},
    {"FwpmFilterAdd0", offsetof(struct bh_wfp_api, filter_add)},
    {"FwpmEngineGetSecurityInfo0", offsetof(struct bh_wfp_api, engine_get_security)},
    {"FwpmEngineSetSecurityInfo0", offsetof(struct bh_wfp_api, engine_set_security)},
    {"FwpmFreeMemory0", offsetof(struct bh_wfp_api, free_memory)},
};
_Static_assert(sizeof(functions) / sizeof(*functions) == sizeof(struct bh_wfp_api) / sizeof(FARPROC), "every member has its function");

DWORD bh_wfp_load(struct bh_wfp_api *api, const char **step) {
  *step = "loading fwpuclnt.dll";
  /* From the system's own directory only: what lies elsewhere on the search path may be planted. */
  HMODULE library = LoadLibraryExW(L"fwpuclnt.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (!library) return GetLastError();
  for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
    FARPROC found = GetProcAddress(library, functions[i].name);
    *step = functions[i].name;
    if (!found) return ERROR_PROC_NOT_FOUND;
    memcpy((char *)api + functions[i].offset, &found, sizeof(found));
  }
  return 0;
}
