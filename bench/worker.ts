import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cpuOfEndedChildren, residentMb } from './process-tree.js'

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const SAMPLE_EVERY_MS = 200

/** What a worker cost from its start to its clean exit. */
export interface WorkerCost {
  /** User and system time of its whole process tree, in seconds. */
  readonly cpuSeconds: number
  /** Highest sum of the resident memory of its processes, in MB. */
  readonly peakRssMb: number
}

/** A `millrace run` process of the built package that is measured. */
export class MeasuredWorker {
  /** All that it wrote. */
  output = ''
  readonly startedAt = performance.now()
  private readonly cpuBefore = cpuOfEndedChildren()
  private readonly child: ChildProcess
  private readonly ended: Promise<number | null>
  private readonly sampling: NodeJS.Timeout
  private peakRssMb = 0

  /** `args` of `millrace run`, and options of Node itself. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>, nodeOptions: readonly string[] = []) {
    this.child = spawn(process.execPath, [...nodeOptions, MAIN, 'run', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data
      })
    }
    this.sampling = setInterval(() => {
      if (this.running) this.peakRssMb = Math.max(this.peakRssMb, residentMb(this.child.pid as number))
    }, SAMPLE_EVERY_MS)
    const kill = () => this.child.kill('SIGKILL')
    process.once('exit', kill)
    this.ended = new Promise(resolve =>
      this.child.once('close', code => {
        clearInterval(this.sampling)
        process.removeListener('exit', kill)
        resolve(code)
      }),
    )
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Ends it by SIGTERM and answers what it cost. @throws Error when it does not exit with code 0. */
  async end(): Promise<WorkerCost> {
    this.child.kill('SIGTERM')
    const code = await this.ended
    if (code !== 0) throw new Error(`The worker ended with code ${code}:\n${this.output}`)
    return { cpuSeconds: cpuOfEndedChildren() - this.cpuBefore, peakRssMb: this.peakRssMb }
  }

  /** Ends it without a measurement. */
  async kill(): Promise<void> {
    if (this.running) this.child.kill('SIGKILL')
    await this.ended
  }
}
