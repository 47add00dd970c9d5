import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { embeddedLog, openEmbeddedLog } from '../../../src/log/embedded/embedded-log.js'
import { memoryEngine } from '../../../src/state/memory/memory-engine.js'
import { rocksdbNativeEngine } from '../../../src/state/rocksdb/native-engine.js'
import { ManualClock, systemClock } from '../clocks.js'
import { logContract } from '../log-contract.js'
import { Member, plain, pollUntil } from '../member.js'

logContract('embedded, in memory', async () => {
  const engine = memoryEngine()
  return {
    open: async () => embeddedLog({ store: await engine.open('log'), clock: systemClock }),
    close: async () => undefined,
  }
})

logContract('embedded, on disk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  return {
    open: () =>
      openEmbeddedLog({ engine: rocksdbNativeEngine(), directory: join(directory, 'log'), clock: systemClock }),
    close: () => rm(directory, { recursive: true, force: true }),
  }
})

describe('the embedded log', () => {
  const manual = async () => {
    const clock = new ManualClock()
    const log = await embeddedLog({ store: await memoryEngine().open('log'), clock, sessionTimeoutMs: 10_000 })
    onTestFinished(() => log.close())
    await log.createTopics([{ name: 't', partitions: 2, config: {} }])
    return { log, clock }
  }
  const memberOf = async (log: Awaited<ReturnType<typeof manual>>['log'], instanceId: string) => {
    const consumer = await log.consumer({ group: 'g', instanceId })
    consumer.subscribe(['t'])
    return new Member(consumer)
  }
  const at = { topic: 't', partition: 0 }

  it('refuses a zombie: a member that did not poll for the session timeout, even if it asked to commit before', async () => {
    const { log, clock } = await manual()
    const zombie = await memberOf(log, 'a')
    await pollUntil([zombie], () => zombie.owned.size === 2)
    const producer = await log.producer({ transactionalId: 'zombie' })
    await producer.begin()
    producer.send('t', 1, null, Buffer.from('zombie'), 1)
    await producer.sendOffsets([{ ...at, offset: 5 }], zombie.consumer)
    clock.time += 10_001
    const heir = await memberOf(log, 'b')
    await pollUntil([heir], () => heir.owned.size === 2)
    await expect(producer.commit()).rejects.toMatchObject({ action: 'abort' })
    await producer.abort()
    await expect(zombie.consumer.commit([{ ...at, offset: 5 }])).rejects.toMatchObject({ action: 'abort' })
    expect(await heir.consumer.committed([at])).toEqual(new Map())
    expect(await log.watermarks({ topic: 't', partition: 1 })).toEqual({ low: 0, high: 0 })
    await pollUntil([zombie, heir], () => zombie.owned.size === 1 && heir.owned.size === 1)
    expect(zombie.lost).toHaveLength(2)
    expect(zombie.revoked).toEqual([])
    await producer.begin()
    await producer.sendOffsets([{ ...at, offset: 6 }], zombie.consumer)
    await producer.commit()
    expect([...(await heir.consumer.committed([at])).values()]).toEqual([6])
  })

  it('refuses offsets of a partition that another member holds', async () => {
    const { log } = await manual()
    const [first, second] = [await memberOf(log, 'a'), await memberOf(log, 'b')]
    await pollUntil([first, second], () => first.owned.size === 1 && second.owned.size === 1)
    await expect(second.consumer.commit([{ ...at, offset: 1 }])).rejects.toMatchObject({
      action: 'abort',
      message: expect.stringContaining('t/0 belongs to another member'),
    })
  })

  it('lets nothing of a transaction through that breaks off with the process', async () => {
    const engine = memoryEngine()
    const log = await embeddedLog({ store: await engine.open('log'), clock: systemClock })
    await log.createTopics([{ name: 't', partitions: 1, config: {} }])
    const producer = await log.producer({ transactionalId: 'x' })
    await producer.begin()
    producer.send('t', 0, null, Buffer.from('lost'), 1)
    await log.close()
    const again = await embeddedLog({ store: await engine.open('log'), clock: systemClock })
    expect(await again.watermarks(at)).toEqual({ low: 0, high: 0 })
    await again.close()
  })

  it('writes what a producer without a transaction sent when it is closed', async () => {
    const { log } = await manual()
    const producer = await log.producer()
    for (let i = 0; i < 3_000; i++) producer.send('t', 0, null, Buffer.alloc(1_000, i), i)
    await producer.close()
    const records = []
    for await (const batch of log.read(at, 0, 3_000)) records.push(...plain(batch))
    expect(records.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
  })

  it('gives topics an id of their own', async () => {
    const { log } = await manual()
    const other = await manual()
    const [first, second] = await Promise.all([log, other.log].map(one => one.describeTopics(['t'])))
    expect(first?.get('t')?.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(second?.get('t')?.id).not.toBe(first?.get('t')?.id)
  })

  it('refuses a transaction used in the wrong order, with what to do', async () => {
    const { log } = await manual()
    const producer = await log.producer({ transactionalId: 'x' })
    expect(() => producer.send('t', 0, null, null, 1)).toThrow(/begin/)
    await expect(producer.commit()).rejects.toThrow(/begin/)
    await producer.begin()
    await expect(producer.begin()).rejects.toThrow(/Commit or abort/)
    await expect((await log.producer()).begin()).rejects.toThrow(/transactional id/)
  })

  it('says which folder another program has open', async () => {
    const engine = memoryEngine()
    const options = { engine, directory: '.millrace/log', clock: systemClock }
    const log = await openEmbeddedLog(options)
    await expect(openEmbeddedLog(options)).rejects.toMatchObject({
      code: 'LOG_IN_USE',
      message: expect.stringContaining('.millrace/log'),
    })
    await log.close()
    await (await openEmbeddedLog(options)).close()
  })
})
