import type { Layer } from '../../../../core/contracts/index.ts'

/**
 * One way to get out. `code` is JavaScript that runs in the agent after `agent.cjs`: it calls `escaped()` when it got what it wanted;
 * what it throws is judged by its code. Anything unexpected is invalid, and an invalid attack fails the run: it proves nothing.
 */
export interface Attack {
  readonly id: string
  readonly layer: Layer
  readonly title: string
  readonly code: string
  /** Codes that count as the wall's answer; default: access denied in its spellings. */
  readonly refusals?: readonly string[]
}

/** Access denied, as Node and Windows say it. `win32 5` is ERROR_ACCESS_DENIED, `wsa 10013` WSAEACCES, `nt 0xc0000022` the NTSTATUS. */
export const denied: readonly string[] = ['EPERM', 'EACCES', 'win32 5', 'wsa 10013', 'nt 0xc0000022']

export const attack =
  (layer: Layer) =>
  (id: string, title: string, code: string, refusals?: readonly string[]): Attack => ({
    id,
    layer,
    title,
    code,
    ...(refusals && { refusals }),
  })
