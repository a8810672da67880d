import { once } from 'node:events'
import { createLauncher } from '../../../../native/index.ts'
import { takeLease, thisPool } from '../../../../plugins/token-account/lease.ts'
import { under } from '../agent-accounts.ts'
import { script } from '../specs.ts'

// An orchestrator that leases an account, runs an agent that never ends under it, and says both as a line of JSON. Ends with its input.
await using lease = await takeLease(thisPool, async () => undefined, new AbortController().signal)
await using launcher = createLauncher()
const spec = under(lease.account, script('console.log(process.pid); setInterval(() => {}, 1000)'))
await using sandbox = await launcher.launch(spec, { kind: 'pipes' })
await sandbox.start()
if (sandbox.stdout === null) throw new Error('no pipe')
const [said] = (await once(sandbox.stdout, 'data')) as [Buffer]
process.stdout.write(`${JSON.stringify({ account: lease.account, agent: Number(String(said)) })}\n`)
await once(process.stdin.resume(), 'end')
