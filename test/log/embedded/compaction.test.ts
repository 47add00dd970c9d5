import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compact } from '../../../src/log/embedded/compaction.js'
import { embeddedLog } from '../../../src/log/embedded/embedded-log.js'
import { LogStorage } from '../../../src/log/embedded/log-storage.js'
import { RecordChunkWriter } from '../../../src/log/embedded/record-chunk.js'
import { memoryEngine } from '../../../src/state/memory/memory-engine.js'
import { ManualClock } from '../clocks.js'
import { plain } from '../member.js'

const DAY = 86_400_000

async function storageOf(config: Record<string, string>) {
  const engine = memoryEngine()
  const clock = new ManualClock()
  const storage = await LogStorage.open(await engine.open('log'), 'the embedded log', clock)
  await storage.createTopics([{ name: 't', partitions: 1, config }])
  const at = storage.partition({ topic: 't', partition: 0 })
  const append = async (records: readonly (readonly [key: string | null, value: string | null])[]) => {
    const chunk = new RecordChunkWriter()
    for (const [key, value] of records) {
      chunk.add(key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value), 1, [
        ['h', `${value}`],
      ])
    }
    await storage.append([{ at, chunks: [chunk] }], [], () => undefined)
  }
  const rest = async () => {
    const log = await embeddedLog({ store: storage.store, clock })
    const records = []
    for await (const batch of log.read({ topic: 't', partition: 0 }, at.low, at.high)) records.push(...plain(batch))
    return records.map(({ offset, key, value }) => [offset, key, value])
  }
  return { storage, clock, at, append, rest }
}

describe('compaction', () => {
  it('keeps the last record of each key at its offset, and the last write untouched', async () => {
    const { storage, at, append, rest, clock } = await storageOf({ 'cleanup.policy': 'compact' })
    await append([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ])
    await append([
      ['c', '4'],
      [null, 'no key'],
    ])
    await append([
      ['b', '5'],
      ['b', '6'],
    ])
    await compact(storage.store, at, clock.now(), () => false)
    expect(await rest()).toEqual([
      [2, 'a', '3'],
      [3, 'c', '4'],
      [4, null, 'no key'],
      [5, 'b', '5'],
      [6, 'b', '6'],
    ])
    expect([at.low, at.high, at.cleanedTo]).toEqual([0, 7, 7])
  })

  it('keeps tombstones for delete.retention.ms', async () => {
    const { storage, at, append, rest, clock } = await storageOf({ 'cleanup.policy': 'compact' })
    await append([
      ['a', '1'],
      ['a', null],
    ])
    await append([['b', '2']])
    await compact(storage.store, at, clock.now(), () => false)
    expect(await rest()).toEqual([
      [1, 'a', null],
      [2, 'b', '2'],
    ])
    clock.time += DAY + 1
    await compact(storage.store, at, clock.now(), () => false)
    expect(await rest()).toEqual([[2, 'b', '2']])
    expect(at.high).toBe(3)
  })

  it('leaves what a reader needs: the last value of every key, whatever was written before', async () => {
    const write = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.string({ maxLength: 3 })), {
      minLength: 1,
      maxLength: 8,
    })
    const cases = fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 50 }), async writes => {
      const { storage, at, append, rest, clock } = await storageOf({ 'cleanup.policy': 'compact' })
      const all = writes.flat()
      for (const records of writes) await append(records)
      await compact(storage.store, at, clock.now(), () => false)
      const left = await rest()
      const last = new Map(all)
      expect(new Map(left.map(([, key, value]) => [key, value]))).toEqual(last)
      for (const [offset, key, value] of left) expect(all[Number(offset)]).toEqual([key, value])
      expect(left.length).toBeLessThanOrEqual(4 + (writes.at(-1)?.length ?? 0))
    })
    await fc.assert(cases, { numRuns: 50 })
  })

  it('runs by itself in a log that grows, also at opening, and readers see every key throughout', async () => {
    const engine = memoryEngine()
    const clock = new ManualClock()
    const open = async () => embeddedLog({ store: await engine.open('log'), clock, cleanEvery: 1_000 })
    let log = await open()
    await log.createTopics([{ name: 't', partitions: 1, config: { 'cleanup.policy': 'compact' } }])
    const producer = await log.producer()
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 100; i++) producer.send('t', 0, Buffer.from(`key ${i}`), Buffer.from(`${round}`), 1)
      await producer.flush()
    }
    await log.close()
    log = await open()
    const { high } = await log.watermarks({ topic: 't', partition: 0 })
    expect(high).toBe(4_000)
    const left = []
    for await (const batch of log.read({ topic: 't', partition: 0 }, 0, high)) left.push(...plain(batch))
    expect(left.length).toBeLessThan(2_500)
    expect(new Map(left.map(({ key, value }) => [key, value])).size).toBe(100)
    expect(left.slice(-100).every(({ value }) => value === '39')).toBe(true)
    await log.close()
  })
})

describe('retention', () => {
  it('removes what was appended longer ago than retention.ms, whatever its timestamp, and says so to late readers', async () => {
    const engine = memoryEngine()
    const clock = new ManualClock()
    const log = await embeddedLog({ store: await engine.open('log'), clock, cleanEvery: 1 })
    await log.createTopics([{ name: 't', partitions: 1, config: { 'retention.ms': String(7 * DAY) } }])
    const at = { topic: 't', partition: 0 }
    const producer = await log.producer()
    const write = async (value: string) => {
      producer.send('t', 0, null, Buffer.from(value), 5)
      await producer.flush()
      await new Promise(setImmediate)
    }
    await write('old')
    await write('old too')
    clock.time += 7 * DAY
    await write('new')
    expect(await log.watermarks(at)).toEqual({ low: 0, high: 3 })
    clock.time += 1
    await write('newer')
    expect(await log.watermarks(at)).toEqual({ low: 2, high: 4 })
    await expect(log.read(at, 0, 4)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'OFFSET_GONE' })
    await log.close()
    const again = await embeddedLog({ store: await engine.open('log'), clock })
    expect(await again.watermarks(at)).toEqual({ low: 2, high: 4 })
    await again.close()
  })
})
