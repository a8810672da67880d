/* What the filters of one account say. Nothing here talks to the system but for reading the account's SID. */
#ifndef BULKHEAD_WFP_FILTERS_H
#define BULKHEAD_WFP_FILTERS_H

#include <fwpmu.h>
#include <stdint.h>
#include <windows.h>

#define BH_WFP_FILTERS 13
#define BH_WFP_CONDITIONS 4

/* Whom a filter is for: a security descriptor that grants FWP_ACTRL_MATCH_FILTER to the account. LocalFree `blob.data`. */
struct bh_wfp_subject {
  FWP_BYTE_BLOB blob;
};

/* ERROR_INVALID_SID, ERROR_OUTOFMEMORY. `account` in string form (S-1-...). */
DWORD bh_wfp_subject(const wchar_t *account, struct bh_wfp_subject *subject);

/* A filter with the memory it points into. Not to be moved once built. */
struct bh_wfp_filter {
  FWPM_FILTER0 filter;
  FWPM_FILTER_CONDITION0 conditions[BH_WFP_CONDITIONS];
};

/*
 * Builds filter `index` (below BH_WFP_FILTERS) for `subject`, in the sublayer and in the name of the provider. `port`, in the host's byte
 * order, is the one of 127.0.0.1 that stays open.
 */
void bh_wfp_filter(struct bh_wfp_filter *built, size_t index, struct bh_wfp_subject *subject, uint16_t port, GUID *provider, const GUID *sublayer);

#endif
