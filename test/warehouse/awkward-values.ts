import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Column, ColumnType, ColumnValue } from '../../src/model/column.js'
import type { Row, TableSpec, Warehouse } from '../../src/ports/warehouse.js'
import { keyColumns, keyIdentity } from '../../src/warehouse/row/row-key.js'
import { allRows, flushOf, identityOf, tableSpec } from './warehouse-contract.js'

interface Subject {
  readonly warehouse: Warehouse
  stop(): Promise<void>
}

interface Traits {
  /** Rows from which on the warehouse loads them in bulk; default: it has one way. */
  readonly large?: number
  /** Names that the test's server cannot have although the warehouse can; default none. */
  readonly namesWithout?: RegExp
}

/**
 * What a warehouse has to do with a value: store it, refuse it with a reason, or one of both, because warehouses differ.
 */
interface Values {
  readonly column: Omit<Column, 'name'>
  readonly stored: readonly ColumnValue[]
  readonly refused: readonly (readonly [ColumnValue, RegExp])[]
  readonly either?: readonly ColumnValue[]
}

const type = (name: ColumnType, more: Partial<Column> = {}) => ({ type: name, nullable: true, ...more })

/** Text that a format of lines, delimiters, quotes or escapes can spoil. */
const HOSTILE = [
  '',
  ' ',
  '  leading',
  'trailing  ',
  'NULL',
  'null',
  '\\N',
  '\\\\N',
  '\\.',
  '@NULL@',
  '"',
  '""',
  'a"b',
  '"quoted"',
  "it's; --",
  ',',
  'a,b',
  '|',
  'a|b',
  '\t',
  'a\tb',
  '\n',
  'a\nb',
  'a\r\nb',
  'a\rb\r',
  '\\',
  'a\\b',
  'a\\nb',
  'ends in \\',
  '{}',
  '{"a":[1,"b"]}',
  '\x01\x02\x1a\x1b\x7f',
  '$1',
  '%s',
  '<b>&amp;',
]

const UNICODE = [
  '🐎',
  '👩‍👩‍👧‍👦',
  '\u{10000}',
  '\u{10ffff}',
  '\u00e9',
  'e\u0301',
  'ﬀ',
  'İ',
  '漢字',
  '\u200b\u200d',
  '\ufeffmark',
  '\u2028\u2029',
  '\u0085\u00a0',
  '\ufffd',
  '\ufdd0\uffff',
  'اَلْعَرَبِيَّةُ',
]

const HALF = /half of a surrogate pair/

const LAST_DATE = new Date(8_640_000_000_000_000)

