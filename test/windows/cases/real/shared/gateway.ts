/** The gateway decides on Windows as it does on Linux: the same tests, with Windows' sockets. */
import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../gateway/ranges.test.ts'), {})
await shared(() => import('../../../../gateway/proxy-credentials.test.ts'), {})
await shared(() => import('../../../../plugins/net-wfp/door.it.test.ts'), {})
