import { shared } from '../../../support/shared.ts'

const modes = 'files have no mode bits'
const links = 'Wine makes no symbolic links'
const tsx = 'starts a process from the sources, which Windows Node cannot read'
const slow = 'too slow in Wine for what it adds'

await shared(() => import('../../../../workspaces/worktree.it.test.ts'), {
  'creation > a hundred at once': slow,
  'creation > what a dead process left is undone': tsx,
  'creation > where refs are not files': slow,
  'creation > .worktreeinclude': modes,
  'removal > follows no link': links,
})
