import { randomBytes } from 'node:crypto'
import { closedDescriptor, grantedDescriptor, outerDescriptor } from './descriptors.ts'
import type { Label, Principals } from './descriptors.ts'
import type { Disk } from './disk.ts'
import type { Effects } from './effects.ts'
import { folders } from './environment.ts'

/** The directories of one launch, all of which go with it. */
export interface PrivateDirectory {
  /** The agent’s: its profile, its temporary files, its caches. */
  readonly home: string
  /** A file of the user’s that the agent must not get to. */
  readonly secret: string
  /** A file as it lies in the workspace of another agent. */
  readonly foreign: string
}

/** Makes them below `parent`, with lists of their own, so that nothing depends on what lies above. */
export async function makePrivate(disk: Disk, effects: Effects, parent: string, who: Principals, label: Label): Promise<PrivateDirectory> {
  disk.makeDirectory(parent)
  const root = `${parent}\\${randomBytes(16).toString('hex')}`
  await effects.makePrivate(root, outerDescriptor(who))
  const [home, closed, other] = [`${root}\\home`, `${root}\\closed`, `${root}\\other`]
  disk.security.makeDirectory(home, grantedDescriptor(who, label))
  for (const folder of Object.values(folders)) disk.makeDirectory(`${home}\\${folder}`)
  disk.security.makeDirectory(closed, closedDescriptor(who, { readable: false }))
  disk.security.makeDirectory(other, grantedDescriptor({ ...who, workspace: someoneElse() }, label))
  const [secret, foreign] = [`${closed}\\canary.txt`, `${other}\\canary.txt`]
  for (const file of [secret, foreign]) disk.writeNew(file, 'If an agent can open this, its filesystem layer does not hold.\n')
  return { home, secret, foreign }
}

/** A SID like that of a workspace, but of none. */
function someoneElse(): string {
  const random = randomBytes(16)
  return `S-1-5-21-${[0, 4, 8, 12].map((offset) => random.readUInt32LE(offset)).join('-')}`
}
