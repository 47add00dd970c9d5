import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/model/errors.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { type Header, type RecordBatch, RecordBatchBuilder } from '../../src/model/record-batch.js'
import type { Flush, Row, RowKey, SinkIdentity, Warehouse } from '../../src/ports/warehouse.js'
import { DeadLetters, type FailedRecord } from '../../src/runtime/dead-letters.js'
import { EVENT_TIME_HEADER } from '../../src/runtime/freshness.js'
import { Format } from '../../src/runtime/internal-value.js'
import { SessionTurns } from '../../src/runtime/session-turns.js'
import { SinkTask } from '../../src/runtime/sink-task.js'
import type { RowsProgram } from '../../src/runtime/sub-topology-program.js'

const NOW = 1_000_000
const FRESH = 30_000
const SPEC = {
  name: 'rows',
  columns: [
    { name: 'k', type: 'text', nullable: false },
    { name: 'n', type: 'text', nullable: false },
  ],
  key: ['k'],
  sortKey: [],
} as const

const PROGRAM: RowsProgram = {
  kind: 'rows',
  topic: 'group-rows-rows',
  topicId: 'id',
  partitions: 2,
  table: SPEC,
  visibleWithin: 2 * FRESH,
  freshness: 2 * FRESH,
  row: (key, value) => [key.toString(), value.toString()],
  rowKey: key => [key.toString()],
  keyBytes: ([key]) => Buffer.from(String(key)),
}

/** A warehouse whose flushes and failures a test decides. */
class FakeWarehouse implements Warehouse {
  readonly name = 'the fake warehouse'
  readonly table = new Map<string, string>()
  readonly flushes: Flush[] = []
  nextOffset = 0
  rebuild = false
  /** What the next calls throw; a flush waits while it is a promise. */
  trouble: MillraceError | undefined
  held: Promise<void> | undefined
  /** Lets time pass while a flush runs. */
  during = (): void => undefined

  async prepare(): Promise<void> {
    if (this.trouble) throw this.trouble
  }

  unstorable(_: unknown, row: Row): string | undefined {
    return row[1] === 'bad' ? 'its n is bad' : undefined
  }

  async openSink(_: SinkIdentity) {
    if (this.trouble) throw this.trouble
    const { nextOffset, rebuild } = this
    const flush = async (flush: Flush) => {
      await this.held
      this.during()
      if (this.trouble) throw this.trouble
      this.flushes.push(flush)
      for (const [key] of flush.deletes) this.table.delete(String(key))
      for (const [key, n] of flush.upserts) this.table.set(String(key), String(n))
      this.nextOffset = flush.nextOffset
    }
    const table = this.table
    const keys = async function* (this: FakeWarehouse): AsyncIterable<RowKey> {
      if (this.trouble) throw this.trouble
      for (const key of table.keys()) yield [key]
    }.bind(this)
    return { nextOffset, rebuild, flush, keys, close: async () => undefined }
  }

  async *rows(): AsyncIterable<Row> {}

  async close(): Promise<void> {}
}

class Letters extends DeadLetters {
  readonly records: FailedRecord[] = []

  constructor() {
    super('deadLetter', 'letters', 1, {
      send: () => undefined,
      begin: async () => undefined,
      sendOffsets: async () => undefined,
      commit: async () => undefined,
      abort: async () => undefined,
      flush: async () => undefined,
      close: async () => undefined,
    })
  }

  override handle(...given: Parameters<DeadLetters['handle']>) {
    this.records.push(given[0])
    return super.handle(...given)
  }
}

class Bench {
  readonly warehouse = new FakeWarehouse()
  readonly letters = new Letters()
  readonly warnings: string[] = []
  /** Of flushes, in seconds. */
  readonly durations: number[] = []
  clock = NOW
  readonly task: SinkTask
  private offset = 0

  constructor(partition = 0) {
    const warn = (message: string) => this.warnings.push(message)
    const took = { observe: (seconds: number) => this.durations.push(seconds) }
    const now = () => this.clock
    const turns = new SessionTurns(now)
    this.task = new SinkTask(PROGRAM, partition, this.warehouse, turns, this.letters, warn, now, took)
  }

