import type { TopicPartition } from '../model/topic-partition.js'
import type { Report } from '../ports/metrics.js'
import type { Outcome } from './accounting.js'
import { METRICS } from './metrics.js'
import type { SinkTask } from './sink-task.js'
import type { Task } from './task.js'

/** The outcomes of records, as the label says them. */
const OUTCOMES: Readonly<Record<Outcome, string>> = {
  aggregated: 'aggregated',
  filtered: 'filtered',
  late: 'late',
  deadLettered: 'dead_lettered',
  skipped: 'skipped',
}

/** Figures of tasks that had to be asked for; NaN where they are not known. */
export interface LookedUp {
  lagOf(at: TopicPartition, nextOffset: number): number
  stateBytesOf(task: string): number
}

/** Reports the figures of one task. */
export function reportTask(report: Report, topology: string, task: Task, lookedUp: LookedUp): void {
  const { name, partition, program, counted } = task
  const labels = { topology, task: name }
  const place = { ...labels, topic: program.topic, partition: String(partition) }
  const { laneTime, streamTime } = task.progress()
  report(METRICS.lag, lookedUp.lagOf({ topic: program.topic, partition }, task.nextOffset), place)
  if (program.input.kind === 'source') {
    for (const [outcome, label] of Object.entries(OUTCOMES) as [Outcome, string][]) {
      report(METRICS.records, counted.accounting[outcome], { ...place, outcome: label })
    }
    report(METRICS.laneTime, secondsOf(laneTime), place)
  }
  report(METRICS.refusedWindows, counted.accounting.refusedWindows, labels)
  report(METRICS.lateAfterIdle, counted.lateAfterIdle, labels)
  if (program.aggregates.size === 0) return
  report(METRICS.streamTime, secondsOf(streamTime), labels)
  report(METRICS.openWindows, task.openWindows, labels)
  report(METRICS.dirtyEntries, task.held, labels)
  report(METRICS.stateBytes, lookedUp.stateBytesOf(name), labels)
  let hits = 0
  let misses = 0
  for (const { windows } of task.tables) {
    hits += windows.lookups.hits
    misses += windows.lookups.misses
  }
  report(METRICS.cacheLookups, hits, { ...labels, result: 'hit' })
  report(METRICS.cacheLookups, misses, { ...labels, result: 'miss' })
}

/** Reports the figures of one sink partition. */
export function reportSink(report: Report, topology: string, sink: SinkTask, now: number): void {
  const table = sink.program.table.name
  const place = { topology, table, partition: String(sink.partition) }
  const { flushes, failures, upserts, deletes, unchanged } = sink.flushed
  report(METRICS.freshness, secondsOf(sink.freshness.at(now) ?? null), place)
  report(METRICS.freshnessTarget, sink.program.visibleWithin / 1_000, { topology, table })
  report(METRICS.pendingRows, sink.pendingRows, place)
  report(METRICS.pendingBytes, sink.heldBytes, place)
  report(METRICS.flushes, flushes, { ...place, result: 'ok' })
  report(METRICS.flushes, failures, { ...place, result: 'failed' })
  report(METRICS.rows, upserts, { ...place, change: 'upserted' })
  report(METRICS.rows, deletes, { ...place, change: 'deleted' })
  report(METRICS.unchangedRows, unchanged, place)
  report(METRICS.flushInterval, sink.flushInterval(now) / 1_000, place)
}

/** A time or a span in ms; NaN, which is no figure, where there is none. */
function secondsOf(milliseconds: number | null): number {
  return milliseconds === null ? Number.NaN : milliseconds / 1_000
}
