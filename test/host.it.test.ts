import { expect, test } from 'vitest'
import { hostHas, requiredCapabilities } from './support/host.ts'

test('this machine has every capability that the run was told to require', () => {
  expect(requiredCapabilities().filter((name) => !hostHas(name))).toEqual([])
})
