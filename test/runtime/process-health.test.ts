import { aggregate, count, repartition, to, topic, topology, tumbling, warehouse, window } from 'millrace'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/model/errors.js'
import type { Warehouse } from '../../src/ports/warehouse.js'
import { events, T0 } from './events.js'
import { TestGroup } from './group.js'

const rows = topology(
  'group',
  events.pipe(
    repartition('by-k', { by: 'k' }),
    window(tumbling('10ms')),
    aggregate('lists', { c: count() }),
    to(warehouse('rows')),
  ),
)
const local = topology(
  'group',
  events.pipe(window(tumbling('10ms')), aggregate('lists', { c: count() }), to(topic('out'))),
)

/** The warehouse of a group, which does not answer while `down`. */
function failing(inner: Warehouse, state: { down: boolean }): Warehouse {
  return {
    name: inner.name,
    async prepare(table) {
      if (state.down) throw new MillraceError('WAREHOUSE', 'It is out of reach.')
      return inner.prepare(table)
    },
    unstorable: (table, row) => inner.unstorable(table, row),
    openSink: identity => inner.openSink(identity),
    rows: table => inner.rows(table),
    close: () => inner.close(),
  }
}

describe('the health of a process', () => {
  it('says that it has not joined before its first poll, then what runs', async () => {
    const group = await TestGroup.create(2)
    const process = await group.start(local)
    expect(process.health()).toEqual({
      turnedAt: T0,
      joined: false,
      running: 0,
      restoring: 0,
      sinksOpen: 0,
      sinksWaiting: 0,
    })
    group.clock.time += 7
    await process.settle()
    expect(process.health()).toMatchObject({ turnedAt: T0 + 7, joined: true, running: 2, restoring: 0 })
    await process.close()
  })

  it('is joined where the group has no partition for it', async () => {
    const group = await TestGroup.create(1)
    const first = await group.start(local, { instanceId: 'first' })
    await first.settle()
    const second = await group.start(local, { instanceId: 'second' })
    await second.settle()
    const counts = [first, second].map(process => process.health().running)
    expect(counts.sort()).toEqual([0, 1])
    expect(second.health().joined).toBe(true)
    await first.close()
    await second.close()
  })

  it('says since when there is work that is not committed', async () => {
    const group = await TestGroup.create()
    const process = await group.start(local, { commitInterval: 50 })
    // A first record, so that the schema of the next one is known.
    await group.send(0, { at: T0, id: 0 })
    group.clock.time += 50
    await process.settle()
    expect(process.health()).not.toHaveProperty('uncommittedSince')
    await group.send(0, { at: T0, id: 1 })
    group.clock.time += 10
    const since = group.clock.time
    await process.step(0)
    expect(process.health().uncommittedSince).toBe(since)
    group.clock.time += 10
    await process.step(0)
    expect(process.health()).toMatchObject({ turnedAt: since + 10, uncommittedSince: since })
    group.clock.time += 50
    await process.step(0)
    expect(process.health()).not.toHaveProperty('uncommittedSince')
    await process.close()
  })

  it('counts sinks that wait for the warehouse', async () => {
    const group = await TestGroup.create()
    const state = { down: true }
    const process = await group.start(rows, { warehouse: failing(group.warehouse, state) })
    for (let i = 0; i < 5; i++) await process.step(0)
    expect(process.health()).toMatchObject({ running: 2, sinksOpen: 0, sinksWaiting: 1 })
    state.down = false
    // Longer than the sink waits between two tries.
    group.clock.time += 60_000
    await process.settle()
    expect(process.health()).toMatchObject({ running: 2, sinksOpen: 1, sinksWaiting: 0 })
    await process.close()
  })
})