  static async open(rows: Record<string, string> = {}, rebuild = false, high = 0, partition = 0): Promise<Bench> {
    const bench = new Bench(partition)
    for (const [key, n] of Object.entries(rows)) bench.warehouse.table.set(key, n)
    bench.warehouse.rebuild = rebuild
    expect(await bench.task.open(NOW, high)).toBe(0)
    return bench
  }

  /** Rows with the event time that they stand for, where they say it. */
  take(now: number, ...rows: [string, string | null, number?][]): void {
    this.clock = Math.max(this.clock, now)
    this.task.process(this.batch(rows), now)
  }

  private batch(rows: [string, string | null, number?][]): RecordBatch {
    const builder = new RecordBatchBuilder(PROGRAM.topic, 0)
    for (const [key, n, eventTime] of rows) {
      const headers: Header[] = eventTime === undefined ? [] : [[EVENT_TIME_HEADER, String(eventTime)]]
      builder.add(this.offset++, NOW, Buffer.from(key), n === null ? null : Buffer.from(n), headers)
    }
    return builder.build()
  }

  /** Two ticks: the end of a rebuild looks for rows first, beside the reading. */
  async flush(now: number, drain = false): Promise<void> {
    for (let i = 0; i < 2; i++) {
      this.clock = Math.max(this.clock, now)
      await this.task.tick(this.clock, drain)
      await this.task.settled()
    }
  }

  get rows(): Record<string, string> {
    return Object.fromEntries([...this.warehouse.table].sort())
  }
}

const down = new MillraceError('WAREHOUSE', 'It is down.')

