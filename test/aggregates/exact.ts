import { integer } from '../../src/aggregates/integer.js'

// Exact arithmetic by another way than the aggregates': rationals of bigints, rounded by comparing candidates.

/** The exact value of a finite double as numerator over 2^1074. */
function numerator(value: number): bigint {
  let scaled = Math.abs(value)
  let exponent = 1074
  while (scaled !== Math.floor(scaled)) {
    scaled *= 2
    exponent--
  }
  const magnitude = BigInt(scaled) << BigInt(exponent)
  return value < 0 ? -magnitude : magnitude
}

/** Compares `top / bottom` with a finite double. */
function compareTo(top: bigint, bottom: bigint, value: number): number {
  const difference = (top << 1074n) - numerator(value) * bottom
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const word = new Float64Array(1)
const bits = new BigInt64Array(word.buffer)

function doubleAt(rank: bigint): number {
  bits[0] = rank
  return word[0] as number
}

function isEven(value: number): boolean {
  word[0] = value
  return (bits[0] as bigint) % 2n === 0n
}

/** The double nearest to `top / bottom` (bottom > 0), ties to even, found by bisection over all doubles. */
export function nearest(top: bigint, bottom: bigint): number {
  if (top < 0n) return -nearest(-top, bottom)
  // Ranks of positive doubles are their bits; the largest finite one is MAX_RANK.
  let low = 0n
  let high = 0x7fef_ffff_ffff_ffffn
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    if (compareTo(top, bottom, doubleAt(middle)) >= 0) low = middle
    else high = middle - 1n
  }
  const below = doubleAt(low)
  const above = doubleAt(low + 1n)
  const belowUnits = numerator(below)
  const aboveUnits = above === Infinity ? 1n << (1024n + 1074n) : numerator(above)
  const twice = (top << 1075n) - (belowUnits + aboveUnits) * bottom
  if (twice === 0n) return isEven(below) ? below : above
  return twice < 0n ? below : above
}

/** The exact sum of doubles, rounded once; by IEEE 754 where one of them is not finite. */
export function exactSum(values: readonly number[]): number {
  const special = values.filter(value => !Number.isFinite(value))
  if (special.length > 0) return special.reduce((a, b) => a + b)
  return (
    nearest(
      values.reduce((sum, value) => sum + numerator(value), 0n),
      1n << 1074n,
    ) + 0
  )
}

/** The exact mean of doubles, rounded once; null of none. */
export function exactMean(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const special = values.filter(value => !Number.isFinite(value))
  if (special.length > 0) return special.reduce((a, b) => a + b)
  return (
    nearest(
      values.reduce((sum, value) => sum + numerator(value), 0n),
      BigInt(values.length) << 1074n,
    ) + 0
  )
}

/** The exact sum of whole numbers: a number where it is safe. */
export function exactWhole(values: readonly (number | bigint)[]): number | bigint {
  return integer(values.reduce<bigint>((sum, value) => sum + BigInt(value), 0n))
}
