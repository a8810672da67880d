import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { defaultPolicy, defaultRetry } from '../../../core/config/defaults.ts'
import { builtInEnvironments } from '../../../core/config/environments.ts'
import { environmentsOf } from '../../../plugins/environments.ts'
import { loadJobs } from '../../../core/config/load.ts'
import { complaints, type ConfigWorld, configWorld, load } from '../../support/config.ts'

function shortened(world: ConfigWorld): [string, string][] {
  return [
    [world.userFile, 'USER'],
    [world.repositoryFile, 'REPO'],
    [world.repository, '<repo>'],
    [world.home, '<home>'],
  ]
}

const builtIn = builtInEnvironments(environmentsOf('linux'))

test('without any file there are defaults, and no permission', async () => {
  const { concurrency, ...rest } = await load(configWorld())
  expect(concurrency).toBeGreaterThanOrEqual(2)
  expect(rest).toEqual({
    sources: [],
    environments: builtIn,
    environment: 'linux',
    agents: {},
    agent: null,
    policy: defaultPolicy,
    retry: defaultRetry,
    gates: [],
    setup: null,
    target: null,
    jobs: [],
  })
})

test('the user may accept in writing that a built-in environment holds less, and the repository may not', async () => {
  const world = configWorld()
  world.write(world.userFile, 'environments: {linux: {degrade: [network]}}')
  const { environment, environments } = await load(world)
  expect([environment, environments]).toEqual(['linux', { ...builtIn, linux: { ...builtIn['linux'], degrade: ['network'] } }])
  world.write(world.repositoryFile, 'environments: {linux: {degrade: [token]}}')
  expect(await complaints(() => load(world), shortened(world))).toEqual([
    'config_widens_policy REPO:1:15: a file in the repository may not define environments; Move them to USER.',
  ])
})

test('both files together', async () => {
  const world = configWorld()
  mkdirSync(join(world.home, 'tools'))
  symlinkSync('tools', join(world.home, 'linked'))
  world.write(
    world.userFile,
    `
version: 1
environment: strict
environments:
  strict: {network: {plugin: net-none, depth: 3}, degrade: [network]}
agents:
  mine: {adapter: agent-command, command: [mine]}
policy:
  filesystem: {read: [~/linked, /opt/x], deny: [~/.ssh/**, ./.env]}
  network: {allow: ["*.example.com", "192.0.2.1:22"]}
  interception: [{on: process.exec, match: /usr/bin/curl, action: log}]
  limits: {time: 1h, stall: unlimited, output: 1MB, processes: unlimited}
  environment: {pass: [API_KEY], set: {CI: "1"}}
concurrency: 3
gates: [{name: mine, command: [check]}]
`,
  )
  world.write(
    world.repositoryFile,
    `
environment: strict
agents:
  theirs: {adapter: agent-command, command: [theirs]}
agent: theirs
policy:
  filesystem: {read: [/opt/x/y], deny: ["secrets/"]}
  network: {allow: [a.example.com]}
  interception: [{on: process.exec, match: "**", action: deny}]
  limits: {time: 10m}
  environment: {pass: [], set: {CI: "2"}}
concurrency: 9
retry: {attempts: 2, delay: 10m}
gates: [{name: test, command: [npm, test], time: 5m}]
setup: [npm, ci]
target: main
jobs:
  - {name: a, prompt: Do A}
  - {prompt: Do B, needs: [a], agent: mine, policy: {network: {allow: []}}, priority: -2}
`,
  )
  const policy = {
    filesystem: { read: ['/opt/x/y'], write: [], deny: [`${world.home}/.ssh/**`, '.env', 'secrets/'] },
    network: { allow: [{ host: 'a.example.com', port: null }] },
    interception: [
      { on: 'process.exec', match: '**', action: 'deny' },
      { on: 'process.exec', match: '/usr/bin/curl', action: 'allow' },
    ],
    limits: { ...defaultPolicy.limits, timeMs: 600_000, stallMs: null, outputBytes: 1e6, processes: null },
    environment: { ...defaultPolicy.environment, CI: '2' },
    pass: [],
  }
  const job = { agent: null, environment: null, retry: null, policy: null, gates: null, target: null, base: null, setup: null, needs: [] }
  expect(await load(world)).toEqual({
    sources: [world.userFile, world.repositoryFile],
    environments: {
      ...builtIn,
      strict: {
        name: 'strict',
        layers: { ...builtIn['linux']?.layers, network: { plugin: 'net-none', options: { depth: 3 } } },
        degrade: ['network'],
      },
    },
    environment: 'strict',
    agents: {
      mine: { adapter: 'agent-command', options: { command: ['mine'] } },
      theirs: { adapter: 'agent-command', options: { command: ['theirs'] } },
    },
    agent: 'theirs',
    policy,
    concurrency: 3,
    retry: { attempts: 2, delayMs: 600_000, maximumMs: 600_000 },
    gates: [
      { name: 'mine', command: ['check'], limits: { timeMs: 1_800_000 } },
      { name: 'test', command: ['npm', 'test'], limits: { timeMs: 300_000 } },
    ],
    setup: ['npm', 'ci'],
    target: 'refs/heads/main',
    jobs: [
      { ...job, name: 'a', prompt: 'Do A', priority: 0 },
      { ...job, name: null, prompt: 'Do B', priority: -2, needs: ['a'], agent: 'mine', policy: { ...policy, network: { allow: [] } } },
    ],
  })
})

