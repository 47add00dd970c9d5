import avsc from 'avsc'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import type { RecordBatch } from '../model/record-batch.js'
import type { Log } from '../ports/log.js'

/** The fields of a quest event that rows depend on. */
export interface RawEvent {
  readonly questType: string
  readonly eventType: string
  readonly userId: string
  readonly rewardGold: number
  readonly durationMs: number
  readonly occurredAt: number
}

/** Magic byte and schema id of Confluent's wire format. */
const HEADER_BYTES = 5

/** Events of one partition taken before another one gets its turn. */
const TURN = 512

/** A partition on its way from its first record to its last. */
class Lane {
  /** Highest event time so far. */
  time = Number.NEGATIVE_INFINITY
  private batch: RecordBatch | undefined
  private index = 0

  constructor(private readonly batches: AsyncIterator<RecordBatch>) {}

  /** The batch and index of the next record; undefined at the end. */
  async next(): Promise<{ readonly batch: RecordBatch; readonly index: number } | undefined> {
    while (this.batch === undefined || this.index >= this.batch.count) {
      const { done, value } = await this.batches.next()
      if (done) return undefined
      this.batch = value
      this.index = 0
    }
    return { batch: this.batch, index: this.index++ }
  }
}

/** What {@link rawEvents} tells about. */
export interface EventVisitor {
  /** An event, with the highest event time of its partition so far, its own included. */
  event(event: RawEvent, laneTime: number): void
  /** No partition that still has events is behind this time. */
  reached(time: number): void
}

/**
 * Reads all records of a topic of quest events once, the partition that is furthest behind first, so that whoever adds them
 * up needs to hold a few minutes of event time only.
 * @returns the number of records.
 * @throws MillraceError UNDECODABLE when a record is no quest event in wire format.
 */
export async function rawEvents(log: Log, topic: string, schema: AvroSchema, visitor: EventVisitor): Promise<number> {
  const type = avsc.Type.forSchema(schema as avsc.Schema)
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  const lanes = new Set<Lane>()
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    lanes.add(new Lane(log.read({ topic, partition }, low, high)[Symbol.asyncIterator]()))
  }
  let records = 0
  while (lanes.size > 0) {
    const [lane] = [...lanes].sort((a, b) => a.time - b.time) as [Lane, ...Lane[]]
    for (let turn = 0; turn < TURN; turn++) {
      const at = await lane.next()
      if (at === undefined) {
        lanes.delete(lane)
        break
      }
      records++
      const event = decode(type, at.batch, at.index)
      lane.time = Math.max(lane.time, event.occurredAt)
      visitor.event(event, lane.time)
    }
    visitor.reached(Math.min(...[...lanes].map(({ time }) => time)))
  }
  return records
}

function decode(type: avsc.Type, batch: RecordBatch, index: number): RawEvent {
  const start = batch.valueStart[index] as number
  const length = batch.valueLength[index] as number
  const { value, offset } = type.decode(batch.data, start + HEADER_BYTES)
  if (batch.data[start] !== 0 || offset !== start + length) {
    throw new MillraceError(
      'UNDECODABLE',
      `${batch.topic}/${batch.partition} holds a record at offset ${batch.offsets[index]} that is no quest event in wire format.`,
    )
  }
  return value
}
