import type { Sample } from './sample.js'

/** The events of a sample as the upstream tasks of a topology would commit them. */
export interface SampleWindows {
  /** Number of the tumbling window of each event, from 0. */
  readonly windows: Int32Array
  /** Indexes of the events, those of a lane together and in their order. */
  readonly order: Uint32Array
  /** Indexes into `order` at which a commit begins, and the end. */
  readonly commits: readonly number[]
}

/**
 * Cuts a sample into windows and into commits: a commit holds up to `commitRecords` records of one lane.
 * @param windowMs length of a window.
 */
export function sampleWindows(sample: Sample, windowMs: number, commitRecords: number): SampleWindows {
  const { events, times, lanes } = sample
  const first = Math.floor(sample.span.from / windowMs)
  const windows = new Int32Array(events)
  const starts: number[] = []
  for (let i = 0; i < events; i++) {
    windows[i] = Math.floor((times[i] as number) / windowMs) - first
    const lane = lanes[i] as number
    starts[lane] = (starts[lane] ?? 0) + 1
  }
  const commits: number[] = []
  let at = 0
  for (let lane = 0; lane < starts.length; lane++) {
    const count = starts[lane] ?? 0
    for (let offset = 0; offset < count; offset += commitRecords) commits.push(at + offset)
    starts[lane] = at
    at += count
  }
  commits.push(events)
  const order = new Uint32Array(events)
  for (let i = 0; i < events; i++) {
    const lane = lanes[i] as number
    order[starts[lane] as number] = i
    ;(starts[lane] as number)++
  }
  return { windows, order, commits }
}
