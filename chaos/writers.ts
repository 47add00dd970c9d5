import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LogEnd, WriterState, WriterTask } from './sink-writer.js'

const FILE = fileURLToPath(new URL('sink-writer.ts', import.meta.url))

/** A process that runs every sink, from `begin` on. */
export class Writer {
  /** As it last said. */
  state: WriterState = { opened: 0, flushes: 0, fenced: 0, failures: 0, drained: -1 }
  /** Why it ended although nobody killed it. */
  failure: string | undefined
  private readonly child: ChildProcess
  private errors = ''
  private killed = false

  constructor() {
    this.child = fork(FILE, [], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.child.stderr?.on('data', chunk => {
      this.errors = `${this.errors}${chunk}`.slice(-2_000)
    })
    this.child.on('message', (state: WriterState) => {
      this.state = state
    })
    this.child.on('error', thrown => {
      this.failure = thrown.message
    })
    this.child.on('exit', code => {
      if (!this.killed) this.failure ??= `a writer ended by itself with code ${code}: ${this.errors}`
    })
  }

  /** What it last said, for messages. */
  get lastWords(): string {
    return `${JSON.stringify(this.state)} ${this.errors}`
  }

  begin(task: WriterTask, end: number): void {
    this.child.send(task)
    this.tell(end)
  }

  tell(end: number): void {
    if (this.child.connected) this.child.send({ end } satisfies LogEnd, () => undefined)
  }

  pause(): void {
    this.child.kill('SIGSTOP')
  }

  resume(): void {
    this.child.kill('SIGCONT')
  }

  /** SIGKILL, wherever it is. */
  async kill(): Promise<void> {
    this.killed = true
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }
}
