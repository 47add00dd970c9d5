import type { Node, StreamRecord, WindowSpec } from '../topology/node.js'
import { closeTime, windowStarts } from '../windows/window-starts.js'
import type { KeyEntry } from './key-codec.js'
import type { MeasureProgram } from './measure-program.js'
import type { EffectTarget } from './record-effects.js'
import type { TaskContext } from './task-context.js'

const starts: number[] = []

/**
 * Offers a record to its windows, in the order of their starts. A window refuses it when end + grace <= time of the
 * record's own lane (DESIGN section 4), or when it is closed at `streamTime` because the lane was idle.
 */
export function enterWindows(
  context: TaskContext,
  node: Node,
  window: WindowSpec,
  program: MeasureProgram,
  target: EffectTarget,
  key: KeyEntry,
  record: StreamRecord,
  streamTime: number,
  want?: (start: number, key: KeyEntry) => void,
): void {
  const index = context.position.index++
  const count = windowStarts(window, record.timestamp, starts)
  for (let i = 0; i < count; i++) {
    const start = starts[i] as number
    const closes = closeTime(window, start)
    if (closes <= context.laneTime) {
      context.refused++
      continue
    }
    if (closes <= streamTime) {
      context.refused++
      context.refusedAfterIdle++
      continue
    }
    const effect = context.effects.next(target)
    effect.start = start
    effect.key = key
    effect.timestamp = record.timestamp
    effect.at(context.position)
    effect.position.index = index
    effect.position.timestamp = record.timestamp
    try {
      program.read(record.value, effect.inputs)
    } catch (thrown) {
      context.fail(node, thrown)
      return
    }
    context.reached = true
    want?.(start, key)
  }
}

/** Whether every one of these windows refuses a record of this timestamp at this lane time. */
export function refusedByAll(window: WindowSpec, timestamp: number, laneTime: number): number | undefined {
  const count = windowStarts(window, timestamp, starts)
  for (let i = 0; i < count; i++) {
    if (closeTime(window, starts[i] as number) > laneTime) return undefined
  }
  return count
}
