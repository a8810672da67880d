/** Filters and what they decide. Written by hand like access-cases.ts. */
import { account, agents, alice, bob, ordinary, workspace } from './cast.ts'
import type { TokenText } from './token.ts'
import type { Filter, Flow, Sublayer } from './wfp.ts'

export interface WfpFlow {
  readonly id: string
  readonly why: string
  readonly flow: Flow
  readonly token: TokenText
  readonly verdict: 'block' | 'permit'
}

export interface WfpScene {
  readonly title: string
  readonly sublayers: readonly Sublayer[]
  readonly filters: readonly Filter[]
  readonly flows: readonly WfpFlow[]
}

const none = '0.0.0.0'
const none6 = '0'.repeat(32)
const loopback6 = `${'0'.repeat(31)}1`
const tcp = 6
const udp = 17
const isRaw = 0x10

const connect = (remoteAddress: string, remotePort: number, protocol = tcp): Flow => ({
  layer: remoteAddress.includes('.') ? 'connect-v4' : 'connect-v6',
  protocol,
  localAddress: remoteAddress.includes('.') ? none : none6,
  localPort: 0,
  remoteAddress,
  remotePort,
  flags: 0,
})
const local = (layer: 'assign-v4' | 'listen-v4', protocol: number, flags = 0): Flow => ({
  layer,
  protocol,
  localAddress: none,
  localPort: 0,
  remoteAddress: none,
  remotePort: 0,
  flags,
})

/** Matches the account and its restricted tokens. */
const subject = `D:P(A;;0x1;;;${bob})(A;;0x1;;;RC)(A;;0x1;;;WR)`
const forAccount = { field: 'user', match: 'equal', value: subject } as const
const own = [{ name: 'bulkhead', weight: 0x8000 }] as const

/** What an agent under an account meets. */
const wall: readonly Filter[] = [
  { layer: 'connect-v4', sublayer: 'bulkhead', weight: 1, action: 'block', hard: true, conditions: [forAccount] },
  { layer: 'connect-v6', sublayer: 'bulkhead', weight: 1, action: 'block', hard: true, conditions: [forAccount] },
  { layer: 'listen-v4', sublayer: 'bulkhead', weight: 1, action: 'block', hard: true, conditions: [forAccount] },
  { layer: 'assign-v4', sublayer: 'bulkhead', weight: 1, action: 'block', hard: true, conditions: [forAccount] },
  {
    layer: 'assign-v4',
    sublayer: 'bulkhead',
    weight: 8,
    action: 'permit',
    conditions: [forAccount, { field: 'protocol', match: 'equal', value: `${tcp}` }],
  },
  {
    layer: 'assign-v4',
    sublayer: 'bulkhead',
    weight: 15,
    action: 'block',
    hard: true,
    conditions: [forAccount, { field: 'flags', match: 'any-set', value: `0x${isRaw.toString(16)}` }],
  },
  {
    layer: 'connect-v4',
    sublayer: 'bulkhead',
    weight: 8,
    action: 'permit',
    conditions: [
      forAccount,
      { field: 'protocol', match: 'equal', value: `${tcp}` },
      { field: 'remote-address', match: 'equal', value: '127.0.0.1' },
      { field: 'remote-port', match: 'equal', value: '3128' },
    ],
  },
]

const unrestricted: TokenText = { user: bob, groups: ['WD', 'BU', agents] }
const onlyWorkspace: TokenText = { user: bob, groups: ['WD', 'BU'], restricting: [workspace] }

const agent: WfpScene = {
  title: 'the wall of an agent',
  sublayers: own,
  filters: wall,
  flows: [
    { id: 'gateway', why: 'the gateway is open', flow: connect('127.0.0.1', 3128), token: account, verdict: 'permit' },
    { id: 'other-port', why: 'another port is not', flow: connect('127.0.0.1', 22), token: account, verdict: 'block' },
    { id: 'other-address', why: 'nor another address', flow: connect('192.0.2.1', 3128), token: account, verdict: 'block' },
    { id: 'datagram', why: 'nor a datagram to the gateway', flow: connect('127.0.0.1', 3128, udp), token: account, verdict: 'block' },
    { id: 'v6', why: 'nor IPv6', flow: connect(loopback6, 3128), token: account, verdict: 'block' },
    { id: 'listening', why: 'nor listening', flow: local('listen-v4', tcp), token: account, verdict: 'block' },
    { id: 'assign-tcp', why: 'a port for TCP can be had', flow: local('assign-v4', tcp), token: account, verdict: 'permit' },
    { id: 'assign-udp', why: 'none for UDP', flow: local('assign-v4', udp), token: account, verdict: 'block' },
    {
      id: 'assign-raw',
      why: 'no raw socket, whatever protocol it names',
      flow: local('assign-v4', tcp, isRaw),
      token: account,
      verdict: 'block',
    },
    { id: 'user', why: 'the user’s own connections are the user’s', flow: connect('192.0.2.1', 443), token: ordinary, verdict: 'permit' },
    { id: 'runner', why: 'the account without a restricted token', flow: connect('192.0.2.1', 443), token: unrestricted, verdict: 'block' },
    {
      id: 'unknown-list',
      why: 'a list that names neither RESTRICTED nor WRITE RESTRICTED is not matched: such a token must not be made',
      flow: connect('192.0.2.1', 443),
      token: onlyWorkspace,
      verdict: 'permit',
    },
  ],
}

