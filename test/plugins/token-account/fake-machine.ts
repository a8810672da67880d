import { basename } from 'node:path'
import type { SetupContext } from '../../../core/contracts/index.ts'
import type { LocalAccounts } from '../../../native/index.ts'
import { setupReceipt } from '../../../plugins/token-account/names.ts'
import type { Machine } from '../../../plugins/token-account/machine.ts'

const owner = 'S-1-5-21-1-2-3-1001'
const directory = '/pool'

interface FakeAccount {
  readonly sid: string
  comment: string
  disabled: boolean
  password: number
}

interface FakeObject {
  readonly identity: string
  readonly isDirectory: boolean
  sddl: string
}

/** A machine with an account database, a policy, a registry and files; it can end before any change. */
export class FakeMachine implements Machine {
  readonly log: string[] = []
  readonly accountsByName = new Map<string, FakeAccount>()
  readonly groups = new Map<string, { readonly sid: string; readonly members: Set<string> }>()
  readonly rightsBySid = new Map<string, Set<string>>()
  readonly hidden = new Set<string>()
  readonly profiles = new Set<string>()
  /** SIDs, one for each process. */
  readonly processes: string[] = []
  readonly locked = new Set<string>()
  /** Path to the password in it; 0: not a password. */
  readonly passwords = new Map<string, number>()
  readonly objects = new Map<string, FakeObject>()
  readonly receipts: { readonly plugin: string; readonly data: unknown }[] = []
  readonly reported: string[] = []
  /** What may be asked for about the policy. */
  mayReadRights = true
  beforeChange: (what: string) => void = () => undefined
  #next = 2000

  readonly directory = directory
  readonly programs = ['/native', '/native/bulkhead-launcher.exe']

  constructor() {
    this.groups.set('Users', { sid: 'S-1-5-32-545', members: new Set() })
    for (const [index, path] of this.programs.entries()) {
      this.objects.set(path, { identity: `p${index}`, isDirectory: index === 0, sddl: 'D:(A;OICIID;FA;;;SY)' })
    }
  }

  /** Everything that is on the machine, so that two states can be compared. */
  state(): unknown {
    return structuredClone({
      accounts: [...this.accountsByName].map(([name, { sid, disabled }]) => [name, sid, disabled]),
      groups: [...this.groups].map(([name, { members }]) => [name, [...members].toSorted()]),
      rights: [...this.rightsBySid].map(([sid, rights]) => [sid, [...rights].toSorted()]),
      hidden: [...this.hidden],
      profiles: [...this.profiles],
      processes: this.processes,
      passwords: [...this.passwords],
      objects: [...this.objects],
    })
  }

  context(accounts: number | null = 2): SetupContext {
    return {
      host: { platform: 'win32', uid: null, gid: null, home: '/', can: () => Promise.reject(new Error('not asked')) },
      options: { accounts },
      signal: new AbortController().signal,
      recorded: [...this.receipts],
      record: async (receipt) => {
        const { kind } = setupReceipt.parse(receipt.data)
        this.#change(`receipt ${kind}`, () => this.receipts.push(receipt))
      },
      report: (line) => this.reported.push(line),
    }
  }

  readonly list = (): readonly string[] => [...this.passwords.keys()].map((path) => basename(path))
  readonly deleteFile = (path: string): void => this.#change(`delete ${basename(path)}`, () => this.passwords.delete(path))
  readonly makeParents = (): void => undefined
  readonly wait = async (): Promise<void> => undefined

  readonly accounts: LocalAccounts = {
    read: (name) => {
      const account = this.accountsByName.get(name)
      return account === undefined ? undefined : { sid: account.sid, comment: account.comment, disabled: account.disabled }
    },
    make: (name, comment, secretFile, sddl) => {
      const password = ++this.#next
      this.#change(`secret ${name} ${sddl}`, () => this.passwords.set(`${secretFile}.new`, password))
      this.#change(`account ${name}`, () => {
        const known = this.accountsByName.get(name)
        if (known === undefined) {
          this.accountsByName.set(name, { sid: `S-1-5-21-9-9-9-${++this.#next}`, comment, disabled: false, password })
        } else {
          known.password = password
          known.disabled = false
        }
      })
      this.#change(`keep secret ${name}`, () => {
        this.passwords.delete(`${secretFile}.new`)
        this.passwords.set(secretFile, password)
      })
    },
    opens: (name, secretFile) => this.passwords.get(secretFile) === this.accountsByName.get(name)?.password,
    remove: (name) => this.#change(`remove ${name}`, () => this.accountsByName.delete(name)),
    removeProfile: (sid) => {
      if (this.processes.includes(sid)) throw new Error('the profile is loaded')
      this.#change(`remove profile ${sid}`, () => this.profiles.delete(sid))
    },
    endProcesses: (sid) =>
      this.#change(`end ${sid}`, () => {
        const others = this.processes.filter((one) => one !== sid)
        this.processes.splice(0, Infinity, ...others)
      }),
    hide: (name) => this.#change(`hide ${name}`, () => this.hidden.add(name)),
    show: (name) => this.#change(`show ${name}`, () => this.hidden.delete(name)),
    isHidden: (name) => this.hidden.has(name),
    makeGroup: (name) =>
      this.#change(`group ${name}`, () => {
        if (!this.groups.has(name)) this.groups.set(name, { sid: `S-1-5-21-9-9-9-${++this.#next}`, members: new Set() })
      }),
    removeGroup: (name) => this.#change(`remove group ${name}`, () => this.groups.delete(name)),
    members: (group) => [...(this.groups.get(group)?.members ?? [])],
    join: (group, member) => this.#change(`join ${group}`, () => this.#groupBySid(group)?.members.add(member)),
    leave: (group, member) => this.#change(`leave ${group}`, () => this.#groupBySid(group)?.members.delete(member)),
    rights: (sid) => (this.mayReadRights ? [...(this.rightsBySid.get(sid) ?? [])] : undefined),
    addRights: (sid, rights) => this.#change(`rights`, () => this.rightsBySid.set(sid, new Set(rights))),
    clearRights: (sid) => this.#change(`clear rights`, () => this.rightsBySid.delete(sid)),
  }

  readonly files: Machine['files'] = {
    userSid: () => owner,
    groupSid: (name) => this.groups.get(name)?.sid,
    read: (path) => {
      const found = this.objects.get(path)
      return found && { identity: found.identity, directory: found.isDirectory, link: false, names: 1, sddl: found.sddl }
    },
    write: (path, identity, _part, sddl) =>
      this.#change(`write ${path}`, () => {
        const found = this.objects.get(path)
        if (found?.identity !== identity) throw new Error('another object')
        found.sddl = sddl
      }),
    makeDirectory: (path, sddl) =>
      this.#change(`directory ${path}`, () => this.objects.set(path, { identity: `d${++this.#next}`, isDirectory: true, sddl })),
    deleteTree: (path) =>
      this.#change(`delete tree ${path}`, () => {
        this.objects.delete(path)
        for (const file of this.passwords.keys()) this.passwords.delete(file)
      }),
    lock: (path) => {
      if (this.locked.has(path)) return undefined
      this.locked.add(path)
      return { [Symbol.dispose]: () => void this.locked.delete(path) }
    },
  }

  #groupBySid(sid: string): { readonly members: Set<string> } | undefined {
    return [...this.groups.values()].find((group) => group.sid === sid)
  }

  #change(what: string, work: () => unknown): void {
    this.beforeChange(what)
    this.log.push(what)
    work()
  }
}
