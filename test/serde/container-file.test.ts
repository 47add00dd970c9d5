import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import avsc from 'avsc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/model/errors.js'
import { avroCodec } from '../../src/serde/avro-codec.js'
import { openContainerFile } from '../../src/serde/container-file.js'

const schema = {
  type: 'record' as const,
  name: 'Event',
  doc: 'x'.repeat(100_000),
  fields: [
    { name: 'id', type: 'string' },
    { name: 'n', type: 'long' },
    { name: 'tags', type: { type: 'array' as const, items: 'string' } },
  ],
}
const event = (i: number) => ({ id: `event-${i}`, n: i * 1_000_003, tags: ['a', 'ü'.repeat(i % 30)] })

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-container-'))
  path = join(directory, 'events.avro')
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

/** Writes with avsc, whose container code shares nothing with the reader. */
async function write(count: number, codec: string, blockSize = 10_000) {
  const codecs = avsc.streams.BlockEncoder.defaultCodecs()
  const encoder = new avsc.streams.BlockEncoder(schema, {
    codec,
    codecs: { ...codecs, snappy: codecs.null as never },
    blockSize,
    writeHeader: 'always',
  })
  const chunks: Buffer[] = []
  encoder.on('data', chunk => chunks.push(chunk))
  for (let i = 0; i < count; i++) if (!encoder.write(event(i))) await once(encoder, 'drain')
  encoder.end()
  await once(encoder, 'end')
  writeFileSync(path, Buffer.concat(chunks))
}

async function read() {
  const file = await openContainerFile(path)
  const values: unknown[] = []
  const codec = avroCodec(file.schema)
  try {
    for await (const block of file.blocks()) {
      for (const { value, bytes } of block) {
        values.push(value)
        expect(codec.decode(bytes)).toStrictEqual(value)
      }
    }
  } finally {
    await file.close()
  }
  return { values, schema: file.schema }
}

async function problem(): Promise<string> {
  try {
    await read()
  } catch (thrown) {
    if (thrown instanceof MillraceError && thrown.code === 'LOAD') return thrown.message
    throw thrown
  }
  return 'nothing thrown'
}

describe('a container file', () => {
  it.each(['null', 'deflate'])('of codec %s gives schema and values', async codec => {
    await write(15_000, codec)
    const { values, schema: written } = await read()
    expect(written).toMatchObject({ name: 'Event', doc: schema.doc })
    expect(values).toStrictEqual(Array.from({ length: 15_000 }, (_, i) => event(i)))
  })

  it('with blocks larger than a read, and an empty one', async () => {
    await write(30_000, 'null', 3_000_000)
    expect((await read()).values).toHaveLength(30_000)
    await write(0, 'null')
    expect((await read()).values).toEqual([])
  })

  it('that is damaged or of another kind is refused, naming file and place', async () => {
    await write(2_000, 'null')
    const good = readFileSync(path)
    const cases: readonly (readonly [Buffer, string])[] = [
      [good.subarray(0, good.length - 5), 'ends too early'],
      [good.subarray(0, 50_000), 'header'],
      [Buffer.concat([good.subarray(0, good.length - 1), Buffer.from([(good.at(-1) as number) ^ 1])]), 'sync marker'],
      [Buffer.concat([good, Buffer.from('fefefefefefefefefe01', 'hex')]), 'ends too early'],
      [Buffer.alloc(10), 'header'],
      [Buffer.alloc(0), 'header'],
    ]
    for (const [bytes, sentence] of cases) {
      writeFileSync(path, bytes)
      const message = await problem()
      expect(message).toContain(sentence)
      expect(message).toContain(path)
    }
    rmSync(path)
    expect(await problem()).toContain(path)
  })

  it('of another codec is refused by its name', async () => {
    await write(10, 'snappy')
    expect(await problem()).toContain('compressed with "snappy"')
  })

  it('with any flipped byte gives values or an error of ours', async () => {
    await write(30, 'deflate', 500)
    const good = readFileSync(path)
    const start = good.length - 1_500
    for (let at = start; at < good.length; at += 7) {
      const bytes = Buffer.from(good)
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
      writeFileSync(path, bytes)
      expect(await problem()).toMatch(/nothing thrown|damaged|not supported/)
    }
  })
})
