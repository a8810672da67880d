/*
 * The hook DLL. Loading it does nothing: whoever injects it calls `bulkhead_hook_start` with the policy (inject.h), and what became of it
 * stands in `bulkhead_hook_state`. It imports kernel32 and ntdll alone and has no C library, because it runs before the program's own.
 */
#include "hooks.h"
#include "report.h"

__declspec(dllexport) struct bh_hook_state bulkhead_hook_state;
__declspec(dllexport) DWORD WINAPI bulkhead_hook_start(void *letter);
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

static HMODULE self;
static struct bh_hook_policy policy;
static struct bh_blob blob;

/* A copy of our own, read-only from then on: the original lies in memory that the injector takes back. */
static bool read_policy(const struct bh_hook_letter *letter) {
  DWORD before;
  if (letter == NULL || letter->length < BH_HOOK_POLICY_HEAD || letter->length > BH_HOOK_POLICY_MAX) return false;
  const size_t size = (size_t)letter->length;
  const size_t rules_at = (size + 15) / 16 * 16;
  uint8_t *memory = VirtualAlloc(NULL, rules_at + BH_HOOK_RULES_MAX * sizeof(struct bh_hook_rule), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (memory == NULL || !bh_copy_in(memory, (const void *)(uintptr_t)letter->policy, size)) return false;
  struct bh_hook_rule *rules = (struct bh_hook_rule *)(void *)(memory + rules_at);
  if (bh_hook_policy_read(memory, size, rules, BH_HOOK_RULES_MAX, &policy) != 0) return false;
  blob = (struct bh_blob){memory, size};
  return VirtualProtect(memory, rules_at + BH_HOOK_RULES_MAX * sizeof(struct bh_hook_rule), PAGE_READONLY, &before);
}

static bool install(uint32_t *installed) {
  const struct {
    const struct bh_stub *stubs;
    size_t count;
  } tables[] = {
      {bh_file_stubs, bh_file_stub_count},         {bh_information_stubs, bh_information_stub_count},
      {bh_registry_stubs, bh_registry_stub_count}, {bh_reach_stubs, bh_reach_stub_count},
      {bh_net_stubs, bh_net_stub_count},           {bh_system_stubs, bh_system_stub_count},
      {bh_process_stubs, bh_process_stub_count},   {bh_pipe_stubs, bh_pipe_stub_count},
  };
  if (!bh_service_install(policy.acts, installed)) return false;
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
    if (!bh_stubs_install(tables[i].stubs, tables[i].count, policy.acts, installed)) return false;
  }
  return true;
}

/* Returns 0, or the exit code under which the process must end: half a hook is none. */
static uint32_t start(const struct bh_hook_letter *letter) {
  uint32_t installed = 0;
  HMODULE pinned;
  if (bulkhead_hook_state.magic != 0) return 0;
  /* Whoever lets go of this library must not pull the code away from under the calls that lead to it. */
  const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  if (!GetModuleHandleExW(flags, (const wchar_t *)(const void *)&bulkhead_hook_state, &pinned)) return BH_HOOK_EXIT_MEMORY;
  if (!bh_runtime_start()) return BH_HOOK_EXIT_MEMORY;
  if (!read_policy(letter)) return BH_HOOK_EXIT_POLICY;
  bh_object_start();
  bh_judge_start(&policy, &bulkhead_hook_state.proofs);
  bh_process_start(&policy, &blob, self);
  bh_pipe_start();
  if (!bh_report_start(&policy)) return BH_HOOK_EXIT_PIPE;
  bh_enter();
  const bool complete = install(&installed);
  bh_leave();
  if (!complete) return BH_HOOK_EXIT_STUB;
  bulkhead_hook_state.version = BH_HOOK_POLICY_VERSION;
  bulkhead_hook_state.hooks = installed;
  bulkhead_hook_state.rules = policy.count;
  bulkhead_hook_state.digest = policy.digest;
  MemoryBarrier();
  bulkhead_hook_state.magic = BH_HOOK_STATE_MAGIC;
  return 0;
}

DWORD WINAPI bulkhead_hook_start(void *letter) {
  const uint32_t code = start(letter);
  if (code != 0) bh_end(code);
  return BH_HOOK_STATE_MAGIC;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved) {
  (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) {
    self = module;
    DisableThreadLibraryCalls(module);
  }
  return TRUE;
}
