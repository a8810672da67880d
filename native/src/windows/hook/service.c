/*
 * Services are reached by messages to the service control manager, so there is no system call to stand before. What is replaced instead
 * are the functions of its library, in the export table (for whoever looks them up from now on) and in the import tables of the modules
 * that have looked them up already. Whoever controls a service must first open or create it, and says there what for: those are judged.
 */
#include <windows.h>

#include <psapi.h>

#include "hooks.h"

#define FUNCTIONS 4
#define MODULES 512
#define JUMP 16 /* bytes of one jump: mov rax, imm64; jmp rax, padded */

static SC_HANDLE(WINAPI *real_open)(SC_HANDLE, const wchar_t *, DWORD);
static SC_HANDLE(WINAPI *real_open_ansi)(SC_HANDLE, const char *, DWORD);
static SC_HANDLE(WINAPI *real_create)(SC_HANDLE, const wchar_t *, const wchar_t *, DWORD, DWORD, DWORD, DWORD, const wchar_t *, const wchar_t *,
                                      DWORD *, const wchar_t *, const wchar_t *, const wchar_t *);
static SC_HANDLE(WINAPI *real_create_ansi)(SC_HANDLE, const char *, const char *, DWORD, DWORD, DWORD, DWORD, const char *, const char *,
                                           DWORD *, const char *, const char *, const char *);

/* Copies a name of the caller's, unit by unit because its length is not known. */
static bool take_name(struct bh_room *room, const void *name, bool ansi, struct bh_object *object) {
  uint32_t length = 0;
  for (; length < 512; length++) {
    uint16_t unit = 0;
    const size_t size = ansi ? 1 : 2;
    if (!bh_copy_in(&unit, (const uint8_t *)name + length * size, size)) return false;
    if (unit == 0) break;
    room->named[length] = ansi && unit > 127 ? '?' : unit;
  }
  const struct bh_text16 text = {room->named, length};
  *object = (struct bh_object){.named = text, .real = text};
  return true;
}

static DWORD ask(const void *name, bool ansi) {
  struct bh_object object;
  struct bh_room *room = bh_room_take();
  if (room == NULL) return ERROR_NOT_ENOUGH_MEMORY;
  const enum bh_found found = take_name(room, name, ansi, &object) ? BH_FOUND : BH_UNREADABLE;
  const struct bh_said said = bh_ask_rules(room, BH_HOOK_SERVICE_CONTROL, found, &object);
  bh_room_give(room);
  return said.say == BH_PASS ? 0 : ERROR_ACCESS_DENIED;
}

static SC_HANDLE refuse(DWORD error) {
  SetLastError(error);
  return NULL;
}

static bool controls(DWORD access) {
  return (access & (SERVICE_CHANGE_CONFIG | SERVICE_START | SERVICE_STOP | SERVICE_PAUSE_CONTINUE | SERVICE_USER_DEFINED_CONTROL | DELETE |
                    WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL | MAXIMUM_ALLOWED)) != 0;
}

/* Outside the guard: what the library itself does is judged like anything else; only its own functions calling each other are not. */
static DWORD ask_guarded(const void *name, bool ansi) {
  if (!bh_enter()) return 0;
  const DWORD error = ask(name, ansi);
  bh_leave();
  return error;
}

static SC_HANDLE WINAPI hook_open(SC_HANDLE manager, const wchar_t *name, DWORD access) {
  const DWORD error = controls(access) ? ask_guarded(name, false) : 0;
  return error != 0 ? refuse(error) : real_open(manager, name, access);
}

static SC_HANDLE WINAPI hook_open_ansi(SC_HANDLE manager, const char *name, DWORD access) {
  const DWORD error = controls(access) ? ask_guarded(name, true) : 0;
  return error != 0 ? refuse(error) : real_open_ansi(manager, name, access);
}

static SC_HANDLE WINAPI hook_create(SC_HANDLE manager, const wchar_t *name, const wchar_t *display, DWORD access, DWORD type, DWORD start,
                                    DWORD control, const wchar_t *path, const wchar_t *group, DWORD *tag, const wchar_t *needs,
                                    const wchar_t *user, const wchar_t *password) {
  const DWORD error = ask_guarded(name, false);
  return error != 0 ? refuse(error)
                    : real_create(manager, name, display, access, type, start, control, path, group, tag, needs, user, password);
}

static SC_HANDLE WINAPI hook_create_ansi(SC_HANDLE manager, const char *name, const char *display, DWORD access, DWORD type, DWORD start,
                                         DWORD control, const char *path, const char *group, DWORD *tag, const char *needs,
                                         const char *user, const char *password) {
  const DWORD error = ask_guarded(name, true);
  return error != 0 ? refuse(error)
                    : real_create_ansi(manager, name, display, access, type, start, control, path, group, tag, needs, user, password);
}

static const struct {
  const char *name;
  void *replacement;
  void **original;
} functions[FUNCTIONS] = {
    {"OpenServiceW", (void *)hook_open, (void **)&real_open},
    {"OpenServiceA", (void *)hook_open_ansi, (void **)&real_open_ansi},
    {"CreateServiceW", (void *)hook_create, (void **)&real_create},
    {"CreateServiceA", (void *)hook_create_ansi, (void **)&real_create_ansi},
};

