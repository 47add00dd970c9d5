import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SortedMap } from '../../../src/state/memory/sorted-map.js'

const ORIGIN = Buffer.alloc(0)
const END = Buffer.alloc(5, 0xff)

const keyOf = (n: number) => {
  const key = Buffer.alloc(4)
  key.writeUInt32BE(n)
  return key
}
const numbers = (entries: Iterable<readonly [Buffer, Buffer]>) => [...entries].map(([key]) => key.readUInt32BE())

describe('SortedMap', () => {
  it('equals a plain map when chunks split, shrink and vanish', () => {
    const number = fc.integer({ min: 0, max: 5_000 })
    const action = fc.oneof(
      fc.record({ type: fc.constant('append' as const), count: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ type: fc.constant('scatter' as const), seed: number, count: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ type: fc.constant('delete' as const), seed: number, count: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ type: fc.constant('deleteRange' as const), from: number, to: number }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), number, number, (actions, from, to) => {
        const map = new SortedMap()
        const model = new Map<number, string>()
        const set = (n: number, value: string) => {
          map.set(keyOf(n), Buffer.from(value))
          model.set(n, value)
        }
        for (const [index, current] of actions.entries()) {
          const scattered = (i: number) => ('seed' in current ? (current.seed + i * 7_919) % 5_000 : 0)
          if (current.type === 'append') {
            const last = Math.max(-1, ...model.keys())
            for (let i = 1; i <= current.count; i++) set(last + i, `${index}`)
          } else if (current.type === 'scatter') {
            for (let i = 0; i < current.count; i++) set(scattered(i), `${index}`)
          } else if (current.type === 'delete') {
            for (let i = 0; i < current.count; i++) {
              map.delete(keyOf(scattered(i)))
              model.delete(scattered(i))
            }
          } else {
            map.deleteRange(keyOf(current.from), keyOf(current.to))
            for (const n of [...model.keys()]) if (n >= current.from && n < current.to) model.delete(n)
          }
        }
        const sorted = [...model.keys()].sort((a, b) => a - b)
        expect(numbers(map.snapshot(ORIGIN, END, false))).toEqual(sorted)
        const inside = sorted.filter(n => n >= from && n < to)
        expect(numbers(map.snapshot(keyOf(from), keyOf(to), false))).toEqual(inside)
        expect(numbers(map.snapshot(keyOf(from), keyOf(to), true))).toEqual(inside.reverse())
        for (const n of [from, to, ...sorted.slice(0, 50)]) {
          expect(map.get(keyOf(n))?.toString()).toBe(model.get(n))
        }
      }),
      { numRuns: 100 },
    )
  })

  it('shows a snapshot as it was taken, over inserts, overwrites and deletes in every chunk', () => {
    const map = new SortedMap()
    for (let n = 0; n < 3_000; n++) map.set(keyOf(2 * n), Buffer.from('old'))
    const snapshot = map.snapshot(ORIGIN, END, false)
    for (let n = 0; n < 3_000; n++) {
      if (n % 3 === 0) map.delete(keyOf(2 * n))
      else map.set(keyOf(2 * n + (n % 2)), Buffer.from('new'))
    }
    map.deleteRange(keyOf(1_000), keyOf(4_000))
    const entries = [...snapshot]
    expect(entries.map(([key]) => key.readUInt32BE())).toEqual(Array.from({ length: 3_000 }, (_, n) => 2 * n))
    expect(entries.every(([, value]) => value.toString() === 'old')).toBe(true)
  })

  it('inserts 200,000 keys in random order in time that does not grow with the square', () => {
    const map = new SortedMap()
    const value = Buffer.alloc(1)
    const started = performance.now()
    for (let n = 0; n < 200_000; n++) map.set(keyOf(Math.imul(n, 2_654_435_761) >>> 0), value)
    expect(performance.now() - started).toBeLessThan(5_000)
    let previous = -1
    let count = 0
    for (const n of numbers(map.snapshot(ORIGIN, END, false))) {
      if (n <= previous) throw new Error(`${n} after ${previous}`)
      previous = n
      count++
    }
    expect(count).toBe(200_000)
  })
})
