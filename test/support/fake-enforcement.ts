import type { EmptyWorkspace } from '../../core/contracts/layer.ts'
import type { Enforced, Enforcement, EnforcementPlan, EnterRequest } from '../../core/contracts/enforcement.ts'
import type { EnvironmentSpec } from '../../core/contracts/job.ts'
import { emptySpec } from '../../core/enforcement/launch-spec.ts'
import { FakeLauncher } from './fake-launcher.ts'
import type { FakeSandbox } from './fake-launcher.ts'

/** Enforcement without layers over a fake launcher, for those who use sandboxes and do not make them. */
export class FakeEnforcement implements Enforcement {
  readonly requests: EnterRequest[] = []
  readonly launcher: FakeLauncher
  enterFails: Error | undefined
  disposeFails: Error | undefined
  /** Runs while the sandbox is being made. */
  onEnter: (request: EnterRequest) => void = () => undefined

  constructor(launcher = new FakeLauncher()) {
    this.launcher = launcher
  }

  get sandbox(): FakeSandbox | undefined {
    return this.launcher.sandboxes.at(-1)
  }

  async examine(): Promise<never[]> {
    return []
  }

  async plan(): Promise<EnforcementPlan> {
    return { layers: [], degraded: [] }
  }

  readonly preparations: (readonly [environment: EnvironmentSpec, directory: EmptyWorkspace])[] = []

  async prepare(...preparation: readonly [EnvironmentSpec, EmptyWorkspace]): Promise<void> {
    this.preparations.push(preparation)
  }

  async enter(request: EnterRequest): Promise<Enforced> {
    this.requests.push(request)
    this.onEnter(request)
    if (this.enterFails !== undefined) throw this.enterFails
    const sandbox = await this.launcher.launch(emptySpec(request.command, request.policy, {}), request.stdio)
    return {
      plan: await this.plan(),
      evidence: [],
      sandbox,
      [Symbol.asyncDispose]: async () => {
        sandbox.kill()
        await sandbox.exited
        if (this.disposeFails !== undefined) throw this.disposeFails
      },
    }
  }

  async attest(): Promise<never[]> {
    return []
  }

  async recover(): Promise<never[]> {
    return []
  }
}
