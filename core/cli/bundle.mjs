/**
 * Build step: one file per verb instead of some three hundred modules, because finding and compiling those is most of what a short command
 * waits for. What has native code, assets or is rarely needed stays a package; zod is what everybody loads.
 */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))

await build({
  absWorkingDir: root,
  entryPoints: ['dist/core/cli/main.js'],
  outdir: 'dist/cli',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  minifySyntax: true,
  logLevel: 'warning',
  plugins: [
    {
      name: 'packages stay packages',
      setup(bundler) {
        bundler.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
          kind === 'entry-point' || /^zod(\/|$)/.test(path) ? undefined : { path, external: true },
        )
      },
    },
  ],
})
