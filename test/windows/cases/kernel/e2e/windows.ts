import assert from 'node:assert/strict'
import { test } from 'node:test'
import { voyage } from '../../../support/voyage.ts'

test('a job from the queue to the branch, behind all four walls', () =>
  voyage('environment: windows', {
    setUp: 'windows',
    tried: { change: 'EPERM', read: 'EPERM', child: '7', repository: 'EPERM', network: 'EACCES', gateway: 'done' },
    look: ({ enforcement }) =>
      assert.deepEqual(
        enforcement.map(({ layer, degraded }) => [layer, degraded]),
        [
          ['filesystem', false],
          ['token', false],
          ['network', false],
          ['interception', false],
        ],
      ),
  }))
