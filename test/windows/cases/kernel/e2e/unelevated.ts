import assert from 'node:assert/strict'
import { test } from 'node:test'
import { voyage } from '../../../support/voyage.ts'

const settings = 'environment: windows-unelevated\nenvironments: {windows-unelevated: {degrade: [network]}}'

test('a job from the queue to the branch, behind the walls that need no setup', () =>
  voyage(settings, {
    tried: { change: 'EPERM', read: 'EPERM', child: '7', repository: 'EPERM', network: 'done', gateway: 'done' },
    look: ({ enforcement }) =>
      assert.deepEqual(
        enforcement.map(({ layer, degraded }) => [layer, degraded]),
        [
          ['filesystem', false],
          ['token', false],
          ['network', true],
          ['interception', false],
        ],
      ),
  }))
