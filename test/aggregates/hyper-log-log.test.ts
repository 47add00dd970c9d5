import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HyperLogLog } from '../../src/aggregates/hyper-log-log.js'
import { decodeDense, encodeDense } from '../../src/aggregates/hyper-log-log-dense.js'
import { murmur3Long } from '../../src/aggregates/murmur3.js'
import { longBytes, referenceHash } from './murmur3-reference.js'

const hash = new Int32Array(2)

function addLong(sketch: HyperLogLog, value: number): void {
  murmur3Long(Math.floor(value / 2 ** 32), value | 0, hash)
  sketch.add(hash[0]!, hash[1]!)
}

function sketchOf(indexBits: number, values: Iterable<number>): HyperLogLog {
  const sketch = new HyperLogLog(indexBits)
  for (const value of values) addLong(sketch, value)
  return sketch
}

function* range(from: number, to: number): Generator<number> {
  for (let value = from; value < to; value++) yield value
}

/** A sketch that is dense from the start, as Airlift's DenseHll. */
function denseOf(indexBits: number, values: Iterable<number>): HyperLogLog {
  const sketch = HyperLogLog.decode(encodeDense(new Uint8Array(1 << indexBits), indexBits))
  for (const value of values) addLong(sketch, value)
  return sketch
}

/** Registers by Airlift's rule, in bigints: index from the top bits, value = leading zeros of the rest + 1. */
function referenceRegisters(indexBits: number, hashes: Iterable<bigint>): Uint8Array {
  const registers = new Uint8Array(1 << indexBits)
  for (const hash of hashes) {
    const index = Number(hash >> BigInt(64 - indexBits))
    const rest = hash.toString(2).padStart(64, '0').slice(indexBits)
    const zeros = rest.includes('1') ? rest.indexOf('1') : rest.length
    registers[index] = Math.max(registers[index]!, zeros + 1)
  }
  return registers
}

/** Long buffers are compared as text: element by element takes too long. */
const hex = (bytes: Buffer) => bytes.toString('hex')

describe('bytes, as in the tests of Airlift', () => {
  it('sparse: empty', () => {
    expect(new HyperLogLog(12).encode().toString('hex')).toBe('020c0000')
  })

  it('sparse: the byte 64', () => {
    const sketch = new HyperLogLog(12)
    const value = referenceHash(Buffer.from([64]))
    sketch.add(Number(value >> 32n) | 0, Number(value & 0xffff_ffffn) | 0)
    expect(sketch.encode().toString('hex')).toBe('020c010042342021')
  })

  it('dense: empty', () => {
    expect(denseOf(12, []).encode()).toEqual(Buffer.concat([Buffer.from([3, 12, 0]), Buffer.alloc(2048 + 2)]))
  })

  it('dense: one value', () => {
    const expected = Buffer.concat([Buffer.from([3, 12, 0]), Buffer.alloc(2048 + 2)])
    expected[3 + 326] = 0b0000_0001
    expect(denseOf(12, [0]).encode()).toEqual(expected)
  })

  it('dense: overflows, sorted by register', () => {
    const expected = Buffer.concat([
      Buffer.from([3, 12, 0]),
      Buffer.alloc(2048),
      Buffer.from([2, 0, 146, 10, 208, 15, 2, 4]),
    ])
    expected[3 + 1353] = 0b1111_0000
    expected[3 + 2024] = 0b1111_0000
    expect(denseOf(12, [61697, 394873]).encode()).toEqual(expected)
    expect(denseOf(12, [394873, 61697]).encode()).toEqual(expected)
  })

  it('dense: baseline', () => {
    expect(denseOf(4, range(0, 100)).encode().toString('hex')).toBe('03040245230131220504010000')
  })

  it('dense: overflow above the baseline, before and after', () => {
    expect(
      denseOf(4, [...range(0, 100), 37227])
        .encode()
        .toString('hex'),
    ).toBe('030402452301312205 04f101000e0005'.replace(' ', ''))
    expect(denseOf(4, [37227, ...range(0, 100)]).encode()).toEqual(denseOf(4, [...range(0, 100), 37227]).encode())
  })
})

