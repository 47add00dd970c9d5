import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { questEvents } from '../../src/cli/quest-events.js'
import { kafkaLog } from '../../src/log/kafka/kafka-log.js'
import { keyBytesAt, valueBytesAt } from '../../src/model/record-batch.js'
import { type PlainRecord, plain } from '../log/member.js'
import { allEqual, compareCells, expectedCells } from './quest-cells.js'
import { questEncoder, questEvent } from './quest-topic.js'
import { Rig } from './rig.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const HOUR = 3_600_000

describe.skipIf(kafka === '' || postgres === '')('records that nobody can use', () => {
  it('are set aside with their bytes and their reason, counted, and stop nothing', async () => {
    const rig = await Rig.create({ kafka, postgres })
    await rig.log.createTopics([{ name: rig.source, partitions: 2, config: {} }])
    const encode = await questEncoder(rig.source)
    const now = Date.now()
    // Between the first and the second thousand of good events. A null value has no other time than its record's.
    const middle = now - HOUR / 2
    const event = questEvents({ seed: 41, start: now - HOUR, spanMs: HOUR, total: 2_000 })
    const good = Array.from({ length: 2_000 }, (_, index) => event(index))
    const valid = (fields = {}) => encode(questEvent({ questType: 'kept-apart', occurredAt: middle, ...fields }))
    const unknown = valid()
    unknown.writeInt32BE(123_456, 1)
    const cut = valid().subarray(0, 12)
    const longer = Buffer.concat([valid(), Buffer.from('more')])
    const hugeKey = Buffer.alloc(800_000, 'k')
    const hugeText = 'x'.repeat(700_000)

    /** What is wrong, the bytes, and what becomes of it. */
    const bad: readonly Bad[] = [
      { what: 'text instead of Avro', value: Buffer.from('{"questType":"hunt"}'), exception: 'UNDECODABLE' },
      { what: 'an empty value', value: Buffer.alloc(0), exception: 'UNDECODABLE' },
      { what: 'a magic byte only', value: Buffer.from([0]), exception: 'UNDECODABLE' },
      { what: 'an unknown schema id', value: unknown, exception: 'UNKNOWN_SCHEMA_ID' },
      { what: 'a value cut off', value: cut, exception: 'UNDECODABLE' },
      { what: 'a value with something behind it', value: longer, exception: 'UNDECODABLE' },
      { what: 'zeros', value: Buffer.alloc(300), exception: 'UNKNOWN_SCHEMA_ID' },
      {
        what: 'binary key and value',
        key: Buffer.from([0xff, 0xfe, 0]),
        value: Buffer.from([0xff, 0, 0x80]),
        exception: 'UNDECODABLE',
      },
      {
        what: 'a timestamp years ahead',
        value: valid({ occurredAt: now + 9_999 * HOUR }),
        exception: 'INVALID_TIMESTAMP',
      },
      {
        what: 'a timestamp in microseconds',
        value: valid({ occurredAt: now * 1_000 }),
        exception: 'INVALID_TIMESTAMP',
      },
      { what: 'a timestamp before 1970', value: valid({ occurredAt: -1 }), exception: 'INVALID_TIMESTAMP' },
      { what: 'a null value', value: null, exception: undefined },
      { what: 'a null key and value', key: null, value: null, exception: undefined },
    ]
    /** Odd, but fit for use. */
    const odd = [
      questEvent({ questType: 'null-key', occurredAt: middle }),
      questEvent({ questType: 'huge-key', occurredAt: middle }),
      questEvent({ questType: 'huge-value', region: hugeText, occurredAt: middle }),
      questEvent({ questType: '', userId: '', occurredAt: middle }),
      questEvent({ questType: 'Ünïcode \u{1f3f9}\t"quoted\' \\ new\nline', occurredAt: middle }),
    ]
    const oddKeys = [null, hugeKey, Buffer.from('u'), Buffer.alloc(0), Buffer.from('ü')]
    // A kind that the warehouse cannot hold: text with NUL.
    const unstorable = questEvent({ questType: 'nul\u0000byte', occurredAt: middle })

    const producer = await rig.log.producer()
    const send = (partition: number, key: Buffer | null, value: Buffer | null) =>
      producer.send(rig.source, partition, key, value, middle, [['trace', 'abc-1']])
    good.slice(0, 1_000).forEach((one, i) => void send(i % 2, Buffer.from(one.userId), encode(one)))
    for (const { key = Buffer.from('k'), value } of bad) send(0, key, value)
    odd.forEach((one, i) => void send(1, oddKeys[i] ?? null, encode(one)))
    send(1, Buffer.from('u'), encode(unstorable))
    good.slice(1_000).forEach((one, i) => void send(i % 2, Buffer.from(one.userId), encode(one)))
    await producer.flush()
    await producer.close()

    const worker = rig.worker()
    await rig.filled(good.length + odd.length, 60_000, () => worker.output)
    const dead = bad.filter(({ exception }) => exception !== undefined)
    const letters = await until('all dead letters', 30_000, async () => {
      const found = await lettersOf(rig)
      return found.length > dead.length && found
    })
    expect(worker.running).toBe(true)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })

    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells([...good, ...odd]), await rig.database.cells())
    const table = letters.map(({ record, headers }) => ({ ...headers, bytes: record.value?.length }))
    console.info(
      'bad input:',
      { ...comparison, ...accounting },
      table.map(({ exception, message }) => `${exception}: ${message}`),
    )
    expect(comparison).toMatchObject(allEqual)
    const skipped = bad.length - dead.length
    const read = good.length + odd.length + bad.length + 1
    expect(accounting).toMatchObject({
      read,
      aggregated: good.length + odd.length + 1,
      deadLettered: dead.length,
      skipped,
      late: 0,
      filtered: 0,
    })

    for (const { what, key = Buffer.from('k'), value, exception } of dead) {
      const letter = letters.find(({ record }) => record.value?.equals(value as Buffer))
      expect(letter, what).toBeDefined()
      expect(letter?.record.key, what).toEqual(key)
      expect(letter?.record.timestamp, what).toBe(middle)
      expect(letter?.headers, what).toMatchObject({ exception, topic: rig.source, partition: '0' })
      expect(Number(letter?.headers.offset), what).toBeGreaterThanOrEqual(500)
      expect(letter?.headers.message.length, what).toBeGreaterThan(20)
      expect(letter?.original, what).toEqual([['trace', 'abc-1']])
    }
    // The row that PostgreSQL cannot hold was set aside from the rows topic.
    const row = letters.filter(({ headers }) => headers.topic === `${rig.group}-quest_minute-rows`)
    expect(row.map(({ headers }) => headers.exception)).toEqual(['UNSTORABLE'])
    expect(letters).toHaveLength(dead.length + 1)
  }, 90_000)

  it('are set aside when they are as large as the source topic takes', async () => {
    const rig = await Rig.create({ kafka, postgres })
    const log = await kafkaLog({ brokers: kafka, config: { 'message.max.bytes': 4_000_000 } })
    onTestFinished(() => log.close())
    await log.createTopics([{ name: rig.source, partitions: 2, config: { 'max.message.bytes': '4000000' } }])
    const encode = await questEncoder(rig.source)
    const now = Date.now()
    const producer = await log.producer()
    const good = Array.from({ length: 100 }, (_, i) => questEvent({ userId: `u${i}`, occurredAt: now }))
    const large = [1_048_000, 2_000_000].map(bytes => Buffer.alloc(bytes, 'x'))
    for (const [i, event] of good.entries()) {
      producer.send(rig.source, i % 2, Buffer.from(event.userId), encode(event), now)
      if (i === 50) for (const bytes of large) producer.send(rig.source, 0, bytes, bytes.subarray(0, 10), now)
      if (i === 60) for (const bytes of large) producer.send(rig.source, 1, null, bytes, now)
    }
    await producer.flush()
    await producer.close()
    const worker = rig.worker()
    await rig.filled(good.length, 30_000, () => worker.output)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const letters = await lettersOf(rig)
    expect(await rig.accounting()).toMatchObject({ read: 104, aggregated: 100, deadLettered: 4 })
    expect(letters.map(({ record }) => [record.key?.length, record.value?.length]).sort()).toEqual(
      [
        [1_048_000, 10],
        [2_000_000, 10],
        [undefined, 1_048_000],
        [undefined, 2_000_000],
      ].sort(),
    )
  }, 60_000)
})

