import { accountMutations } from './account.ts'
import { filesystemMutations } from './filesystem.ts'
import { hookMutations } from './hook.ts'
import { launchMutations } from './launch.ts'
import type { Mutation } from './mutation.ts'
import { networkMutations } from './network.ts'
import { pipelineMutations } from './pipeline.ts'

export const mutations: readonly Mutation[] = [
  ...launchMutations,
  ...filesystemMutations,
  ...networkMutations,
  ...hookMutations,
  ...accountMutations,
  ...pipelineMutations,
]
