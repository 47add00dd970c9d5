import type { AvroSchema } from '../model/avro-schema.js'
import type { Histogram } from '../ports/metrics.js'
import type { DeadLetters } from './dead-letters.js'
import type { CatalogueEntry } from './progress.js'
import type { StreamProcessOptions } from './stream-process-options.js'

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
  /** Seconds by which late records lay behind their lane's time. */
  readonly lateness: Histogram
  readonly warn: (message: string) => void
  /** The schema of internal values that another version of the topology wrote, by fingerprint. */
  readonly schemaOf: (fingerprint: string) => AvroSchema | undefined
}

/** What the tasks of a process share. `catalogue` is read when it is asked, so that what is added later is found. */
export function taskEnvironment(
  { topology, clock, logger }: Pick<StreamProcessOptions, 'topology' | 'clock' | 'logger'>,
  deadLetters: DeadLetters,
  catalogue: ReadonlyMap<string, CatalogueEntry>,
  lateness: Histogram,
  polledAt: () => number,
): TaskEnvironment {
  return {
    deadLetters,
    idleAfter: topology.options.idleAfter,
    maxAhead: topology.options.maxAhead,
    now: () => clock.now(),
    polledAt,
    lateness,
    warn: message => logger.warn(message),
    schemaOf: fingerprint => catalogue.get(fingerprint)?.schema,
  }
}
