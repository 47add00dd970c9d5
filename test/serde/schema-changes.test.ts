import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { breakingChanges, unreadable } from '../../src/serde/schema-changes.js'

const record = (fields: object[], extra: object = {}): AvroSchema => ({ type: 'record', name: 'A', fields, ...extra })
const field = (name: string, type: unknown, extra: object = {}) => ({ name, type, ...extra })
const enumOf = (symbols: string[], extra: object = {}) => ({ type: 'enum', name: 'E', symbols, ...extra })

describe('what the new schema cannot read of the old one', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['nothing', 'int', 'long', []],
    ['a changed type', 'long', 'string', ['field "f": long became string']],
    ['a narrowed type', 'long', 'int', ['field "f": long became int']],
    [
      'a logical type is its type',
      { type: 'long', logicalType: 'timestamp-millis' },
      'int',
      ['field "f": long became int'],
    ],
    ['a type that was nullable', ['null', 'long'], 'long', ['field "f": null | long became long']],
    ['a type that is nullable now', 'int', ['null', 'long'], []],
    [
      'another item',
      { type: 'array', items: 'long' },
      { type: 'array', items: 'int' },
      ['field "f[]": long became int'],
    ],
    [
      'another kind',
      { type: 'array', items: 'long' },
      { type: 'map', values: 'long' },
      ['field "f": array of long became map of long'],
    ],
    ['a symbol', enumOf(['X', 'Y', 'Z']), enumOf(['X']), ['field "f": enum E lost Y, Z, and it has no default']],
    ['a symbol, with a default', enumOf(['X', 'Y']), enumOf(['X'], { default: 'X' }), []],
    [
      'a size',
      { type: 'fixed', name: 'F', size: 4 },
      { type: 'fixed', name: 'F', size: 8 },
      ['field "f": fixed F of 4 bytes became fixed F of 8 bytes'],
    ],
    [
      'a name',
      { type: 'fixed', name: 'F', size: 4 },
      { type: 'fixed', name: 'G', size: 4 },
      ['field "f": fixed F of 4 bytes became fixed G of 4 bytes'],
    ],
  ])('%s', (_, before, after, changes) => {
    expect(breakingChanges(record([field('f', before)]), record([field('f', after)]), 'new')).toEqual(changes)
  })

  it('fields without a default, however deep, and none that is read by its alias', () => {
    const inner = (fields: object[]) => ({ type: 'record', name: 'Inner', fields })
    const before = record([
      field('a', ['null', inner([field('x', 'long')])]),
      field('gone', 'int'),
      field('old', 'int'),
    ])
    const after = record([
      field('a', ['null', inner([field('x', 'string'), field('y', 'int')])]),
      field('new', 'int', { aliases: ['old'] }),
      field('d', 'int', { default: 1 }),
      field('e', 'int'),
    ])
    expect(breakingChanges(before, after, 'new')).toEqual([
      'field "a.x": long became string',
      'field "a.y" was added without a default',
      'field "e" was added without a default',
    ])
  })

  it('a record that holds itself is compared once', () => {
    const list = (type: string) => record([field('value', type), field('next', ['null', 'A'])], { namespace: 'n' })
    expect(breakingChanges(list('int'), list('long'), 'new')).toEqual([])
    expect(breakingChanges(list('long'), list('int'), 'new')).toEqual(['field "value": long became int'])
  })

  it('values that are no records', () => {
    expect(breakingChanges('long', 'string', 'new')).toEqual(['the values: long became string'])
  })
})

describe('what the old schema cannot read of the new one', () => {
  it('removed fields that had no default, gained symbols, widened types', () => {
    const before = record([
      field('a', 'int'),
      field('b', 'int', { default: 1 }),
      field('e', enumOf(['X'])),
      field('i', 'int'),
    ])
    const after = record([field('c', 'int'), field('e', enumOf(['X', 'Y'])), field('i', 'long')])
    expect(breakingChanges(before, after, 'old')).toEqual([
      'field "a" was removed, and it had no default',
      'field "e": enum E gained Y, and it has no default',
      'field "i": int became long',
    ])
  })
})

describe('why a writer cannot be read', () => {
  it('is said without guessing which schema is newer', () => {
    const writer = record([field('a', 'string'), field('e', enumOf(['X', 'Y']))])
    const reader = record([field('a', 'int'), field('b', 'int'), field('e', enumOf(['X']))])
    expect(unreadable(writer, reader)).toEqual([
      'field "a": string is written and int is read',
      'field "b" is not written, and it has no default',
      'field "e": enum E lacks Y, and it has no default',
    ])
  })
})

describe('against avsc', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const primitive = fc.constantFrom('null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes')
  const type = fc.oneof(
    primitive,
    primitive.map(items => ({ type: 'array', items })),
    primitive.map(values => ({ type: 'map', values })),
    fc.uniqueArray(fc.constantFrom('null', 'boolean', 'long', 'string'), { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(name, { minLength: 1 }).map(symbols => enumOf(symbols)),
  )
  const fields = fc.uniqueArray(
    fc.oneof(
      fc.record({ name, type: type.filter(one => typeof one === 'string' || !('symbols' in one)) }),
      fc.record({ name, type: fc.constant('int'), default: fc.constant(7) }),
    ),
    { selector: one => one.name },
  )

  it('finds a change exactly where no resolver can be made', () => {
    let unreadable = 0
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        const [writer, reader] = [record(before), record(after)]
        const readable = (() => {
          try {
            avsc.Type.forSchema(reader as avsc.Schema).createResolver(avsc.Type.forSchema(writer as avsc.Schema))
            return true
          } catch {
            unreadable++
            return false
          }
        })()
        expect(breakingChanges(writer, reader, 'new').length === 0).toBe(readable)
        expect(breakingChanges(reader, writer, 'old').length === 0).toBe(readable)
      }),
      { numRuns: 2_000 },
    )
    expect(unreadable).toBeGreaterThan(200)
  })
})