const VALUES: Readonly<Record<string, Values>> = {
  text: {
    column: type('text'),
    stored: [...HOSTILE, ...UNICODE, 'x'.repeat(256), null],
    refused: [
      ['a\0b', /NUL/],
      ['\0', /NUL/],
      ['\ud83d', HALF],
      ['a\udc0eb', HALF],
      ['\udc0e\ud83d', HALF],
      ['🐎\ud83d', HALF],
    ],
    either: ['y'.repeat(65_536)],
  },
  'text that must not be null': {
    column: type('text', { nullable: false }),
    stored: ['', 'null'],
    refused: [[null, /is null, but not nullable/]],
  },
  'text with a length': {
    column: type('text', { maxBytes: 8 }),
    stored: ['', 'abcdefgh', 'éééé', '🐎🐎', '漢漢ab', '        ', '"""",,,\\', null],
    refused: [
      ['abcdefghi', /9 bytes.*8/],
      ['éééé!', /9 bytes.*8/],
      ['🐎🐎!', /9 bytes.*8/],
      ['漢漢漢', /9 bytes.*8/],
      ['         ', /9 bytes.*8/],
    ],
  },
  bytes: {
    column: type('bytes'),
    stored: [Buffer.alloc(0), Buffer.alloc(3), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), null],
    refused: [['text', /not bytes/]],
  },
  'bytes with a length': {
    column: type('bytes', { maxBytes: 4 }),
    stored: [Buffer.from('abcd'), Buffer.alloc(0)],
    refused: [[Buffer.from('abcde'), /5 bytes.*4/]],
  },
  int: {
    column: type('int'),
    stored: [0, -1, 2 ** 31 - 1, -(2 ** 31), null],
    refused: [
      [2 ** 31, /beyond 32 bits/],
      [-(2 ** 31) - 1, /beyond 32 bits/],
      [0.5, /not a whole number/],
      [Number.NaN, /not a whole number/],
      ['1', /not a whole number/],
    ],
  },
  long: {
    column: type('long'),
    stored: [0, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null],
    refused: [
      [2n ** 63n, /beyond 64 bits/],
      [-(2n ** 63n) - 1n, /beyond 64 bits/],
      [2 ** 63, /beyond 64 bits/],
      [Number.POSITIVE_INFINITY, /not a whole number/],
    ],
  },
  decimal: {
    column: type('decimal'),
    stored: [0, 10n ** 38n - 1n, -(10n ** 38n) + 1n, 2n ** 64n, -7, null],
    refused: [
      [10n ** 38n, /over 38 digits/],
      [-(10n ** 38n), /over 38 digits/],
      [Number.NaN, /not a whole number/],
    ],
  },
  double: {
    column: type('double'),
    stored: [0, -0, 0.1, 1 / 3, 1e21, -1e-7, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** -1022, 2 ** 53 + 2, null],
    refused: [[1n, /not a number/]],
    either: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE],
  },
  bool: {
    column: type('bool'),
    stored: [true, false, null],
    refused: [[1, /not true or false/]],
  },
  timestamp: {
    column: type('timestamp'),
    stored: [
      new Date(0),
      new Date(-1),
      new Date('1969-12-31T23:59:59.001Z'),
      new Date('1582-10-10T00:00:00Z'),
      new Date('0001-01-01T00:00:00.000Z'),
      new Date('2024-02-29T23:59:59.999Z'),
      new Date('9999-12-31T23:59:59.999Z'),
      null,
    ],
    refused: [
      [new Date(Number.NaN), /invalid date/],
      [new Date('-004714-11-23T23:59:59.999Z'), /4714|years 1 to 9999/],
      // PostgreSQL ends with the year 294276, a Date with 275760.
      [new Date(Date.UTC(294_277, 0)), /invalid date/],
    ],
    either: [
      new Date('0000-12-31T23:59:59.999Z'),
      new Date('-004713-11-24T00:00:00.000Z'),
      new Date('+010000-01-01T00:00:00.000Z'),
      LAST_DATE,
    ],
  },
}

/** Names that SQL or a catalog can stumble over: taken by every warehouse, or by some and refused by the others. */
const IDENTIFIERS: readonly (readonly [string, 'taken' | 'either'])[] = [
  ...['select', 'user', 'group', 'order', 'tag', 'timestamp', 'default', 'end', 'analyse', 'partition'].map(
    name => [name, 'taken'] as const,
  ),
  ['UPPER', 'taken'],
  ['camelCase', 'taken'],
  ['with space', 'taken'],
  [' ', 'taken'],
  ['a"b', 'taken'],
  ["it's", 'taken'],
  ['a.b', 'taken'],
  ['1st', 'taken'],
  ['x"); DROP TABLE y; --', 'taken'],
  ['größe', 'taken'],
  ['🐎', 'taken'],
  ['c'.repeat(63), 'taken'],
  ['é'.repeat(31), 'taken'],
  ['c'.repeat(64), 'either'],
  ['c'.repeat(127), 'either'],
  ['c'.repeat(128), 'either'],
  ['', 'either'],
  ['a\0b', 'either'],
]

const n: Column = { name: 'n', type: 'int', nullable: false }

/**
 * Awkward values in every column type: a row with one is stored and comes back as it was, or `unstorable` says why not,
 * and then a flush of the others is right.
 */
