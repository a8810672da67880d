import { shared } from '../../../support/shared.ts'

const names = 'a name that no Windows program can make'
const unix = 'a Unix program, or a Unix path in what is expected'

await shared(() => import('../../../../workspaces/repository.it.test.ts'), {
  'facts from the top': names,
  'bare, separate git directory': unix,
  'refused > no repository, no commit': unix,
  'refused > an old git': unix,
  'the wrapper looks at exit codes': unix,
  'object stores, as deep': names,
})
