import { aggregate, count, repartition, to, topology, tumbling, warehouse, window } from 'millrace'
import { describe, expect, it } from 'vitest'
import type { Warehouse } from '../../src/ports/warehouse.js'
import { events, T0 } from './events.js'
import { TestGroup } from './group.js'

const rows = topology(
  'group',
  events.pipe(
    repartition('by-k', { by: 'k' }),
    window(tumbling('10ms')),
    aggregate('counts', { c: count() }),
    to(warehouse('rows', { freshness: '20ms' })),
  ),
)
/** Its windows. */
const spec = {
  name: 'rows',
  columns: [
    { name: 'window_start', type: 'timestamp', nullable: false },
    { name: 'c', type: 'long', nullable: false },
  ],
  key: ['window_start'],
  sortKey: [],
} as const

/** Flushes do not come to an end before `answer` is called. */
function hanging(inner: Warehouse) {
  let answer: () => void = () => undefined
  const answered = new Promise<void>(resolve => {
    answer = resolve
  })
  const hung = { flushes: 0 }
  const warehouse: Warehouse = {
    ...inner,
    async openSink(identity) {
      const sink = await inner.openSink(identity)
      return {
        nextOffset: sink.nextOffset,
        rebuild: sink.rebuild,
        async flush(flush) {
          hung.flushes++
          await answered
          return sink.flush(flush)
        },
        keys: () => sink.keys(),
        close: () => sink.close(),
      }
    },
  }
  return { warehouse, hung, answer }
}

describe('sinks', () => {
  it('are given up while a warehouse does not answer, and what it does later is fenced', async () => {
    const group = await TestGroup.create(2)
    const { warehouse, hung, answer } = hanging(group.warehouse)
    const first = await group.start(rows, { instanceId: 'first', warehouse })
    for (let id = 0; hung.flushes === 0; id++) {
      await group.send(0, { at: T0 + 10 * id, id })
      await first.step(0)
      group.clock.time += 10
    }
    const second = await group.start(rows, { instanceId: 'second' })
    for (let i = 0; second.runningTasks.length === 0; i++) {
      expect(i).toBeLessThan(100)
      for (const process of [first, second]) await process.step(0)
    }
    // The row of the first window now comes from both, the older one's being under way in a flush.
    await group.send(1, { at: T0 + 1, id: 100 })
    answer()
    await first.close()
    await second.settle()
    const counts = new Map<number, unknown>()
    for await (const [start, c] of group.warehouse.rows(spec)) counts.set((start as Date).getTime() - T0, c)
    expect(hung.flushes).toBeGreaterThan(0)
    expect(Number(counts.get(0))).toBe(2)
    await second.close()
  })

  it('hold up nothing while the warehouse does not answer when they are opened', async () => {
    const group = await TestGroup.create(1, 600_000)
    let answer: () => void = () => undefined
    const answered = new Promise<void>(resolve => {
      answer = resolve
    })
    let asked = 0
    const silent: Warehouse = {
      ...group.warehouse,
      async prepare(table) {
        asked++
        await answered
        return group.warehouse.prepare(table)
      },
    }
    const process = await group.start(rows, { warehouse: silent })
    for (let id = 0; id < 20; id++) {
      await group.send(0, { at: T0 + 10 * id, id })
      await process.step(0)
      group.clock.time += 5_000
    }
    const { accounting } = await process.status()
    expect(accounting.aggregated).toBeGreaterThan(10)
    expect(process.health()).toMatchObject({ sinksOpen: 0, sinksWaiting: 1 })
    expect(process.health()).not.toHaveProperty('uncommittedSince')
    expect(asked).toBe(1)
    answer()
    await process.settle()
    expect(process.health()).toMatchObject({ sinksOpen: 1, sinksWaiting: 0 })
    let counted = 0
    for await (const [, c] of group.warehouse.rows(spec)) counted += Number(c)
    expect(counted).toBe(20)
    await process.close()
  })

  it('that are given up while they are opened are not taken from their next owner', async () => {
    const group = await TestGroup.create(1)
    let answer: () => void = () => undefined
    const answered = new Promise<void>(resolve => {
      answer = resolve
    })
    let opened = 0
    const slow: Warehouse = {
      ...group.warehouse,
      async prepare(table) {
        await answered
        return group.warehouse.prepare(table)
      },
      openSink(identity) {
        opened++
        return group.warehouse.openSink(identity)
      },
    }
    const first = await group.start(rows, { instanceId: 'first', warehouse: slow })
    await group.send(0, { at: T0, id: 1 })
    for (let i = 0; i < 10; i++) await first.step(0)
    expect(first.health().sinksWaiting).toBe(1)
    group.clock.time += 101
    const second = await group.start(rows, { instanceId: 'second' })
    await second.settle()
    await first.step(0)
    answer()
    await first.close()
    expect(opened).toBe(0)
    await group.send(0, { at: T0 + 10, id: 2 })
    await second.settle()
    let counted = 0
    for await (const [, c] of group.warehouse.rows(spec)) counted += Number(c)
    expect(counted).toBe(2)
    await second.close()
  })
})
