/** A refused or remarkable act of an agent. An event, never an error. */
export interface Denial {
  readonly layer: 'token' | 'filesystem' | 'network' | 'interception'
  readonly plugin: string
  /** Low in cardinality, from a constants table of the plugin (`host_not_allowed`, `rule_deny`). */
  readonly reason: string
  /** What the agent tried: a path, `host:port`, a program. Hostile text: escape before printing. */
  readonly object: string
  /** What was done about it. */
  readonly action: 'deny' | 'kill' | 'allow' | 'emulate' | 'redirect'
  readonly program: string | null
  /** The policy line that would allow it, where one exists (`network.allow: [example.com]`). */
  readonly remedy: string | null
  /** Events dropped since the previous one because they came too fast. */
  readonly lost: number
}
