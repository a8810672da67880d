import { chmodSync, realpathSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { layerPlugins } from '../../../plugins/index.ts'
import { shellAgent, type CliWorld } from '../command-line.ts'
import type { Mistake } from './mistake.ts'

const own = (world: CliWorld): string => join(world.home, '.config/bulkhead/bulkhead.yaml')
const shared = (world: CliWorld): string => join(world.repository, 'bulkhead.yaml')
const readable = 'Name a YAML file that you can read.'

/** A mistake in the user's own file, and what is said after the file's name. */
const inOwnFile = (code: Mistake['code'], what: string, text: string, ...says: readonly string[]): Mistake => ({
  code,
  what,
  make: (world) => {
    world.configure(text)
    return { argv: ['run', 'x'], says: says.map((line) => `${own(world)}:${line}`) }
  },
})

/** A mistake in the repository's file. */
const inSharedFile = (code: Mistake['code'], what: string, text: string, says: (world: CliWorld) => string): Mistake => ({
  code,
  what,
  make: (world) => {
    world.configure(shellAgent)
    writeFileSync(shared(world), text)
    return { argv: ['run', 'x'], says: `${shared(world)}:${says(world)}` }
  },
})

/** The policy of one command. */
const ofExec = (what: string, argv: (world: CliWorld) => readonly string[], says: (world: CliWorld) => string): Mistake => ({
  code: 'config_invalid',
  what,
  make: (world) => ({ argv: ['exec', ...argv(world), '--', 'touch', 'ran'], says: says(world) }),
})

const keys = 'version, environment, environments, agent, agents, policy, concurrency, retry, gates, setup, target, jobs'
/** New mechanisms are added: the line lists whatever there is. */
const filesystems = [...layerPlugins.values()].flatMap(({ id, layer }) => (layer === 'filesystem' ? [id] : [])).join(', ')
const inside = 'Name the files or directories inside it that agents need.'
const project = 'Choose a directory of one project.'

export const configurationMistakes: readonly Mistake[] = [
  {
    code: 'config_not_found',
    what: 'a configuration file that does not exist',
    make: ({ home }) => ({
      argv: ['run', '--config', '../home/nope.yaml', 'x'],
      says: `bulkhead: the file does not exist (${home}/nope.yaml); ${readable}`,
    }),
  },
  {
    code: 'config_not_found',
    what: 'a jobs file that is a directory',
    make: (world) => {
      world.configure(shellAgent)
      return { argv: ['run', '-f', '.'], says: `bulkhead: the file is not a regular file (${world.repository}); ${readable}` }
    },
  },
  inOwnFile(
    'config_syntax',
    'a bracket that is never closed',
    'agents: [\n',
    '2:1: Flow sequence in block collection must be sufficiently indented and end with a ]; Correct the YAML at this place.',
  ),
  inOwnFile('config_invalid', 'a misspelt key', 'polcy: {}\n', `1:1: unknown key "polcy"; Did you mean "policy"? Known here: ${keys}.`),
  inOwnFile(
    'config_invalid',
    'two mistakes',
    'concurrency: many\nretry: {attempts: 0}\n',
    '1:14: concurrency must be a number from 1 to 256, not "many"; Write it like 4.',
    '2:19: retry.attempts must be at least 1; Write it like 3.',
  ),
  inOwnFile(
    'config_invalid',
    'an option that the adapter does not know',
    'agents: {a: {adapter: agent-command, command: [x], promt: y}}\n',
    '1:52: unknown key "agents.a.promt"; Did you mean "prompt"? Known here: command, script, prompt, environment.',
  ),
  inOwnFile(
    'config_invalid',
    'an option that the layer does not know',
    'environments: {e: {network: {plugin: net-gateway, prxy: 1}}}\n',
    '1:51: unknown key "environments.e.network.prxy"; Known here: hosts, resolver, maxConnections, encryptedClientHello, proxyVariables, proxyPort.',
  ),
  inOwnFile(
    'plugin_unknown',
    'a layer plugin that is not installed',
    'environments: {e: {filesystem: fs-veiw}}\n',
    `1:32: environments.e.filesystem: plugin "fs-veiw" is not installed; Did you mean "fs-view"? Installed for filesystem: ${filesystems}.`,
  ),
  inOwnFile(
    'plugin_unknown',
    'a plugin of another layer',
    'environments: {e: {filesystem: net-none}}\n',
    `1:32: environments.e.filesystem: plugin "net-none" is for the network layer; Installed for filesystem: ${filesystems}.`,
  ),
  inOwnFile(
    'plugin_unknown',
    'an adapter that is not installed',
    'agents: {a: {adapter: agent-comand, command: [x]}}\n',
    '1:23: adapter "agent-comand" is not installed; Did you mean "agent-command"? Installed: agent-command.',
  ),
  {
    code: 'config_invalid',
    what: 'a policy that everybody can change',
    make: (world) => {
      world.configure(shellAgent)
      chmodSync(own(world), 0o666)
      return {
        argv: ['run', 'x'],
        says: `bulkhead: every user of this machine can change your configuration file (${own(world)}); Run chmod o-w ${own(world)}.`,
      }
    },
  },
  {
    code: 'config_invalid',
    what: 'a policy inside the repository',
    make: (world) => {
      const file = join(world.repository, 'mine.yaml')
      writeFileSync(file, shellAgent)
      const remedy = `Agents could change it there; move it, for instance to ${own(world)}.`
      return {
        argv: ['run', 'x'],
        variables: { BULKHEAD_CONFIG: file },
        says: `bulkhead: your own configuration file may not lie inside the repository (${file}); ${remedy}`,
      }
    },
  },
  inSharedFile(
    'config_widens_policy',
    'a repository that asks for a host',
    'policy: {network: {allow: [evil.example]}}\n',
    (world) =>
      `1:28: policy.network.allow: evil.example is more than your own policy allows; Remove it, or add it to policy.network.allow in ${own(world)}.`,
  ),
  inSharedFile(
    'config_widens_policy',
    'a repository that brings its own walls',
    'environments: {e: {token: token-none}}\n',
    (world) => `1:15: a file in the repository may not define environments; Move them to ${own(world)}.`,
  ),
  ofExec(
    'everything is to be readable',
    () => ['--read', '/'],
    () => `bulkhead: filesystem.read: "/" is everything; ${inside}`,
  ),
  ofExec(
    'the system is to be writable',
    () => ['--write', '/usr'],
    () => `bulkhead: filesystem.write: "/usr" is part of the system (/usr); ${inside}`,
  ),
  ofExec(
    'the home directory is the workspace',
    () => ['--workspace', realpathSync(homedir())],
    () => `bulkhead: workspace "${realpathSync(homedir())}" holds the home directory, and an agent sees all of its workspace; ${project}`,
  ),
  ofExec(
    'the configuration of the machine is the workspace',
    () => ['--workspace', '/etc'],
    () => `bulkhead: workspace "/etc" is no place for one; ${project}`,
  ),
  {
    code: 'config_invalid',
    what: 'a policy that hides the workspace itself',
    make: (world) => {
      world.configure(`policy: {filesystem: {deny: ["${world.repository}"]}}\n`)
      return {
        argv: ['exec', '--', 'touch', 'ran'],
        says: `bulkhead: filesystem.deny hides the workspace "${world.repository}" itself; Deny what is inside it.`,
      }
    },
  },
  {
    code: 'config_invalid',
    what: 'a git directory is the workspace',
    make: ({ repository }) => ({
      argv: ['exec', '--workspace', join(repository, '.git'), '--', 'touch', 'ran'],
      says: `bulkhead: workspace "${repository}/.git" is a git directory itself, whose hooks and configuration git runs; Choose a checkout, or a directory that is no repository.`,
    }),
  },
]
