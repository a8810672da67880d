#!/usr/bin/env node
import { runCommandLine } from './program.ts'
import { systemTerminal } from './terminal.ts'

const exit = await runCommandLine(process.argv.slice(2), {
  terminal: systemTerminal(),
  variables: process.env,
  directory: process.cwd(),
})
// Explicitly: a handle that somebody left open must not keep a finished command alive. But a pipe is written in the background, and what
// was not written yet when the process exits is lost.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
process.exit(exit)
