#include "runtime.h"

/* The compiler calls these by name; written without loops it would turn into calls of themselves. */
void *memcpy(void *to, const void *from, size_t size) {
  void *const start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
}

void *memmove(void *to, const void *from, size_t size) {
  if ((uintptr_t)to - (uintptr_t)from >= size) return memcpy(to, from, size);
  uint8_t *last = (uint8_t *)to + size - 1;
  const uint8_t *source = (const uint8_t *)from + size - 1;
  __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(last), "+S"(source), "+c"(size) : : "memory");
  return to;
}

void *memset(void *to, int value, size_t size) {
  void *const start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return start;
}

int memcmp(const void *a, const void *b, size_t size) {
  const volatile uint8_t *x = a;
  const volatile uint8_t *y = b;
  for (size_t i = 0; i < size; i++) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

/*
 * A copy that survives memory it must not touch: a scope table for the one instruction that can fault, in the form that
 * __C_specific_handler reads (x64 exception handling, "Language-Specific Handler"). The handler is in ntdll and found by name, because
 * not every import library has it.
 */
void *bh_specific_handler_address;
int bh_guarded_copy(void *to, const void *from, size_t size);
__asm__(
    ".text\n"
    ".globl bh_specific_handler\n"
    "bh_specific_handler:\n"
    "  jmp *bh_specific_handler_address(%rip)\n"
    ".globl bh_guarded_copy\n"
    ".seh_proc bh_guarded_copy\n"
    "bh_guarded_copy:\n"
    "  pushq %rdi\n"
    "  .seh_pushreg %rdi\n"
    "  pushq %rsi\n"
    "  .seh_pushreg %rsi\n"
    "  subq $40, %rsp\n"
    "  .seh_stackalloc 40\n"
    "  .seh_endprologue\n"
    "  movq %rcx, %rdi\n"
    "  movq %rdx, %rsi\n"
    "  movq %r8, %rcx\n"
    ".Lbh_first:\n"
    "  rep movsb\n"
    "  nop\n"
    ".Lbh_last:\n"
    "  movl $1, %eax\n"
    "  jmp .Lbh_out\n"
    ".Lbh_fault:\n"
    "  xorl %eax, %eax\n"
    ".Lbh_out:\n"
    "  addq $40, %rsp\n"
    "  popq %rsi\n"
    "  popq %rdi\n"
    "  ret\n"
    ".seh_handler bh_specific_handler, @except\n"
    ".seh_handlerdata\n"
    "  .long 1\n"
    "  .rva .Lbh_first, .Lbh_last\n"
    "  .long 1\n" /* EXCEPTION_EXECUTE_HANDLER, always */
    "  .rva .Lbh_fault\n"
    ".text\n"
    ".seh_endproc\n");

bool bh_copy_in(void *to, const void *from, size_t size) { return bh_guarded_copy(to, from, size) != 0; }
bool bh_copy_out(void *to, const void *from, size_t size) { return bh_guarded_copy(to, from, size) != 0; }

/* TEB of x64 (winternl.h has the slots; the last error lies where GetLastError reads it). A slot below 64 lies in the TEB itself. */
#define TEB_LAST_ERROR 0x68
#define TEB_SLOTS 0x1480

static DWORD slot = TLS_OUT_OF_INDEXES;

static uint8_t *teb(void) {
  uint8_t *self;
  __asm__("movq %%gs:0x30, %0" : "=r"(self));
  return self;
}

bool bh_runtime_start(void) {
  bh_specific_handler_address = (void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "__C_specific_handler");
  slot = TlsAlloc();
  return bh_specific_handler_address != NULL && slot < 64;
}

bool bh_enter(void) {
  uint8_t *const own = teb();
  uint64_t *const mark = (uint64_t *)(void *)(own + TEB_SLOTS + (size_t)slot * 8);
  if (*mark != 0) return false;
  *mark = 1ull << 32 | *(uint32_t *)(void *)(own + TEB_LAST_ERROR);
  return true;
}

void bh_leave(void) {
  uint8_t *const own = teb();
  uint64_t *const mark = (uint64_t *)(void *)(own + TEB_SLOTS + (size_t)slot * 8);
  *(uint32_t *)(void *)(own + TEB_LAST_ERROR) = (uint32_t)*mark;
  *mark = 0;
}

/* Rooms that are not in use. A thread that is ended inside a call takes its room with it; the next call makes another. */
#define ROOMS 16
static void *volatile rooms[ROOMS];

struct bh_room *bh_room_take(void) {
  for (size_t i = 0; i < ROOMS; i++) {
    void *room = InterlockedExchangePointer(&rooms[i], NULL);
    if (room != NULL) return room;
  }
  return VirtualAlloc(NULL, sizeof(struct bh_room), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void bh_room_give(struct bh_room *room) {
  for (size_t i = 0; i < ROOMS; i++) {
    if (InterlockedCompareExchangePointer(&rooms[i], room, NULL) == NULL) return;
  }
  VirtualFree(room, 0, MEM_RELEASE);
}

struct bh_text16 bh_text16_of(const wchar_t *text) {
  uint32_t length = 0;
  while (text[length] != 0) length++;
  return (struct bh_text16){(const uint16_t *)text, length};
}
