import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { BulkheadError } from '../../core/contracts/index.ts'
import { isSameOrInsideAny } from './paths.ts'

const namePattern = /^bulkhead-canary-[0-9a-f]{32}$/

const receiptShape = z.object({ canary: z.string() })

/** Data of the receipt for a canary. */
export type CanaryReceipt = z.infer<typeof receiptShape>

/**
 * A path for a file on the host that the agent must not see, in the first of `directories` that is writable and not shown. Nothing is
 * made yet. Throws `host_unsupported`.
 */
export async function canaryPath(directories: readonly string[], shown: readonly string[]): Promise<string> {
  for (const directory of new Set(directories)) {
    if (isSameOrInsideAny(directory, shown)) continue
    const usable = await access(directory, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return join(directory, `bulkhead-canary-${randomBytes(16).toString('hex')}`)
  }
  throw new BulkheadError('host_unsupported', `no directory for a canary file: ${[...new Set(directories)].join(', ')}`, {
    remedy: 'Set TMPDIR to a writable directory that no policy shows.',
  })
}

/** Readable to everybody, so that nothing but the view hides it. */
export async function makeCanary(path: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644)
  try {
    await file.writeFile('If an agent can read this, its filesystem layer does not hold.\n')
    await file.chmod(0o644)
  } finally {
    await file.close()
  }
}

/** Removes a canary that is there; the path comes from a journal and is not trusted further than its form. */
export async function removeCanary(data: unknown): Promise<void> {
  const { canary } = receiptShape.parse(data)
  if (!namePattern.test(basename(canary)) || dirname(canary) === canary) throw new TypeError(`"${canary}" is no canary`)
  await unlink(canary).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  })
}
