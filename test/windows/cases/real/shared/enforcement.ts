import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../core/enforcement/plan.test.ts'), {})
await shared(() => import('../../../../core/enforcement/pipeline.test.ts'), {})
await shared(() => import('../../../../core/enforcement/faults.test.ts'), {})
await shared(() => import('../../../../core/enforcement/recovery.test.ts'), {})
