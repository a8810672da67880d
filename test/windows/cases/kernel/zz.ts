import { test } from 'node:test'
import { CommandLine } from '../../support/command-line.ts'
test('x', async () => {
  using cli = new CommandLine('environment: windows-unelevated\nenvironments: {windows-unelevated: {degrade: [network]}}')
  const t = async (...argv: string[]) => { const s = await cli.run('exec', '--', ...argv); console.log(JSON.stringify(argv), JSON.stringify(s)) }
  await t('cmd.exe', '/c', 'echo hi & set')
  await t('cmd.exe', '/c', 'dir')
  await t(process.execPath, '-e', 'console.log(1)')
  await t('cmd.exe', '/c', process.execPath + ' -e "console.log(1)" 2>&1')
  await t('git', '--version')
})
