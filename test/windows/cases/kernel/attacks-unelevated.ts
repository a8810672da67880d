/** Every attack but those on the network, from inside the environment that needs no set-up: there the network wall is open, and says so. */
import { containsEveryAttack } from '../../support/attacks/contains.ts'
import { attacks } from '../../support/attacks/index.ts'
import { environmentOf } from '../../support/walls.ts'

containsEveryAttack(
  environmentOf({ filesystem: 'fs-acl', token: 'token-restricted', network: 'net-wfp', interception: 'intercept-hook' }, ['network']),
  attacks.filter(({ layer }) => layer !== 'network'),
)
