import type { ProcessHealth } from '../runtime/process-health.js'

/** One topology in a process. */
export interface TopologyHealth {
  readonly topology: string
  /** Absent while the topology starts. */
  readonly health?: ProcessHealth
}

/** What a process says of itself every second. */
export interface Heartbeat {
  readonly topologies: readonly TopologyHealth[]
}

export const PROCESS_STATES = ['starting', 'running', 'restarting', 'stopped'] as const

/**
 * Where a process of a worker stands: `starting` until all its topologies have started, `restarting` while a failed one
 * waits to be started again.
 */
export type ProcessState = (typeof PROCESS_STATES)[number]

/** What a worker knows of one of its processes. Times are wall-clock ms since 1970. */
export interface ProcessStatus {
  /** Its slot, from 0. */
  readonly process: number
  /** Absent while there is none. */
  readonly pid?: number
  readonly state: ProcessState
  /** When the process that is there now was started, or when the last one ended. */
  readonly since: number
  /** When the process last said something; absent until it did. */
  readonly heardAt?: number
  readonly heartbeat?: Heartbeat
  /** How often it was started again. */
  readonly restarts: number
  /** How often it did not answer in time when it was asked for its metrics. */
  readonly unanswered: number
  /** Failures since it was last healthy. */
  readonly failures: number
  readonly lastFailure?: string
}

/** A worker as probes and metrics see it, whether its processes are children or itself. */
export interface WorkerView<Snapshot> {
  processes(): readonly ProcessStatus[]
  /** The metrics of each process that answered in time, by slot. */
  snapshots(): Promise<ReadonlyMap<number, Snapshot>>
}
