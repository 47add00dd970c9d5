/** Exact values of doubles are held as whole multiples of 2^-1074, the smallest double. */
const UNIT_BITS = 1074n
const SIGNIFICANT_BITS = 53

const word = new Float64Array(1)
const halves = new Uint32Array(word.buffer)

/** The finite double as a multiple of 2^-1074. */
export function toUnits(value: number): bigint {
  word[0] = value
  const high = halves[1] as number
  const exponent = (high >>> 20) & 0x7ff
  const fraction = BigInt(high & 0xfffff) * 0x1_0000_0000n + BigInt(halves[0] as number)
  const magnitude = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1)
  return value < 0 ? -magnitude : magnitude
}

/** The multiple of 2^-1074 as the nearest double, ties to even; ±Infinity beyond the largest. */
export function fromUnits(units: bigint): number {
  return roundQuotient(units, 1n << UNIT_BITS)
}

/** The nearest double of `units` × 2^-1074 / `count`, ties to even. */
export function divideUnits(units: bigint, count: number): number {
  return roundQuotient(units, BigInt(count) << UNIT_BITS)
}

/** The nearest double of the exact quotient, ties to even, zero as +0; ±Infinity beyond the largest. `denominator` is above zero. */
export function roundQuotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0
  const magnitude = numerator < 0n ? -numerator : numerator
  // Scaled so that the whole part has 54 or 55 bits, fewer only below the normal doubles, where a unit is the last bit.
  const excess = bitLength(magnitude) - bitLength(denominator) - SIGNIFICANT_BITS - 1
  const shift = BigInt(Math.max(excess, -Number(UNIT_BITS) - 2))
  const [dividend, divisor] = shift >= 0n ? [magnitude, denominator << shift] : [magnitude << -shift, denominator]
  const whole = dividend / divisor
  const sticky = dividend % divisor === 0n ? 0n : 1n
  const rounded = scale(roundBits(whole, sticky, Number(shift)), Number(shift))
  return numerator < 0n ? 0 - rounded : rounded
}

/** Rounds `whole` (and a rest below one, if `sticky`) to the bits that a double at this scale has. */
function roundBits(whole: bigint, sticky: bigint, shift: number): bigint {
  const dropped = BigInt(Math.max(bitLength(whole) - SIGNIFICANT_BITS, -Number(UNIT_BITS) - shift))
  const kept = whole >> dropped
  const rest = ((whole - (kept << dropped)) << 1n) | sticky
  const half = 1n << dropped
  const up = rest > half || (rest === half && (kept & 1n) === 1n)
  return (up ? kept + 1n : kept) << dropped
}

/** `whole` × 2^shift, where the result is a double or too large for one. */
function scale(whole: bigint, shift: number): number {
  let value = Number(whole)
  let left = shift
  // Powers of two beyond ±1000 are applied in steps: no single factor may overflow or lose bits.
  while (left > 0) {
    const step = Math.min(left, 1000)
    value *= 2 ** step
    left -= step
    if (value === Infinity) return value
  }
  if (left < -1000) {
    value *= 2 ** -1000
    left += 1000
  }
  return value * 2 ** left
}

function bitLength(value: bigint): number {
  if (value === 0n) return 0
  const hex = value.toString(16)
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex[0] as string, 16)) - 28)
}
