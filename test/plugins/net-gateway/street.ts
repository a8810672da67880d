import type { Denial, NetworkRule } from '../../../core/contracts/index.ts'
import { Gateway } from '../../../plugins/net-gateway/gateway.ts'
import { compileRule } from '../../../gateway/rules.ts'
import type { Listening } from '../../gateway/wire.ts'
import { listen } from '../../gateway/wire.ts'

/** A gateway whose front door is an ordinary listener: what is connected to it arrives as if the job had connected to `address`:`port`. */
export interface Street extends AsyncDisposable {
  readonly gateway: Gateway
  readonly denials: Denial[]
  /** Names that were looked up on the host. */
  readonly lookups: string[]
  /** Port on 127.0.0.1 that leads to the gateway as `name`:`port`. */
  door(address: string, port: number): Promise<number>
  named(name: string, port: number): Promise<number>
}

export interface StreetOptions {
  readonly allow: readonly NetworkRule[]
  readonly hosts: Readonly<Record<string, string>>
  /** What other allowed names resolve to. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>
  readonly maxConnections?: number
  readonly helloMs?: number
}

export function openStreet({ allow, hosts, addresses = {}, maxConnections = 100, helloMs = 3000 }: StreetOptions): Street {
  const denials: Denial[] = []
  const lookups: string[] = []
  const doors: Listening[] = []
  const gateway = new Gateway({
    plugin: 'net-gateway',
    rules: allow.map(compileRule).filter((rule) => typeof rule !== 'string'),
    options: { hosts, resolver: null, maxConnections, encryptedClientHello: 'refuse' },
    lookup: (name) => {
      lookups.push(name)
      return Promise.resolve(addresses[name] ?? [])
    },
    proxyPort: 3128,
    report: (denial) => denials.push(denial),
    helloMs,
    silentMs: 60,
  })
  const door = async (address: string, port: number): Promise<number> => {
    const listening = await listen((socket) => gateway.enter(socket, address, port), { paused: true })
    doors.push(listening)
    return listening.port
  }
  return {
    gateway,
    denials,
    lookups,
    door,
    named: (name, port) => door(gateway.table.addressOf(name) ?? '', port),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      for (const listening of doors) await listening[Symbol.asyncDispose]()
    },
  }
}
