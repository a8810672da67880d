import { shared } from '../../../support/shared.ts'

const links = 'Wine makes no symbolic links'
const names = 'a name that no Windows program can make'
const pipes = 'there are no pipes among files'
const unix = 'a Unix program, or a Unix path in what is expected'
const slow = 'too slow in Wine for what it adds'

await shared(() => import('../../../../workspaces/intake.it.test.ts'), {
  'refused, by path > a control character': names,
  'refused, by path > a newline': names,
  'refused, by path > a backslash': names,
  'refused, by path > a name that is not UTF-8': names,
  'refused, by path > a pipe named': pipes,
  'refused, by path > a file in place of a tracked directory that is a pipe': pipes,
  'refused, by path > an absolute link': links,
  'refused, by path > a link out of the tree': links,
  'refused, by path > a link into .git': links,
  'refused, by path > a linked .gitattributes': links,
  'what the base has already may stay': names,
  'kinds that replace each other': links,
  'as an ordinary user': unix,
  'a tree deeper than a path can name': unix,
  'a tree that changes while it is read': slow,
})