describe('a sink', () => {
  it('coalesces by key and flushes when the oldest row is half as old as it may be', async () => {
    const bench = await Bench.open({ gone: '1' })
    bench.take(NOW, ['a', '1'], ['a', '2'], ['gone', null], ['b', '1'])
    await bench.flush(NOW + FRESH - 1)
    expect(bench.warehouse.flushes).toEqual([])
    bench.take(NOW + FRESH - 1, ['c', '1'])
    await bench.flush(NOW + FRESH)
    expect(bench.warehouse.flushes).toMatchObject([
      {
        upserts: [
          ['a', '2'],
          ['b', '1'],
          ['c', '1'],
        ],
        deletes: [['gone']],
        nextOffset: 5,
        asOf: NOW + FRESH,
      },
    ])
    expect(bench.task.drained).toBe(true)
    expect(bench.task.flushedRows).toBe(4)
  })

  it('hands rows of windows that closed over as such, unless they are deleted in the same flush', async () => {
    const bench = await Bench.open()
    const closed = (n: string) => String.fromCharCode(Format.rowClosed) + n
    bench.take(NOW, ['a', '1'], ['b', '1'], ['c', '1'], ['d', closed('1')])
    bench.take(NOW, ['a', closed('2')], ['b', '2'], ['d', null])
    await bench.flush(NOW, true)
    expect(bench.warehouse.flushes).toMatchObject([
      {
        upserts: [
          ['b', '2'],
          ['c', '1'],
        ],
        closed: [['a', closed('2')]],
        deletes: [['d']],
      },
    ])
    expect(bench.task.flushed).toMatchObject({ upserts: 3, deletes: 1 })
    // The same values, but the window closed: that is a change.
    bench.take(NOW, ['c', closed('1')], ['a', closed('2')])
    await bench.flush(NOW, true)
    expect(bench.warehouse.flushes[1]).toMatchObject({ upserts: [], closed: [['c', closed('1')]] })
  })

  it('drops what did not change since the last flush, and moves the offset all the same', async () => {
    const bench = await Bench.open()
    bench.take(NOW, ['a', '1'], ['b', '1'])
    await bench.flush(NOW, true)
    bench.take(NOW, ['a', '1'], ['b', '2'])
    await bench.flush(NOW, true)
    expect(bench.warehouse.flushes[1]).toMatchObject({ upserts: [['b', '2']], nextOffset: 4 })
    bench.take(NOW, ['a', '1'])
    await bench.flush(NOW, true)
    expect(bench.warehouse.flushes[2]).toMatchObject({ upserts: [], nextOffset: 5 })
    expect(bench.task.flushed.unchanged).toBe(2)
  })

  it('compares with what a running flush carries', async () => {
    const bench = await Bench.open()
    let go = (): void => undefined
    bench.take(NOW, ['a', '1'])
    await bench.flush(NOW, true)
    bench.warehouse.held = new Promise(resolve => {
      go = resolve
    })
    bench.take(NOW, ['a', '2'])
    await bench.task.tick(NOW, true)
    bench.take(NOW, ['a', '1'])
    go()
    await bench.task.settled()
    await bench.flush(NOW, true)
    expect(bench.rows).toEqual({ a: '1' })
  })

  it('keeps rows while the warehouse is down, newer ones over older, and waits longer each time', async () => {
    const bench = await Bench.open()
    bench.take(NOW, ['a', '1'], ['b', '1'])
    bench.warehouse.trouble = down
    await bench.flush(NOW, true)
    bench.take(NOW, ['a', '2'], ['b', null], ['c', '1'])
    await bench.flush(NOW + 249, true)
    expect(bench.warnings).toHaveLength(1)
    await bench.flush(NOW + 250, true)
    expect(bench.warnings).toHaveLength(2)
    await bench.flush(NOW + 749, true)
    expect(bench.warnings).toHaveLength(2)
    bench.warehouse.trouble = undefined
    await bench.flush(NOW + 750, true)
    expect(bench.rows).toEqual({ a: '2', c: '1' })
    expect(bench.warehouse.nextOffset).toBe(5)
    bench.take(NOW, ['b', '1'])
    await bench.flush(NOW + 751, true)
    expect(bench.rows).toEqual({ a: '2', b: '1', c: '1' })
  })

  it('waits for a warehouse that is down when it opens', async () => {
    const bench = new Bench()
    bench.warehouse.trouble = down
    expect(await bench.task.open(NOW, 0)).toBeUndefined()
    bench.warehouse.trouble = undefined
    expect(bench.task.mayOpen(NOW + 249)).toBe(false)
    expect(bench.task.mayOpen(NOW + 250)).toBe(true)
    expect(await bench.task.open(NOW + 250, 0)).toBe(0)
  })

  it('stops when its table cannot be mended, and when it is fenced', async () => {
    const bench = new Bench()
    bench.warehouse.trouble = new MillraceError('WAREHOUSE_TABLE', 'column n is missing')
    await expect(bench.task.open(NOW, 0)).rejects.toThrow('column n is missing')
    bench.warehouse.trouble = undefined
    await bench.task.open(NOW, 0)
    bench.warehouse.trouble = new MillraceError('WAREHOUSE_FENCED', 'taken over')
    bench.take(NOW, ['a', '1'])
    await expect(bench.flush(NOW, true)).rejects.toThrow('taken over')
    await expect(bench.task.tick(NOW, true)).rejects.toThrow('taken over')
    expect(bench.rows).toEqual({})
  })

  it('dead-letters rows that the warehouse cannot hold, and flushes nothing before they are committed', async () => {
    const bench = await Bench.open({ a: '0' })
    bench.take(NOW, ['a', '1'], ['a', 'bad'], ['b', 'bad'])
    expect(bench.task.changed).toBe(true)
    await bench.flush(NOW + FRESH, true)
    expect(bench.warehouse.flushes).toEqual([])
    bench.task.sendDeadLetters()
    bench.task.sendDeadLetters()
    bench.task.committed()
    await bench.flush(NOW + FRESH, true)
    expect(bench.letters.records.map(({ offset, value }) => [offset, value!.toString()])).toEqual([
      [1, 'bad'],
      [2, 'bad'],
      [1, 'bad'],
      [2, 'bad'],
    ])
    expect(bench.rows).toEqual({ a: '1' })
    expect(bench.warehouse.nextOffset).toBe(3)
  })

  it('counts what its flushes did, and how long they took', async () => {
    const bench = await Bench.open({ gone: '1' })
    bench.take(NOW, ['a', '1'], ['b', '1'], ['gone', null])
    expect(bench.task.pendingRows).toBe(3)
    bench.warehouse.trouble = down
    bench.warehouse.during = () => {
      bench.clock += 5_000
    }
    await bench.task.tick(NOW, true)
    await bench.task.settled()
    bench.warehouse.trouble = undefined
    bench.warehouse.during = () => {
      bench.clock += 500
    }
    await bench.flush(NOW + 6_000, true)
    expect(bench.task.flushed).toEqual({ flushes: 1, failures: 1, upserts: 2, deletes: 1, unchanged: 0 })
    expect(bench.durations).toEqual([5, 0.5])
    expect(bench.task.pendingRows).toBe(0)
  })

  it('knows how far its table lies behind the events', async () => {
    const bench = await Bench.open()
    const age = (now: number) => bench.task.freshness.at(now)
    expect(age(NOW)).toBeUndefined()
    // The rows are of events 3 seconds ago; a correction of an older window came with them.
    bench.take(NOW, ['old', '1', NOW - 60_000], ['a', '1', NOW - 3_000])
    bench.take(NOW + 1_000, ['b', '1', NOW])
    expect(age(NOW + 1_000)).toBe(4_000)
    bench.warehouse.trouble = down
    await bench.flush(NOW + 2_000, true)
    expect(age(NOW + 9_000)).toBe(12_000)
    bench.warehouse.trouble = undefined
    bench.warehouse.during = () => {
      bench.clock += 500
    }
    await bench.flush(NOW + 9_000, true)
    expect(age(NOW + 100_000)).toBe(12_500)
    bench.take(NOW + 100_000, ['a', '1'])
    expect(age(NOW + 100_000)).toBe(12_500)
    bench.take(NOW + 100_000, ['a', '2', NOW + 99_000])
    expect(age(NOW + 100_000)).toBe(1_000)
  })

  it('says now and then that it is there, so that its tombstones stay readable', async () => {
    const bench = await Bench.open()
    await bench.flush(NOW + 5 * 3_600_000)
    expect(bench.warehouse.flushes).toEqual([])
    await bench.flush(NOW + 6 * 3_600_000)
    expect(bench.warehouse.flushes).toMatchObject([{ upserts: [], asOf: NOW + 6 * 3_600_000 }])
  })
})

