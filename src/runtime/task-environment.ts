import type { AvroSchema } from '../model/avro-schema.js'
import type { DeadLetters } from './dead-letters.js'

/** What the tasks of a process share. Times in ms. */
export interface TaskEnvironment {
  readonly deadLetters: DeadLetters
  /** Time without a record after which a lane that was read to its end is idle. */
  readonly idleAfter: number
  /** Largest lead of a timestamp over the clock. */
  readonly maxAhead: number
  readonly now: () => number
  /** When the process last asked for records. */
  readonly polledAt: () => number
  readonly warn: (message: string) => void
  /** The schema of internal values that another version of the topology wrote, by fingerprint. */
  readonly schemaOf: (fingerprint: string) => AvroSchema | undefined
}
