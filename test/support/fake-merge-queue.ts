import type { Landed, LandRequest, MergeQueue } from '../../core/contracts/index.ts'

/** Lands in memory. `before` may throw as the real one does; `after` runs when the target has moved and nothing was told yet. */
export class FakeMergeQueue implements MergeQueue {
  readonly target: string[] = []
  readonly requests: LandRequest[] = []
  before: (request: LandRequest) => void = () => {}
  after: () => void = () => {}

  async land(request: LandRequest): Promise<Landed> {
    this.requests.push(request)
    const commit = `c${request.job.slice(-3)}`.padEnd(40, '0')
    const from = this.target.at(-1) ?? 'start'
    if (this.target.includes(commit)) return { commit, from, checkout: 'none', already: true }
    this.before(request)
    await request.check({ commit, tree: request.tree, onto: from })
    this.target.push(commit)
    this.after()
    return { commit, from, checkout: 'advanced', already: false }
  }
}
