/* fwpuclnt.dll, the double: looking at filters, and names of applications. */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#define API __declspec(dllexport) DWORD WINAPI

/** Where an enumeration is; by filter id, so that changes in between do no harm. */
typedef struct {
  DWORD magic;
  BOOL by_provider, by_layer;
  GUID provider, layer;
  ULONGLONG after;
} enumeration;
#define MAGIC 0x4d554e45u

API FwpmFilterGetByKey0(HANDLE engine, const GUID *key, FWPM_FILTER0 **filter) {
  bd_record record;
  const bd_objects *objects;
  DWORD error = bd_api_begin(&record, "FwpmFilterGetByKey0");
  if (!error || record.injected) bd_put_guid(&record, "key", key);
  if (!error && !(error = bd_api_view(engine, &objects))) {
    error = E_FILTER_NOT_FOUND;
    for (int i = 0; i < BD_WFP_FILTERS; i++) {
      const bd_filter *found = &objects->filters[i];
      if (!found->used || memcmp(&found->key, key, sizeof(GUID)) != 0) continue;
      *filter = bd_api_filter_copy(found);
      error = *filter ? 0 : ERROR_NOT_ENOUGH_MEMORY;
    }
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

API FwpmFilterCreateEnumHandle0(HANDLE engine, const FWPM_FILTER_ENUM_TEMPLATE0 *template, HANDLE *handle) {
  bd_record record;
  const bd_objects *objects;
  static const GUID none;
  DWORD error = bd_api_begin(&record, "FwpmFilterCreateEnumHandle0");
  if ((!error || record.injected) && template) {
    bd_put_guid(&record, "provider", template->providerKey);
    bd_put_guid(&record, "layer", &template->layerKey);
  }
  if (!error) error = bd_api_access(ACTRL_ENUM);
  if (!error && !(error = bd_api_view(engine, &objects))) {
    enumeration *state = calloc(1, sizeof(*state));
    if (state) {
      state->magic = MAGIC;
      state->by_provider = template && template->providerKey;
      if (state->by_provider) state->provider = *template->providerKey;
      state->by_layer = template && memcmp(&template->layerKey, &none, sizeof(none)) != 0;
      if (state->by_layer) state->layer = template->layerKey;
      *handle = state;
    } else {
      error = ERROR_NOT_ENOUGH_MEMORY;
    }
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

static const bd_filter *next_of(const bd_objects *objects, const enumeration *state, ULONGLONG after) {
  const bd_filter *best = NULL;
  for (int i = 0; i < BD_WFP_FILTERS; i++) {
    const bd_filter *filter = &objects->filters[i];
    if (!filter->used || filter->id <= after || (best && best->id < filter->id)) continue;
    if (state->by_provider && (!filter->has_provider || memcmp(&filter->provider, &state->provider, sizeof(GUID)) != 0)) continue;
    if (state->by_layer && memcmp(&filter->layer_key, &state->layer, sizeof(GUID)) != 0) continue;
    best = filter;
  }
  return best;
}

/**
 * The entries are blocks of their own, which FwpmFreeMemory0 on the array does not know: a test process is short, and may lose a few kilobytes.
 */
API FwpmFilterEnum0(HANDLE engine, HANDLE handle, UINT32 wanted, FWPM_FILTER0 ***entries, UINT32 *count) {
  bd_record record;
  const bd_objects *objects;
  enumeration *state = handle;
  DWORD error = bd_api_begin(&record, "FwpmFilterEnum0");
  if (!error || record.injected) bd_put_number(&record, "wanted", wanted);
  if (!error && (!state || state->magic != MAGIC)) error = E_INVALID_ENUMERATOR;
  if (!error && !(error = bd_api_view(engine, &objects))) {
    UINT32 room = wanted < BD_WFP_FILTERS ? wanted : BD_WFP_FILTERS;
    FWPM_FILTER0 **list = calloc(room + 1, sizeof(*list));
    *count = 0;
    for (const bd_filter *filter; list && *count < room && (filter = next_of(objects, state, state->after)) != NULL; ++*count) {
      list[*count] = bd_api_filter_copy(filter);
      state->after = filter->id;
    }
    *entries = list;
    if (!list) error = ERROR_NOT_ENOUGH_MEMORY;
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

API FwpmFilterDestroyEnumHandle0(HANDLE engine, HANDLE handle) {
  bd_record record;
  enumeration *state = handle;
  DWORD error = bd_api_begin(&record, "FwpmFilterDestroyEnumHandle0");
  (void)engine;
  if (!error && (!state || state->magic != MAGIC)) error = E_INVALID_ENUMERATOR;
  if (!error) {
    state->magic = 0;
    free(state);
  }
  return bd_api_end(&record, error);
}

/** Lower case, the volume by its device name. */
API FwpmGetAppIdFromFileName0(const wchar_t *name, FWP_BYTE_BLOB **app) {
  static const WCHAR volume[] = L"\\device\\harddiskvolume1";
  bd_record record;
  DWORD error = bd_api_begin(&record, "FwpmGetAppIdFromFileName0");
  if (!error || record.injected) bd_put_wide(&record, "name", name, -1);
  if (!error && (!name || !name[0] || name[1] != L':')) error = ERROR_INVALID_PARAMETER;
  if (!error && GetFileAttributesW(name) == INVALID_FILE_ATTRIBUTES) error = GetLastError();
  if (!error) {
    size_t bytes = (wcslen(volume) + wcslen(name + 2) + 1) * sizeof(WCHAR);
    FWP_BYTE_BLOB *blob = calloc(1, sizeof(*blob) + bytes);
    if (blob) {
      WCHAR *text = (WCHAR *)(blob + 1);
      wcscpy(text, volume);
      wcscat(text, name + 2);
      _wcslwr(text);
      blob->size = (UINT32)bytes;
      blob->data = (UINT8 *)text;
      *app = blob;
    } else {
      error = ERROR_NOT_ENOUGH_MEMORY;
    }
  }
  return bd_api_end(&record, error);
}
