/** Rules on files, from a C agent, each with its control: without the hook the same act succeeds. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agent, brief, playground, underHook } from '../../support/hook.ts'

type Place = ReturnType<typeof playground>

interface Case {
  readonly name: string
  readonly rules: (place: Place) => readonly string[]
  readonly acts: (place: Place) => readonly string[]
  /** What the agent says under the hook, and without it: `<act> <Win32 error>`. */
  readonly hooked: readonly string[]
  readonly free: readonly string[]
  /** `rule on action object`. */
  readonly events: (place: Place) => readonly string[]
  readonly after?: (place: Place) => void
}

const untouched = ({ deny }: Place): void => assert.equal(readFileSync(join(deny, 'f'), 'utf8'), 'deny original')
const renamedAndLooked = (deny: string, free: string): readonly string[] => [
  'rename',
  `${deny}\\f`,
  `${free}\\g`,
  'exists',
  `${free}\\g`,
  'attributes',
  `${deny}\\f`,
]
const denyWrite = ({ deny }: Place): readonly string[] => [`file.write,deny,${deny}\\**`]
const denyDelete = ({ deny }: Place): readonly string[] => [`file.delete,deny,${deny}\\**`]
const denyRename = ({ deny }: Place): readonly string[] => [`file.rename,deny,${deny}\\**`]

/** One way to write; all must be refused, and all work without. */
function writing(name: string, acts: Case['acts'], said: string, object: string): Case {
  return {
    name,
    rules: denyWrite,
    acts,
    hooked: [`${said} 5`],
    free: [`${said} 0`],
    events: ({ deny }) => [`0 file.write deny ${deny}\\${object}`],
    after: untouched,
  }
}

function deleting(act: string, name: string): Case {
  return {
    name,
    rules: denyDelete,
    acts: ({ deny }) => [act, `${deny}\\f`, 'exists', `${deny}\\f`],
    hooked: [`${act} 5`, 'exists 0'],
    free: [`${act} 0`, 'exists 2'],
    events: ({ deny }) => [`0 file.delete deny ${deny}\\f`],
    after: untouched,
  }
}