/** What is wrong, in the user's own file, and the one line each that says so. */
const userMistakes: readonly (readonly [text: string, lines: readonly string[]])[] = [
  [
    'a: [',
    [
      'config_syntax USER:1:5: Flow sequence in block collection must be sufficiently indented and end with a ]; Correct the YAML at this place.',
    ],
  ],
  ['a: 1\na: 2', ['config_syntax USER:2:1: Map keys must be unique; Correct the YAML at this place.']],
  [
    '---\n{}\n---\n{}',
    ['config_syntax USER:3:1: the file holds more than one document; only one is read; Correct the YAML at this place.'],
  ],
  [
    '- a',
    [
      'config_invalid USER:1:1: the file must be a mapping, not a list; Known here: version, environment, environments, agent, agents, policy, concurrency, retry, gates, setup, target, jobs.',
    ],
  ],
  [
    'polcy: {}',
    [
      'config_invalid USER:1:1: unknown key "polcy"; Did you mean "policy"? Known here: version, environment, environments, agent, agents, policy, concurrency, retry, gates, setup, target, jobs.',
    ],
  ],
  ['version: 2', ['config_invalid USER:1:10: version must be 1, not 2; Known: 1.']],
  [
    'policy:\n  network: {alow: []}',
    ['config_invalid USER:2:13: unknown key "policy.network.alow"; Did you mean "allow"? Known here: allow.'],
  ],
  [
    'policy: {network: {allow: x}}',
    ['config_invalid USER:1:27: policy.network.allow must be a list, not "x"; Write it like [api.example.com].'],
  ],
  ['policy: {network: {allow: [https://x.y/z]}}', ['config_invalid USER:1:28: "https://x.y/z" is a URL, not a host; Write x.y.']],
  [
    'policy: {network: {allow: ["*"]}}',
    ['config_invalid USER:1:28: "*" would allow every host; Name the hosts, for instance *.example.com.'],
  ],
  ['policy: {network: {allow: [X.y]}}', ['config_invalid USER:1:28: "X.y" is not written canonically; Write x.y.']],
  [
    'policy: {network: {allow: ["x.y:0"]}}',
    ['config_invalid USER:1:28: "0" is not a port; Write a number from 1 to 65535 after the colon.'],
  ],
  ['policy: {limits: {time: 5}}', ['config_invalid USER:1:25: policy.limits.time must be a duration, not 5; Write it like 30m.']],
  ['policy: {limits: {time: 5x}}', ['config_invalid USER:1:25: "5x" is not a duration; Write it like 30m, 2h, unlimited.']],
  ['policy: {limits: {output: 5 MB}}', ['config_invalid USER:1:27: "5 MB" is not a size; Write it like 512MB, 1GiB, unlimited.']],
  ['policy: {limits: {processes: 0}}', ['config_invalid USER:1:30: policy.limits.processes must be at least 2; Write it like 512.']],
  [
    'policy: {limits: {time: 1m, stall: 2m}}',
    [
      'config_invalid USER:1:36: policy.limits.stall is longer than limits.time, so it could never be reached; Make it shorter than limits.time.',
    ],
  ],
  [
    'policy: {interception: [{on: file.remove, match: a, action: deny}]}',
    [
      'config_invalid USER:1:30: policy.interception[0].on must be one of the known words, not "file.remove"; Did you mean "file.rename"? Known: file.write, file.delete, file.rename, file.chmod, process.exec, process.signal, process.inspect, net.connect, net.bind, registry.write, registry.delete, service.control, system.change.',
    ],
  ],
  [
    'policy: {interception: [{on: file.write, match: a, action: redirect}]}',
    ['config_invalid USER:1:25: a rule has a target when its action is redirect, and only then; Write it like ./scratch/log.txt.'],
  ],
  [
    'policy: {interception: [{on: file.delete, match: a, action: deny, target: b}]}',
    ['config_invalid USER:1:75: a rule has a target when its action is redirect, and only then; Write it like ./scratch/log.txt.'],
  ],
  [
    'policy: {interception: [{on: file.delete, match: a}]}',
    ['config_invalid USER:1:25: "policy.interception[0].action" is missing; Known: allow, deny, emulate, redirect, ask, kill, log.'],
  ],
  [
    'policy: {filesystem: {read: [/]}}',
    [
      'config_invalid USER:1:30: policy.filesystem.read may not be the whole filesystem; Name the directories that are needed, by absolute paths or from ~/.',
    ],
  ],
  [
    'policy: {filesystem: {read: [~bob/x]}}',
    ['config_invalid USER:1:30: "~bob/x" names another user’s home; Name the directories that are needed, by absolute paths or from ~/.'],
  ],
  [
    'policy: {filesystem: {deny: [../x]}}',
    ['config_invalid USER:1:30: a pattern may not contain ".."; Write the absolute path, or one relative to the workspace.'],
  ],
  [
    'policy: {filesystem: {read: [/opt], write: [/opt]}}',
    ['config_invalid USER:1:30: /opt is in both read and write; Leave it in one of the two.'],
  ],
  [
    'policy: {filesystem: {write: [~]}}',
    [
      'config_invalid USER:1:31: policy.filesystem.write[0] must be a path, not nothing (which is what ~ alone means in YAML); Write it like ~/.cache/npm.',
    ],
  ],
  [
    'policy: {filesystem: {write: [~/]}}',
    [
      'config_invalid USER:1:31: agents could change <home>/.local/state/bulkhead, which Bulkhead rests on; Name a directory that does not contain it.',
    ],
  ],
  [
    'policy: {filesystem: {write: [~/.config/bulkhead]}}',
    ['config_invalid USER:1:31: agents could change USER, which Bulkhead rests on; Name a directory that does not contain it.'],
  ],
  [
    'policy: {environment: {pass: [A-B]}}',
    ['config_invalid USER:1:31: policy.environment.pass[0] must be a variable name, not "A-B"; Write it like API_KEY.'],
  ],
  ['policy: {environment: {pass: [A], set: {A: b}}}', ['config_invalid USER:1:31: A is in both pass and set; Leave it in one of the two.']],
  [
    'policy: {environment: {set: {__proto__: b}}}',
    ['config_syntax USER:1:30: no key can be called "__proto__"; Correct the YAML at this place.'],
  ],
  [
    'environment: Linux',
    ['config_invalid USER:1:14: environment must be a name of a-z, 0-9 and -, not "Linux"; Write it like fix-flaky-test.'],
  ],
  ['environment: linus', ['config_invalid USER:1:14: environment "linus" is not configured; Did you mean "linux"? Known: linux, none.']],
  [
    'environments: {linux: {network: net-none}}',
    [
      'config_invalid USER:1:23: environment "linux" is built in; Choose another name for yours; of a built-in one only "degrade" can be set.',
    ],
  ],
  [
    'environments: {x: {network: net-gatway}}',
    [
      'plugin_unknown USER:1:29: environments.x.network: plugin "net-gatway" is not installed; Did you mean "net-gateway"? Installed for network: net-gateway, net-none.',
    ],
  ],
  [
    'environments: {x: {token: net-none}}',
    ['plugin_unknown USER:1:27: environments.x.token: plugin "net-none" is for the network layer; Installed for token: token-userns.'],
  ],
  [
    'environments: {x: {network: {plugin: net-none, dept: 1}}}',
    ['config_invalid USER:1:48: unknown key "environments.x.network.dept"; Did you mean "depth"? Known here: depth.'],
  ],
  [
    'environments: {x: {degrade: [fs]}}',
    [
      'config_invalid USER:1:30: environments.x.degrade[0] must be one of the known words, not "fs"; Known: filesystem, token, network, interception.',
    ],
  ],
  [
    'agents: {x: {adapter: agent-comand}}',
    ['plugin_unknown USER:1:23: adapter "agent-comand" is not installed; Did you mean "agent-command"? Installed: agent-command.'],
  ],
  [
    'agents: {x: {adapter: agent-command, command: 3}}',
    ['config_invalid USER:1:47: agents.x.command must be a list, not 3; See docs/config.md.'],
  ],
  [
    'agents: {X: {adapter: agent-command}}',
    ['config_invalid USER:1:10: "X" is not a name of a-z, 0-9 and -; Write it like fix-flaky-test.'],
  ],
  ['agent: x', ['config_invalid USER:1:8: agent "x" is not configured; No agent is configured; add one under "agents".']],
  ['concurrency: 0', ['config_invalid USER:1:14: concurrency must be at least 1; Write it like 4.']],
  ['concurrency: 1000', ['config_invalid USER:1:14: concurrency must be at most 256; Write it like 4.']],
  ['retry: {delay: 1h, maximum: 1m}', ['config_invalid USER:1:16: retry.delay is longer than retry.maximum; Make delay shorter.']],
  [
    'gates: [{name: a, command: [x]}, {name: a, command: [y]}]',
    ['config_invalid USER:1:34: two gates are called "a"; Rename one of them.'],
  ],
  [
    'gates: [{name: a, command: npm test}]',
    [
      'config_invalid USER:1:28: gates[0].command must be a list of arguments, the program first, not "npm test"; Write it like [npm, test].',
    ],
  ],
  ['setup: [""]', ['config_invalid USER:1:8: the program of a command is empty; Write it like [npm, test].']],
  ['target: -x', ['config_invalid USER:1:9: target must be a branch, not "-x"; Write it like main.']],
  ['jobs: [{name: a, prompt: x}, {name: a, prompt: y}]', ['config_invalid USER:1:37: two jobs are called "a"; Rename one of them.']],
  ['jobs: [{name: a, prompt: x, needs: [a]}]', ['config_invalid USER:1:36: job "a" needs itself; Remove it from needs.']],
  ['jobs: [{prompt: ""}]', ['config_invalid USER:1:17: jobs[0].prompt must not be empty; Write it like Fix the flaky test.']],
  [
    'jobs: [{prompt: x, agent: y}]',
    ['config_invalid USER:1:27: agent "y" is not configured; No agent is configured; add one under "agents".'],
  ],
  ['jobs: [{prompt: x, environment: y}]', ['config_invalid USER:1:33: environment "y" is not configured; Known: linux, none.']],
  [
    'concurrency: x\ntarget: 1\nretry: {attempts: 0}',
    [
      'config_invalid USER:1:14: concurrency must be a number from 1 to 256, not "x"; Write it like 4.',
      'config_invalid USER:2:9: target must be a branch, not 1; Write it like main.',
      'config_invalid USER:3:19: retry.attempts must be at least 1; Write it like 3.',
    ],
  ],
]

