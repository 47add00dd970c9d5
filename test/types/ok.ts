import {
  aggregate,
  approxDistinct,
  avro,
  count,
  double,
  filter,
  flatMap,
  fromTopic,
  globalWindow,
  hopping,
  long,
  map,
  mapValues,
  max,
  peek,
  reduce,
  repartition,
  rx,
  type Stream,
  select,
  sum,
  type Table,
  text,
  timestamp,
  to,
  topic,
  topology,
  toStream,
  tumbling,
  warehouse,
  where,
  window,
} from 'millrace'
import { filter as keep, map as mapRx } from 'rxjs'

interface QuestEvent {
  questType: string
  eventType: 'STARTED' | 'COMPLETED'
  rewardGold: number
  durationMs: number | null
  userId: string
  region: string
  occurredAt: number
}
const questEvent = avro<QuestEvent>({ type: 'record', name: 'QuestEvent', fields: [] })
type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(): T | undefined => undefined
type ParametersOf<F> = F extends Table<infer K, infer R> ? [K, R] : F extends Stream<infer K, infer V> ? [K, V] : never

const events = fromTopic('quest-events', {
  value: questEvent.pick('questType', 'eventType', 'rewardGold', 'userId', 'occurredAt', 'durationMs', 'region'),
  timestamp: 'occurredAt',
})
is<Eq<ParametersOf<typeof events>[0], { readonly key: string }>>()

const keyed = fromTopic('quest-events', { value: questEvent, keyColumn: 'user', nullValues: 'keep' })
is<Eq<ParametersOf<typeof keyed>, [{ readonly user: string }, QuestEvent | null]>>()

const keySchema = avro<{ userId: string }>({ type: 'record', name: 'Key', fields: [] })
const withKey = fromTopic('quest-events', { value: questEvent, key: keySchema, timestamp: e => e.occurredAt })
is<Eq<ParametersOf<typeof withKey>, [{ userId: string }, QuestEvent]>>()

const nullable = keyed.pipe(
  filter((e, record) => e === null || record.key !== null),
  repartition('r', { by: ['questType', 'region'] }),
  window(hopping('1 minute', { advance: '10 seconds' })),
  aggregate('n', {
    n: count(),
    gold: sum('rewardGold', { where: { eventType: 'COMPLETED' } }),
    d: sum(double(e => e?.rewardGold ?? 0)),
  }),
)
is<
  Eq<
    ParametersOf<typeof nullable>[0],
    { readonly questType: string; readonly region: string; readonly windowStart: Date; readonly windowEnd: Date }
  >
>()

// A straight line without an annotation.
export const a = events.pipe(
  where({ eventType: 'COMPLETED' }),
  where({ eventType: ['COMPLETED', 'STARTED'], durationMs: null }),
  repartition('by-quest-type', { by: 'questType' }),
  window(tumbling('1 minute', { grace: '30 seconds' })),
  aggregate('quest-minute', {
    completions: count(),
    gold: sum('rewardGold'),
    players: approxDistinct('userId'),
    longest: max('durationMs'),
    tax: sum(double(e => e.rewardGold * 0.1)),
    big: count({ where: e => e.rewardGold > 100 }),
  }),
)

// The same with lambdas, and a key that is computed.
export const b = events.pipe(
  filter(e => e.eventType === 'COMPLETED'),
  repartition('by-quest-type', {
    by: {
      questType: 'questType',
      hour: long(e => Math.floor(e.occurredAt / 3_600_000)),
      at: timestamp(e => e.occurredAt),
    },
  }),
  window(tumbling('1 minute', { grace: '30 seconds' })),
  aggregate('quest-hour', { completions: count(), gold: sum(double(e => e.rewardGold)) }),
)
is<
  Eq<
    ParametersOf<typeof b>[0],
    {
      readonly questType: string
      readonly hour: number
      readonly at: Date
      readonly windowStart: Date
      readonly windowEnd: Date
    }
  >
