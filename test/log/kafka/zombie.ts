/** A program of its own that joins a group, starts a transaction, and commits it when its standard input says so. */
import { kafkaLog } from '../../../src/log/kafka/kafka-log.js'
import { LogError } from '../../../src/ports/log.js'
import { Member } from '../member.js'

const [brokers, group, input, output] = process.argv.slice(2) as [string, string, string, string]
const log = await kafkaLog({ brokers })
const consumer = await log.consumer({ group })
consumer.subscribe([input])
const member = new Member(consumer)
while (member.records.length === 0) await member.poll()
const producer = await log.producer({ transactionalId: `${group}-zombie` })
await producer.begin()
producer.send(output, 0, null, Buffer.from('zombie'), Date.now())
await producer.flush()
process.stdout.write('ready\n')
await new Promise(resolve => process.stdin.once('data', resolve))
const outcome = await producer
  .sendOffsets([{ topic: input, partition: 0, offset: 1 }], consumer)
  .then(() => producer.commit())
  .then(
    () => 'committed',
    (thrown: unknown) => (thrown instanceof LogError ? thrown.action : String(thrown)),
  )
process.stdout.write(`${outcome}\n`)
process.exit(0)
