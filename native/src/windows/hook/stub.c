#include "stub.h"

#include <windows.h>

#include "runtime.h"

#define STUB 32 /* bytes from one stub to the next */
#define PATCH 12 /* mov rax, imm64; jmp rax */
#define MOST 128

static bool starts(const uint8_t *code, const uint8_t *bytes, size_t length) { return memcmp(code, bytes, length) == 0; }

/*
 * `mov r10, rcx; mov eax, number` and behind it one of: the test for how to enter the kernel (Windows 10 and later, Wine), the plain
 * system call (before), or the jump of another hook that left the first eight bytes alone. Everything jumps within the 32 bytes or
 * absolutely, so that a copy of them works anywhere. Any other beginning is somebody else's hook or a system we do not know.
 */
bool bh_stub_is_sound(const uint8_t *code) {
  static const uint8_t head[] = {0x4c, 0x8b, 0xd1, 0xb8};
  static const uint8_t test[] = {0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3};
  static const uint8_t plain[] = {0x0f, 0x05, 0xc3};
  const uint8_t *tail = code + 8;
  if (!starts(code, head, sizeof(head)) || code[6] != 0 || code[7] != 0) return false;
  if (starts(tail, test, sizeof(test)) || starts(tail, plain, sizeof(plain))) return true;
  return tail[0] == 0x49 && tail[1] == 0xbb && tail[10] == 0x41 && tail[11] == 0xff && tail[12] == 0xe3;
}

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

bool bh_stub_is_changed(const uint8_t *code) { return code[0] == 0x48 && code[1] == 0xb8 && code[10] == 0xff && code[11] == 0xe0; }

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
