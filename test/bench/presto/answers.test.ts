import { describe, expect, it } from 'vitest'
import { estimateError, sameAnswer, withinStatedError } from '../../../bench/presto/answers.js'

const exact = new Map([
  ['hunt 2026-11-01', 1_000],
  ['raid 2026-11-01', 100],
])
const day = '2026-11-01 00:00:00.000000 UTC'

describe('answers', () => {
  it('are the same where every value and the order are', () => {
    expect(sameAnswer([['hunt', 1.5]], [['hunt', 1.5]])).toBe(true)
    expect(sameAnswer([['hunt', 1.5]], [['hunt', 1.5000000001]])).toBe(false)
    expect(sameAnswer([['hunt'], ['raid']], [['raid'], ['hunt']])).toBe(false)
    expect(sameAnswer([['hunt']], [['hunt'], ['raid']])).toBe(false)
  })

  it('with estimates are right within their error', () => {
    const error = estimateError(
      [
        ['hunt', day, 1_010],
        ['raid', day, 98],
      ],
      exact,
    )
    expect(error.worst).toBeCloseTo(0.02)
    expect(error.rms).toBeCloseTo(Math.sqrt((0.01 ** 2 + 0.02 ** 2) / 2))
    expect(error.wrongCells).toBe(0)
    expect(withinStatedError(error)).toBe(true)
  })

  it('with estimates are wrong where a cell is far off, missing, twice there or unknown', () => {
    const wrong = (...rows: unknown[][]) => estimateError(rows, exact).wrongCells
    expect(wrong(['hunt', day, 1_100], ['raid', day, 100])).toBe(1)
    expect(wrong(['hunt', day, 1_000])).toBe(1)
    expect(wrong(['hunt', day, 1_000], ['hunt', day, 1_000], ['raid', day, 100])).toBe(1)
    expect(wrong(['hunt', day, 1_000], ['raid', day, 100], ['boss', day, 1])).toBe(1)
    expect(wrong(['hunt', day, null], ['raid', day, 100])).toBe(1)
  })

  it('are wrong where all are off by more than the stated error, though none by much more', () => {
    const error = estimateError(
      [
        ['hunt', day, 1_050],
        ['raid', day, 105],
      ],
      exact,
    )
    expect(error.wrongCells).toBe(0)
    expect(withinStatedError(error)).toBe(false)
  })
})
