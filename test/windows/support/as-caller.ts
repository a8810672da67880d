/**
 * Launches a script with its own streams: `as-caller.js <inherit|terminal> <script> [restricted]`. Passes on signals that it is sent as
 * messages. Exits as the agent did.
 */
import { createLauncher } from '../../../native/index.ts'
import { bareParts, restrictedToken, script } from './specs.ts'

const [, , kind, text = '', tokenKind] = process.argv
const launcher = createLauncher()
const token = tokenKind === 'restricted' ? restrictedToken() : null
const stdio = kind === 'terminal' ? ({ kind, columns: 80, rows: 25 } as const) : ({ kind: 'inherit' } as const)
const sandbox = await launcher.launch({ ...bareParts, token, command: script(text) }, stdio)
await sandbox.start()
process.on('message', (signal) => sandbox.signal(signal as 'SIGINT'))
const { code } = await sandbox.exited
process.exit(code ?? 99)
