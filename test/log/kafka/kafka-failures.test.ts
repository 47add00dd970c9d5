import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { type KafkaLogOptions, kafkaLog } from '../../../src/log/kafka/kafka-log.js'
import type { TopicPartition } from '../../../src/model/topic-partition.js'
import type { Log } from '../../../src/ports/log.js'
import { until } from '../../e2e/until.js'
import { startKafka } from '../../services/kafka.js'
import { Member, plain, pollUntil, unique } from '../member.js'

const brokers = inject('kafka') ?? ''
const zombieProgram = fileURLToPath(new URL('./zombie.ts', import.meta.url))

describe.skipIf(brokers === '')('Kafka, when things go wrong', () => {
  const open = async (options: Partial<KafkaLogOptions> = {}): Promise<Log> => {
    const log = await kafkaLog({ brokers, ...options })
    onTestFinished(() => log.close())
    return log
  }
  const topicOf = async (log: Log, partitions = 1, config: Record<string, string> = {}) => {
    const topic = unique('topic')
    await log.createTopics([{ name: topic, partitions, config }])
    return topic
  }
  const memberOf = async (log: Log, group: string, topic: string, instanceId?: string) => {
    const consumer = await log.consumer({ group, ...(instanceId === undefined ? {} : { instanceId }) })
    onTestFinished(() => consumer.close())
    consumer.subscribe([topic])
    return new Member(consumer)
  }
  const fill = async (log: Log, topic: string, values: readonly string[]) => {
    const producer = await log.producer()
    for (const value of values) producer.send(topic, 0, null, Buffer.from(value), Date.now())
    await producer.flush()
    await producer.close()
  }
  const valuesOf = async (log: Log, at: TopicPartition, to: number) => {
    const values = []
    for await (const batch of log.read(at, 0, to)) values.push(...plain(batch).map(({ value }) => value))
    return values
  }

  it('refuses a zombie that slept through its session, and nothing of its transaction is seen', async () => {
    const log = await open()
    const [input, output, group] = [await topicOf(log), await topicOf(log), unique('group')]
    await fill(log, input, ['a'])
    const program = ['--import', 'tsx', zombieProgram, brokers, group, input, output]
    const zombie = spawn(process.execPath, program, { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => {
      zombie.kill('SIGKILL')
    })
    await once(zombie.stdout, 'data')
    zombie.kill('SIGSTOP')
    const heir = await memberOf(log, group, input)
    await pollUntil([heir], () => heir.records.length === 1)
    zombie.kill('SIGCONT')
    const outcome = once(zombie.stdout, 'data')
    zombie.stdin.write('commit\n')
    expect(String((await outcome)[0]).trim()).toBe('abort')
    expect(await heir.consumer.committed([{ topic: input, partition: 0 }])).toEqual(new Map())
    // A new producer of the zombie's transactional id ends what the zombie left open.
    await (await log.producer({ transactionalId: `${group}-zombie` })).close()
    const { high } = await log.watermarks({ topic: output, partition: 0 })
    expect(await valuesOf(log, { topic: output, partition: 0 }, high)).toEqual([])
  }, 60_000)

  it('takes up the work of an instance that was killed', async () => {
    const log = await open()
    const [input, group] = [await topicOf(log), unique('group')]
    await fill(log, input, ['a'])
    const killed = await memberOf(log, group, input, 'instance-1')
    await pollUntil([killed], () => killed.records.length === 1)
    const heir = await memberOf(await open(), group, input, 'instance-1')
    setTimeout(() => killed.consumer.close(), 1_500)
    await pollUntil([heir], () => heir.records.length === 1)
    expect(heir.ids).toEqual([`${input}/0`])
  })

  it('falls back to classic groups where the brokers have no others', async () => {
    const old = await startKafka({ 'group.coordinator.rebalance.protocols': 'classic' })
    onTestFinished(() => old.stop())
    const log = await open({ brokers: old.brokers })
    const topic = await topicOf(log, 2)
    await fill(log, topic, ['a', 'b'])
    const group = unique('group')
    const [first, second] = [await memberOf(log, group, topic), await memberOf(log, group, topic)]
    await pollUntil([first, second], () => first.owned.size === 1 && second.owned.size === 1)
    await pollUntil([first, second], () => first.records.length + second.records.length >= 2)
    const strict = await memberOf(await open({ brokers: old.brokers, groupProtocol: 'consumer' }), group, topic)
    await expect(pollUntil([strict], () => false)).rejects.toMatchObject({ code: 'LOG', action: 'fatal' })
  }, 60_000)

  it('goes on after the broker was killed and came back, with nothing lost or doubled', async () => {
    const kafka = await startKafka()
    onTestFinished(() => kafka.stop())
    // Longer than a broker may take to start where it shares the machine.
    const config = { 'transaction.timeout.ms': 60_000 }
    const log = await open({ brokers: kafka.brokers, config })
    const topic = await topicOf(log)
    const member = await memberOf(log, unique('group'), topic)
    const producer = await log.producer({ transactionalId: 'steady' })
    const commit = async (value: string) => {
      await producer.begin()
      producer.send(topic, 0, null, Buffer.from(value), Date.now())
      await producer.commit()
    }
    await commit('before')
    await producer.begin()
    producer.send(topic, 0, null, Buffer.from('across'), Date.now())
    await kafka.kill()
    const restarted = kafka.restart()
    await producer.commit()
    await restarted
    await commit('after')
    await pollUntil([member], () => member.records.length === 3)
    expect(member.values()).toEqual(['before', 'across', 'after'])
    await producer.close()
  }, 90_000)

  it('gives up a transaction that an outage outlasted, and its successor goes on', async () => {
    const kafka = await startKafka()
    onTestFinished(() => kafka.stop())
    const log = await open({ brokers: kafka.brokers, config: { 'transaction.timeout.ms': 2_000 } })
    const topic = await topicOf(log)
    const producer = await log.producer({ transactionalId: 'patient' })
    const send = (value: string) => producer.send(topic, 0, null, Buffer.from(value), Date.now())
    await producer.begin()
    send('before')
    await producer.commit()
    await producer.begin()
    await kafka.kill()
    send('lost')
    await new Promise(resolve => setTimeout(resolve, 3_500))
    await kafka.restart()
    await expect(producer.commit()).rejects.toMatchObject({ code: 'LOG', action: 'abort' })
    // Nothing of it may have reached the broker, which then does not know what is to be aborted: the next producer goes on.
    await producer.abort().catch(() => undefined)
    await producer.close()
    const next = await log.producer({ transactionalId: 'patient' })
    await next.begin()
    next.send(topic, 0, null, Buffer.from('after'), Date.now())
    await next.commit()
    await next.close()
    const { high } = await log.watermarks({ topic, partition: 0 })
    expect(await valuesOf(log, { topic, partition: 0 }, high)).toEqual(['before', 'after'])
  }, 90_000)

  it('says of a transaction that took too long that it may have, since brokers tell it as fencing', async () => {
    const kafka = await startKafka({ 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' })
    onTestFinished(() => kafka.stop())
    const log = await open({ brokers: kafka.brokers, config: { 'transaction.timeout.ms': 1_000 } })
    const topic = await topicOf(log)
    const at = { topic, partition: 0 }
    const producer = await log.producer({ transactionalId: 'slow' })
    await producer.begin()
    producer.send(topic, 0, null, Buffer.from('lost'), Date.now())
    // The broker ends the transaction by a marker behind the record.
    const ended = async () => (await log.watermarks(at)).high > 1
    await until('the broker to end a transaction that takes too long', 60_000, ended)
    await expect(producer.commit()).rejects.toMatchObject({
      code: 'LOG_FENCED',
      message: expect.stringContaining('took longer than transaction.timeout.ms'),
    })
    const successor = await log.producer({ transactionalId: 'slow' })
    await successor.begin()
    successor.send(topic, 0, null, Buffer.from('again'), Date.now())
    await successor.commit()
    expect(await valuesOf(log, at, (await log.watermarks(at)).high)).toEqual(['again'])
    await Promise.all([producer.close(), successor.close()])
  }, 90_000)

  it('refuses a record that is too large by name, whoever refuses it', async () => {
    const log = await open()
    const topic = await topicOf(log)
    const send = async (to: Log, transactionalId?: string) => {
      const producer = await to.producer(transactionalId === undefined ? {} : { transactionalId })
      onTestFinished(() => producer.close())
      if (transactionalId !== undefined) await producer.begin()
      producer.send(topic, 0, null, Buffer.alloc(2_000_000, 7), Date.now())
      await (transactionalId === undefined ? producer.flush() : producer.commit())
    }
    const refusal = {
      code: 'LOG',
      action: 'fatal',
      message: expect.stringMatching(new RegExp(`${topic}/0.*too large.*max.message.bytes`)),
    }
    await expect(send(log)).rejects.toMatchObject(refusal)
    await expect(send(log, unique('tx'))).rejects.toMatchObject(refusal)
    const generous = await open({ config: { 'message.max.bytes': 5_000_000 } })
    await expect(send(generous)).rejects.toMatchObject(refusal)
    await expect(send(generous, unique('tx'))).rejects.toMatchObject(refusal)
    const wide = await topicOf(log, 1, { 'max.message.bytes': '5000000' })
    const producer = await generous.producer()
    producer.send(wide, 0, null, Buffer.alloc(2_000_000, 7), Date.now())
    await producer.flush()
    await producer.close()
    expect((await valuesOf(generous, { topic: wide, partition: 0 }, 1))[0]).toHaveLength(2_000_000)
  })

  it('keeps what finds the queue full, in order', async () => {
    const log = await open({ config: { 'queue.buffering.max.messages': 10 } })
    const topic = await topicOf(log)
    const producer = await log.producer({ transactionalId: unique('tx') })
    await producer.begin()
    const values = Array.from({ length: 500 }, (_, i) => String(i))
    const reused = Buffer.alloc(3)
    for (const value of values) {
      const length = reused.write(value)
      producer.send(topic, 0, null, reused.subarray(0, length), Date.now())
    }
    await producer.commit()
    await producer.close()
    expect(await valuesOf(log, { topic, partition: 0 }, 500)).toEqual(values)
  })

  it('says what to install when a topic is compressed with zstd', async () => {
    const log = await open()
    const topic = await topicOf(log, 1, { 'compression.type': 'zstd' })
    await fill(log, topic, ['a'])
    const { features } = (await import('node-rdkafka')).default
    const member = await memberOf(log, unique('group'), topic)
    const read = pollUntil([member], () => member.records.length === 1)
    if (features.includes('zstd')) await read
    else await expect(read).rejects.toMatchObject({ code: 'LOG', message: expect.stringContaining('libzstd-dev') })
  })

  it('says by name what retention removed before it was read', async () => {
    const log = await open()
    const topic = await topicOf(log, 1, { 'retention.ms': '1000', 'segment.ms': '100', 'file.delete.delay.ms': '0' })
    const member = await memberOf(log, unique('group'), topic)
    await pollUntil([member], () => member.ends.length === 1)
    member.consumer.pause([{ topic, partition: 0 }])
    for (let i = 0; i < 200; i++) {
      await fill(log, topic, ['old'])
      const { low } = await log.watermarks({ topic, partition: 0 })
      if (low > 0) break
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    const at = { topic, partition: 0 }
    expect((await log.watermarks(at)).low).toBeGreaterThan(0)
    member.consumer.resume([at])
    await expect(pollUntil([member], () => false)).rejects.toMatchObject({
      code: 'OFFSET_GONE',
      message: expect.stringContaining(`${topic}/0`),
    })
    await expect(valuesOf(log, at, 1)).rejects.toMatchObject({ code: 'OFFSET_GONE' })
  }, 60_000)

  it('refuses an unknown setting, and settings of its own, by name', async () => {
    await expect(kafkaLog({ brokers, config: { 'isolation.level': 'read_uncommitted' } })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('isolation.level'),
    })
    const log = await open({ config: { 'sasl.pasword': 'open sesame' } })
    const failure = await log.producer().catch((thrown: unknown) => thrown)
    expect(failure).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining('sasl.pasword') })
    expect(String(failure)).not.toContain('open sesame')
  })

  it('says which limit a transaction timeout is above', async () => {
    const log = await open({ commitIntervalMs: 3_600_000 })
    await expect(log.producer({ transactionalId: unique('tx') })).rejects.toMatchObject({
      code: 'LOG',
      message: expect.stringMatching(/transaction\.timeout\.ms.* above transaction\.max\.timeout\.ms of the brokers/),
    })
  })

  it('says which brokers do not answer', async () => {
    const log = await open({ brokers: '127.0.0.1:1', config: { 'socket.connection.setup.timeout.ms': 1_000 } })
    await expect(log.describeTopics(['t'])).rejects.toMatchObject({
      code: 'LOG',
      message: expect.stringContaining('127.0.0.1:1'),
    })
  }, 60_000)
})
