import { fileURLToPath } from 'node:url'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { partitionFor } from '../model/murmur2.js'
import type { Clock } from '../ports/clock.js'
import type { Log } from '../ports/log.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import { readSchemaFile } from '../serde/schema-files.js'
import { wireWriter } from '../serde/wire-format.js'
import type { Io } from './io.js'
import { type QuestEventOptions, questEvents } from './quest-events.js'
import { recordsInTopic, targetTopic } from './target-topic.js'

/** Topic that quest events go to when none is named. */
export const QUEST_TOPIC = 'quest-events'

const EVENTS_A_TRANSACTION = 10_000
const TRANSACTIONS_A_SECOND = 10

export interface ProduceOptions extends QuestEventOptions {
  /** Default `quest-events`. */
  readonly topic?: string
  /** Index of the first event to produce. */
  readonly from: number
  /** Index behind the last one. */
  readonly to: number
  /** Events a second; default: as fast as it goes. */
  readonly rate?: number
  /** Partitions of a topic that does not exist yet; default 8. */
  readonly partitions?: number
  /** Ends the production after the transaction in hand. */
  readonly signal?: AbortSignal
  /** Called after each transaction with the index behind the last event in the log; the next one waits for the answer. */
  readonly onProgress?: (next: number) => void | Promise<void>
}

export interface ProducePorts {
  readonly log: Log
  readonly registry: SchemaRegistry
  readonly clock: Clock
}

export interface ProduceResult {
  readonly produced: number
  /** Index to go on from. */
  readonly next: number
  readonly partitions: number
}

function questEventSchema(): AvroSchema {
  return readSchemaFile(fileURLToPath(new URL('../../schemas/quest-event.avsc', import.meta.url))).schema
}

/**
 * Writes the seeded quest events `[from, to)` in wire format, keyed by user. A transaction holds up to 10,000 of them in the
 * order of their indexes, so what a killed producer leaves in the log is `[from, n)`: count the records and go on from there.
 * @throws LogError when the log fails; the transactions before are in the log.
 */
export async function produceEvents(options: ProduceOptions, ports: ProducePorts): Promise<ProduceResult> {
  const { from, to, rate, topic = QUEST_TOPIC } = options
  const { log, registry, clock } = ports
  const event = questEvents(options)
  const partitions = await targetTopic(log, topic, options.partitions)
  const writer = await wireWriter(`${topic}-value`, questEventSchema(), registry)
  const producer = await log.producer({ transactionalId: `millrace-produce-${topic}` })
  const size = Math.max(1, Math.min(EVENTS_A_TRANSACTION, Math.ceil((rate ?? Infinity) / TRANSACTIONS_A_SECOND)))
  const started = clock.now()
  let next = from
  try {
    while (next < to && !options.signal?.aborted) {
      const end = Math.min(to, next + size)
      await producer.begin()
      for (let index = next; index < end; index++) {
        const value = event(index)
        const key = Buffer.from(value.userId, 'utf8')
        producer.send(topic, partitionFor(key, partitions), key, writer.encode(value), value.occurredAt)
      }
      await producer.commit()
      next = end
      await options.onProgress?.(next)
      const ahead = rate === undefined ? 0 : started + ((next - from) / rate) * 1_000 - clock.now()
      if (ahead > 0 && next < to) await clock.sleep(ahead)
    }
  } finally {
    await producer.close()
  }
  return { produced: next - from, next, partitions }
}

export type ProduceCommandOptions = Omit<ProduceOptions, 'from' | 'to' | 'onProgress'>

/**
 * `millrace produce [TOPIC] --events N`: brings the topic to N events. Those that are there count as the first ones, so a
 * second run with the same options goes on where the first one stopped.
 * @returns the exit code: 0, or 1 when the log failed.
 */
export async function produceCommand(options: ProduceCommandOptions, ports: ProducePorts, io: Io): Promise<number> {
  const { topic = QUEST_TOPIC, total } = options
  try {
    if (!Number.isSafeInteger(total) || total < 1) {
      throw new MillraceError('INVALID_OPTION', `--events is ${total}. It must be a whole number of at least 1.`)
    }
    if (options.rate !== undefined && !(options.rate > 0)) {
      throw new MillraceError(
        'INVALID_OPTION',
        `--rate is ${options.rate}. It must be a number of events a second above 0.`,
      )
    }
    const from = Math.min(total, await recordsInTopic(ports.log, topic))
    if (from > 0) io.err(`${topic} holds ${from} records already; going on from event ${from}.`)
    const result = await produceEvents({ ...options, from, to: total }, ports)
    const place = `${topic} (${result.partitions} partitions)`
    io.out(`${result.produced} events produced into ${place}; it holds ${result.next} of ${total}.`)
    return 0
  } catch (thrown) {
    io.err(messageOf(thrown))
    return 1
  }
}
