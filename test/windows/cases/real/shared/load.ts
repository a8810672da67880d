import { shared } from '../../../support/shared.ts'

const modes = 'files have no mode bits'
const links = 'Wine makes no symbolic links'
const unix = 'a Unix program, or a Unix path in what is expected'

await shared(() => import('../../../../core/config/load.test.ts'), {
  'both files together': unix,
  'every mistake is one line with its place, the rule and the remedy > policy: {filesystem: {read: [/opt], write: [/opt]}}': unix,
  'every mistake is one line with its place, the rule and the remedy > policy: {filesystem: {write: [~/]}}': unix,
  'every mistake is one line with its place, the rule and the remedy > in the repository: policy: {filesystem: {read: [/opt]}}': unix,
  'files > a named file that does not exist': unix,
  'files > a user file that everybody can change': modes,
  'files > a repository file that is a link': links,
  'files > a jobs file: trusted outside the repository, not inside': unix,
})
