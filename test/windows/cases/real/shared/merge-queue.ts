import { shared } from '../../../support/shared.ts'

const links = 'Wine makes no symbolic links'
const unix = 'a Unix program, or a Unix path in what is expected'
const tsx = 'starts a process from the sources, which Windows Node cannot read'
const slow = 'too slow in Wine for what it adds'
const hooks = 'hooks and filters of git are shell scripts, and the shell of Git for Windows does not work in Wine'

await shared(() => import('../../../../workspaces/merge-queue.it.test.ts'), {
  'what does not land > a target that moves every time': slow,
  'the user’s checkout > a link is in the way': links,
  'the user’s checkout > changes elsewhere stay as they are': unix,
  'the user’s checkout > the user’s hooks and filters do not run': hooks,
  'a filter that only a linked worktree is configured with': hooks,
  'exactly once > another job cannot claim it': slow,
  'exactly once > ten jobs land at the same time': slow,
  'a crash while landing > ': tsx,
})
