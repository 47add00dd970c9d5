import type { ColumnType } from '../model/column.js'
import { type Integer, integer } from './integer.js'
import { murmur3, murmur3Long } from './murmur3.js'

/** Writes the 64-bit hash of a value into two 32-bit halves, high first. */
export type ValueHash = (value: never, into: Int32Array) => void

/** Bytes that murmur3 takes at a time. */
const BLOCK = 16

let scratch = Buffer.allocUnsafe(4096)
const word = new Float64Array(1)
const halves = new Int32Array(word.buffer)

function hashInteger(value: Integer, into: Int32Array): void {
  const short = typeof value === 'number' ? value : integer(value)
  if (typeof short === 'number') murmur3Long(Math.floor(short / 0x1_0000_0000) | 0, short | 0, into)
  else murmur3Long(Number(BigInt.asIntN(32, short >> 32n)), Number(BigInt.asIntN(32, short)), into)
}

function hashDouble(value: number, into: Int32Array): void {
  // One NaN for all, and 0 for -0, which adding 0 makes of it.
  word[0] = Number.isNaN(value) ? Number.NaN : value + 0
  murmur3Long(halves[1] as number, halves[0] as number, into)
}

function hashText(value: string, into: Int32Array): void {
  const length = value.length
  if (scratch.length < length * 3 + BLOCK) scratch = Buffer.allocUnsafe(length * 3 + BLOCK)
  const bytes = scratch
  let i = 0
  for (; i < length; i++) {
    const unit = value.charCodeAt(i)
    if (unit > 0x7f) break
    bytes[i] = unit
  }
  const end = i === length ? length : bytes.write(value, 'utf8')
  // murmur3 reads whole blocks.
  for (let pad = end; pad % BLOCK !== 0; pad++) bytes[pad] = 0
  murmur3(bytes, end, into)
}

const hashBool = (value: boolean, into: Int32Array): void => murmur3Long(0, value ? 1 : 0, into)
const hashTimestamp = (value: number | Date, into: Int32Array): void => hashInteger(Number(value), into)

/**
 * Hashes by column type, as Airlift's HyperLogLog takes them: whole numbers as 64 bits, doubles as their 64 bits, text as its UTF-8 bytes.
 * Equal values have equal hashes: 0 and -0 are one, all NaN are one.
 */
export const VALUE_HASHES = {
  int: hashInteger,
  long: hashInteger,
  double: hashDouble,
  text: hashText,
  bool: hashBool,
  timestamp: hashTimestamp,
} as const satisfies Partial<Record<ColumnType, ValueHash>>
