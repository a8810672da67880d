import type { Logger } from '../../core/contracts/index.ts'

export const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
