/** Rules on everything but files: processes, sockets, the registry, services, the machine. From a C agent, each with its control. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { agent, brief, underHook } from '../../support/hook.ts'

interface Case {
  readonly name: string
  readonly rules: readonly string[]
  readonly acts: readonly string[]
  /** What the agent says under the hook, and without it: `<act> <Win32 error>`. */
  readonly hooked: readonly string[]
  readonly free: readonly string[]
  /** `rule on action object`. */
  readonly events: readonly string[]
}

const key = `Software\\BulkheadCase-${randomUUID()}-`
const hkcu = `HKCU\\${key}`

const cases: readonly Case[] = [
  {
    name: 'a program is not started',
    rules: [String.raw`process.exec,deny,**\hook-agent.exe`],
    acts: ['run', `${agent} exit 0`, 'run', 'cmd.exe /c exit 3'],
    hooked: ['run 5', 'child 3', 'run 0'],
    free: ['child 0', 'run 0', 'child 3', 'run 0'],
    events: [`0 process.exec deny ${agent}`],
  },
  {
    name: 'another program is started in its place',
    rules: [String.raw`process.exec,redirect,**\hook-agent.exe,C:\windows\system32\cmd.exe`],
    acts: ['run', `${agent} /c exit 9`],
    hooked: ['child 9', 'run 0'],
    free: ['/c 1', '9 1', 'child 0', 'run 0'],
    events: [`0 process.exec redirect ${agent}`],
  },
  {
    name: 'starting is recorded, looking for a program that is not there is not',
    rules: ['process.exec,allow,**'],
    acts: ['run', 'no-such-program.exe', 'run', 'cmd.exe /c exit 3'],
    hooked: ['run 2', 'child 3', 'run 0'],
    free: ['run 2', 'child 3', 'run 0'],
    events: [String.raw`0 process.exec allow C:\windows\system32\cmd.exe`],
  },
  {
    name: 'a process is not ended',
    rules: [String.raw`process.signal,deny,**\hook-agent.exe`],
    acts: ['terminate'],
    hooked: ['victim alive', 'terminate 5', 'wait 0'],
    free: ['victim ended', 'terminate 0'],
    events: [`0 process.signal deny ${agent}`, `0 process.signal deny ${agent}`],
  },
  {
    name: 'a process is ended only in what the agent is told',
    rules: [String.raw`process.signal,emulate,**\hook-agent.exe`],
    acts: ['terminate'],
    hooked: ['victim alive', 'terminate 0', 'wait 0'],
    free: ['victim ended', 'terminate 0'],
    events: [`0 process.signal emulate ${agent}`],
  },
  {
    name: 'a process is not looked into, and starting one goes on as ever',
    rules: [String.raw`process.inspect,deny,**`],
    acts: ['inspect', 'run', 'cmd.exe /c exit 4'],
    hooked: ['victim ended', 'inspect 5', 'child 4', 'run 0'],
    free: ['victim ended', 'inspect 0', 'child 4', 'run 0'],
    events: [`0 process.inspect deny ${agent}`],
  },
  {
    name: 'a port is not taken, in either family',
    rules: ['net.bind,deny,127.0.0.1:47011', 'net.bind,deny,[*]:47011'],
    acts: ['bind', '47011', 'bind6', '47011', 'bind', '47012'],
    hooked: ['bind 10013', 'bind6 10013', 'bind 0'],
    free: ['bind 0', 'bind6 0', 'bind 0'],
    events: ['0 net.bind deny 127.0.0.1:47011', '1 net.bind deny [::1]:47011'],
  },
  {
    name: 'a datagram is not sent',
    rules: ['net.connect,deny,127.0.0.1:47013'],
    acts: ['sendto', '47013', 'sendto', '47014'],
    hooked: ['sendto 10013', 'sendto 0'],
    free: ['sendto 0', 'sendto 0'],
    events: ['0 net.connect deny 127.0.0.1:47013'],
  },
  {
    name: 'a key is neither made nor written',
    rules: [`registry.write,deny,${hkcu}a\\**`],
    acts: ['set-value', `${key}a`, 'v', 'set-value', `${key}a\\sub`, 'v', 'has-value', `${key}a`, 'v', 'set-value', `${key}ab`, 'v'],
    hooked: ['set-value 5', 'set-value 5', 'has-value 2', 'set-value 0'],
    free: ['set-value 0', 'set-value 0', 'has-value 0', 'set-value 0'],
    events: [`0 registry.write deny ${hkcu}a\\v`, `0 registry.write deny ${hkcu}a\\sub`],
  },
  {
    name: 'a value is written only in what the agent is told',
    rules: [`registry.write,emulate,${hkcu}b**`],
    acts: ['set-value', `${key}b`, 'v', 'has-value', `${key}b`, 'v'],
    hooked: ['set-value 0', 'has-value 2'],
    free: ['set-value 0', 'has-value 0'],
    // Making the key and setting the value in what is none are one pretence.
    events: [`0 registry.write emulate ${hkcu}b`],
  },
  {
    name: 'a value is not deleted',
    rules: [`registry.delete,deny,${hkcu}c\\**`],
    acts: ['set-value', `${key}c`, 'v', 'delete-value', `${key}c`, 'v', 'has-value', `${key}c`, 'v'],
    hooked: ['set-value 0', 'delete-value 5', 'has-value 0'],
    free: ['set-value 0', 'delete-value 0', 'has-value 2'],
    events: [`0 registry.delete deny ${hkcu}c\\v`],
  },
  {
    name: 'a key is not deleted, or only in what the agent is told',
    rules: [`registry.delete,deny,${hkcu}d`, `registry.delete,emulate,${hkcu}e`],
    acts: [
      'set-value',
      `${key}d`,
      'v',
      'delete-key',
      `${key}d`,
      'set-value',
      `${key}e`,
      'v',
      'delete-key',
      `${key}e`,
      'has-value',
      `${key}e`,
      'v',
    ],
    hooked: ['set-value 0', 'delete-key 5', 'set-value 0', 'delete-key 0', 'has-value 0'],
    free: ['set-value 0', 'delete-key 0', 'set-value 0', 'delete-key 0', 'has-value 2'],
    events: [`0 registry.delete deny ${hkcu}d`, `1 registry.delete emulate ${hkcu}e`],
  },
  {
    name: 'a service is not controlled',
    rules: ['service.control,deny,Spooler'],
    acts: ['service', 'Spooler'],
    hooked: ['service 5'],
    free: ['service 0'],
    events: ['0 service.control deny Spooler'],
  },
  {
    name: 'the clock is not set, or only in what the agent is told',
    rules: ['system.change,deny,time'],
    acts: ['clock'],
    hooked: ['clock 5'],
    free: ['clock 0'],
    events: ['0 system.change deny time'],
  },
]

