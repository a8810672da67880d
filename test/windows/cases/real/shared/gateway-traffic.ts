import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../plugins/net-gateway/traffic.it.test.ts'), {})
