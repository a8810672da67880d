import type { Mutation } from './mutation.ts'

const acl = 'plugins/fs-acl'
const apply = `${acl}/apply.ts`
const descriptors = `${acl}/descriptors.ts`
const prepare = `${acl}/prepare.ts`
const effects = `${acl}/effects.ts`
const open = `${acl}/open.ts`
const rights = `${acl}/rights.ts`
const workspace = `${acl}/workspace.ts`
const kernel = 'kernel/fs-acl'
const agent = 'kernel/fs-acl-agent'
const shared = 'real/shared/fs-acl'

/** The steps of the filesystem layer. */
export const filesystemMutations: readonly Mutation[] = [
  { id: 'fs-lists-inherit-nothing', file: descriptors, from: 'return `D:P${entries', to: 'return `D:${entries', cases: kernel },
  {
    id: 'fs-outer-directory',
    file: descriptors,
    from: '[...hostEntries(who), ...passEntries(who)]',
    to: '[...hostEntries(who), ...modifyEntries(who)]',
    cases: agent,
  },
  { id: 'fs-tree-stays', file: rights, from: 'modifyInside: 0x1201bf', to: 'modifyInside: 0x1301bf', cases: agent },
  { id: 'fs-no-delete-child', file: rights, from: 'modifyInside: 0x1201bf', to: 'modifyInside: 0x1201ff', cases: agent },
  {
    id: 'fs-git-closed',
    file: prepare,
    from: '.git`), closedDescriptor(who, { readable: false })]',
    to: '.git`), grantedDescriptor(who, options.label)]',
    cases: agent,
  },
  { id: 'fs-lists-are-kept', file: prepare, from: 'if (!taken) throw', to: "if (!taken && path === '') throw", cases: shared },
  { id: 'fs-own-sid', file: prepare, from: 'workspace: workspaceSid(path)', to: 'workspace: workspaceSid(path.slice(0, 2))', cases: agent },
  { id: 'fs-closed-label', file: descriptors, from: '...read]) + medium', to: '...read])', cases: kernel },
  {
    id: 'fs-policy-file-taken',
    file: workspace,
    from: 'await effects.makePlaceholder(path, closedDescriptor(who, { readable: true }))',
    to: 'void [effects, who, closedDescriptor]',
    cases: agent,
  },
  {
    id: 'fs-policy-file-closed',
    file: workspace,
    from: "await closeExisting(opening, protectedOne, 'change')",
    to: 'void closeExisting',
    cases: kernel,
  },
  {
    id: 'fs-workspace-as-made',
    file: workspace,
    from: 'for (const one of [path, gitDirectory]) requireOpen(opening, one)',
    to: 'void requireOpen',
    cases: shared,
  },
  { id: 'fs-git-as-made', file: workspace, from: 'requireClosed(opening, git.path)', to: 'void requireClosed', cases: shared },
  {
    id: 'fs-no-git-directory',
    file: workspace,
    from: 'refuseGitDirectory(opening, path)\n',
    to: 'void refuseGitDirectory\n',
    cases: shared,
  },
  {
    id: 'fs-denied-closed',
    file: apply,
    from: "for (const one of denied) await closeExisting(opening, one, 'use')",
    to: 'void closeExisting',
    cases: agent,
  },
  {
    id: 'fs-denied-taken',
    file: apply,
    from: 'await effects.makePlaceholder(path, closedDescriptor(who, { readable: false }))',
    to: 'void [effects, who, closedDescriptor]',
    cases: agent,
  },
  {
    id: 'fs-denied-links',
    file: `${acl}/deny-find.ts`,
    from: 'if (entry.link) throw',
    to: "if (entry.link && path === '') throw",
    cases: shared,
  },
  {
    id: 'fs-read-is-read',
    file: open,
    from: "const added = access === 'read' ? readEntries(who) : modifyEntries(who)",
    to: 'const added = modifyEntries(who)',
    cases: shared,
  },
  {
    id: 'fs-read-is-read-inside',
    file: open,
    from: "const content = access === 'read' ? shared :",
    to: "const content = access === 'read' && shared.length === 0 ? shared :",
    cases: shared,
  },
  {
    id: 'fs-other-names',
    file: `${acl}/grant-tree.ts`,
    from: 'forContent(hasOtherNames(found) ? shared : content, directory))',
    to: 'forContent(hasOtherNames(found) ? content : content, directory))',
    cases: shared,
  },
  {
    id: 'fs-links-are-not-opened',
    file: open,
    from: 'if (found.link) throw refusal(place',
    to: "if (found.link && place === '') throw refusal(place",
    cases: shared,
  },
  {
    id: 'fs-the-way-shows-nothing',
    file: open,
    from: 'added: passEntries(who) }]',
    to: 'added: [...passEntries(who), ...readEntries(who)] }]',
    cases: shared,
  },
  {
    id: 'fs-receipt-before-effect',
    file: effects,
    from: "await this.#record({ kind: 'placeholder', path })\n    this.#parts.disk.security.makeDirectory(path, descriptor)",
    to: "this.#parts.disk.security.makeDirectory(path, descriptor)\n    await this.#record({ kind: 'placeholder', path })",
    cases: kernel,
  },
  {
    id: 'fs-undo-entries',
    file: effects,
    from: 'remove(disk.security, path, identity, added, before)',
    to: 'void [remove, path, identity, added, before]',
    cases: kernel,
  },
  { id: 'fs-undo-tree', file: effects, from: '() => removeFromTree(disk, receipt))', to: '() => void removeFromTree)', cases: kernel },
  { id: 'fs-undo-label', file: effects, from: 'return restoreLabel(disk, receipt)', to: 'return void restoreLabel', cases: kernel },
  {
    id: 'fs-undo-placeholder',
    file: effects,
    from: 'return removePlaceholder(disk, receipt.path)',
    to: 'return void removePlaceholder',
    cases: kernel,
  },
  { id: 'fs-undo-private', file: effects, from: 'return removePrivate(disk, receipt.path)', to: 'return void removePrivate', cases: agent },
  // Asked twice: when the list is read, and when it is written.
  {
    id: 'fs-only-what-was-looked-at',
    file: `${acl}/edit.ts`,
    from: `if (found === undefined || found.identity !== identity) return false
  const text = printList(edit(listOf(path, found)))
  if (text !== found.sddl) security.write(path, identity,`,
    to: `if (found === undefined) return false
  const text = printList(edit(listOf(path, found)))
  if (text !== found.sddl) security.write(path, found.identity,`,
    cases: shared,
  },
  { id: 'fs-temporary-files', file: apply, from: 'sandbox.kill()', to: 'void sandbox', cases: agent },
]
