/*
 * Wine's stubs in ntdll call its system through one pointer at 0x7ffe1000. The double puts itself there, so it sees every call whatever stands in
 * the stub: a hook that patches stubs, a copy of a stub, or code that makes the call by itself. It decides where a kernel would, and it does not
 * matter whether it or another hook came first.
 */
#include "hook.h"

#include <stdint.h>
#include <string.h>

#define DISPATCHER ((void *volatile *)(uintptr_t)0x7ffe1000)

void *bd_real_code[BD_HOOK_COUNT];
void *bd_hook_table[4096];
void *bd_hook_system;
void bd_hook_entry(void);

/* On entry: rax number, r10 first argument, [rsp] return into the stub, [rsp+8] return to the stub's caller. */
__asm__(".globl bd_hook_entry\n"
        "bd_hook_entry:\n"
        "  cmpl $0xfff, %eax\n"
        "  ja 1f\n"
        "  leaq bd_hook_table(%rip), %r11\n"
        "  movq (%r11,%rax,8), %r11\n"
        "  testq %r11, %r11\n"
        "  jz 1f\n"
        "  addq $8, %rsp\n"
        "  movq %r10, %rcx\n"
        "  jmpq *%r11\n"
        "1:\n"
        "  jmpq *bd_hook_system(%rip)\n");

static const struct {
  const char *name;
  void *hook;
} hooks[BD_HOOK_COUNT] = {
#define X(name, parameters) {#name, bd_##name},
    BD_HOOKS(X)
#undef X
};

/** Wine returns 11 bytes before the return address, where its own stubs have their first `ret`; so has this one. */
static const BYTE past[32] = {0x4c, 0x8b, 0xd1, 0xb8, 0, 0, 0, 0, 0xeb, 0x05, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xff,
                              0x15, 3,    0,    0,    0, 0xc3, 0xcc, 0xcc};

static BOOL number_in(const BYTE *stub, DWORD *number) {
  static const BYTE head[] = {0x4c, 0x8b, 0xd1, 0xb8}, tail[] = {0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3};
  if (memcmp(stub, head, sizeof(head)) != 0 || memcmp(stub + 8, tail, sizeof(tail)) != 0) return FALSE;
  memcpy(number, stub + 4, 4);
  return *number < 4096;
}

BOOL bd_hook_prepare(void) {
  HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  BYTE *code = VirtualAlloc(NULL, 32 * BD_HOOK_COUNT, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
  if (!code) return FALSE;
  bd_hook_system = *DISPATCHER;
  for (int i = 0; i < BD_HOOK_COUNT; i++) {
    const BYTE *stub = (const BYTE *)GetProcAddress(ntdll, hooks[i].name);
    DWORD number;
    if (!stub) return FALSE;
    /* Another hook may already stand in this stub; the first process of the run had them untouched. */
    if (number_in(stub, &number)) bd_shared->numbers[i] = number;
    else number = bd_shared->numbers[i];
    if (!number) return FALSE;
    BYTE *at = code + 32 * i;
    memcpy(at, past, sizeof(past));
    memcpy(at + 4, &number, 4);
    memcpy(at + 24, &bd_hook_system, 8);
    bd_real_code[i] = at;
    bd_hook_table[number] = hooks[i].hook;
  }
  return TRUE;
}

void bd_hook_install(void) {
  *DISPATCHER = (void *)bd_hook_entry;
}
