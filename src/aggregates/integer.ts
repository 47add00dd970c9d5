import type { AvroSchema } from '../model/avro-schema.js'

/** A whole number: a number up to 2^53 - 1, a bigint beyond it. Every function here answers it in that form. */
export type Integer = number | bigint

/** avsc computes with the zigzag form of a long in a double, so its own long is exact to 2^52. */
const AVRO_MAX = 2 ** 52 - 1

/** Avro branches of {@link encodeInteger}, to be put in a union. */
export const INTEGER_BRANCHES: readonly AvroSchema[] = ['long', 'bytes']

/** The integer as a number where a number is exact, else as a bigint. */
export function integer(value: Integer): Integer {
  // Adding 0 makes 0 of -0.
  if (typeof value === 'number') return value + 0
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** The exact sum. */
export function addIntegers(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return integer(BigInt(a) + BigInt(b))
}

/** An Avro long where avsc can hold it, else the shortest two's complement, big-endian, as Avro's decimal. */
export function encodeInteger(value: Integer): number | Buffer {
  if (typeof value === 'number' && value <= AVRO_MAX && value >= -AVRO_MAX) return value
  return encodeBigInt(BigInt(value))
}

/** The integer that {@link encodeInteger} encoded. */
export function decodeInteger(encoded: unknown): Integer {
  return typeof encoded === 'number' ? encoded : integer(decodeBigInt(encoded as Uint8Array))
}

/** The shortest two's complement of the integer, big-endian; one zero byte for zero. */
export function encodeBigInt(value: bigint): Buffer {
  const magnitude = value < 0n ? -value - 1n : value
  const bytes = magnitude === 0n ? 1 : (magnitude.toString(16).length * 4 + 8) >> 3
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0')
  const encoded = Buffer.from(hex, 'hex')
  return isSignExtended(encoded) ? encoded.subarray(1) : encoded
}

function isSignExtended(bytes: Buffer): boolean {
  if (bytes.length < 2) return false
  const sign = (bytes[1] as number) & 0x80
  return bytes[0] === (sign ? 0xff : 0)
}

/** The integer of a two's complement, big-endian. */
export function decodeBigInt(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}
