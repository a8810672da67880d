#include "runner.h"

#include <bcrypt.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../account-processes.h"
#include "../secret.h"
#include "account-profile.h"
#include "bulkhead.h"
#include "channel.h"
#include "console-input.h"
#include "relay.h"
#include "runner-pipes.h"
#include "seal.h"
#include "text.h"
#include "user-console.h"

#define RUNNER_ARGUMENT L"runner"
#define SWEEPER_ARGUMENT L"sweeper"

/* "CreateProcessWithLogonW": no longer command line is taken. */
#define LONGEST_LINE 1024
#define ARGUMENTS 320

/* Milliseconds in which everything of an account must be gone, its first logon included. */
#define SWEEP_PATIENCE 60000

struct account {
  wchar_t *name, *sid, *secret_file;
};

static int read_account(const struct bh_account *from, struct account *account, struct bh_fault *fault) {
  account->name = bh_wide(from->name);
  account->sid = bh_wide(from->sid);
  account->secret_file = bh_wide(from->secret_file);
  return account->name && account->sid && account->secret_file ? 0 : bh_fault(fault, 0, "naming the account", NULL);
}

static void free_account(struct account *account) {
  free(account->name);
  free(account->sid);
  free(account->secret_file);
}

/*
 * A job of its own, which ends with this process. What the runner starts is not in it: the runner has a job for that, with limits on windows,
 * and a process cannot be added to such a one while it is in another ("Nested Jobs"). The runner's end is the end of that job, too.
 */
static HANDLE make_job(struct bh_fault *fault) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
  HANDLE job = CreateJobObjectW(NULL, NULL);
  if (job && SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits))) return job;
  bh_fault(fault, 0, "making the job of the runner", NULL);
  if (job) CloseHandle(job);
  return NULL;
}

/*
 * Suspended, in the system's directory, with the environment that the system makes for the account: nothing of this user's is handed over.
 * LOGON_WITH_PROFILE: without its hive HKEY_CURRENT_USER is another account's, and Schannel finds no place for keys, so that TLS of curl,
 * git and .NET fails. It is one logon for each agent, not for each command.
 */
static int log_on(const struct account *account, wchar_t *arguments, PROCESS_INFORMATION *process, struct bh_fault *fault) {
  wchar_t file[MAX_PATH + 1], directory[MAX_PATH + 1], line[LONGEST_LINE];
  const DWORD length = GetModuleFileNameW(NULL, file, MAX_PATH);
  if (length == 0 || length >= MAX_PATH) return bh_fault(fault, length == 0 ? 0 : ERROR_FILENAME_EXCED_RANGE, "finding the launcher", NULL);
  if (GetSystemDirectoryW(directory, MAX_PATH) == 0) return bh_fault(fault, 0, "finding the system directory", NULL);
  const int written = swprintf(line, LONGEST_LINE, L"\"%ls\" %ls", file, arguments);
  if (written < 0) return bh_fault(fault, ERROR_FILENAME_EXCED_RANGE, "finding the launcher", NULL);
  STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESHOWWINDOW, .wShowWindow = SW_HIDE};
  struct bh_secret secret;
  char name[64];
  bh_utf8_into(account->name, name, sizeof(name));
  const uint32_t error = bh_secret_load(&secret, account->name, account->secret_file);
  if (error) return bh_fault(fault, error, "opening the password of", name);
  const DWORD flags = CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT;
  const BOOL started =
      CreateProcessWithLogonW(account->name, L".", secret.text, LOGON_WITH_PROFILE, file, line, flags, NULL, directory, &startup, process);
  const DWORD reason = GetLastError();
  bh_secret_clear(&secret);
  return started ? 0 : bh_fault(fault, reason, "logging on as", name);
}

/*
 * The runner is born with an access list that lets everything of its account in, and so the agent. From now on nobody may do anything to it
 * but this process, which has its handle. The entry for OWNER RIGHTS takes from the owner what an owner always has otherwise: to write
 * this very list anew ("Access Control Entries").
 */
