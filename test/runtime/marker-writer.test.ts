import { describe, expect, it } from 'vitest'
import {
  closesPassed,
  decodeMarker,
  encodeMarker,
  type LaneState,
  MarkerWriter,
} from '../../src/runtime/marker-writer.js'
import type { WindowSpec } from '../../src/topology/node.js'

const never = Number.NEGATIVE_INFINITY
const window: WindowSpec = { type: 'tumbling', size: 10, advance: 10, grace: 5 }

class Lane implements LaneState {
  nextOffset = 0
  time = never
  idle: number | null = null

  constructor(readonly partition: number) {}

  timeAt(_now: number, lag: number): number {
    return this.time - lag
  }

  idleClock(): number | null {
    return this.idle
  }
}

function writer(lag = 0, windows = [window]) {
  const closes = windows.map(one => ({ window: one, lag: 0 }))
  return new MarkerWriter({ topic: 'events', count: 2 }, closes, lag, 1_000)
}

describe('a marker is due', () => {
  it('in the first commit after an assignment, also of a lane that has read nothing', () => {
    const markers = writer()
    expect(markers.due(0)).toBe(false)
    markers.add(new Lane(0))
    expect(markers.due(0)).toBe(true)
    expect(markers.take(0)).toEqual({
      lanes: { topic: 'events', count: 2 },
      entries: [{ partition: 0, time: never, nextOffset: 0, idleClock: null }],
    })
    expect(markers.due(100_000)).toBe(false)
  })

  it('when a lane passes a close, or moved at all for markerInterval', () => {
    const markers = writer()
    const lane = new Lane(0)
    lane.time = 5
    markers.add(lane)
    markers.take(0)
    lane.time = 14
    expect(markers.due(999)).toBe(false)
    expect(markers.due(1_000)).toBe(true)
    lane.time = 15
    expect(markers.due(1)).toBe(true)
    markers.take(1)
    lane.time = 24
    expect(markers.due(2)).toBe(false)
    lane.time = 25
    expect(markers.due(2)).toBe(true)
  })

  it('when a lane becomes idle, when its clock passes a close, and when it resumes', () => {
    const markers = writer()
    const lane = new Lane(0)
    markers.add(lane)
    markers.take(0)
    lane.idle = 20
    expect(markers.due(50)).toBe(true)
    expect(markers.take(50).entries).toEqual([{ partition: 0, time: never, nextOffset: 0, idleClock: 20 }])
    lane.idle = 24
    expect(markers.due(54)).toBe(false)
    lane.idle = 25
    expect(markers.due(55)).toBe(true)
    markers.take(55)
    lane.idle = null
    expect(markers.due(56)).toBe(true)
    expect(markers.take(56).entries[0]!.idleClock).toBeNull()
    expect(markers.due(57)).toBe(false)
  })

  it('and speaks of all lanes of the process, until they are removed', () => {
    const markers = writer()
    const lanes = [new Lane(0), new Lane(1)]
    for (const lane of lanes) markers.add(lane)
    lanes[1]!.time = 100
    expect(markers.take(0).entries.map(({ partition, time }) => [partition, time])).toEqual([
      [0, never],
      [1, 100],
    ])
    markers.remove(lanes[1]!)
    lanes[1]!.time = 1_000
    expect(markers.due(10_000)).toBe(false)
    expect(markers.take(0).entries).toHaveLength(1)
  })

  it('of a lane behind a table lags behind its task and is never idle', () => {
    const markers = writer(15)
    const lane = new Lane(0)
    lane.time = 30
    lane.idle = 30
    markers.add(lane)
    expect(markers.behindTable).toBe(true)
    expect(markers.take(0).entries).toEqual([{ partition: 0, time: 15, nextOffset: 0, idleClock: null }])
    lane.time = 39
    expect(markers.due(1)).toBe(false)
    lane.time = 40
    expect(markers.due(1)).toBe(true)
  })
})

describe('closesPassed', () => {
  it('is the ordinal of the last window that is closed', () => {
    expect([14, 15, 24, 25].map(time => closesPassed(window, time))).toEqual([-1, 0, 0, 1])
    const hopping: WindowSpec = { type: 'hopping', size: 10, advance: 5, grace: 0 }
    expect([9, 10, 14, 15].map(time => closesPassed(hopping, time))).toEqual([-1, 0, 0, 1])
  })

  it('never moves for a window that does not close', () => {
    const global: WindowSpec = { type: 'global', size: Infinity, advance: Infinity, grace: 0 }
    expect(closesPassed(global, 1e15)).toBe(never)
    expect(closesPassed(window, never)).toBe(never)
  })
})

describe('a marker as bytes', () => {
  it('reads as it was written', () => {
    const marker = {
      lanes: { topic: 'events', count: 3 },
      entries: [
        { partition: 0, time: never, nextOffset: 0, idleClock: null },
        { partition: 2, time: 1_700_000_000_000, nextOffset: 2 ** 40, idleClock: 5 },
      ],
    }
    const bytes = encodeMarker(Buffer.from('header'), marker)
    expect(decodeMarker(bytes.toString('utf8', 6))).toEqual(marker)
  })
})
