import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ProducePorts, produceCommand, produceEvents } from '../../src/cli/produce.js'
import { questEvents } from '../../src/cli/quest-events.js'
import { recordsInTopic } from '../../src/cli/target-topic.js'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { keyBytesAt } from '../../src/model/record-batch.js'
import type { Clock } from '../../src/ports/clock.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { readSchemaFile } from '../../src/serde/schema-files.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'

const { schema } = readSchemaFile(fileURLToPath(new URL('../../schemas/quest-event.avsc', import.meta.url)))

const options = { seed: 3, start: Date.UTC(2026, 10, 1), spanMs: 3_600_000, total: 25_000 }

/** A clock that moves when somebody sleeps. */
class ManualClock implements Clock {
  time = options.start
  now(): number {
    return this.time
  }
  async sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds
  }
}

let ports: ProducePorts & { readonly clock: ManualClock }

beforeEach(async () => {
  const clock = new ManualClock()
  const log = await embeddedLog({ clock, store: await memoryEngine().open('log') })
  ports = { log, clock, registry: fileRegistry({ schemas: [] }) }
})

async function contents(topic: string) {
  const reader = avroSerde(ports.registry).reader(schema)
  const events: {
    readonly partition: number
    readonly key: string
    readonly timestamp: number
    readonly value: unknown
  }[] = []
  const partitions = (await ports.log.describeTopics([topic])).get(topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await ports.log.watermarks({ topic, partition })
    for await (const batch of ports.log.read({ topic, partition }, low, high)) {
      for (let i = 0; i < batch.count; i++) {
        const at = [batch.data, batch.valueStart[i] as number, batch.valueLength[i] as number] as const
        const id = reader.missingId(...at)
        if (id !== undefined) await reader.prepare(id)
        const key = keyBytesAt(batch, i)?.toString() ?? ''
        events.push({ partition, key, timestamp: batch.timestamps[i] as number, value: reader.tryDecode(...at) })
      }
    }
  }
  return events
}

describe('produceEvents', () => {
  it('writes the generated events keyed by user, each with its event time', async () => {
    const result = await produceEvents({ ...options, from: 0, to: 25_000 }, ports)
    expect(result).toEqual({ produced: 25_000, next: 25_000, partitions: 8 })
    const events = await contents('quest-events')
    const event = questEvents(options)
    const byId = new Map(Array.from({ length: 25_000 }, (_, i) => [event(i).eventId, event(i)]))
    expect(events).toHaveLength(25_000)
    for (const { partition, key, timestamp, value } of events) {
      const { eventId } = value as { eventId: string }
      const expected = byId.get(eventId)
      expect(value).toEqual(expected)
      expect([key, timestamp]).toEqual([expected?.userId, expected?.occurredAt])
      expect(partition).toBe(partitionFor(Buffer.from(key), 8))
      byId.delete(eventId)
    }
    expect(byId.size).toBe(0)
  })

  it('goes on where it stopped, so that two runs make what one makes', async () => {
    const stop = new AbortController()
    const first = await produceEvents(
      { ...options, topic: 'halves', from: 0, to: 25_000, signal: stop.signal, onProgress: () => stop.abort() },
      ports,
    )
    expect(first).toMatchObject({ produced: 10_000, next: 10_000 })
    expect(await recordsInTopic(ports.log, 'halves')).toBe(10_000)
    await produceEvents({ ...options, topic: 'halves', from: first.next, to: 25_000 }, ports)
    await produceEvents({ ...options, topic: 'whole', from: 0, to: 25_000 }, ports)
    expect(await contents('halves')).toEqual(await contents('whole'))
  })

  it('keeps to a rate', async () => {
    await produceEvents({ ...options, from: 0, to: 1_000, rate: 200 }, ports)
    expect(ports.clock.time - options.start).toBe(4_900)
  })

  it('uses the partitions of a topic that exists', async () => {
    await ports.log.createTopics([{ name: 'quest-events', partitions: 3, config: {} }])
    expect(await produceEvents({ ...options, from: 0, to: 10, partitions: 5 }, ports)).toMatchObject({ partitions: 3 })
    expect(await produceEvents({ ...options, topic: 'x', from: 0, to: 10, partitions: 5 }, ports)).toMatchObject({
      partitions: 5,
    })
  })
})

describe('millrace produce', () => {
  const lines: string[] = []
  const io = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(`! ${line}`) }

  beforeEach(() => {
    lines.length = 0
  })

  it('brings a topic to a number of events', async () => {
    await produceEvents({ ...options, from: 0, to: 11_000 }, ports)
    expect(await produceCommand(options, ports, io)).toBe(0)
    expect(await produceCommand(options, ports, io)).toBe(0)
    expect(lines).toEqual([
      '! quest-events holds 11000 records already; going on from event 11000.',
      '14000 events produced into quest-events (8 partitions); it holds 25000 of 25000.',
      '! quest-events holds 25000 records already; going on from event 25000.',
      '0 events produced into quest-events (8 partitions); it holds 25000 of 25000.',
    ])
    expect(new Set((await contents('quest-events')).map(e => (e.value as { eventId: string }).eventId)).size).toBe(
      25_000,
    )
  })

  it('refuses numbers that make no sense', async () => {
    expect(await produceCommand({ ...options, total: 0 }, ports, io)).toBe(1)
    expect(await produceCommand({ ...options, rate: -1 }, ports, io)).toBe(1)
    expect(lines).toEqual([expect.stringContaining('--events is 0'), expect.stringContaining('--rate is -1')])
  })
})
