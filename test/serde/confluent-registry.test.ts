import { describe, expect, inject, it } from 'vitest'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { MillraceError } from '../../src/model/errors.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { confluentRegistry } from '../../src/serde/confluent-registry.js'
import { unique } from '../log/member.js'
import { registryContract } from './registry-contract.js'

const url = inject('registry')
const HEADERS = { 'content-type': 'application/vnd.schemaregistry.v1+json' }

async function put(path: string, body: object, method = 'PUT'): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, { method, headers: HEADERS, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

async function errorOf(work: Promise<unknown>): Promise<MillraceError> {
  try {
    await work
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown
    throw thrown
  }
  throw new Error('nothing thrown')
}

const quest = (fields: object[]) => ({ type: 'record', name: 'Quest', fields })
const gold = { name: 'gold', type: 'long' }

describe.skipIf(url === undefined)('the registry of the Confluent API', () => {
  const open = () => confluentRegistry({ urls: [url as string] })
  registryContract('confluentRegistry', open)

  describe('an incompatible schema is refused with the difference named', () => {
    const subjects: string[] = []
    async function registered(level: string, ...versions: AvroSchema[]): Promise<string> {
      const subject = `${unique('topic')}-value`
      subjects.push(subject)
      for (const version of versions) await open().register(subject, version)
      await put(`/config/${subject}`, { compatibility: level })
      return subject
    }
    const levelOf = async (subject: string) => {
      const response = await fetch(`${url}/config/${subject}`)
      return ((await response.json()) as { compatibilityLevel: string }).compatibilityLevel
    }

    it('BACKWARD: what the new schema cannot read', async () => {
      const subject = await registered('BACKWARD', quest([gold]))
      const next = quest([
        { name: 'gold', type: 'string' },
        { name: 'region', type: 'string' },
      ])
      const error = await errorOf(open().register(subject, next))
      expect(error.code).toBe('SCHEMA_INCOMPATIBLE')
      expect(error.message).toContain(
        `refuses "Quest" for "${subject}", since it is not BACKWARD compatible with version 1: ` +
          'field "gold": long became string; field "region" was added without a default.',
      )
      expect(await levelOf(subject)).toBe('BACKWARD')
    })

    it('FORWARD: what the old schema cannot read', async () => {
      const subject = await registered('FORWARD', quest([gold, { name: 'user', type: 'string' }]))
      const error = await errorOf(open().register(subject, quest([gold])))
      expect(error.message).toContain('not FORWARD compatible with version 1: field "user" was removed')
      await open().register(subject, quest([gold, { name: 'user', type: 'string' }, { name: 'more', type: 'int' }]))
    })

    it('FULL_TRANSITIVE: what differs from an older version than the last', async () => {
      const text = { name: 'gold', type: 'string' }
      const subject = await registered('NONE', quest([text]), quest([gold]))
      await put(`/config/${subject}`, { compatibility: 'FULL_TRANSITIVE' })
      const error = await errorOf(open().register(subject, quest([gold, { name: 'x', type: 'int', default: 1 }])))
      expect(error.message).toContain(
        'not FULL_TRANSITIVE compatible with version 1: field "gold": string became long.',
      )
      expect(await levelOf(subject)).toBe('FULL_TRANSITIVE')
    })

    it('and the compatibility of a subject stays what it was', async () => {
      const subject = await registered('NONE', quest([gold]))
      await open().register(subject, quest([{ name: 'gold', type: 'string' }]))
      expect(await levelOf(subject)).toBe('NONE')
    })
  })

  it('what Millrace notes in its .avsc files is not registered: the producer’s own schema is found', async () => {
    const subject = `${unique('topic')}-value`
    const { id } = await put(`/subjects/${subject}/versions`, { schema: JSON.stringify(quest([gold])) }, 'POST')
    const noted = { ...quest([gold]), topic: 'quests', key: 'gold', timestamp: 'gold', schemaId: 7 }
    expect(await open().register(subject, noted)).toBe(id)
  })

  it('a schema that refers to others comes with their definitions', async () => {
    const name = (base: string) => unique(base).replaceAll('-', '')
    const [money, coin] = [name('Money'), name('Coin')]
    const register = (subject: string, schema: object, references: object[]) =>
      put(`/subjects/${subject}/versions`, { schema: JSON.stringify(schema), references }, 'POST')
    const on = (type: string) => ({ name: `shop.${type}`, subject: `shop.${type}`, version: 1 })
    await register(`shop.${coin}`, { type: 'enum', name: coin, namespace: 'shop', symbols: ['EUR'] }, [])
    await register(
      `shop.${money}`,
      { type: 'record', name: money, namespace: 'shop', fields: [{ name: 'coin', type: coin }] },
      [on(coin)],
    )
    const order = { type: 'record', name: 'Order', fields: [{ name: 'price', type: `shop.${money}` }] }
    const { id } = await register(`${unique('order')}-value`, order, [on(money)])
    const schema = await open().schema(id as number)
    const codec = avroSerde(open()).codec(schema as AvroSchema)
    expect(codec.decode(codec.encode({ price: { coin: 'EUR' } }))).toEqual({ price: { coin: 'EUR' } })
  })

  it('a schema of another type is an error that names it, and no reason to ask again', async () => {
    const subject = `${unique('topic')}-value`
    const message = unique('Message').replaceAll('-', '')
    const schema = `syntax = "proto3"; message ${message} { string a = 1; }`
    const { id } = await put(`/subjects/${subject}/versions`, { schemaType: 'PROTOBUF', schema }, 'POST')
    const error = await errorOf(open().schema(id as number))
    expect([error.code, error.message]).toEqual([
      'INVALID_SCHEMA',
      expect.stringContaining(`PROTOBUF under the id ${id}`),
    ])
    const reader = avroSerde(open()).reader('long')
    const bytes = Buffer.alloc(6)
    bytes.writeInt32BE(id as number, 1)
    await reader.prepare(id as number)
    expect(() => reader.tryDecode(bytes, 0, 6)).toThrow('PROTOBUF')
  })

  it('a wrong path is no registry without that schema', async () => {
    const wrong = confluentRegistry({ urls: [new URL('/api', url).href] })
    for (const ask of [() => wrong.schema(1), () => wrong.register('t-value', 'long')]) {
      const error = await errorOf(ask())
      expect([error.code, error.message]).toEqual(['REGISTRY', expect.stringContaining('/apis/ccompat/v7')])
    }
  })
})
