/* Standing before a system call: the stub in ntdll jumps to us, a copy of it leads on to the kernel. */
#ifndef BULKHEAD_HOOK_STUB_H
#define BULKHEAD_HOOK_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bh_stub {
  const char *name; /* export of ntdll */
  void *replacement;
  void **original; /* where the way on to the kernel is put, before the stub leads to `replacement` */
  uint32_t acts; /* installed when a rule watches one of these (bits of enum bh_hook_act); 0: always */
  bool optional; /* not every version of the system has it */
};

/*
 * Installs those that `acts` asks for. All or nothing counts: false when a stub is missing or not sound, and then the process must not run
 * (some stubs may be changed by then). *count is increased by what was installed. Only while no other thread of the program runs.
 */
bool bh_stubs_install(const struct bh_stub *stubs, size_t count, uint32_t acts, uint32_t *installed);

/* Code that any process of the machine has at this address once the hook is in: for finding out whether it is. */
const void *bh_stub_marker(void);
#endif
