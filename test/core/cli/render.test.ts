import { expect, test } from 'vitest'
import { fit, table, width } from '../../../core/cli/render/table.ts'
import { formatElapsed } from '../../../core/cli/render/time.ts'
import { repositoryTemplate, userTemplate } from '../../../core/cli/render/templates.ts'
import { configurationSchema } from '../../../core/config/schema.ts'
import { parseYaml } from '../../../core/config/yaml-parse.ts'

test('columns line up, also with wide characters, and cells cannot break out', () => {
  expect(
    table([
      ['A', 'B', 'C'],
      ['日本', 'x\n\u001b[1m', 'end'],
      ['abc', '', ''],
    ]),
  ).toEqual(['A     B         C', '日本  x^J^[[1m  end', 'abc'])
})

test('width and fit', () => {
  expect(width('a日é')).toBe(4)
  expect(fit('abcdef', 6)).toBe('abcdef')
  expect(fit('abcdef', 4)).toBe('abc…')
})

test.each([
  [0, '0s'],
  [59_400, '59s'],
  [72_000, '1m12s'],
  [3_600_000, '1h00m'],
  [90_000_000, '1d1h'],
  [-5, '0s'],
])('%i ms is %s', (ms, text) => expect(formatElapsed(ms)).toBe(text))

test.each([
  ['without agents', userTemplate('s.json', [])],
  ['with agents', userTemplate('s.json', ['claude', 'codex', 'aider'])],
  ['repository with tests', repositoryTemplate('s.json', { hasTests: true, install: ['npm', 'ci'] })],
  ['repository without', repositoryTemplate('s.json', { hasTests: false, install: null })],
])('what init writes is valid: %s', (_, text) => {
  expect(text).toMatch(/^# yaml-language-server: \$schema=s\.json\n/)
  expect(configurationSchema.safeParse(parseYaml('x', text).value).error).toBeUndefined()
})

test('agents that are installed are configured with what they need', () => {
  expect(parseYaml('x', userTemplate('s', ['claude'])).value).toMatchObject({
    agents: { claude: { adapter: 'agent-command' } },
    policy: { network: { allow: ['api.anthropic.com'] }, environment: { pass: expect.arrayContaining(['ANTHROPIC_API_KEY']) as unknown } },
  })
})
