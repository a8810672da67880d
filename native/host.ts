import { homedir } from 'node:os'
import type { FeatureAnswer, Host, HostFeature } from '../core/contracts/index.ts'
import { platform } from './current.ts'
import type { NativeLauncher } from './platform.ts'

/** The machine as plugins see it. Every feature is tried once, when it is first asked for. */
export function createHost(launcher: NativeLauncher): Host {
  const answers = new Map<HostFeature, Promise<FeatureAnswer>>()
  const find = async (feature: HostFeature): Promise<FeatureAnswer> => platform.answer(feature) ?? launcher.probe(feature)
  return {
    platform: process.platform,
    uid: process.geteuid?.() ?? null,
    gid: process.getegid?.() ?? null,
    home: homedir(),
    can(feature) {
      const answer = answers.get(feature) ?? find(feature)
      answers.set(feature, answer)
      return answer
    },
  }
}
