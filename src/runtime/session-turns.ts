import { FlushPressure } from './flush-pressure.js'

interface Turn {
  /** When it should be done by, in ms since 1970. */
  readonly deadline: number
  run(): Promise<void>
  /** Says that its turn never comes. */
  skip(): void
}

/**
 * One session in the warehouse, which all sinks of one permit share: it goes to one piece of work at a time, to that with
 * the earliest deadline first (EDF: Liu and Layland 1973), so that a large table does not keep small ones waiting for longer
 * than its flush under way.
 */
export class SessionTurns {
  readonly pressure: FlushPressure
  private readonly waiting: Turn[] = []
  private startedAt: number | undefined
  private over = false

  constructor(private readonly now: () => number) {
    this.pressure = new FlushPressure(now())
  }

  /** No work is under way. */
  get idle(): boolean {
    return this.startedAt === undefined
  }

  /** Since when the work has been going on that is under way, in ms since 1970. */
  get workingSince(): number | undefined {
    return this.startedAt
  }

  /** Runs `work` when its turn comes. Resolves with undefined, without having run it, when the permit goes before. */
  take<T>(deadline: number, work: () => Promise<T>): Promise<T | undefined> {
    if (this.over) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      this.waiting.push({ deadline, run: () => work().then(resolve, reject), skip: () => resolve(undefined) })
      this.next()
    })
  }

  private next(): void {
    if (!this.idle || this.waiting.length === 0) return
    let first = 0
    for (const [i, { deadline }] of this.waiting.entries()) {
      if (deadline < (this.waiting[first] as Turn).deadline) first = i
    }
    const [turn] = this.waiting.splice(first, 1)
    this.startedAt = this.now()
    this.pressure.began(this.startedAt)
    turn?.run().then(() => {
      this.startedAt = undefined
      this.pressure.ended(this.now())
      this.next()
    })
  }

  /** The permit goes: nothing more begins. What is under way comes to its end. */
  end(): void {
    this.over = true
    for (const { skip } of this.waiting.splice(0)) skip()
  }
}
