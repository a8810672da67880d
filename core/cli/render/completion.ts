export type Completions = readonly {
  readonly verb: string
  readonly summary: string
  readonly options: readonly { readonly long: string; readonly description: string }[]
  /** Takes names of jobs. */
  readonly jobs: boolean
}[]

export function completionScript(shell: 'bash' | 'zsh' | 'fish', verbs: Completions): string {
  return { bash, zsh, fish }[shell](verbs)
}

/** Names of jobs are letters, digits and dashes, so they need no quoting in any shell. */
const jobNames = `bulkhead ls --json 2>/dev/null | grep -o '"name":"[a-z0-9-]*","prompt"' | cut -d'"' -f4`

function bash(verbs: Completions): string {
  const cases = verbs.map(({ verb, options, jobs }) => {
    const words = options.map(({ long }) => long).join(' ')
    return `    ${verb}) words="${words}${jobs ? ' $(_bulkhead_jobs)' : ''}" ;;`
  })
  return `# bash completion for bulkhead
_bulkhead_jobs() { ${jobNames}; }
_bulkhead() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${verbs.map(({ verb }) => verb).join(' ')}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _bulkhead bulkhead
`
}

function zsh(verbs: Completions): string {
  const cases = verbs.map(({ verb, options, jobs }) => {
    const words = options.map(({ long, description }) => quoted(`${long}:${description}`)).join(' ')
    const names = jobs ? `; compadd -- \${(f)"$(${jobNames})"}` : ''
    return `    ${verb}) local -a words=(${words}); _describe option words${names}; _files ;;`
  })
  return `#compdef bulkhead
_bulkhead() {
  if (( CURRENT == 2 )); then
    local -a verbs=(${verbs.map(({ verb, summary }) => quoted(`${verb}:${summary.replaceAll(':', ' -')}`)).join(' ')})
    _describe command verbs
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
}
compdef _bulkhead bulkhead
`
}

function fish(verbs: Completions): string {
  const lines = verbs.flatMap(({ verb, summary, options, jobs }) => [
    `complete -c bulkhead -n __fish_use_subcommand -f -a ${verb} -d ${quoted(summary)}`,
    ...options.map(
      ({ long, description }) =>
        `complete -c bulkhead -n '__fish_seen_subcommand_from ${verb}' -l ${long.slice(2)} -d ${quoted(description)}`,
    ),
    ...(jobs ? [`complete -c bulkhead -n '__fish_seen_subcommand_from ${verb}' -f -a '(__bulkhead_jobs)'`] : []),
  ])
  return `# fish completion for bulkhead\nfunction __bulkhead_jobs; ${jobNames}; end\n${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`
}
