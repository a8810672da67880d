import type { Verb } from './verb.ts'

/** Every verb, in the order of the help; each loads its file only. */
export const verbs = {
  init: async () => (await import('./commands/init.ts')).init,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  setup: async () => (await import('./commands/setup.ts')).setup,
  run: async () => (await import('./commands/run.ts')).run,
  ls: async () => (await import('./commands/ls.ts')).ls,
  show: async () => (await import('./commands/show.ts')).show,
  logs: async () => (await import('./commands/logs.ts')).logs,
  diff: async () => (await import('./commands/diff.ts')).diff,
  approve: async () => (await import('./commands/approve.ts')).approve,
  reject: async () => (await import('./commands/reject.ts')).reject,
  merge: async () => (await import('./commands/merge.ts')).merge,
  answer: async () => (await import('./commands/answer.ts')).answer,
  stop: async () => (await import('./commands/stop.ts')).stop,
  rm: async () => (await import('./commands/rm.ts')).rm,
  pause: async () => (await import('./commands/pause.ts')).pause,
  resume: async () => (await import('./commands/resume.ts')).resume,
  recover: async () => (await import('./commands/recover.ts')).recover,
  audit: async () => (await import('./commands/audit.ts')).audit,
  exec: async () => (await import('./commands/exec.ts')).exec,
  completion: async () => (await import('./commands/completion.ts')).completion,
} satisfies Record<string, () => Promise<Verb>>

export type VerbName = keyof typeof verbs
