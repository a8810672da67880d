/* fwpuclnt.dll, the double: providers, sublayers, filters. */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#define API __declspec(dllexport) DWORD WINAPI

static const GUID no_key;

static BOOL same(const GUID *one, const GUID *other) {
  return memcmp(one, other, sizeof(GUID)) == 0;
}

static void new_key(GUID *key) {
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  key->Data1 = (ULONG)++bd_wfp_shared->next_filter;
  key->Data2 = (USHORT)GetCurrentProcessId();
  key->Data3 = 0x4000;
  memcpy(key->Data4, &now, 8);
}

#define FIND(type, list, count)                                              \
  static type *find_##list(bd_objects *objects, const GUID *key) {           \
    for (int i = 0; i < count; i++) {                                        \
      if (objects->list[i].used && same(&objects->list[i].key, key)) return &objects->list[i]; \
    }                                                                        \
    return NULL;                                                             \
  }                                                                          \
  static type *free_##list(bd_objects *objects) {                            \
    for (int i = 0; i < count; i++) {                                        \
      if (!objects->list[i].used) return &objects->list[i];                  \
    }                                                                        \
    return NULL;                                                             \
  }
FIND(bd_provider, providers, BD_WFP_PROVIDERS)
FIND(bd_sublayer, sublayers, BD_WFP_SUBLAYERS)
FIND(bd_filter, filters, BD_WFP_FILTERS)
#undef FIND

/** What stays may not depend on what goes with a session. */
static DWORD check_lifetime(DWORD object_session, DWORD needed_session) {
  if (!needed_session) return 0;
  if (!object_session) return E_LIFETIME;
  return object_session == needed_session ? 0 : E_WRONG_SESSION;
}

static DWORD check_provider(bd_objects *objects, const GUID *key, DWORD session) {
  if (!key) return 0;
  const bd_provider *provider = find_providers(objects, key);
  return provider ? check_lifetime(session, provider->session) : (DWORD)E_PROVIDER_NOT_FOUND;
}

static DWORD add_provider(bd_objects *objects, const FWPM_PROVIDER0 *given, DWORD session) {
  if (!given->displayData.name) return E_NULL_NAME;
  if (session && (given->flags & FWPM_PROVIDER_FLAG_PERSISTENT)) return E_LIFETIME;
  if (find_providers(objects, &given->providerKey)) return E_ALREADY_EXISTS;
  bd_provider *provider = free_providers(objects);
  if (!provider) return E_FULL;
  memset(provider, 0, sizeof(*provider));
  provider->used = 1;
  provider->session = session;
  provider->key = given->providerKey;
  wcsncpy(provider->name, given->displayData.name, 63);
  return 0;
}

