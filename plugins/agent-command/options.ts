import { z } from 'zod'

const text = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL character')

const promptModes = ['argument', 'stdin', 'file', 'none'] as const

export const optionsSchema = z
  .strictObject({
    /** Program and arguments. `{prompt}`, `{promptFile}`, `{workspace}` and `{name}` are replaced inside each element; there is no shell. */
    command: z.tuple([text.min(1)], text).optional(),
    /**
     * A script for `/bin/sh -eu`, instead of `command`. With `prompt: argument` the prompt is `$1`. Nothing is replaced in it. On Windows `sh`
     * has to be on the agent's PATH, as Git for Windows brings it.
     */
    script: text.min(1).optional(),
    /**
     * How the agent gets the prompt. `argument`: where `{prompt}` stands, else as the last argument. `stdin`. `file`: named by
     * `{promptFile}` and by the variable BULKHEAD_PROMPT_FILE. `none`: not at all.
     */
    prompt: z.enum(promptModes).default('argument'),
    environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name for a variable'), text).default({}),
  })
  .superRefine(({ command, script, prompt }, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if ((command === undefined) === (script === undefined)) fault('command', 'exactly one of command and script is needed')
    const words = command?.join('\0') ?? ''
    if (words.includes('{prompt}') && prompt !== 'argument')
      fault('prompt', `{prompt} in the command needs prompt: argument, not ${prompt}`)
    if (words.includes('{promptFile}') && prompt !== 'file')
      fault('prompt', `{promptFile} in the command needs prompt: file, not ${prompt}`)
  })

export type CommandOptions = z.infer<typeof optionsSchema>
