/** Asking, killing, floods, and everything that must end in nothing running: a policy that cannot be read, code that is not as it must be. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { interceptedActs as allActs } from '../../../../core/contracts/index.ts'
import { agent, brief, hookLibrary, playground, underHook } from '../../support/hook.ts'

/** hook-policy.h */
const ended = { policy: 0xc0de0001, stub: 0xc0de0002, inject: 0xc0de0005 }

test('a yes lets it happen, and is recorded as that', async () => {
  using place = playground()
  const result = await underHook([`file.write,ask,${place.deny}\\**`, 'answer=yes'], [agent, 'write', `${place.deny}\\f`])
  assert.deepEqual(result.lines, ['write 0'])
  assert.deepEqual(
    result.asked.map(({ rule, on, object, program }) => [rule, on, object, program]),
    [[0, 'file.write', `${place.deny}\\f`, 'hook-agent.exe']],
  )
  assert.deepEqual(brief(result), [`0 file.write allow ${place.deny}\\f`])
})

test('a no refuses it', async () => {
  using place = playground()
  const result = await underHook([`file.write,ask,${place.deny}\\**`, 'answer=no'], [agent, 'write', `${place.deny}\\f`])
  assert.deepEqual([result.lines, result.asked.length], [['write 5'], 1])
  assert.deepEqual(brief(result), [`0 file.write deny ${place.deny}\\f`])
  assert.equal(readFileSync(join(place.deny, 'f'), 'utf8'), 'deny original')
})

test('no answer in time is a no, and the call waited for it', async () => {
  using place = playground()
  const started = performance.now()
  const options = [`file.write,ask,${place.deny}\\**`, 'answer=never', 'timeout=700']
  const result = await underHook(options, [agent, 'write', `${place.deny}\\f`])
  assert.deepEqual([result.lines, result.asked.length], [['write 5'], 1])
  assert.ok(performance.now() - started >= 700)
})

test('kill ends the whole job before the act, with everything reported', async () => {
  using place = playground()
  const command = [agent, 'run', `${agent} write ${place.deny}\\f`, 'write', `${place.free}\\after`]
  const result = await underHook([`file.write,kill,${place.deny}\\**`], command)
  assert.deepEqual([result.killedBy, brief(result)], [0, [`0 file.write kill ${place.deny}\\f`]])
  assert.deepEqual([result.exit, result.lines], [137, []])
  assert.equal(readFileSync(join(place.deny, 'f'), 'utf8'), 'deny original')
  assert.equal(existsSync(join(place.free, 'after')), false)
})

test('control: without a rule the same command comes to its end', async () => {
  using place = playground()
  const command = [agent, 'run', `${agent} write ${place.deny}\\f`, 'write', `${place.free}\\after`]
  const result = await underHook([], command)
  assert.deepEqual([result.killedBy, result.exit, result.lines], [undefined, 0, ['write 0', 'child 0', 'run 0', 'write 0']])
})

test('a flood is counted to the last event and blocks nobody, also when the supervisor is slow', async () => {
  using place = playground()
  const flood = ['flood', `${place.free}\\f`, '4000']
  const after = ['wait', '4000', 'write', `${place.free}\\after`]
  const result = await underHook(['file.write,allow,**', 'slow=4'], [agent, ...flood, ...after])
  const [took = '', ...rest] = result.lines
  assert.deepEqual(rest, ['flood 0', 'wait 0', 'write 0'])
  // A supervisor that takes 4 ms for each event would need 16 s.
  assert.ok(Number(took.replace('took ', '')) < 10_000, took)
  const lost = result.events.reduce((sum, event) => sum + event.lost, 0)
  assert.ok(lost > 1000, String(lost))
  assert.equal(result.events.at(-1)?.object, `${place.free}\\after`)
  assert.equal(lost + result.events.length, 4001)
})

test('a few events are all there, in order, and none is lost', async () => {
  using place = playground()
  const names = Array.from({ length: 60 }, (_, index) => `${place.free}\\${index}`)
  const result = await underHook(['file.write,allow,**'], [agent, ...names.flatMap((name) => ['write', name])])
  assert.deepEqual(
    brief(result),
    names.map((name) => `0 file.write allow ${name}`),
  )
  assert.deepEqual(
    result.events.filter(({ lost }) => lost > 0),
    [],
  )
})

for (const offset of [0, 4, 8, 12, 16, 24, 40, 100, 300]) {
  test(`a policy with one wrong bit, at byte ${offset}, and nothing runs`, async () => {
    using place = playground()
    const result = await underHook([`file.write,deny,${place.deny}\\**`, `damage=${offset}`], [agent, 'write', `${place.free}\\after`])
    assert.deepEqual([result.lines, result.exit], [[], ended.policy])
    assert.deepEqual(result.notEntered, { inject: ended.policy, step: 'starting the hook' })
    assert.equal(existsSync(join(place.free, 'after')), false)
  })
}

