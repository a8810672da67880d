import { shared } from '../../../support/shared.ts'

await shared(() => import('../../../../core/journal/receipt-files.test.ts'), {})