/** What a file in the repository may not do, with nothing allowed by the user but `*.example.com`. */
const repositoryMistakes: readonly (readonly [text: string, lines: readonly string[]])[] = [
  [
    'policy: {network: {allow: [x.y]}}',
    [
      'config_widens_policy REPO:1:28: policy.network.allow: x.y is more than your own policy allows; Remove it, or add it to policy.network.allow in USER.',
    ],
  ],
  [
    'policy: {filesystem: {read: [/opt]}}',
    [
      'config_widens_policy REPO:1:30: policy.filesystem.read: /opt is more than your own policy allows; Remove it, or add it to policy.filesystem.read in USER.',
    ],
  ],
  [
    'policy: {limits: {time: 3h}}',
    [
      'config_widens_policy REPO:1:25: policy.limits.time: 3h is more than your own policy allows; Remove it, or add it to policy.limits.time in USER.',
    ],
  ],
  [
    'policy: {environment: {pass: [API_KEY]}}',
    [
      'config_widens_policy REPO:1:31: policy.environment.pass: API_KEY is more than your own policy allows; Remove it, or add it to policy.environment.pass in USER.',
    ],
  ],
  [
    'policy: {interception: [{on: file.write, match: a, action: allow}]}',
    [
      'config_widens_policy REPO:1:25: policy.interception: {on: file.write, match: a, action: allow} is more than your own policy allows; Remove it, or add it to policy.interception in USER.',
    ],
  ],
  ['environments: {x: {}}', ['config_widens_policy REPO:1:15: a file in the repository may not define environments; Move them to USER.']],
  [
    'environment: none',
    [
      'config_widens_policy REPO:1:14: a file in the repository may not choose environment "none"; Remove it, and write "environment: none" in USER or use --environment none.',
    ],
  ],
  [
    'jobs: [{prompt: x, environment: none}]',
    [
      'config_widens_policy REPO:1:33: a file in the repository may not choose environment "none"; Remove it, and write "environment: none" in USER or use --environment none.',
    ],
  ],
  [
    'jobs: [{prompt: x, policy: {network: {allow: [x.y]}}}]',
    [
      'config_widens_policy REPO:1:47: policy.network.allow: x.y is more than your own policy allows; Remove it, or add it to policy.network.allow in USER.',
    ],
  ],
  [
    'agents: {mine: {adapter: agent-command, command: [a]}}',
    ['config_invalid REPO:1:16: agent "mine" is defined in your own file as well; Choose another name for one of them.'],
  ],
  [
    'gates: [{name: mine, command: [x]}]',
    ['config_invalid REPO:1:8: gate "mine" is defined in your own file as well; Rename it here or in USER.'],
  ],
]

