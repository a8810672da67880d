import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const windowsTests = join(dirname(fileURLToPath(import.meta.url)), '..')
export const packageRoot = join(windowsTests, '..', '..')

/** What is fetched or made once: Windows programs and the template of the prefixes. BULKHEAD_WINDOWS_CACHE moves it to where `npm ci` leaves it. */
export const cache = process.env['BULKHEAD_WINDOWS_CACHE'] ?? join(packageRoot, 'node_modules', '.cache', 'bulkhead-windows')

/** A path of this machine as Wine's Z: drive shows it. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`
}
