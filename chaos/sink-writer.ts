import { setTimeout as sleep } from 'node:timers/promises'
import { openWarehouse } from '../src/cli/adapters.js'
import type { RedshiftFlags } from '../src/cli/warehouse-flags.js'
import { MillraceError } from '../src/model/errors.js'
import type { Warehouse } from '../src/ports/warehouse.js'
import { DeadLetters } from '../src/runtime/dead-letters.js'
import { SessionTurns } from '../src/runtime/session-turns.js'
import { SinkTask } from '../src/runtime/sink-task.js'
import { type LogSize, PARTITIONS, programOf, RowLog, TABLES } from './row-log.js'
import { unfencedWarehouse } from './unfenced-warehouse.js'

/** What the parent tells a writer to do. */
export interface WriterTask {
  /** As `--warehouse` takes it. */
  readonly warehouse: string
  readonly flags: RedshiftFlags
  readonly size: LogSize
  /** URL for the offsets table where fencing is switched off. */
  readonly unfenced?: string
}

/** From the parent: so many records of each partition are there by now. */
export interface LogEnd {
  readonly end: number
}

/** To the parent. */
export interface WriterState {
  /** Sinks that it opened, again and again where they were taken over. */
  readonly opened: number
  readonly flushes: number
  /** Sinks that somebody else took over. */
  readonly fenced: number
  readonly failures: number
  /** Everything up to this log end is in the warehouse. */
  readonly drained: number
}

/** Records of one batch at the most. */
const BATCH = 60

/** A worker from which a sink was taken may get it again after so many ms, as a group would give it. */
const AWAY_AT_LEAST = 300
const AWAY_AT_MOST = 1_200

/** One sink partition, and when it may be opened again. */
interface Slot {
  readonly log: RowLog
  readonly partition: number
  task: SinkTask | undefined
  openAt: number
}

const silentProducer = {
  send: () => undefined,
  begin: async () => undefined,
  sendOffsets: async () => undefined,
  commit: async () => undefined,
  abort: async () => undefined,
  flush: async () => undefined,
  close: async () => undefined,
}

async function run({ warehouse: address, flags, size, unfenced }: WriterTask): Promise<void> {
  const fencing = openWarehouse(address, flags)
  const warehouse = unfenced === undefined ? fencing : unfencedWarehouse(fencing, unfenced)
  const letters = new DeadLetters('fail', 'chaos-dead-letters', 1, silentProducer)
  const slots: Slot[] = TABLES.flatMap(table => {
    const log = new RowLog(table, size)
    return Array.from({ length: PARTITIONS }, (_, partition) => ({ log, partition, task: undefined, openAt: 0 }))
  })
  let end = 0
  let fenced = 0
  let opened = 0
  let gone = { flushes: 0, failures: 0 }
  process.on('message', (message: LogEnd) => {
    end = message.end
  })
  process.on('disconnect', () => process.exit(1))
  for (;;) {
    for (const slot of slots) {
      try {
        if (await step(slot, warehouse, letters, end, size.records)) opened++
      } catch (thrown) {
        if (!(thrown instanceof MillraceError) || thrown.code !== 'WAREHOUSE_FENCED') throw thrown
        fenced++
        const { flushes = 0, failures = 0 } = slot.task?.flushed ?? {}
        gone = { flushes: gone.flushes + flushes, failures: gone.failures + failures }
        slot.task = undefined
        slot.openAt = Date.now() + AWAY_AT_LEAST + Math.random() * (AWAY_AT_MOST - AWAY_AT_LEAST)
      }
    }
    const done = slots.every(({ task }) => task?.drained === true && task.nextOffset === end)
    const sum = (name: 'flushes' | 'failures') =>
      slots.reduce((total, { task }) => total + (task?.flushed[name] ?? 0), gone[name])
    const state: WriterState = {
      opened,
      flushes: sum('flushes'),
      failures: sum('failures'),
      fenced,
      drained: done ? end : -1,
    }
    process.send?.(state)
    await sleep(10)
  }
}

/** Opens the sink, which the answer says, or reads a batch and lets it flush. */
async function step(
  slot: Slot,
  warehouse: Warehouse,
  letters: DeadLetters,
  end: number,
  total: number,
): Promise<boolean> {
  const now = Date.now()
  if (now < slot.openAt) return false
  if (slot.task === undefined) {
    const warn = (message: string) => void process.stderr.write(`${message}\n`)
    const program = programOf(slot.log.table)
    const took = { observe: () => undefined }
    const turns = new SessionTurns(Date.now)
    const task = new SinkTask(program, slot.partition, warehouse, turns, letters, warn, Date.now, took)
    const opened = await task.open(now, total)
    if (opened === undefined) slot.openAt = now + AWAY_AT_LEAST
    else slot.task = task
    return opened !== undefined
  }
  const { task } = slot
  const to = Math.min(end, task.nextOffset + 1 + Math.floor(Math.random() * BATCH))
  const batch = slot.log.read(slot.partition, task.nextOffset, to)
  if (batch) task.process(batch, now)
  await task.tick(now, task.nextOffset === end)
  return false
}

process.once('message', (task: WriterTask) => {
  void run(task).catch(thrown => {
    console.error(thrown instanceof Error ? thrown.message : thrown)
    process.exit(4)
  })
})