export function awkwardValues(
  name: string,
  open: () => Promise<Subject>,
  { large = 0, namesWithout }: Traits = {},
): void {
  describe(`awkward values in ${name}`, () => {
    let subject: Subject
    let warehouse: Warehouse
    let count = 0

    beforeAll(async () => {
      subject = await open()
      warehouse = subject.warehouse
      // Some start at their first use.
      await warehouse.prepare(tableSpec('awkward', [n], ['n']))
    })
    afterAll(() => subject?.stop())

    async function written(table: TableSpec, rows: readonly Row[]): Promise<Row[]> {
      await warehouse.prepare(table)
      const sink = await warehouse.openSink(identityOf(table))
      await sink.flush(flushOf(1, rows))
      const found = await allRows(warehouse, table)
      await sink.close()
      return found
    }

    const byNumber = (rows: readonly Row[]) => [...rows].sort((a, b) => Number(a[0]) - Number(b[0]))
    const tableOf = (columns: readonly Column[], key: readonly string[]) =>
      tableSpec(`awkward_${++count}`, columns, key)

    describe.each(Object.entries(VALUES))('%s', (_, { column, stored, refused, either = [] }) => {
      const columns: Column[] = [n, { ...column, name: 'v' }, { name: 'neighbour', type: 'text', nullable: false }]
      const rowsOf = (values: readonly ColumnValue[]) => values.map((value, i): Row => [i, value, `beside ${i}`])

      it.each([...new Set([0, large])])('is stored as it is, in a flush of at least %d rows', async least => {
        const table = tableOf(columns, ['n'])
        const some = [...stored, ...either.filter(value => !warehouse.unstorable(table, [0, value, '']))]
        const rows = rowsOf(
          Array.from({ length: Math.max(some.length, least) }, (__, i) => some[i % some.length] ?? null),
        )
        for (const row of rows.slice(0, stored.length)) expect(warehouse.unstorable(table, row)).toBeUndefined()
        expect(byNumber(await written(table, rows))).toEqual(rows)
      })

      it('is refused with a reason where it cannot be, and keeps no neighbour out', async () => {
        const table = tableOf(columns, ['n'])
        for (const [value, reason] of refused) expect(warehouse.unstorable(table, [7, value, ''])).toMatch(reason)
        for (const value of [...refused.map(([each]) => each), ...either]) {
          const text = warehouse.unstorable(table, [7, value, ''])
          if (text !== undefined) expect(text).toMatch(/^column "v" of table "awkward_\d+" .*n = 7/s)
        }
        const rows = rowsOf([...refused.map(([value]) => value), ...stored.slice(0, 2), ...either])
        const kept = rows.filter(row => warehouse.unstorable(table, row) === undefined)
        expect(byNumber(await written(table, kept))).toEqual(kept)
      })

      it('is one row as a key, changed and deleted', async () => {
        const table = tableOf([{ ...column, name: 'v' }, n], ['v'])
        const storable = [...stored, ...either].filter(value => !warehouse.unstorable(table, [value, 0]))
        const byKey = new Map(storable.map(value => [keyIdentity([value], keyColumns(table)), value]))
        const keys = [...byKey.values()]
        expect(keys.length).toBeGreaterThan(0)
        await warehouse.prepare(table)
        const sink = await warehouse.openSink(identityOf(table))
        await sink.flush(
          flushOf(
            1,
            keys.map(key => [key, 1]),
          ),
        )
        await sink.flush(
          flushOf(
            2,
            keys.map((key, i) => [key, i]),
          ),
        )
        const now = (await allRows(warehouse, table)).sort((a, b) => Number(a[1]) - Number(b[1]))
        expect(now.map(row => keyIdentity([row[0] ?? null], keyColumns(table)))).toEqual([...byKey.keys()])
        expect(now.map(row => row[1])).toEqual(keys.map((__, i) => i))
        await sink.flush(
          flushOf(
            3,
            [],
            keys.map(key => [key]),
          ),
        )
        expect(await allRows(warehouse, table)).toEqual([])
        await sink.close()
      })
    })

    const names = IDENTIFIERS.filter(([identifier]) => !namesWithout?.test(identifier))
    it.each(names)('column %j: %s', async (identifier, expected) => {
      const columns: Column[] = [n, { name: identifier, type: 'text', nullable: true }]
      const attempt = (key: readonly string[]) => {
        const table = tableOf(columns, key)
        return written(table, [
          [1, 'a'],
          [2, null],
        ])
      }
      const outcome = await attempt(['n']).catch((thrown: unknown) => thrown)
      if (expected === 'taken' || Array.isArray(outcome)) {
        expect(outcome).toEqual([
          [1, 'a'],
          [2, null],
        ])
        expect(new Set(await attempt(['n', identifier]))).toEqual(
          new Set([
            [1, 'a'],
            [2, null],
          ]),
        )
      } else {
        expect(outcome).toMatchObject({ code: 'WAREHOUSE_TABLE' })
        expect(outcome).toMatchObject({ message: expect.stringContaining(JSON.stringify(identifier)) })
      }
    })

    it.each(['select', 'UPPER case', "it's", 'q"uoted', '🐎'])('table %j is taken', async identifier => {
      const table = tableSpec(`${identifier} ${++count}`, [n, { name: 'v', type: 'text', nullable: true }], ['n'])
      expect(await written(table, [[1, 'a']])).toEqual([[1, 'a']])
    })

    it('stores any row or says why it does not', async () => {
      const columns: Column[] = [
        n,
        { name: 'k', type: 'text', nullable: true, maxBytes: 40 },
        { name: 'short', type: 'text', nullable: true, maxBytes: 6 },
        { name: 'long_text', type: 'text', nullable: false },
        { name: 'b', type: 'bytes', nullable: true, maxBytes: 5 },
        { name: 'i', type: 'int', nullable: true },
        { name: 'l', type: 'long', nullable: true },
        { name: 'm', type: 'decimal', nullable: true },
        { name: 'd', type: 'double', nullable: true },
        { name: 't', type: 'timestamp', nullable: true },
      ]
      const table = tableOf(columns, ['n', 'k'])
      await warehouse.prepare(table)
      const sink = await warehouse.openSink(identityOf(table))
      let offset = 0
      let refused = 0
      await fc.assert(
        fc.asyncProperty(fc.array(ANY_ROW, { minLength: 1, maxLength: 12 }), async values => {
          const rows = values.map((row, i): Row => [i, ...row])
          const reasons = rows.map(row => warehouse.unstorable(table, row))
          for (const reason of reasons) if (reason !== undefined) expect(reason).toMatch(/column "|a row of|the key of/)
          const kept = rows.filter((__, i) => reasons[i] === undefined)
          refused += rows.length - kept.length
          await sink.flush(flushOf(++offset, kept))
          expect(byNumber(await allRows(warehouse, table))).toEqual(kept)
          const keys = kept.map(row => [row[0] as number, row[1] as ColumnValue])
          await sink.flush(flushOf(++offset, [], keys))
        }),
        { numRuns: 25 },
      )
      expect(refused).toBeGreaterThan(0)
      expect(await allRows(warehouse, table)).toEqual([])
      await sink.close()
    })
  })
}

/** Text of any UTF-16 code units, halves of pairs and NUL included, and of what is hostile. */
const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE, ...UNICODE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 })
      .map(units => String.fromCharCode(...units)),
  },
)

/** Whole numbers as rows hold them: numbers up to 2^53, bigints beyond. */
const whole = (limit: bigint) =>
  fc.bigInt({ min: -limit, max: limit }).map(value => (Number.isSafeInteger(Number(value)) ? Number(value) : value))

const ANY_ROW = fc.tuple(
  fc.option(anyText),
  fc.option(anyText),
  anyText,
  fc.option(fc.uint8Array({ maxLength: 6 }).map(bytes => Buffer.from(bytes))),
  fc.option(fc.integer({ min: -(2 ** 31) - 2, max: 2 ** 31 + 1 })),
  fc.option(whole(2n ** 63n + 2n)),
  fc.option(whole(10n ** 38n + 2n)),
  fc.option(fc.double()),
  fc.option(fc.date({ noInvalidDate: false })),
)
