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

/**
 * Shares of what is left for a process after its fixed costs. What is held and cached is on the JavaScript heap, which needs
 * as much again for what is at work. Changelogs are read through as much as what is fetched ahead of the tasks.
 */
const HEAP = 0.45
const HELD_OF_HEAP = 0.25
const CACHE_OF_HEAP = 0.25
const PREFETCH = 0.2
const PRODUCE = 0.05
const SINKS = 0.05
const STORES = 0.25

/** What one process may use, in bytes. */
export interface MemoryPlan {
  /** JavaScript heap: `--max-old-space-size`. */
  readonly heapBytes: number
  /** Combined entries and changed windows that wait for a commit; over it, the commit comes early. */
  readonly heldBytes: number
  /** Windows kept in memory after a commit, which spares look-ups in the stores. */
  readonly cacheBytes: number
  /** Records that were fetched and not yet processed, and as many again while changelogs are read: `queued.max.messages.kbytes`. */
  readonly prefetchBytes: number
  /** Records on their way to the broker: `queue.buffering.max.kbytes`. */
  readonly produceBytes: number
  /** Rows on their way into the warehouse, and those remembered as flushed. */
  readonly sinkBytes: number
  /** Caches and write buffers of the stores. */
  readonly storeBytes: number
}

/** What a stream process itself keeps to, of its plan. */
export type ProcessMemory = Pick<MemoryPlan, 'heldBytes' | 'cacheBytes' | 'sinkBytes' | 'storeBytes'>

/** Where nothing is planned. */
export const DEFAULT_MEMORY: ProcessMemory = {
  heldBytes: 128 * MIB,
  cacheBytes: 128 * MIB,
  sinkBytes: 256 * MIB,
  storeBytes: Number.POSITIVE_INFINITY,
}

/**
 * Splits a worker's memory: a parent, `processes` processes with the same share each, and in each of them `topologies` that
 * share alike. The heap is of the process, the rest of one topology.
 * @throws MillraceError INVALID_OPTION saying how much is needed where `totalBytes` is too little.
 */
export function memoryPlan(totalBytes: number, processes: number, topologies = 1): MemoryPlan {
  const working = Math.floor((totalBytes - PARENT) / processes) - PROCESS
  if (working < WORKING_AT_LEAST) {
    const needed = Math.ceil((PARENT + processes * (PROCESS + WORKING_AT_LEAST)) / MIB)
    throw new MillraceError(
      'INVALID_OPTION',
      `${Math.floor(totalBytes / MIB)} MiB of memory are too little for ${processes} ${processes === 1 ? 'process' : 'processes'}: give at least ${needed} MiB, or run fewer processes.`,
    )
  }
  const share = (part: number): number => Math.floor((working * part) / topologies)
  return {
    heapBytes: Math.floor(working * HEAP),
    heldBytes: share(HEAP * HELD_OF_HEAP),
    cacheBytes: share(HEAP * CACHE_OF_HEAP),
    prefetchBytes: share(PREFETCH / 2),
    produceBytes: share(PRODUCE),
    sinkBytes: share(SINKS),
    storeBytes: share(STORES),
  }
}

/** Why so many stores may take more than their share of the memory; undefined while they may not. */
export function storesProblem(stores: number, { storeBytes }: ProcessMemory): string | undefined {
  if (stores * STORE <= storeBytes) return undefined
  return `${stores} stores may take up to ${(stores * STORE) / MIB} MiB of memory, and their share of --memory is ${Math.floor(storeBytes / MIB)} MiB. Give more memory, or share the partitions among more workers.`
}
