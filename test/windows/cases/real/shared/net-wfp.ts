import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../plugins/net-wfp/plan.test.ts'), {})
await shared(() => import('../../../../plugins/net-wfp/setup.test.ts'), {})
await shared(() => import('../../../../plugins/net-wfp/apply.it.test.ts'), {})
