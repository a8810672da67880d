import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Attempt, Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import { encodeName, responseCodes } from './dns-message.ts'
import type { Gateway } from './gateway.ts'
import { parseAuthority, parseHost } from './host.ts'
import { nameServerAddress } from './names.ts'
import type { ClaimId } from './plan.ts'
import type { Refusal } from './reasons.ts'

/** Documentation (RFC 5737) and synthetic addresses: nobody's, so an attempt that got out would disturb nobody. */
const strangers = ['192.0.2.77', '198.18.0.99'] as const
const privates = ['169.254.169.254', '10.0.0.1', '192.168.0.1', 'fd00:ec2::254'] as const
const settleMs = 2000

/**
 * Attacks the walls from inside. The kernel completes a connection to the gateway before the gateway has decided, so "it connected" says
 * nothing: what counts is the gateway's own record of refusing it, and that the decoy on the host saw nothing.
 */
export async function verifyGateway(gateway: Gateway, ports: readonly number[], probe: Probe): Promise<readonly Evidence[]> {
  return gateway.watching(async (refusals) => [
    await noOtherWay(ports, probe, refusals),
    await hostLoopback(ports, probe, refusals),
    await privateNetworks(gateway, probe, refusals),
    await names(gateway, probe, refusals),
  ])
}

async function noOtherWay(ports: readonly number[], probe: Probe, refusals: readonly Refusal[]): Promise<Evidence> {
  const closed = [9, 19, 4443].find((port) => !ports.includes(port)) ?? 1
  const outcomes = await probe.attempt([
    ...strangers.map((address) => to(address, closed)),
    ...strangers.map((address) => to(address, 443)),
  ])
  const unlistened = outcomes.slice(0, 2)
  const kernel = unlistened.length === 2 && unlistened.every(({ ok, error }) => !ok && error === 'ECONNREFUSED')
  const recorded = await refusedEach(outcomes.slice(2), strangers, 443, refusals)
  return evidence('no-way-but-the-gateway', kernel && recorded, [
    `${strangers.join(', ')} port ${closed}: ${unlistened.map(said).join(', ')}`,
    `port 443: ${recorded ? 'refused by the gateway' : 'no refusal on record'}`,
  ])
}

async function hostLoopback(ports: readonly number[], probe: Probe, refusals: readonly Refusal[]): Promise<Evidence> {
  await using decoy = await startDecoy()
  await reach(decoy.port)
  const outcomes = await probe.attempt([to('127.0.0.1', decoy.port), to('::1', decoy.port), to('127.0.0.1', 443)])
  const listened = ports.includes(decoy.port)
  const kernel = outcomes.length === 3 && (listened || outcomes.slice(0, 2).every(({ ok }) => !ok))
  const recorded = await refusedEach(outcomes.slice(2), ['127.0.0.1'], 443, refusals)
  // The one visitor is our own from the host: the decoy works.
  const held = kernel && recorded && decoy.visitors() === 1
  return evidence('host-loopback-unreachable', held, [
    `decoy on host port ${decoy.port}: ${outcomes.slice(0, 2).map(said).join(', ')} from inside, ${decoy.visitors()} visitor(s) with our own`,
    `127.0.0.1:443: ${recorded ? 'refused by the gateway' : 'no refusal on record'}`,
  ])
}

async function privateNetworks(gateway: Gateway, probe: Probe, refusals: readonly Refusal[]): Promise<Evidence> {
  const unnamed = privates.filter((address) => {
    const host = parseHost(address)
    return host !== null && !gateway.decider.knows(host)
  })
  const outcomes = await probe.attempt(unnamed.map((address) => to(address, 80)))
  const held = outcomes.length === unnamed.length && (await refusedEach(outcomes, unnamed, 80, refusals))
  return evidence('private-networks-unreachable', held, [
    `${unnamed.join(', ')} port 80: ${held ? 'refused by the gateway' : 'no refusal on record'}`,
  ])
}

/** The name server that the job reaches is ours, and it says no. */
async function names(gateway: Gateway, probe: Probe, refusals: readonly Refusal[]): Promise<Evidence> {
  const name = 'bulkhead-verify.invalid'
  const before = gateway.nameConnections
  const [outcome] = await probe.attempt([to(nameServerAddress, 53)])
  const arrived = outcome?.ok === true && (await eventually(() => gateway.nameConnections > before))
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const reply = gateway.names.answer(Buffer.concat([header, encodeName(name), Buffer.from([0, 1, 0, 1])]))
  const code = reply === null ? null : (reply[3] ?? 0) & 15
  const held = arrived && code === responseCodes.nameError && refusals.some(({ object }) => object === name)
  const detail = [`name server: ${arrived ? 'reached from inside' : 'not reached'}`, `${name}: response code ${code}`]
  return evidence('names-decided-by-policy', held, detail)
}

/** Waits for the refusals of all attempts that the kernel let through to the gateway. */
async function refusedEach(
  outcomes: readonly Outcome[],
  addresses: readonly string[],
  port: number,
  refusals: readonly Refusal[],
): Promise<boolean> {
  if (outcomes.length !== addresses.length) return false
  const waiting = new Set(addresses.filter((_, index) => outcomes[index]?.ok === true))
  return eventually(() => {
    for (const { object } of refusals) {
      const refused = parseAuthority(object, null)
      if (refused?.port === port) waiting.delete(refused.host.text)
    }
    return waiting.size === 0
  })
}

async function eventually(condition: () => boolean): Promise<boolean> {
  const deadline = performance.now() + settleMs
  while (!condition()) {
    if (performance.now() > deadline) return false
    await new Promise((resolve) => void setTimeout(resolve, 1))
  }
  return true
}

interface Decoy extends AsyncDisposable {
  readonly port: number
  visitors(): number
}

/** A server on the host's loopback that only counts. */
async function startDecoy(): Promise<Decoy> {
  let visitors = 0
  const server = createServer((socket) => {
    visitors++
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    visitors: () => visitors,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}

function reach(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve())
    socket.resume()
  })
}

function to(address: string, port: number): Attempt {
  return { op: 'connect', address, port }
}

function said({ ok, error }: Outcome): string {
  return ok ? 'connected' : (error ?? 'failed')
}

function evidence(claim: ClaimId, held: boolean, details: readonly string[]): Evidence {
  return { claim, held, detail: details.join('; ') }
}
