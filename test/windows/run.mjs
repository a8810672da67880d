/** `npm run test:windows`: runs the product under Windows Node in Wine. README.md beside this file says how, and how to add a case. */
import { register } from 'tsx/esm/api'

register()
const { main } = await import('./harness/main.ts')
process.exitCode = await main(process.argv.slice(2))
