#include <wchar.h>
#include <windows.h>

#include "feature.h"

typedef uint32_t (*probe_of)(const char **step);

/*
 * The filters are the library's business, and so is trying them: it lies beside this executable, and is loaded by absolute path. Here, because
 * a system whose filtering platform is not whole may end the process that asks it.
 */
static HMODULE library(struct bh_fault *fault) {
  static const wchar_t name[] = L"bulkhead.dll";
  wchar_t path[MAX_PATH + 32];
  const DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);
  wchar_t *last = length > 0 && length < MAX_PATH ? wcsrchr(path, L'\\') : NULL;
  if (last) wcscpy(last + 1, name);
  HMODULE found = last ? LoadLibraryExW(path, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32) : NULL;
  if (!found) bh_fault(fault, 0, "loading bulkhead.dll", NULL);
  return found;
}

void bh_feature_filtering_platform(struct bh_answer *answer) {
  const char *step = "";
  answer->ok = false;
  HMODULE module = library(&answer->fault);
  if (!module) return;
  /* Through a pointer without a type: what a symbol is cannot be known here. */
  void *symbol = (void *)(uintptr_t)GetProcAddress(module, "bulkhead_wfp_probe");
  if (!symbol) {
    bh_fault(&answer->fault, 0, "bulkhead_wfp_probe", NULL);
    return;
  }
  const uint32_t error = ((probe_of)(uintptr_t)symbol)(&step);
  answer->ok = error == 0;
  if (error != 0) bh_fault(&answer->fault, error, step, NULL);
}
