#include "patch.h"

#include <string.h>

enum { MAX_LISTS = 8, MAX_THUNKS = 128, THUNK = 16 };

static struct {
  const bd_replacement *items;
  size_t count;
} lists[MAX_LISTS];
static size_t list_count;

static IMAGE_NT_HEADERS *headers(BYTE *module) {
  IMAGE_NT_HEADERS *nt = (void *)(module + ((IMAGE_DOS_HEADER *)module)->e_lfanew);
  return nt->Signature == IMAGE_NT_SIGNATURE ? nt : NULL;
}

static IMAGE_DATA_DIRECTORY directory(BYTE *module, int which) {
  const IMAGE_DATA_DIRECTORY none = {0, 0};
  const IMAGE_NT_HEADERS *nt = headers(module);
  return nt ? nt->OptionalHeader.DataDirectory[which] : none;
}

static void write_to(void *at, const void *value, size_t size) {
  DWORD old;
  if (!VirtualProtect(at, size, PAGE_READWRITE, &old)) return;
  memcpy(at, value, size);
  VirtualProtect(at, size, old, &old);
}

/** An export is a 32-bit distance from its module: a jump to the replacement has to lie within 4 GB above it. */
static BYTE *near_code(BYTE *module) {
  const size_t step = 0x10000;
  for (BYTE *at = module + headers(module)->OptionalHeader.SizeOfImage; at < module + 0xf0000000ull; at += step) {
    at = (BYTE *)(((ULONG_PTR)at + step - 1) & ~(ULONG_PTR)(step - 1));
    BYTE *code = VirtualAlloc(at, MAX_THUNKS * THUNK, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    if (code) return code;
  }
  return NULL;
}

static DWORD *export_slot(BYTE *module, const char *name) {
  IMAGE_DATA_DIRECTORY where = directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT);
  const IMAGE_EXPORT_DIRECTORY *exports = (void *)(module + where.VirtualAddress);
  if (!where.Size) return NULL;
  const DWORD *names = (void *)(module + exports->AddressOfNames);
  const WORD *ordinals = (void *)(module + exports->AddressOfNameOrdinals);
  for (DWORD i = 0; i < exports->NumberOfNames; i++) {
    if (strcmp((const char *)module + names[i], name) == 0) return (DWORD *)(module + exports->AddressOfFunctions) + ordinals[i];
  }
  return NULL;
}

static void patch_import_table(BYTE *module, const bd_replacement *item, const void *original) {
  IMAGE_DATA_DIRECTORY where = directory(module, IMAGE_DIRECTORY_ENTRY_IMPORT);
  const IMAGE_IMPORT_DESCRIPTOR *import = (void *)(module + where.VirtualAddress);
  for (; where.Size && import->Name; import++) {
    for (void **slot = (void **)(module + import->FirstThunk); *slot; slot++) {
      if (*slot == original) write_to(slot, &item->replacement, sizeof(void *));
    }
  }
}

/** What Wine's library does not have at all is bound to a stub that ends the process, so it is found by its name. */
static void patch_import_by_name(BYTE *module, const bd_replacement *item) {
  IMAGE_DATA_DIRECTORY where = directory(module, IMAGE_DIRECTORY_ENTRY_IMPORT);
  const IMAGE_IMPORT_DESCRIPTOR *import = (void *)(module + where.VirtualAddress);
  for (; where.Size && import->Name; import++) {
    if (_stricmp((const char *)module + import->Name, item->module) != 0 || !import->OriginalFirstThunk) continue;
    const ULONGLONG *names = (void *)(module + import->OriginalFirstThunk);
    void **slots = (void **)(module + import->FirstThunk);
    for (int i = 0; names[i]; i++) {
      const IMAGE_IMPORT_BY_NAME *name = (void *)(module + names[i]);
      if (IMAGE_SNAP_BY_ORDINAL64(names[i]) || strcmp((const char *)name->Name, item->name) != 0) continue;
      write_to(&slots[i], &item->replacement, sizeof(void *));
    }
  }
}

static BOOL is_missing(const bd_replacement *item) {
  BYTE *module = (BYTE *)GetModuleHandleA(item->module);
  return module && !export_slot(module, item->name);
}

