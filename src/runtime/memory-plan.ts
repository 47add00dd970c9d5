import { MillraceError } from '../model/errors.js'

const MIB = 1024 * 1024

/** The parent of the processes, which answers HTTP. */
const PARENT = 96 * MIB
/** A process before it holds anything: Node.js, its code, and the native modules. */
const PROCESS = 112 * MIB
/** A store of rocksdb-native at the most: its block cache of 32 MiB, which is fixed, and two write buffers of 16 MiB. */
const STORE = 64 * MIB
/** What a process needs besides to get on at all. */
const WORKING_AT_LEAST = 96 * MIB

/** Shares of what is left for a process after its fixed costs. What is held and cached is on the JavaScript heap. */
const HEAP = 0.5
const HELD_OF_HEAP = 0.3
const CACHE_OF_HEAP = 0.3
const PREFETCH = 0.2
const RESTORE = 0.1
const PRODUCE = 0.1
const SINKS = 0.1

/** What one process may use, in bytes. */
export interface MemoryPlan {
  /** JavaScript heap: `--max-old-space-size`. */
  readonly heapBytes: number
  /** Combined entries and changed windows that wait for a commit; over it, the commit comes early. */
  readonly heldBytes: number
  /** Windows kept in memory after a commit, which spares look-ups in the stores. */
  readonly cacheBytes: number
  /** Records that were fetched and not yet processed: librdkafka's `queued.max.messages.kbytes`, of all topologies together. */
  readonly prefetchBytes: number
  /** The same while changelogs are read. */
  readonly restoreBytes: number
  /** Records on their way to the broker: `queue.buffering.max.kbytes`. */
  readonly produceBytes: number
  /** Rows on their way into the warehouse, and those remembered as flushed. */
  readonly sinkBytes: number
}

/** What a stream process itself keeps to, of its plan. */
export type ProcessMemory = Pick<MemoryPlan, 'heldBytes' | 'cacheBytes' | 'sinkBytes'>

/** Where nothing is planned. */
export const DEFAULT_MEMORY: ProcessMemory = {
  heldBytes: 128 * MIB,
  cacheBytes: 128 * MIB,
  sinkBytes: 256 * MIB,
}

/**
 * Splits a worker's memory between its processes and what they hold. `stores` is how many stores a process has at the most:
 * a task of a sub-topology with aggregates has one.
 * @throws MillraceError INVALID_OPTION saying how much is needed where `totalBytes` is too little.
 */
export function memoryPlan(totalBytes: number, processes: number, stores = 0): MemoryPlan {
  const parent = processes > 1 ? PARENT : 0
  const fixed = PROCESS + stores * STORE
  const working = Math.floor((totalBytes - parent) / processes) - fixed
  if (working < WORKING_AT_LEAST) {
    const needed = Math.ceil((parent + processes * (fixed + WORKING_AT_LEAST)) / MIB)
    throw new MillraceError(
      'INVALID_OPTION',
      `${Math.floor(totalBytes / MIB)} MiB of memory are too little for ${processes} ${processes === 1 ? 'process' : 'processes'} with up to ${stores} stores each: give at least ${needed} MiB, or run fewer processes with fewer partitions each.`,
    )
  }
  const share = (part: number): number => Math.floor(working * part)
  return {
    heapBytes: share(HEAP),
    heldBytes: share(HEAP * HELD_OF_HEAP),
    cacheBytes: share(HEAP * CACHE_OF_HEAP),
    prefetchBytes: share(PREFETCH),
    restoreBytes: share(RESTORE),
    produceBytes: share(PRODUCE),
    sinkBytes: share(SINKS),
  }
}
