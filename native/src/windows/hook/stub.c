#include "stub.h"

#include <windows.h>

#include "runtime.h"
#include "shape.h"

#define STUB BH_STUB_SIZE
#define PATCH 12 /* mov rax, imm64; jmp rax */
#define MOST 128

static uint8_t *copies; /* one page or two, executable, never writable at the same time */
static size_t used;

/* Near nothing in particular: the copies are reached through pointers. */
static uint8_t *keep(const uint8_t *code) {
  DWORD before;
  if (copies == NULL) {
    copies = VirtualAlloc(NULL, MOST * STUB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (copies == NULL) return NULL;
  } else if (!VirtualProtect(copies, MOST * STUB, PAGE_READWRITE, &before)) {
    return NULL;
  }
  if (used == MOST) return NULL;
  uint8_t *copy = copies + used++ * STUB;
  memcpy(copy, code, STUB);
  return VirtualProtect(copies, MOST * STUB, PAGE_EXECUTE_READ, &before) ? copy : NULL;
}

static bool change(uint8_t *code, const void *replacement) {
  uint8_t patch[PATCH] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
  DWORD before;
  memcpy(patch + 2, &replacement, sizeof(replacement));
  if (!VirtualProtect(code, PATCH, PAGE_EXECUTE_READWRITE, &before)) return false;
  memcpy(code, patch, PATCH);
  const bool restored = VirtualProtect(code, PATCH, before, &before);
  FlushInstructionCache(GetCurrentProcess(), code, PATCH);
  return restored;
}

const void *bh_stub_marker(void) { return (const void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtCreateUserProcess"); }

bool bh_stubs_install(const struct bh_stub *stubs, size_t count, uint32_t acts, uint32_t *installed) {
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  for (size_t i = 0; i < count; i++) {
    if (stubs[i].acts != 0 && (stubs[i].acts & acts) == 0) continue;
    uint8_t *code = (uint8_t *)(void *)GetProcAddress(ntdll, stubs[i].name);
    if (code == NULL && stubs[i].optional) continue;
    if (code == NULL || !bh_stub_is_sound(code)) return false;
    *stubs[i].original = keep(code);
    if (*stubs[i].original == NULL || !change(code, stubs[i].replacement)) return false;
    (*installed)++;
  }
  return true;
}
