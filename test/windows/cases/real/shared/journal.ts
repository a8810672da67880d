import { shared } from '../../../support/shared.ts'

const modes = 'files have no mode bits'
const links = 'Wine makes no symbolic links'

await shared(() => import('../../../../core/journal/journal.test.ts'), {
  'opening > makes a private directory and file, whatever the umask is': modes,
  'opening > takes back rights that others got on the file': modes,
  'opening > follows no link and says when the place cannot be used': links,
})