describe('a rebuild', () => {
  const own = ['a', 'b', 'c', 'd', 'e', 'f'].filter(key => partitionFor(Buffer.from(key), 2) === 0)
  const [kept, unseen] = own as [string, string]
  const foreign = ['a', 'b', 'c', 'd', 'e', 'f'].find(key => partitionFor(Buffer.from(key), 2) === 1)!

  it('deletes rows of its partition that the topic does not hold, and ends with that flush', async () => {
    const bench = await Bench.open({ [kept]: '1', [unseen]: '1', [foreign]: '1' }, true, 2)
    bench.take(NOW, [kept, '1'])
    await bench.flush(NOW, true)
    expect(bench.rows).toEqual({ [kept]: '1', [unseen]: '1', [foreign]: '1' })
    expect(bench.warehouse.flushes.map(flush => flush.endsRebuild)).toEqual([false])
    bench.take(NOW, [kept, '2'])
    await bench.flush(NOW, true)
    await bench.flush(NOW, true)
    expect(bench.rows).toEqual({ [kept]: '2', [foreign]: '1' })
    expect(bench.warehouse.flushes.filter(flush => flush.endsRebuild)).toHaveLength(1)
  })

  it('of an empty topic deletes all rows of its partition', async () => {
    const bench = await Bench.open({ [kept]: '1', [foreign]: '1' }, true, 0)
    await bench.flush(NOW)
    expect(bench.rows).toEqual({ [foreign]: '1' })
    expect(bench.warehouse.flushes).toMatchObject([{ endsRebuild: true }])
  })

  it('tries again when the warehouse goes away at its end', async () => {
    const bench = await Bench.open({ [unseen]: '1' }, true, 1)
    bench.take(NOW, [kept, '1'])
    bench.warehouse.trouble = down
    await bench.flush(NOW)
    expect(bench.warnings.at(-1)).toMatch(/It is down/)
    bench.warehouse.trouble = undefined
    await bench.flush(NOW + 1_000, true)
    expect(bench.rows).toEqual({ [kept]: '1' })
    expect(bench.warehouse.flushes.at(-1)).toMatchObject({ endsRebuild: true })
  })
})
