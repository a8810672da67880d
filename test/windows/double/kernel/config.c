/*
 * double.conf, UTF-8, one setting per line, `#` starts a comment:
 *
 *   elevated 0|1        is the run's first process an administrator's (default 1)
 *   enforce 0|1         0: descriptors and tokens are kept and read back as documented, but nothing is refused because of them (default 1)
 *   pipe-checks 0|1     named pipes have descriptors (default 1)
 *   tool <directory>    Users may read and execute it, and list the directories above it
 *   open <directory>    Users may list this directory itself
 *   sd <path> TAB <SDDL>  {user} and {owner} stand for the first process's user and token owner
 */
#include "config.h"
#include "accounts.h"
#include "file.h"
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define TRUSTED_INSTALLER "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
#define SYSTEM_DIRECTORY                                                                                                                         \
  "O:" TRUSTED_INSTALLER "D:PAI(A;;FA;;;" TRUSTED_INSTALLER ")(A;CIIO;GA;;;" TRUSTED_INSTALLER                                                  \
  ")(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;BA)(A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)"           \
  "(A;;0x1200a9;;;AC)(A;OICIIO;GXGR;;;AC)"
#define USERS_READ "(A;OICI;0x1200a9;;;BU)"
#define USERS_LIST "(A;;0x1200a9;;;BU)"
#define PRIVATE "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{user})"

/** As icacls shows them on an installed Windows 10. {profile} is the user's profile. */
static const struct {
  const char *path, *sddl;
} defaults[] = {
    {"C:\\", "O:" TRUSTED_INSTALLER "D:PAI(A;OICIIO;0x1301bf;;;AU)(A;;LC;;;AU)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
             "S:(ML;OINPIO;NW;;;HI)"},
    {"C:\\windows", SYSTEM_DIRECTORY},
    {"C:\\windows\\Temp", "O:SYD:PAI(A;CI;0x100026;;;BU)(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICIIO;GA;;;CO)"},
    {"C:\\Program Files", SYSTEM_DIRECTORY},
    {"C:\\Program Files (x86)", SYSTEM_DIRECTORY},
    {"C:\\ProgramData", "O:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)(A;CI;0x116;;;BU)"},
    {"C:\\users", "O:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;;0x1200a9;;;WD)(A;OICIIO;GXGR;;;WD)"},
    {"C:\\users\\Public", "O:SYD:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;IU)(A;OICI;0x1301bf;;;SU)"},
    {"{profile}", "O:{owner}" PRIVATE},
    {"{profile}\\AppData\\LocalLow", "S:(ML;OICI;NW;;;LW)"},
    {"Z:\\", "O:{owner}" PRIVATE USERS_LIST},
};

typedef struct {
  char user[BD_SID_TEXT], owner[BD_SID_TEXT], profile[3 * BD_PATH];
} names;

static BOOL expand(const char *text, const names *known, char *out, size_t room) {
  const struct {
    const char *name, *value;
  } all[] = {{"{user}", known->user}, {"{owner}", known->owner}, {"{profile}", known->profile}};
  size_t at = 0;
  while (*text) {
    const char *value = NULL;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !value; i++) {
      if (strncmp(text, all[i].name, strlen(all[i].name)) != 0) continue;
      value = all[i].value;
      text += strlen(all[i].name);
    }
    size_t length = value ? strlen(value) : 1;
    if (at + length >= room) return FALSE;
    memcpy(out + at, value ? value : text++, length);
    at += length;
  }
  out[at] = 0;
  return TRUE;
}

static BOOL wide_path(const char *text, WCHAR path[BD_PATH]) {
  if (!MultiByteToWideChar(CP_UTF8, 0, text, -1, path, BD_PATH) || path[1] != L':') return FALSE;
  for (WCHAR *at = path; *at; at++) {
    if (*at == L'/') *at = L'\\';
  }
  bd_fold(path);
  return TRUE;
}

static BOOL add(const char *path, const char *sddl, const names *known) {
  char path_text[3 * BD_PATH], sddl_text[2048];
  WCHAR wide[BD_PATH];
  bd_sd sd;
  if (!expand(path, known, path_text, sizeof(path_text)) || !expand(sddl, known, sddl_text, sizeof(sddl_text))) return FALSE;
  return wide_path(path_text, wide) && bd_sddl_parse(sddl_text, &sd) && bd_file_store(wide, &sd, BD_FILE_DEFAULT) == STATUS_SUCCESS;
}

