/** The double is really there; its twin in `control` shows that it is not everywhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doubleInChildren } from '../../support/double.ts'

test('the double is in every process', () => assert.deepEqual(doubleInChildren(), ['yes', 'yes']))
