import { describe, expect, it } from 'vitest'
import { type Asked, blendedWall, type Cost, figures, percentile, skew } from '../../../bench/presto/figures.js'

const cost = (trinoCpu: number, postgresCpu: number, blocks: number, walls: readonly number[]): Cost => {
  return { trinoCpu, postgresCpu, blocks, walls, rows: 1, sessions: 1 }
}
const asked: readonly Asked[] = [
  { name: 'a', title: 'A', raw: cost(4, 2, 900, [4, 8]), rolledUp: cost(0.02, 0.01, 6, [0.1, 0.2]), wrongAnswers: 0 },
  { name: 'b', title: 'B', raw: cost(1, 1, 100, [1, 1]), rolledUp: cost(0.02, 0.03, 4, [0.1, 0.1]), wrongAnswers: 1 },
  { name: 'c', title: 'C', raw: cost(1, 1, 500, [3, 3]), wrongAnswers: 0 },
]

describe('the figures of twelve questions', () => {
  it('are sums over the answerable questions, and savings over all', () => {
    expect(figures(asked, 1)).toEqual({
      questions: 3,
      answerable: 2,
      wrongAnswers: 1,
      cpuRatio: 100,
      blocksRatio: 100,
      p95Ratio: 40,
      blendedCpuSaving: 0.792,
      coverage: 0.8,
      peakPipelineSessions: 1,
    })
  })

  it('blend the wall clock with the raw one where there is no rollup', () => {
    const { before, after } = blendedWall(asked)
    expect(before).toBeCloseTo((6 + 1 + 3) / 3)
    expect(after).toBeCloseTo((0.15 + 0.1 + 3) / 3)
  })

  it('take percentiles by the nearest rank', () => {
    expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3)
    expect(percentile([5, 1, 4, 2, 3], 0.95)).toBe(5)
    expect(percentile([5, 1], 0)).toBe(1)
    expect(() => percentile([], 0.5)).toThrow(RangeError)
  })

  it('call the hottest partition over the mean the skew', () => {
    expect(skew([10, 10, 10, 10])).toBe(1)
    expect(skew([0, 0, 40, 0])).toBe(4)
  })
})
