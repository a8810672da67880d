/** The double is really there; its twin in `control` shows that it is not everywhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadedDoubles } from '../../support/double.ts'

test('the double is in this process and in its children', () => assert.deepEqual(loadedDoubles(), [1, 1]))
