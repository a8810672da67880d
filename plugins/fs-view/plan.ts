import { z } from 'zod'
import type { Claim, LayerPlan, PlanContext, Policy } from '../../core/contracts/index.ts'
import { fixedPart, isOpenEnded, parseDeny } from './deny-pattern.ts'
import type { ViewOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import { isSameOrInside } from './paths.ts'
import { checkPolicyPaths } from './policy-paths.ts'

export const pluginId = 'fs-view'

const paths = z.array(z.string()).readonly()
const dataShape = z.object({
  read: paths,
  write: paths,
  deny: paths,
  temporaryBytes: z.number().nullable(),
  options: optionsSchema,
})

export type ViewData = z.infer<typeof dataShape>

export function readData(data: unknown): ViewData {
  return dataShape.parse(data)
}

const claims = {
  'host-files-invisible': 'Files outside the workspace that the policy does not name do not exist for the agent.',
  'host-home-invisible': 'Nothing in the user’s home directory exists for it but what the policy or a toolchain shows.',
  'machine-secrets-unreadable': 'Password hashes, ssh keys and other secrets of the machine cannot be read.',
  'system-read-only': 'The system’s tools and configuration cannot be changed.',
  'kernel-settings-read-only': 'Kernel settings cannot be opened for writing.',
  'workspace-writable': 'The workspace, /tmp and HOME can be written (checked so that a broken view is noticed).',
} as const

const conditional = {
  'git-metadata-unreachable': 'The user’s repository (configuration, refs, hooks) does not exist for it; only objects can be read.',
  'host-git-read-only': 'If the workspace is a checkout, its .git cannot be changed.',
  'denied-paths-hidden': 'What the policy denies cannot be read.',
} as const

export type ViewClaim = keyof typeof claims | keyof typeof conditional

export function planView(policy: Policy, options: ViewOptions, context: PlanContext): LayerPlan {
  const { read, write, deny } = policy.filesystem
  checkPolicyPaths(policy.filesystem, context.host.home)
  const data: ViewData = { read, write, deny, temporaryBytes: policy.limits.temporaryBytes, options }
  return {
    plugin: pluginId,
    layer: 'filesystem',
    tier: 'full',
    enforces: claimsFor(data, context),
    unsupported: unsupported(data, context.workspace.path),
    steps: steps(data, context),
    data,
  }
}

/** The claims that are made depend on nothing but plan and workspace, so that `verify` comes to the same. */
export function claimsFor(data: ViewData, { workspace }: Pick<PlanContext, 'workspace'>): readonly Claim[] {
  const wanted: Record<keyof typeof conditional, boolean> = {
    'git-metadata-unreachable': hiddenRepositories(data, workspace).length > 0,
    'host-git-read-only': workspace.gitDirectory === null && data.options.hostGit === 'read-only',
    'denied-paths-hidden': data.deny.length > 0,
  }
  const more = Object.entries(conditional).filter(([id]) => wanted[id as keyof typeof conditional])
  return [...Object.entries(claims), ...more].map(([id, text]) => ({ id, text }))
}

/** Git directories of the host whose objects the agent reads, without those that the policy itself shows. */
export function hiddenRepositories(data: Pick<ViewData, 'read' | 'write'>, workspace: PlanContext['workspace']): readonly string[] {
  if (workspace.gitDirectory === null) return []
  const shown = [...data.read, ...data.write, workspace.path]
  return workspace.objectStores
    .filter((store) => store.endsWith('/objects'))
    .map((store) => store.slice(0, -'/objects'.length))
    .filter((directory) => !shown.some((path) => isSameOrInside(directory, path)))
}

/**
 * Names are hidden by covering what exists at launch. In the workspace that is enough: what appears later is the agent's own doing. In a
 * directory that the host or another job can write to as well, a wildcard may match a name that appears later.
 */
function unsupported({ read, write, deny }: ViewData, workspace: string): readonly string[] {
  return deny.flatMap((text) => {
    if (parseDeny(text, workspace) === undefined) {
      return [`filesystem.deny "${text}": only * and ** are understood`]
    }
    if (!text.startsWith('/') || !isOpenEnded(text)) return []
    const fixed = fixedPart(text)
    const shared = [...read, ...write].filter((path) => isSameOrInside(path, fixed) || isSameOrInside(fixed, path))
    return shared.length === 0 || isSameOrInside(fixed, workspace)
      ? []
      : [`filesystem.deny "${text}": names that appear in ${shared.join(', ')} after the start would not be hidden`]
  })
}

function steps({ read, write, deny, options }: ViewData, { host, workspace }: PlanContext): readonly string[] {
  return [
    'new root: system tools and public configuration read-only, own /proc, /dev, /tmp and HOME (/home/agent), nothing else',
    `workspace ${workspace.path}, writable${host.uid === 0 ? ', through an idmapped mount' : ''}`,
    ...(workspace.gitDirectory === null ? [] : [`the agent’s own git directory over ${workspace.path}/.git`]),
    ...(workspace.gitDirectory === null && options.hostGit === 'read-only' ? ['an existing .git of the workspace read-only'] : []),
    ...workspace.objectStores.map((path) => `read-only ${path} (git objects)`),
    ...read.map((path) => `read-only ${path}`),
    ...write.map((path) => `writable ${path}`),
    ...(options.toolchains ? ['toolchains on the PATH of Bulkhead, read-only'] : []),
    ...deny.map((text) => `hide what exists of ${text}`),
    'Landlock over all of it where the kernel has it',
    'a canary file on the host, removed afterwards',
  ]
}
