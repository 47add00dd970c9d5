import type { WindowSpec } from '../topology/node.js'
import { finiteOrNull, type LaneEntry, type LaneSet, type Marker } from './lane-table.js'

/** A lane as its owner sees it. */
export interface LaneState {
  readonly partition: number
  readonly nextOffset: number
  /** Time of the lane for what lies `lag` behind the time of the task: nothing that it sends later is before it. */
  timeAt(now: number, lag: number): number
  /** Wall clock minus idleAfter where the lane is idle at `now`, else null. */
  idleClock(now: number): number | null
}

/** Windows that lane times close; `lag` is how far their stream time lies behind that of the markers' readers. */
export interface Closes {
  readonly window: WindowSpec
  readonly lag: number
}

interface Announced {
  time: number
  idleClock: number | null
  /** The next commit has to speak of this lane whatever its time: it was just assigned. */
  forced: boolean
}

/**
 * Writes the lane markers of one process into one repartition topic.
 *
 * A marker is due when a lane passed the close of a window since the last one, after `markerInterval` when a lane
 * moved at all, when a lane became idle or resumed, and in the first commit after an assignment (DESIGN section 4).
 * An idle lane's marker is repeated whenever its clock passes the close of a window.
 */
export class MarkerWriter {
  private readonly lanes = new Map<LaneState, Announced>()
  private lastMarkerAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly laneSet: LaneSet,
    private readonly closes: readonly Closes[],
    /** How far what is sent lies behind the time of the task: size + grace of the tables before the repartition. */
    private readonly lag: number,
    private readonly markerInterval: number,
  ) {}

  /** What is sent waits for windows of a table: lane times lie behind those of the tasks. */
  get behindTable(): boolean {
    return this.lag > 0
  }

  add(lane: LaneState): void {
    this.lanes.set(lane, { time: Number.NEGATIVE_INFINITY, idleClock: null, forced: true })
  }

  remove(lane: LaneState): void {
    this.lanes.delete(lane)
  }

  /** Whether the commit at `now` has to carry a marker. */
  due(now: number): boolean {
    for (const [lane, announced] of this.lanes) {
      if (announced.forced) return true
      const { time, idleClock } = this.stateOf(lane, now)
      if ((idleClock === null) !== (announced.idleClock === null)) return true
      if (idleClock !== null) {
        if (this.passesClose(announced.idleClock as number, idleClock)) return true
      } else if (time > announced.time) {
        if (this.passesClose(announced.time, time) || now - this.lastMarkerAt >= this.markerInterval) return true
      }
    }
    return false
  }

  /** The marker of all lanes of this process, as of `now`. */
  take(now: number): Marker {
    const entries: LaneEntry[] = []
    for (const [lane, announced] of this.lanes) {
      const { time, idleClock } = this.stateOf(lane, now)
      entries.push({ partition: lane.partition, time, nextOffset: lane.nextOffset, idleClock })
      announced.time = time
      announced.idleClock = idleClock
      announced.forced = false
    }
    this.lastMarkerAt = now
    return { lanes: this.laneSet, entries }
  }

  /** A lane behind a table is never idle: its time follows the wall clock with that of the table's windows. */
  private stateOf(lane: LaneState, now: number): { readonly time: number; readonly idleClock: number | null } {
    return { time: lane.timeAt(now, this.lag), idleClock: this.behindTable ? null : lane.idleClock(now) }
  }

  private passesClose(from: number, to: number): boolean {
    return this.closes.some(({ window, lag }) => closesPassed(window, to - lag) > closesPassed(window, from - lag))
  }
}

/** Ordinal of the last window that is closed at `time`; -Infinity for a window that never closes. */
export function closesPassed(window: WindowSpec, time: number): number {
  if (!Number.isFinite(window.size) || !Number.isFinite(time)) return Number.NEGATIVE_INFINITY
  return Math.floor((time - window.grace - window.size) / window.advance)
}

export function encodeMarker(header: Buffer, marker: Marker): Buffer {
  const entries = marker.entries.map(e => [e.partition, finiteOrNull(e.time), e.nextOffset, e.idleClock])
  return Buffer.concat([header, Buffer.from(JSON.stringify([marker.lanes.topic, marker.lanes.count, entries]))])
}

/** Reads the body of a marker, behind its header. */
export function decodeMarker(body: string): Marker {
  const [topic, count, entries] = JSON.parse(body) as [string, number, [number, number | null, number, number | null][]]
  return {
    lanes: { topic, count },
    entries: entries.map(([partition, time, nextOffset, idleClock]) => ({
      partition,
      time: time ?? Number.NEGATIVE_INFINITY,
      nextOffset,
      idleClock,
    })),
  }
}
