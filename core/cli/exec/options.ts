export interface ExecOptions {
  readonly environment?: string
  readonly workspace?: string
  readonly config?: string
  readonly read?: string[]
  readonly write?: string[]
  readonly allow?: string[]
  readonly env?: string[]
  readonly time?: number
  readonly events?: string
  readonly json?: boolean
}
