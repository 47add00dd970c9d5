import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LaneTable, type Marker } from '../../src/runtime/lane-table.js'

const never = Number.NEGATIVE_INFINITY

/** A marker of one lane of `count`. */
function says(partition: number, time: number, nextOffset: number, count = 2, idleClock: number | null = null): Marker {
  return { lanes: { topic: 'events', count }, entries: [{ partition, time, nextOffset, idleClock }] }
}

describe('stream time', () => {
  it('is the lowest of the lanes, once every lane has spoken', () => {
    const table = new LaneTable()
    expect(table.apply(says(0, 50, 1))).toBe(false)
    expect(table.streamTime).toBe(never)
    expect(table.apply(says(1, 20, 1))).toBe(true)
    expect(table.streamTime).toBe(20)
    expect(table.apply(says(1, 90, 2))).toBe(true)
    expect(table.streamTime).toBe(50)
  })

  it('waits for a lane that has read nothing', () => {
    const table = new LaneTable()
    table.apply(says(0, 50, 1))
    expect(table.apply(says(1, never, 0))).toBe(false)
    expect(table.streamTime).toBe(never)
  })

  it('never goes back, and lane times do not either', () => {
    const table = new LaneTable()
    for (const lane of [0, 1]) table.apply(says(lane, 50, 5))
    expect(table.apply(says(0, 10, 6))).toBe(false)
    expect(table.streamTime).toBe(50)
    table.apply(says(1, 70, 7))
    expect(table.streamTime).toBe(50)
  })

  it('ignores an entry with a lower offset, which a former owner wrote', () => {
    const table = new LaneTable()
    for (const lane of [0, 1]) table.apply(says(lane, 50, 5))
    table.apply(says(0, 80, 6))
    expect(table.apply(says(1, 500, 4, 2, 400))).toBe(false)
    expect(table.streamTime).toBe(50)
  })

  it('does not wait for idle lanes, and is the lowest of their clocks when all are idle', () => {
    const table = new LaneTable()
    table.apply(says(0, 50, 5))
    expect(table.apply(says(1, never, 0, 2, 1_000))).toBe(true)
    expect(table.streamTime).toBe(50)
    expect(table.apply(says(0, 50, 5, 2, 700))).toBe(true)
    expect(table.streamTime).toBe(700)
    table.apply(says(0, 60, 6))
    expect(table.streamTime).toBe(700)
  })

  it('counts lanes that were added later as idle until they speak', () => {
    const table = new LaneTable()
    for (const lane of [0, 1]) table.apply(says(lane, 50, 5))
    expect(table.apply(says(0, 60, 6, 4))).toBe(false)
    expect(table.apply(says(1, 70, 6, 4))).toBe(true)
    expect(table.streamTime).toBe(60)
    table.apply(says(3, 10, 1, 4))
    table.apply(says(0, 90, 7, 4))
    expect(table.streamTime).toBe(60)
    table.apply(says(3, 65, 2, 4))
    expect(table.streamTime).toBe(65)
  })

  it('is the same after each restore from its image', () => {
    const entry = fc.record({
      partition: fc.nat(3),
      time: fc.oneof(fc.constant(never), fc.nat(100)),
      nextOffset: fc.nat(20),
      idleClock: fc.option(fc.nat(100)),
    })
    const markers = fc.array(
      fc.record({ count: fc.integer({ min: 2, max: 4 }), entries: fc.array(entry, { maxLength: 4 }) }),
    )
    fc.assert(
      fc.property(markers, given => {
        const table = new LaneTable()
        let restored = new LaneTable()
        for (const { count, entries } of given) {
          const marker = { lanes: { topic: 'events', count }, entries: entries.filter(e => e.partition < count) }
          const [moved, before] = [table.apply(marker), restored.streamTime]
          expect(restored.apply(marker)).toBe(moved)
          expect(restored.streamTime).toBe(table.streamTime)
          expect(table.streamTime).toBeGreaterThanOrEqual(before)
          const image = JSON.parse(JSON.stringify(restored.image()))
          restored = new LaneTable()
          restored.restore(image)
        }
      }),
    )
  })
})
