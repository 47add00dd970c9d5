import {
  aggregate,
  avro,
  count,
  fromTopic,
  repartition,
  type Topology,
  to,
  topic,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { expect, test } from 'vitest'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import type { Log } from '../../src/ports/log.js'
import { ManualClock } from '../../src/runtime/manual-clock.js'
import { prepareTopics, surveyTopics } from '../../src/runtime/prepare-topics.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'

const schema = avro<{ a: string }>({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'string' }] })

/** By `a`, behind a repartition, and a copy of each record. */
function shared(partitions?: number): Topology {
  const events = fromTopic('events', { value: schema, keyColumn: 'user' })
  return topology(
    't',
    events.pipe(
      repartition('by-a', { by: 'a', ...(partitions !== undefined && { partitions }) }),
      window(tumbling('1 minute')),
      aggregate('minute', { c: count() }),
      to(warehouse('minutes')),
    ),
    events.pipe(to(topic('copies'))),
  )
}

/** By the key of the source topic, without a repartition. */
const local = topology(
  'local',
  fromTopic('events', { value: schema, keyColumn: 'user' }).pipe(
    window(tumbling('1 minute')),
    aggregate('user-minute', { c: count() }),
    to(warehouse('user_minutes')),
  ),
)

async function logWith(topics: Readonly<Record<string, number>>): Promise<Log> {
  const log = await embeddedLog({ store: await memoryEngine().open('log'), clock: new ManualClock(0) })
  await log.createTopics(Object.entries(topics).map(([name, partitions]) => ({ name, partitions, config: {} })))
  return log
}

test('creates what is missing, and finds it the next time', async () => {
  const log = await logWith({ events: 4 })
  const { plan, topics } = await prepareTopics(log, shared(), 'staging')
  expect(Object.fromEntries([...topics.values()].map(({ name, partitions }) => [name, partitions]))).toEqual({
    events: 4,
    copies: 4,
    'staging.t-by-a-repartition': 4,
    'staging.t-minute-changelog': 4,
    'staging.t-minutes-rows': 4,
    'staging.t-progress': 1,
    'staging.t-dead-letters': 4,
  })
  expect(plan).toMatchObject({ group: 'staging.t', namespace: 'staging' })
  expect((await surveyTopics(log, shared(), 'staging')).missing).toEqual([])
})

test('an enlarged source is refused with the remedy, and the remedy works', async () => {
  const made = { copies: 4, 't-by-a-repartition': 4, 't-minute-changelog': 4, 't-minutes-rows': 4, 't-progress': 1 }
  const log = await logWith({ events: 8, ...made, 't-dead-letters': 4 })
  await expect(prepareTopics(log, shared(), undefined)).rejects.toMatchObject({
    code: 'TOPIC_MISMATCH',
    message:
      '"t-by-a-repartition" has 4 partitions and needs 8; "t-minute-changelog" has 4 partitions and needs 8; ' +
      '"t-minutes-rows" has 4 partitions and needs 8. A source topic was enlarged, or the partitions of a repartition ' +
      "changed. To go on with the old number and the state behind it, write repartition('by-a', { …, partitions: 4 }). " +
      'To take the new number, start under another --namespace or topology name, which builds the state anew.',
  })
  const { plan } = await prepareTopics(log, shared(4), undefined)
  expect(plan.partitions.get('t-by-a-repartition')).toBe(4)
  expect(plan.partitions.get('t-dead-letters')).toBe(4)
})

test('state that is divided like an enlarged source cannot be kept', async () => {
  const log = await logWith({ events: 8, 'local-user-minute-changelog': 4, 'local-user_minutes-rows': 4 })
  const thrown = await prepareTopics(log, local, undefined).catch((error: unknown) => error)
  expect(thrown).toMatchObject({
    code: 'TOPIC_MISMATCH',
    message: expect.stringContaining(
      'What "local-user-minute-changelog", "local-user_minutes-rows" hold is divided by the old number and cannot be kept: start under another --namespace',
    ),
  })
  expect((thrown as Error).message).not.toContain('repartition(')
})

test('a topic behind a repartition with a number of its own is not mended by the old number', async () => {
  const log = await logWith({ events: 8, 't-by-a-repartition': 4, 't-minute-changelog': 5 })
  await expect(prepareTopics(log, shared(), undefined)).rejects.toMatchObject({
    message: expect.stringMatching(/partitions: 4 \}\)\. What "t-minute-changelog" holds is divided by/),
  })
})

test('names all source topics that are missing, or takes their counts as given', async () => {
  const log = await logWith({})
  await expect(surveyTopics(log, shared(), undefined)).rejects.toMatchObject({
    code: 'MISSING_TOPIC',
    message: expect.stringContaining('reads "events"'),
  })
  const { plan, missing } = await surveyTopics(log, shared(), undefined, new Map([['events', 3]]))
  expect(plan.partitions.get('t-by-a-repartition')).toBe(3)
  expect(missing.map(({ name }) => name)).toContain('copies')
})
