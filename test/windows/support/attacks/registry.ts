import { execFileSync } from 'node:child_process'

/** A key of the user's with one value, for the attacks on the registry. */
export function makeRegistryPrey(): Disposable & { readonly path: string } {
  const path = `Software\\Bulkhead-prey-${process.pid}`
  const reg = (...args: readonly string[]): void => void execFileSync('reg.exe', args, { stdio: 'ignore' })
  reg('add', `HKCU\\${path}`, '/v', 'prey', '/t', 'REG_SZ', '/d', 'x', '/f')
  return { path, [Symbol.dispose]: () => reg('delete', `HKCU\\${path}`, '/f') }
}
