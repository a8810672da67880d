import { BulkheadError } from '../contracts/error.ts'
import type { Sandbox } from '../contracts/sandbox.ts'

const defaultLimitMs = 30_000

/**
 * Ends the whole tree and returns when nothing of it is left. Throws `native_failed` when it is still there after `limitMs`, which only a
 * process stuck inside the kernel brings about.
 */
export async function endSandbox(sandbox: Sandbox, limitMs: number = defaultLimitMs): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `process ${sandbox.process.pid} and its children were killed but are still there after ${limitMs} ms`
      reject(new BulkheadError('native_failed', text, { operation: 'kill', remedy: 'Look for a process in state D in ps(1).' }))
    }, limitMs)
  })
  try {
    await Promise.race([gone(sandbox), late])
  } finally {
    clearTimeout(timer)
  }
}

async function gone(sandbox: Sandbox): Promise<void> {
  try {
    sandbox.kill()
    await sandbox.exited
  } finally {
    await sandbox[Symbol.asyncDispose]()
  }
}
