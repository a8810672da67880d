import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Attempt, Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import { encodeName, responseCodes } from './dns-message.ts'
import type { Gateway } from './gateway.ts'
import { parseAuthority, parseHost } from '../../gateway/host.ts'
import { nameServerAddress } from './names.ts'
import type { ClaimId } from './plan.ts'
import type { Refusal } from '../../gateway/reasons.ts'

/** Documentation (RFC 5737) and synthetic addresses: nobody's, so an attempt that got out would disturb nobody. */
const strangers = ['192.0.2.77', '198.18.0.99'] as const
const privates = ['169.254.169.254', '10.0.0.1', '192.168.0.1', 'fd00:ec2::254'] as const
const unknownName = 'bulkhead-verify.invalid'
/** For decisions that are made already or in the next turns of the event loop. */
const settleMs = 1000

/** Attempts by what they are for; all are made in one round trip, because every launch waits for them. */
type Attempts = Readonly<Record<'unlistened' | 'strangers' | 'decoy' | 'own' | 'privates' | 'names', readonly Connect[]>>
type Connect = Extract<Attempt, { op: 'connect' }>

interface Tried extends Outcome {
  readonly address: string
  readonly port: number
}

/**
 * Attacks the walls from inside. The kernel completes a connection to the gateway before the gateway has decided, so "it connected" says
 * nothing: what counts is the gateway's own record of refusing it, and that the decoy on the host saw nothing.
 */
export async function verifyGateway(gateway: Gateway, ports: readonly number[], probe: Probe): Promise<readonly Evidence[]> {
  await using decoy = await startDecoy(ports)
  const before = gateway.nameConnections
  return await gateway.watching(async (refusals) => {
    const attempts = attacks(gateway, ports, decoy.port)
    const [outcomes] = await Promise.all([probe.attempt(Object.values(attempts).flat()), visit(decoy.port)])
    const tried = assign(attempts, outcomes)
    const nobody = refuseUnknownName(gateway, refusals)
    const refused = (key: keyof Attempts): boolean =>
      tried[key].length === attempts[key].length && tried[key].every((one) => isRefused(one, refusals))
    const arrived = (): boolean => tried.names[0]?.ok === true && gateway.nameConnections > before
    await eventually(() => refused('strangers') && refused('own') && refused('privates') && arrived())

    const unlistened = tried.unlistened.length > 0 && tried.unlistened.every(({ error }) => error === 'ECONNREFUSED')
    const closed = tried.decoy.length > 0 && tried.decoy.every(({ ok }) => !ok)
    return [
      evidence('no-way-but-the-gateway', unlistened && refused('strangers'), [list(tried.unlistened), list(tried.strangers, refusals)]),
      // The one visitor is our own from the host: the decoy works.
      evidence('host-loopback-unreachable', closed && refused('own') && decoy.visitors() === 1, [
        `decoy on the host: ${list(tried.decoy)}, ${decoy.visitors() - 1} visitors from inside`,
        list(tried.own, refusals),
      ]),
      evidence('private-networks-unreachable', refused('privates'), [list(tried.privates, refusals)]),
      evidence('names-decided-by-policy', arrived() && nobody, [
        `name server: ${arrived() ? 'reached from inside' : 'not reached'}`,
        `${unknownName}: ${nobody ? 'does not exist' : 'was answered'}`,
      ]),
    ]
  })
}

function attacks(gateway: Gateway, ports: readonly number[], decoyPort: number): Attempts {
  const unlistened = [9, 19, 4443].find((port) => !ports.includes(port)) ?? 1
  const unnamed = privates.filter((address) => {
    const host = parseHost(address)
    return host !== null && !gateway.decider.knows(host)
  })
  return {
    unlistened: strangers.map((address) => to(address, unlistened)),
    strangers: strangers.map((address) => to(address, 443)),
    decoy: [to('127.0.0.1', decoyPort), to('::1', decoyPort)],
    own: [to('127.0.0.1', 443)],
    privates: unnamed.map((address) => to(address, 80)),
    names: [to(nameServerAddress, 53)],
  }
}

/** Outcomes back to what they are for; a missing one leaves its list short, which counts as not held. */
function assign(attempts: Attempts, outcomes: readonly Outcome[]): Readonly<Record<keyof Attempts, readonly Tried[]>> {
  let next = 0
  const take = (tries: readonly Connect[]): Tried[] => {
    const own = outcomes.slice(next, (next += tries.length))
    return own.map((outcome, index) => ({ ...outcome, address: tries[index]?.address ?? '', port: tries[index]?.port ?? 0 }))
  }
  const { unlistened, strangers, decoy, own, privates, names } = attempts
  return {
    unlistened: take(unlistened),
    strangers: take(strangers),
    decoy: take(decoy),
    own: take(own),
    privates: take(privates),
    names: take(names),
  }
}

/** By the kernel, or by the gateway as its record says. */
function isRefused({ ok, address, port }: Tried, refusals: readonly Refusal[]): boolean {
  if (!ok) return true
  return refusals.some(({ object }) => {
    const refused = parseAuthority(object, null)
    return refused?.host.text === address && refused.port === port
  })
}

function refuseUnknownName(gateway: Gateway, refusals: readonly Refusal[]): boolean {
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const reply = gateway.names.answer(Buffer.concat([header, encodeName(unknownName), Buffer.from([0, 1, 0, 1])]))
  return reply !== null && ((reply[3] ?? 0) & 15) === responseCodes.nameError && refusals.some(({ object }) => object === unknownName)
}

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + settleMs
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => void setImmediate(resolve))
}

interface Decoy extends AsyncDisposable {
  readonly port: number
  visitors(): number
}

/** A server on the host's loopback that only counts, on none of the gateway's ports: there the gateway itself would be connected to. */
async function startDecoy(ports: readonly number[]): Promise<Decoy> {
  let visitors = 0
  const server = createServer((socket) => {
    visitors++
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))
  if (!ports.includes(port)) return { port, visitors: () => visitors, [Symbol.asyncDispose]: close }
  await close()
  return startDecoy(ports)
}

function visit(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve())
    socket.resume()
  })
}

function to(address: string, port: number): Connect {
  return { op: 'connect', address, port }
}

function list(tried: readonly Tried[], refusals: readonly Refusal[] = []): string {
  if (tried.length === 0) return 'nothing tried'
  return tried
    .map(
      (one) =>
        `${one.address} port ${one.port}: ${one.ok && isRefused(one, refusals) ? 'refused by the gateway' : (one.error ?? 'connected')}`,
    )
    .join(', ')
}

function evidence(claim: ClaimId, held: boolean, details: readonly string[]): Evidence {
  return { claim, held, detail: details.join('; ') }
}
