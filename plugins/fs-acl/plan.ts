import { z } from 'zod'
import type { Claim, LayerPlan, PlanContext, Policy } from '../../core/contracts/index.ts'
import { isInside } from '../../native/index.ts'
import { fixedPart, isAbsolute, parseDeny } from './deny-pattern.ts'
import type { AclOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import { checkPolicyPaths } from './policy-paths.ts'

export const pluginId = 'fs-acl'

const paths = z.array(z.string()).readonly()
const dataShape = z.object({
  read: paths,
  write: paths,
  deny: paths,
  temporaryBytes: z.number().nullable(),
  options: optionsSchema,
})

export type AclData = z.infer<typeof dataShape>

export function readData(data: unknown): AclData {
  return dataShape.parse(data)
}

const claims = {
  'host-files-unwritable': 'Files of the user that the policy does not name can be neither changed nor made.',
  'other-workspaces-closed': 'What belongs to another agent is closed to this one.',
  'system-unwritable': 'The system’s directories cannot be changed.',
  'workspace-usable': 'The workspace and the agent’s own directories can be used (checked so that a broken layer is noticed).',
  'policy-file-protected': 'A bulkhead.yaml in the workspace can be neither changed nor made.',
} as const

const conditional = {
  'host-files-unreadable': 'Files that only the user may read cannot be read.',
  'shared-directories-unwritable': 'Where every user of the machine may make files, the agent may not.',
  'bookkeeping-closed': 'What Bulkhead keeps beside the tree is closed to it.',
  'git-metadata-closed': 'A .git in the tree can be neither changed nor made.',
  'denied-paths-closed': 'What the policy denies cannot be opened.',
} as const

export type AclClaim = keyof typeof claims | keyof typeof conditional

/** Pure: nothing is looked at but the policy, the options and the paths. */
export function planAcl(policy: Policy, options: AclOptions, context: PlanContext): LayerPlan {
  const { read, write, deny } = policy.filesystem
  checkPolicyPaths(policy.filesystem, context.host.home)
  const data: AclData = { read, write, deny, temporaryBytes: policy.limits.temporaryBytes, options }
  return {
    plugin: pluginId,
    layer: 'filesystem',
    tier: 'partial',
    enforces: claimsFor(data, context),
    unsupported: unsupported(data, context.workspace.path),
    steps: steps(data, context),
    data,
  }
}

/** The claims that are made depend on nothing but plan and workspace, so that `verify` comes to the same. */
export function claimsFor({ deny, options }: AclData, { workspace }: Pick<PlanContext, 'workspace'>): readonly Claim[] {
  const wanted: Record<keyof typeof conditional, boolean> = {
    'host-files-unreadable': options.reads === 'confined',
    'shared-directories-unwritable': options.label === 'low',
    'bookkeeping-closed': workspace.gitDirectory !== null,
    'git-metadata-closed': workspace.gitDirectory !== null || options.hostGit === 'read-only',
    'denied-paths-closed': deny.length > 0,
  }
  const more = Object.entries(conditional).filter(([id]) => wanted[id as keyof typeof conditional])
  return [...Object.entries(claims), ...more].map(([id, text]) => ({ id, text }))
}

/**
 * Names are closed where they exist at launch. In the workspace that is enough: what appears later is the agent’s own doing. In a directory
 * that the host or another job can write to as well, a wildcard may match a name that appears later.
 */
function unsupported({ read, write, deny, options }: AclData, workspace: string): readonly string[] {
  const patterns = deny.flatMap((text) => {
    if (parseDeny(text, workspace) === undefined)
      return [`filesystem.deny "${text}": only * and ** are understood, in names that Windows knows`]
    if (options.reads === 'open') return [`filesystem.deny "${text}": cannot be hidden from an agent that reads as the user does`]
    const fixed = fixedPart(text)
    if (fixed === undefined || !isAbsolute(text) || !text.includes('*')) return []
    const shared = [...read, ...write].filter((path) => isInside(path, fixed) || isInside(fixed, path))
    return shared.length === 0 || isInside(fixed, workspace)
      ? []
      : [`filesystem.deny "${text}": names that appear in ${shared.join(', ')} after the start would not be closed`]
  })
  const open =
    options.label === 'low' ? [] : ['filesystem.write: where every user may make files, an agent that is not of low integrity may too']
  return [...patterns, ...open]
}

function steps({ read, write, deny, options, temporaryBytes }: AclData, { workspace }: PlanContext): readonly string[] {
  const own = workspace.gitDirectory !== null
  return [
    own
      ? `workspace ${workspace.path} and its git directory: open to its own SID by what they inherit since they were made`
      : `workspace ${workspace.path}: opened to its own SID, entry by entry (${options.entries} at most), and closed again`,
    ...(options.label === 'low' ? ['the same at low integrity, so that the agent can be kept out of everything else by its own'] : []),
    own ? '.git in the tree: an empty directory that is closed; the agent’s own is named by GIT_DIR' : gitStep(options),
    'bulkhead.yaml in the workspace closed to changes; while it is absent an empty directory takes its name',
    'directories for the agent’s profile, temporary files and caches, deleted afterwards',
    ...(temporaryBytes === null
      ? []
      : [`those are measured while it runs; it is stopped when they hold more than ${temporaryBytes} bytes`]),
    ...workspace.objectStores.map((path) => `read ${path} (git objects)`),
    ...read.map((path) => `read ${path}`),
    ...write.map((path) => `change ${path}`),
    ...(options.toolchains ? [`read toolchains on the PATH of Bulkhead, unless they have more than ${options.entries} files`] : []),
    'on the way to all of these, directories let their attributes be seen',
    ...deny.map((text) => `close what exists of ${text}`),
    'every access list is put back as it was',
    'not held: what every user of this machine may read, the agent may read',
  ]
}

function gitStep({ hostGit }: AclOptions): string {
  return hostGit === 'read-only'
    ? '.git of the workspace read-only; while it is absent an empty directory takes its name'
    : '.git of the workspace stays writable'
}
