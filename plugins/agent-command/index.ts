import type { AgentAdapter } from '../../core/contracts/index.ts'
import { agentCommand } from './command.ts'
import type { CommandOptions } from './options.ts'
import { optionsSchema } from './options.ts'

/** Any program as an agent. */
const adapter: AgentAdapter<CommandOptions> = {
  id: 'agent-command',
  contract: 1,
  options: optionsSchema,
  command: (given, task) => agentCommand(given, task),
}

export default adapter
