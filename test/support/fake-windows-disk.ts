import type { DirectoryEntry, Disk } from '../../plugins/fs-acl/disk.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import type { FileSecurity } from '../../native/index.ts'

interface Node {
  readonly id: string
  /** As on the disk, not folded. */
  name: string
  parent: Node | undefined
  readonly children: Map<string, Node> | undefined
  /** Where a link leads; a junction is a directory to whoever lists. */
  readonly link: string | undefined
  text: string
  dacl: string
  label: string
  names: number
  /** Nobody may change its list. */
  locked: boolean
}

const user = 'S-1-5-21-1-2-3-1001'
/** As in a user's profile. */
const usual = `D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;FA;;;${user})`

/**
 * Drives in memory with access lists that are inherited as Windows does it: computed once, when something is made. What was done is logged;
 * `step` is called before every change and may throw.
 */
export class FakeWindowsDisk implements Disk {
  readonly drives = new Map<string, Node>()
  readonly log: string[] = []
  readonly groups = new Map<string, string>()
  readonly locks = new Set<string>()
  /** Paths that nobody may look at, in lower case. */
  readonly shut = new Set<string>()
  step: (what: string) => void = () => undefined
  #next = 1

  constructor(rootList = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)') {
    for (const drive of ['C:', 'D:']) this.drives.set(drive.toLowerCase(), this.#node(drive, undefined, new Map(), rootList))
  }

  /** Lays down files (text) and directories (null) with everything above them; not logged. */
  lay(entries: Readonly<Record<string, string | null>>): this {
    for (const [path, content] of Object.entries(entries)) {
      const names = path.split('\\').filter((name) => name !== '')
      let node = this.#drive(names[0] ?? '')
      for (const [index, name] of names.slice(1).entries()) {
        const last = index === names.length - 2
        node = node.children?.get(name.toLowerCase()) ?? this.#add(node, name, !last || content === null)
        if (last && content !== null) node.text = content
      }
    }
    return this
  }

  /** A node of the tree with its parts to be changed by a test. */
  at(path: string): Node {
    const node = this.#find(path)
    if (node === undefined) throw new Error(`there is no ${path}`)
    return node
  }

