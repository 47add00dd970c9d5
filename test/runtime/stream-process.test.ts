import { aggregate, aggregator, count, repartition, to, topic, topology, tumbling, warehouse, window } from 'millrace'
import { describe, expect, it } from 'vitest'
import { LogError } from '../../src/ports/log.js'
import type { StreamProcess } from '../../src/runtime/stream-process.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { type Event, events, T0 } from './events.js'
import { TestGroup } from './group.js'

const ids = aggregator<Event, number[]>({
  state: { type: 'array', items: 'long' },
  zero: [],
  add: (list, { id }) => [...list, id],
  merge: (a, b) => [...a, ...b],
})

const combined = topology(
  'group',
  events.pipe(
    repartition('by-k', { by: 'k' }),
    window(tumbling('10ms')),
    aggregate('lists', { ids }, { emit: 'final' }),
    to(topic('out')),
  ),
)
/** On the source itself. */
const local = topology(
  'group',
  events.pipe(window(tumbling('10ms')), aggregate('lists', { ids }, { emit: 'final' }), to(topic('out'))),
)

/** The windows of the table "rows". */
const spec = {
  name: 'rows',
  columns: [{ name: 'window_start', type: 'timestamp', nullable: false }],
  key: ['window_start'],
  sortKey: [],
} as const

const at = (ms: number, id: number) => ({ at: T0 + ms, id })
const closing = at(100, 99)

async function steps(process: StreamProcess, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await process.step(0)
}

/** An aborted transaction, once, at the n-th of an operation. */
function failing(operation: string, at: number) {
  let left = at
  return {
    before(name: string) {
      if (name === operation && --left === 0) throw new LogError('abort', 'The broker says no.')
    },
  }
}

