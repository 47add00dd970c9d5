import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import avsc from 'avsc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LoadOptions, loadCommand, loadFile } from '../../src/cli/load.js'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { keyBytesAt } from '../../src/model/record-batch.js'
import type { Log } from '../../src/ports/log.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { type FileRegistry, fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'

const score = {
  type: 'record',
  name: 'Score',
  topic: 'scores',
  key: 'user',
  timestamp: 'at',
  fields: [
    { name: 'user', type: ['null', 'string'], default: null },
    { name: 'points', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
} as const

const NOW = Date.UTC(2026, 10, 5)

let directory: string
let log: Log
let registry: FileRegistry
let ports: { readonly log: Log; readonly registry: FileRegistry }
let lines: string[]

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-load-'))
  const clock = { now: () => NOW, sleep: async () => {} }
  log = await embeddedLog({ clock, store: await memoryEngine().open('log') })
  registry = fileRegistry({ schemas: [] })
  ports = { log, registry }
  lines = []
  writeFileSync(join(directory, 'score.avsc'), JSON.stringify(score))
})

afterEach(async () => {
  await log.close()
  rmSync(directory, { recursive: true })
})

const io = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(`! ${line}`) }

function options(name: string, content: string | Buffer, more: Partial<LoadOptions> = {}): LoadOptions {
  const file = join(directory, name)
  writeFileSync(file, content)
  return { topic: 'scores', file, schemas: directory, now: NOW, ...more }
}

interface Loaded {
  readonly partition: number
  readonly key: string | undefined
  readonly timestamp: number
  readonly value: unknown
}

async function contents(topic = 'scores'): Promise<readonly Loaded[]> {
  const schema = await registry.schema(registry.latest(`${topic}-value`) as number)
  const reader = avroSerde(registry).reader(schema ?? 'null')
  const records: Loaded[] = []
  const { partitions = 0 } = (await log.describeTopics([topic])).get(topic) ?? {}
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    for await (const batch of log.read({ topic, partition }, low, high)) {
      for (let i = 0; i < batch.count; i++) {
        const at = [batch.data, batch.valueStart[i] as number, batch.valueLength[i] as number] as const
        await reader.prepare(reader.missingId(...at) ?? (registry.latest(`${topic}-value`) as number))
        const key = keyBytesAt(batch, i)?.toString('utf8')
        records.push({ partition, key, timestamp: batch.timestamps[i] as number, value: reader.tryDecode(...at) })
      }
    }
  }
  return records
}

function container(values: readonly object[], schema: object = score): Promise<Buffer> {
  const encoder = new avsc.streams.BlockEncoder(schema as avsc.Schema, { codec: 'deflate' })
  const chunks: Buffer[] = []
  encoder.on('data', chunk => chunks.push(chunk))
  for (const value of values) encoder.write(value)
  encoder.end()
  return new Promise(resolve => encoder.on('end', () => resolve(Buffer.concat(chunks))))
}

describe('JSON lines', () => {
  it('are loaded by key and time, with exact longs and defaults', async () => {
    const text = [
      '\ufeff{"user":"ann","points":9223372036854775807,"at":1793491200000}\r',
      '',
      '{"user":"bob","points":-9007199254740993,"at":"2026-11-01T00:00:01Z"}',
      '{"points":3,"at":1793491202000}',
      '{"user":"ä","points":4,"at":1793491203000}',
    ].join('\n')
    const result = await loadFile(options('scores.jsonl', text), ports)
    expect(result).toMatchObject({
      loaded: 4,
      skipped: 0,
      partitions: 8,
      key: 'user',
      timestamp: 'at',
      unknownFields: [],
    })
    expect(result.schemaId).toBe(registry.latest('scores-value'))
    const byKey = (key: string) => partitionFor(Buffer.from(key), 8)
    const at = 1_793_491_200_000
    expect(new Set(await contents())).toEqual(
      new Set([
        { partition: byKey('ann'), key: 'ann', timestamp: at, value: { user: 'ann', points: 2n ** 63n - 1n, at } },
        {
          partition: byKey('bob'),
          key: 'bob',
          timestamp: at + 1_000,
          value: { user: 'bob', points: -9007199254740993n, at: at + 1_000 },
        },
        { partition: 2, key: undefined, timestamp: at + 2_000, value: { user: null, points: 3, at: at + 2_000 } },
        { partition: byKey('ä'), key: 'ä', timestamp: at + 3_000, value: { user: 'ä', points: 4, at: at + 3_000 } },
      ]),
    )
  })

  it('without keys are spread over the partitions in turn', async () => {
    const text = Array.from({ length: 30 }, (_, i) => `{"points":${i},"at":0}`).join('\n')
    await loadFile(options('scores.ndjson', text, { partitions: 3 }), ports)
    const perPartition = [0, 1, 2].map(
      partition => async () => (await log.watermarks({ topic: 'scores', partition })).high,
    )
    expect(await Promise.all(perPartition.map(high => high()))).toEqual([10, 10, 10])
  })

  it('take schema and key from flags, and go to a topic that exists', async () => {
    writeFileSync(
      join(directory, 'plain.avsc'),
      JSON.stringify({ ...score, topic: 'other', key: 'at', timestamp: undefined }),
    )
    await log.createTopics([{ name: 'elsewhere', partitions: 2, config: {} }])
    const text = '{"user":null,"points":77,"at":5}'
    const schema = join(directory, 'plain.avsc')
    const result = await loadFile(options('a.json', text, { topic: 'elsewhere', schema, key: 'points' }), ports)
    expect(result).toMatchObject({ loaded: 1, partitions: 2, key: 'points', timestamp: undefined })
    expect(await contents('elsewhere')).toMatchObject([{ key: '77', timestamp: NOW }])
  })

  it('in great number all arrive', async () => {
    const text = Array.from({ length: 25_000 }, (_, i) => `{"user":"u${i % 100}","points":${i},"at":${i}}`).join('\n')
    await loadFile(options('scores.jsonl', text), ports)
    const points = (await contents()).map(record => (record.value as { points: number }).points)
    expect(points.sort((a, b) => a - b)).toEqual(Array.from({ length: 25_000 }, (_, i) => i))
  })
})

