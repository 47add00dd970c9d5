import { MillraceError } from '../model/errors.js'
import type { Clock } from '../ports/clock.js'
import type { Log } from '../ports/log.js'
import type { Metrics } from '../ports/metrics.js'
import type { AvroSerde } from '../ports/serde.js'
import type { StoreEngine } from '../ports/store.js'
import type { Warehouse } from '../ports/warehouse.js'
import type { Topology } from '../topology/node.js'
import type { ProcessMemory } from './memory-plan.js'
import type { WarehousePermits } from './warehouse-permits.js'

export type Guarantee = 'exactly_once' | 'at_least_once'

/** Where the process says what happens. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
}

/** What a stream process is made of. */
export interface StreamProcessOptions {
  readonly topology: Topology
  readonly namespace?: string
  readonly log: Log
  readonly serde: AvroSerde
  readonly stores: StoreEngine
  /** Folder of the stores. */
  readonly stateDirectory: string
  /** Needed where the topology has `to(warehouse(...))`. */
  readonly warehouse?: Warehouse
  /** Opens the permits for sessions in the warehouse that the topologies of a process share; default: some of its own. */
  readonly permits?: () => Promise<WarehousePermits>
  readonly clock: Clock
  /** Default `exactly_once`. */
  readonly guarantee?: Guarantee
  /** Longest time between commits, in ms; default 200. */
  readonly commitInterval?: number
  /**
   * Part of a turn of the loop that restoring state takes while tasks run, in ms; default 50. It is ten times as long while
   * none runs.
   */
  readonly restoreSlice?: number
  /** Bounds of what is in memory; default 128 MiB held, 128 MiB cached, 256 MiB of rows for the warehouse. */
  readonly memory?: ProcessMemory
  /** Names this process among those of its group; stable over restarts, so that a successor fences it. */
  readonly instanceId: string
  readonly logger: Logger
  /** Ends a start that waits for the schema registry. */
  readonly stop?: AbortSignal
  /** Default: nobody reads them. */
  readonly metrics?: Metrics
}

/**
 * The warehouse that the topology writes to; undefined where it writes to none.
 * @throws MillraceError INVALID_OPTION when it writes to one and none is given.
 */
export function warehouseOf({ topology, warehouse }: StreamProcessOptions): Warehouse | undefined {
  if (topology.outputs.every(node => node.kind !== 'to-warehouse')) return undefined
  if (warehouse !== undefined) return warehouse
  throw new MillraceError(
    'INVALID_OPTION',
    `Topology "${topology.name}" writes to a warehouse, and none is given. Pass --warehouse postgres://….`,
  )
}
