import { setTimeout as sleep } from 'node:timers/promises'
import type { QuestEventOptions } from '../../src/cli/quest-events.js'
import { recordsInTopic } from '../../src/cli/target-topic.js'
import { expectedCells, generated, type QuestCells } from './quest-cells.js'
import type { Rig } from './rig.js'

const HOUR = 3_600_000
const SPAN = 24 * HOUR
const TOTAL = 120_000
/** Enough for more than 1,000 cells, however short the load is. */
const FIRST = 8_000
/** Events a production hands in at once before it looks for how many the topic holds. */
const RETRY_MS = 250

export interface LoadOptions {
  readonly seed: number
  /** Events a second. */
  readonly rate: number
  readonly partitions?: number
  /** Events that are in the topic before the load begins; default 8,000. */
  readonly first?: number
  /** Events of the whole sequence, which spread over the day before now; default 120,000. */
  readonly total?: number
}

/** Events of the generator that flow into a rig's source topic, in their order, until they are stopped. */
export class Load {
  /** How often the production failed and went on where the topic ends. */
  interruptions = 0
  private readonly stopping = new AbortController()
  private readonly done: Promise<number>

  private constructor(
    private readonly rig: Rig,
    readonly data: QuestEventOptions,
    private readonly options: LoadOptions,
  ) {
    this.done = this.run(options.first ?? FIRST)
    // It is awaited in `stop`, which a failed test does not reach.
    this.done.catch(() => undefined)
  }

  static async start(rig: Rig, options: LoadOptions): Promise<Load> {
    const { seed, first = FIRST, total = TOTAL, partitions = 8 } = options
    const data = { seed, start: Date.now() - SPAN, spanMs: SPAN, total }
    await rig.produce({ ...data, to: first, partitions })
    return new Load(rig, data, options)
  }

  private async run(from: number): Promise<number> {
    const { rate } = this.options
    const { signal } = this.stopping
    for (;;) {
      try {
        const { next } = await this.rig.produce({ ...this.data, from, rate, signal })
        if (next >= this.data.total && !signal.aborted) throw new Ended(this.data.total)
        return next
      } catch (thrown) {
        if (thrown instanceof Ended) throw thrown
        this.interruptions++
        await sleep(RETRY_MS)
        from = await recordsInTopic(this.rig.log, this.rig.source)
      }
    }
  }

  /** Ends the load; answers how many events the topic holds. */
  stop(): Promise<number> {
    this.stopping.abort()
    return this.done
  }

  /** What stands for the first `total` events. */
  cells(total: number): QuestCells {
    return expectedCells(generated(this.data, 0, total))
  }
}

/** A load that ran dry is no load: the faults after it hit idle workers. */
class Ended extends Error {
  constructor(total: number) {
    super(`All ${total} events were produced before the test stopped the load. Give it more.`)
  }
}
