import { beforeAll, describe, expect, it } from 'vitest'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { MillraceError } from '../../src/model/errors.js'
import type { SchemaRegistry } from '../../src/ports/schema-registry.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { canonicalForm } from '../../src/serde/canonical-form.js'
import { unique } from '../log/member.js'

const event = (fields: object[], extra: object = {}) => ({
  type: 'record',
  name: unique('Event').replaceAll('-', ''),
  namespace: 'quests',
  fields: [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }, ...fields],
  ...extra,
})

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown.code
    throw thrown
  }
  return 'none'
}

/** What every schema registry does. `open` gives another client of one registry each time. */
export function registryContract(name: string, open: () => SchemaRegistry): void {
  describe(`${name}, as every schema registry`, () => {
    let registry: SchemaRegistry
    beforeAll(() => {
      registry = open()
    })

    it('gives a schema an id, the same one each time, and the schema for the id', async () => {
      const subject = `${unique('topic')}-value`
      const schema = event([{ name: 'gold', type: ['null', 'long'], default: null }])
      const id = await registry.register(subject, schema)
      expect(Number.isInteger(id) && id > 0 && id < 2 ** 31).toBe(true)
      expect(await registry.register(subject, structuredClone(schema))).toBe(id)
      for (const one of [registry, open()]) {
        const found = (await one.schema(id)) as AvroSchema
        expect(canonicalForm(found, 'keep')).toBe(canonicalForm(schema, 'keep'))
      }
    })

    it('registers the same id from several sides at once', async () => {
      const subject = `${unique('topic')}-value`
      const schema = event([])
      const ids = await Promise.all([registry, open(), open(), registry].map(one => one.register(subject, schema)))
      expect(new Set(ids).size).toBe(1)
    })

    it('gives different schemas different ids, of one subject or of two', async () => {
      const topic = unique('topic')
      const first = event([])
      const second = { ...first, fields: [...first.fields, { name: 'x', type: 'int', default: 0 }] }
      const ids = [
        await registry.register(`${topic}-value`, first),
        await registry.register(`${topic}-value`, second),
        await registry.register(`${topic}-key`, event([])),
      ]
      expect(new Set(ids).size).toBe(3)
    })

    it('takes schemas that are no records, and subjects of any name', async () => {
      const id = await registry.register(`${unique('a/b ü%')}-key`, { type: 'array', items: 'string' })
      expect(await registry.schema(id)).toEqual({ type: 'array', items: 'string' })
    })

    it('has nothing under an id that it never gave', async () => {
      for (const id of [2 ** 31 - 1, 0, -1]) expect(await registry.schema(id)).toBeUndefined()
    })

    it('refuses what is no Avro schema', async () => {
      const subject = `${unique('topic')}-value`
      expect(await codeOf(registry.register(subject, 'strnig'))).toBe('INVALID_SCHEMA')
      expect(await codeOf(registry.register(subject, event([{ name: 'x', type: 'Nothing' }])))).toBe('INVALID_SCHEMA')
    })

    it('lets evolved writers be read: fields added, removed, promoted, renamed, and two ids side by side', async () => {
      const serde = avroSerde(registry)
      const topic = unique('topic')
      const v1 = event([
        { name: 'gold', type: 'int' },
        { name: 'old', type: 'string', default: '' },
        { name: 'user', type: 'string' },
      ])
      const v2 = event(
        [
          { name: 'gold', type: 'long' },
          { name: 'userId', type: 'string', aliases: ['user'] },
          { name: 'region', type: 'string', default: 'eu' },
        ],
        { name: v1.name },
      )
      const writers = [await serde.writer(`${topic}-value`, v1), await serde.writer(`${topic}-value`, v2)] as const
      const records = [
        writers[0].encode({ at: 1, gold: 5, old: 'x', user: 'anna' }),
        writers[1].encode({ at: 2, gold: 2 ** 40, userId: 'ben', region: 'us' }),
      ]
      const reader = avroSerde(open()).reader(v2)
      const values = []
      for (const bytes of [...records, ...records]) {
        const id = reader.missingId(bytes, 0, bytes.length)
        if (id !== undefined) await reader.prepare(id)
        values.push(reader.tryDecode(bytes, 0, bytes.length))
      }
      expect(values.slice(0, 2)).toStrictEqual([
        { at: 1, gold: 5, userId: 'anna', region: 'eu' },
        { at: 2, gold: 2 ** 40, userId: 'ben', region: 'us' },
      ])
      expect(values.slice(2)).toStrictEqual(values.slice(0, 2))
      // The other way round a long does not become an int.
      const narrow = avroSerde(open()).reader(v1)
      const bytes = records[1] as Buffer
      await narrow.prepare(writers[1].id)
      expect(() => narrow.tryDecode(bytes, 0, bytes.length)).toThrow(
        new RegExp(`quests\\.${v1.name}" \\(schema id ${writers[1].id}\\).*as "quests\\.${v1.name}"`),
      )
    })
  })
}
