import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../core/config/narrow.test.ts'), {})
