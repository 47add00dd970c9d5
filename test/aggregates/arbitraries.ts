import fc from 'fast-check'
import { integer } from '../../src/aggregates/integer.js'

const INT64_MAX = 2n ** 63n - 1n

/** Whole numbers of 32 bits. */
export const ints = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)))

/** Whole numbers of 64 bits as Avro longs reach us: bigints beyond 2^53 - 1; many at the edges. */
export const longs = fc
  .oneof(
    fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }),
    fc.bigInt({ min: 2n ** 53n - 4n, max: 2n ** 53n + 4n }),
    fc.bigInt({ min: -(2n ** 53n) - 4n, max: -(2n ** 53n) + 4n }),
    fc.bigInt({ min: 2n ** 52n - 2n, max: 2n ** 52n + 2n }),
    fc.constantFrom(INT64_MAX, -INT64_MAX - 1n, 0n),
    fc.bigInt({ min: -1000n, max: 1000n }),
  )
  .map(integer)

/** Finite doubles: everyday ones, ones of any exponent, ones that cancel out, and the edges. */
export const finiteDoubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1000, max: 1000 }),
  fc.integer({ min: -1000, max: 1000 }).map(n => n / 10),
  fc.tuple(fc.integer({ min: -1074, max: 1023 }), fc.constantFrom(1, -1)).map(([e, sign]) => sign * 2 ** e),
  fc.constantFrom(
    0,
    -0,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    2 ** 900,
    -(2 ** 900),
  ),
)

/** All doubles. */
export const doubles = fc.oneof(
  { weight: 30, arbitrary: finiteDoubles },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
)

/** Text, with surrogate pairs, lone surrogates and code points that UTF-16 and UTF-8 order differently. */
export const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom('a', 'b', '\u{10000}', '\uffff', '\ue000', '\ud800', '\udc00', 'é'),
    maxLength: 4,
  }),
)
