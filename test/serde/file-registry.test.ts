import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { derivedSchemaId, fileRegistry } from '../../src/serde/file-registry.js'
import { registryContract } from './registry-contract.js'

const record = (name: string, extra: object = {}) => ({
  type: 'record',
  name,
  fields: [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }],
  ...extra,
})

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

const shared = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
afterAll(() => rmSync(shared, { recursive: true }))
registryContract('fileRegistry', () => fileRegistry({ schemas: [], file: join(shared, 'schemas.json') }))

const put = (name: string, schema: object) => writeFileSync(join(directory, name), JSON.stringify(schema))

describe('ids', () => {
  it('follow from the schema alone, whatever is only said about it', async () => {
    const id = derivedSchemaId(record('A'))
    expect(id).toBe(derivedSchemaId(record('A', { doc: 'x', topic: 'y' })))
    expect(id).not.toBe(derivedSchemaId(record('B')))
    expect(id).not.toBe(derivedSchemaId({ ...record('A'), fields: [{ name: 'at', type: 'long' }] }))
    expect(derivedSchemaId('long')).toBe(1_637_229_758)
    expect(await fileRegistry({ schemas: [] }).register('a-value', record('A'))).toBe(id)
  })

  it('may be pinned, for one schema each', async () => {
    const registry = fileRegistry({ schemas: [record('A', { schemaId: 7 })] })
    expect(await registry.register('a-value', record('A'))).toBe(7)
    expect(await registry.schema(7)).toMatchObject({ name: 'A' })
    await expect(registry.register('a-value', record('B', { schemaId: 7 }))).rejects.toThrow(/"B" and "A".*id 7/)
    await expect(registry.register('a-value', record('B', { schemaId: -1 }))).rejects.toThrow('"schemaId": -1')
  })

  it('are unknown until registered', async () => {
    const registry = fileRegistry({ schemas: [] })
    expect(await registry.schema(derivedSchemaId('long'))).toBeUndefined()
    await expect(registry.register('a-value', 'strnig')).rejects.toThrow('not a valid Avro schema')
  })
})

describe('a directory', () => {
  it('gives all its schemas, older versions among them', async () => {
    put('a.avsc', record('A'))
    put('a.v1.avsc', record('OldA'))
    put('notes.json', {})
    const registry = fileRegistry({ schemas: directory })
    expect(await registry.schema(derivedSchemaId(record('A')))).toEqual(record('A'))
    expect(await registry.schema(derivedSchemaId(record('OldA')))).toEqual(record('OldA'))
  })

  it('with a file that is no schema is refused by the name of the file', () => {
    put('a.avsc', record('A', { fields: 1 }))
    expect(() => fileRegistry({ schemas: directory })).toThrow(join(directory, 'a.avsc'))
    writeFileSync(join(directory, 'a.avsc'), '{')
    expect(() => fileRegistry({ schemas: directory })).toThrow(join(directory, 'a.avsc'))
  })
})

describe('what is registered at run time', () => {
  it('is known after a restart where a file is given, and leaves nothing else behind', async () => {
    const file = join(directory, 'state', 'schemas.json')
    const first = fileRegistry({ schemas: [], file })
    const a = await first.register('t-value', record('A'))
    const b = await first.register('t-value', record('B'))
    await first.register('u-value', record('A'))
    const second = fileRegistry({ schemas: [], file })
    expect(await second.schema(a)).toEqual(record('A'))
    expect([second.latest('t-value'), second.latest('u-value'), second.latest('v-value')]).toEqual([b, a, undefined])
    expect(readdirSync(join(directory, 'state'))).toEqual(['schemas.json'])
  })

  it('in a damaged file is refused by its name', () => {
    const file = join(directory, 'schemas.json')
    writeFileSync(file, '{"subj')
    expect(() => fileRegistry({ schemas: [], file })).toThrow(file)
  })
})
