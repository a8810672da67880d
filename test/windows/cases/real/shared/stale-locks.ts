import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../workspaces/stale-locks.test.ts'), {})