describe('an aborted transaction', () => {
  it.each(['begin', 'sendOffsets', 'commit'])('at %s is done again from the last commit, in order', async operation => {
    for (let n = 1; n <= 4; n++) {
      const group = await TestGroup.create()
      const process = await group.start(combined, { watch: { ...failing(operation, n), pollRecords: 2 } })
      await group.send(0, at(0, 1), at(1, 2), at(2, 3), at(3, 4), at(4, 5), at(5, 6), closing)
      await process.settle()
      expect(await group.values('out')).toEqual([{ ids: [1, 2, 3, 4, 5, 6] }])
      expect((await process.status()).accounting).toMatchObject({ read: 7, aggregated: 7 })
      await process.close()
    }
  })

  it('in the middle of a rebalance lets the partitions go, and restores those that stay', async () => {
    const group = await TestGroup.create(2)
    let refuse = false
    const watch = {
      before(name: string) {
        if (name === 'sendOffsets' && refuse) {
          refuse = false
          throw new LogError('abort', 'The broker says no.')
        }
      },
      pollRecords: 1,
    }
    const first = await group.start(combined, { watch, instanceId: 'first' })
    await group.send(0, at(0, 1), at(1, 2), at(2, 3), at(3, 4), closing)
    await group.send(1, at(0, 5), at(1, 6), at(2, 7), closing)
    await steps(first, 4)
    const second = await group.start(combined, { instanceId: 'second' })
    await second.step(0)
    refuse = true
    await steps(first, 2)
    for (let i = 0; i < 20; i++) for (const process of [first, second]) await process.step(0)
    const [first6, ...others] = await group.values('out')
    expect(others).toEqual([])
    expect([...(first6!.ids as number[])].sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
    await first.close()
    await second.close()
  })

  it('does not take rows from a sink that were polled with it', async () => {
    const group = await TestGroup.create()
    const rows = topology(
      'group',
      events.pipe(
        repartition('by-k', { by: 'k' }),
        window(tumbling('10ms')),
        aggregate('lists', { c: count() }),
        to(warehouse('rows')),
      ),
    )
    for (let n = 1; n < 8; n++) {
      const process = await group.start(rows, { watch: failing('begin', n) })
      for (const id of [2 * n, 2 * n + 1]) {
        await group.send(0, at(10 * id, id))
        await process.settle()
      }
      await process.close()
    }
    const starts: unknown[] = []
    for await (const [start] of group.warehouse.rows(spec)) starts.push((start as Date).getTime() - T0)
    expect(starts).toHaveLength(14)
  })
})

describe('a process', () => {
  it('that is replaced by one of the same instance id is fenced, and has no effect any more', async () => {
    const group = await TestGroup.create()
    const first = await group.start(local)
    await first.settle()
    await group.send(0, at(0, 1))
    const second = await group.start(local)
    await expect(first.step(0)).rejects.toMatchObject({ code: 'LOG_FENCED' })
    await first.kill()
    await second.settle()
    await group.send(0, at(1, 2), closing)
    await second.settle()
    expect(await group.values('out')).toEqual([{ ids: [1, 2] }])
    await second.close()
  })

  it('that lost its session closes without a commit', async () => {
    const group = await TestGroup.create()
    const engine = memoryEngine()
    const first = await group.start(local, { instanceId: 'first', engine, commitInterval: 1_000_000 })
    await steps(first, 2)
    await group.send(0, at(0, 1))
    await steps(first, 2)
    group.clock.time += 101
    const second = await group.start(local, { instanceId: 'second' })
    await second.settle()
    await group.send(0, closing)
    await second.settle()
    await first.close()
    await group.start(local, { instanceId: 'third', engine })
    expect(await group.values('out')).toEqual([{ ids: [1] }])
  })

  it('that lost its session does not claim for its store what its successor wrote', async () => {
    const group = await TestGroup.create()
    const engine = memoryEngine()
    const first = await group.start(local, { instanceId: 'first', engine })
    await group.send(0, at(0, 1))
    await first.settle()
    group.clock.time += 101
    const second = await group.start(local, { instanceId: 'second' })
    await group.send(0, at(1, 2))
    await second.settle()
    await first.close()
    await second.close()
    const again = await group.start(local, { instanceId: 'first', engine })
    await group.send(0, closing)
    await again.settle()
    expect(await group.values('out')).toEqual([{ ids: [1, 2] }])
    await again.close()
  })

  it('that crashes between its transaction and its store finds the rest in the changelog', async () => {
    const group = await TestGroup.create()
    const engine = memoryEngine()
    let writes = 0
    const before = (name: string) => {
      if (name === 'write' && ++writes === 3) throw new Error('The machine is gone.')
    }
    const first = await group.start(local, { engine, watch: { before } })
    await group.send(0, at(0, 1))
    await first.settle()
    await group.send(0, at(1, 2))
    await expect(first.settle()).rejects.toThrow('The machine is gone.')
    await first.kill()
    const second = await group.start(local, { engine })
    await second.settle()
    await group.send(0, closing)
    await second.settle()
    expect(await group.values('out')).toEqual([{ ids: [1, 2] }])
    expect((await second.status()).accounting).toMatchObject({ read: 3, aggregated: 3 })
    await second.close()
  })

  it('is not stopped by offsets that the new owner of its partitions commits while it reads them', async () => {
    const group = await TestGroup.create()
    let second: StreamProcess | undefined
    let committed = false
    let stolen = false
    const before = async (name: string) => {
      committed ||= name === 'committed'
      if (!committed || name !== 'watermarks' || stolen) return
      stolen = true
      group.clock.time += 101
      second = await group.start(local, { instanceId: 'second' })
      await group.send(0, at(1, 2))
      await second.settle()
    }
    const seed = await group.start(local, { instanceId: 'seed' })
    await group.send(0, at(0, 1))
    await seed.settle()
    await seed.close()
    const first = await group.start(local, { instanceId: 'first', watch: { before } })
    await first.settle()
    expect(second).toBeDefined()
    await group.send(0, closing)
    for (let i = 0; i < 10; i++) for (const process of [first, second!]) await process.step(0)
    expect(await group.values('out')).toEqual([{ ids: [1, 2] }])
  })

  it('takes no partition for idle while it was too busy to look', async () => {
    const group = await TestGroup.create(2)
    const impatient = topology(
      'group',
      { idleAfter: '50ms' },
      events.pipe(
        repartition('by-k', { by: 'k' }),
        window(tumbling('10ms')),
        aggregate('lists', { ids }, { emit: 'final' }),
        to(topic('out')),
      ),
    )
    let restoring = false
    const before = async (name: string) => {
      if (name !== 'committed' || !restoring) return
      restoring = false
      group.clock.time += 60
      await group.send(0, at(5, 3))
    }
    const first = await group.start(impatient, { instanceId: 'first', watch: { before } })
    const second = await group.start(impatient, { instanceId: 'second' })
    const both = async () => {
      for (let i = 0; i < 15; i++) for (const process of [first, second]) await process.step(0)
    }
    await both()
    await group.send(0, at(0, 1))
    await group.send(1, at(0, 2), at(30, 4))
    await both()
    await second.close()
    restoring = true
    for (let i = 0; i < 10; i++) await first.step(0)
    await group.send(0, at(30, 5))
    await first.settle()
    expect((await first.status()).lateAfterIdle).toBe(0)
    const rows = (await group.values('out')).map(row => [...(row.ids as number[])].sort())
    expect(rows).toEqual([[1, 2, 3]])
    await first.close()
  })

  it('sends one partial a key and window and commit, however many records there are', async () => {
    const group = await TestGroup.create()
    const process = await group.start(combined)
    await process.settle()
    const before = (await group.records('group-by-k-repartition')).length
    await group.send(0, ...Array.from({ length: 500 }, (_, i) => at(i % 10, i)))
    await process.settle()
    const sent = (await group.records('group-by-k-repartition')).slice(before)
    expect(sent.filter(({ key }) => key !== null)).toHaveLength(1)
    await process.close()
  })

  it('warns of stores that may take more memory than planned', async () => {
    const group = await TestGroup.create()
    const warnings: string[] = []
    const logger = { info: () => undefined, warn: (message: string) => warnings.push(message) }
    const memory = { heldBytes: 1e6, cacheBytes: 1e6, sinkBytes: 1e6, storeBytes: 1e6 }
    const process = await group.start(local, { memory, logger })
    await process.settle()
    await process.close()
    expect(warnings).toEqual([expect.stringContaining('1 stores may take up to 64 MiB of memory')])
  })

  it.each([combined, local])('commits before it is time to where it holds too much', async one => {
    const committed = async (heldBytes: number) => {
      const group = await TestGroup.create()
      const memory = { heldBytes, cacheBytes: 0, sinkBytes: 1_000_000, storeBytes: 1_000_000 }
      const process = await group.start(one, { memory, commitInterval: 60_000 })
      await process.settle()
      await group.send(0, at(0, 1), at(1, 2), at(2, 3))
      await steps(process, 3)
      const early = process.health().uncommittedSince === undefined
      await process.kill()
      return early
    }
    expect(await committed(1_000_000)).toBe(false)
    expect(await committed(100)).toBe(true)
  })

  it('stops over offsets that were changed from outside, and says which', async () => {
    const group = await TestGroup.create()
    const first = await group.start(local)
    await group.send(0, at(0, 1), at(1, 2))
    await first.settle()
    await first.close()
    const consumer = await group.log.consumer({ group: 'group' })
    await consumer.commit([{ topic: 'events', partition: 0, offset: 1 }])
    const second = await group.start(local)
    await expect(second.settle()).rejects.toThrow(
      /committed offset of events\/0 is 1, but group-progress says 2.*Put the offset back/,
    )
  })
})

describe('at least once', () => {
  it('keeps a window in the changelog until the offset behind its last record is safe', async () => {
    for (let flushes = 1; flushes < 12; flushes++) {
      const group = await TestGroup.create()
      let left = flushes
      const before = (name: string) => {
        if (name === 'flush' && --left === 0) throw new Error('The machine is gone.')
      }
      const options = { guarantee: 'at_least_once' } as const
      const seed = await group.start(local, options)
      await group.send(0, at(0, 1), at(1, 2))
      await seed.settle()
      await seed.close()
      const first = await group.start(local, { ...options, watch: { before } })
      await group.send(0, at(2, 3), closing)
      const died = await first.settle().then(
        () => false,
        () => true,
      )
      await first.kill()
      const second = await group.start(local, options)
      await second.settle()
      const rows = await group.values('out')
      for (const row of rows)
        expect(row.ids, `died at flush ${flushes}: ${died}`).toEqual(expect.arrayContaining([1, 2, 3]))
      expect(rows.length).toBeGreaterThan(0)
      await second.close()
    }
  })
})