test('a library that is not there, and nothing runs', async () => {
  using place = playground()
  const result = await underHook([`dll=${place.free}\\none.dll`], [agent, 'write', `${place.free}\\after`])
  assert.deepEqual([result.lines, result.exit, result.notEntered?.step], [[], ended.inject, 'reading the hook'])
})

test('a library that is another one, and nothing runs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hook-'))
  const other = join(directory, 'bulkhead-hook.dll')
  copyFileSync(String.raw`C:\windows\system32\version.dll`, other)
  const result = await underHook([`dll=${other}`], [agent, 'write', join(directory, 'after')])
  assert.deepEqual([result.lines, result.exit], [[], ended.inject])
  assert.equal(existsSync(join(directory, 'after')), false)
})

test('a library that says it is in force but never read the policy, and nothing runs', async () => {
  using place = playground()
  const impostor = join(agent, '..', 'hook-impostor.dll')
  const result = await underHook([`dll=${impostor}`], [agent, 'write', `${place.free}\\after`])
  assert.deepEqual([result.lines, result.exit, result.notEntered?.step], [[], ended.inject, 'asking the hook'])
  assert.equal(existsSync(join(place.free, 'after')), false)
})

test('a system call whose code is not as it must be, and nothing runs', async () => {
  using place = playground()
  const command = [agent, 'write', `${place.free}\\after`]
  const result = await underHook([`file.write,deny,${place.deny}\\**`, 'stub=NtCreateFile'], command)
  assert.deepEqual([result.lines, result.exit], [[], ended.stub])
  assert.equal(existsSync(join(place.free, 'after')), false)
  // Control: nobody stands before that call when no rule asks for it, and the changed code works.
  assert.deepEqual((await underHook(['registry.write,deny,**', 'stub=NtCreateFile'], command)).lines, ['write 0'])
})

test('the start of processes is watched whatever the rules are', async () => {
  const result = await underHook(['stub=NtCreateUserProcess'], [agent, 'exists', 'C:\\windows'])
  assert.deepEqual([result.lines, result.exit], [[], ended.stub])
})

test('rules sleep while walls are attacked, and the attempts prove that the hook is there', async () => {
  using place = playground()
  const rules = allActs.map((act) => `${act},deny,**`)
  const prover = [join(agent, '..', 'hook-runner.exe'), `prove=${allActs.join('+')}`]
  const held = await underHook(['held', ...rules], prover)
  assert.deepEqual(
    held.proofs,
    allActs.map((proof) => ({ proof, error: 5 })),
  )
  assert.match(held.status ?? '', /^ready hooks=\d{2} rules=13$/)
  // Control: without the hook every one of them gets another answer.
  const free = await underHook(['unhooked'], prover)
  assert.deepEqual(
    free.proofs.map(({ proof }) => proof),
    allActs,
  )
  assert.deepEqual(
    free.proofs.filter(({ error }) => error === 5),
    [],
  )
  assert.equal(free.status, 'none')
  const acts = [agent, 'write', `${place.deny}\\f`, 'run', 'cmd.exe /c exit 3', 'delete', `${place.deny}\\f`]
  const asleep = await underHook(['held', ...rules], acts)
  assert.deepEqual([asleep.lines, asleep.events], [['write 0', 'child 3', 'run 0', 'delete 0'], []])
})

test('a 32-bit child is refused, and that is reported', async () => {
  const result = await underHook([], [agent, 'pretend-32-bit', 'run', 'cmd.exe /c exit 3'])
  assert.deepEqual(result.lines, ['pretend-32-bit 0', 'run 5'])
  assert.deepEqual(brief(result), [String.raw`-1 process.exec deny C:\windows\system32\cmd.exe`])
})

test('a 32-bit child runs where the option says so, and that is reported', async () => {
  const result = await underHook(['wow64=report'], [agent, 'pretend-32-bit', 'run', 'cmd.exe /c exit 3'])
  assert.deepEqual(result.lines, ['pretend-32-bit 0', 'child 3', 'run 0'])
  assert.deepEqual(brief(result), [String.raw`-1 process.exec allow C:\windows\system32\cmd.exe`])
})

test('the event pipe takes nothing from outside the job, and stands what comes from inside', async () => {
  using place = playground()
  const acts = ['garbage', '%PIPE%', 'write', `${place.deny}\\f`]
  const result = await underHook(['outsider', `file.write,deny,${place.deny}\\**`], [agent, ...acts])
  assert.equal(result.outsiderHeard, false)
  assert.deepEqual(result.lines, ['garbage 0', 'write 5'])
  assert.deepEqual(brief(result), [`0 file.write deny ${place.deny}\\f`])
})

test('the feature is tried by really entering a process', async () => {
  assert.ok(existsSync(hookLibrary))
  const result = await underHook(['unhooked'], [join(agent, '..', 'hook-runner.exe'), `feature=${hookLibrary}`])
  assert.deepEqual(result.feature, { feature: 0, reason: '' })
  const missing = await underHook(['unhooked'], [join(agent, '..', 'hook-runner.exe'), 'feature=C:\\none.dll'])
  assert.deepEqual(missing.feature?.reason, 'reading the hook')
})
