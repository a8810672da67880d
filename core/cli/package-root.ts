import { existsSync } from 'node:fs'

/** Directory of our `package.json`, from the sources as from `dist/`. */
export function packageRoot(): URL {
  let at = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', at)) && at.pathname !== '/') at = new URL('..', at)
  return at
}
