#!/usr/bin/env node
import { runCommandLine } from './program.ts'
import { systemTerminal } from './terminal.ts'

const exit = await runCommandLine(process.argv.slice(2), {
  terminal: systemTerminal(),
  variables: process.env,
  directory: process.cwd(),
})
// Explicitly: a handle that somebody left open must not keep a finished command alive.
process.exit(exit)
