import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { until } from './until.js'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** How a worker is started: flags by name, and environment variables. */
export interface WorkerOptions {
  readonly file: string
  readonly flags: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A message of a worker's log. */
export interface LogLine {
  /** When it was written, in ms since 1970. */
  readonly time: number
  readonly message: string
}

/** A `millrace run` of the built package, with all processes that it starts. They are killed when its test ends. */
export class Worker {
  /** All that it wrote to stdout and stderr. */
  output = ''
  readonly startedAt = Date.now()
  readonly exited: Promise<Exit>
  private readonly child: ChildProcess
  /** All of its processes have ended. */
  private closed = false

  constructor({ file, flags, env = {} }: WorkerOptions) {
    // Workers of several tests run on one machine at a time.
    const all = { http: '127.0.0.1:0', ...flags }
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
    this.child = spawn(process.execPath, [MAIN, 'run', file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      // It leads a process group, so that a signal reaches its children, too.
      detached: true,
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data
      })
    }
    this.exited = new Promise(resolve =>
      this.child.once('close', (code, signal) => {
        this.closed = true
        resolve({ code, signal })
      }),
    )
    const end = () => {
      this.signal('SIGKILL')
    }
    process.once('exit', end)
    onTestFinished(async () => {
      process.removeListener('exit', end)
      end()
      await this.exited
    })
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get pid(): number {
    return this.child.pid as number
  }

  /** Its log so far. */
  get lines(): readonly LogLine[] {
    const complete = this.output.slice(0, this.output.lastIndexOf('\n') + 1)
    return complete
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line))
      .map(({ time, msg }) => ({ time: Date.parse(time), message: String(msg) }))
  }

  /** Messages of its log so far. */
  get messages(): readonly string[] {
    return this.lines.map(({ message }) => message)
  }

  /** Sends a signal to all of its processes, as the kernel, a freezer or a power cut does. False when it has ended. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
    if (this.closed) return false
    try {
      return process.kill(-this.pid, signal)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false
      throw thrown
    }
  }

  /** Waits for a log message; fails when the process ends before, or after `withinMs`. */
  async logged(pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
    const find = () => this.messages.map(message => pattern.exec(message)).find(match => match !== null)
    return until(`a message like ${pattern}`, withinMs, async () => {
      const match = find()
      if (match === undefined && !this.running) throw new Error(`The worker ended:\n${this.output}`)
      return match
    })
  }

  /** Sends a signal and waits for the end. Answers whether the process was running when it was sent. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Exit & { readonly hit: boolean }> {
    const hit = this.running && (signal === 'SIGKILL' ? this.signal(signal) : this.child.kill(signal))
    return { ...(await this.exited), hit }
  }
}
