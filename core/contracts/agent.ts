import type { ZodType } from 'zod'

/** How one kind of agent is started. Adapters are plugins `agent-<name>`. */
export interface AgentAdapter<O = unknown> {
  readonly id: string
  readonly contract: 1
  readonly options: ZodType<O>
  /** Pure: the command for one attempt. Runs inside the sandbox; nothing here is trusted by the walls. */
  command(options: O, task: AgentTask): AgentCommand
}

export interface AgentTask {
  readonly job: string
  readonly name: string
  readonly prompt: string
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly workspace: string
  /** Private directory inside the sandbox for files the adapter wants (`AgentCommand.files`). */
  readonly scratch: string
}

export interface AgentCommand {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Written to the agent's stdin, then closed; null: closed at once. */
  readonly stdin: string | null
  /** Files under `scratch`, by relative name. */
  readonly files: Readonly<Record<string, string>>
}
