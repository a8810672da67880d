#include "environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "text.h"

static size_t name_length(const wchar_t *entry) {
  return wcscspn(entry, L"=");
}

static int compare(const wchar_t *a, const wchar_t *b) {
  return CompareStringOrdinal(a, (int)name_length(a), b, (int)name_length(b), TRUE) - CSTR_EQUAL;
}

static int compare_entries(const void *a, const void *b) {
  return compare(*(wchar_t *const *)a, *(wchar_t *const *)b);
}

static wchar_t *join(wchar_t **entries, size_t count, struct bh_fault *fault) {
  size_t length = 2; /* an empty block still has two terminators */
  for (size_t i = 0; i < count; i++) length += wcslen(entries[i]) + 1;
  wchar_t *block = calloc(length, sizeof(wchar_t));
  if (!block) {
    bh_fault(fault, ERROR_OUTOFMEMORY, "environment", NULL);
    return NULL;
  }
  wchar_t *at = block;
  for (size_t i = 0; i < count; i++) {
    const size_t own = wcslen(entries[i]) + 1;
    wmemcpy(at, entries[i], own);
    at += own;
  }
  return block;
}

static bool is_clean(wchar_t **entries, size_t count, struct bh_fault *fault) {
  for (size_t i = 1; i < count; i++) {
    if (compare(entries[i - 1], entries[i]) != 0) continue;
    char name[64];
    bh_utf8_into(entries[i], name, sizeof(name));
    name[strcspn(name, "=")] = 0;
    bh_fault(fault, ERROR_INVALID_PARAMETER, "environment: a variable is there twice:", name);
    return false;
  }
  return true;
}

wchar_t *bh_environment(char *const *entries, struct bh_fault *fault) {
  size_t count = 0, converted = 0;
  while (entries[count]) count++;
  wchar_t **wide = calloc(count + 1, sizeof(*wide));
  wchar_t *block = NULL;
  while (wide && converted < count && (wide[converted] = bh_wide(entries[converted]))) converted++;
  if (!wide || converted < count) {
    bh_fault(fault, 0, "environment", NULL);
  } else {
    qsort(wide, count, sizeof(*wide), compare_entries);
    if (is_clean(wide, count, fault)) block = join(wide, count, fault);
  }
  for (size_t i = 0; i < converted; i++) free(wide[i]);
  free(wide);
  return block;
}

const wchar_t *bh_environment_get(const wchar_t *block, const wchar_t *name) {
  for (const wchar_t *entry = block; *entry; entry += wcslen(entry) + 1) {
    const size_t length = name_length(entry);
    if (CompareStringOrdinal(entry, (int)length, name, -1, TRUE) == CSTR_EQUAL) return entry + length + 1;
  }
  return NULL;
}
