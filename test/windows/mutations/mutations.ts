import { hookMutations } from './hook.ts'
import type { Mutation } from './mutation.ts'
import { networkMutations } from './network.ts'

export const mutations: readonly Mutation[] = [...hookMutations, ...networkMutations]
