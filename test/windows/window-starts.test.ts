import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WindowSpec } from '../../src/topology/node.js'
import { globalWindow } from '../../src/windows/global-window.js'
import { hopping } from '../../src/windows/hopping.js'
import { tumbling } from '../../src/windows/tumbling.js'
import { closeTime, windowEnd, windowStarts } from '../../src/windows/window-starts.js'

function startsOf(window: WindowSpec, timestamp: number): number[] {
  const into: number[] = []
  return into.slice(0, windowStarts(window, timestamp, into))
}

describe('windowStarts', () => {
  it('takes the start and leaves out the end', () => {
    const window = tumbling('10ms')
    expect(startsOf(window, 0)).toEqual([0])
    expect(startsOf(window, 9)).toEqual([0])
    expect(startsOf(window, 10)).toEqual([10])
    expect(startsOf(window, 1_700_000_000_123)).toEqual([1_700_000_000_120])
  })

  // As recorded from Kafka Streams 4.3.1 for size 10, advance 4.
  it('is ascending, and never negative', () => {
    const window = hopping('10ms', { advance: '4ms' })
    expect(startsOf(window, 0)).toEqual([0])
    expect(startsOf(window, 3)).toEqual([0])
    expect(startsOf(window, 4)).toEqual([0, 4])
    expect(startsOf(window, 9)).toEqual([0, 4, 8])
    expect(startsOf(window, 10)).toEqual([4, 8])
    expect(startsOf(window, 13)).toEqual([4, 8, 12])
  })

  it('gives all aligned windows that hold the timestamp', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(59), fc.nat(500), (size, short, timestamp) => {
        const advance = Math.max(1, size - short)
        const expected = []
        for (let start = 0; start <= timestamp; start += advance) if (timestamp < start + size) expected.push(start)
        expect(startsOf({ type: 'hopping', size, advance, grace: 0 }, timestamp)).toEqual(expected)
      }),
    )
  })

  it('writes into the same list again', () => {
    const into = [7, 7, 7, 7]
    expect(windowStarts(tumbling('10ms'), 25, into)).toBe(1)
    expect(into).toEqual([20, 7, 7, 7])
  })

  it('gives the global window its one start', () => {
    expect(startsOf(globalWindow(), 0)).toEqual([0])
    expect(startsOf(globalWindow(), Number.MAX_SAFE_INTEGER)).toEqual([0])
  })

  it('gives nothing before 1970', () => {
    expect(startsOf(tumbling('10ms'), -1)).toEqual([])
    expect(startsOf(hopping('10ms', { advance: '3ms' }), -1)).toEqual([])
    expect(startsOf(globalWindow(), -1)).toEqual([])
  })
})

describe('windowEnd and closeTime', () => {
  it('are start + size, and that + grace', () => {
    const window = hopping('10ms', { advance: '4ms', grace: '5ms' })
    expect(windowEnd(window, 8)).toBe(18)
    expect(closeTime(window, 8)).toBe(23)
  })

  it('are never for the global window', () => {
    expect(windowEnd(globalWindow(), 0)).toBe(Infinity)
    expect(closeTime(globalWindow(), 0)).toBe(Infinity)
  })
})
