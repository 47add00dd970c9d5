import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBuckets } from '../../src/model/log-buckets.js'

/** What logarithms and powers round away, beside the accuracy. */
const ROUNDING = 1e-9

const accuracies = fc.constantFrom(0.0001, 0.01, 0.05, 0.5)
const sizes = fc.oneof(
  fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
  fc.double({ min: 0.001, max: 1e9, noNaN: true }),
  fc.nat(),
)
const values = fc.tuple(sizes, fc.boolean()).map(([size, negative]) => (negative ? -size : size))

describe('LogBuckets', () => {
  it('knows each value within the accuracy', () => {
    fc.assert(
      fc.property(accuracies, values, (accuracy, value) => {
        const buckets = new LogBuckets(accuracy)
        const error = Math.abs(buckets.valueOf(buckets.bucketOf(value)) - value)
        expect(error).toBeLessThanOrEqual(accuracy * Math.abs(value) * (1 + ROUNDING) + Math.abs(value) * ROUNDING)
      }),
      { numRuns: 2000 },
    )
  })

  it('numbers buckets in the order of the values, and their values in the order of the buckets', () => {
    fc.assert(
      fc.property(accuracies, values, values, (accuracy, a, b) => {
        const buckets = new LogBuckets(accuracy)
        const [low, high] = [buckets.bucketOf(Math.min(a, b)), buckets.bucketOf(Math.max(a, b))]
        expect(low).toBeLessThanOrEqual(high)
        expect(buckets.valueOf(low)).toBeLessThanOrEqual(buckets.valueOf(high))
      }),
      { numRuns: 2000 },
    )
  })

  it('has whole numbers of 32 bits, also at the ends', () => {
    for (const accuracy of [0.0001, 0.01, 0.5]) {
      const buckets = new LogBuckets(accuracy)
      const ends = [1e-300, 1, 1e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map(value => buckets.bucketOf(value))
      expect(ends[0]).toBeGreaterThan(0)
      for (const bucket of ends) expect(bucket | 0).toBe(bucket)
      expect(ends[4]).toBe(ends[2])
      expect(buckets.bucketOf(Number.NEGATIVE_INFINITY)).toBe(-(ends[2] as number))
      expect(Number.isFinite(buckets.valueOf(ends[2] as number))).toBe(true)
    }
  })

  it('has zero, and what is next to it, in bucket 0', () => {
    const buckets = new LogBuckets(0.01)
    for (const value of [0, -0, 1e-301, -Number.MIN_VALUE]) expect(buckets.bucketOf(value)).toBe(0)
    expect(buckets.valueOf(0)).toBe(0)
    expect(buckets.bucketOf(Number.NaN)).toBeNaN()
  })

  it('takes at most 116 buckets for a factor of 10 at 1 %', () => {
    const buckets = new LogBuckets(0.01)
    expect(buckets.bucketOf(1000) - buckets.bucketOf(100)).toBe(115)
    for (let low = 1; low < 100; low++) {
      expect(buckets.bucketOf(10 * low) - buckets.bucketOf(low)).toBeLessThanOrEqual(116)
    }
  })

  it.each([0, 0.00009, 0.51, 1, -0.01, Number.NaN])('refuses an accuracy of %s', accuracy => {
    expect(() => new LogBuckets(accuracy)).toThrow(
      `The accuracy of logBucket is ${accuracy}, but must be from 0.0001 to 0.5: the largest relative error of a quantile. Leave it out for 0.01.`,
    )
  })
})
