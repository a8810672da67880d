/* The hooks by subject: what main.c installs. Each is reached from any thread at any time, and is transparent where no rule watches. */
#ifndef BULKHEAD_HOOK_HOOKS_H
#define BULKHEAD_HOOK_HOOKS_H

#include <windows.h>

#include "../inject.h"
#include "judge.h"
#include "stub.h"

extern const struct bh_stub bh_file_stubs[];
extern const size_t bh_file_stub_count;
extern const struct bh_stub bh_information_stubs[];
extern const size_t bh_information_stub_count;
extern const struct bh_stub bh_registry_stubs[];
extern const size_t bh_registry_stub_count;
extern const struct bh_stub bh_process_stubs[];
extern const size_t bh_process_stub_count;
extern const struct bh_stub bh_reach_stubs[];
extern const size_t bh_reach_stub_count;
extern const struct bh_stub bh_net_stubs[];
extern const size_t bh_net_stub_count;
extern const struct bh_stub bh_pipe_stubs[];
extern const size_t bh_pipe_stub_count;
extern const struct bh_stub bh_system_stubs[];
extern const size_t bh_system_stub_count;

#define BH_BIT(act) (1u << (act))

/* What descendants get: this very DLL with this very policy. All three stay. */
void bh_process_start(const struct bh_hook_policy *policy, const struct bh_blob *blob, HMODULE module);

/* Remembers what pipes are guarded with. Without it they stay as Win32 makes them. */
void bh_pipe_start(void);

/* Functions of the service control manager's library; no system calls. Adds to *installed; false when one cannot be hooked. */
bool bh_service_install(uint32_t acts, uint32_t *installed);

#endif
