/**
 * Build step: one file per verb instead of some three hundred modules, because finding and compiling those is most of what a short command
 * waits for. What has native code, assets or is rarely needed stays a package; zod is what everybody loads.
 *
 *   node core/cli/bundle.mjs [dist]     the compiled product; default: dist/ of this checkout
 */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const dist = process.argv[2] ?? fileURLToPath(new URL('../../dist', import.meta.url))

await build({
  absWorkingDir: dist,
  entryPoints: ['./core/cli/main.js'],
  outdir: 'cli',
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
