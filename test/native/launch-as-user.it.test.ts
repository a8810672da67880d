import { execFile } from 'node:child_process'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { asOrdinaryUser, hostHas, ordinaryUser, packageRoot } from '../support/host.ts'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly assertionResults: readonly { readonly title: string; readonly status: string }[] }[]
}

test.runIf(hostHas('ordinary-user'))('everything holds for an ordinary user too', async () => {
  const home = mkdtempSync('/var/tmp/bulkhead-user-')
  try {
    chownSync(home, ordinaryUser.uid, ordinaryUser.gid)
    const [program, ...prefix] = asOrdinaryUser
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'test/native/launch.it.test.ts', '--project', 'integration']
    const options = ['--reporter=json', `--outputFile=${home}/report.json`, '--no-cache', '--configLoader=runner']
    const environment = { PATH: process.env['PATH'], HOME: home, TMPDIR: home, VITE_CACHE_DIR: home }
    await promisify(execFile)(program, [...prefix, process.execPath, ...vitest, ...options], { cwd: packageRoot, env: environment }).catch(
      () => undefined,
    )
    const report = JSON.parse(readFileSync(`${home}/report.json`, 'utf8')) as Report
    const failed = report.testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status !== 'passed')
    expect(failed).toEqual([])
    expect(report.numPassedTests).toBeGreaterThan(50)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})
