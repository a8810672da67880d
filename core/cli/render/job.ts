import type { JobView } from '../../contracts/job.ts'
import { formatElapsed } from './time.ts'

/** `+12 -3 in 2`; empty when nothing was changed. */
export function changes({ files, insertions, deletions }: JobView['counts']): string {
  return files === 0 ? '' : `+${insertions} -${deletions} in ${files}`
}

/** How strong the walls are: `full`, or every layer that is less, by name. `-` before the first attempt. */
export function walls({ enforcement }: JobView): string {
  if (enforcement.length === 0) return '-'
  const weak = enforcement.filter(({ tier, degraded }) => tier !== 'full' || degraded)
  return weak.length === 0 ? 'full' : weak.map(({ layer, tier, degraded }) => `${layer}:${degraded ? `${tier},degraded` : tier}`).join(' ')
}

export function elapsed({ startedAt, endedAt }: JobView, now: number): string {
  return startedAt === null ? '' : formatElapsed((endedAt ?? now) - startedAt)
}

export const jobColumns = ['NAME', 'STATUS', 'TIME', 'CHANGES', 'DENIED', 'WALLS', 'NOTE'] as const

export function jobRow(view: JobView, now: number): string[] {
  const { spec, status, removed, denials, reason } = view
  return [
    spec.name,
    removed ? `${status}, removed` : status,
    elapsed(view, now),
    changes(view.counts),
    denials === 0 ? '' : String(denials),
    walls(view),
    reason ?? '',
  ]
}
