/**
 * `npm run test:windows:mutations [-- <part of an id>...]`: takes one enforcement step after another out of a copy of the product, and runs the
 * cases that must notice. A mutation that no case notices fails the run. Takes several seconds each, so it is not part of every test run.
 */
import { register } from 'tsx/esm/api'

register()
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
