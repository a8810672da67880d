import { basename } from 'node:path'
import type { RiskFlag } from '../core/contracts/workspace.ts'
import type { RawChange } from './raw-diff.ts'
import { reservedName } from './names.ts'

interface PathRule {
  readonly kind: string
  readonly pattern: RegExp
  readonly detail: string
}

/** Paths whose content somebody's tool runs or obeys. Matched against the whole path, `/`-separated, without regard to case. */
const pathRules: readonly PathRule[] = [
  {
    kind: 'ci',
    pattern:
      /^(?:\.github\/(?:workflows|actions)\/|\.gitlab-ci|\.gitlab\/|\.circleci\/|\.buildkite\/|\.drone\.|\.woodpecker|\.forgejo\/|\.gitea\/|\.ci\/|\.travis\.yml$|azure-pipelines|bitbucket-pipelines|appveyor\.yml$|(?:.*\/)?jenkinsfile$|(?:.*\/)?action\.ya?ml$)/i,
    detail: 'runs with the rights of the build system',
  },
  {
    kind: 'agent-instructions',
    pattern:
      /(?:^|\/)(?:agents?\.md|claude(?:\.local)?\.md|gemini\.md|copilot-instructions\.md|\.cursorrules|\.windsurfrules|\.clinerules|skill\.md|\.mcp\.json|mcp\.json|bulkhead\.ya?ml)$|(?:^|\/)\.(?:claude|codex|cursor|gemini|aider[^/]*|continue|roo|kilocode|agents|windsurf|cline)(?:\/|$)/i,
    detail: 'other agents obey it',
  },
  {
    kind: 'lockfile',
    pattern:
      /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|cargo\.lock|go\.sum|poetry\.lock|uv\.lock|pdm\.lock|pipfile\.lock|requirements[^/]*\.txt|gemfile\.lock|composer\.lock|flake\.lock|packages\.lock\.json|gradle\.lockfile|mix\.lock|pubspec\.lock)$/i,
    detail: 'decides what code is downloaded; look at hosts and hashes',
  },
  {
    kind: 'executable-config',
    pattern: /(?:^|\/)\.git(?:attributes|modules|ignore|config)$|(?:^|\/)\.lfsconfig$|(?:^|\/)\.worktreeinclude$/i,
    detail: 'changes what git does in every checkout',
  },
  {
    kind: 'executable-config',
    pattern:
      /(?:^|\/)\.(?:vscode|idea|fleet|zed|husky|githooks|devcontainer|cargo|yarn|mvn|bundle)\/|(?:^|\/)(?:\.envrc|\.tool-versions|mise\.toml|\.mise\.toml|lefthook[^/]*\.ya?ml|\.pre-commit-config\.yaml|\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.cjs|bunfig\.toml|\.editorconfig|\.vimrc|\.exrc|\.nvim\.lua|\.gdbinit|\.lldbinit|\.bazelrc|devcontainer\.json)$/i,
    detail: 'an editor, shell or package manager runs or obeys it on opening',
  },
  {
    kind: 'executable-config',
    pattern:
      /(?:^|\/)(?:(?:gnu)?makefile|justfile|taskfile\.ya?ml|rakefile|gruntfile\.[cm]?js|gulpfile\.[cm]?js|dockerfile|docker-compose[^/]*\.ya?ml|compose\.ya?ml|vagrantfile|build\.rs|setup\.(?:py|cfg)|pyproject\.toml|conftest\.py|sitecustomize\.py|tox\.ini|noxfile\.py|cmakelists\.txt|configure(?:\.ac)?|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|gradlew(?:\.bat)?|gradle-wrapper\.(?:jar|properties)|pom\.xml|mvnw(?:\.cmd)?|package\.json|deno\.jsonc?|cargo\.toml|build\.zig|flake\.nix|shell\.nix|default\.nix|tsconfig[^/]*\.json|(?:babel|eslint|vite|vitest|jest|webpack|rollup|next|nuxt|svelte|astro|tailwind|postcss|prettier|karma|playwright|cypress)\.config\.[cm]?[jt]s|\.(?:babelrc|eslintrc|prettierrc|mocharc|swcrc)[^/]*)$/i,
    detail: 'a build, test or lint run executes it or what it names',
  },
  {
    kind: 'executable-config',
    pattern: /(?:^|\/)(?:\.?venv|node_modules|vendor\/bin)\//i,
    detail: 'is found and run by tools',
  },
]

/** What the path, mode and kind of every change say. Both names of a rename count. */
export function pathFlags(changes: readonly RawChange[]): readonly RiskFlag[] {
  return changes.flatMap((change) => {
    const names = change.from === null ? [change.path] : [change.path, change.from]
    const flags: RiskFlag[] = pathRules
      .filter(({ pattern }) => names.some((name) => pattern.test(name)))
      .map(({ kind, detail }) => ({ kind, path: change.path, detail }))
    const add = (kind: string, detail: string): void => void flags.push({ kind, path: change.path, detail })
    const { oldMode, newMode } = change
    if (newMode === '120000' || (oldMode === '120000' && change.status !== 'D')) add('symlink', `${name(oldMode)} became ${name(newMode)}`)
    else if (newMode === '100755' && oldMode !== '100755') add('mode', oldMode === '000000' ? 'is a new executable' : 'became executable')
    else if (oldMode === '100755' && newMode === '100644') add('mode', 'is no longer executable')
    if (change.path.split('/').some((part) => reservedName.test(part)))
      add('portability', `'${basename(change.path)}' cannot exist on Windows`)
    return flags
  })
}

function name(mode: string): string {
  return { '000000': 'nothing', '100644': 'a file', '100755': 'an executable', '120000': 'a link', '160000': 'a submodule' }[mode] ?? mode
}
