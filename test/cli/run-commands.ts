import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { CommandResult } from './command-runner.js'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Runs commands, one after the other, in one process of its own: `['check', file]`, `['describe', 'json', file]`, `['load', file]`. */
export async function runCommands(
  commands: readonly (readonly string[])[],
  cwd = root,
): Promise<readonly CommandResult[]> {
  const runner = fileURLToPath(new URL('./command-runner.ts', import.meta.url))
  const tsx = import.meta.resolve('tsx')
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, runner, JSON.stringify(commands)], {
    cwd,
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(stdout) as readonly CommandResult[]
}
