/** The system's tools: shown read-only, with the permissions they have on disk. A link (merged /usr) is shown as the same link. */
export const systemDirectories = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store'] as const

/** Belong to the system or to the view itself: nothing in here is ever shown writable. */
export const reservedRoots = [...systemDirectories, '/etc', '/proc', '/sys', '/dev', '/boot'] as const

/** The view makes its own; the host's would show other processes and devices. */
export const neverShown = ['/proc', '/dev'] as const

/**
 * What of /etc is shown: what tools need and every machine has alike. `*` stands for any ending. Not here, and never to be: password
 * hashes, ssh, sudo, machine-id, mail and package manager configuration (npmrc, pip.conf, apt, gitconfig, environment, wgetrc): these
 * hold credentials and secrets of the machine. Of ssl and pki only what is public: `private` is readable to some groups.
 */
export const systemConfiguration = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'debian_version',
  'fonts',
  'gai.conf',
  'host.conf',
  'inputrc',
  'java*',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
  'locale.conf',
  'localtime',
  'lsb-release',
  'magic',
  'magic.mime',
  'maven/logging',
  'maven/m2.conf',
  'mime.types',
  'networks',
  'os-release',
  'perl',
  'pki/ca-trust',
  'pki/java',
  'pki/tls/cert.pem',
  'pki/tls/certs',
  'pki/tls/openssl.cnf',
  'profile',
  'profile.d',
  'protocols',
  'python3*',
  'redhat-release',
  'rpc',
  'services',
  'sgml',
  'shells',
  'ssl/cert.pem',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
  'xml',
] as const

/**
 * Names that hold credentials. A toolchain's directory that is one of these, lies in one or contains one is not shown as a whole. Matched
 * against single path components, without regard to case.
 */
export const credentialNames: ReadonlySet<string> = new Set([
  '.aws',
  '.azure',
  '.bash_history',
  '.config',
  '.credentials',
  '.docker',
  '.env',
  '.gem',
  '.git-credentials',
  '.gitconfig',
  '.gnupg',
  '.kube',
  '.m2',
  '.mozilla',
  '.netrc',
  '.npmrc',
  '.password-store',
  '.pgpass',
  '.pki',
  '.pypirc',
  '.ssh',
  '.terraform.d',
  '.thunderbird',
  '.vault-token',
  '.yarnrc.yml',
  '.zsh_history',
  'credentials',
  'credentials.json',
  'credentials.toml',
  'id_ed25519',
  'id_rsa',
  'keyrings',
])

/** A directory of programs below a prefix that holds the rest of the toolchain (`<prefix>/bin`). */
export const programDirectories: ReadonlySet<string> = new Set(['bin', 'sbin', 'shims'])

/**
 * Version managers that find their data through HOME, which is another one inside: the directory's name, the variable that says where it
 * is, and a neighbour whose programs need it.
 */
export const managedToolchains = [
  { name: '.pyenv', variable: 'PYENV_ROOT', neededBy: null },
  { name: '.rustup', variable: 'RUSTUP_HOME', neededBy: '.cargo' },
  { name: '.volta', variable: 'VOLTA_HOME', neededBy: null },
] as const

/** Inside the sandbox. */
export const inside = {
  user: 'agent',
  home: '/home/agent',
  temporary: '/tmp',
  /** Made in HOME (XDG base directories), so that tools that expect them find them. */
  homeDirectories: ['.cache', '.config', '.local/share', '.local/state'],
  /** Answered by the network layer that `provides` a name server; TEST-NET of RFC 2544, never routed. */
  nameServer: '198.18.0.1',
} as const

/** PATH where nobody says otherwise. */
export const usualPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const

/** Hiding more than this would be a mistake in the pattern, and each costs a mount. */
export const mostHidden = 1000
