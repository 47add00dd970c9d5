import { aggregate, aggregator, to, topic, topology, tumbling, window } from 'millrace'
import { describe, expect, it } from 'vitest'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { type Event, events, T0 } from './events.js'
import { TestGroup } from './group.js'

const ids = aggregator<Event, number[]>({
  state: { type: 'array', items: 'long' },
  zero: [],
  add: (list, { id }) => [...list, id],
  merge: (a, b) => [...a, ...b],
})

const lists = topology(
  'group',
  events.pipe(window(tumbling('10ms')), aggregate('lists', { ids }, { emit: 'final' }), to(topic('out'))),
)

const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`)
const closing = { at: T0 + 100, id: 999 }

/** A group whose partition 0 has state of 20 keys, and partition 1 of one; nobody runs. */
async function withState(sessionTimeoutMs = 100): Promise<TestGroup> {
  const group = await TestGroup.create(2, sessionTimeoutMs)
  const seed = await group.start(lists, { instanceId: 'seed' })
  await group.send(0, ...KEYS.map((k, id) => ({ k, id, at: T0 })))
  await group.send(1, { k: 'one', id: 100, at: T0 })
  await seed.settle()
  await seed.close()
  return group
}

async function idsOut(group: TestGroup): Promise<number[]> {
  return (await group.values('out')).flatMap(row => row.ids as number[]).sort((a, b) => a - b)
}

const ALL = [...KEYS.keys(), 100]

describe('restoring', () => {
  it('goes on in slices while a task that is ready runs, the one with the least to restore first', async () => {
    const group = await withState()
    const process = await group.start(lists, { restoreSlice: 0, watch: { pollRecords: 2 } })
    const seen: { running: number; done: number; total: number }[] = []
    for (let i = 0; i < 40 && process.health().running < 2; i++) {
      await process.step(0)
      const { done, total } = process.restoreProgress
      seen.push({ running: process.health().running, done, total })
      if (process.health().running === 1) await group.send(1, { k: 'one', id: 101, at: T0 })
    }
    const beside = seen.filter(({ running }) => running === 1)
    expect(beside.length).toBeGreaterThan(3)
    // The last figure of each is of partition 0 alone, which has 20 entries.
    expect(beside[0]!.total).toBeGreaterThanOrEqual(20)
    expect(beside.at(-1)!.done).toBeGreaterThan(beside[0]!.done)
    expect(process.health()).toMatchObject({ running: 2, restoring: 0 })
    await process.settle()
    const before = (await process.status()).accounting.aggregated
    expect(before).toBe(ALL.length + beside.length)
    await process.close()
  })

  it('commits for a running task while another one is restored', async () => {
    const group = await withState()
    const process = await group.start(lists, { restoreSlice: 0, watch: { pollRecords: 1 } })
    while (process.health().running === 0) await process.step(0)
    await group.send(1, closing)
    while ((await idsOut(group)).length === 0) {
      expect(process.health()).toMatchObject({ running: 1, restoring: 1 })
      await process.step(0)
    }
    expect(await idsOut(group)).toEqual([100])
    await group.send(0, closing)
    await process.settle()
    expect(await idsOut(group)).toEqual(ALL)
    await process.close()
  })

  it('that is interrupted goes on where it stood, in the same store', async () => {
    const group = await withState()
    const engine = memoryEngine()
    const first = await group.start(lists, { restoreSlice: 0, engine, watch: { pollRecords: 1 } })
    while (first.restoreProgress.done < 8) await first.step(0)
    const { total } = first.restoreProgress
    await first.kill()
    const second = await group.start(lists, { restoreSlice: 0, engine, watch: { pollRecords: 1 } })
    while (second.restoreProgress.total === 0) await second.step(0)
    for (let i = 0; i < 3; i++) await second.step(0)
    expect(second.restoreProgress.total).toBeLessThan(total - 5)
    await group.send(0, closing)
    await group.send(1, closing)
    await second.settle()
    expect(await idsOut(group)).toEqual(ALL)
    await second.close()
  })

  it('is given up when its partition is, and begun by the next owner', async () => {
    const group = await withState()
    const first = await group.start(lists, { instanceId: 'first', restoreSlice: 0, watch: { pollRecords: 1 } })
    while (first.restoreProgress.done < 4) await first.step(0)
    const second = await group.start(lists, { instanceId: 'second' })
    for (let i = 0; i < 60; i++) for (const process of [first, second]) await process.step(0)
    expect(first.health()).toMatchObject({ running: 1, restoring: 0 })
    expect(second.health()).toMatchObject({ running: 1, restoring: 0 })
    await group.send(0, closing)
    await group.send(1, closing)
    for (let i = 0; i < 10; i++) for (const process of [first, second]) await process.step(0)
    expect(await idsOut(group)).toEqual(ALL)
    await first.close()
    await second.close()
  })

  it('in the middle does not keep a process from closing', async () => {
    const group = await withState()
    const first = await group.start(lists, { restoreSlice: 0, watch: { pollRecords: 1 } })
    while (first.restoreProgress.done < 4) await first.step(0)
    await first.close()
    const second = await group.start(lists)
    await group.send(0, closing)
    await group.send(1, closing)
    await second.settle()
    expect(await idsOut(group)).toEqual(ALL)
    await second.close()
  })

  it('says how far it is, and how long it will take', async () => {
    const group = await withState(60_000)
    const lines: string[] = []
    const logger = { info: (line: string) => lines.push(line), warn: () => undefined }
    const process = await group.start(lists, { restoreSlice: 0, logger, watch: { pollRecords: 2 } })
    while (process.health().running < 2) {
      group.clock.time += 1_500
      await process.step(0)
    }
    expect(
      lines.some(line =>
        /^Restoring [12] tasks: \d+ of \d+ changelog records \(\d+ %\), about \d+ s left\.$/.test(line),
      ),
    ).toBe(true)
    expect(lines.filter(line => line.startsWith('Restoring')).length).toBeLessThan(10)
    expect(lines.at(-1)).toMatch(/^Running events\/0; restored 20 changelog records in \d+ ms\.$/)
    await process.close()
  })
})
