import { expect, test } from 'vitest'
import type { Host } from '../../core/contracts/index.ts'
import { surroundings } from '../../plugins/fs-none/surroundings.ts'

const host = (platform: NodeJS.Platform): Host => ({
  platform,
  uid: null,
  gid: null,
  home: '/h',
  can: () => Promise.reject(new Error('no')),
})
const variables = { PATH: '/bin', TEMP: '/t', SystemRoot: 'C:\\Windows', TOKEN: 'secret', USERPROFILE: 'C:\\u' }

test('where nothing is hidden, a program still gets only what it needs to find its way', () => {
  expect(surroundings(host('linux'), variables)).toEqual({ HOME: '/h', PATH: '/bin' })
  expect(surroundings(host('linux'), {})).toEqual({ HOME: '/h' })
  expect(surroundings(host('win32'), variables)).toEqual({ ...variables, HOME: '/h', TOKEN: undefined })
})
