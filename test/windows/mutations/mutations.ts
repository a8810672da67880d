import { hookMutations } from './hook.ts'
import type { Mutation } from './mutation.ts'

export const mutations: readonly Mutation[] = [...hookMutations]
