#include "command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

#include "environment.h"
#include "text.h"

/* Longest path and longest command line of the system (Win32: CreateProcess). */
#define UNITS_MAX 32767u

struct line {
  wchar_t *text;
  size_t length, capacity;
};

static int append(struct line *line, const wchar_t *text) {
  const size_t more = wcslen(text);
  if (line->length + more + 1 > line->capacity) {
    const size_t capacity = (line->length + more + 1) * 2;
    wchar_t *grown = realloc(line->text, capacity * sizeof(wchar_t));
    if (!grown) return -1;
    line->text = grown;
    line->capacity = capacity;
  }
  wmemcpy(line->text + line->length, text, more + 1);
  line->length += more;
  return 0;
}

/* Win32: "Parsing C++ Command-Line Arguments": backslashes mean themselves, except before a quotation mark. */
static int append_quoted(struct line *line, const wchar_t *argument) {
  int result = append(line, L" \"");
  size_t backslashes = 0;
  for (const wchar_t *at = argument; *at && result == 0; at++) {
    if (*at == L'"') {
      for (size_t i = 0; i <= backslashes && result == 0; i++) result = append(line, L"\\");
    }
    backslashes = *at == L'\\' ? backslashes + 1 : 0;
    const wchar_t one[] = {*at, 0};
    if (result == 0) result = append(line, one);
  }
  for (size_t i = 0; i < backslashes && result == 0; i++) result = append(line, L"\\");
  return result == 0 ? append(line, L"\"") : -1;
}

/* Without quotation marks where it needs none: programs that read the line themselves, cmd.exe above all, know no `"/c"`. */
static int append_argument(struct line *line, const wchar_t *argument) {
  if (!argument[0] || wcspbrk(argument, L" \t\n\v\"")) return append_quoted(line, argument);
  const int result = append(line, L" ");
  return result == 0 ? append(line, argument) : result;
}

static bool ends_with(const wchar_t *text, const wchar_t *ending) {
  const size_t length = wcslen(text), own = wcslen(ending);
  return length >= own && CompareStringOrdinal(text + length - own, -1, ending, -1, TRUE) == CSTR_EQUAL;
}

static const wchar_t *const endings[] = {L".com", L".exe", L".bat", L".cmd"};
#define ENDINGS (sizeof(endings) / sizeof(*endings))

static bool has_ending(const wchar_t *name) {
  for (size_t i = 0; i < ENDINGS; i++) {
    if (ends_with(name, endings[i])) return true;
  }
  return false;
}

static bool has_drive(const wchar_t *path) {
  const wchar_t drive = path[0] | 0x20;
  return drive >= L'a' && drive <= L'z' && path[1] == L':' && (path[2] == L'\\' || path[2] == L'/');
}

/* 0 for a file, otherwise why it is none. */
static uint32_t check_file(const wchar_t *path) {
  const DWORD attributes = GetFileAttributesW(path);
  if (attributes == INVALID_FILE_ATTRIBUTES) {
    const DWORD error = GetLastError();
    return error == ERROR_PATH_NOT_FOUND || error == ERROR_INVALID_NAME ? ERROR_FILE_NOT_FOUND : error;
  }
  return attributes & FILE_ATTRIBUTE_DIRECTORY ? ERROR_ACCESS_DENIED : 0;
}

/* `folder`\`name` as one absolute path, with an ending or without. */
static uint32_t try_file(const wchar_t *folder, size_t folder_length, const wchar_t *name, const wchar_t *ending, wchar_t **file) {
  const size_t length = folder_length + 1 + wcslen(name) + wcslen(ending);
  if (length > UNITS_MAX) return ERROR_FILE_NOT_FOUND;
  wchar_t *path = calloc(length + 1, sizeof(wchar_t)), *whole = calloc(UNITS_MAX + 1, sizeof(wchar_t));
  uint32_t error = ERROR_OUTOFMEMORY;
  if (path && whole) {
    wmemcpy(path, folder, folder_length);
    if (folder_length > 0) path[folder_length] = L'\\';
    wcscat(path, name);
    wcscat(path, ending);
    const DWORD got = GetFullPathNameW(path, UNITS_MAX, whole, NULL);
    error = got > 0 && got < UNITS_MAX ? check_file(whole) : ERROR_FILE_NOT_FOUND;
  }
  free(path);
  if (error == 0) {
    *file = whole;
  } else {
    free(whole);
  }
  return error;
}

static uint32_t try_endings(const wchar_t *folder, size_t length, const wchar_t *name, wchar_t **file) {
  uint32_t worst = ERROR_FILE_NOT_FOUND;
  /* `npm` beside `npm.cmd` is a script for another system: without an ending nothing is found on a PATH. */
  if (has_ending(name)) worst = try_file(folder, length, name, L"", file);
  for (size_t i = 0; i < ENDINGS && worst != 0; i++) {
    const uint32_t error = try_file(folder, length, name, endings[i], file);
    if (error != ERROR_FILE_NOT_FOUND) worst = error;
  }
  return worst;
}