API FwpmProviderAdd0(HANDLE engine, const FWPM_PROVIDER0 *provider, PSECURITY_DESCRIPTOR descriptor) {
  bd_record record;
  bd_objects *objects;
  DWORD session, error = bd_api_begin(&record, "FwpmProviderAdd0");
  if ((!error || record.injected) && provider) {
    bd_put_guid(&record, "key", &provider->providerKey);
    bd_put_wide(&record, "name", provider->displayData.name, -1);
    bd_put_hex(&record, "flags", provider->flags);
    bd_put_bool(&record, "descriptor", descriptor != NULL);
  }
  if (!error && !provider) error = E_NULL_POINTER;
  if (!error && !(error = bd_api_change(engine, ACTRL_ADD, &objects, &session))) {
    error = add_provider(objects, provider, session);
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

static DWORD add_sublayer(bd_objects *objects, const FWPM_SUBLAYER0 *given, DWORD session) {
  if (!given->displayData.name) return E_NULL_NAME;
  if (session && (given->flags & FWPM_SUBLAYER_FLAG_PERSISTENT)) return E_LIFETIME;
  if (find_sublayers(objects, &given->subLayerKey)) return E_ALREADY_EXISTS;
  DWORD error = check_provider(objects, given->providerKey, session);
  if (error) return error;
  bd_sublayer *sublayer = free_sublayers(objects);
  if (!sublayer) return E_FULL;
  memset(sublayer, 0, sizeof(*sublayer));
  sublayer->used = 1;
  sublayer->session = session;
  sublayer->key = given->subLayerKey;
  sublayer->weight = given->weight;
  sublayer->has_provider = given->providerKey != NULL;
  if (given->providerKey) sublayer->provider = *given->providerKey;
  wcsncpy(sublayer->name, given->displayData.name, 63);
  return 0;
}

API FwpmSubLayerAdd0(HANDLE engine, const FWPM_SUBLAYER0 *sublayer, PSECURITY_DESCRIPTOR descriptor) {
  bd_record record;
  bd_objects *objects;
  DWORD session, error = bd_api_begin(&record, "FwpmSubLayerAdd0");
  if ((!error || record.injected) && sublayer) {
    bd_put_guid(&record, "key", &sublayer->subLayerKey);
    bd_put_wide(&record, "name", sublayer->displayData.name, -1);
    bd_put_hex(&record, "flags", sublayer->flags);
    bd_put_guid(&record, "provider", sublayer->providerKey);
    bd_put_number(&record, "weight", sublayer->weight);
    bd_put_bool(&record, "descriptor", descriptor != NULL);
  }
  if (!error && !sublayer) error = E_NULL_POINTER;
  if (!error && !(error = bd_api_change(engine, ACTRL_ADD | (sublayer->providerKey ? ACTRL_ADD_LINK : 0), &objects, &session))) {
    error = add_sublayer(objects, sublayer, session);
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

static DWORD add_filter(bd_objects *objects, bd_filter *filter, DWORD session, UINT64 *id) {
  if (session && (filter->flags & (FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME))) return E_LIFETIME;
  /* No sublayer: the default one. */
  if (same(&filter->sublayer, &no_key)) filter->sublayer = objects->sublayers[0].key;
  const bd_sublayer *sublayer = find_sublayers(objects, &filter->sublayer);
  if (!sublayer) return E_SUBLAYER_NOT_FOUND;
  DWORD error = check_lifetime(session, sublayer->session);
  if (!error) error = check_provider(objects, filter->has_provider ? &filter->provider : NULL, session);
  if (error) return error;
  if (same(&filter->key, &no_key)) new_key(&filter->key);
  if (find_filters(objects, &filter->key)) return E_ALREADY_EXISTS;
  bd_filter *slot = free_filters(objects);
  if (!slot) return E_FULL;
  filter->used = 1;
  filter->session = session;
  filter->id = ++bd_wfp_shared->next_filter;
  *slot = *filter;
  if (id) *id = filter->id;
  return 0;
}

API FwpmFilterAdd0(HANDLE engine, const FWPM_FILTER0 *filter, PSECURITY_DESCRIPTOR descriptor, UINT64 *id) {
  bd_record record;
  bd_objects *objects;
  bd_filter own;
  DWORD session, error = bd_api_begin(&record, "FwpmFilterAdd0");
  if (!error || record.injected) {
    bd_api_log_filter(&record, filter);
    bd_put_bool(&record, "descriptor", descriptor != NULL);
  }
  if (!error) error = bd_api_filter(filter, &own);
  if (!error && !(error = bd_api_change(engine, ACTRL_ADD | ACTRL_ADD_LINK, &objects, &session))) {
    error = add_filter(objects, &own, session, id);
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

/** What a session may take away: its own, and from a session that is not dynamic what stays. */
static DWORD check_owner(DWORD object_session, DWORD session) {
  return object_session == session ? 0 : E_WRONG_SESSION;
}

static BOOL provider_in_use(const bd_objects *objects, const GUID *key) {
  for (int i = 0; i < BD_WFP_SUBLAYERS; i++) {
    if (objects->sublayers[i].used && objects->sublayers[i].has_provider && same(&objects->sublayers[i].provider, key)) return TRUE;
  }
  for (int i = 0; i < BD_WFP_FILTERS; i++) {
    if (objects->filters[i].used && objects->filters[i].has_provider && same(&objects->filters[i].provider, key)) return TRUE;
  }
  return FALSE;
}

static BOOL sublayer_in_use(const bd_objects *objects, const GUID *key) {
  for (int i = 0; i < BD_WFP_FILTERS; i++) {
    if (objects->filters[i].used && same(&objects->filters[i].sublayer, key)) return TRUE;
  }
  return FALSE;
}

enum kind { PROVIDER, SUBLAYER, FILTER };

static DWORD delete_object(bd_objects *objects, DWORD session, enum kind kind, const GUID *key) {
  bd_provider *provider = kind == PROVIDER ? find_providers(objects, key) : NULL;
  bd_sublayer *sublayer = kind == SUBLAYER ? find_sublayers(objects, key) : NULL;
  bd_filter *filter = kind == FILTER ? find_filters(objects, key) : NULL;
  DWORD *used = provider ? &provider->used : sublayer ? &sublayer->used : filter ? &filter->used : NULL;
  if (!used) return kind == PROVIDER ? E_PROVIDER_NOT_FOUND : kind == SUBLAYER ? E_SUBLAYER_NOT_FOUND : E_FILTER_NOT_FOUND;
  DWORD error = check_owner(provider ? provider->session : sublayer ? sublayer->session : filter->session, session);
  if (error) return error;
  if ((provider && provider_in_use(objects, key)) || (sublayer && sublayer_in_use(objects, key))) return E_IN_USE;
  *used = 0;
  return 0;
}

static DWORD delete_call(HANDLE engine, const char *name, enum kind kind, const GUID *key) {
  bd_record record;
  bd_objects *objects;
  DWORD session, error = bd_api_begin(&record, name);
  if (!error || record.injected) bd_put_guid(&record, "key", key);
  if (!error && !key) error = E_NULL_POINTER;
  if (!error && !(error = bd_api_change(engine, DELETE, &objects, &session))) {
    error = delete_object(objects, session, kind, key);
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

API FwpmProviderDeleteByKey0(HANDLE engine, const GUID *key) {
  return delete_call(engine, "FwpmProviderDeleteByKey0", PROVIDER, key);
}

API FwpmSubLayerDeleteByKey0(HANDLE engine, const GUID *key) {
  return delete_call(engine, "FwpmSubLayerDeleteByKey0", SUBLAYER, key);
}

API FwpmFilterDeleteByKey0(HANDLE engine, const GUID *key) {
  return delete_call(engine, "FwpmFilterDeleteByKey0", FILTER, key);
}

API FwpmFilterDeleteById0(HANDLE engine, UINT64 id) {
  bd_record record;
  bd_objects *objects;
  DWORD session, error = bd_api_begin(&record, "FwpmFilterDeleteById0");
  if (!error || record.injected) bd_put_number(&record, "id", id);
  if (!error && !(error = bd_api_change(engine, DELETE, &objects, &session))) {
    error = E_FILTER_NOT_FOUND;
    for (int i = 0; i < BD_WFP_FILTERS; i++) {
      if (objects->filters[i].used && objects->filters[i].id == id) error = delete_object(objects, session, FILTER, &objects->filters[i].key);
    }
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

API FwpmSubLayerGetByKey0(HANDLE engine, const GUID *key, FWPM_SUBLAYER0 **sublayer) {
  struct {
    FWPM_SUBLAYER0 sublayer;
    GUID provider;
    WCHAR name[64];
  } *copy;
  bd_record record;
  const bd_objects *objects;
  DWORD error = bd_api_begin(&record, "FwpmSubLayerGetByKey0");
  if (!error || record.injected) bd_put_guid(&record, "key", key);
  if (!error && !(error = bd_api_view(engine, &objects))) {
    const bd_sublayer *found = find_sublayers((bd_objects *)objects, key);
    copy = found ? calloc(1, sizeof(*copy)) : NULL;
    if (copy) {
      copy->sublayer.subLayerKey = found->key;
      copy->sublayer.weight = found->weight;
      wcscpy(copy->name, found->name);
      copy->sublayer.displayData.name = copy->name;
      copy->provider = found->provider;
      copy->sublayer.providerKey = found->has_provider ? &copy->provider : NULL;
      *sublayer = &copy->sublayer;
    }
    error = copy ? 0 : found ? ERROR_NOT_ENOUGH_MEMORY : (DWORD)E_SUBLAYER_NOT_FOUND;
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

API FwpmProviderGetByKey0(HANDLE engine, const GUID *key, FWPM_PROVIDER0 **provider) {
  struct {
    FWPM_PROVIDER0 provider;
    WCHAR name[64];
  } *copy;
  bd_record record;
  const bd_objects *objects;
  DWORD error = bd_api_begin(&record, "FwpmProviderGetByKey0");
  if (!error || record.injected) bd_put_guid(&record, "key", key);
  if (!error && !(error = bd_api_view(engine, &objects))) {
    const bd_provider *found = find_providers((bd_objects *)objects, key);
    copy = found ? calloc(1, sizeof(*copy)) : NULL;
    if (copy) {
      copy->provider.providerKey = found->key;
      wcscpy(copy->name, found->name);
      copy->provider.displayData.name = copy->name;
      *provider = &copy->provider;
    }
    error = copy ? 0 : found ? ERROR_NOT_ENOUGH_MEMORY : (DWORD)E_PROVIDER_NOT_FOUND;
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}