for (const { name, rules, acts, hooked, free, events } of cases) {
  test(name, async () => {
    const result = await underHook(rules, [agent, ...acts])
    assert.deepEqual(result.lines, hooked)
    assert.deepEqual(brief(result), events)
  })

  test(`control: ${name}`, async () => {
    const result = await underHook(['unhooked', ...rules], [agent, ...acts])
    assert.deepEqual(result.lines, free)
    assert.deepEqual(brief(result), [])
  })
}

/** A server that says who it is, to whoever comes. */
async function server(): Promise<{ readonly port: number; readonly visits: () => number } & AsyncDisposable> {
  let visits = 0
  const listening = createServer((socket) => {
    visits += 1
    socket.on('error', () => undefined)
    socket.end()
  })
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  const close = async (): Promise<void> => {
    listening.close()
    await once(listening, 'close')
  }
  return { port, visits: () => visits, [Symbol.asyncDispose]: close }
}

test('a connection is refused, and another is not', async () => {
  await using one = await server()
  await using other = await server()
  const command = [agent, 'connect', String(one.port), 'connect', String(other.port)]
  const hooked = await underHook([`net.connect,deny,127.0.0.1:${one.port}`], command)
  assert.deepEqual(hooked.lines, ['connect 10013', 'connect 0'])
  assert.deepEqual(brief(hooked), [`0 net.connect deny 127.0.0.1:${one.port}`])
  assert.deepEqual([one.visits(), other.visits()], [0, 1])
  const free = await underHook(['unhooked'], command)
  assert.deepEqual(free.lines, ['connect 0', 'connect 0'])
  assert.deepEqual([one.visits(), other.visits()], [1, 2])
})

test('a connection leads somewhere else', async () => {
  await using one = await server()
  await using other = await server()
  const command = [agent, 'connect', String(one.port)]
  const hooked = await underHook([`net.connect,redirect,127.0.0.1:${one.port},127.0.0.1:${other.port}`], command)
  assert.deepEqual(hooked.lines, ['connect 0'])
  assert.deepEqual([one.visits(), other.visits()], [0, 1])
  await underHook(['unhooked'], command)
  assert.deepEqual([one.visits(), other.visits()], [1, 1])
})
