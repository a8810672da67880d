#include "secret.h"

#include <stdio.h>
#include <windows.h>

#include <bcrypt.h>
#include <sddl.h>
#include <wincrypt.h>

static const wchar_t upper[] = L"ABCDEFGHJKLMNPQRSTUVWXYZ";
static const wchar_t lower[] = L"abcdefghijkmnopqrstuvwxyz";
static const wchar_t digits[] = L"23456789";
static const wchar_t signs[] = L"!#$%&()*+,-.:;<=>?@[]^_{|}~";

/* Together: 24 + 25 + 8 + 27 = 84 characters, 6.4 bits each, so 255 bits in all. */
#define KINDS 4u
static const wchar_t *const kinds[KINDS] = {upper, lower, digits, signs};
static const uint32_t sizes[KINDS] = {24, 25, 8, 27};
#define ALPHABET 84u
_Static_assert(sizeof(upper) / sizeof(wchar_t) == 25 && sizeof(lower) / sizeof(wchar_t) == 26, "letters");
_Static_assert(sizeof(digits) / sizeof(wchar_t) == 9 && sizeof(signs) / sizeof(wchar_t) == 28, "digits and signs");

static uint32_t random_below(uint32_t limit, uint32_t *number) {
  for (;;) {
    uint8_t byte;
    if (BCryptGenRandom(NULL, &byte, sizeof(byte), BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0) return ERROR_GEN_FAILURE;
    /* What would make some numbers likelier than others is thrown away. */
    if (byte >= 256 - 256 % limit) continue;
    *number = byte % limit;
    return 0;
  }
}

uint32_t bh_secret_make(struct bh_secret *secret) {
  for (;;) {
    uint32_t seen = 0;
    for (size_t i = 0; i < BH_SECRET_LENGTH; i++) {
      uint32_t index, kind = 0;
      const uint32_t error = random_below(ALPHABET, &index);
      if (error) {
        bh_secret_clear(secret);
        return error;
      }
      while (index >= sizes[kind]) index -= sizes[kind++];
      secret->text[i] = kinds[kind][index];
      seen |= 1u << kind;
    }
    secret->text[BH_SECRET_LENGTH] = 0;
    /* One in 56 has no digit; drawing again keeps all that do equally likely. */
    if (seen == (1u << KINDS) - 1) return 0;
  }
}

void bh_secret_clear(struct bh_secret *secret) {
  SecureZeroMemory(secret, sizeof(*secret));
}

static DATA_BLOB entropy_of(const wchar_t *account, wchar_t *buffer, size_t room) {
  const int length = swprintf(buffer, room, L"bulkhead agent account %ls", account);
  return (DATA_BLOB){length < 0 ? 0 : (DWORD)length * sizeof(wchar_t), (BYTE *)buffer};
}

static uint32_t write_new(const wchar_t *file, const wchar_t *sddl, const DATA_BLOB *blob) {
  SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL))
    return GetLastError();
  /* CREATE_NEW after removing: a file that is there already would keep its own access list. */
  DeleteFileW(file);
  HANDLE handle = CreateFileW(file, GENERIC_WRITE, 0, &attributes, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
  uint32_t error = handle == INVALID_HANDLE_VALUE ? GetLastError() : 0;
  LocalFree(attributes.lpSecurityDescriptor);
  if (error) return error;
  DWORD written = 0;
  if (!WriteFile(handle, blob->pbData, blob->cbData, &written, NULL) || !FlushFileBuffers(handle)) error = GetLastError();
  if (!error && written != blob->cbData) error = ERROR_HANDLE_DISK_FULL;
  CloseHandle(handle);
  if (error) DeleteFileW(file);
  return error;
}

uint32_t bh_secret_save(const struct bh_secret *secret, const wchar_t *account, const wchar_t *file, const wchar_t *sddl) {
  wchar_t salt[128];
  DATA_BLOB entropy = entropy_of(account, salt, 128);
  DATA_BLOB clear = {sizeof(secret->text), (BYTE *)(uintptr_t)secret->text}, protected;
  if (!CryptProtectData(&clear, L"Bulkhead agent account", &entropy, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &protected))
    return GetLastError();
  const uint32_t error = write_new(file, sddl, &protected);
  LocalFree(protected.pbData);
  return error;
}

/* A protected secret is some 400 bytes. */
#define LARGEST 4096u

uint32_t bh_secret_load(struct bh_secret *secret, const wchar_t *account, const wchar_t *file) {
  SecureZeroMemory(secret, sizeof(*secret));
  HANDLE handle = CreateFileW(file, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  if (handle == INVALID_HANDLE_VALUE) return GetLastError();
  BYTE bytes[LARGEST];
  DWORD got = 0;
  uint32_t error = ReadFile(handle, bytes, sizeof(bytes), &got, NULL) ? 0 : GetLastError();
  CloseHandle(handle);
  if (error) return error;
  wchar_t salt[128];
  DATA_BLOB entropy = entropy_of(account, salt, 128);
  DATA_BLOB protected = {got, bytes}, clear;
  if (!CryptUnprotectData(&protected, NULL, &entropy, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &clear)) return GetLastError();
  if (clear.cbData == sizeof(secret->text)) {
    CopyMemory(secret->text, clear.pbData, sizeof(secret->text));
    secret->text[BH_SECRET_LENGTH] = 0;
  } else {
    error = ERROR_INVALID_DATA;
  }
  SecureZeroMemory(clear.pbData, clear.cbData);
  LocalFree(clear.pbData);
  return error;
}
