/* A library that says it is the hook and in force, but never read the policy that it was given. */
#include "inject.h"

__declspec(dllexport) struct bh_hook_state bulkhead_hook_state;
__declspec(dllexport) DWORD WINAPI bulkhead_hook_start(void *letter);

DWORD WINAPI bulkhead_hook_start(void *letter) {
  (void)letter;
  bulkhead_hook_state.version = 1;
  bulkhead_hook_state.hooks = 20;
  bulkhead_hook_state.magic = BH_HOOK_STATE_MAGIC;
  return 0;
}
