interface KnownAgent {
  readonly command: string
  readonly hosts: readonly string[]
  readonly pass: readonly string[]
}

/**
 * How agents that people have are started without a person at the keyboard. Their own permission prompts are off: the walls decide. A
 * start only: what is written is the user's.
 */
export const knownAgents: Readonly<Record<string, KnownAgent>> = {
  claude: {
    command: '[claude, --print, --dangerously-skip-permissions, "{prompt}"]',
    hosts: ['api.anthropic.com'],
    pass: ['ANTHROPIC_API_KEY'],
  },
  codex: {
    command: '[codex, exec, --dangerously-bypass-approvals-and-sandbox, "{prompt}"]',
    hosts: ['api.openai.com'],
    pass: ['OPENAI_API_KEY'],
  },
  gemini: {
    command: '[gemini, --yolo, --prompt, "{prompt}"]',
    hosts: ['generativelanguage.googleapis.com'],
    pass: ['GEMINI_API_KEY'],
  },
  opencode: { command: '[opencode, run, "{prompt}"]', hosts: [], pass: [] },
  aider: { command: '[aider, --yes-always, --message, "{prompt}"]', hosts: [], pass: [] },
}

/** The user's own file. Agents that are installed are written out, one other as a comment. */
export function userTemplate(schema: string, installed: readonly string[]): string {
  const found = installed.filter((name) => Object.hasOwn(knownAgents, name))
  const hosts = [...new Set(found.flatMap((name) => knownAgents[name]?.hosts ?? []))]
  const pass = [...new Set(found.flatMap((name) => knownAgents[name]?.pass ?? []))]
  const comment = found.length === 0 ? '# ' : ''
  const agents = found.length === 0 ? ['claude'] : found
  return `# yaml-language-server: $schema=${schema}
# Yours alone: what agents may do, in every repository. A repository's bulkhead.yaml can only narrow it.
version: 1

${comment}agents:
${agents.map((name) => `${comment}  ${name}:\n${comment}    adapter: agent-command\n${comment}    command: ${knownAgents[name]?.command}`).join('\n')}

policy:
  filesystem:
    read: []        # besides the system's tools and the toolchains on your PATH, for instance ~/.m2
    write: []       # besides the workspace
    deny: [".env"]  # hidden, also inside the workspace
  network:
    allow: [${hosts.join(', ')}]       # for instance registry.example.com, "*.example.com", 192.0.2.1:22
  interception: []  # for instance { on: file.delete, match: "./migrations/**", action: deny }
  limits: { time: 2h, stall: 30m }
  environment:
    pass: [LANG, TERM, COLORTERM, NO_COLOR, TZ${pass.map((name) => `, ${name}`).join('')}]   # names; their values are never stored
`
}

/** The repository's file. */
export function repositoryTemplate(
  schema: string,
  facts: { readonly hasTests: boolean; readonly install: readonly string[] | null },
): string {
  const test = facts.hasTests ? '' : '# '
  const install = facts.install ?? ['npm', 'ci']
  return `# yaml-language-server: $schema=${schema}
# Shared by everybody who works on this repository. It can only narrow each person's own policy.
version: 1

# Checks on the very commit that is about to land, in an enforced workspace without more rights than an agent.
${test}gates:
${test}  - { name: test, command: [npm, test], time: 20m }

# Runs once in each new workspace, before the agent. What it downloads from must be allowed in your own policy.
# setup: [${install.join(', ')}]

# Where approved work lands; default: the branch that is checked out.
# target: main

# policy:
#   network: { allow: [] }
`
}
