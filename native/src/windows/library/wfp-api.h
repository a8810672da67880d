/*
 * The functions of fwpuclnt.dll that are used here, found when they are needed: where a system lacks one of them, it is that one call that
 * fails and not the loading of this library.
 */
#ifndef BULKHEAD_WFP_API_H
#define BULKHEAD_WFP_API_H

#include <fwpmu.h>
#include <windows.h>

struct bh_wfp_api {
  DWORD(WINAPI *engine_open)(const wchar_t *, UINT32, SEC_WINNT_AUTH_IDENTITY_W *, const FWPM_SESSION0 *, HANDLE *);
  DWORD(WINAPI *engine_close)(HANDLE);
  DWORD(WINAPI *transaction_begin)(HANDLE, UINT32);
  DWORD(WINAPI *transaction_commit)(HANDLE);
  DWORD(WINAPI *transaction_abort)(HANDLE);
  DWORD(WINAPI *provider_add)(HANDLE, const FWPM_PROVIDER0 *, PSECURITY_DESCRIPTOR);
  DWORD(WINAPI *sublayer_add)(HANDLE, const FWPM_SUBLAYER0 *, PSECURITY_DESCRIPTOR);
  DWORD(WINAPI *filter_add)(HANDLE, const FWPM_FILTER0 *, PSECURITY_DESCRIPTOR, UINT64 *);
  DWORD(WINAPI *engine_get_security)(HANDLE, SECURITY_INFORMATION, PSID *, PSID *, PACL *, PACL *, PSECURITY_DESCRIPTOR *);
  DWORD(WINAPI *engine_set_security)(HANDLE, SECURITY_INFORMATION, const SID *, const SID *, const ACL *, const ACL *);
  void(WINAPI *free_memory)(void **);
};

/* Fills `api`, all or nothing. A Win32 error, with *step naming what is missing. The library stays loaded. */
DWORD bh_wfp_load(struct bh_wfp_api *api, const char **step);

#endif
