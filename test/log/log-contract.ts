import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Header, RecordBatch } from '../../src/model/record-batch.js'
import { partitionId, type TopicPartition } from '../../src/model/topic-partition.js'
import { type Log, LogError, type LogProducer } from '../../src/ports/log.js'
import { Member, type PlainRecord, plain, pollUntil, unique } from './member.js'

async function readAll(log: Log, topic: string, from: number, to: number, partition = 0): Promise<PlainRecord[]> {
  const records: PlainRecord[] = []
  for await (const batch of log.read({ topic, partition }, from, to)) records.push(...plain(batch))
  return records
}

const bytes = (text: string) => Buffer.from(text)
/** A minute ago: Kafka's retention removes records by their timestamps. */
const T0 = Date.now() - 60_000

/** What every log must do. `open` gives a log of the same data each time; `close` ends what it needed. */
export function logContract(
  name: string,
  make: () => Promise<{ readonly open: () => Promise<Log>; readonly close: () => Promise<void> }>,
): void {
  describe(`log: ${name}`, () => {
    let harness: Awaited<ReturnType<typeof make>>
    let log: Log

    beforeAll(async () => {
      harness = await make()
      log = await harness.open()
    })
    afterAll(async () => {
      await log?.close()
      await harness?.close()
    })

    const topicOf = async (partitions = 1, config: Record<string, string> = {}) => {
      const topic = unique('topic')
      await log.createTopics([{ name: topic, partitions, config }])
      return topic
    }
    const producerOf = async (transactionalId?: string): Promise<LogProducer> => {
      const producer = await log.producer(transactionalId === undefined ? {} : { transactionalId })
      onTestFinished(() => producer.close())
      return producer
    }
    const memberOf = async (group: string, ...topics: string[]): Promise<Member> => {
      const consumer = await log.consumer({ group })
      onTestFinished(() => consumer.close())
      consumer.subscribe(topics)
      return new Member(consumer)
    }
    const fill = async (topic: string, values: readonly string[], partition = 0) => {
      const producer = await log.producer()
      for (const value of values) producer.send(topic, partition, bytes(`k${value}`), bytes(value), T0)
      await producer.flush()
      await producer.close()
    }

    it('reads partitions that no group assigns, several readers the same ones, until they are released', async () => {
      const topic = await topicOf(2)
      const [first, second] = [await log.reader(), await log.reader()]
      onTestFinished(async () => {
        await first.close()
        await second.close()
      })
      const [one, two] = [new Member(first), new Member(second)]
      await fill(topic, ['a', 'b', 'c'])
      await fill(topic, ['d'], 1)
      first.assign([{ topic, partition: 0, offset: 1 }])
      second.assign([{ topic, partition: 0, offset: 0 }])
      await pollUntil([one, two], () => one.values().length === 2 && two.values().length === 3)
      expect([one.values(), two.values()]).toEqual([
        ['b', 'c'],
        ['a', 'b', 'c'],
      ])
      first.assign([{ topic, partition: 1, offset: 0 }])
      first.release([{ topic, partition: 0 }])
      await fill(topic, ['e'])
      await fill(topic, ['f'], 1)
      await pollUntil([one, two], () => one.values(1).length === 2 && two.values().length === 4)
      expect(one.values(1)).toEqual(['d', 'f'])
      expect(one.values()).toEqual(['b', 'c'])
      first.assign([{ topic, partition: 0, offset: 3 }])
      first.pause([{ topic, partition: 1 }])
      await fill(topic, ['g'], 1)
      await pollUntil([one], () => one.values().length === 3)
      expect(one.values(1)).toEqual(['d', 'f'])
      first.resume([{ topic, partition: 1 }])
      await pollUntil([one], () => one.values(1).length === 3)
      expect(one.owned.size).toBe(0)
    })

    it('creates topics once, leaves existing ones alone, and describes those that exist', async () => {
      const [topic, other] = [unique('topic'), unique('topic')]
      await log.createTopics([{ name: topic, partitions: 3, config: {} }])
      const before = await log.describeTopics([topic])
      await log.createTopics([
        { name: topic, partitions: 5, config: {} },
        { name: other, partitions: 1, config: { 'cleanup.policy': 'compact' } },
      ])
      const found = await log.describeTopics([topic, other, unique('absent')])
      expect([...found.keys()].sort()).toEqual([topic, other].sort())
      expect(found.get(topic)).toEqual(before.get(topic))
      expect(found.get(topic)?.partitions).toBe(3)
      expect(found.get(other)?.partitions).toBe(1)
    })

    it('creates many topics at once', async () => {
      const names = Array.from({ length: 20 }, () => unique('many'))
      await log.createTopics(names.map((topic, index) => ({ name: topic, partitions: 1 + (index % 3), config: {} })))
      const found = await log.describeTopics(names)
      expect(names.map(topic => found.get(topic)?.partitions)).toEqual(names.map((_, index) => 1 + (index % 3)))
    })

    it('keeps keys, values, nulls, empty values, headers, timestamps and order', async () => {
      const topic = await topicOf(2)
      const producer = await producerOf()
      const headers: Header[] = [
        ['error', 'no such quest ✓'],
        ['error', 'second of that name'],
        ['7', 'a number as a name'],
      ]
      producer.send(topic, 1, bytes('key'), bytes('value'), T0, headers)
      producer.send(topic, 1, null, bytes('no key'), T0 - 5)
      producer.send(topic, 1, bytes('no value'), null, T0 + 7)
      producer.send(topic, 1, bytes('empty value'), bytes(''), T0 + 1)
      producer.send(topic, 1, bytes(''), bytes('empty key'), T0 + 2)
      producer.send(topic, 0, bytes('elsewhere'), bytes('x'), T0)
      await producer.flush()
      expect(await readAll(log, topic, 0, 5, 1)).toEqual([
        { partition: 1, offset: 0, timestamp: T0, key: 'key', value: 'value', headers },
        { partition: 1, offset: 1, timestamp: T0 - 5, key: null, value: 'no key', headers: [] },
        { partition: 1, offset: 2, timestamp: T0 + 7, key: 'no value', value: null, headers: [] },
        { partition: 1, offset: 3, timestamp: T0 + 1, key: 'empty value', value: '', headers: [] },
        { partition: 1, offset: 4, timestamp: T0 + 2, key: '', value: 'empty key', headers: [] },
      ])
      expect(await log.watermarks({ topic, partition: 1 })).toEqual({ low: 0, high: 5 })
      expect(await log.watermarks({ topic, partition: 0 })).toEqual({ low: 0, high: 1 })
    })

    it('copies what it is sent, so that the caller may reuse its buffers', async () => {
      const topic = await topicOf()
      const producer = await producerOf()
      const buffer = bytes('first')
      producer.send(topic, 0, buffer, buffer, T0)
      buffer.write('AGAIN')
      producer.send(topic, 0, buffer, buffer, T0)
      await producer.flush()
      expect((await readAll(log, topic, 0, 2)).map(({ key, value }) => [key, value])).toEqual([
        ['first', 'first'],
        ['AGAIN', 'AGAIN'],
      ])
    })

    it('reads ranges: whole, in part, empty, and from within', async () => {
      const topic = await topicOf()
      await fill(
        topic,
        Array.from({ length: 3_000 }, (_, i) => String(i)),
      )
      const offsets = async (from: number, to: number) => (await readAll(log, topic, from, to)).map(r => r.offset)
      expect(await offsets(0, 3_000)).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
      expect(await offsets(1_234, 1_240)).toEqual([1_234, 1_235, 1_236, 1_237, 1_238, 1_239])
      expect(await offsets(2_999, 3_000)).toEqual([2_999])
      expect(await offsets(7, 7)).toEqual([])
      expect(await offsets(3_000, 3_000)).toEqual([])
    })

    it('waits in a read until the position is reached', async () => {
      const topic = await topicOf()
      await fill(topic, ['a'])
      const reading = readAll(log, topic, 0, 3)
      await fill(topic, ['b', 'c'])
      expect((await reading).map(({ value }) => value)).toEqual(['a', 'b', 'c'])
    })

    it('refuses to read from an offset that is not there', async () => {
      const topic = await topicOf()
      await fill(topic, ['a', 'b'])
      await expect(readAll(log, topic, -5, 2)).rejects.toMatchObject({
        code: 'OFFSET_GONE',
        message: expect.stringContaining(topic),
      })
    })

    it('shows nothing of a transaction before its commit, and all of it after', async () => {
      const topic = await topicOf(2)
      const producer = await producerOf(unique('tx'))
      const member = await memberOf(unique('group'), topic)
      await producer.begin()
      producer.send(topic, 0, null, bytes('a'), T0)
      producer.send(topic, 1, null, bytes('b'), T0)
      await producer.flush()
      await pollUntil([member], () => member.owned.size === 2)
      for (let i = 0; i < 10; i++) await member.poll(20)
      expect(member.records).toEqual([])
      await producer.commit()
      await pollUntil([member], () => member.records.length === 2)
      expect(member.values(0)).toEqual(['a'])
      expect(member.values(1)).toEqual(['b'])
    })

    it('shows nothing of an aborted transaction, and ends are reached behind it', async () => {
      const topic = await topicOf()
      const producer = await producerOf(unique('tx'))
      const member = await memberOf(unique('group'), topic)
      await producer.begin()
      producer.send(topic, 0, null, bytes('aborted'), T0)
      await producer.flush()
      await producer.abort()
      await producer.begin()
      producer.send(topic, 0, null, bytes('kept'), T0)
      await producer.commit()
      await producer.begin()
      producer.send(topic, 0, null, bytes('aborted too'), T0)
      await producer.flush()
      await producer.abort()
      const { high } = await log.watermarks({ topic, partition: 0 })
      await pollUntil([member], () => member.ends.some(end => end.offset >= high))
      expect(member.values()).toEqual(['kept'])
      expect((await readAll(log, topic, 0, high)).map(({ value }) => value)).toEqual(['kept'])
    })

    it('commits offsets with the transaction, or not at all', async () => {
      const [input, output, group] = [await topicOf(), await topicOf(), unique('group')]
      await fill(input, ['a', 'b', 'c'])
      const member = await memberOf(group, input)
      await pollUntil([member], () => member.records.length === 3)
      const producer = await producerOf(unique('tx'))
      const at = { topic: input, partition: 0 }
      await producer.begin()
      producer.send(output, 0, null, bytes('1'), T0)
      await producer.sendOffsets([{ ...at, offset: 1 }], member.consumer)
      await producer.abort()
      expect(await member.consumer.committed([at])).toEqual(new Map())
      await producer.begin()
      producer.send(output, 0, null, bytes('2'), T0)
      await producer.sendOffsets([{ ...at, offset: 2 }], member.consumer)
      await producer.commit()
      expect(await member.consumer.committed([at])).toEqual(new Map([[partitionId(at), 2]]))
      await producer.begin()
      await producer.sendOffsets([{ ...at, offset: 3 }], member.consumer)
      await producer.commit()
      expect(await member.consumer.committed([at])).toEqual(new Map([[partitionId(at), 3]]))
      const { high } = await log.watermarks({ topic: output, partition: 0 })
      expect((await readAll(log, output, 0, high)).map(({ value }) => value)).toEqual(['2'])
    })

    it('commits offsets without a transaction, and a new member reads on from them', async () => {
      const [topic, group] = [await topicOf(), unique('group')]
      await fill(topic, ['a', 'b', 'c'])
      const first = await memberOf(group, topic)
      await pollUntil([first], () => first.records.length === 3)
      await first.consumer.commit([{ topic, partition: 0, offset: 2 }])
      await first.consumer.close()
      const second = await memberOf(group, topic)
      await pollUntil([second], () => second.records.length === 1)
      expect(second.values()).toEqual(['c'])
    })

    it('waits for offsets that are pending in an open transaction', async () => {
      const [input, group] = [await topicOf(), unique('group')]
      await fill(input, ['a', 'b'])
      const member = await memberOf(group, input)
      await pollUntil([member], () => member.records.length === 2)
      const producer = await producerOf(unique('tx'))
      await producer.begin()
      await producer.sendOffsets([{ topic: input, partition: 0, offset: 2 }], member.consumer)
      const committing = producer.commit()
      const committed = await member.consumer.committed([{ topic: input, partition: 0 }])
      await committing
      expect([...committed.values()]).toEqual([2])
    })

    it('fences the former producer of a transactional id and drops its open transaction', async () => {
      const [topic, id] = [await topicOf(), unique('tx')]
      const former = await producerOf(id)
      await former.begin()
      former.send(topic, 0, null, bytes('zombie'), T0)
      await former.flush()
      const current = await producerOf(id)
      await current.begin()
      current.send(topic, 0, null, bytes('alive'), T0)
      await current.commit()
      const failure = await former.commit().catch((thrown: unknown) => thrown)
      expect(failure).toBeInstanceOf(LogError)
      expect(failure).toMatchObject({ action: 'fatal', code: 'LOG_FENCED' })
      const { high } = await log.watermarks({ topic, partition: 0 })
      expect((await readAll(log, topic, 0, high)).map(({ value }) => value)).toEqual(['alive'])
    })

    it('refuses the offsets of a consumer that left its group or was closed', async () => {
      const [input, output, group] = [await topicOf(), await topicOf(), unique('group')]
      await fill(input, ['a'])
      const [zombie, owner] = [await memberOf(group, input), await memberOf(group, input)]
      await pollUntil([zombie, owner], () => zombie.owned.size + owner.owned.size === 1)
      const [left, stays] = zombie.owned.size === 1 ? [zombie, owner] : [owner, zombie]
      left.consumer.subscribe([])
      await pollUntil([left, stays], () => stays.owned.size === 1 && left.owned.size === 0)
      const producer = await producerOf(unique('tx'))
      const refused = async () => {
        await producer.begin()
        producer.send(output, 0, null, bytes('zombie'), T0)
        const failure = await producer
          .sendOffsets([{ topic: input, partition: 0, offset: 1 }], left.consumer)
          .catch((thrown: unknown) => thrown)
        expect(failure).toBeInstanceOf(LogError)
        expect(failure).toMatchObject({ action: 'abort' })
        await producer.abort()
      }
      await refused()
      await left.consumer.close()
      await refused()
      const { high } = await log.watermarks({ topic: output, partition: 0 })
      expect(await readAll(log, output, 0, high)).toEqual([])
      await producer.begin()
      await producer.sendOffsets([{ topic: input, partition: 0, offset: 1 }], stays.consumer)
      await producer.commit()
      expect([...(await stays.consumer.committed([{ topic: input, partition: 0 }])).values()]).toEqual([1])
    })

    it('shares partitions among members, co-partitioned, and each goes to its new owner after the old one released it', async () => {
      const [a, b, group] = [await topicOf(4), await topicOf(4), unique('group')]
      const owners = new Map<string, Member>()
      const check = (members: readonly Member[]) => {
        for (const member of members) {
          for (const id of member.ids) {
            expect(owners.get(id) ?? member, `${id} has one owner`).toBe(member)
          }
        }
        owners.clear()
        for (const member of members) for (const id of member.ids) owners.set(id, member)
      }
      const settled = (members: readonly Member[]) => () => {
        const all = members.flatMap(({ ids }) => ids)
        expect(new Set(all).size).toBe(all.length)
        return all.length === 8 && members.every(({ ids }) => ids.length > 0)
      }
      const coPartitioned = (member: Member) => {
        const of = (topic: string) => member.ids.filter(id => id.startsWith(`${topic}/`)).map(id => id.split('/')[1])
        expect(of(a)).toEqual(of(b))
      }
      const first = await memberOf(group, a, b)
      await pollUntil([first], settled([first]))
      const second = await memberOf(group, a, b)
      await pollUntil([first, second], settled([first, second]))
      check([first, second])
      for (const member of [first, second]) {
        expect(member.ids).toHaveLength(4)
        coPartitioned(member)
      }
      const third = await memberOf(group, a, b)
      await pollUntil([first, second, third], settled([first, second, third]))
      for (const member of [first, second, third]) coPartitioned(member)
      await second.consumer.close()
      second.owned.clear()
      await pollUntil([first, third], settled([first, third]))
      for (const member of [first, third]) {
        expect(member.ids).toHaveLength(4)
        coPartitioned(member)
      }
    })

    it('reads nothing from a partition before it was assigned an offset', async () => {
      const topic = await topicOf()
      await fill(topic, ['a', 'b'])
      const consumer = await log.consumer({ group: unique('group') })
      onTestFinished(() => consumer.close())
      consumer.subscribe([topic])
      let assigned: readonly TopicPartition[] = []
      while (assigned.length === 0) assigned = (await consumer.poll(10, 100)).assigned
      for (let i = 0; i < 10; i++) expect((await consumer.poll(10, 20)).batches).toEqual([])
      consumer.assign([{ topic, partition: 0, offset: 1 }])
      let batches: readonly RecordBatch[] = []
      while (batches.length === 0) batches = (await consumer.poll(10, 100)).batches
      expect(batches.flatMap(plain).map(({ value }) => value)).toEqual(['b'])
    })

    it('pauses, resumes and seeks', async () => {
      const topic = await topicOf(2)
      const member = await memberOf(unique('group'), topic)
      await pollUntil([member], () => member.owned.size === 2)
      member.consumer.pause([{ topic, partition: 0 }])
      await fill(topic, ['a0', 'a1'], 0)
      await fill(topic, ['b0'], 1)
      await pollUntil([member], () => member.values(1).length === 1)
      for (let i = 0; i < 10; i++) await member.poll(20)
      expect(member.values(0)).toEqual([])
      member.consumer.resume([{ topic, partition: 0 }])
      await pollUntil([member], () => member.values(0).length === 2)
      await member.consumer.seek({ topic, partition: 0, offset: 1 })
      await pollUntil([member], () => member.values(0).length === 3)
      expect(member.values(0)).toEqual(['a0', 'a1', 'a1'])
    })

    it('reads a partition that comes back, though it was paused when it was taken away', async () => {
      const topic = await topicOf(2)
      const group = unique('group')
      const first = await memberOf(group, topic)
      await pollUntil([first], () => first.owned.size === 2)
      first.consumer.pause([...first.owned.values()])
      const second = await memberOf(group, topic)
      await pollUntil([first, second], () => first.owned.size === 1 && second.owned.size === 1)
      const [moved] = [...second.owned.values()]
      await second.consumer.close()
      await pollUntil([first], () => first.owned.size === 2)
      await fill(topic, ['again'], moved?.partition)
      await pollUntil([first], () => first.values(moved?.partition).length === 1)
    })

    it('does not deliver what it read ahead of a pause or a seek', async () => {
      const topic = await topicOf()
      await fill(
        topic,
        Array.from({ length: 500 }, (_, i) => String(i)),
      )
      const member = await memberOf(unique('group'), topic)
      const at = { topic, partition: 0 }
      while (member.records.length === 0) await member.poll(100, 10)
      member.consumer.pause([at])
      const before = member.records.length
      for (let i = 0; i < 5; i++) await member.poll(20, 10)
      expect(member.records.length).toBe(before)
      await member.consumer.seek({ ...at, offset: 400 })
      member.consumer.resume([at])
      await pollUntil([member], () => member.records.length === before + 100)
      expect(member.values().slice(before)).toEqual(Array.from({ length: 100 }, (_, i) => String(400 + i)))
    })

    it('reports the end of a partition once, and again after new records', async () => {
      const topic = await topicOf(2)
      await fill(topic, ['a', 'b'], 0)
      const member = await memberOf(unique('group'), topic)
      await pollUntil([member], () => member.ends.length >= 2)
      for (let i = 0; i < 10; i++) await member.poll(20)
      const sorted = () => [...member.ends].sort((x, y) => x.partition - y.partition || x.offset - y.offset)
      expect(sorted()).toEqual([
        { topic, partition: 0, offset: 2 },
        { topic, partition: 1, offset: 0 },
      ])
      await fill(topic, ['c'], 1)
      await pollUntil([member], () => member.ends.length >= 3)
      for (let i = 0; i < 10; i++) await member.poll(20)
      expect(sorted()).toEqual([
        { topic, partition: 0, offset: 2 },
        { topic, partition: 1, offset: 0 },
        { topic, partition: 1, offset: 1 },
      ])
    })

    it('reads on where it stood at the end of a partition after a pause', async () => {
      const topic = await topicOf()
      await fill(topic, ['a'])
      const member = await memberOf(unique('group'), topic)
      // Without waiting: a consumer may come to an end in another way while it waits.
      while (member.ends.length === 0) await member.poll(0)
      const at = { topic, partition: 0 }
      member.consumer.pause([at])
      for (let i = 0; i < 5; i++) await member.poll(20)
      member.consumer.resume([at])
      await fill(topic, ['b', 'c'])
      await pollUntil([member], () => member.records.some(({ value }) => value === 'c'))
      expect(member.values()).toEqual(['a', 'b', 'c'])
    })

    it('gives at most maxRecords a poll, from all partitions in fair shares', async () => {
      const topic = await topicOf(3)
      const values = Array.from({ length: 300 }, (_, i) => String(i))
      for (const partition of [0, 1, 2]) await fill(topic, values, partition)
      const member = await memberOf(unique('group'), topic)
      await pollUntil([member], () => member.owned.size === 3)
      while (member.records.length < 900) {
        const polled = await member.poll(100, 90)
        expect(polled.batches.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(90)
      }
      for (const partition of [0, 1, 2]) expect(member.values(partition)).toEqual(values)
    })

    it('returns from a poll as soon as something is there, and after the timeout otherwise', async () => {
      const topic = await topicOf()
      const member = await memberOf(unique('group'), topic)
      await pollUntil([member], () => member.ends.length === 1)
      const idle = Date.now()
      await member.poll(200)
      expect(Date.now() - idle).toBeGreaterThanOrEqual(150)
      const started = Date.now()
      const polling = member.poll(20_000)
      await fill(topic, ['a'])
      await polling
      expect(Date.now() - started).toBeLessThan(10_000)
    })

    it('says so by name when a position is not in the log any more', async () => {
      const topic = await topicOf()
      await fill(topic, ['a'])
      const consumer = await log.consumer({ group: unique('group') })
      onTestFinished(() => consumer.close())
      consumer.subscribe([topic])
      let assigned: readonly TopicPartition[] = []
      while (assigned.length === 0) assigned = (await consumer.poll(10, 100)).assigned
      consumer.assign([{ topic, partition: 0, offset: 77 }])
      const failure = await (async () => {
        for (let i = 0; i < 100; i++) await consumer.poll(10, 100)
      })().catch((thrown: unknown) => thrown)
      expect(failure).toMatchObject({ code: 'OFFSET_GONE', message: expect.stringContaining(`${topic}/0`) })
    })

    it('says at flush what could not be delivered', async () => {
      const producer = await producerOf()
      const absent = unique('absent')
      producer.send(absent, 0, null, bytes('lost'), T0)
      await expect(producer.flush()).rejects.toMatchObject({
        code: 'LOG',
        message: expect.stringContaining(absent),
      })
    })

    it('keeps topics, records and offsets for the next opening', async () => {
      const [topic, group] = [await topicOf(2), unique('group')]
      await fill(topic, ['a', 'b', 'c'], 1)
      const member = await memberOf(group, topic)
      await pollUntil([member], () => member.records.length === 3)
      await member.consumer.commit([{ topic, partition: 1, offset: 1 }])
      await member.consumer.close()
      const before = await log.describeTopics([topic])
      await log.close()
      log = await harness.open()
      expect(await log.describeTopics([topic])).toEqual(before)
      expect(await log.watermarks({ topic, partition: 1 })).toEqual({ low: 0, high: 3 })
      const again = await memberOf(group, topic)
      await pollUntil([again], () => again.records.length === 2)
      expect(again.values(1)).toEqual(['b', 'c'])
      await fill(topic, ['d'], 1)
      await pollUntil([again], () => again.records.length === 3)
      expect(again.records.map(({ offset }) => offset)).toEqual([1, 2, 3])
    })

    it('takes many records in one transaction', async () => {
      const topic = await topicOf(4)
      const producer = await producerOf(unique('tx'))
      await producer.begin()
      for (let i = 0; i < 20_000; i++) producer.send(topic, i % 4, bytes(`key ${i}`), bytes(`value ${i}`), T0 + i)
      await producer.commit()
      const member = await memberOf(unique('group'), topic)
      await pollUntil([member], () => member.records.length === 20_000)
      for (const partition of [0, 1, 2, 3]) {
        expect(member.values(partition)).toEqual(Array.from({ length: 5_000 }, (_, i) => `value ${4 * i + partition}`))
      }
    })
  })
}
