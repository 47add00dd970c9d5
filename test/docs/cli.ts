import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ROOT } from './markdown.js'

/** Runs `millrace` from its sources, in the repository's root. Answers its stdout, also where it fails. */
export async function millrace(...args: readonly string[]): Promise<string> {
  const command = ['--import', 'tsx', 'src/cli/main.ts', ...args]
  try {
    return (await promisify(execFile)(process.execPath, command, { cwd: ROOT })).stdout
  } catch (thrown) {
    if (thrown instanceof Error && 'stdout' in thrown && typeof thrown.stdout === 'string') return thrown.stdout
    throw thrown
  }
}

/** A flag as `--help` shows it. */
export interface HelpFlag {
  readonly flag: string
  readonly description: string
  readonly variable: string
  readonly default: string
}

/** The flags that a command's help lists, but for `--help`. */
export async function flagsOf(command: string): Promise<HelpFlag[]> {
  const help = await millrace(command, '--help')
  const entries = (help.split('\nOptions:\n')[1] ?? '').replaceAll(/\n {10,}/g, ' ').split('\n')
  return entries.flatMap(entry => {
    const [, flag, text] = /^ {2}(--.+?) {2,}(.+)$/.exec(entry) ?? []
    if (flag === undefined || text === undefined) return []
    const [, description = '', details = ''] = /^(.*?)(?: \(((?:choices|default|env): .*)\))?$/.exec(text) ?? []
    return [
      {
        flag,
        description,
        variable: /env: (\w+)/.exec(details)?.[1] ?? '',
        default: (/default: (.+?), env/.exec(details)?.[1] ?? '').replaceAll('"', ''),
      },
    ]
  })
}
