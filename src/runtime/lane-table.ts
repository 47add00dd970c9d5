/** What a marker says about one lane. Times and clocks in ms since 1970; -Infinity where no record was read yet. */
export interface LaneEntry {
  readonly partition: number
  readonly time: number
  /** Offset in the lane's topic behind the last record that `time` stands for. */
  readonly nextOffset: number
  /** Wall clock minus idleAfter of the lane's worker where the lane is idle, else null. */
  readonly idleClock: number | null
}

/** The lanes that feed a repartition topic: the partitions of one topic. */
export interface LaneSet {
  readonly topic: string
  readonly count: number
}

/** A marker: the full lane set, and entries for the lanes of the process that wrote it. */
export interface Marker {
  readonly lanes: LaneSet
  readonly entries: readonly LaneEntry[]
}

interface Lane {
  time: number
  nextOffset: number
  idleClock: number | null
}

/** A lane table as it is committed. -Infinity is null, since it is kept as JSON. */
export interface LaneTableImage {
  readonly topic: string
  readonly count: number
  readonly added: readonly number[]
  readonly streamTime: number | null
  readonly lanes: readonly (readonly [
    partition: number,
    time: number | null,
    nextOffset: number,
    idleClock: number | null,
  ])[]
}

/**
 * Stream time of a task behind a repartition: the lowest time of the lanes that feed it (DESIGN section 4).
 *
 * Nothing moves before every lane of the set has spoken. Idle lanes do not hold others back; when all are idle, stream
 * time is the lowest of their clocks. Stream time never goes back.
 */
export class LaneTable {
  streamTime = Number.NEGATIVE_INFINITY
  private topic = ''
  private count = 0
  private readonly lanes = new Map<number, Lane>()
  /** Lanes added to a set that was known before: idle until their first marker. */
  private readonly added = new Set<number>()

  /** Applies one marker and returns whether stream time moved. Markers must be applied one by one in log order. */
  apply(marker: Marker): boolean {
    if (marker.lanes.count > this.count) {
      if (this.count > 0) for (let p = this.count; p < marker.lanes.count; p++) this.added.add(p)
      this.count = marker.lanes.count
    }
    this.topic = marker.lanes.topic
    for (const entry of marker.entries) this.enter(entry)
    return this.advance()
  }

  private enter(entry: LaneEntry): void {
    const lane = this.lanes.get(entry.partition)
    if (lane === undefined) {
      this.lanes.set(entry.partition, { time: entry.time, nextOffset: entry.nextOffset, idleClock: entry.idleClock })
      this.added.delete(entry.partition)
    } else if (entry.nextOffset >= lane.nextOffset) {
      lane.time = Math.max(lane.time, entry.time)
      lane.nextOffset = entry.nextOffset
      lane.idleClock = entry.idleClock
    }
  }

  private advance(): boolean {
    let active = Number.POSITIVE_INFINITY
    let idle = Number.POSITIVE_INFINITY
    for (let p = 0; p < this.count; p++) {
      const lane = this.lanes.get(p)
      if (lane === undefined) {
        if (this.added.has(p)) continue
        return false
      }
      if (lane.idleClock === null) active = Math.min(active, lane.time)
      else idle = Math.min(idle, lane.idleClock)
    }
    const time = active === Number.POSITIVE_INFINITY ? idle : active
    if (time === Number.POSITIVE_INFINITY || time <= this.streamTime) return false
    this.streamTime = time
    return true
  }

  image(): LaneTableImage {
    return {
      topic: this.topic,
      count: this.count,
      added: [...this.added],
      streamTime: finiteOrNull(this.streamTime),
      lanes: [...this.lanes].map(([p, lane]) => [p, finiteOrNull(lane.time), lane.nextOffset, lane.idleClock]),
    }
  }

  restore(image: LaneTableImage): void {
    this.topic = image.topic
    this.count = image.count
    this.streamTime = image.streamTime ?? Number.NEGATIVE_INFINITY
    for (const p of image.added) this.added.add(p)
    for (const [p, time, nextOffset, idleClock] of image.lanes) {
      this.lanes.set(p, { time: time ?? Number.NEGATIVE_INFINITY, nextOffset, idleClock })
    }
  }
}

/** JSON has no infinity: a time before the first record is null. */
export function finiteOrNull(time: number): number | null {
  return Number.isFinite(time) ? time : null
}
