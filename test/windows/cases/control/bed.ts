import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadedDoubles } from '../../support/double.ts'

test('the double is not in this process and not in its children', () => assert.deepEqual(loadedDoubles(), [0, 0]))
