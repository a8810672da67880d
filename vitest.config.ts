import { defineConfig } from 'vitest/config'

/** `.test.ts`: pure, no processes. `.it.test.ts`: git, processes, namespaces. `.e2e.test.ts`: the built CLI as a user runs it. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/**/*.it.test.ts', 'test/**/*.e2e.test.ts'] } },
      { test: { name: 'integration', include: ['test/**/*.it.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      { test: { name: 'end-to-end', include: ['test/**/*.e2e.test.ts'], testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
})
