import { z } from 'zod'
import type { LaunchSpec, LayerPlugin, WorkspaceView } from '../../core/contracts/index.ts'
import { surroundings } from './surroundings.ts'

const options = z.strictObject({})

/** No filesystem layer: the agent sees and changes what whoever started Bulkhead could. Must be asked for by name. */
const plugin: LayerPlugin<z.infer<typeof options>> = {
  id: 'fs-none',
  layer: 'filesystem',
  contract: 1,
  options,
  provides: [],
  requires: [],
  probe: () => Promise.resolve({ usable: true, tier: 'none', detail: 'enforces nothing: the agent sees the files of this machine' }),
  plan: ({ filesystem }) => ({
    plugin: 'fs-none',
    layer: 'filesystem',
    tier: 'none',
    enforces: [],
    unsupported: [],
    steps: [
      'the agent sees and changes whatever its user may',
      ...(filesystem.read.length + filesystem.write.length === 0 ? [] : ['filesystem.read and filesystem.write have no effect']),
      ...(filesystem.deny.length === 0 ? [] : ['filesystem.deny has no effect: nothing is hidden']),
    ],
    data: null,
  }),
  apply: (_plan, { host, workspace }) => {
    // Taken here, because `contribute` is pure.
    const usual = surroundings(host, process.env)
    return Promise.resolve({
      contribute: (spec) => withEnvironment(spec, usual, workspace),
      verify: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
  },
  recover: () => Promise.resolve(),
}

export default plugin

/** Nothing is mounted over `<workspace>/.git` here, so git has to be told where the agent's own git directory is. */
function withEnvironment(spec: LaunchSpec, usual: Readonly<Record<string, string>>, workspace: WorkspaceView): LaunchSpec {
  const git = workspace.gitDirectory === null ? {} : { GIT_DIR: workspace.gitDirectory, GIT_WORK_TREE: workspace.path }
  return { ...spec, command: { ...spec.command, environment: { ...usual, ...spec.command.environment, ...git } } }
}
