import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../plugins/fs-acl/prepare.test.ts'), {})
await shared(() => import('../../../../plugins/fs-acl/apply.test.ts'), {})
await shared(() => import('../../../../plugins/fs-acl/deny.test.ts'), {})
await shared(() => import('../../../../plugins/fs-acl/undo.test.ts'), {})
