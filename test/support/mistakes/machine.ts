import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '../../../core/journal/database.ts'
import { shellAgent, type CliWorld } from '../command-line.ts'
import { packageRoot } from '../host.ts'
import { journalOf, type Call, type Mistake } from './mistake.ts'

const built = join(packageRoot, 'native/build', `${process.platform}-${process.arch}`)

/** The native module of this directory instead of the built one. */
const withModule = (directory: string, says: Call['says']): Call => ({
  argv: ['exec', '--', 'touch', 'ran'],
  variables: { BULKHEAD_NATIVE: directory },
  process: [],
  says,
})

/** A journal that was used once, and then changed past Bulkhead. */
async function withJournal(world: CliWorld, change: (file: string) => void): Promise<string> {
  world.configure(shellAgent)
  await world.run('pause')
  const file = journalOf(world)
  change(file)
  return file
}

const sql = (text: string) => (file: string) => {
  using database = openDatabase(file, 1_000)
  database.script(text)
}

const exec = ['exec', '--', 'touch', 'ran'] as const
const build = 'Run npm run build in Bulkhead’s directory (needs a C compiler).'
const writable = 'Make the directory writable for you, or set BULKHEAD_STATE to one that is.'

export const machineMistakes: readonly Mistake[] = [
  {
    code: 'host_tool_missing',
    what: 'git is not on PATH',
    make: () => ({
      argv: ['ls'],
      variables: { PATH: '/var/empty' },
      says: 'bulkhead: git was not found on PATH; Install git 2.38 or newer and put it on PATH.',
    }),
  },
  {
    code: 'host_tool_missing',
    what: 'git is too old',
    make: ({ home }) => {
      writeFileSync(join(home, 'git'), '#!/bin/sh\necho git version 2.20.1\n', { mode: 0o755 })
      return {
        argv: ['ls'],
        variables: { PATH: home },
        says: `bulkhead: git 2.20.1 is too old (${home}/git); Install git 2.38 or newer and put it on PATH.`,
      }
    },
  },
  {
    code: 'host_no_space',
    what: 'the record goes to a full disk',
    make: () => ({
      argv: ['exec', '--events', '/dev/full', '--', 'touch', 'ran'],
      says: 'bulkhead: --events /dev/full: the disk is full; Free some space and run the command again.',
    }),
  },
  {
    code: 'native_not_built',
    what: 'the native module was never built',
    make: ({ home }) =>
      withModule(home, `bulkhead: the native module for ${process.platform}-${process.arch} is missing (${home}); ${build}`),
  },
  {
    code: 'native_not_built',
    what: 'what stands in its place is no module',
    make: ({ home }) => {
      for (const name of ['libbulkhead.so', 'bulkhead-helper']) writeFileSync(join(home, name), 'text')
      return withModule(home, `bulkhead: the native module cannot be loaded (${home}/libbulkhead.so); ${build}`)
    },
  },
  {
    code: 'native_abi_mismatch',
    what: 'the native module is of another version',
    make: ({ home }) => {
      writeFileSync(join(home, 'other.c'), 'unsigned bulkhead_abi(void) { return 999; }\n')
      execFileSync('cc', ['-shared', '-fPIC', '-o', join(home, 'libbulkhead.so'), join(home, 'other.c')])
      writeFileSync(join(home, 'bulkhead-helper'), '')
      return withModule(home, `bulkhead: the native module has version 999, this Bulkhead needs 1 (${home}/libbulkhead.so); ${build}`)
    },
  },
  {
    code: 'native_failed',
    what: 'the helper cannot be executed',
    make: ({ home }) => {
      for (const name of ['libbulkhead.so', 'bulkhead-helper']) copyFileSync(join(built, name), join(home, name))
      chmodSync(join(home, 'bulkhead-helper'), 0o644)
      return withModule(
        home,
        `bulkhead: starting ${home}/bulkhead-helper failed with EACCES; Run bulkhead doctor to see what this machine can do.`,
      )
    },
  },
  {
    code: 'launch_not_found',
    what: 'a command that does not exist',
    make: () => ({
      argv: ['exec', '--', 'nope'],
      says: 'bulkhead: "nope" does not exist inside the workspace; Check its name; programs outside the system directories must be on PATH or named under policy.filesystem.read.',
    }),
  },
  {
    code: 'launch_not_executable',
    what: 'a command that is a text',
    make: () => ({
      argv: ['exec', '--', './a.txt'],
      says: 'bulkhead: "./a.txt" cannot be executed (EACCES); Check that it is executable and has an interpreter line.',
    }),
  },
  {
    code: 'layer_unusable',
    what: 'user namespaces are forbidden',
    make: () => ({
      argv: exec,
      process: ['unshare', '--user', '--map-root-user', 'sh', '-c', 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', 'sh'],
      needs: 'user-namespace',
      says: /^bulkhead: environment "linux": filesystem \(fs-view\) cannot work here: mount-namespace: clone3: No space left on device; token .*; Allow user and mount namespaces \(sysctl user\.max_user_namespaces, .*\.$/,
    }),
  },
  {
    code: 'layer_unsupported',
    what: 'a layer without the one it rests on',
    make: (world) => {
      world.configure('environments: {e: {token: token-none}}\n')
      return {
        argv: ['exec', '-e', 'e', '--', 'touch', 'ran'],
        says:
          'bulkhead: environment "e": filesystem (fs-view) requires "user-namespace", which no other layer of this environment provides; ' +
          'filesystem (fs-view) requires "agent-identity", which no other layer of this environment provides; ' +
          'network (net-gateway) requires "user-namespace", which no other layer of this environment provides; Provided by: token-userns.',
      }
    },
  },
  {
    code: 'layer_unsupported',
    what: 'a rule that no layer can hold',
    make: (world) => {
      world.configure('policy: {interception: [{on: registry.write, match: "**", action: deny}]}\n')
      return {
        argv: exec,
        says:
          'bulkhead: environment "linux": interception (intercept-seccomp) cannot hold: interception rule 1 (deny registry.write "**"): ' +
          'registry.write has no meaning on Linux; Choose another interception plugin, take this out of the policy, or accept it with ' +
          '"degrade: [interception]" in environment "linux".',
      }
    },
  },
  {
    code: 'layer_unverified',
    what: 'a workspace in which nothing can be written',
    make: ({ home }) => {
      mkdirSync(join(home, 'closed'), { mode: 0o555 })
      return {
        argv: ['exec', '-w', join(home, 'closed'), '--', 'true'],
        says: /^bulkhead: filesystem \(fs-view\): "workspace-writable" does not hold \(create \/\S+\/closed\/\.bulkhead-probe-\w+: EACCES; .*\); Nothing was started\. Run bulkhead doctor --attest to see each attack and its result\.$/,
      }
    },
  },
  {
    code: 'journal_failed',
    what: 'state below a file',
    make: () => ({
      argv: ['ls'],
      variables: { BULKHEAD_STATE: '/dev/null/x' },
      says: new RegExp(`^bulkhead: the state directory /dev/null/x/repo-\\w+ cannot be used \\(ENOTDIR\\); ${writable}$`),
    }),
  },
  {
    code: 'journal_failed',
    what: 'state where the kernel lets nobody make anything',
    make: () => ({
      argv: ['ls'],
      variables: { BULKHEAD_STATE: '/proc/x' },
      says: new RegExp(`^bulkhead: the state directory /proc/x/repo-\\w+ cannot be used \\(ENOENT\\); ${writable}$`),
    }),
  },
  {
    code: 'journal_failed',
    what: 'receipts where the kernel lets nobody make anything',
    make: () => ({
      argv: exec,
      variables: { BULKHEAD_STATE: '/proc/x' },
      says: `bulkhead: receipts cannot be kept in /proc/x/exec (ENOENT); ${writable}`,
    }),
  },
  {
    code: 'journal_corrupt',
    what: 'a journal that was overwritten',
    make: async (world) => {
      const file = await withJournal(world, (path) => {
        for (const part of ['', '-wal', '-shm']) rmSync(path + part, { force: true })
        writeFileSync(path, 'x'.repeat(8192))
      })
      return {
        argv: ['ls'],
        says: `bulkhead: The journal is damaged: file is not a database (${file}); Move the file away to begin a new journal; work under refs/bulkhead stays in the repository.`,
      }
    },
  },
  {
    code: 'journal_corrupt',
    what: 'an event that was changed',
    make: async (world) => {
      await withJournal(world, sql(`DROP TRIGGER events_never_change; UPDATE events SET data = '{"by":"somebody"}'`))
      return {
        argv: ['audit', 'verify'],
        says: 'bulkhead: the chain is broken at event 1; Do not trust the journal from that event on; the refs under refs/bulkhead/ are not affected.',
      }
    },
  },
  {
    code: 'journal_newer',
    what: 'a journal of a newer Bulkhead',
    make: async (world) => {
      const file = await withJournal(world, sql('PRAGMA user_version = 999'))
      return {
        argv: ['ls'],
        says: `bulkhead: The journal has version 999; this Bulkhead knows up to 1 (${file}); Use the newer Bulkhead that wrote it.`,
      }
    },
  },
]
