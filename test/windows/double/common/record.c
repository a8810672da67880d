#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FUNCTIONS = 128 };

typedef struct {
  char name[56];
  volatile LONG count;
} counter;

/** Shared by all processes of the run. */
typedef struct {
  volatile LONG lock, number, run;
  counter counters[MAX_FUNCTIONS];
} ledger;

static WCHAR folder[MAX_PATH];
static ledger *shared;
static HANDLE output = INVALID_HANDLE_VALUE;

static BOOL silent;

void bd_record_nothing(void) {
  silent = TRUE;
}

static HANDLE open_in(const WCHAR *name, DWORD access, DWORD disposition) {
  WCHAR path[MAX_PATH + 32];
  if (wcslen(folder) + wcslen(name) + 2 > MAX_PATH + 32) return INVALID_HANDLE_VALUE;
  wcscpy(path, folder);
  wcscat(path, L"\\");
  wcscat(path, name);
  return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition, 0, NULL);
}

BOOL bd_record_open(const WCHAR *directory) {
  if (wcslen(directory) >= MAX_PATH) return FALSE;
  wcscpy(folder, directory);
  HANDLE file = open_in(L"ledger.dat", GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
  if (file == INVALID_HANDLE_VALUE) return FALSE;
  HANDLE section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, sizeof(ledger), NULL);
  shared = section ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, sizeof(ledger)) : NULL;
  if (section) CloseHandle(section);
  CloseHandle(file);
  output = open_in(L"calls.jsonl", FILE_APPEND_DATA | SYNCHRONIZE, OPEN_ALWAYS);
  return shared && output != INVALID_HANDLE_VALUE;
}

/** Held for a few instructions only. Who waits long takes it that the owner was killed. */
static void lock(void) {
  for (int tries = 0; InterlockedCompareExchange(&shared->lock, 1, 0) && tries < 2000; tries++) Sleep(tries < 100 ? 0 : 1);
}

static void unlock(void) {
  InterlockedExchange(&shared->lock, 0);
}

static LONG count_call(const char *call, LONG run) {
  LONG count = 0;
  lock();
  if (run >= 0 && shared->run != run) {
    memset(shared->counters, 0, sizeof(shared->counters));
    shared->run = run;
  }
  for (int i = 0; i < MAX_FUNCTIONS; i++) {
    counter *at = &shared->counters[i];
    if (!at->name[0]) strncpy(at->name, call, sizeof(at->name) - 1);
    if (strcmp(at->name, call) != 0) continue;
    count = ++at->count;
    break;
  }
  unlock();
  return count;
}

static void read_faults(char *text, DWORD size) {
  DWORD got = 0;
  HANDLE file = open_in(L"faults.conf", GENERIC_READ, OPEN_EXISTING);
  text[0] = 0;
  if (file == INVALID_HANDLE_VALUE) return;
  if (ReadFile(file, text, size - 1, &got, NULL)) text[got] = 0;
  CloseHandle(file);
}

static void find_fault(bd_record *record) {
  char text[4096], name[56], result[32], run_text[32];
  LONG run = -1, wanted;
  read_faults(text, sizeof(text));
  for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
    if (sscanf(line, "run %31s", run_text) == 1) run = atol(run_text);
  }
  LONG count = count_call(record->call, run);
  for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
    if (sscanf(line, "%55s %ld %31s", name, &wanted, result) != 3 || strcmp(name, record->call) != 0 || wanted != count) continue;
    record->injected = TRUE;
    record->result = (DWORD)strtoull(result, NULL, 0);
  }
}

static void put(bd_record *record, const char *text, size_t length) {
  /* Room is left for the end of the line: what does not fit is cut, and the line stays one. */
  if (record->length + length + 64 > BD_RECORD_TEXT) return;
  memcpy(record->text + record->length, text, length);
  record->length += (int)length;
}

static void put_name(bd_record *record, const char *name) {
  if (!record->first[record->depth]) put(record, ",", 1);
  record->first[record->depth] = FALSE;
  if (!name) return;
  put(record, "\"", 1);
  put(record, name, strlen(name));
  put(record, "\":", 2);
}

