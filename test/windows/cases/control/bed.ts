import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doubleInChildren } from '../../support/double.ts'

test('the double is in no process', () => assert.deepEqual(doubleInChildren(), ['no', 'no']))
