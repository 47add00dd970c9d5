import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import { keyBytesAt, valueBytesAt } from '../model/record-batch.js'
import type { Log, LogProducer } from '../ports/log.js'
import type { Accounting } from './accounting.js'
import { Format, HEADER_BYTES, headerOf } from './internal-value.js'
import type { LaneTableImage } from './lane-table.js'

/** What a task commits beside its state, in the same transaction. Times in ms; null before the first record. */
export interface TaskProgress {
  /** Offset in the task's input behind the last record that this stands for. */
  readonly nextOffset: number
  /** Highest timestamp read from the lane, of a task that reads a source topic. */
  readonly laneTime: number | null
  readonly streamTime: number | null
  /** Lanes that feed the task, of a task behind a repartition. */
  readonly lanes: LaneTableImage | null
  readonly accounting: Accounting
  /** Records in partials or raw records that arrived after their window closed, because their lane was idle. */
  readonly lateAfterIdle: number
}

/** A schema of internal values, kept in the log so that a later version of the topology can read them. */
export interface CatalogueEntry {
  /** The aggregate or table whose values have the schema. */
  readonly node: string
  readonly schema: AvroSchema
  /** What must be the same in every version: window, key columns, meaning of each measure. */
  readonly meaning: Readonly<Record<string, unknown>>
}

/** The contents of the progress topic: tasks by name, schemas by fingerprint. */
export interface Progress {
  readonly tasks: Map<string, TaskProgress>
  readonly catalogue: Map<string, CatalogueEntry>
}

const TASK = 'task '
const SCHEMA = 'schema '
const NO_FINGERPRINT = Buffer.alloc(HEADER_BYTES - 1)
const PROGRESS_HEADER = headerOf(Format.progress, NO_FINGERPRINT)
const SCHEMA_HEADER = headerOf(Format.schema, NO_FINGERPRINT)

/** Settings of the progress topic: compacted, in small segments, because every assignment reads it to its end. */
export const PROGRESS_TOPIC_CONFIG = {
  'cleanup.policy': 'compact',
  'segment.bytes': '16777216',
  'segment.ms': '600000',
  'min.cleanable.dirty.ratio': '0.1',
} as const

export function sendTaskProgress(
  producer: LogProducer,
  topic: string,
  task: string,
  progress: TaskProgress,
  now: number,
): void {
  const value = Buffer.concat([PROGRESS_HEADER, Buffer.from(JSON.stringify(progress))])
  producer.send(topic, 0, Buffer.from(TASK + task), value, now)
}

export function sendCatalogueEntry(
  producer: LogProducer,
  topic: string,
  fingerprint: string,
  entry: CatalogueEntry,
  now: number,
): void {
  const value = Buffer.concat([SCHEMA_HEADER, Buffer.from(JSON.stringify(entry))])
  producer.send(topic, 0, Buffer.from(SCHEMA + Buffer.from(fingerprint, 'latin1').toString('hex')), value, now)
}

/**
 * Reads the progress topic to the high watermark of now: not to the last stable offset, which another worker's open
 * transaction may hold back (DESIGN section 5).
 */
export async function readProgress(log: Log, topic: string): Promise<Progress> {
  const progress: Progress = { tasks: new Map(), catalogue: new Map() }
  const { low, high } = await log.watermarks({ topic, partition: 0 })
  for await (const batch of log.read({ topic, partition: 0 }, low, high)) {
    for (let i = 0; i < batch.count; i++) {
      const key = keyBytesAt(batch, i)?.toString() ?? ''
      const value = valueBytesAt(batch, i)
      if (value === null) continue
      const body = JSON.parse(value.toString('utf8', HEADER_BYTES))
      if (value[0] === Format.progress && key.startsWith(TASK)) progress.tasks.set(key.slice(TASK.length), body)
      else if (value[0] === Format.schema && key.startsWith(SCHEMA)) {
        progress.catalogue.set(Buffer.from(key.slice(SCHEMA.length), 'hex').toString('latin1'), body)
      } else {
        throw new MillraceError(
          'UNKNOWN_FORMAT',
          `${topic} holds a record "${key}" of format ${value[0]}, which this version of Millrace does not know. A newer version runs in this group; run that one.`,
        )
      }
    }
  }
  return progress
}

/**
 * Refuses an edited aggregate whose old state cannot be read, by name.
 * @throws MillraceError STATE_INCOMPATIBLE naming all differences.
 */
export function checkMeaning(entry: CatalogueEntry, known: Iterable<CatalogueEntry>): void {
  const problems = new Set<string>()
  for (const old of known) {
    if (old.node !== entry.node) continue
    for (const [what, before] of Object.entries(old.meaning)) {
      const now = entry.meaning[what]
      if (now === undefined || JSON.stringify(now) === JSON.stringify(before)) continue
      problems.add(`${what} was ${JSON.stringify(before)} and is ${JSON.stringify(now)}`)
    }
  }
  if (problems.size === 0) return
  throw new MillraceError(
    'STATE_INCOMPATIBLE',
    `"${entry.node}" was changed in a way that cannot read its old state: ${[...problems].join('; ')}. Give the changed ${problems.size === 1 ? 'part' : 'parts'} or the node another name, so that it starts anew.`,
  )
}
