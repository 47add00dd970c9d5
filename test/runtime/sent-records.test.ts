import { expect, it } from 'vitest'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import { counting } from '../../src/runtime/sent-records.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { ManualClock } from '../log/clocks.js'

it('counts records and bytes on their way into the log', async () => {
  const log = await embeddedLog({ store: await memoryEngine().open('log'), clock: new ManualClock() })
  await log.createTopics([{ name: 'out', partitions: 1, config: {} }])
  const sent = { records: 0, bytes: 0 }
  const producer = counting(await log.producer({ transactionalId: 'one' }), sent)
  await producer.begin()
  producer.send('out', 0, Buffer.from('key'), Buffer.from('value'), 1, [['name', 'text']])
  producer.send('out', 0, null, null, 2)
  expect(sent).toEqual({ records: 2, bytes: 8 })
  await producer.commit()
  const records: unknown[] = []
  const { high } = await log.watermarks({ topic: 'out', partition: 0 })
  for await (const batch of log.read({ topic: 'out', partition: 0 }, 0, high)) {
    for (let i = 0; i < batch.count; i++) records.push([batch.timestamps[i], batch.headers(i)])
  }
  expect(records).toEqual([
    [1, [['name', 'text']]],
    [2, []],
  ])
  await producer.close()
})
