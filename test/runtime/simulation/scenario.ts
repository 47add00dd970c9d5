import {
  aggregate,
  aggregator,
  avro,
  filter,
  fromTopic,
  hopping,
  repartition,
  type Topology,
  to,
  topic,
  topology,
  toStream,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { Random } from './random.js'

/** Event times count from here; a multiple of all window sizes. */
export const BASE = 1_700_000_000_000

/** Sizes in ms. The windows of the second stage hold four tumbling ones. */
export const SIZE = 10
export const GRACE = 5
export const ADVANCE = 5
export const SECOND_SIZE = 40
const IDLE_AFTER = 12

export interface SourceEvent {
  readonly id: number
  readonly k: string | null
  readonly ts: number
  readonly wanted: boolean
}

/** What a lane holds: an event, a null value, or bytes that are none; `arrival` is when it appears in the log. */
export interface SourceRecord {
  readonly kind: 'event' | 'null' | 'garbage'
  readonly event: SourceEvent
  readonly arrival: number
}

/**
 * `combined`, `raw`: a repartition, then windows, with or without combining. `source`: windows on the source itself.
 * `stages`: a second repartition behind final rows. `source-stages`: the same behind windows on the source.
 */
export type Shape = 'combined' | 'raw' | 'source' | 'stages' | 'source-stages'

export interface Scenario {
  readonly shape: Shape
  readonly hopping: boolean
  /** Idle lanes close windows: event times are near the clock, which moves. */
  readonly idle: boolean
  readonly lanes: readonly (readonly SourceRecord[])[]
  readonly partitions: number
  readonly markerInterval: number
  readonly commitInterval: number
}

const SHAPES: readonly Shape[] = ['combined', 'combined', 'raw', 'source', 'stages', 'source-stages']

/** The scenario of a seed. */
export function scenarioOf(seed: number, idle: boolean, shape?: Shape): Scenario {
  const random = new Random(seed)
  const shaped = shape ?? random.pick(SHAPES)
  let id = 0
  const lanes = Array.from({ length: 1 + random.below(3) }, () => {
    const records: SourceRecord[] = []
    let time = random.pick(idle ? [0, 0, 30] : [0, 0, 30, 5_000])
    let arrival = 0
    const count = random.chance(0.1) ? 0 : random.below(idle ? 9 : 25)
    for (let i = 0; i < count; i++) {
      time += random.pick(idle ? [0, 1, 3, 6, 20, 45] : [0, 1, 3, 6, 20])
      const ts = BASE + Math.max(0, time - random.pick([0, 0, 4, 12, 18]))
      arrival = Math.max(arrival, BASE + time + (idle ? random.pick([0, 1, 2, 8]) : 0))
      const what = random.below(30)
      const kind = what === 0 ? 'null' : what === 1 ? 'garbage' : 'event'
      records.push({
        kind,
        arrival,
        event: {
          id: id++,
          k: what === 2 ? null : `k${random.below(3)}`,
          ts: what === 3 ? BASE + 1e12 : ts,
          wanted: what !== 4,
        },
      })
    }
    // Without idleness a last event, which a filter takes out, moves the lane's time past all windows.
    const end = { id: id++, k: 'k0', ts: BASE + 100_000, wanted: false }
    if (!idle && !random.chance(0.05)) records.push({ kind: 'event', arrival, event: end })
    return records
  })
  return {
    shape: shaped,
    hopping: random.chance(0.3),
    idle,
    lanes,
    partitions: 1 + random.below(3),
    markerInterval: random.pick([1, 5, 50]),
    commitInterval: random.pick([0, 1, 5]),
  }
}

export const schema = avro<SourceEvent>({
  type: 'record',
  name: 'SourceEvent',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'k', type: ['null', 'string'], default: null },
    { name: 'ts', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'wanted', type: 'boolean' },
  ],
})

const IDS = { type: 'array', items: 'long' } as const
const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b)

/** Ids of the records in a window. */
function ids(merged: boolean) {
  return aggregator<SourceEvent, number[], string>({
    state: IDS,
    zero: [],
    add: (list, event) => [...list, event.id],
    ...(merged && { merge: (a: number[], b: number[]) => [...a, ...b] }),
    result: list => sorted(list).join(' '),
    column: 'text',
    resultSchema: 'string',
  })
}

/** Ids of the records in the rows of a first stage. */
function idsOfRows() {
  return aggregator<{ readonly ids: string }, number[], string>({
    state: IDS,
    zero: [],
    add: (list, row) => [...list, ...row.ids.split(' ').map(Number)],
    merge: (a, b) => [...a, ...b],
    result: list => sorted(list).join(' '),
    column: 'text',
    resultSchema: 'string',
  })
}

/** Topics of final rows, of updates, and of the second stage's final rows; the table of updates. */
export const FINALS = 'finals'
export const UPDATES = 'updates'
export const SECOND = 'second'
const TABLE = 'rows'

export function topologyOf(scenario: Scenario): Topology {
  const { shape, partitions } = scenario
  const options = {
    idleAfter: scenario.idle ? (`${IDLE_AFTER}ms` as const) : ('1000 days' as const),
    markerInterval: `${scenario.markerInterval}ms` as const,
  }
  const windows = window<{ readonly k: string }, SourceEvent, ReturnType<typeof tumbling>>(
    scenario.hopping
      ? hopping(`${SIZE}ms`, { advance: `${ADVANCE}ms`, grace: `${GRACE}ms` })
      : tumbling(`${SIZE}ms`, { grace: `${GRACE}ms` }),
  )
  const source = fromTopic('events', { value: schema, timestamp: 'ts', keyColumn: 'k' })
  const wanted = source.pipe(filter(event => event.wanted))
  const keyed =
    shape === 'source' || shape === 'source-stages' ? wanted : wanted.pipe(repartition('by-k', { by: 'k', partitions }))
  const windowed = (keyed as typeof wanted).pipe(windows)
  const finals = windowed.pipe(aggregate('finals', { ids: ids(shape !== 'raw') }, { emit: 'final' }))
  const updates = windowed.pipe(aggregate('updates', { ids: ids(shape !== 'raw') }))
  const outputs = [
    finals.pipe(to(topic(FINALS))),
    updates.pipe(to(topic(UPDATES))),
    // Keys of a table on the source are those of its partition, so that tables of several partitions share rows.
    ...(shape === 'source' || shape === 'source-stages'
      ? []
      : [updates.pipe(to(warehouse(TABLE, { freshness: '10ms', split: true })))]),
  ] as const
  if (!shape.endsWith('stages')) return topology('sim', options, outputs[0], ...outputs.slice(1))
  const second = finals.pipe(
    toStream(),
    repartition('by-k-again', { by: 'k', partitions }),
    window(tumbling(`${SECOND_SIZE}ms`)),
    aggregate('second', { ids: idsOfRows() }, { emit: 'final' }),
    to(topic(SECOND)),
  )
  return topology('sim', options, second, ...outputs)
}