  /** Lists move along unchanged, as on NTFS. */
  move(from: string, to: string): void {
    const [old, place] = [this.#split(from), this.#split(to)]
    const node = this.at(from)
    old.parent.children?.delete(old.name.toLowerCase())
    node.name = place.name
    node.parent = place.parent
    place.parent.children?.set(place.name.toLowerCase(), node)
  }

  link(path: string, to: string): void {
    const { parent, name } = this.#split(path)
    parent.children?.set(name.toLowerCase(), { ...this.#node(name, parent, undefined, usual), link: to })
  }

  /** Every object with its list and label: what must be as before. Links and directories for nothing but Bulkhead's own use are left out. */
  snapshot(): readonly string[] {
    const lines: string[] = []
    const visit = (node: Node, path: string): void => {
      lines.push(`${path} ${node.children === undefined ? JSON.stringify(node.text) : 'directory'} ${node.dacl} ${node.label}`)
      for (const child of node.children?.values() ?? []) visit(child, `${path}\\${child.name}`)
    }
    for (const drive of this.drives.values()) visit(drive, drive.name)
    return lines.filter((line) => !/\\Bulkhead(?: |\\(?:private|labels) directory|\\access-lists\.lock)/i.test(line)).toSorted()
  }

  readonly security: FileSecurity = {
    read: (path, part) => {
      if (this.shut.has(path.toLowerCase()))
        throw new BulkheadError('native_failed', `${path} failed with EACCES`, { nativeCode: 'EACCES' })
      const node = this.#find(path)
      if (node === undefined) return undefined
      return {
        identity: node.id,
        directory: node.children !== undefined,
        link: node.link !== undefined,
        names: node.names,
        sddl: part === 'access' ? node.dacl : node.label,
      }
    },
    write: (path, identity, part, sddl) => {
      this.#change(`${part} ${path} ${sddl}`)
      const node = this.at(path)
      if (node.id !== identity) throw new BulkheadError('native_failed', `${path}: it is another object by now`)
      if (node.locked) throw new BulkheadError('native_failed', `${path} failed with EACCES`, { nativeCode: 'EACCES' })
      if (part === 'access') node.dacl = sddl
      else node.label = sddl === 'S:' ? '' : sddl
    },
    makeDirectory: (path, sddl) => {
      this.#change(`make ${path} ${sddl}`)
      const { parent, name } = this.#split(path)
      if (parent.children?.has(name.toLowerCase()))
        throw new BulkheadError('native_failed', `${path} failed with EEXIST`, { nativeCode: 'EEXIST' })
      const node = this.#add(parent, name, true)
      const [dacl = '', label] = sddl.split(/(?=S:\()/)
      node.dacl = dacl
      if (label !== undefined) node.label = label
    },
    deleteTree: (path) => {
      this.#change(`delete ${path}`)
      const { parent, name } = this.#split(path)
      parent.children?.delete(name.toLowerCase())
    },
    finalPath: (path) => this.#spelling(path),
    userSid: () => user,
    groupSid: (name) => this.groups.get(name),
    lock: (path) => {
      this.#split(path)
      if (this.locks.has(path)) return undefined
      this.locks.add(path)
      return { [Symbol.dispose]: () => void this.locks.delete(path) }
    },
  }

  entries(directory: string): readonly DirectoryEntry[] | undefined {
    const node = this.#find(directory)
    if (node?.children === undefined) return undefined
    return [...node.children.values()].map(({ name, children, link }) => ({
      name,
      directory: children !== undefined,
      link: link !== undefined,
    }))
  }

  realPath(path: string): string | undefined {
    const node = this.#find(path)
    return node?.link ?? (node && this.#spelling(path))
  }

  size(file: string): number {
    return this.#find(file)?.text.length ?? 0
  }

  makeDirectory(path: string): void {
    if (this.#find(path) !== undefined) return
    this.#change(`mkdir ${path}`)
    this.lay({ [path]: null })
  }

  writeNew(file: string, text: string): void {
    this.#change(`file ${file}`)
    if (this.#find(file) !== undefined) throw Object.assign(new Error(`EEXIST: ${file}`), { code: 'EEXIST' })
    const { parent, name } = this.#split(file)
    const node = this.#add(parent, name, false)
    node.text = text
  }

  readText(file: string): string | undefined {
    return this.#find(file)?.text
  }

  removeFile(file: string): void {
    if (this.#find(file) === undefined) return
    this.#change(`unlink ${file}`)
    const { parent, name } = this.#split(file)
    parent.children?.delete(name.toLowerCase())
  }

  removeEmpty(directory: string): void {
    const node = this.#find(directory)
    if (node === undefined) return
    if ((node.children?.size ?? 0) > 0) throw Object.assign(new Error(`ENOTEMPTY: ${directory}`), { code: 'ENOTEMPTY' })
    this.#change(`rmdir ${directory}`)
    const { parent, name } = this.#split(directory)
    parent.children?.delete(name.toLowerCase())
  }

  #change(what: string): void {
    this.step(what)
    this.log.push(what)
  }

  #node(name: string, parent: Node | undefined, children: Map<string, Node> | undefined, dacl: string): Node {
    const id = (this.#next++).toString(16).padStart(48, '0')
    return { id, name, parent, children, link: undefined, text: '', dacl, label: '', names: 1, locked: false }
  }

  #add(parent: Node, name: string, directory: boolean): Node {
    if (parent.children === undefined) throw new Error(`${parent.name} is not a directory`)
    const node = this.#node(name, parent, directory ? new Map() : undefined, inheritedList(parent.dacl, directory))
    node.label = inheritedLabel(parent.label, directory)
    parent.children.set(name.toLowerCase(), node)
    return node
  }

  #drive(name: string): Node {
    const drive = this.drives.get(name.toLowerCase())
    if (drive === undefined) throw new Error(`there is no drive ${name}`)
    return drive
  }

  #find(path: string): Node | undefined {
    const [drive = '', ...names] = path.split('\\').filter((name) => name !== '')
    let node = this.drives.get(drive.toLowerCase())
    for (const name of names) node = node?.children?.get(name.toLowerCase())
    return node
  }

  #split(path: string): { readonly parent: Node; readonly name: string } {
    const at = path.lastIndexOf('\\')
    return { parent: this.at(path.slice(0, at)), name: path.slice(at + 1) }
  }

  #spelling(path: string): string | undefined {
    const names: string[] = []
    for (let node = this.#find(path); node !== undefined; node = node.parent) names.unshift(node.name)
    return names.length === 0 ? undefined : names.length === 1 ? `${names[0]}\\` : names.join('\\')
  }
}

/** “ACE Inheritance Rules”, for entries without CREATOR OWNER. */
function inheritedList(parent: string, directory: boolean): string {
  const entries = (parent.match(/\([^()]*\)/g) ?? []).flatMap((text) => {
    const [, type, flags = '', rest] = /^\(([AD]);([A-Z]*);(.*)\)$/.exec(text) ?? []
    const has = (flag: string): boolean => flags.length % 2 === 0 && new RegExp(`^(?:..)*${flag}`).test(flags)
    if (directory ? !has('CI') && !has('OI') : !has('OI')) return []
    if (!directory) return [`(${type};ID;${rest})`]
    return [`(${type};${has('OI') ? 'OI' : ''}${has('CI') ? 'CI' : ''}${has('CI') ? '' : 'IO'}ID;${rest})`]
  })
  return `D:AI${entries.join('')}`
}

function inheritedLabel(parent: string, directory: boolean): string {
  const [, flags = '', level] = /\(ML;([A-Z]*);NW;;;([A-Z]+)\)/.exec(parent) ?? []
  if (level === undefined || !flags.includes('OI')) return ''
  return directory ? `S:(ML;OICIID;NW;;;${level})` : `S:(ML;ID;NW;;;${level})`
}
