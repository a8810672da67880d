import { test } from 'node:test'
import { everything } from '../../../support/voyage-tries.ts'
import { voyage } from '../../../support/voyage.ts'

test('a job from the queue to the branch, without walls', () => voyage('environment: none', { tried: everything }))
