/**
 * Agent of the demo: a test fixer. Given a commit at which the check passed, it finds the commit that broke it by `git bisect run`, reverts
 * that commit, and proves that the check passes again. Started again after an interruption, it goes on with what is left to do.
 *
 * Usage: fixer.mjs GOOD CHECK...   where CHECK is a command that exits 0 when all is well.
 */
import { execFileSync, spawnSync } from 'node:child_process'

const [good, ...check] = process.argv.slice(2)
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
const passes = () => spawnSync(check[0], check.slice(1), { stdio: 'ignore' }).status === 0

git('bisect', 'reset')
git('reset', '--quiet', '--hard')
if (passes()) {
  console.log('fixer: the check passes, nothing is left to do')
  process.exit(0)
}
const branch = git('symbolic-ref', '--short', 'HEAD')
git('bisect', 'start', 'HEAD', good)
git('bisect', 'run', ...check)
const culprit = git('rev-parse', 'refs/bisect/bad')
git('bisect', 'reset')
console.log(`fixer: ${branch} was broken by "${git('log', '-1', '--format=%s', culprit)}"`)
git('revert', '--no-edit', culprit)
if (!passes()) {
  console.error('fixer: the check still fails')
  process.exit(1)
}
console.log('fixer: reverted it, the check passes')