void bd_put_open(bd_record *record, const char *name, char bracket) {
  put_name(record, name);
  put(record, &bracket, 1);
  if (record->depth < 7) record->depth++;
  record->first[record->depth] = TRUE;
}

void bd_put_close(bd_record *record, char bracket) {
  put(record, &bracket, 1);
  if (record->depth > 0) record->depth--;
}

void bd_record_begin(bd_record *record, const char *call) {
  char text[120];
  memset(record, 0, offsetof(bd_record, text));
  record->call = call;
  record->first[0] = TRUE;
  if (!silent) {
    find_fault(record);
    record->number = InterlockedIncrement(&shared->number);
  }
  int length = snprintf(text, sizeof(text), "{\"n\":%ld,\"pid\":%lu,\"call\":\"%s\"", record->number, GetCurrentProcessId(), call);
  put(record, text, (size_t)length);
  record->first[0] = FALSE;
  bd_put_open(record, "in", '{');
}

void bd_record_end(bd_record *record, DWORD result) {
  char text[64];
  DWORD written;
  bd_put_close(record, '}');
  int length = snprintf(text, sizeof(text), ",\"result\":\"0x%lx\"%s}\n", result, record->injected ? ",\"injected\":true" : "");
  memcpy(record->text + record->length, text, (size_t)length);
  if (!silent) WriteFile(output, record->text, (DWORD)(record->length + length), &written, NULL);
}

void bd_put_number(bd_record *record, const char *name, ULONGLONG value) {
  char text[32];
  put_name(record, name);
  put(record, text, (size_t)snprintf(text, sizeof(text), "%llu", value));
}

void bd_put_hex(bd_record *record, const char *name, ULONGLONG value) {
  char text[32];
  put_name(record, name);
  put(record, text, (size_t)snprintf(text, sizeof(text), "\"0x%llx\"", value));
}

void bd_put_bool(bd_record *record, const char *name, BOOL value) {
  put_name(record, name);
  put(record, value ? "true" : "false", value ? 4 : 5);
}

void bd_put_text(bd_record *record, const char *name, const char *text) {
  put_name(record, name);
  put(record, "\"", 1);
  for (; *text; text++) {
    char escaped[8];
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') put(record, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\%c", c));
    else if (c < 32) put(record, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", c));
    else put(record, text, 1);
  }
  put(record, "\"", 1);
}

void bd_put_wide(bd_record *record, const char *name, const WCHAR *text, int length) {
  char narrow[4096];
  if (!text) {
    put_name(record, name);
    put(record, "null", 4);
    return;
  }
  if (length < 0) length = (int)wcslen(text);
  int size = length ? WideCharToMultiByte(CP_UTF8, 0, text, length < 1300 ? length : 1300, narrow, sizeof(narrow) - 1, NULL, NULL) : 0;
  narrow[size] = 0;
  bd_put_text(record, name, narrow);
}

void bd_put_sid(bd_record *record, const char *name, const void *sid) {
  const BYTE *bytes = sid;
  char text[200];
  unsigned long long authority = 0;
  if (!bytes) {
    bd_put_wide(record, name, NULL, 0);
    return;
  }
  for (int i = 2; i < 8; i++) authority = authority << 8 | bytes[i];
  int at = snprintf(text, sizeof(text), "S-1-%llu", authority);
  for (int i = 0; i < bytes[1] && i < 15; i++) {
    DWORD part;
    memcpy(&part, bytes + 8 + 4 * i, 4);
    at += snprintf(text + at, sizeof(text) - (size_t)at, "-%lu", part);
  }
  bd_put_text(record, name, text);
}

void bd_put_guid(bd_record *record, const char *name, const GUID *guid) {
  char text[48];
  if (!guid) {
    bd_put_wide(record, name, NULL, 0);
    return;
  }
  snprintf(text, sizeof(text), "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->Data1, guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1],
           guid->Data4[2], guid->Data4[3], guid->Data4[4], guid->Data4[5], guid->Data4[6], guid->Data4[7]);
  bd_put_text(record, name, text);
}
