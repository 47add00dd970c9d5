import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** What a command wrote and how it ended. */
export interface CommandEnd {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** The built `millrace` command as a process. */
export class Command {
  private stdout = ''
  private stderr = ''
  private readonly child: ChildProcess
  readonly ended: Promise<CommandEnd>

  constructor(args: readonly string[], { cwd, env = {} }: CommandOptions = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'))
    this.child = spawn(process.execPath, [MAIN, ...args], {
      ...(cwd !== undefined && { cwd }),
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Waits for text on stderr. Fails when the command ends without it. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const ended = await Promise.race([this.ended, new Promise<void>(resolve => setTimeout(resolve, 50))])
      const match = pattern.exec(this.stderr)
      if (match) return match
      if (ended)
        throw new Error(
          `The command ended with ${ended.code ?? ended.signal} and never said ${pattern}:\n${this.stderr}`,
        )
    }
  }
}

/** Runs the built command to its end. */
export function millrace(args: readonly string[], options?: CommandOptions): Promise<CommandEnd> {
  return new Command(args, options).ended
}
