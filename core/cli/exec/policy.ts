import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { BulkheadError } from '../../contracts/error.ts'
import type { NetworkRule, Policy } from '../../contracts/policy.ts'
import type { VerbContext } from '../verb.ts'
import type { ExecOptions } from './options.ts'

/** Loaded only where hosts are named. */
async function networkRules(texts: readonly string[]): Promise<NetworkRule[]> {
  if (texts.length === 0) return []
  const { parseNetworkRule } = await import('../../config/network-rule.ts')
  return texts.map((text) => {
    const result = parseNetworkRule(text)
    if ('rule' in result) return result.rule
    throw new BulkheadError('usage_invalid', `--allow: ${result.problem}`, { remedy: result.remedy })
  })
}

/** The user's own policy and what the command line adds. Limits of time belong to jobs. */
export async function policyOf(context: VerbContext, policy: Policy, options: ExecOptions): Promise<Policy> {
  const allow = await networkRules(options.allow ?? [])
  const existing = (option: string) => (text: string) => existingPath(context, option, text)
  const variables = (options.env ?? []).map(variable)
  return {
    ...policy,
    filesystem: {
      ...policy.filesystem,
      read: [...policy.filesystem.read, ...(options.read ?? []).map(existing('--read'))],
      write: [...policy.filesystem.write, ...(options.write ?? []).map(existing('--write'))],
    },
    network: { allow: [...policy.network.allow, ...allow] },
    limits: { ...policy.limits, timeMs: options.time ?? null, stallMs: null, outputBytes: null },
    environment: {
      ...policy.environment,
      ...Object.fromEntries(variables.flatMap(({ name, value }) => (value === null ? [] : [[name, value]]))),
    },
    pass: [...new Set([...(policy.pass ?? []), ...variables.flatMap(({ name, value }) => (value === null ? [name] : []))])],
  }
}

function variable(text: string): { readonly name: string; readonly value: string | null } {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=([^]*))?$/.exec(text) ?? []
  if (name !== undefined) return { name, value: value ?? null }
  throw new BulkheadError('usage_invalid', `--env ${text} is not a variable`, {
    remedy: 'Write NAME to pass a variable or NAME=VALUE to set one.',
  })
}

function existingPath(context: VerbContext, option: string, text: string): string {
  try {
    return realpathSync(resolve(context.directory, text))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be looked at (${code})`
    throw new BulkheadError('usage_invalid', `${option} ${text} ${why}`, { remedy: 'Name a file or directory that you can read.', cause })
  }
}

export function workspaceOf(context: VerbContext, { workspace }: ExecOptions): string {
  const path = existingPath(context, '--workspace', workspace ?? context.directory)
  const remedy = 'Name the directory of one project.'
  if (!statSync(path).isDirectory()) throw new BulkheadError('usage_invalid', `--workspace ${path} is not a directory`, { remedy })
  try {
    accessSync(path, constants.R_OK | constants.X_OK)
  } catch (cause) {
    throw new BulkheadError('usage_invalid', `--workspace ${path} is closed to you`, { remedy, cause })
  }
  return path
}