static uint32_t find_path(const wchar_t *name, const wchar_t *directory, wchar_t **file) {
  const bool absolute = has_drive(name);
  if (!absolute && (name[0] == L'\\' || name[0] == L'/' || wcschr(name, L':'))) return ERROR_BAD_PATHNAME;
  const size_t length = absolute ? 0 : wcslen(directory);
  const uint32_t error = try_endings(directory, length, name, file);
  /* Said with its whole name, it may be a program whatever it is called. */
  return error == 0 || has_ending(name) ? error : try_file(directory, length, name, L"", file);
}

static uint32_t find_on_path(const wchar_t *name, const wchar_t *environment, wchar_t **file) {
  const wchar_t *at = bh_environment_get(environment, L"PATH");
  uint32_t worst = ERROR_FILE_NOT_FOUND;
  while (at && *at && worst != 0) {
    const bool quoted = *at == L'"'; /* a folder with a semicolon in its name */
    if (quoted) at++;
    const size_t length = wcscspn(at, quoted ? L"\"" : L";");
    if (has_drive(at) && length >= 3) {
      const uint32_t error = try_endings(at, length, name, file);
      if (error != ERROR_FILE_NOT_FOUND) worst = error;
    }
    at += length;
    at += wcscspn(at, L";");
    if (*at) at++;
  }
  return worst;
}

/*
 * cmd.exe reads a batch file's arguments by rules of its own, and the batch file reads them again. Inside quotation marks blanks,
 * parentheses and separators are text; what could end the quotation or expand in it has no way of being said safely, and is refused
 * (CVE-2024-24576 and its relatives).
 */
static bool is_safe_for_batch(const wchar_t *argument) {
  for (const wchar_t *at = argument; *at; at++) {
    if (*at < L' ' || *at == 0x7f || wcschr(L"\"%!^&|<>", *at)) return false;
  }
  const size_t length = wcslen(argument);
  return length == 0 || argument[length - 1] != L'\\';
}

static uint32_t batch_line(wchar_t *const *argv, struct bh_command *command, struct line *line) {
  static const wchar_t shell[] = L"\\cmd.exe";
  wchar_t *file = calloc(MAX_PATH + sizeof(shell), sizeof(wchar_t));
  if (!file || GetSystemDirectoryW(file, MAX_PATH) == 0) {
    free(file);
    return ERROR_OUTOFMEMORY;
  }
  wcscat(file, shell);
  /* /d: no AutoRun of the registry; /v:off: `!` is a character; /s: exactly the outermost quotation marks are taken away. */
  int result = append(line, L"cmd.exe /d /e:on /v:off /s /c \"\"");
  if (result == 0) result = append(line, command->file);
  if (result == 0) result = append(line, L"\"");
  for (size_t i = 1; argv[i] && result == 0; i++) result = append_quoted(line, argv[i]);
  if (result == 0) result = append(line, L"\"");
  free(command->file);
  command->file = file;
  return result == 0 ? 0 : ERROR_OUTOFMEMORY;
}

static uint32_t make_line(wchar_t *const *argv, struct bh_command *command) {
  struct line line = {0};
  uint32_t error = 0;
  if (ends_with(command->file, L".bat") || ends_with(command->file, L".cmd")) {
    if (!is_safe_for_batch(command->file)) error = ERROR_BAD_ARGUMENTS;
    for (size_t i = 1; argv[i] && error == 0; i++) {
      if (!is_safe_for_batch(argv[i])) error = ERROR_BAD_ARGUMENTS;
    }
    if (error == 0) error = batch_line(argv, command, &line);
  } else {
    /* The first word is read by simpler rules; a file name has no quotation mark. */
    int result = append(&line, L"\"");
    if (result == 0) result = append(&line, argv[0]);
    if (result == 0) result = append(&line, L"\"");
    for (size_t i = 1; argv[i] && result == 0; i++) result = append_argument(&line, argv[i]);
    if (result < 0) error = ERROR_OUTOFMEMORY;
  }
  if (error == 0 && line.length >= UNITS_MAX) error = ERROR_FILENAME_EXCED_RANGE;
  if (error != 0) {
    free(line.text);
    return error;
  }
  command->line = line.text;
  return 0;
}

static uint32_t find(wchar_t *const *argv, const wchar_t *directory, const wchar_t *environment, struct bh_command *command) {
  const wchar_t *name = argv[0];
  if (wcspbrk(name, L"\"*?<>|")) return ERROR_FILE_NOT_FOUND;
  const uint32_t error = wcspbrk(name, L"\\/:") ? find_path(name, directory, &command->file) : find_on_path(name, environment, &command->file);
  return error != 0 ? error : make_line(argv, command);
}

uint32_t bh_command_find(char *const *argv, const wchar_t *directory, const wchar_t *environment, struct bh_command *command) {
  *command = (struct bh_command){0};
  size_t count = 0, converted = 0;
  while (argv[count]) count++;
  wchar_t **wide = calloc(count + 1, sizeof(*wide));
  if (!wide) return ERROR_OUTOFMEMORY;
  while (converted < count && (wide[converted] = bh_wide(argv[converted]))) converted++;
  const uint32_t error = converted < count ? GetLastError() : find(wide, directory, environment, command);
  for (size_t i = 0; i < converted; i++) free(wide[i]);
  free(wide);
  if (error != 0) bh_command_free(command);
  return error;
}

void bh_command_free(struct bh_command *command) {
  free(command->file);
  free(command->line);
  *command = (struct bh_command){0};
}