describe('every mistake is one line with its place, the rule and the remedy', () => {
  test.each(userMistakes)('%s', async (text, lines) => {
    const world = configWorld()
    world.write(world.userFile, text)
    expect(await complaints(() => load(world), shortened(world))).toEqual(lines)
  })

  test.each(repositoryMistakes)('in the repository: %s', async (text, lines) => {
    const world = configWorld()
    world.write(
      world.userFile,
      'policy: {network: {allow: ["*.example.com"]}}\nagents: {mine: {adapter: agent-command, command: [a]}}\ngates: [{name: mine, command: [y]}]',
    )
    world.write(world.repositoryFile, text)
    expect(await complaints(() => load(world), shortened(world))).toEqual(lines)
  })

  test('every line is one line, and ends with a full sentence', async () => {
    for (const [, lines] of [...userMistakes, ...repositoryMistakes])
      for (const line of lines) expect(line).toMatch(/^[^\n]+: [^\n]+; [A-Z][^\n]*\.$/)
  })
})

function level(n: number): string {
  return `l${n}: &l${n} [${Array.from({ length: 9 }, () => `*l${n - 1}`).join(', ')}]`
}

describe('files', () => {
  const missing = 'Name a YAML file that you can read.'
  test('a named file that does not exist', async () => {
    const world = configWorld()
    expect(await complaints(() => load(world, { file: '../nope.yaml' }), [[join(world.home, '..'), '<root>']])).toEqual([
      `config_not_found <root>/nope.yaml: the file does not exist; ${missing}`,
    ])
  })
  test('a named file inside the repository', async () => {
    const world = configWorld()
    world.write(world.repositoryFile, '{}')
    expect(await complaints(() => load(world, { file: 'bulkhead.yaml' }), shortened(world))).toEqual([
      'config_invalid REPO: your own configuration file may not lie inside the repository; Agents could change it there; move it, for instance to USER.',
    ])
  })
  test('a user file that everybody can change', async () => {
    const world = configWorld()
    world.write(world.userFile, '{}', 0o666)
    expect(await complaints(() => load(world), shortened(world))).toEqual([
      'config_invalid USER: every user of this machine can change your configuration file; Run chmod o-w USER.',
    ])
  })
  test('a repository file that is a link', async () => {
    const world = configWorld()
    symlinkSync('/etc/passwd', world.repositoryFile)
    expect(await complaints(() => load(world), shortened(world))).toEqual([
      `config_not_found REPO: the file is a symbolic link; ${missing}`,
    ])
  })
  test('aliases that would fill the memory', async () => {
    const world = configWorld()
    world.write(world.userFile, ['l0: &l0 [x]', ...[1, 2, 3, 4, 5, 6, 7, 8].map(level)].join('\n'))
    expect(await complaints(() => load(world), shortened(world))).toEqual([
      'config_syntax USER:1:1: Excessive alias count indicates a resource exhaustion attack; Correct the YAML at this place.',
    ])
  })
  test('an environment that does not exist, from the command line', async () => {
    const world = configWorld()
    expect(await complaints(() => load(world, { environment: 'lunix' }), shortened(world))).toEqual([
      'usage_invalid undefined: environment "lunix" is not configured; Did you mean "linux"? Known: linux, none.',
    ])
  })
  test('a jobs file: trusted outside the repository, not inside', async () => {
    const world = configWorld()
    const text = 'jobs: [{prompt: x, environment: none}]'
    const outside = join(world.home, 'jobs.yaml')
    const inside = join(world.repository, 'jobs.yaml')
    world.write(outside, text)
    world.write(inside, text)
    const configuration = await load(world)
    expect((await loadJobs(outside, world.request, configuration)).map(({ environment }) => environment)).toEqual(['none'])
    expect(await complaints(() => loadJobs(inside, world.request, configuration), shortened(world))).toEqual([
      'config_widens_policy <repo>/jobs.yaml:1:33: a file in the repository may not choose environment "none"; Remove it, and write "environment: none" in USER or use --environment none.',
    ])
  })
})
