#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "wfp-api.h"
#include "wfp-filters.h"

/* fwpmtypes.h: what is added in the session is deleted with it, also when its process dies. */
#define SESSION_FLAG_DYNAMIC 0x00000001
/* Milliseconds to wait for the one write transaction that the system has at a time. */
#define TRANSACTION_WAIT 10000

struct bh_wall {
  struct bh_wfp_api api;
  HANDLE engine;
};

/* The session whose end takes everything with it. */
static DWORD open_session(struct bh_wall *wall, const char **step) {
  static wchar_t name[] = L"Bulkhead";
  FWPM_SESSION0 session;
  memset(&session, 0, sizeof(session));
  session.displayData.name = name;
  session.flags = SESSION_FLAG_DYNAMIC;
  session.txnWaitTimeoutInMSec = TRANSACTION_WAIT;
  DWORD error = bh_wfp_load(&wall->api, step);
  if (error != 0) return error;
  *step = "FwpmEngineOpen0";
  return wall->api.engine_open(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &wall->engine);
}

/*
 * Provider and sublayer have keys of their own in every session: two agents are two walls, and neither can be taken down with the other.
 * The sublayer has the greatest weight, so that it is asked first.
 */
static DWORD add_all(struct bh_wall *wall, struct bh_wfp_subject *subject, uint16_t port, const char **step) {
  static wchar_t name[] = L"Bulkhead", description[] = L"The network of one agent: its gateway and nothing else";
  FWPM_PROVIDER0 provider;
  FWPM_SUBLAYER0 sublayer;
  memset(&provider, 0, sizeof(provider));
  memset(&sublayer, 0, sizeof(sublayer));
  *step = "UuidCreate";
  DWORD error = (DWORD)UuidCreate(&provider.providerKey);
  if (error == 0) error = (DWORD)UuidCreate(&sublayer.subLayerKey);
  if (error != 0) return error;
  provider.displayData.name = name;
  provider.displayData.description = description;
  *step = "FwpmProviderAdd0";
  error = wall->api.provider_add(wall->engine, &provider, NULL);
  if (error != 0) return error;
  sublayer.displayData = provider.displayData;
  sublayer.providerKey = &provider.providerKey;
  sublayer.weight = 0xffff;
  *step = "FwpmSubLayerAdd0";
  error = wall->api.sublayer_add(wall->engine, &sublayer, NULL);
  if (error != 0) return error;
  *step = "FwpmFilterAdd0";
  for (size_t i = 0; i < BH_WFP_FILTERS && error == 0; i++) {
    struct bh_wfp_filter filter;
    bh_wfp_filter(&filter, i, subject, port, &provider.providerKey, &sublayer.subLayerKey);
    error = wall->api.filter_add(wall->engine, &filter.filter, NULL, NULL);
  }
  return error;
}

/* All filters or none of them. */
static DWORD build(struct bh_wall *wall, struct bh_wfp_subject *subject, uint16_t port, bool keep, const char **step) {
  *step = "FwpmTransactionBegin0";
  DWORD error = wall->api.transaction_begin(wall->engine, 0);
  if (error != 0) return error;
  error = add_all(wall, subject, port, step);
  if (error == 0 && keep) {
    *step = "FwpmTransactionCommit0";
    error = wall->api.transaction_commit(wall->engine);
    if (error == 0) return 0;
  }
  const DWORD aborted = wall->api.transaction_abort(wall->engine);
  if (error == 0 && aborted != 0) {
    *step = "FwpmTransactionAbort0";
    return aborted;
  }
  return error;
}

/* `keep` false: everything is tried and nothing stays. */
static DWORD raise_wall(const wchar_t *account, uint16_t port, bool keep, struct bh_wall **made, const char **step) {
  struct bh_wfp_subject subject;
  *made = NULL;
  *step = "the account's SID";
  DWORD error = bh_wfp_subject(account, &subject);
  if (error != 0) return error;
  *step = "memory";
  struct bh_wall *wall = calloc(1, sizeof(*wall));
  error = wall ? open_session(wall, step) : ERROR_OUTOFMEMORY;
  if (error == 0) {
    error = build(wall, &subject, port, keep, step);
    if (error != 0 || !keep) {
      const DWORD closed = wall->api.engine_close(wall->engine);
      if (error == 0 && closed != 0) {
        *step = "FwpmEngineClose0";
        error = closed;
      }
    }
  }
  LocalFree(subject.blob.data);
  if (error == 0 && keep) {
    *made = wall;
  } else {
    free(wall);
  }
  return error;
}

uint32_t bulkhead_wfp_open(const wchar_t *account, uint16_t port, void **wall, const char **step) {
  struct bh_wall *made;
  const DWORD error = raise_wall(account, port, true, &made, step);
  *wall = made;
  return error;
}

uint32_t bulkhead_wfp_close(void *wall, const char **step) {
  struct bh_wall *given = wall;
  *step = "FwpmEngineClose0";
  const DWORD error = given->api.engine_close(given->engine);
  if (error == 0) free(given);
  return error;
}

/* S-1-0-0 is nobody. */
uint32_t bulkhead_wfp_probe(const char **step) {
  struct bh_wall *none;
  return raise_wall(L"S-1-0-0", 9, false, &none, step);
}
