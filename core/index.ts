/**
 * Bulkhead as a library: open a repository and do what the command line does, or run one command behind the walls.
 *
 *     await using app = await composeRepository({ directory, variables: process.env, configFile: null, environment: null })
 *     await app.submit([{ ...job }])
 *     await app.run({ jobs: 'all', concurrency: 4 })
 */
export { composeCommand, composeRepository } from './compose.ts'
export type { CommandApp, ComposeOptions, MergeResult, RepositoryApp, RunOutcome } from './compose.ts'
export * from './contracts/index.ts'
