/** Every attack, from inside the environment with all four walls: an account of its own, access lists, network filters, hooks. */
import { containsEveryAttack } from '../../support/attacks/contains.ts'
import { attacks } from '../../support/attacks/index.ts'
import { environmentOf } from '../../support/walls.ts'

containsEveryAttack(
  environmentOf({ filesystem: 'fs-acl', token: 'token-account', network: 'net-wfp', interception: 'intercept-hook' }),
  attacks,
)
