import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../plugins/net-gateway/bypass.it.test.ts'), {})
