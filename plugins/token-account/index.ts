import { thisPool } from './lease.ts'
import { accountPlugin } from './plugin.ts'

export default accountPlugin(thisPool)
