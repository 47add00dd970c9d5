import {
  aggregate,
  aggregator,
  avro,
  count,
  filter,
  flatMap,
  fromTopic,
  globalWindow,
  hopping,
  map,
  mapValues,
  max,
  min,
  reduce,
  repartition,
  type Stream,
  sum,
  type Topology,
  to,
  topic,
  topology,
  tumbling,
  type WindowedStream,
  window,
} from 'millrace'
import type { Predicate, Spec, Step, Window } from './case.js'

interface Value {
  readonly n: number
}

type Key = { readonly key: string }
type Values = Stream<Key, Value | null>

const value = avro<Value | null>({ type: 'record', name: 'Value', fields: [{ name: 'n', type: 'long' }] })
const key = avro<Key>({ type: 'record', name: 'Key', fields: [{ name: 'key', type: 'string' }] })

/** The name of the topic that the results go to. */
export const RESULT = 'result'

/** Why this runner does not build the topology of a case; undefined where it does. */
export function unsupported({ kind, window: spec, ops = [] }: Spec): string | undefined {
  if (kind.includes('table') || kind.includes('join')) return kind
  if (spec && spec.type !== 'tumbling' && spec.type !== 'hopping') return `${spec.type} windows`
  const later = new Set(['selectKey', 'merge', 'split', 'toTable', 'groupBy', 'groupByCount'])
  return ops.find(step => later.has(step.op))?.op
}

/** The topology of a case. */
interface CaseTopology {
  readonly topology: Topology
  /** How many null values an aggregate refused that takes none: Kafka Streams counts them as dropped. */
  readonly nulls: () => number
}

/** Builds the topology of a case with the public DSL. */
export function topologyOf(spec: Spec): CaseTopology {
  const none = (): number => 0
  switch (spec.kind) {
    case 'window-aggregate':
      return {
        topology: topology('case', table(source('keep').pipe(window(windowOf(spec.window!))), spec)),
        nulls: none,
      }
    case 'stream-aggregate':
      return { topology: topology('case', table(source('skip').pipe(window(globalWindow())), spec)), nulls: none }
    case 'stream':
      return stream(spec.ops ?? [])
    default:
      throw new Error(`unknown kind of topology "${spec.kind}"`)
  }
}

function source(nullValues: 'keep' | 'skip'): Values {
  return fromTopic('in', { value, nullValues }) as Values
}

function windowOf({ type, sizeMs, advanceMs, graceMs }: Window) {
  const grace = `${graceMs}ms` as const
  if (type === 'tumbling') return tumbling(`${sizeMs}ms`, { grace })
  return hopping(`${sizeMs}ms`, { advance: `${advanceMs!}ms`, grace })
}

type Reducer = (a: Value | null, b: Value | null) => Value | null

const REDUCERS: Record<string, Reducer> = {
  sum: (a, b) => ({ n: (a?.n ?? 0) + (b?.n ?? 0) }),
  last: (_, b) => b,
  concat: (a, b) => ({ n: 10 * (a?.n ?? 0) + (b?.n ?? 0) }),
}

const MEASURES = {
  count: count<Value | null>(),
  sum: sum<Value | null>('n'),
  min: min<Value | null, 'n'>('n'),
  max: max<Value | null, 'n'>('n'),
  list: aggregator<Value | null, (number | null)[]>({
    state: { type: 'array', items: ['null', 'long'] },
    zero: [],
    add: (list, v) => [...list, v === null ? null : v.n],
  }),
}

function table<K>(windowed: WindowedStream<K, Value | null>, spec: Spec) {
  const emit = spec.emit === 'final' ? 'final' : 'updates'
  if (spec.op === 'reduce') {
    return windowed.pipe(reduce<K, Value | null>('table', REDUCERS[spec.reducer!]!, { emit }), to(topic(RESULT)))
  }
  const names = spec.op === 'count' ? ['count'] : (spec.aggregates ?? [])
  const measures = Object.fromEntries(names.map(name => [name, MEASURES[name as keyof typeof MEASURES]]))
  const { deleteOnN } = spec
  const deleting = aggregator<Value | null, boolean>({
    state: 'boolean',
    zero: false,
    add: (_, v) => (v !== null && v.n === deleteOnN ? null : true),
  })
  const all = deleteOnN === undefined ? measures : { ...measures, [DELETING]: deleting }
  return windowed.pipe(aggregate('table', all, { emit }), to(topic(RESULT)))
}

/** A measure that deletes rows and is not part of the result. */
export const DELETING = 'deleting'

function matches(predicate: Predicate): (v: Value | null, record: { readonly key: Key | null }) => boolean {
  return (v, record) => {
    if ('key' in predicate) return record.key?.key === predicate.key
    if (v === null) return false
    if ('ge' in predicate) return v.n >= predicate.ge
    return floorMod(v.n, predicate.mod) === predicate.eq
  }
}

function floorMod(n: number, mod: number): number {
  return ((n % mod) + mod) % mod
}

function copies(v: Value | null, mod: number): (Value | null)[] {
  if (v === null) return [null]
  return Array.from({ length: floorMod(v.n, mod) }, (_, i) => ({ n: v.n + 100 * i }))
}

function stream(steps: readonly Step[]): CaseTopology {
  let flow: Values = source('keep')
  let nulls = 0
  const notNull = (v: Value | null): boolean => {
    if (v === null) nulls++
    return v !== null
  }
  for (const [i, step] of steps.entries()) {
    if (step.op === 'count') {
      const counted = flow.pipe(
        filter(notNull),
        window(globalWindow()),
        aggregate('table', { count: count() }),
        to(topic(RESULT)),
      )
      return { topology: topology('case', counted), nulls: () => nulls }
    }
    flow = apply(flow, step, i)
  }
  return { topology: topology('case', flow.pipe(to(topic(RESULT)))), nulls: () => nulls }
}

function apply(flow: Values, step: Step, ordinal: number): Values {
  const mod = step.mod ?? 1
  switch (step.op) {
    case 'filter':
      return flow.pipe(filter(matches(step.pred!)))
    case 'filterNot': {
      const matching = matches(step.pred!)
      return flow.pipe(filter((v, record) => !matching(v, record)))
    }
    case 'mapValues':
      return flow.pipe(mapValues((v): Value | null => v && { n: v.n + (step.add ?? 0) }, { value }))
    case 'map':
      return flow.pipe(
        map(
          ({ key: k, value: v }) => ({
            key: { key: k === null ? 'null' : `${k.key}${step.suffix ?? ''}` },
            value: v && { n: v.n + (step.add ?? 0) },
          }),
          { value, key },
        ),
      )
    case 'flatMap':
      return flow.pipe(
        flatMap(
          ({ key: k, value: v }) =>
            copies(v, mod).map((copy, i) => ({ key: { key: `${k?.key ?? null}${i}` }, value: copy })),
          { value, key },
        ),
      )
    case 'flatMapValues':
      return flow.pipe(
        flatMap(({ key: k, value: v }) => copies(v, mod).map(copy => ({ key: k, value: copy })), { value, key }),
      )
    case 'repartition':
      return flow.pipe(repartition<Key, Value | null>(`repartition-${ordinal}`))
    default:
      throw new Error(`unknown operation "${step.op}"`)
  }
}
