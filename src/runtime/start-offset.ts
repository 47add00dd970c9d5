import { MillraceError } from '../model/errors.js'
import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Log, LogConsumer } from '../ports/log.js'
import { type Progress, readProgress } from './progress.js'

/** What is known of how far a partition was processed. */
export interface KnownOffsets {
  /** The group's committed offset. */
  readonly committed: number | undefined
  /** The offset of the task's progress record. */
  readonly progress: number | undefined
}

/**
 * Where a task reads on; undefined where nothing is known. Under exactly-once the committed offset and the progress
 * record stem from one transaction. At least once, progress is written when all that it stands for is acknowledged, so
 * it is never ahead of the data.
 * @throws MillraceError PROGRESS_MISMATCH
 */
export function startOffset(
  at: TopicPartition,
  { committed, progress }: KnownOffsets,
  exactlyOnce: boolean,
  progressTopic: string,
): number | undefined {
  if (!exactlyOnce) return progress ?? committed
  if (committed === undefined || committed === progress) return progress
  throw new MillraceError(
    'PROGRESS_MISMATCH',
    `The group's committed offset of ${partitionId(at)} is ${committed}, but ${progressTopic} says ${progress ?? 'nothing'}. Offsets were changed from outside, or a topic was deleted. Put the offset back, or start under another name or namespace.`,
  )
}

/**
 * Committed offsets, and progress that is as old: while a process that lost its partitions without knowing it reads
 * one, their new owner may commit both.
 */
export async function readOffsets(
  consumer: LogConsumer,
  log: Log,
  partitions: readonly TopicPartition[],
  progressTopic: string,
): Promise<{ readonly committed: ReadonlyMap<string, number>; readonly progress: Progress }> {
  for (;;) {
    const before = await consumer.committed(partitions)
    const progress = await readProgress(log, progressTopic)
    const committed = await consumer.committed(partitions)
    if (partitions.map(partitionId).every(id => before.get(id) === committed.get(id))) return { committed, progress }
  }
}