static const IMAGE_DATA_DIRECTORY *directory(uint8_t *base, unsigned which) {
  const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)(void *)base;
  const IMAGE_NT_HEADERS64 *nt = (const IMAGE_NT_HEADERS64 *)(void *)(base + dos->e_lfanew);
  const IMAGE_DATA_DIRECTORY *found = &nt->OptionalHeader.DataDirectory[which];
  return dos->e_magic == IMAGE_DOS_SIGNATURE && nt->OptionalHeader.Magic == IMAGE_NT_OPTIONAL_HDR64_MAGIC && found->Size > 0 ? found : NULL;
}

static bool overwrite(void *at, const void *value, size_t size) {
  DWORD before;
  if (!VirtualProtect(at, size, PAGE_READWRITE, &before)) return false;
  memcpy(at, value, size);
  return VirtualProtect(at, size, before, &before);
}

/* Export tables hold 32-bit distances from the module's beginning, so the jumps lie behind the module and not too far away. */
static uint8_t *room_behind(uint8_t *base, size_t size) {
  MEMORY_BASIC_INFORMATION found;
  uint8_t *at = base;
  while (at < base + 0xf0000000u && VirtualQuery(at, &found, sizeof(found)) != 0) {
    uint8_t *const start = (uint8_t *)(((uintptr_t)found.BaseAddress + 0xffff) & ~(uintptr_t)0xffff);
    uint8_t *const end = (uint8_t *)found.BaseAddress + found.RegionSize;
    if (found.State == MEM_FREE && start + size <= end) {
      uint8_t *room = VirtualAlloc(start, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
      if (room != NULL) return room;
    }
    at = end;
  }
  return NULL;
}

static bool change_export(uint8_t *base, const char *name, uint8_t *jump) {
  const IMAGE_DATA_DIRECTORY *where = directory(base, IMAGE_DIRECTORY_ENTRY_EXPORT);
  if (where == NULL) return false;
  const IMAGE_EXPORT_DIRECTORY *table = (const IMAGE_EXPORT_DIRECTORY *)(void *)(base + where->VirtualAddress);
  const DWORD *names = (const DWORD *)(void *)(base + table->AddressOfNames);
  const WORD *ordinals = (const WORD *)(void *)(base + table->AddressOfNameOrdinals);
  DWORD *addresses = (DWORD *)(void *)(base + table->AddressOfFunctions);
  for (DWORD i = 0; i < table->NumberOfNames; i++) {
    const char *given = (const char *)(base + names[i]);
    size_t k = 0;
    while (given[k] != '\0' && given[k] == name[k]) k++;
    if (given[k] != name[k]) continue;
    const DWORD distance = (DWORD)(jump - base);
    return overwrite(&addresses[ordinals[i]], &distance, sizeof(distance));
  }
  return false;
}

/* Every pointer to one of the functions that the module has taken already. */
static bool change_imports(uint8_t *base) {
  const IMAGE_DATA_DIRECTORY *where = directory(base, IMAGE_DIRECTORY_ENTRY_IAT);
  if (where == NULL) return true;
  void **const table = (void **)(void *)(base + where->VirtualAddress);
  for (size_t i = 0; i < where->Size / sizeof(void *); i++) {
    for (size_t k = 0; k < FUNCTIONS; k++) {
      if (table[i] == *functions[k].original && table[i] != NULL && !overwrite(&table[i], &functions[k].replacement, sizeof(void *))) {
        return false;
      }
    }
  }
  return true;
}

bool bh_service_install(uint32_t acts, uint32_t *installed) {
  static HMODULE modules[MODULES];
  DWORD bytes = 0;
  if ((acts & BH_BIT(BH_HOOK_SERVICE_CONTROL)) == 0) return true;
  uint8_t *base = (uint8_t *)LoadLibraryExW(L"sechost.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (base == NULL || !K32EnumProcessModules(GetCurrentProcess(), modules, sizeof(modules), &bytes)) return false;
  uint8_t *jumps = room_behind(base, FUNCTIONS * JUMP);
  if (jumps == NULL) return false;
  for (size_t i = 0; i < FUNCTIONS; i++) {
    uint8_t code[JUMP] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
    memcpy(code + 2, &functions[i].replacement, sizeof(void *));
    memcpy(jumps + i * JUMP, code, JUMP);
    *functions[i].original = (void *)GetProcAddress((HMODULE)base, functions[i].name);
    if (*functions[i].original == NULL) return false;
  }
  DWORD before;
  if (!VirtualProtect(jumps, FUNCTIONS * JUMP, PAGE_EXECUTE_READ, &before)) return false;
  for (size_t i = 0; i < bytes / sizeof(HMODULE) && i < MODULES; i++) {
    if (!change_imports((uint8_t *)modules[i])) return false;
  }
  for (size_t i = 0; i < FUNCTIONS; i++) {
    if (!change_export(base, functions[i].name, jumps + i * JUMP)) return false;
    (*installed)++;
  }
  return true;
}
