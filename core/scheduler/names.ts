import type { JobConfiguration } from '../contracts/configuration.ts'
import { BulkheadError } from '../contracts/error.ts'

const valid = /^[a-z0-9][a-z0-9-]{0,62}$/
/** Names of devices on Windows, which no directory can have there. */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)$/
const longestSlug = 40

/** A name for every job, in order: the one asked for, otherwise one made of its prompt. Throws `usage_invalid`. */
export function nameJobs(jobs: readonly JobConfiguration[], taken: ReadonlySet<string>): readonly string[] {
  const used = new Set(taken)
  // Names that were asked for come first, so that a made one never takes them away.
  for (const { name } of jobs) {
    if (name === null) continue
    if (!valid.test(name) || device.test(name)) {
      throw new BulkheadError('usage_invalid', `${JSON.stringify(name)} cannot be the name of a job.`, {
        remedy: 'Use 1 to 63 characters of a-z, 0-9 and -, not beginning with -.',
      })
    }
    if (used.has(name)) {
      throw new BulkheadError('usage_invalid', `A job named ${name} exists already.`, {
        job: name,
        remedy: 'Choose another name, or remove that job with bulkhead rm.',
      })
    }
    used.add(name)
  }
  return jobs.map((job) => {
    if (job.name !== null) return job.name
    const name = unused(slug(job.prompt), used)
    used.add(name)
    return name
  })
}

/** A readable name of a prompt: letters without accents, digits and dashes, whole words, at most 40 characters. */
export function slug(prompt: string): string {
  const words = prompt
    .slice(0, 500)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  let name = (words.shift() ?? 'job').slice(0, longestSlug)
  for (const word of words) {
    if (name.length + 1 + word.length > longestSlug) break
    name = `${name}-${word}`
  }
  return device.test(name) ? `job-${name}` : name
}

function unused(name: string, used: ReadonlySet<string>): string {
  if (!used.has(name)) return name
  let number = 2
  while (used.has(`${name}-${number}`)) number += 1
  return `${name}-${number}`
}