const everybody = { field: 'user', match: 'equal', value: `D:(A;;0x1;;;${alice})` } as const

/** One sublayer, filters by weight. */
const weights: WfpScene = {
  title: 'weights within a sublayer',
  sublayers: [{ name: 'one', weight: 1 }],
  filters: [
    { layer: 'connect-v4', sublayer: 'one', weight: 1, action: 'block', conditions: [everybody] },
    {
      layer: 'connect-v4',
      sublayer: 'one',
      weight: 2,
      action: 'permit',
      conditions: [
        { field: 'remote-address', match: 'equal', value: '192.0.2.0/24' },
        { field: 'remote-port', match: 'range', value: '8000-8010' },
      ],
    },
    {
      layer: 'connect-v4',
      sublayer: 'one',
      weight: 3,
      action: 'block',
      conditions: [
        { field: 'remote-address', match: 'equal', value: '192.0.2.7' },
        { field: 'remote-address', match: 'equal', value: '192.0.2.8' },
      ],
    },
    { layer: 'connect-v4', sublayer: 'one', action: 'permit', conditions: [{ field: 'protocol', match: 'equal', value: '6' }] },
  ],
  flows: [
    { id: 'in-network', why: 'a network and a range of ports', flow: connect('192.0.2.55', 8005), token: ordinary, verdict: 'permit' },
    { id: 'out-of-range', why: 'both fields must match', flow: connect('192.0.2.55', 8011), token: ordinary, verdict: 'block' },
    { id: 'out-of-network', why: 'as said', flow: connect('192.0.3.55', 8005), token: ordinary, verdict: 'block' },
    {
      id: 'alternative-one',
      why: 'conditions on one field are alternatives',
      flow: connect('192.0.2.7', 8005),
      token: ordinary,
      verdict: 'block',
    },
    { id: 'alternative-two', why: 'the other one', flow: connect('192.0.2.8', 8005), token: ordinary, verdict: 'block' },
    { id: 'class-over-count', why: 'a class weighs more than none', flow: connect('203.0.113.1', 80), token: ordinary, verdict: 'block' },
    { id: 'unfiltered', why: 'nobody else is concerned', flow: connect('203.0.113.1', 80, udp), token: account, verdict: 'permit' },
  ],
}

const toAll = (layer: Filter['layer'], sublayer: string, action: Filter['action'], hard: boolean, port: string): Filter => ({
  layer,
  sublayer,
  weight: 5,
  action,
  hard,
  conditions: [{ field: 'remote-port', match: 'equal', value: port }],
})

/** Several sublayers. */
const arbitration: WfpScene = {
  title: 'arbitration between sublayers',
  sublayers: [
    { name: 'low', weight: 1 },
    { name: 'high', weight: 100 },
  ],
  filters: [
    toAll('connect-v4', 'high', 'permit', false, '1001'),
    toAll('connect-v4', 'low', 'block', false, '1001'),
    toAll('connect-v4', 'high', 'block', false, '1002'),
    toAll('connect-v4', 'low', 'permit', false, '1002'),
    toAll('connect-v4', 'high', 'permit', true, '1003'),
    toAll('connect-v4', 'low', 'block', true, '1003'),
    toAll('connect-v4', 'low', 'permit', true, '1004'),
    toAll('connect-v4', 'high', 'block', false, '1004'),
    toAll('connect-v6', 'high', 'block', false, '1005'),
  ],
  flows: [
    {
      id: 'soft-permit',
      why: 'a block below overrides a permit above',
      flow: connect('192.0.2.1', 1001),
      token: ordinary,
      verdict: 'block',
    },
    {
      id: 'soft-block',
      why: 'a permit below does not override a block above',
      flow: connect('192.0.2.1', 1002),
      token: ordinary,
      verdict: 'block',
    },
    {
      id: 'hard-permit',
      why: 'a permit that stands is not overridden',
      flow: connect('192.0.2.1', 1003),
      token: ordinary,
      verdict: 'permit',
    },
    {
      id: 'late-hard-permit',
      why: 'but it cannot undo what was decided',
      flow: connect('192.0.2.1', 1004),
      token: ordinary,
      verdict: 'block',
    },
    { id: 'other-layer', why: 'a filter is for one layer', flow: connect('192.0.2.1', 1005), token: ordinary, verdict: 'permit' },
    { id: 'no-filter', why: 'what no filter matches is permitted', flow: connect('192.0.2.1', 9), token: ordinary, verdict: 'permit' },
  ],
}

export const wfpScenes: readonly WfpScene[] = [agent, weights, arbitration]
