import type { ErrorCode } from '../../../core/contracts/index.ts'

/** Codes that no act of a user brings about, and the test that does. */
export const elsewhere: { readonly [C in ErrorCode]?: { readonly why: string; readonly test: string } } = {
  plugin_invalid: { why: 'only Bulkhead’s own plugins are loaded', test: 'test/core/enforcement/registry.test.ts' },
  plugin_failed: { why: 'only Bulkhead’s own plugins are loaded', test: 'test/core/enforcement/faults.test.ts' },
  host_unsupported: { why: 'no machine that tests run on is without all of the directories', test: 'test/plugins/fs-view/canary.test.ts' },
  setup_not_elevated: { why: 'no layer of Linux sets the machine up', test: 'test/core/enforcement/machine-setup.test.ts' },
  setup_busy: { why: 'no layer of Linux sets the machine up', test: 'test/core/enforcement/machine-setup.test.ts' },
  setup_incomplete: { why: 'no layer of Linux sets the machine up', test: 'test/core/enforcement/machine-setup.test.ts' },
  internal: { why: 'it is a defect', test: 'test/core/cli/error.test.ts' },
}
