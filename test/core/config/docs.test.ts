import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configurationSchema } from '../../../core/config/schema.ts'
import { generatedDocs } from '../../../core/config/reference.ts'
import { parseYaml } from '../../../core/config/yaml-parse.ts'
import { errorCatalogue } from '../../../core/contracts/index.ts'
import { packageRoot } from '../../support/host.ts'

test.each(Object.keys(generatedDocs()))('docs/%s is what the code says (npx tsx core/config/generate-docs.ts)', (name) => {
  expect(readFileSync(join(packageRoot, 'docs', name), 'utf8')).toBe(generatedDocs()[name])
})

test('every error code is documented, and every documented code exists', () => {
  const page = readFileSync(join(packageRoot, 'docs/errors.md'), 'utf8')
  const documented = [...page.matchAll(/^\| `([a-z_]+)` \| (\d+) \| (.+) \| (.+) \|$/gm)].map(([, code, exit, summary, remedy]) => [
    code,
    { exit: Number(exit), summary, remedy },
  ])
  expect(Object.fromEntries(documented)).toEqual(errorCatalogue)
})

describe('the examples of the configuration page', () => {
  const page = readFileSync(join(packageRoot, 'docs/config.md'), 'utf8')
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '')

  test('there are two', () => expect(examples.length).toBe(2))
  test.each(examples)('%s', (text) => {
    expect(configurationSchema.safeParse(parseYaml('example', text).value).error).toBeUndefined()
  })
})
