import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Attempt, Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import { describeAttempts } from '../../core/contracts/index.ts'
import type { ProxyDoor } from './door.ts'
import type { ClaimId } from './plan.ts'

/** Documentation addresses (RFC 5737): nobody's, so an attempt that got out would disturb nobody. */
const strangers = ['192.0.2.77', '198.51.100.77'] as const
/** What a filter answers with (WSAEACCES). Any other failure is not the wall's. */
const byFilter = 'EACCES'
/** A machine without a network says so before any filter is asked. */
const byAbsence: readonly string[] = ['ENETUNREACH', 'EHOSTUNREACH']
const answerMs = 2000

type Attack = 'strangers' | 'beside' | 'gateway' | 'decoy4' | 'decoy6' | 'listen4' | 'listen6' | 'datagram4' | 'datagram6'

/** Attacks the filters from inside, and the gateway's door from outside. All from inside go in one round trip: every launch waits for them. */
export async function verifyWfp(door: ProxyDoor, probe: Probe): Promise<readonly Evidence[]> {
  await using four = await startDecoy('127.0.0.1')
  await using six = await startDecoy('::1').catch(() => null)
  if (four === null) throw new Error('nothing can listen on 127.0.0.1')
  return await door.watching(async () => {
    const attempts = attacks(door.port, four.port, six?.port ?? 9)
    const [outcomes, outsiders] = await Promise.all([
      probe.attempt(Object.values(attempts).flat()),
      Promise.all([knock(door.port, null), knock(door.port, 'wrong')]),
      visit(four),
      six === null ? null : visit(six),
    ])
    return judge(attempts, outcomes, { outsiders, four: four.visitors(), six: six === null ? null : six.visitors() })
  })
}

function attacks(gateway: number, four: number, six: number): Readonly<Record<Attack, readonly Attempt[]>> {
  return {
    strangers: strangers.map((address) => to(address, 443)),
    // The same port of another loopback address: only exactly what the gateway listens on may be open.
    beside: [to('127.0.0.2', gateway), to('::1', gateway)],
    gateway: [to('127.0.0.1', gateway)],
    decoy4: [to('127.0.0.1', four)],
    decoy6: [to('::1', six)],
    listen4: [act('listen-v4')],
    listen6: [act('listen-v6')],
    datagram4: [act('datagram-v4')],
    datagram6: [act('datagram-v6')],
  }
}

function to(address: string, port: number): Attempt {
  return { op: 'connect', address, port }
}

function act(name: string): Attempt {
  return { op: 'syscall', name }
}

interface FromOutside {
  /** Status lines that the gateway answered strangers with. */
  readonly outsiders: readonly string[]
  /** Visitors of the decoys; null: this machine has no IPv6. One is our own: the decoy works. */
  readonly four: number
  readonly six: number | null
}

function judge(attempts: ReturnType<typeof attacks>, outcomes: readonly Outcome[], outside: FromOutside): readonly Evidence[] {
  const seen = assign(attempts, outcomes)
  const filtered = (...keys: readonly Attack[]): boolean =>
    keys.every((key) => seen[key].length > 0 && seen[key].every(({ ok, error }) => !ok && error === byFilter))
  /** Without IPv6 there is nothing to filter; that it does not work is enough. */
  const filteredOrNoIPv6 = (key: Attack): boolean =>
    filtered(key) || (outside.six === null && seen[key].length > 0 && seen[key].every(({ ok }) => !ok))
  const told = (...keys: readonly Attack[]): string =>
    describeAttempts(
      keys.flatMap((key) => attempts[key]),
      keys.flatMap((key) => seen[key]),
    )
  const [besideFour, besideSix] = seen.beside
  const away =
    seen.strangers.length > 0 && seen.strangers.every(({ ok, error }) => !ok && (error === byFilter || byAbsence.includes(error ?? '')))
  const beside = besideFour?.error === byFilter && (besideSix?.error === byFilter || (outside.six === null && besideSix?.ok === false))
  const open = seen.gateway[0]?.ok === true
  const unvisited = outside.four === 1 && (outside.six ?? 1) === 1
  return [
    evidence('only-the-gateway-answers', away && beside && open, told('strangers', 'beside', 'gateway')),
    evidence('host-loopback-unreachable', filtered('decoy4') && filteredOrNoIPv6('decoy6') && unvisited, told('decoy4', 'decoy6')),
    evidence('nothing-listens', filtered('listen4') && filteredOrNoIPv6('listen6'), told('listen4', 'listen6')),
    evidence('no-datagrams', filtered('datagram4') && filteredOrNoIPv6('datagram6'), told('datagram4', 'datagram6')),
    evidence(
      'gateway-is-the-jobs-own',
      open && outside.outsiders.every((line) => line.startsWith('HTTP/1.1 407 ')),
      `without and with wrong credentials: ${outside.outsiders.map((line) => line || 'no answer').join(', ')}; ${told('gateway')}`,
    ),
  ]
}

/** Outcomes back to what they are for; a missing one leaves its list short. */
function assign(attempts: ReturnType<typeof attacks>, outcomes: readonly Outcome[]): Readonly<Record<Attack, readonly Outcome[]>> {
  let next = 0
  const take = (key: Attack): [Attack, readonly Outcome[]] => {
    const own = outcomes.slice(next, (next += attempts[key].length))
    return [key, own.length === attempts[key].length ? own : []]
  }
  return Object.fromEntries((Object.keys(attempts) as Attack[]).map(take)) as Record<Attack, readonly Outcome[]>
}

interface Decoy extends AsyncDisposable {
  readonly address: string
  readonly port: number
  visitors(): number
}

/** A server on the host's loopback that only counts. Rejects where the address does not exist. */
async function startDecoy(address: string): Promise<Decoy> {
  let visitors = 0
  const server = createServer((socket) => {
    visitors++
    socket.on('error', () => undefined)
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))
  return { address, port, visitors: () => visitors, [Symbol.asyncDispose]: close }
}

function visit({ address, port }: Decoy): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve())
    socket.resume()
  })
}

/** Asks the gateway, as somebody who is not the job, for a connection to nobody. The first line of the answer. */
function knock(port: number, password: string | null): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect({ host: '127.0.0.1', port })
    const finish = (): void => {
      socket.destroy()
      resolve(heard.split('\r\n', 1)[0] ?? '')
    }
    const header = password === null ? '' : `Proxy-Authorization: Basic ${Buffer.from(`bulkhead:${password}`).toString('base64')}\r\n`
    socket.setTimeout(answerMs, finish)
    socket.on('error', finish)
    socket.on('data', (piece: Buffer) => {
      heard += piece.toString('latin1')
      if (heard.includes('\r\n')) finish()
    })
    socket.once('close', finish)
    socket.write(`CONNECT bulkhead-verify.invalid:443 HTTP/1.1\r\nHost: bulkhead-verify.invalid:443\r\n${header}\r\n`)
  })
}

function evidence(claim: ClaimId, held: boolean, detail: string): Evidence {
  return { claim, held, detail }
}