/** Adds entries to whatever is stored for a path; what is not said again is left as it is. */
static BOOL grant(const WCHAR *path, const char *entries) {
  bd_sd sd, more;
  DWORD flags;
  char sddl[256];
  if (!bd_file_own(path, &sd, &flags)) memset(&sd, 0, sizeof(sd));
  snprintf(sddl, sizeof(sddl), "D:%s", entries);
  if (!bd_sddl_parse(sddl, &more)) return FALSE;
  for (int i = 0; i < more.ace_count; i++) {
    const bd_ace *ace = &more.aces[i];
    BOOL have = FALSE;
    for (int k = 0; k < sd.ace_count; k++) have |= memcmp(&sd.aces[k], ace, sizeof(*ace)) == 0;
    if (!have && !bd_add_ace(&sd, ace->type, ace->flags, ace->mask, &ace->sid)) return FALSE;
  }
  return bd_file_store(path, &sd, BD_FILE_DEFAULT) == STATUS_SUCCESS;
}

static BOOL tool(const char *text) {
  WCHAR path[BD_PATH], parent[BD_PATH];
  if (!wide_path(text, path) || !grant(path, USERS_READ)) return FALSE;
  while (bd_parent_of(path, parent)) {
    if (!grant(parent, USERS_LIST)) return FALSE;
    wcscpy(path, parent);
  }
  return TRUE;
}

static BOOL number(const char *text, DWORD *value) {
  *value = text[0] == '1';
  return (text[0] == '0' || text[0] == '1') && !text[1];
}

static BOOL setting(char *line, const names *known) {
  WCHAR path[BD_PATH];
  char *value = strchr(line, ' ');
  if (!value) return FALSE;
  *value++ = 0;
  if (strcmp(line, "elevated") == 0) return number(value, &bd_shared->elevated);
  if (strcmp(line, "enforce") == 0) return number(value, &bd_shared->enforce);
  if (strcmp(line, "pipe-checks") == 0) return number(value, &bd_shared->pipe_checks);
  if (strcmp(line, "tool") == 0) return tool(value);
  if (strcmp(line, "open") == 0) return wide_path(value, path) && grant(path, USERS_LIST);
  char *sddl = strchr(value, '\t');
  if (strcmp(line, "sd") != 0 || !sddl) return FALSE;
  *sddl++ = 0;
  return add(value, sddl, known);
}

static BOOL read_settings(const names *known, int *line) {
  WCHAR path[MAX_PATH + 16];
  char text[4096];
  BOOL good = TRUE;
  swprintf(path, MAX_PATH + 16, L"%ls\\double.conf", bd_directory);
  FILE *file = _wfopen(path, L"r");
  for (*line = 1; file && good && fgets(text, sizeof(text), file); ++*line) {
    text[strcspn(text, "\r\n")] = 0;
    if (text[0] && text[0] != '#') good = setting(text, known);
    if (!good) break;
  }
  if (file) fclose(file);
  return good;
}

/** `elevated` decides whose files the user's are, so it is looked for before anything is written down. */
static BOOL is_elevated(void) {
  WCHAR path[MAX_PATH + 16];
  char text[4096];
  BOOL elevated = TRUE;
  swprintf(path, MAX_PATH + 16, L"%ls\\double.conf", bd_directory);
  FILE *file = _wfopen(path, L"r");
  while (file && fgets(text, sizeof(text), file)) {
    if (strncmp(text, "elevated 0", 10) == 0) elevated = FALSE;
  }
  if (file) fclose(file);
  return elevated;
}

BOOL bd_configure(int *line) {
  names known;
  bd_token token;
  *line = 0;
  if (bd_shared->configured) return TRUE;
  if (bd_token_of_process(GetCurrentProcess(), &token)) return FALSE;
  bd_shared->enforce = bd_shared->pipe_checks = 1;
  bd_shared->elevated = is_elevated();
  bd_sid_print(&token.user, known.user);
  bd_sid_print(bd_shared->elevated ? &token.owner : &token.user, known.owner);
  if (!GetEnvironmentVariableA("USERPROFILE", known.profile, sizeof(known.profile))) strcpy(known.profile, "C:\\users\\nobody");
  for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
    if (!add(defaults[i].path, defaults[i].sddl, &known)) return FALSE;
  }
  bd_accounts_prepare();
  if (!read_settings(&known, line)) return FALSE;
  bd_shared->configured = 1;
  return TRUE;
}