static int seal(HANDLE process, struct bh_fault *fault) {
  PSECURITY_DESCRIPTOR descriptor;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;RC;;;OW)", SDDL_REVISION_1, &descriptor, NULL))
    return bh_fault(fault, 0, "sealing the runner", NULL);
  const int result =
      SetKernelObjectSecurity(process, DACL_SECURITY_INFORMATION, descriptor) ? 0 : bh_fault(fault, 0, "sealing the runner", NULL);
  LocalFree(descriptor);
  return result;
}

/*
 * The runner runs from here on. Nothing of it is left when this fails. This process is sealed, too, and not before: the secondary logon
 * service opens it in the name of its user. Its logon SID, which the account's processes share, may read it otherwise.
 */
static int start_runner(const struct account *account, wchar_t *arguments, HANDLE job, PROCESS_INFORMATION *process, struct bh_fault *fault) {
  if (log_on(account, arguments, process, fault) < 0) return -1;
  int result = AssignProcessToJobObject(job, process->hProcess) ? 0 : bh_fault(fault, 0, "putting the runner into its job", NULL);
  if (result == 0) result = seal(process->hProcess, fault);
  if (result == 0) result = bh_seal(fault);
  if (result == 0 && ResumeThread(process->hThread) == (DWORD)-1) result = bh_fault(fault, 0, "resuming the runner", NULL);
  if (result < 0) TerminateProcess(process->hProcess, 1);
  return result;
}

/* Both frames: nothing was started, nothing is left. */
static void tell_failure(const struct bh_fault *fault, HANDLE output) {
  struct bh_writer w;
  bh_begin(&w, BH_ERROR);
  bh_write_u32(&w, fault->code);
  bh_write_text(&w, fault->operation);
  bh_send(&w, output);
  bh_begin(&w, BH_GONE);
  bh_write_u8(&w, 1);
  bh_write_u32(&w, 9);
  bh_write_u32(&w, UINT32_MAX);
  bh_send(&w, output);
}