interface Bad {
  readonly what: string
  readonly key?: Buffer | null
  readonly value: Buffer | null
  /** Code in the dead letter; undefined: the record is skipped. */
  readonly exception: string | undefined
}

const PREFIX = '__streams.errors.'

interface Letter {
  readonly record: Pick<PlainRecord, 'timestamp'> & { readonly key: Buffer | null; readonly value: Buffer | null }
  /** KIP-1034's headers without their prefix. */
  readonly headers: Record<'exception' | 'message' | 'topic' | 'partition' | 'offset', string>
  /** Headers that the record had before. */
  readonly original: readonly (readonly [string, string])[]
}

async function lettersOf(rig: Rig): Promise<Letter[]> {
  const topic = `${rig.group}-dead-letters`
  const letters: Letter[] = []
  for (const partition of [0, 1]) {
    const { low, high } = await rig.log.watermarks({ topic, partition })
    for await (const batch of rig.log.read({ topic, partition }, low, high)) {
      plain(batch).forEach(({ timestamp, headers }, i) => {
        const own = headers.filter(([name]) => name.startsWith(PREFIX))
        letters.push({
          record: { timestamp, key: keyBytesAt(batch, i), value: valueBytesAt(batch, i) },
          headers: Object.fromEntries(
            own.map(([name, text]) => [name.slice(PREFIX.length), text]),
          ) as Letter['headers'],
          original: headers.filter(([name]) => !name.startsWith(PREFIX)),
        })
      })
    }
  }
  return letters
}
