import { openAt } from './open-workspaces.ts'
import { realStage } from './real-stage.ts'

// A whole orchestrator in a process that can be killed: recovers, runs every job, approves and lands what finished. Arguments: repository.
const workspaces = await openAt(process.argv[2] ?? '', process.env)
await using stage = realStage(workspaces)
await stage.recover()
const { jobs } = await stage.scheduler.run({ jobs: 'all', concurrency: 3 })
for (const { status, tree, spec } of jobs) if (status === 'finished' && tree !== null) stage.landing.approve(spec.id, 'ann')
await stage.landing.merge({ jobs: 'approved', by: 'ann', signal: new AbortController().signal })