static bool make_nonce(wchar_t nonce[BH_NONCE]) {
  BYTE random[16];
  if (BCryptGenRandom(NULL, random, sizeof(random), BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0) return false;
  for (size_t i = 0; i < sizeof(random); i++) swprintf(nonce + 2 * i, 3, L"%02x", random[i]);
  return true;
}

static int send_frame(HANDLE pipe, const uint8_t *frame, size_t length, struct bh_fault *fault) {
  const uint32_t head = (uint32_t)length;
  if (bh_pipe_write(pipe, &head, sizeof(head)) && bh_pipe_write(pipe, frame, head)) return 0;
  return bh_fault(fault, 0, "speaking to the runner", NULL);
}

/* Everything up to the first byte of the agent's own. On failure the runner is gone, and the ends are still the caller's. */
static int begin(const struct account *account, const uint8_t *frame, size_t length, HANDLE pipes[BH_PIPES], PROCESS_INFORMATION *runner,
                   struct bh_fault *fault) {
  wchar_t nonce[BH_NONCE], arguments[ARGUMENTS];
  if (!make_nonce(nonce)) return bh_fault(fault, ERROR_GEN_FAILURE, "drawing a random number", NULL);
  if (swprintf(arguments, ARGUMENTS, RUNNER_ARGUMENT L" %ls %ls %lu", account->sid, nonce, GetCurrentProcessId()) < 0)
    return bh_fault(fault, ERROR_INVALID_SID, "naming the account", NULL);
  HANDLE job = make_job(fault);
  if (!job) return -1;
  if (bh_pipes_make(nonce, account->sid, pipes, fault) < 0) return -1;
  int result = start_runner(account, arguments, job, runner, fault);
  if (result == 0) result = bh_pipes_accept(pipes, runner->hProcess, fault);
  if (result == 0) result = send_frame(pipes[BH_PIPE_INPUT], frame, length, fault);
  if (result == 0) return 0; /* The job is closed by the end of this process. */
  for (int i = 0; i < BH_PIPES; i++) CloseHandle(pipes[i]);
  CloseHandle(job);
  return -1;
}

int bh_runner_start(const struct bh_account *account, const uint8_t *frame, size_t length, const struct bh_ends *ends, bool terminal) {
  struct bh_user_console user;
  struct account wide = {0};
  struct bh_fault fault;
  HANDLE pipes[BH_PIPES];
  PROCESS_INFORMATION runner = {0};
  int result = read_account(account, &wide, &fault);
  if (result == 0) result = begin(&wide, frame, length, pipes, &runner, &fault);
  free_account(&wide);
  if (result < 0) {
    tell_failure(&fault, ends->output);
    return 1;
  }
  bh_user_console_enter(&user, ends->streams[0], bh_is_console(ends->streams[1]) ? ends->streams[1] : ends->streams[2], terminal);
  bh_relay(pipes, ends, runner.hProcess);
  bh_user_console_leave(&user);
  return 0;
}

uint32_t bh_runner_sweep_as(const struct bh_account *account, struct bh_fault *fault) {
  struct account wide = {0};
  wchar_t arguments[ARGUMENTS];
  PROCESS_INFORMATION sweeper = {0};
  HANDLE job = make_job(fault);
  int result = job ? read_account(account, &wide, fault) : -1;
  if (result == 0 && swprintf(arguments, ARGUMENTS, SWEEPER_ARGUMENT L" %ls", wide.sid) < 0)
    result = bh_fault(fault, ERROR_INVALID_SID, "naming the account", NULL);
  if (result == 0) result = start_runner(&wide, arguments, job, &sweeper, fault);
  if (result == 0) {
    DWORD code = ERROR_TIMEOUT;
    if (WaitForSingleObject(sweeper.hProcess, SWEEP_PATIENCE) == WAIT_OBJECT_0) GetExitCodeProcess(sweeper.hProcess, &code);
    if (code != 0) result = bh_fault(fault, code, "ending what runs as", account->name);
  }
  free_account(&wide);
  if (job) CloseHandle(job);
  return result == 0 ? 0 : fault->code;
}

union user_facts {
  TOKEN_USER user;
  BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static bool is_runner;

bool bh_runner_is(void) {
  return is_runner;
}

static uint32_t own_user(HANDLE token, union user_facts *facts) {
  DWORD size;
  return GetTokenInformation(token, TokenUser, facts, sizeof(*facts), &size) ? 0 : GetLastError();
}

/*
 * Under the account: ends its other processes and empties what they could have left in its profile. `account`: its SID as it was asked for.
 * Another user, also who starts this program by hand, loses nothing.
 */
static uint32_t sweep(const wchar_t *account, bool profile) {
  union user_facts facts;
  HANDLE token;
  PSID wanted = NULL;
  if (account && !ConvertStringSidToSidW(account, &wanted)) return ERROR_INVALID_PARAMETER;
  uint32_t error = OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ? 0 : GetLastError();
  if (!error) {
    error = own_user(token, &facts);
    if (!error && wanted && !EqualSid(wanted, facts.user.User.Sid)) error = ERROR_NONE_MAPPED;
    if (!error) error = bh_account_processes_end(facts.user.User.Sid);
    if (!error && profile) error = bh_account_profile_empty(token);
    CloseHandle(token);
  }
  LocalFree(wanted);
  return error;
}

void bh_runner_sweep(void) {
  if (is_runner) (void)sweep(NULL, false);
}

uint32_t bh_runner_open(int count, wchar_t **arguments, struct bh_ends *ends) {
  if (count == 3 && wcscmp(arguments[1], SWEEPER_ARGUMENT) == 0) ExitProcess(sweep(arguments[2], true));
  if (count != 5 || wcscmp(arguments[1], RUNNER_ARGUMENT) != 0 || wcslen(arguments[3]) != BH_NONCE - 1) return ERROR_INVALID_PARAMETER;
  const DWORD server = wcstoul(arguments[4], NULL, 10);
  uint32_t error = sweep(arguments[2], true);
  HANDLE opened[BH_PIPES];
  for (int i = 0; !error && i < BH_PIPES; i++) error = bh_pipe_open(arguments[3], (enum bh_runner_pipe)i, server, &opened[i]);
  if (error) return error;
  *ends = (struct bh_ends){opened[BH_PIPE_INPUT], opened[BH_PIPE_OUTPUT], {opened[BH_PIPE_STDIN], opened[BH_PIPE_STDOUT], opened[BH_PIPE_STDERR]}};
  for (int i = 0; i < 3; i++) {
    if (!SetHandleInformation(ends->streams[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)) return GetLastError();
  }
  is_runner = true;
  return 0;
}
