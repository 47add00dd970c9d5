import { describe, expect, it } from 'vitest'
import { SplitMix } from '../../bench/split-mix.js'

const MASK = 2n ** 64n - 1n

/** The generator as its paper has it. */
function* reference(seed: bigint): Generator<bigint> {
  for (let state = seed; ; ) {
    state = (state + 0x9e3779b97f4a7c15n) & MASK
    let z = state
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
    yield z ^ (z >> 31n)
  }
}

describe('SplitMix64', () => {
  it.each([0, 1, 42, 2 ** 31 - 1])('gives the numbers of its paper from seed %d', seed => {
    const random = new SplitMix(seed)
    const numbers = reference(BigInt(seed))
    for (let i = 0; i < 10_000; i++) {
      random.next()
      const number = (BigInt(random.high >>> 0) << 32n) | BigInt(random.low >>> 0)
      expect(number).toBe(numbers.next().value)
    }
  })

  it('gives whole numbers below a bound and fractions as Java does', () => {
    const random = new SplitMix(42)
    const numbers = reference(42n)
    const next = () => numbers.next().value as bigint
    for (const below of [4, 500, 100_000, 600_000, 2 ** 21]) {
      expect(random.below(below)).toBe(Number((next() >> 1n) % BigInt(below)))
      expect(random.fraction()).toBe(Number(next() >> 11n) * 2 ** -53)
    }
  })
})