describe('HyperLogLog', () => {
  const precisions = fc.constantFrom(4, 7, 11, 11, 16)
  const hashes = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    // Long runs of zeros behind few bits, and zeros up to the end.
    fc
      .tuple(fc.nat(255), fc.nat(64))
      .map(([top, zeros]) => BigInt.asUintN(64, (BigInt(top) << 56n) | (1n << BigInt(zeros)))),
    fc.nat(65535).map(top => BigInt(top) << 48n),
  )

  it('has the registers of the rule, whether it was sparse before or not', () => {
    fc.assert(
      fc.property(precisions, fc.array(hashes, { maxLength: 40 }), (indexBits, list) => {
        const sketch = new HyperLogLog(indexBits)
        for (const value of list) sketch.add(Number(value >> 32n) | 0, Number(value & 0xffff_ffffn) | 0)
        // Merging with a dense sketch makes it dense.
        const dense = denseOf(indexBits, [])
        dense.merge(sketch)
        const expected = hex(encodeDense(referenceRegisters(indexBits, list), indexBits))
        expect(hex(dense.encode())).toBe(expected)
        sketch.merge(denseOf(indexBits, []))
        expect(hex(sketch.encode())).toBe(expected)
      }),
      { numRuns: 150 },
    )
  })

  it('has the registers of the rule over many values', () => {
    const longs = Array.from(range(0, 20_000), value => referenceHash(longBytes(BigInt(value))))
    expect(sketchOf(11, range(0, 20_000)).encode()).toEqual(encodeDense(referenceRegisters(11, longs), 11))
  })

  it.each([
    [4, 1],
    [10, 131],
    [11, 251],
    [12, 511],
    [14, 2051],
  ])('with %d index bits turns dense where Airlift does, behind %d values, in any order and way', (indexBits, most) => {
    expect(sketchOf(indexBits, range(0, most)).encode()[0]).toBe(2)
    expect(sketchOf(indexBits, range(0, most + 1)).encode()[0]).toBe(3)
    const half = most >> 1
    const merged = sketchOf(indexBits, range(half, most + 1))
    merged.merge(sketchOf(indexBits, range(0, half + 1)))
    expect(hex(merged.encode())).toBe(hex(sketchOf(indexBits, range(0, most + 1)).encode()))
  })

  it('merges as if all were added to one, and comes back from its bytes', () => {
    const sizes = fc.constantFrom(0, 1, 10, 100, 251, 252, 300, 3000)
    fc.assert(
      fc.property(sizes, sizes, fc.nat(3000), (a, b, shift) => {
        const merged = HyperLogLog.decode(sketchOf(11, range(0, a)).encode())
        merged.merge(HyperLogLog.decode(sketchOf(11, range(shift, shift + b)).encode()))
        const all = new Set([...range(0, a), ...range(shift, shift + b)])
        expect(hex(merged.encode())).toBe(hex(sketchOf(11, all).encode()))
        expect(merged.estimate()).toBe(sketchOf(11, all).estimate())
        addLong(merged, 1e9)
        expect(hex(merged.encode())).toBe(hex(sketchOf(11, [...all, 1e9]).encode()))
      }),
      { numRuns: 60 },
    )
  })

  it('reads a longer sparse list than it writes, as Trino may send', () => {
    const bytes = sketchOf(12, range(0, 400)).encode()
    expect(bytes[0]).toBe(2)
    bytes[1] = 11
    expect(HyperLogLog.decode(bytes).encode()).toEqual(sketchOf(11, range(0, 400)).encode())
  })

  it('does not change the sketch that it merges', () => {
    const other = sketchOf(11, range(0, 300))
    const before = other.encode()
    sketchOf(11, range(0, 10)).merge(other)
    expect(other.encode()).toEqual(before)
  })
})

describe('encodeDense', () => {
  it('comes back from its bytes, with any baseline and overflows', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 16, maxLength: 16 }), fc.nat(10), (values, base) => {
        const registers = Uint8Array.from(values, value => value + base)
        expect(decodeDense(encodeDense(registers, 4))).toEqual(registers)
      }),
    )
  })
})