static void for_all_modules(const bd_replacement *item, const void *original) {
  const PEB_LDR_DATA *loader = (*(PEB **)(bd_teb() + 0x60))->Ldr;
  const LIST_ENTRY *head = &loader->InMemoryOrderModuleList;
  HMODULE own = GetModuleHandleW(L"kernel-double.dll");
  for (const LIST_ENTRY *at = head->Flink; at != head; at = at->Flink) {
    const LDR_DATA_TABLE_ENTRY *entry = CONTAINING_RECORD(at, LDR_DATA_TABLE_ENTRY, InMemoryOrderLinks);
    if (!entry->DllBase || entry->DllBase == own) continue;
    if (original) patch_import_table(entry->DllBase, item, original);
    else patch_import_by_name(entry->DllBase, item);
  }
}

/* jmp [rip+0], and the address. */
static const BYTE jump[6] = {0xff, 0x25, 0, 0, 0, 0};

static BOOL is_jump_to(const void *code, const void *target) {
  return memcmp(code, jump, sizeof(jump)) == 0 && memcmp((const BYTE *)code + sizeof(jump), &target, sizeof(target)) == 0;
}

/** Exports of a module that the double replaces. */
static void patch_exports(BYTE *module, const char *name) {
  BYTE *code = NULL, *at = NULL;
  for (size_t l = 0; l < list_count; l++) {
    for (size_t i = 0; i < lists[l].count; i++) {
      const bd_replacement *item = &lists[l].items[i];
      if (_stricmp(item->module, name) != 0) continue;
      DWORD *slot = export_slot(module, item->name);
      void *original = slot ? (void *)GetProcAddress((HMODULE)module, item->name) : NULL;
      if (!slot) for_all_modules(item, NULL);
      if (!original || is_jump_to(original, item->replacement)) continue;
      if (!code) at = code = near_code(module);
      if (!code || at >= code + MAX_THUNKS * THUNK) return;
      memcpy(at, jump, sizeof(jump));
      memcpy(at + sizeof(jump), &item->replacement, 8);
      if (item->original) *item->original = original;
      DWORD distance = (DWORD)(at - module);
      write_to(slot, &distance, sizeof(distance));
      at += THUNK;
      for_all_modules(item, original);
    }
  }
}

static const char *short_name(const UNICODE_STRING *name, char text[64]) {
  int length = name->Length / 2 < 63 ? name->Length / 2 : 63;
  for (int i = 0; i < length; i++) text[i] = (char)name->Buffer[i];
  text[length] = 0;
  return text;
}

typedef struct {
  ULONG flags;
  const UNICODE_STRING *full_name, *base_name;
  void *base;
  ULONG size;
} notification;

/** A module was loaded; its imports are bound already, through the changed exports where there are some. */
static void CALLBACK loaded(ULONG reason, const notification *data, void *context) {
  char name[64];
  (void)context;
  if (reason != 1) return;
  short_name(data->base_name, name);
  for (size_t l = 0; l < list_count; l++) {
    for (size_t i = 0; i < lists[l].count; i++) {
      const bd_replacement *item = &lists[l].items[i];
      if (_stricmp(item->module, name) == 0) {
        patch_exports(data->base, name);
        return;
      }
    }
  }
  for (size_t l = 0; l < list_count; l++) {
    for (size_t i = 0; i < lists[l].count; i++) {
      const bd_replacement *item = &lists[l].items[i];
      if (is_missing(item)) patch_import_by_name(data->base, item);
    }
  }
}

BOOL bd_patch(const bd_replacement *list, size_t count) {
  static BOOL registered;
  void *cookie;
  if (list_count == MAX_LISTS) return FALSE;
  lists[list_count].items = list;
  lists[list_count++].count = count;
  if (!registered && LdrRegisterDllNotification(0, loaded, NULL, &cookie)) return FALSE;
  registered = TRUE;
  for (size_t i = 0; i < count; i++) {
    BYTE *module = (BYTE *)GetModuleHandleA(list[i].module);
    BOOL first = TRUE;
    for (size_t k = 0; k < i; k++) first &= _stricmp(list[k].module, list[i].module) != 0;
    if (module && first) patch_exports(module, list[i].module);
  }
  return TRUE;
}
