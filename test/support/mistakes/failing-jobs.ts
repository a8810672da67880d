import type { ErrorCode } from '../../../core/contracts/index.ts'

/** A job that cannot succeed. It is an event of the job, one line of `bulkhead run`, and exit code 1. */
export interface FailingJob {
  readonly code: ErrorCode
  readonly what: string
  readonly job: object
  /** What follows `NAME: failed: `. */
  readonly says: string
}

const missing = (what: string): string => `requires "${what}", which no other layer of this environment provides`
const rename = 'Rename or remove it in the workspace, or reject the job.'
const log = 'See bulkhead logs for what its agent wrote.'

/** Agents and environments that the jobs name, in the user's own file. */
export const failingConfiguration = `agent: sh
agents:
  sh: {adapter: agent-command, command: [sh, -ec, "{prompt}"]}
  nope: {adapter: agent-command, command: [nope, "{prompt}"]}
  text: {adapter: agent-command, command: [/usr/share, "{prompt}"]}
environments:
  rootless: {token: token-none}
`

export const failingJobs: Readonly<Record<string, FailingJob>> = {
  bad: { code: 'job_failed', what: 'the agent fails', job: { prompt: 'exit 7' }, says: `the agent exited with code 7; ${log}` },
  slow: {
    code: 'job_failed',
    what: 'the agent is too slow',
    job: { prompt: 'sleep 60', policy: { limits: { time: '300ms' } } },
    says: 'the agent ran longer than its time limit; Allow it more with policy.limits.time, or make the task smaller.',
  },
  after: {
    code: 'job_failed',
    what: 'what it needs failed',
    job: { prompt: 'true', needs: ['bad'] },
    says: 'needs bad, which failed; Remove it, and run it again when what it needs has been mended.',
  },
  nope: {
    code: 'launch_not_found',
    what: 'the agent is not installed',
    job: { prompt: 'x', agent: 'nope' },
    says: '"nope" does not exist inside the workspace; Check its name; programs outside the system directories must be on PATH or named under policy.filesystem.read.',
  },
  text: {
    code: 'launch_not_executable',
    what: 'the agent is no program',
    job: { prompt: 'x', agent: 'text' },
    says: '"/usr/share" cannot be executed (EACCES); Check that it is executable and has an interpreter line.',
  },
  long: {
    code: 'config_invalid',
    what: 'the prompt is too long for an argument',
    job: { prompt: 'x'.repeat(140_000) },
    says: 'the prompt is too long for an argument (131071 bytes at most); Set prompt: stdin or prompt: file for this agent.',
  },
  rootless: {
    code: 'layer_unsupported',
    what: 'its environment cannot work',
    job: { prompt: 'true', environment: 'rootless' },
    says:
      `environment "rootless": filesystem (fs-view) ${missing('user-namespace')}; filesystem (fs-view) ${missing('agent-identity')}; ` +
      `network (net-gateway) ${missing('user-namespace')}; Provided by: token-userns.`,
  },
  dotgit: {
    code: 'intake_refused',
    what: 'the work would configure git on another system',
    job: { prompt: 'mkdir sub; mkdir sub/.GIT; echo > sub/.GIT/config' },
    says: `sub/.GIT/config: a system can take the name for .git; ${rename}`,
  },
  nested: {
    code: 'intake_refused',
    what: 'the work is a repository of its own',
    job: { prompt: 'git init --quiet sub' },
    says: 'sub/: is a git repository of its own; Remove its .git directory to keep the files, or the whole directory.',
  },
  included: {
    code: 'workspace_failed',
    what: 'a local file would be copied through a link',
    job: { prompt: 'true', base: 'linked' },
    says: '.worktreeinclude: conf/local would be copied through a link or file; Take the path out of .worktreeinclude.',
  },
}
