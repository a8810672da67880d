import { expect, test, vi } from 'vitest'
import { Progress } from '../../../core/cli/render/progress.ts'
import type { Terminal } from '../../../core/cli/terminal.ts'
import type { RepositoryApp } from '../../../core/compose.ts'
import type { JobView } from '../../../core/contracts/index.ts'

const view = (name: string, status: string, reason: string | null = null): JobView =>
  ({
    spec: { id: `job_${name}`, name },
    status,
    reason,
    removed: false,
    denials: 2,
    counts: { files: 1, insertions: 3, deletions: 0 },
    enforcement: [{ layer: 'network', plugin: 'x', tier: 'full', degraded: false }],
    startedAt: 0,
    endedAt: 5000,
  }) as unknown as JobView

test('redraws in place, keeps to the width, shows only the jobs that were asked for, and leaves nothing behind', () => {
  vi.useFakeTimers()
  let screen = ''
  const terminal = { columns: 60, raw: (text: string) => void (screen += text) } as unknown as Terminal
  const jobs = [view('one', 'running', `hostile \u001b[31m ${'x'.repeat(200)}`), view('two', 'queued'), view('old', 'running')]
  const progress = new Progress({ jobs: () => jobs } as unknown as RepositoryApp, terminal, ['job_one', 'job_two'])
  progress.above('one: running')
  const [first, count, row, rest] = screen.split('\n')
  expect({ first, count, rest }).toEqual({ first: 'one: running', count: '── 1 running, 1 queued ──', rest: '' })
  expect(row).toMatch(/^one {2}running {2}5s {2}\+3 -0 in 1 {2}2 {2}full {2}host.*…$/)
  expect(row?.length).toBeLessThan(60)

  screen = ''
  vi.advanceTimersByTime(200)
  expect(screen.startsWith('\r\u001b[2A\u001b[J── 1 running')).toBe(true)
  screen = ''
  progress[Symbol.dispose]()
  expect(screen).toBe('\r\u001b[2A\u001b[J')
  vi.useRealTimers()
})
