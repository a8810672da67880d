import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import koffi from 'koffi'
import { BulkheadError } from '../core/contracts/index.ts'

/** Must equal BH_ABI_VERSION of `include/bulkhead.h`. */
const abiVersion = 1

export type NativeModule = ReturnType<typeof koffi.load>

/** Where `build.mjs` puts what it builds for this system. */
export function nativeDirectory(): string {
  return process.env['BULKHEAD_NATIVE'] ?? join(packageRoot(), 'native', 'build', `${process.platform}-${process.arch}`)
}

/**
 * Loads the library by absolute path (never by search: what is found on a search path may be planted) and checks its version. `companions`
 * are the files that it is built with. Throws `native_not_built`, `native_abi_mismatch`.
 */
export function loadModule(name: string, companions: readonly string[]): NativeModule {
  const directory = nativeDirectory()
  const library = join(directory, name)
  if (![library, ...companions].every((path) => existsSync(path))) {
    throw new BulkheadError('native_not_built', `the native module for ${process.platform}-${process.arch} is missing`, {
      where: directory,
    })
  }
  const module = load(library)
  const found: unknown = module.func('uint32_t bulkhead_abi()')()
  if (found !== abiVersion) {
    throw new BulkheadError('native_abi_mismatch', `the native module has version ${String(found)}, this Bulkhead needs ${abiVersion}`, {
      where: library,
    })
  }
  return module
}

function load(library: string): NativeModule {
  try {
    return koffi.load(library)
  } catch (error) {
    throw new BulkheadError('native_not_built', 'the native module cannot be loaded', { where: library, cause: error })
  }
}

/** The directory that holds `native/`, both from source and from `dist/`. */
function packageRoot(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  return existsSync(join(root, 'package.json')) ? root : join(root, '..')
}
