/** Why an agent's account could not be used, and what can be done about it. */
export interface LogonFailure {
  readonly message: string
  readonly remedy: string
}

const setUpAgain = 'Run `bulkhead setup windows` again as an administrator: it gives the account a new password.'
const askPolicy = 'Ask whoever manages this machine to except the local group BulkheadAgents from that policy.'

/** System error codes (winerror.h) of CreateProcessWithLogonW, and what they mean for an account that nobody but Bulkhead uses. */
const reasons: ReadonlyMap<number, LogonFailure> = new Map([
  [5, { message: 'it may not read Bulkhead’s own programs', remedy: 'Run `bulkhead setup windows` again as an administrator.' }],
  [
    1058,
    { message: 'the service "Secondary Logon" is disabled', remedy: 'Enable it: sc config seclogon start= demand, as an administrator.' },
  ],
  [1312, { message: 'its logon session is gone', remedy: 'Try again; if it stays so, sign out of Windows and in again.' }],
  [1326, { message: 'its password is not the one that is stored', remedy: setUpAgain }],
  [1327, { message: 'a policy restricts its logon', remedy: askPolicy }],
  [1328, { message: 'a policy does not let it log on at this hour', remedy: askPolicy }],
  [1330, { message: 'its password has expired', remedy: setUpAgain }],
  [1331, { message: 'it is disabled', remedy: 'Run `bulkhead setup windows` again as an administrator: it enables the account.' }],
  [
    1385,
    {
      message: 'it may not log on locally, which a second account needs to start a program',
      remedy: 'Give the local group BulkheadAgents the right "Allow log on locally", and take it out of "Deny log on locally".',
    },
  ],
  [1793, { message: 'it has expired', remedy: setUpAgain }],
  [1907, { message: 'a policy wants its password changed', remedy: setUpAgain }],
  [
    1909,
    {
      message: 'it is locked after too many wrong passwords',
      remedy: 'Wait until the lockout ends, then run `bulkhead setup windows` again.',
    },
  ],
])

/** STATUS_DLL_INIT_FAILED: what a program ends with that may not open the window station it was started on. ERROR_NONE_MAPPED. */
const ended = { noWindowStation: 0xc000_0142, otherAccount: 1332 }

/**
 * For the operations of src/windows/launcher/runner.c; undefined for every other one. `code`: a Win32 error, or the exit code of a runner that
 * ended too soon.
 */
export function explainLogon(operation: string, code: number): LogonFailure | undefined {
  const [, account] = /^logging on as (\S+)$/.exec(operation) ?? []
  const reason = reasons.get(code)
  const startsRunner = operation === 'starting the runner' || operation.startsWith('ending what runs as ')
  if (account !== undefined && reason !== undefined) {
    return { message: `the agent account ${account} cannot be used: ${reason.message}`, remedy: reason.remedy }
  }
  if (operation.startsWith('opening the password of ')) {
    return {
      message: `the password of the agent account ${operation.slice('opening the password of '.length)} cannot be opened`,
      remedy: `It can be opened only by the user who set up, and not after an administrator has reset that user’s password. ${setUpAgain}`,
    }
  }
  if (startsRunner && code === ended.noWindowStation) {
    return {
      message: 'a program under an agent account cannot be started from here: this process has no desktop of a signed-in user',
      remedy: 'Start Bulkhead from a session on the desktop, not from a service or over SSH.',
    }
  }
  if (startsRunner && code === ended.otherAccount) {
    return { message: 'the agent account was made anew since this launch was planned', remedy: 'Try again.' }
  }
  return undefined
}
