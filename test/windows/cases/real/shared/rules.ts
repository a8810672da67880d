import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../workspaces/rules.test.ts'), {})
