import avsc from 'avsc'
import { avro } from 'millrace'
import { describe, expect, test } from 'vitest'
import { questEvent } from '../operators/events.js'

describe('avro', () => {
  test('holds a frozen copy of the schema', () => {
    const json = { type: 'record', name: 'A', fields: [{ name: 'x', type: 'int' }] }
    const schema = avro<{ x: number }>(json)
    json.fields.push({ name: 'y', type: 'int' })
    expect(schema.schema).toEqual({ type: 'record', name: 'A', fields: [{ name: 'x', type: 'int' }] })
    expect(Object.isFrozen(schema)).toBe(true)
    expect(() => Object.assign((schema.schema as { fields: object[] }).fields[0] as object, { type: 'long' })).toThrow()
  })

  test('refuses what is no record', () => {
    expect(() => avro('string')).toThrow(
      'avro(...) takes the schema of a record with fields, and got "string". Wrap the type in a record.',
    )
  })
})

describe('pick', () => {
  test('keeps the fields in the order of the schema, whatever the order of picking', () => {
    const a = questEvent.pick('rewardGold', 'questType').schema
    expect(a).toEqual(questEvent.pick('questType', 'rewardGold').schema)
    expect((a as { fields: { name: string }[] }).fields.map(field => field.name)).toEqual(['questType', 'rewardGold'])
  })

  test('keeps name, namespace, defaults and logical types', () => {
    expect(questEvent.pick('durationMs', 'occurredAt').schema).toEqual({
      type: 'record',
      name: 'QuestEvent',
      namespace: 'test',
      fields: [
        { name: 'durationMs', type: ['null', 'long'], default: null },
        { name: 'occurredAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
      ],
    })
  })

  test('defines a named type at its first place among the picked fields', () => {
    const schema = avro<{ a: string; b: string; c: string }>({
      type: 'record',
      name: 'R',
      namespace: 'n',
      fields: [
        { name: 'a', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } },
        { name: 'b', type: 'E' },
        { name: 'c', type: ['null', 'n.E'] },
      ],
    })
    const picked = schema.pick('b', 'c').schema
    const whole = avsc.Type.forSchema(schema.schema as avsc.Schema)
    const reader = avsc.Type.forSchema(picked as avsc.Schema)
    const decoded: unknown = reader.fromBuffer(whole.toBuffer({ a: 'X', b: 'Y', c: 'X' }), reader.createResolver(whole))
    expect(JSON.parse(JSON.stringify(decoded))).toEqual({ b: 'Y', c: 'X' })
  })

  test('refuses unknown fields by name, with a guess', () => {
    const pick = questEvent.pick as (...fields: string[]) => unknown
    expect(() => pick('questType', 'rewardgold')).toThrow(
      'pick(...) names "rewardgold", which the schema "QuestEvent" does not have. Did you mean "rewardGold"? Known are questType,',
    )
  })
})
