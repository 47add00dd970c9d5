import type { MetricsSnapshot } from '../metrics/prometheus-metrics.js'
import type { Guarantee } from '../runtime/stream-process-options.js'
import type { ListenAddress } from '../worker/listen-address.js'
import type { WorkerView } from '../worker/process-status.js'
import type { LogLevel } from './logger.js'
import type { LogFlags } from './options.js'
import type { StopSignal } from './stop-signal.js'
import type { WarehouseFlags } from './warehouse-flags.js'

/** Flags of `millrace run`. */
export interface RunOptions extends LogFlags, WarehouseFlags {
  readonly guarantee: Guarantee
  /** Ms. */
  readonly commitInterval: number
  readonly instanceId: string
  readonly namespace?: string
  /** How often the figures of each topology are logged, in ms. */
  readonly statusInterval: number
  /** Operating-system processes, one stream thread each. */
  readonly processes: number
  /** How long processes may take to commit and leave after a signal, in ms. */
  readonly drainTimeout: number
  /** Bytes that the worker may take in all. */
  readonly memory?: number
  readonly http: ListenAddress | 'off'
  readonly logLevel: LogLevel
}

/** What a process of a worker is told to do. */
export interface ChildOrder {
  readonly slot: number
  readonly files: readonly string[]
  readonly options: RunOptions
}

/** What runs the topologies: child processes, or this one. */
export interface Work extends WorkerView<MetricsSnapshot> {
  /** Runs until the signal comes, then commits, flushes and closes. */
  run(stop: StopSignal): Promise<void>
}