>()

const narrowed = events.pipe(filter((e): e is typeof e & { eventType: 'COMPLETED' } => e.eventType === 'COMPLETED'))
export const onlyCompleted = narrowed.pipe(mapValues(e => ({ kind: e.eventType })))
is<Eq<ParametersOf<typeof onlyCompleted>[1], { kind: 'COMPLETED' }>>()

export default topology(
  'quest-minute',
  { onError: 'deadLetter', idleAfter: '10 seconds' },
  a.pipe(
    to(
      warehouse('analytics.quest_minute', {
        sortKey: ['window_start', 'quest_type'],
        distKey: 'quest_type',
        freshness: '60 seconds',
        split: true,
        coarser: { quest_hour: '1 hour', quest_day: '1 day' },
        maxBytes: { quest_type: 100 },
      }),
    ),
  ),
  a.pipe(to(topic('quest-minute-rows'))),
  b.pipe(to(warehouse('analytics.quest_hour', { sortKey: 'hour', rename: { quest_type: 'type' } }))),
  events.pipe(
    filter(e => e.eventType === 'STARTED'),
    to(topic('abandoned')),
  ),
  events.pipe(
    select({ region: 'region', gold: 'rewardGold', big: double(e => e.rewardGold * 2) }),
    peek(record => record.value.big),
    repartition('by-region', { by: ['region'] }),
    window(tumbling('1 hour')),
    aggregate('user-activity', { gold: sum('gold'), big: sum('big') }, { emit: 'final' }),
    toStream(),
    repartition('by-nothing', { by: { all: text(() => 'all') } }),
    window(tumbling('1 day')),
    aggregate('day', {
      gold: sum('gold'),
      regions: approxDistinct('region'),
      hours: count({ where: r => r.windowStart.getTime() > 0 }),
    }),
    to(topic('x')),
  ),
)

export const viaRx = events.pipe(
  rx('x', records$ =>
    records$.pipe(
      keep(r => r.value.rewardGold > 3),
      mapRx(r => ({ ...r, value: { g: r.value.rewardGold, questType: r.value.questType } })),
    ),
  ),
  repartition('q', { by: 'questType' }),
  window(globalWindow()),
  aggregate('all', { g: sum('g'), c: count(), lc: sum(long(e => e.g)) }),
)
is<
  Eq<
    ParametersOf<typeof viaRx>,
    [{ readonly questType: string }, { readonly g: number; readonly c: number; readonly lc: number }]
  >
>()

const small = avro<{ questType: string; gold: number; kind: 'A' | 'B' }>({ type: 'record', name: 'Small', fields: [] })
export const mapped = events.pipe(
  map(
    ({ key, value, timestamp }) => ({
      key: { at: timestamp, user: key?.key ?? '' },
      value: { gold: value.rewardGold, questType: value.questType, kind: 'A' as const },
    }),
    { value: small },
  ),
  mapValues((value, record) => ({ ...value, when: record.timestamp })),
)
is<
  Eq<
    ParametersOf<typeof mapped>,
    [{ at: number; user: string }, { when: number; questType: string; gold: number; kind: 'A' | 'B' }]
  >
>()

export const flat = events.pipe(flatMap(({ value }) => [{ value: value.rewardGold }, { value: 1 }]))
is<Eq<ParametersOf<typeof flat>, [{ readonly key: string }, number]>>()
export const flatKeyed = events.pipe(
  flatMap(function* ({ value }) {
    yield { key: { q: value.questType }, value: { a: 1 } }
  }),
)
is<Eq<ParametersOf<typeof flatKeyed>, [{ q: string }, { a: number }]>>()

export const reduced = events.pipe(
  window(tumbling('1 minute')),
  reduce('longest', (kept, next) => (next.rewardGold > kept.rewardGold ? next : kept), { emit: 'final' }),
  to(warehouse('longest', { sortKey: 'reward_gold' })),
)
