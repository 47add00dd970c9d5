import { describe, expect, it } from 'vitest'
import { HyperLogLog } from '../../src/aggregates/hyper-log-log.js'
import { denseEstimate, sparseEstimate } from '../../src/aggregates/hyper-log-log-estimate.js'
import { murmur3Long } from '../../src/aggregates/murmur3.js'

describe('sparseEstimate', () => {
  it('is exact to a fraction for small counts', () => {
    for (const occupied of [0, 1, 2, 100, 1000]) expect(Math.round(sparseEstimate(occupied))).toBe(occupied)
  })
})

describe('denseEstimate', () => {
  it('is 0 of empty registers and grows without bound', () => {
    expect(denseEstimate(new Uint8Array(2048), 11)).toBe(0)
    expect(denseEstimate(new Uint8Array(2048).fill(54), 11)).toBe(Infinity)
    expect(denseEstimate(new Uint8Array(2048).fill(53), 11)).toBeGreaterThan(1e18)
  })

  // 60 seeds a size: the mean error of unbiased estimates is below 0.6 standard errors in all but one run of a million,
  // and these runs are always the same.
  it.each([257, 400, 700, 1000, 2048, 4000, 8000, 20_000, 100_000])('has the stated error at %d values', count => {
    const standardError = 1.04 / Math.sqrt(2048)
    const into = new Int32Array(2)
    const errors: number[] = []
    for (let seed = 1; seed <= 60; seed++) {
      const sketch = new HyperLogLog(11)
      for (let i = 0; i < count; i++) {
        murmur3Long(seed, i, into)
        sketch.add(into[0]!, into[1]!)
      }
      errors.push((sketch.estimate() - count) / count)
    }
    const mean = errors.reduce((a, b) => a + b) / errors.length
    const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)
    expect(Math.abs(mean)).toBeLessThan(0.6 * standardError)
    expect(deviation).toBeLessThan(1.3 * standardError)
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5 * standardError)
  })
})