describe('wrong lines', () => {
  const text = [
    '{"user":"ann","points":1,"at":1}',
    '{"user":"ann","points":"1","at":1}',
    '{"user":"ann","points":1,"at":1',
    '[1]',
    '{"user":"ann","points":1}',
    '{"user":"ann","points":1,"at":-1}',
    '{"user":"bob","points":9223372036854775808,"at":1}',
    '{"user":"bob","points":2,"at":1,"colour":"red"}',
  ].join('\n')

  it('keep the whole file out, each named with file, line and reason', async () => {
    const request = options('scores.jsonl', text)
    expect(await loadCommand(request, ports, io)).toBe(1)
    expect(lines).toHaveLength(1)
    const [first, ...problems] = (lines[0] as string).split('\n')
    expect(first).toContain('Nothing was loaded, because 6 values')
    expect(problems).toEqual([
      expect.stringMatching(/scores\.jsonl, line 2: .*field "points" is "1", not long/),
      expect.stringMatching(/line 3: it is not JSON/),
      expect.stringMatching(/line 4: it is not a JSON object/),
      expect.stringMatching(/line 5: .*field "at" is undefined/),
      expect.stringMatching(/line 6: the timestamp -1 is not a time since 1970/),
      expect.stringMatching(/line 7: .*field "points" is 9223372036854775808n/),
    ])
    expect(await log.describeTopics(['scores'])).toEqual(new Map())
  })

  it('are passed over on request, and said so', async () => {
    expect(await loadCommand(options('scores.jsonl', text, { onError: 'skip' }), ports, io)).toBe(0)
    expect(lines).toHaveLength(8)
    expect(lines[6]).toBe('! Left out, because the schema does not have them: Score.colour.')
    expect(lines[7]).toMatch(
      /^2 records of .*scores\.jsonl loaded into scores \(8 partitions, by user, schema id \d+\)\. 6 wrong ones were passed over\.$/,
    )
    expect((await contents()).map(record => record.key).sort()).toEqual(['ann', 'bob'])
  })

  it('are named up to ten', async () => {
    const many = Array(25).fill('x').join('\n')
    await expect(loadFile(options('scores.jsonl', many), ports)).rejects.toThrow('… and 15 more')
  })
})

describe('container files', () => {
  const written = [
    { user: 'ann', points: 1, at: 10 },
    { user: 'bob', points: 2, at: 20 },
  ]

  it('are loaded with the schema that they were written with, whatever their name', async () => {
    const older = {
      ...score,
      key: undefined,
      timestamp: undefined,
      fields: [...score.fields, { name: 'old', type: 'int', default: 1 }],
    }
    const file = await container(written, older)
    const result = await loadFile(options('scores.jsonl', file), ports)
    expect(result).toMatchObject({ loaded: 2, key: 'user', timestamp: 'at' })
    expect(await contents()).toEqual(
      expect.arrayContaining(
        written.map(value =>
          expect.objectContaining({ key: value.user, timestamp: value.at, value: { ...value, old: 1 } }),
        ),
      ),
    )
  })

  it('need no schema elsewhere, and carry key and timestamp', async () => {
    const result = await loadFile(
      options('s.avro', await container(written), { topic: 'new', schemas: join(directory, 'none') }),
      ports,
    )
    expect(result).toMatchObject({ loaded: 2, key: 'user', timestamp: 'at' })
  })

  it('of microseconds get timestamps in ms', async () => {
    const micros = {
      ...score,
      fields: [...score.fields.slice(0, 2), { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } }],
    }
    const file = await container([{ user: 'ann', points: 1, at: 1_793_491_200_000_999 }], micros)
    await loadFile(options('s.avro', file, { topic: 'new' }), ports)
    expect(await contents('new')).toMatchObject([{ timestamp: 1_793_491_200_000 }])
  })

  it('that are damaged are not loaded at all', async () => {
    const file = await container(Array.from({ length: 20_000 }, () => written[0] as object))
    expect(await loadCommand(options('s.avro', file.subarray(0, file.length - 3)), ports, io)).toBe(1)
    expect(lines[0]).toMatch(/s\.avro is damaged/)
    expect(await log.describeTopics(['scores'])).toEqual(new Map())
  })
})

describe('a request that cannot be met', () => {
  it.each([
    ['no schema for the topic', { topic: 'unknown' }, /no schema in .* has "topic": "unknown"/],
    ['a schema file that is missing', { schema: '/nowhere/x.avsc' }, /\/nowhere\/x\.avsc cannot be read/],
    ['a key that is no field', { key: 'usr' }, /the field "usr".*They have: user, points, at/],
    ['a file that is missing', { file: '/nowhere/x.jsonl' }, /\/nowhere\/x\.jsonl cannot be read/],
  ])('says why: %s', async (_, more, sentence) => {
    expect(await loadCommand(options('scores.jsonl', '{"points":1,"at":1}', more), ports, io)).toBe(1)
    expect(lines).toEqual([expect.stringMatching(sentence)])
  })
})