const cases: readonly Case[] = [
  writing('writing', ({ deny }) => ['write', `${deny}\\f`], 'write', 'f'),
  writing('writing what does not exist yet', ({ deny }) => ['write', `${deny}\\new`], 'write', 'new'),
  writing('writing in another case', ({ deny }) => ['write', `${deny.toUpperCase()}\\F`], 'write', 'f'),
  writing('writing by the verbatim form', ({ deny }) => ['write', `\\\\?\\${deny}\\f`], 'write', 'f'),
  writing('writing by a directory handle and a bare name', ({ deny }) => ['relative-write', `${deny}\\f`], 'relative-write', 'f'),
  writing('writing up and down again', ({ free }) => ['write', `${free}\\..\\deny\\f`], 'write', 'f'),
  writing('writing a stream of a file', ({ deny }) => ['write', `${deny}\\f:stream`], 'write', 'f'),
  writing('copying over it', ({ free, deny }) => ['copy', `${free}\\f`, `${deny}\\f`], 'copy', 'f'),
  writing('making a directory', ({ deny }) => ['mkdir', `${deny}\\d`], 'mkdir', 'd'),
  writing('making a link there', ({ free, deny }) => ['link', `${free}\\f`, `${deny}\\l`], 'link', 'l'),
  writing('making a link of it elsewhere', ({ free, deny }) => ['link', `${deny}\\f`, `${free}\\l`], 'link', 'f'),
  writing('renaming something over it', ({ free, deny }) => ['rename', `${free}\\f`, `${deny}\\f`], 'rename', 'f'),
  deleting('delete', 'deleting'),
  deleting('dispose', 'deleting as Windows does: by disposition'),
  deleting('delete-on-close', 'deleting when it is closed'),
  deleting('native-delete', 'deleting by name, in one native call'),
  {
    name: 'renaming it away',
    rules: denyRename,
    acts: ({ deny, free }) => ['rename', `${deny}\\f`, `${free}\\g`],
    hooked: ['rename 5'],
    free: ['rename 0'],
    events: ({ deny }) => [`0 file.rename deny ${deny}\\f`],
    after: untouched,
  },
  {
    name: 'renaming something there: the destination counts',
    rules: denyRename,
    acts: ({ deny, free }) => ['rename', `${free}\\f`, `${deny}\\g`, 'exists', `${deny}\\g`],
    hooked: ['rename 5', 'exists 2'],
    free: ['rename 0', 'exists 0'],
    events: ({ deny }) => [`0 file.rename deny ${deny}\\g`],
  },
  {
    name: 'changing the mode',
    rules: ({ deny }) => [`file.chmod,deny,${deny}\\**`],
    acts: ({ deny }) => ['attributes', `${deny}\\f`],
    hooked: ['attributes 5'],
    free: ['attributes 0'],
    events: ({ deny }) => [`0 file.chmod deny ${deny}\\f`],
    after: ({ deny }) => assert.notEqual(statSync(join(deny, 'f')).mode & 0o200, 0),
  },
  {
    name: 'what no rule names goes on as ever',
    rules: (place) => [...denyWrite(place), ...denyDelete(place), ...denyRename(place)],
    acts: ({ free, deny }) => ['write', `${free}\\f`, 'read', `${deny}\\f`, 'rename', `${free}\\f`, `${free}\\g`, 'delete', `${free}\\g`],
    hooked: ['write 0', 'content deny original', 'read 0', 'rename 0', 'delete 0'],
    free: ['write 0', 'content deny original', 'read 0', 'rename 0', 'delete 0'],
    events: () => [],
  },
  {
    name: 'the first rule that matches wins, and allowing is recorded',
    rules: ({ deny }) => [`file.write,allow,${deny}\\f`, `file.write,deny,${deny}\\**`],
    acts: ({ deny }) => ['write', `${deny}\\f`, 'write', `${deny}\\g`],
    hooked: ['write 0', 'write 5'],
    free: ['write 0', 'write 0'],
    events: ({ deny }) => [`0 file.write allow ${deny}\\f`, `1 file.write deny ${deny}\\g`],
  },
  {
    name: 'emulated writing goes to a file that nobody sees',
    rules: ({ deny }) => [`file.write,emulate,${deny}\\**`],
    acts: ({ deny }) => [
      'write',
      `${deny}\\f`,
      'write',
      `${deny}\\new`,
      'exists',
      `${deny}\\new`,
      'mkdir',
      `${deny}\\d`,
      'exists',
      `${deny}\\d`,
    ],
    hooked: ['write 0', 'write 0', 'exists 2', 'mkdir 0', 'exists 2'],
    free: ['write 0', 'write 0', 'exists 0', 'mkdir 0', 'exists 0'],
    events: ({ deny }) => ['f', 'new', 'd'].map((name) => `0 file.write emulate ${deny}\\${name}`),
    after: untouched,
  },
  {
    name: 'emulated deleting and renaming happen only in what the agent is told',
    rules: ({ deny }) => [`file.delete,emulate,${deny}\\**`, `file.rename,emulate,${deny}\\**`, `file.chmod,emulate,${deny}\\**`],
    acts: ({ deny, free }) => [
      ...['delete', 'dispose', 'delete-on-close', 'native-delete'].flatMap((act) => [act, `${deny}\\f`]),
      ...renamedAndLooked(deny, free),
    ],
    hooked: ['delete 0', 'dispose 0', 'delete-on-close 0', 'native-delete 0', 'rename 0', 'exists 2', 'attributes 0'],
    free: ['delete 0', 'dispose 2', 'delete-on-close 2', 'native-delete 2', 'rename 2', 'exists 2', 'attributes 2'],
    events: ({ deny }) => [
      ...Array.from({ length: 4 }, () => `0 file.delete emulate ${deny}\\f`),
      `1 file.rename emulate ${deny}\\f`,
      `2 file.chmod emulate ${deny}\\f`,
    ],
    after: untouched,
  },
  {
    name: 'redirected writing lands in the target',
    rules: ({ deny, free }) => [`file.write,redirect,${deny}\\**,${free}\\target`],
    acts: ({ deny, free }) => ['write', `${deny}\\f`, 'read', `${free}\\target`],
    hooked: ['write 0', 'content written', 'read 0'],
    free: ['write 0', 'read 2'],
    events: ({ deny }) => [`0 file.write redirect ${deny}\\f`],
    after: untouched,
  },
  {
    name: 'redirected renaming leads to the target',
    rules: ({ deny, free }) => [`file.write,redirect,${deny}\\**,${free}\\target`],
    acts: ({ deny, free }) => ['rename', `${free}\\f`, `${deny}\\g`, 'exists', `${deny}\\g`, 'read', `${free}\\target`],
    hooked: ['rename 0', 'exists 2', 'content free original', 'read 0'],
    free: ['rename 0', 'exists 0', 'read 2'],
    events: ({ deny }) => [`0 file.write redirect ${deny}\\g`],
  },
]

for (const { name, rules, acts, hooked, free, events, after } of cases) {
  test(name, async () => {
    using place = playground()
    const result = await underHook(rules(place), [agent, ...acts(place)])
    assert.deepEqual(result.lines, hooked)
    assert.deepEqual(brief(result), events(place))
    assert.deepEqual([result.exit, result.known, result.notEntered], [0, true, undefined])
    after?.(place)
  })

  test(`control: ${name}`, async () => {
    using place = playground()
    const result = await underHook(['unhooked', ...rules(place)], [agent, ...acts(place)])
    assert.deepEqual(result.lines, free)
    assert.deepEqual(brief(result), [])
    assert.equal(result.known, false)
  })
}

test('nothing of a pretended file is left', async () => {
  using place = playground()
  await underHook([`file.write,emulate,${place.deny}\\**`], [agent, 'write', `${place.deny}\\f`])
  // By the names that `scratch.c` gives; other files of the bed use the same directory.
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => /^bulkhead-[0-9a-f]{8}-[0-9a-f]{8}$/.test(name)),
    [],
  )
})
