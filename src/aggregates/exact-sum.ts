import type { AvroSchema } from '../model/avro-schema.js'
import { decodeBigInt, encodeBigInt } from './integer.js'
import { divideUnits, fromUnits, toUnits } from './quotient.js'

/** Doubles from here on are summed as bigints, so that sums of smaller ones cannot overflow on the way. */
const WIDE = 2 ** 900

/** Avro branches of {@link ExactSum.encode}, to be put in a union. */
export const EXACT_SUM_BRANCHES: readonly AvroSchema[] = [{ type: 'array', items: 'double' }, 'bytes']

/**
 * The exact sum of doubles: what order they came in changes neither the result nor the encoded bytes.
 *
 * Finite values are kept as partials whose exact sum is the sum (J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic",
 * 1997, as Python's `math.fsum`) and rounded once. Values from 2^900 on, which could overflow on the way, are kept as a bigint.
 * NaN and the infinities are absorbing: any NaN, or both infinities, give NaN.
 */
export class ExactSum {
  /** Non-zero, not overlapping, ascending in magnitude; their exact sum is the sum of all values below {@link WIDE}. */
  private readonly partials: number[] = []
  /** Sum of all finite values from {@link WIDE} on, in units of 2^-1074. */
  private wide = 0n
  /** Sum of the values that are not finite; 0 where there were none. */
  private special = 0

  add(value: number): void {
    if (Math.abs(value) < WIDE) grow(this.partials, value)
    else if (Number.isFinite(value)) this.wide += toUnits(value)
    else this.special += value
  }

  addSum(other: ExactSum): void {
    for (const partial of other.partials) grow(this.partials, partial)
    if (other.wide !== 0n) this.wide += other.wide
    this.special += other.special
  }

  /** The sum, rounded once to the nearest double, ties to even. A sum of zero is +0; one beyond the doubles ±Infinity. */
  round(): number {
    if (this.special !== 0) return this.special
    return this.wide === 0n ? roundPartials(this.partials) : fromUnits(this.units())
  }

  /** The sum divided by `count`, rounded once to the nearest double, ties to even. */
  roundMean(count: number): number {
    if (this.special !== 0) return this.special
    if (this.wide === 0n && this.partials.length < 2) return roundPartials(this.partials) / count + 0
    return divideUnits(this.units(), count)
  }

  /**
   * A function of the sum alone: descending doubles of which each is the rest rounded; from 2^900 on the sum in units of 2^-1074 as
   * two's complement; of a sum that is not finite only that.
   */
  encode(): number[] | Buffer {
    if (this.special !== 0) return [Number.isNaN(this.special) ? Number.NaN : this.special]
    if (this.wide === 0n) {
      const rounded = roundPartials(this.partials)
      if (Math.abs(rounded) < WIDE) return canonical(this.partials, rounded)
    }
    const units = this.units()
    if (Math.abs(fromUnits(units)) >= WIDE) return encodeBigInt(units)
    const parts: number[] = []
    for (let rest = units; rest !== 0n; ) {
      const rounded = fromUnits(rest)
      parts.push(rounded)
      rest -= toUnits(rounded)
    }
    return parts
  }

  static decode(encoded: unknown): ExactSum {
    const sum = new ExactSum()
    if (Array.isArray(encoded)) for (const value of encoded) sum.add(value as number)
    else sum.wide = decodeBigInt(encoded as Uint8Array)
    return sum
  }

  private units(): bigint {
    let units = this.wide
    for (const partial of this.partials) units += toUnits(partial)
    return units
  }
}

/** Adds a value to partials without losing a bit. */
function grow(partials: number[], value: number): void {
  let x = value
  let kept = 0
  const length = partials.length
  for (let i = 0; i < length; i++) {
    let y = partials[i] as number
    if (Math.abs(x) < Math.abs(y)) {
      const larger = y
      y = x
      x = larger
    }
    const high = x + y
    const low = y - (high - x)
    if (low !== 0) partials[kept++] = low
    x = high
  }
  if (x !== 0) partials[kept++] = x
  if (kept < length) partials.length = kept
}

/** The partials' exact sum, rounded to the nearest double, ties to even. */
function roundPartials(partials: readonly number[]): number {
  let i = partials.length
  if (i === 0) return 0
  let high = partials[--i] as number
  let low = 0
  while (i > 0 && low === 0) {
    const x = high
    const y = partials[--i] as number
    high = x + y
    low = y - (high - x)
  }
  // A tie was rounded to even, but a smaller partial of the same sign says that the sum is beyond the tie.
  if (i > 0 && low < 0 === (partials[i - 1] as number) < 0 && low !== 0) {
    const twice = low * 2
    const beyond = high + twice
    if (beyond - high === twice) return beyond
  }
  return high
}

function canonical(partials: readonly number[], rounded: number): number[] {
  if (partials.length < 2) return [...partials]
  const rest = [...partials]
  const parts: number[] = []
  for (let part = rounded; part !== 0; part = roundPartials(rest)) {
    parts.push(part)
    grow(rest, -part)
  }
  return parts
}
